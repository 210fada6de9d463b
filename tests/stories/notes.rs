//! What publishers say of their releases, from where they write it to the pull request; and how nothing of it is waited for.

mod mishaps;

use crate::{World, harmless, stories};
use github_sim::RepoOptions;
use jiff::SignedDuration;
use mass_driver::domain::{Ecosystem, NotesState, PackageId};

const API: &str = "acme/api";
const NOTES: &str = "## Added\n\n- Brotli, by @tomchristie in #3394\n";
/// Everything that asks the repository of httpx about its releases.
const ASKED: &str = "/repos/encode/httpx/releases/tags/**";

/// The repository of httpx at the forge, which the registry names, with these notes on 0.28.0.
fn httpx_says(world: &World, notes: &str) {
    world.commits("encode/httpx", "0.28.0");
    for tag in ["0.27.0", "0.28.0"] {
        world.github.tag("encode/httpx", tag, "main").unwrap();
    }
    world.github.release("encode/httpx", "0.28.0", notes).unwrap();
    world.registry.pypi().source("httpx", &format!("git+https://{}/encode/httpx.git", world.host()));
}

/// 0.28.0 comes out, and is due at once.
async fn is_released(world: &World) {
    world.registry.release("httpx", "0.28.0");
    world.bot_looks().await;
}

/// The part of a pull request's text that tells of its releases.
fn news(world: &World, repo: &str) -> String {
    let body = world.pull(repo).body;
    let from = ["### What is new", "### Read more"].iter().find_map(|heading| body.find(heading));
    let Some(from) = from else { return String::new() };
    let text = &body[from..];
    text[..text.find("\n---\n").unwrap()].trim_end().replace(&world.host(), "github.example")
}

/// How often a repository was asked about releases since a mark.
fn looks(world: &World, mark: u64, repo: &str) -> usize {
    let path = format!("/repos/{repo}/releases/tags/");
    world.github.requests_since(mark).iter().filter(|e| e.path.starts_with(&path)).count()
}

async fn standing(world: &World) -> Option<NotesState> {
    let key = (PackageId { ecosystem: Ecosystem::Pypi, name: "httpx".into() }, "0.28.0".to_string());
    let standings = world.store.notes_standings(&[key]).await.unwrap();
    standings.into_values().next().map(|known| known.state)
}

fn globex(world: &World) -> i64 {
    world.github.organization("globex");
    world.github.install("globex").unwrap()
}

fn private(world: &World, repo: &str, notes: &str) {
    world.github.create_repo(repo, RepoOptions::default().file("README.md", "secret")).unwrap();
    for tag in ["v1.0.0", "v1.1.0"] {
        world.github.tag(repo, tag, "main").unwrap();
    }
    world.github.release(repo, "v1.1.0", notes).unwrap();
}

fn action(uses: &str) -> String {
    format!("runs:\n  using: composite\n  steps:\n    - uses: {uses}\n")
}

stories! {
    async fn notes_of_a_python_package_arrive(world: World) {
        httpx_says(&world, NOTES);
        world.registry.pypi().homepage("httpx", "https://www.httpx.example/");
        world.repository_using_httpx(API, "subscriptions: [pypi]\n").await;
        is_released(&world).await;
        insta::assert_snapshot!("python", news(&world, API));
        assert_eq!(world.pull(API).title, "Bump httpx from 0.27.0 to 0.28.0", "the title says nothing of it");
    }

    /// A rule kept it back for a week, so it was due long ago when the rule goes.
    async fn what_was_due_long_ago_has_its_notes(world: World) {
        httpx_says(&world, NOTES);
        world.repository_using_httpx(API, "subscriptions: [{ migration: pypi, ignore: [httpx] }]\n").await;
        is_released(&world).await;
        world.time_passes(SignedDuration::from_hours(7 * 24)).await;
        assert_eq!(standing(&world).await, None);
        world.push(API, &[(".mass-driver.yaml", "subscriptions: [pypi]\n")]).await;
        assert!(news(&world, API).contains("Brotli"), "{}", news(&world, API));
        assert_eq!(standing(&world).await, Some(NotesState::Known));
    }

    /// One repository of many packages, each with tags of its own.
    async fn notes_of_a_node_package_arrive(world: World) {
        world.commits("babel/babel", "x");
        for (tag, notes) in [("v7.1.0", "Of another one.\n"), ("@babel/core@7.1.0", "Faster.\n")] {
            world.github.tag("babel/babel", tag, "main").unwrap();
            world.github.release("babel/babel", tag, notes).unwrap();
        }
        world.registry.npm().source("@babel/core", &format!("https://{}/babel/babel/tree/main/packages/core", world.host()));
        world.registry.npm().homepage("@babel/core", "http://babel.example/docs");
        world.registry.npm().release("@babel/core", "7.0.0");
        world.registry.npm().release("@babel/core", "7.1.0");
        let file = "{\"dependencies\": {\"@babel/core\": \"7.0.0\"}}\n";
        world.repository(API, &[("package.json", file), (".mass-driver.yaml", "subscriptions: [npm]\n")]).await;
        insta::assert_snapshot!("node", news(&world, API));
    }

    async fn notes_of_an_action_arrive(world: World) {
        for (tag, notes) in [("v4.1.0", ""), ("v4.2.0", "Node 24.\n")] {
            world.commits("actions/cache", tag);
            world.github.tag("actions/cache", tag, "main").unwrap();
            world.github.release("actions/cache", tag, notes).unwrap();
        }
        let mark = world.github.mark();
        world.repository(API, &[("action.yml", &action("actions/cache@v4.1.0")), (".mass-driver.yaml", "subscriptions: [github-actions]\n")]).await;
        insta::assert_snapshot!("action", news(&world, API));
        assert_eq!(looks(&world, mark, "actions/cache"), 1, "its tag is known");
    }

    /// Those that come one after the other are each there, and what was found before is tried first.
    async fn notes_between_two_versions_are_told(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.commits("encode/httpx", "x");
        world.registry.pypi().source("httpx", &format!("https://{}/encode/httpx", world.host()));
        let file = "delay: weekly\nsubscriptions: [pypi]\n";
        world.repository(API, &[("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", file)]).await;
        let mut asked = Vec::new();
        for version in ["0.28.0", "0.28.1"] {
            let tag = format!("httpx-{version}");
            world.github.tag("encode/httpx", &tag, "main").unwrap();
            world.github.release("encode/httpx", &tag, &format!("What {version} brings.\n")).unwrap();
            world.registry.release("httpx", version);
            let mark = world.github.mark();
            world.bot_looks().await;
            world.time_passes(SignedDuration::from_hours(3)).await;
            asked.push(looks(&world, mark, "encode/httpx"));
        }
        assert_eq!(asked, [5, 1], "by then it is known how its tags are written");
        world.time_comes("2026-03-09T06:00:00Z").await;
        insta::assert_snapshot!("between", news(&world, API));
    }

    async fn each_of_a_group_has_its_notes(world: World) {
        for (name, repo) in [("httpx", "encode/httpx"), ("anyio", "agronholm/anyio"), ("idna", "kjd/idna")] {
            world.registry.release(name, "1.0.0");
            world.registry.release(name, "1.1.0");
            world.registry.pypi().source(name, &format!("https://{}/{repo}", world.host()));
            if name != "idna" {
                world.commits(repo, "x");
                world.github.tag(repo, "v1.1.0", "main").unwrap();
                world.github.release(repo, "v1.1.0", &format!("What {name} brings.\n")).unwrap();
            }
        }
        let file = "subscriptions:\n  - migration: pypi\n    group: all\n";
        world.repository(API, &[("requirements.txt", "httpx==1.0.0\nanyio==1.0.0\nidna==1.0.0\n"), (".mass-driver.yaml", file)]).await;
        insta::assert_snapshot!("group", news(&world, API));
    }

    async fn security_04_hostile_notes_end_harmless(world: World) {
        let hostile = "@acme/owners closes #1 and fixes https://github.com/acme/api/issues/2 [skip ci]\n\n\
            /mass-driver ignore this dependency\n\n</details><script>alert(1)</script>\n\n[click](javascript:alert(1)) \u{202e}x\n\n```\nnever closed";
        httpx_says(&world, hostile);
        world.registry.pypi().homepage("httpx", "https://evil.example/a)[b](javascript:alert");
        world.repository_using_httpx(API, "subscriptions: [pypi]\n").await;
        is_released(&world).await;
        let told = news(&world, API);
        let notes = told.split_once("</summary>").unwrap().1.rsplit_once("</details>").unwrap().0;
        assert_eq!(harmless::fault(notes), None, "{told}");
        assert!(told.contains("`@acme/owners`") && !told.contains("evil.example"), "{told}");
    }

    async fn a_release_is_looked_at_once_for_all(world: World) {
        httpx_says(&world, NOTES);
        for repo in ["acme/api", "acme/web", "acme/cli"] {
            world.repository_using_httpx(repo, "subscriptions: [pypi]\n").await;
        }
        world.registry.clear_requests();
        let mark = world.github.mark();
        is_released(&world).await;
        for repo in ["acme/api", "acme/web", "acme/cli"] {
            assert!(news(&world, repo).contains("Brotli"), "{repo}");
        }
        assert_eq!(looks(&world, mark, "encode/httpx"), 2, "with a v and without");
        let asked = world.registry.requests().iter().filter(|request| request.path.contains("/versions/")).count();
        assert_eq!(asked, 1);
        // Nor is it for one that comes later, or a long time after.
        let mark = world.github.mark();
        world.repository_using_httpx("acme/late", "subscriptions: [pypi]\n").await;
        assert!(news(&world, "acme/late").contains("Brotli"));
        assert_eq!(looks(&world, mark, "encode/httpx"), 0);
    }

    /// Who is due at once has it looked at within the minute; who waits for Monday has what was written since.
    async fn what_is_written_later_is_found_for_those_who_wait(world: World) {
        world.commits("encode/httpx", "x");
        world.github.tag("encode/httpx", "0.28.0", "main").unwrap();
        world.registry.pypi().source("httpx", &format!("https://{}/encode/httpx", world.host()));
        world.repository_using_httpx("acme/later", "delay: weekly\nsubscriptions: [pypi]\n").await;
        world.repository_using_httpx("acme/now", "subscriptions: [pypi]\n").await;
        is_released(&world).await;
        assert!(!news(&world, "acme/now").contains("Brotli"));
        world.github.release("encode/httpx", "0.28.0", NOTES).unwrap();
        world.time_passes(SignedDuration::from_hours(3)).await;
        assert_eq!(standing(&world).await, Some(NotesState::Known));
        world.time_comes("2026-03-09T06:00:00Z").await;
        assert!(news(&world, "acme/later").contains("Brotli"), "{}", news(&world, "acme/later"));
    }

    async fn nothing_is_found_twice(world: World) {
        world.commits("encode/httpx", "x");
        world.registry.pypi().source("httpx", &format!("https://{}/encode/httpx", world.host()));
        world.repository_using_httpx(API, "subscriptions: [pypi]\n").await;
        let mark = world.github.mark();
        is_released(&world).await;
        let source = "[source](https://github.example/encode/httpx)";
        assert_eq!(news(&world, API), format!("### Read more\n\n- `httpx`: {source}"));
        assert_eq!(looks(&world, mark, "encode/httpx"), 5);
        world.repository_using_httpx("acme/web", "subscriptions: [pypi]\n").await;
        for _ in 0..50 {
            world.time_passes(SignedDuration::from_hours(2)).await;
        }
        assert_eq!(looks(&world, mark, "encode/httpx"), 10, "once more, for those who write later");
        assert_eq!(standing(&world).await, Some(NotesState::Known));
    }

    /// A package may name any repository as its own, one that only its reader may see as well.
    async fn security_03_a_package_cannot_have_a_private_repository_shown(world: World) {
        private(&world, "acme/secret", "Where the money is.\n");
        globex(&world);
        world.registry.pypi().source("httpx", &format!("https://{}/acme/secret", world.host()));
        world.registry.release("httpx", "1.0.0");
        world.registry.release("httpx", "1.1.0");
        let files = [("requirements.txt", "httpx==1.0.0\n"), (".mass-driver.yaml", "subscriptions: [pypi]\n")];
        let mark = world.github.mark();
        for repo in ["acme/api", "globex/shop"] {
            world.repository(repo, &files).await;
            let body = world.pull(repo).body;
            assert!(!body.contains("money") && !body.contains("/compare/"), "{body}");
        }
        assert_eq!(looks(&world, mark, "acme/secret"), 0, "nobody even asks");
    }

    async fn security_03_notes_of_a_private_action_stay_in_private_repositories_of_its_owner(world: World) {
        private(&world, "acme/build", "Where the money is.\n");
        globex(&world);
        let files = [("action.yml", action("acme/build@v1.0.0")), (".mass-driver.yaml", "subscriptions: [github-actions]\n".into())];
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        world.repository("acme/api", &files).await;
        assert!(news(&world, "acme/api").contains("Where the money is."));
        let open = files.iter().fold(RepoOptions::default().public(), |options, (path, text)| options.file(path, text));
        world.github.create_repo("acme/site", open).unwrap();
        world.repository("globex/shop", &files).await;
        world.settle().await;
        assert_eq!(news(&world, "acme/site"), "", "everybody reads it");
        assert_eq!(world.open("globex/shop"), [] as [&str; 0]);
    }

    async fn what_nobody_wants_any_more_is_forgotten(world: World) {
        httpx_says(&world, NOTES);
        world.repository_using_httpx(API, "subscriptions: [pypi]\n").await;
        is_released(&world).await;
        world.duties().await;
        assert_eq!(standing(&world).await, Some(NotesState::Known));
        world.clock_moves(SignedDuration::from_hours(24 * 95));
        world.duties().await;
        assert_eq!(standing(&world).await, None);
    }
}

//! Inputs nobody means well with, or that come at the wrong moment: seen from the pull requests they must not lead to.

use crate::{World, stories};
use github_sim::{Fault, FaultKind, FileChangeInput, Gate, RepoOptions};
use mass_driver::domain::{ProposalState, RepoId, RepoName};
use mass_driver::forge::{ForgeError, GitHub, GitHubSettings, Target};
use mass_driver::store::ConfigState;
use mass_driver::subscription::Problem;
use std::sync::Arc;

const NAME: &str = ".mass-driver.yaml";
const FILE: (&str, &str) = (NAME, "subscriptions: [pypi]\n");
const WEEKLY: (&str, &str) = (NAME, "delay: weekly\nsubscriptions: [pypi]\n");
const PINNED: (&str, &str) = ("requirements.txt", "httpx==0.27.0\n");
/// The coming Monday, when what is subscribed weekly is due.
const MONDAY: &str = "2026-03-09T06:00:00Z";
/// A commit of some other repository.
const ELSEWHERE: &str = "1234567890123456789012345678901234567890";

fn releases(world: &World) {
    world.registry.release("httpx", "0.27.0");
    world.registry.release("httpx", "0.28.0");
}

async fn repository_of(world: &World, files: Vec<FileChangeInput>) {
    world.github.create_repo("acme/api", RepoOptions { files, ..RepoOptions::default() }).unwrap();
    world.settle().await;
}

async fn problems(world: &World) -> Vec<Problem> {
    serde_json::from_value(world.row("acme/api").await.config.problems).unwrap()
}

/// The bot's own client of GitHub.
fn forge(world: &World) -> GitHub {
    let app = world.github.app();
    let settings = GitHubSettings::new(world.github.url(), app.app_id, app.private_key_pem.into());
    GitHub::new(settings, Arc::new(world.clock.clone())).unwrap()
}

/// Another process of the bot works until it asks for this and has to wait for the answer; meanwhile something happens.
async fn meanwhile(world: &World, method: &str, path: &str, happens: impl AsyncFnOnce()) {
    let gate = Gate::default();
    world.github.fault(Fault::once(method, path, FaultKind::Wait(gate.clone())));
    let other = world.another_process();
    let slow = tokio::spawn(async move { other.worker().run_until_idle().await.unwrap() });
    gate.reached_by(1).await;
    happens().await;
    gate.open();
    slow.await.unwrap();
    world.settle().await;
}

stories! {
    /// A line for Windows, a mark at the beginning, no end of line at the end, all of it mixed: the version is all that changes.
    async fn bad_input_15_a_file_from_any_editor_changes_by_its_version_alone(world: World) {
        releases(&world);
        let texts = [
            ("crlf", "# ours\r\nhttpx==0.27.0\r\nidna\r\n"),
            ("bom", "\u{feff}httpx==0.27.0\n"),
            ("mixed", "# a\nhttpx==0.27.0\r\n# b\rc\n\r\n"),
            ("no-end", "# a\r\nhttpx==0.27.0"),
            ("all", "\u{feff}# a\r\n\thttpx==0.27.0 # tabs\tand so on\n\r\nidna"),
        ];
        let files = texts.map(|(folder, text)| (format!("{folder}/requirements.txt"), text));
        // Letters of two bytes each are no text that is edited: it is told, and left alone.
        let wide: Vec<u8> = "\u{feff}httpx==0.27.0\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let all = files.iter().map(|(path, text)| FileChangeInput::put(path, *text));
        let all = all.chain([FileChangeInput::put("wide/requirements.txt", wide.clone()), FileChangeInput::put(NAME, FILE.1)]);
        repository_of(&world, all.collect()).await;
        let pull = world.pull("acme/api");
        for (path, text) in &files {
            let expected = text.replace("0.27.0", "0.28.0");
            assert_eq!(world.file("acme/api", &pull.head_branch, path), expected, "{path}");
        }
        assert_eq!(pull.files.len(), files.len());
        assert_eq!(world.github.file("acme/api", &pull.head_branch, "wide/requirements.txt").unwrap().unwrap(), wide);
        let told = world.store.manifest_problems(world.repo_id("acme/api").await).await.unwrap();
        assert!(told.iter().any(|(path, why)| path.as_str() == "wide/requirements.txt" && !why.is_empty()), "{told:?}");
    }

    /// Files that others name lead nowhere but to files of the same tree, and names that git itself could take for its own are
    /// not looked at.
    async fn security_06_what_a_manifest_names_elsewhere_is_not_asked_for(world: World) {
        releases(&world);
        let hostile = "-r ../../other/requirements.txt\n-r /etc/passwd\n-c ..\\x.txt\n-r .git/config\n-r .GIT/config\nhttpx==0.27.0\n";
        let mark = world.github.mark();
        world.repository("acme/api", &[("app/requirements.txt", hostile), FILE]).await;
        let pull = world.pull("acme/api");
        assert_eq!(pull.files, ["app/requirements.txt"]);
        let expected = hostile.replace("0.27.0", "0.28.0");
        assert_eq!(world.file("acme/api", &pull.head_branch, "app/requirements.txt"), expected);
        let blobs = world.requests_since(mark).into_iter().filter(|r| r.contains("/git/blobs/")).count();
        assert_eq!(blobs, 2, "the two files of the repository");
    }

    /// As from a webhook of the repository's own, about the push of an account that was deleted since.
    async fn bad_input_05_a_ghosts_push_without_installation_is_acted_on(world: World) {
        releases(&world);
        world.repository("acme/api", &[("README.md", "hello\n"), FILE]).await;
        world.push_quietly("acme/api", &[PINNED]);
        world.github.drop_pending();
        let tip = world.github.head("acme/api", "main").unwrap().unwrap();
        let posts = world.github.webhook_posts();
        let mut body = posts.into_iter().rfind(|post| post.body["ref"] == "refs/heads/main").unwrap().body;
        body["before"] = body["after"].take();
        body["after"] = tip.into();
        body["sender"]["login"] = "ghost".into();
        body.as_object_mut().unwrap().remove("installation");
        assert_eq!(world.github.deliver_raw("push", body).await.status, 202);
        world.settle().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// GitHub names 2,048 commits of a push; the one that brought the manifest is the first, and not among them.
    async fn bad_input_06_a_push_of_more_commits_than_github_names_is_not_believed(world: World) {
        releases(&world);
        world.repository("acme/api", &[FILE]).await;
        let first = [FileChangeInput::put(PINNED.0, PINNED.1)];
        let rest: Vec<[FileChangeInput; 1]> = (0..2_048).map(|n| [FileChangeInput::put("counter", n.to_string())]).collect();
        let commits: Vec<(&[FileChangeInput], &str)> =
            std::iter::once((first.as_slice(), "pin")).chain(rest.iter().map(|one| (one.as_slice(), "count"))).collect();
        world.github.push_commits("acme/api", "main", &commits).unwrap();
        world.settle().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    async fn bad_input_17_a_manifest_that_is_a_submodule_is_left_alone(world: World) {
        releases(&world);
        repository_of(&world, vec![
            FileChangeInput::submodule("requirements.txt", ELSEWHERE),
            FileChangeInput::put("web/requirements.txt", PINNED.1),
            FileChangeInput::put(FILE.0, FILE.1),
        ]).await;
        let pull = world.pull("acme/api");
        assert_eq!(pull.title, "Bump httpx from 0.27.0 to 0.28.0 in /web");
        assert_eq!(world.github.file_mode("acme/api", &pull.head_branch, "requirements.txt").unwrap(), Some(0o160_000));
        let diff = world.github.pull_diff("acme/api", pull.number).unwrap();
        assert!(diff.contains("web/requirements.txt") && !diff.contains("Subproject"), "{diff}");
    }

    /// The link leads to a manifest that nobody would look at otherwise.
    async fn bad_input_17_a_link_to_a_manifest_is_neither_followed_nor_overwritten(world: World) {
        releases(&world);
        repository_of(&world, vec![
            FileChangeInput::put("pins", PINNED.1),
            FileChangeInput::symlink("requirements.txt", "pins"),
            FileChangeInput::put("web/requirements.txt", "-r ../requirements.txt\n"),
            FileChangeInput::put(FILE.0, FILE.1),
        ]).await;
        assert!(world.open("acme/api").is_empty());
        assert!(world.outlook("acme/api").await.is_empty(), "{:?}", world.outlook("acme/api").await);
    }

    async fn bad_input_17_a_subscription_file_that_is_a_submodule_is_a_problem(world: World) {
        releases(&world);
        repository_of(&world, vec![
            FileChangeInput::submodule(NAME, ELSEWHERE),
            FileChangeInput::put(PINNED.0, PINNED.1),
        ]).await;
        let found = problems(&world).await;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].what.contains("submodule"), "{found:?}");
        assert!(world.open("acme/api").is_empty());
    }

    /// Whoever can push a link instead of the file must not thereby silence or redirect the bot.
    async fn bad_input_17_a_file_that_becomes_a_link_leaves_the_last_good_one_in_force(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.repository("acme/api", &[PINNED, FILE]).await;
        let link = [FileChangeInput::remove(NAME), FileChangeInput::put("other.yaml", "subscriptions: [docker]\n")];
        world.github.push_as("alice", "acme/api", "main", &link, "away").unwrap();
        world.github.push_as("alice", "acme/api", "main", &[FileChangeInput::symlink(NAME, "other.yaml")], "link").unwrap();
        world.github.deliver_reversed().await;
        world.settle().await;
        assert_eq!(world.row("acme/api").await.config.state, ConfigState::Broken);
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// Whatever is in the file, it ends as one bounded account with lines, the last good file stays, and nothing is given up.
    async fn bad_input_18_a_hostile_file_costs_one_bounded_account(world: World) {
        releases(&world);
        world.repository("acme/api", &[PINNED, WEEKLY]).await;
        let bomb = "a: &a [x,x,x]\n".to_owned()
            + &('b'..='z').map(|c| format!("{c}: &{c} [{}]\n", vec![format!("*{}", (c as u8 - 1) as char); 9].join(","))).collect::<String>();
        let hostile = [
            ("aliases", bomb, "aliases"),
            ("tags", "subscriptions: !!python/object:os.system [pypi]\n".into(), "tags"),
            ("depth", "- ".repeat(10_000), "nested deeper"),
            ("duplicate keys", "subscriptions: [pypi]\nsubscriptions: [docker]\n".into(), "twice"),
            ("10 MB", "# comment\n".repeat(1_000_000), "larger than"),
            ("wrong types", "limit: many\nsubscriptions: 7\n".into(), "whole number"),
        ];
        for (name, text, expected) in hostile {
            let mark = world.github.mark();
            world.push("acme/api", &[(NAME, &text)]).await;
            let found = problems(&world).await;
            assert!(!found.is_empty() && found.len() <= 101, "{name}: {} problems", found.len());
            assert!(found.iter().any(|problem| problem.what.contains(expected)), "{name}: {found:?}");
            assert!(found.iter().all(|problem| problem.line > 0 && problem.to_string().len() < 600), "{name}");
            assert_eq!(world.row("acme/api").await.config.state, ConfigState::Broken, "{name}");
            assert_eq!(world.waiting("acme/api").await.len(), 1, "{name}: the last good file is in force");
            let blobs = world.requests_since(mark).iter().filter(|request| request.contains("/git/blobs/")).count();
            assert!(blobs <= 2, "{name} was read {blobs} times: once for what is in force, once for the check");
        }
        world.push("acme/api", &[WEEKLY]).await;
        assert_eq!(world.row("acme/api").await.config.state, ConfigState::Valid, "and it is forgotten when it is mended");
    }

    /// The tree is being written when the file goes away.
    async fn bad_input_19_a_file_removed_while_a_change_is_sent(world: World) {
        releases(&world);
        world.repository("acme/api", &[PINNED, WEEKLY]).await;
        world.clock_comes(MONDAY);
        meanwhile(&world, "POST", "/repos/acme/api/git/trees", async || {
            world.github.push("acme/api", "main", &[(NAME, None)], "no more").unwrap();
            world.github.deliver_pending().await;
        }).await;
        assert_eq!(world.row("acme/api").await.config.state, ConfigState::None);
        world.bot_looks().await;
        assert!(world.proposals("acme/api", ProposalState::Waiting).await.is_empty(), "nothing waits for a file that is gone");
        let opened = world.github.pull_requests("acme/api").unwrap().len();
        assert!(opened <= 1, "what was under way ends as one pull request, or as none: {opened}");
    }

    /// The tree is being written when the manifest goes away. The change stays on the commit it was made for, so that git
    /// tells the two apart: merging cannot bring the file back unseen.
    async fn bad_input_19_a_manifest_removed_while_its_change_is_sent(world: World) {
        releases(&world);
        world.repository("acme/api", &[PINNED, WEEKLY]).await;
        world.clock_comes(MONDAY);
        meanwhile(&world, "POST", "/repos/acme/api/git/trees", async || {
            world.github.push("acme/api", "main", &[(PINNED.0, None)], "no more").unwrap();
            world.github.deliver_pending().await;
        }).await;
        assert!(world.outlook("acme/api").await.is_empty());
        assert!(world.proposals("acme/api", ProposalState::Waiting).await.is_empty());
        assert!(world.open("acme/api").is_empty(), "what was opened is closed with a word");
        assert_eq!(world.github.branches("acme/api").unwrap().len(), 1);
    }

    /// Removed and told in time, it is not brought back when its Monday comes.
    async fn bad_input_19_a_manifest_removed_before_its_change_is_due(world: World) {
        releases(&world);
        world.repository("acme/api", &[PINNED, WEEKLY]).await;
        assert_eq!(world.waiting("acme/api").await.len(), 1);
        world.github.push("acme/api", "main", &[(PINNED.0, None)], "no more").unwrap();
        world.github.deliver_pending().await;
        world.time_comes(MONDAY).await;
        assert!(world.open("acme/api").is_empty(), "{:?}", world.open("acme/api"));
        assert_eq!(world.github.branches("acme/api").unwrap().len(), 1);
    }

    /// Read by its hash, a file cannot change under the reader; the next look finds the newer one.
    async fn bad_input_19_a_file_changed_while_it_is_read(world: World) {
        releases(&world);
        world.repository("acme/api", &[PINNED]).await;
        world.push_quietly("acme/api", &[FILE]);
        world.github.deliver_pending().await;
        meanwhile(&world, "GET", "/repos/acme/api/git/blobs/*", async || {
            world.push_quietly("acme/api", &[WEEKLY]);
            world.github.deliver_pending().await;
        }).await;
        let row = world.row("acme/api").await;
        let subscriptions = world.store.subscriptions(row.repository.id).await.unwrap();
        assert_eq!(subscriptions[0].subscription.delay, "every Monday at 06:00", "as at the last push");
        assert_eq!(row.head.unwrap().commit.as_str(), world.github.head("acme/api", "main").unwrap().unwrap());
    }

    /// A second file of the other name comes while the first is in force, and goes again.
    async fn bad_input_19_a_second_file_stops_neither_what_is_in_force_nor_itself(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.repository("acme/api", &[PINNED, FILE]).await;
        world.push("acme/api", &[(".mass-driver.yml", "subscriptions: [docker]\n")]).await;
        assert_eq!(problems(&world).await.len(), 1);
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"], "the last good file counts");
        world.remove("acme/api", NAME).await;
        let row = world.row("acme/api").await;
        assert_eq!((row.config.state, problems(&world).await.len()), (ConfigState::Valid, 0));
        assert_eq!(world.store.subscriptions(row.repository.id).await.unwrap()[0].subscription.migration, "docker");
    }

    /// A step for one repository is made to name another: its token is for the first one's id, and GitHub keeps to that.
    async fn security_03_a_job_for_one_repository_cannot_reach_another(world: World) {
        world.repository("acme/api", &[PINNED]).await;
        world.repository("acme/secret", &[("requirements.txt", "httpx==0.27.0\n# private\n")]).await;
        let forge = forge(&world);
        let own = world.row("acme/api").await.repository;
        let (api, secret) = (own.id, world.repo_id("acme/secret").await);
        let target = |repo: RepoId, name: &str| Target { installation: own.installation, repo, name: RepoName::parse(name).unwrap() };
        // Both tokens are in the cache, as in a process that serves both.
        for (repo, name) in [(api, "acme/api"), (secret, "acme/secret")] {
            assert!(forge.head(&target(repo, name), "main").await.unwrap().is_some());
        }
        let tree = forge.head(&target(secret, "acme/secret"), "main").await.unwrap().unwrap().tree;
        let crossed = target(api, "acme/secret");
        // "Not there" and "not for you" are the same to who may not know.
        let refused = |outcome: &ForgeError| matches!(outcome, ForgeError::Gone { .. } | ForgeError::Forbidden { .. });
        assert_eq!(forge.head(&crossed, "main").await.ok().flatten(), None);
        assert!(refused(&forge.tree(&crossed, &tree).await.unwrap_err()));
        let pull = mass_driver::domain::PullNumber(1);
        assert!(refused(&forge.comment(&crossed, pull, "hello").await.unwrap_err()));
        assert!(refused(&forge.close(&crossed, pull).await.unwrap_err()));
        assert_eq!(world.github.branches("acme/secret").unwrap().len(), 1);
        // The objects of another repository are not there under the own name either.
        assert!(forge.tree(&target(api, "acme/api"), &tree).await.is_err());
    }
}

//! One pull request through its life: newer versions go onto its branch, and what people did there stays.

use crate::{World, stories_at_any_pace};
use github_sim::{FileChangeInput, RepoOptions};
use jiff::SignedDuration;
use mass_driver::domain::ProposalState;

pub const FILE: (&str, &str) = (".mass-driver.yaml", "labels: [deps]\nsubscriptions: [pypi]\n");

pub async fn api(world: &World) -> i64 {
    world.registry.release("httpx", "0.27.0");
    world.registry.release("httpx", "0.28.0");
    world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
    world.pull("acme/api").number
}

/// Somebody commits to the branch of the open pull request.
pub async fn somebody_commits(world: &World, path: &str, text: &str) {
    let branch = world.pull("acme/api").head_branch;
    world.github.push("acme/api", &branch, &[(path, Some(text.as_bytes()))], "a person's commit").unwrap();
    world.settle().await;
}

pub fn comments(world: &World, number: i64) -> Vec<String> {
    let pull = world.github.pull_request("acme/api", number).unwrap();
    pull.comments.into_iter().map(|comment| comment.body).collect()
}

/// The parents of the commit at the head of the open pull request.
pub fn parents(world: &World) -> Vec<String> {
    let branch = world.pull("acme/api").head_branch;
    world.github.commits("acme/api", &branch).unwrap()[0].parents.clone()
}

stories_at_any_pace! {
    async fn a_newer_version_goes_onto_the_same_branch(world: World) {
        let number = api(&world).await;
        let before = world.pull("acme/api");
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        let after = world.pull("acme/api");
        assert_eq!((after.number, &after.head_branch), (number, &before.head_branch));
        assert_eq!(after.title, "Bump httpx from 0.27.0 to 0.28.1");
        assert!(after.body.contains("0.28.1") && after.labels == ["deps"]);
        assert_eq!(world.file("acme/api", &after.head_branch, "requirements.txt"), "httpx==0.28.1\n");
        assert_eq!(parents(&world), [before.head_sha], "nothing was pushed by force");
        assert_eq!(comments(&world, number).len(), 1);
        assert!(comments(&world, number)[0].starts_with("This pull request has moved on: `httpx` goes to `0.28.1` instead of `0.28.0`."));
        let old = world.proposals("acme/api", ProposalState::Superseded).await.remove(0);
        assert_eq!(old.reason, format!("#{number} now goes to httpx 0.28.1"));
        let new = world.proposals("acme/api", ProposalState::Open).await.remove(0);
        assert_eq!(new.pull.unwrap().head.as_str(), after.head_sha);
    }

    async fn where_the_base_moved_the_branch_takes_it_in(world: World) {
        api(&world).await;
        let before = world.pull("acme/api").head_sha;
        world.push("acme/api", &[("README.md", "hello\n")]).await;
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        let base = world.github.head("acme/api", "main").unwrap().unwrap();
        assert_eq!(parents(&world), [before, base]);
        let pull = world.pull("acme/api");
        assert_eq!(pull.files, ["requirements.txt"]);
        assert_eq!(world.file("acme/api", &pull.head_branch, "README.md"), "hello\n");
    }

    async fn a_persons_commit_stays_below_the_newer_version(world: World) {
        let number = api(&world).await;
        somebody_commits(&world, "src/fix.py", "fixed = True\n").await;
        let theirs = world.pull("acme/api").head_sha;
        for version in ["0.28.1", "0.29.0"] {
            world.registry.release("httpx", version);
            world.bot_looks().await;
        }
        let pull = world.pull("acme/api");
        assert_eq!(pull.number, number);
        assert_eq!(pull.title, "Bump httpx from 0.27.0 to 0.29.0");
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==0.29.0\n");
        assert_eq!(world.file("acme/api", &pull.head_branch, "src/fix.py"), "fixed = True\n");
        let commits = world.github.commits("acme/api", &pull.head_branch).unwrap();
        assert!(commits.iter().any(|commit| commit.sha == theirs));
    }

    async fn where_a_persons_commit_is_in_the_way_the_bot_stops_and_says_so_once(world: World) {
        let number = api(&world).await;
        somebody_commits(&world, "requirements.txt", "httpx>=0.20\n").await;
        let theirs = world.pull("acme/api").head_sha;
        world.registry.release("httpx", "0.28.1");
        for n in 0..3 {
            // Each time it is tried anew, as the base has moved.
            world.push("acme/api", &[("tools/requirements.txt", &format!("# {n}\n"))]).await;
            world.bot_looks().await;
        }
        let pull = world.pull("acme/api");
        assert_eq!((pull.number, &pull.head_sha), (number, &theirs));
        assert_eq!(pull.labels, ["deps", "mass-driver: needs a person"]);
        assert_eq!(comments(&world, number).len(), 1, "{:?}", comments(&world, number));
        assert!(comments(&world, number)[0].starts_with("This branch is left as it is: `people's commits on #1 come first"));
        assert!(world.waiting("acme/api").await[0].contains("people's commits on #1 come first"), "{:?}", world.waiting("acme/api").await);
        // The label stays where a commit of theirs changes nothing.
        let mark = world.github.mark();
        somebody_commits(&world, "requirements.txt", "httpx>=0.21\n").await;
        world.time_passes(SignedDuration::from_mins(1)).await;
        assert_eq!(world.pull("acme/api").labels, ["deps", "mass-driver: needs a person"]);
        assert!(world.requests_since(mark).iter().all(|request| !request.starts_with("DELETE")));
        // It is looked at again when they make room.
        somebody_commits(&world, "requirements.txt", "httpx==0.28.0\n").await;
        let pull = world.pull("acme/api");
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==0.28.1\n");
        assert!(world.waiting("acme/api").await.is_empty());
        world.time_passes(SignedDuration::from_mins(1)).await;
        assert_eq!(world.pull("acme/api").labels, ["deps"]);
    }

    async fn bad_input_17_a_file_that_a_person_made_a_link_on_the_branch_is_not_overwritten(world: World) {
        api(&world).await;
        let branch = world.pull("acme/api").head_branch;
        let link = FileChangeInput::symlink("requirements.txt", "other.txt");
        world.github.push_as("ada", "acme/api", &branch, &[link], "a link").unwrap();
        world.settle().await;
        let theirs = world.pull("acme/api").head_sha;
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        assert_eq!(world.pull("acme/api").head_sha, theirs);
        let waiting = world.waiting("acme/api").await;
        assert!(waiting[0].ends_with("requirements.txt is no file on its branch any more"), "{waiting:?}");
    }

    async fn bad_input_16_the_mode_of_a_file_is_kept_on_every_way(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.github.create_repo("acme/api", RepoOptions::default().file(FILE.0, FILE.1)).unwrap();
        let file = FileChangeInput::executable("requirements.txt", "httpx==0.27.0\n");
        world.github.push_as("ada", "acme/api", "main", &[file], "may be run").unwrap();
        world.settle().await;
        let kept = || {
            let branch = world.pull("acme/api").head_branch;
            world.github.file_mode("acme/api", &branch, "requirements.txt").unwrap() == Some(0o100_755)
        };
        assert!(kept());
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        assert!(kept(), "on the same branch");
        somebody_commits(&world, "notes.txt", "mine\n").await;
        world.registry.release("httpx", "0.28.2");
        world.bot_looks().await;
        assert_eq!(world.pull("acme/api").title, "Bump httpx from 0.27.0 to 0.28.2");
        assert!(kept(), "on top of a person's commit");
    }
}

//! A branch is brought up to date: when it conflicts with its base, and when a person asks.

use crate::revisions::{FILE, api, comments, parents, somebody_commits};
use crate::{World, stories_at_any_pace};
use github_sim::{FaultKind, Role};
use jiff::SignedDuration;
use mass_driver::domain::ProposalState;

/// Two pull requests for neighbouring lines: merging the first puts the second in conflict.
pub async fn neighbours(world: &World) -> (i64, i64) {
    for package in ["httpx", "rich"] {
        world.registry.release(package, "1.0.0");
        world.registry.release(package, "1.1.0");
    }
    world.repository("acme/api", &[("requirements.txt", "httpx==1.0.0\nrich==1.0.0\n"), FILE]).await;
    let mut open = world.github.pull_requests("acme/api").unwrap();
    open.sort_by(|a, b| a.title.cmp(&b.title));
    (open[0].number, open[1].number)
}

/// GitHub needs a moment to work out what can be merged.
pub async fn a_moment_passes(world: &World) {
    for _ in 0..3 {
        world.time_passes(SignedDuration::from_secs(6)).await;
    }
}

pub async fn says(world: &World, comment: &str) {
    world.github.set_role("acme/api", "ada", Role::Write).unwrap();
    let number = world.pull("acme/api").number;
    world.github.comment("acme/api", number, "ada", comment).unwrap();
    world.settle().await;
    a_moment_passes(world).await;
}

stories_at_any_pace! {
    async fn what_conflicts_is_made_anew_on_the_same_branch(world: World) {
        let (first, second) = neighbours(&world).await;
        let before = world.github.pull_request("acme/api", second).unwrap().head_sha;
        world.github.merge("acme/api", first).unwrap();
        world.settle().await;
        a_moment_passes(&world).await;
        let pull = world.pull("acme/api");
        assert_eq!(pull.number, second);
        let base = world.github.head("acme/api", "main").unwrap().unwrap();
        assert_eq!(parents(&world), [before, base]);
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==1.1.0\nrich==1.1.0\n");
        world.github.merge("acme/api", second).unwrap();
        world.settle().await;
        assert_eq!(world.proposals("acme/api", ProposalState::Merged).await.len(), 2);
    }

    async fn killed_while_a_conflict_is_resolved(world: World) {
        let (first, second) = neighbours(&world).await;
        world.github.merge("acme/api", first).unwrap();
        world.settle().await;
        world.clock_moves(SignedDuration::from_secs(6));
        for (method, path) in [("POST", "/repos/*/*/git/trees"), ("PATCH", "/repos/*/*/git/refs/**"), ("PATCH", "/repos/*/*/pulls/*")] {
            world.dies_at(method, path, FaultKind::HangAfter).await;
        }
        world.settle().await;
        a_moment_passes(&world).await;
        let pull = world.pull("acme/api");
        assert_eq!((pull.number, parents(&world).len()), (second, 2));
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==1.1.0\nrich==1.1.0\n");
        let open = world.proposals("acme/api", ProposalState::Open).await;
        assert_eq!(open[0].pull.as_ref().unwrap().head.as_str(), pull.head_sha);
    }

    async fn what_can_still_be_merged_is_left_as_it_is(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        let text = "httpx==0.27.0\n# one\n# two\n# three\n# four\n";
        world.repository("acme/api", &[("requirements.txt", text), FILE]).await;
        let before = world.pull("acme/api").head_sha;
        world.push("acme/api", &[("requirements.txt", &format!("{text}# five\n"))]).await;
        a_moment_passes(&world).await;
        let mark = world.github.mark();
        world.bot_looks().await;
        assert_eq!(world.requests_since(mark), [""; 0], "nobody asks again");
        assert_eq!(world.pull("acme/api").head_sha, before);
    }

    async fn a_person_asks_for_a_rebase(world: World) {
        let number = api(&world).await;
        let before = world.pull("acme/api").head_sha;
        world.push("acme/api", &[("README.md", "hello\n")]).await;
        says(&world, "/mass-driver rebase").await;
        let base = world.github.head("acme/api", "main").unwrap().unwrap();
        assert_eq!(parents(&world), [before, base]);
        let after = world.pull("acme/api");
        assert_eq!((after.number, after.title.as_str()), (number, "Bump httpx from 0.27.0 to 0.28.0"));
        says(&world, "/mass-driver rebase").await;
        assert_eq!(world.pull("acme/api").head_sha, after.head_sha, "there is nothing to do");
    }

    async fn a_rebase_keeps_a_persons_commits(world: World) {
        api(&world).await;
        somebody_commits(&world, "src/fix.py", "fixed = True\n").await;
        let theirs = world.pull("acme/api").head_sha;
        world.push("acme/api", &[("README.md", "hello\n")]).await;
        says(&world, "/mass-driver rebase").await;
        let base = world.github.head("acme/api", "main").unwrap().unwrap();
        assert_eq!(parents(&world), [theirs, base]);
        let branch = world.pull("acme/api").head_branch;
        assert_eq!(world.file("acme/api", &branch, "src/fix.py"), "fixed = True\n");
        assert_eq!(world.file("acme/api", &branch, "README.md"), "hello\n");
    }

    async fn where_a_persons_commits_conflict_the_bot_stops_until_it_is_asked_to_recreate(world: World) {
        let number = api(&world).await;
        somebody_commits(&world, "requirements.txt", "httpx==0.28.0  # because\n").await;
        let theirs = world.pull("acme/api").head_sha;
        world.push("acme/api", &[("requirements.txt", "# a line\nhttpx==0.27.0  # for now\n")]).await;
        a_moment_passes(&world).await;
        let pull = world.pull("acme/api");
        assert_eq!(pull.head_sha, theirs);
        assert!(pull.labels.contains(&"mass-driver: needs a person".to_string()), "{:?}", pull.labels);
        assert_eq!(comments(&world, number).len(), 1);
        says(&world, "/mass-driver recreate").await;
        let pull = world.pull("acme/api");
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "# a line\nhttpx==0.28.0  # for now\n");
        let base = world.github.head("acme/api", "main").unwrap().unwrap();
        assert_eq!(parents(&world), [theirs, base], "what they committed stays in the history");
        assert_eq!(pull.labels, ["deps"], "nobody is needed any more");
        // From now on the branch is the bot's alone again.
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "# a line\nhttpx==0.28.1  # for now\n");
    }
}

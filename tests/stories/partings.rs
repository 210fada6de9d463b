//! The end of a pull request, where something else is under way, and what comes after it.

use crate::revisions::{FILE, api, comments};
use crate::{World, stories, stories_at_any_pace};
use github_sim::{Fault, FaultKind, Role};
use jiff::SignedDuration;
use mass_driver::domain::ProposalState;

/// A newer version whose commit is on the branch already, while GitHub does not take the words for it.
async fn half_revised(world: &World) -> i64 {
    let number = api(world).await;
    world.registry.release("httpx", "0.28.1");
    world.clock_moves(SignedDuration::from_mins(11));
    world.dies_at("PATCH", "/repos/*/*/git/refs/**", FaultKind::HangAfter).await;
    world.github.fault(Fault::once("PATCH", "/repos/*/*/pulls/*", FaultKind::BadGateway).times(50));
    world.settle().await;
    let pull = world.pull("acme/api");
    assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==0.28.1\n");
    assert_eq!(pull.title, "Bump httpx from 0.27.0 to 0.28.0");
    number
}

async fn goes_on(world: &World) {
    world.github.clear_faults();
    for _ in 0..4 {
        world.time_passes(SignedDuration::from_mins(31)).await;
    }
}

fn is_closed_without_its_branch(world: &World, number: i64) {
    let pull = world.github.pull_request("acme/api", number).unwrap();
    assert_eq!(pull.state, "closed");
    assert!(!world.github.branches("acme/api").unwrap().iter().any(|(branch, _)| *branch == pull.head_branch));
}

stories_at_any_pace! {
    async fn put_off_while_a_newer_version_is_on_its_way(world: World) {
        let number = half_revised(&world).await;
        world.github.set_role("acme/api", "ada", Role::Write).unwrap();
        world.github.comment("acme/api", number, "ada", "/mass-driver snooze 2w").unwrap();
        world.settle().await;
        goes_on(&world).await;
        let said = comments(&world, number);
        assert!(said.len() == 2 && said[1].contains("This pull request is closed."), "{said:?}");
        is_closed_without_its_branch(&world, number);
        assert!(world.open("acme/api").is_empty());
    }

    async fn ignored_while_a_newer_version_is_on_its_way(world: World) {
        let number = half_revised(&world).await;
        world.github.set_role("acme/api", "ada", Role::Write).unwrap();
        world.github.comment("acme/api", number, "ada", "/mass-driver ignore this version").unwrap();
        world.settle().await;
        goes_on(&world).await;
        let said = comments(&world, number);
        assert!(said.len() == 2 && said[1].contains("This pull request is closed."), "{said:?}");
        is_closed_without_its_branch(&world, number);
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.1"], "nobody spoke of the newer one");
    }

    async fn not_wanted_while_a_newer_version_is_on_its_way(world: World) {
        let number = half_revised(&world).await;
        for version in ["0.28.0", "0.28.1"] {
            world.registry.yank("httpx", version);
        }
        world.bot_looks().await;
        goes_on(&world).await;
        let said = comments(&world, number);
        assert_eq!(said.last().unwrap(), "Closed: httpx 0.28.1 was taken back by its publisher.", "{said:?}");
        assert!(!said.iter().any(|words| words.contains("People")), "{said:?}");
        is_closed_without_its_branch(&world, number);
    }

    async fn what_was_closed_by_mistake_is_reopened_and_goes_on(world: World) {
        let number = api(&world).await;
        let pull = world.pull("acme/api");
        world.remove("acme/api", FILE.0).await;
        is_closed_without_its_branch(&world, number);
        world.time_passes(SignedDuration::from_mins(2)).await;
        // The file comes back, the branch too, and somebody presses "Reopen".
        world.push_quietly("acme/api", &[FILE]);
        world.github.force_push("acme/api", &pull.head_branch, &pull.head_sha).unwrap();
        world.github.reopen("acme/api", number).unwrap();
        world.settle().await;
        assert_eq!(world.pull("acme/api").number, number, "there is no second one");
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        let again = world.pull("acme/api");
        assert_eq!((again.number, again.title.as_str()), (number, "Bump httpx from 0.27.0 to 0.28.1"));
    }

    async fn another_default_branch_does_not_make_a_pull_request_peoples_own(world: World) {
        let number = api(&world).await;
        let main = world.github.head("acme/api", "main").unwrap().unwrap();
        world.github.force_push("acme/api", "trunk", &main).unwrap();
        world.github.set_default_branch("acme/api", "trunk").unwrap();
        world.settle().await;
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        let pull = world.pull("acme/api");
        assert_eq!((pull.base.as_str(), pull.title.as_str()), ("trunk", "Bump httpx from 0.27.0 to 0.28.1"));
        let said = comments(&world, number);
        assert!(said.len() == 1 && said[0].contains("the default branch is another one now"), "{said:?}");
        is_closed_without_its_branch(&world, number);
    }
}

stories! {
    async fn a_pull_request_that_github_does_not_show_is_not_looked_for_without_end(world: World) {
        let number = api(&world).await;
        let gone = FaultKind::Status { status: 404, message: "Not Found".into() };
        world.github.fault(Fault::once("GET", "/repos/*/*/pulls/*", gone).times(100));
        world.registry.yank("httpx", "0.28.0");
        let mark = world.github.mark();
        for _ in 0..3 {
            world.bot_looks().await;
        }
        let looks = world.requests_since(mark).iter().filter(|one| one.starts_with("GET") && one.contains("/pulls/")).count();
        assert!(looks <= 10, "{looks} looks");
        world.github.clear_faults();
        let closed = world.proposals("acme/api", ProposalState::Closed).await;
        assert_eq!(closed.len(), 1);
        assert!(closed[0].reason.starts_with(&format!("GitHub does not show pull request #{number} any more")), "{}", closed[0].reason);
    }

    async fn a_file_beyond_the_share_closes_nothing(world: World) {
        const DEEP: [&str; 2] = ["a/b/c/d/e/requirements.txt", "a/b/c/d/e/pins.lst"];
        for package in ["httpx", "rich"] {
            world.registry.release(package, "1.0.0");
            world.registry.release(package, "1.1.0");
        }
        let deep = [(DEEP[0], "httpx==1.0.0\n-r pins.lst\n"), (DEEP[1], "rich==1.0.0\n"), FILE];
        world.repository("acme/api", &deep).await;
        let open = world.open("acme/api");
        assert_eq!(open.len(), 2);
        let paths: Vec<String> = (0..405).map(|n| format!("services/{n:03}/requirements.txt")).collect();
        let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "# nothing\n")).collect();
        world.push("acme/api", &files).await;
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), open);
        let heads = world.store.manifest_heads(world.repo_id("acme/api").await).await.unwrap();
        for deep in heads.iter().filter(|head| DEEP.contains(&head.path.as_str())) {
            assert!(deep.problem.as_ref().is_some_and(|why| why.starts_with("it was left out: ")), "{:?}", deep.problem);
        }
        assert_eq!(heads.len(), 402, "300 are read, 100 of the others are listed, and those two");
    }
}

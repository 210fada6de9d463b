//! What is open is not wanted any more: it is closed with a word, or goes on with the rest.

use crate::revisions::{FILE, api, comments, somebody_commits};
use crate::{World, stories, stories_at_any_pace};
use github_sim::{Fault, FaultKind, FileChangeInput};
use jiff::SignedDuration;
use mass_driver::domain::ProposalState;

async fn closed_because(world: &World, number: i64, reason: &str) {
    let pull = world.github.pull_request("acme/api", number).unwrap();
    assert_eq!(pull.state, "closed");
    assert_eq!(comments(world, number), [format!("Closed: {reason}.")]);
    assert!(!world.github.branches("acme/api").unwrap().iter().any(|(branch, _)| *branch == pull.head_branch));
    assert_eq!(world.proposals("acme/api", ProposalState::Withdrawn).await[0].reason, reason);
}

stories_at_any_pace! {
    async fn a_release_that_is_yanked_closes_its_pull_request(world: World) {
        let number = api(&world).await;
        world.registry.yank("httpx", "0.28.0");
        world.bot_looks().await;
        closed_because(&world, number, "httpx 0.28.0 was taken back by its publisher").await;
    }

    async fn a_release_that_is_deleted_closes_its_pull_request(world: World) {
        let number = api(&world).await;
        world.registry.delete_release("httpx", "0.28.0");
        world.bot_looks().await;
        closed_because(&world, number, "httpx 0.28.0 was deleted by its publisher").await;
    }

    async fn what_others_did_closes_the_pull_request(world: World) {
        let number = api(&world).await;
        world.push("acme/api", &[("requirements.txt", "httpx==0.28.0\n")]).await;
        closed_because(&world, number, "requirements.txt has httpx 0.28.0 already").await;
    }

    async fn a_dependency_that_is_gone_closes_the_pull_request(world: World) {
        let number = api(&world).await;
        world.push("acme/api", &[("requirements.txt", "# nothing\n")]).await;
        closed_because(&world, number, "httpx is not in requirements.txt any more").await;
    }

    async fn what_the_file_does_not_ask_for_any_more_is_closed(world: World) {
        let number = api(&world).await;
        world.push("acme/api", &[(FILE.0, "subscriptions: [docker]\n")]).await;
        closed_because(&world, number, "no subscription asks for httpx any more").await;
    }

    async fn killed_at_each_step_of_a_farewell(world: World) {
        let number = api(&world).await;
        world.registry.yank("httpx", "0.28.0");
        world.clock_moves(SignedDuration::from_mins(11));
        for kind in [FaultKind::Hang, FaultKind::HangAfter] {
            world.dies_at("POST", "/repos/*/*/issues/*/comments", kind.clone()).await;
            if matches!(kind, FaultKind::HangAfter) {
                world.dies_at("PATCH", "/repos/*/*/pulls/*", kind.clone()).await;
                world.dies_at("DELETE", "/repos/*/*/git/refs/**", kind).await;
            }
        }
        world.settle().await;
        closed_because(&world, number, "httpx 0.28.0 was taken back by its publisher").await;
    }

    /// A rule keeps its branch there.
    async fn what_is_reopened_goes_on_though_its_branch_could_not_be_deleted(world: World) {
        let number = api(&world).await;
        let refused = FaultKind::Status { status: 422, message: "Repository rule violations found".into() };
        world.github.fault(Fault::once("DELETE", "/repos/*/*/git/refs/**", refused).times(50));
        world.remove("acme/api", FILE.0).await;
        assert_eq!(world.github.pull_request("acme/api", number).unwrap().state, "closed");
        world.time_passes(SignedDuration::from_mins(5)).await;
        world.push_quietly("acme/api", &[FILE]);
        world.github.reopen("acme/api", number).unwrap();
        world.settle().await;
        assert_eq!(world.proposals("acme/api", ProposalState::Open).await.len(), 1);
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        assert_eq!(world.pull("acme/api").title, "Bump httpx from 0.27.0 to 0.28.1");
    }

    async fn with_a_persons_commits_it_stays_open_and_is_told_why_once(world: World) {
        let number = api(&world).await;
        somebody_commits(&world, "src/fix.py", "fixed = True\n").await;
        world.registry.yank("httpx", "0.28.0");
        for _ in 0..3 {
            world.bot_looks().await;
        }
        assert_eq!(world.pull("acme/api").number, number);
        let said = comments(&world, number);
        assert_eq!(said.len(), 1);
        assert!(said[0].contains("taken back by its publisher") && said[0].contains("stays open"), "{said:?}");
    }

    async fn a_group_goes_on_without_what_was_yanked(world: World) {
        for package in ["httpx", "rich"] {
            world.registry.release(package, "1.0.0");
            world.registry.release(package, "1.1.0");
        }
        let grouped = "subscriptions:\n  - migration: pypi\n    group: all\n";
        world.repository("acme/api", &[("requirements.txt", "httpx==1.0.0\nrich==1.0.0\n"), (FILE.0, grouped)]).await;
        let number = world.pull("acme/api").number;
        world.registry.yank("rich", "1.1.0");
        world.bot_looks().await;
        let pull = world.pull("acme/api");
        assert_eq!((pull.number, pull.title.as_str()), (number, "Bump httpx from 1.0.0 to 1.1.0"));
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==1.1.0\nrich==1.0.0\n");
        assert!(comments(&world, number).last().unwrap().contains("`rich` `1.1.0` is left out"), "{:?}", comments(&world, number));
    }
}

stories! {
    async fn a_file_that_cannot_be_read_closes_nothing(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.repository("acme/api", &[("pyproject.toml", "[project]\ndependencies = [\"httpx==0.27.0\"]\n"), FILE]).await;
        let number = world.pull("acme/api").number;
        world.push("acme/api", &[("pyproject.toml", "[project\n")]).await;
        world.bot_looks().await;
        assert_eq!((world.pull("acme/api").number, comments(&world, number).len()), (number, 0));
    }

    async fn a_yanked_release_makes_room_for_the_next(world: World) {
        let number = api(&world).await;
        world.registry.yank("httpx", "0.28.0");
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        let pull = world.pull("acme/api");
        assert_eq!((pull.number, pull.title.as_str()), (number, "Bump httpx from 0.27.0 to 0.28.1"));
    }

    async fn a_pull_request_is_not_taken_for_work_of_others_when_it_is_merged(world: World) {
        let number = api(&world).await;
        world.github.merge("acme/api", number).unwrap();
        // The push is told long before the merge.
        let pushed = |event: &github_sim::PendingEvent| event.event == "push";
        while !pushed(&world.github.pending()[0]) {
            assert!(world.github.repeat(&world.github.pending()[0].guid));
            world.github.drop_next();
        }
        world.github.deliver_next().await;
        world.work().await;
        world.settle().await;
        assert_eq!(world.proposals("acme/api", ProposalState::Merged).await.len(), 1);
        assert!(comments(&world, number).is_empty());
    }

    async fn a_branch_that_is_deleted_is_a_no_until_it_is_restored(world: World) {
        let number = api(&world).await;
        let pull = world.pull("acme/api");
        world.github.delete_branch("acme/api", &pull.head_branch).unwrap();
        world.settle().await;
        world.bot_looks().await;
        assert!(world.open("acme/api").is_empty());
        assert_eq!(world.proposals("acme/api", ProposalState::Closed).await.len(), 1);
        world.github.force_push("acme/api", &pull.head_branch, &pull.head_sha).unwrap();
        world.github.reopen("acme/api", number).unwrap();
        world.settle().await;
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        let again = world.pull("acme/api");
        assert_eq!((again.number, again.title.as_str()), (number, "Bump httpx from 0.27.0 to 0.28.1"));
    }

    async fn a_pull_request_that_a_person_led_elsewhere_is_theirs(world: World) {
        let number = api(&world).await;
        let main = world.github.head("acme/api", "main").unwrap().unwrap();
        world.github.force_push("acme/api", "develop", &main).unwrap();
        world.github.change_base("acme/api", number, "develop").unwrap();
        world.settle().await;
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        let mut open = world.open("acme/api");
        open.sort();
        assert_eq!(open, ["Bump httpx from 0.27.0 to 0.28.0", "Bump httpx from 0.27.0 to 0.28.1"]);
        let said = comments(&world, number);
        assert!(said.len() == 1 && said[0].contains("goes further") && said[0].contains("stays open"), "{said:?}");
    }

    async fn a_default_branch_that_is_renamed_takes_its_pull_requests_along(world: World) {
        let number = api(&world).await;
        world.github.rename_branch("acme/api", "main", "trunk").unwrap();
        world.settle().await;
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        let pull = world.pull("acme/api");
        assert_eq!((pull.number, pull.base.as_str(), pull.title.as_str()), (number, "trunk", "Bump httpx from 0.27.0 to 0.28.1"));
    }

    /// GitHub has renamed it, and nobody tells before the release is taken back.
    async fn a_rename_that_is_not_known_yet_does_not_make_a_pull_request_peoples_own(world: World) {
        let number = api(&world).await;
        world.github.rename_branch("acme/api", "main", "trunk").unwrap();
        world.github.drop_pending();
        world.registry.yank("httpx", "0.28.0");
        world.bot_looks().await;
        world.time_passes(SignedDuration::from_mins(1)).await;
        closed_because(&world, number, "httpx 0.28.0 was taken back by its publisher").await;
    }

    async fn what_was_closed_is_not_reopened_and_what_is_reopened_goes_on(world: World) {
        let number = api(&world).await;
        world.github.close("acme/api", number).unwrap();
        world.settle().await;
        world.bot_looks().await;
        assert!(world.open("acme/api").is_empty());
        world.github.reopen("acme/api", number).unwrap();
        world.settle().await;
        world.registry.release("httpx", "0.29.0");
        world.bot_looks().await;
        assert_eq!(world.pull("acme/api").number, number);
    }

    /// A fork has a branch of the same name, and its commits name the bot as their author.
    async fn security_09_a_forged_author_and_a_forks_branch_of_our_name(world: World) {
        let number = api(&world).await;
        let ours = world.pull("acme/api");
        world.github.fork("acme/api", "mallory").unwrap();
        let fork = "mallory/api";
        let bot = ("mass-driver[bot]", "1+mass-driver[bot]@users.noreply.github.com");
        let parent = world.github.head(fork, "main").unwrap().unwrap();
        let forged = world.github.commit_as(bot, fork, Some(&parent), &[FileChangeInput::put("evil.py", "1\n")], "Bump httpx").unwrap();
        world.github.force_push(fork, &ours.head_branch, &forged).unwrap();
        world.github.open_pull_request_as("mallory", "acme/api", &format!("mallory:{}", ours.head_branch), "main", "Bump httpx from 0.27.0 to 0.28.0").unwrap();
        // The same forged commit on our own branch is a person's commit, whoever it names.
        let parent = ours.head_sha.clone();
        let forged = world.github.commit_as(bot, "acme/api", Some(&parent), &[FileChangeInput::put("notes.txt", "mine\n")], "Bump httpx").unwrap();
        world.github.force_push("acme/api", &ours.head_branch, &forged).unwrap();
        world.settle().await;
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        let pulls = world.github.pull_requests("acme/api").unwrap();
        let theirs = pulls.iter().find(|pull| pull.head_owner == "mallory").unwrap();
        assert_eq!((theirs.state.as_str(), theirs.comments.len()), ("open", 0), "a fork's pull request is nobody's business");
        let own = world.github.pull_request("acme/api", number).unwrap();
        assert_eq!(own.title, "Bump httpx from 0.27.0 to 0.28.1");
        assert_eq!(world.file("acme/api", &own.head_branch, "notes.txt"), "mine\n", "it is not overwritten");
        world.registry.yank("httpx", "0.28.0");
        world.registry.yank("httpx", "0.28.1");
        world.bot_looks().await;
        assert_eq!(world.github.pull_request("acme/api", number).unwrap().state, "open", "nor closed over their heads");
    }
}

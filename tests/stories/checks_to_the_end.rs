//! A check that was begun is ended, and what it foretells is what happens.

use crate::checks::{FILE, check, pushes, reads};
use crate::revisions::{api, somebody_commits};
use crate::{World, stories, stories_at_any_pace};
use github_sim::{Fault, FaultKind};
use jiff::SignedDuration;

const API: &str = "acme/api";
const DOCKER: &str = "labels: [deps]\nsubscriptions: [docker]\n";

/// The first file of a repository is being looked at: that it is valid is said, and the process dies before the rest is.
async fn begun(world: &World) -> String {
    world.registry.release("httpx", "0.27.0");
    world.repository(API, &[("requirements.txt", "httpx==0.27.0\n")]).await;
    let commit = pushes(world, "begin", FILE, Some("delay: weekly\nsubscriptions: [pypi]\n"));
    world.github.deliver_pending().await;
    world.dies_at("PATCH", "/repos/*/*/check-runs/*", FaultKind::Hang).await;
    assert_eq!(check(world, API, &commit).status, "in_progress");
    commit
}

stories_at_any_pace! {
    async fn what_is_closed_by_a_change_of_the_file_is_told_beforehand(world: World) {
        let number = api(&world).await;
        let without = pushes(&world, "without", FILE, None);
        world.settle().await;
        reads("removed_with_one_open", &check(&world, API, &without));
        let other = pushes(&world, "docker", FILE, Some(DOCKER));
        world.settle().await;
        reads("preview_that_closes_one", &check(&world, API, &other));
        let rule = "labels: [deps]\nsubscriptions:\n  - migration: pypi\n    ignore: [httpx]\n";
        let ignored = pushes(&world, "ignored", FILE, Some(rule));
        world.settle().await;
        let run = check(&world, API, &ignored);
        assert!(run.summary.unwrap().contains("It would close **1 open pull request**"));
        let same = pushes(&world, "same", FILE, Some("labels: [deps]\nlimit: 9\nsubscriptions: [pypi]\n"));
        world.settle().await;
        assert!(!check(&world, API, &same).summary.unwrap().contains("close"));
        let state = || world.github.pull_request(API, number).unwrap().state;
        assert_eq!(state(), "open", "the file of a branch is not obeyed");
        world.push(API, &[(FILE, DOCKER)]).await;
        assert_eq!(state(), "closed");
    }

    /// One may be open at a time: the one that is closed makes room for the next.
    async fn what_is_closed_makes_room_beforehand(world: World) {
        for (name, version) in [("httpx", "0.27.0"), ("httpx", "0.28.0"), ("idna", "3.6"), ("idna", "3.7")] {
            world.registry.release(name, version);
        }
        let file = "limit: 1\nsubscriptions: [{ migration: pypi, ignore: [idna] }]\n";
        world.repository(API, &[("requirements.txt", "httpx==0.27.0\nidna==3.6\n"), (FILE, file)]).await;
        let other = pushes(&world, "other", FILE, Some(&file.replace("idna", "httpx")));
        world.settle().await;
        assert_eq!(check(&world, API, &other).title.as_deref(), Some("1 pull request now, 1 held back, 1 closed"));
        world.push(API, &[(FILE, &file.replace("idna", "httpx"))]).await;
        assert_eq!(world.open(API), ["Bump idna from 3.6 to 3.7"]);
    }

    async fn what_was_open_is_closed_when_the_file_is_removed_as_was_told(world: World) {
        let number = api(&world).await;
        world.remove(API, FILE).await;
        assert_eq!(world.github.pull_request(API, number).unwrap().state, "closed");
    }

    async fn a_check_that_was_begun_is_ended_though_somebody_pushed_on(world: World) {
        let first = begun(&world).await;
        let second = pushes(&world, "begin", FILE, Some("delay: daily\nsubscriptions: [pypi]\n"));
        world.settle().await;
        for commit in [first, second] {
            assert_eq!(check(&world, API, &commit).conclusion.as_deref(), Some("success"), "{commit}");
        }
    }

    async fn a_check_that_was_begun_is_ended_though_github_refuses_the_rest(world: World) {
        let commit = begun(&world).await;
        let no = FaultKind::Status { status: 409, message: "Conflict".into() };
        world.github.fault(Fault::once("GET", "/repos/acme/api/git/trees/**", no).times(usize::MAX));
        world.settle().await;
        for _ in 0..6 {
            world.time_passes(SignedDuration::from_mins(5)).await;
        }
        assert_eq!(world.store.parked(10).await.unwrap().len(), 1, "nobody tries it any more");
        let run = check(&world, API, &commit);
        assert_eq!((run.status.as_str(), run.conclusion.as_deref()), ("completed", Some("neutral")));
        world.github.clear_faults();
        world.restart().await;
        assert_eq!(check(&world, API, &commit).conclusion.as_deref(), Some("success"));
    }

    async fn a_check_that_was_begun_is_ended_though_its_commit_is_gone(world: World) {
        let commit = begun(&world).await;
        let gone = FaultKind::Status { status: 404, message: "Not Found".into() };
        world.github.fault(Fault::once("GET", "/repos/acme/api/git/trees/**", gone));
        world.settle().await;
        let run = check(&world, API, &commit);
        assert_eq!((run.status.as_str(), run.conclusion.as_deref()), ("completed", Some("neutral")));
        world.github.rerequest_checks(API, &commit).unwrap();
        world.settle().await;
        assert_eq!(check(&world, API, &commit).conclusion.as_deref(), Some("success"), "it is there again");
    }
}

stories! {
    async fn a_branch_that_is_left_as_it_is_is_not_previewed_as_changing(world: World) {
        api(&world).await;
        somebody_commits(&world, "requirements.txt", "httpx>=0.20\n").await;
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        let commit = pushes(&world, "more", FILE, Some("labels: [deps]\nlimit: 9\nsubscriptions: [pypi]\n"));
        world.settle().await;
        let run = check(&world, API, &commit);
        assert_eq!(run.title.as_deref(), Some("1 held back"));
        assert!(run.text.unwrap().contains("people's commits on `#1` come first") || run.summary.unwrap().contains("come first"));
    }
}

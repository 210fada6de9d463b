//! `automerge` between the times: jobs that are still to come, a request whose end is not known, a turn in the line, what
//! people do meanwhile.

use crate::automerge::{API, FILE, asked, is_merged, looks_first, open, passes, turns, why};
use crate::{World, paced_stories, stories};
use github_sim::{Colour, Fault, FaultKind, ReviewVerdict, Role};
use jiff::SignedDuration;
use mass_driver::domain::{InstallationId, Pace, ProposalState};

/// Others have joined the line of writes: what comes now waits this long.
async fn the_line_grows_to(world: &World, length: SignedDuration) {
    let installation = Some(InstallationId(world.installation));
    let mut tx = world.store.begin().await.unwrap();
    let before = tx.lock_budget(installation).await.unwrap().pace;
    let pace = Pace { next_write_at: world.clock_now() + length, ..before };
    tx.save_pace(installation, &pace).await.unwrap();
    tx.commit().await.unwrap();
}

paced_stories! {
    /// Checks go on to end while it waits, and others join the line behind it.
    async fn a_merge_in_line_says_so_and_keeps_its_turn(world: World) {
        let head = open(&world, FILE).await;
        world.github.set_limits(|limits| limits.unknown_mergeability = 0);
        the_line_grows_to(&world, SignedDuration::from_mins(5)).await;
        world.github.set_check(API, &head, "build", Colour::Green).unwrap();
        world.settle().await;
        assert_eq!(why(&world).await, "it is merged when its turn to write comes");
        the_line_grows_to(&world, SignedDuration::from_mins(20)).await;
        world.github.set_check(API, &head, "lint", Colour::Green).unwrap();
        world.settle().await;
        assert_eq!(asked(&world), 0);
        world.time_passes(SignedDuration::from_secs(290)).await;
        assert!(is_merged(&world).await);
    }
}

stories! {
    /// A job that needs another has no check before that one ended; until then all checks that there are may be green.
    async fn a_job_that_is_still_to_come_is_waited_for(world: World) {
        let head = open(&world, FILE).await;
        world.github.jobs_to_come(API, &head, true).unwrap();
        turns(&world, &head, "build", Colour::Green).await;
        assert_eq!(why(&world).await, "the check `all of Other CI` has not ended");
        assert_eq!(asked(&world), 0);
        turns(&world, &head, "test", Colour::Pending).await;
        assert_eq!(why(&world).await, "the check `test` has not ended");
        world.github.set_check(API, &head, "test", Colour::Green).unwrap();
        world.github.jobs_to_come(API, &head, false).unwrap();
        passes(&world).await;
        assert!(is_merged(&world).await);
    }

    /// Each event of a check is read once; whether to merge is looked at when the first look said.
    async fn checks_that_end_while_others_may_begin_are_looked_at_together(world: World) {
        world.repository_using_httpx(API, FILE).await;
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        let head = world.pull(API).head_sha;
        world.github.set_check(API, &head, "check-0", Colour::Green).unwrap();
        world.settle().await;
        let mark = world.github.mark();
        for n in 1..5 {
            world.github.check_run(API, &head, &format!("check-{n}"), "success").unwrap();
            world.settle().await;
        }
        assert_eq!(why(&world).await, "more checks may begin");
        let reads = world.requests_since(mark).into_iter().filter(|request| request.contains("/check-runs")).count();
        assert_eq!(reads, 4);
        world.time_passes(SignedDuration::from_mins(3)).await;
        passes(&world).await;
        assert!(is_merged(&world).await);
    }

    /// A newer version is due and cannot be made: nothing is merged, and nobody asks GitHub about it again and again.
    async fn while_a_newer_version_is_due_nothing_is_asked(world: World) {
        let head = open(&world, FILE).await;
        let message = "Tree is broken".to_owned();
        let broken = Fault::once("POST", "/repos/acme/api/git/trees", FaultKind::Status { status: 422, message });
        world.github.fault(broken.times(20));
        world.registry.release("httpx", "0.29.0");
        world.bot_looks().await;
        turns(&world, &head, "build", Colour::Green).await;
        assert_eq!(why(&world).await, "the plan does not ask for just this any more");
        let mark = world.github.mark();
        for _ in 0..6 {
            world.time_passes(SignedDuration::from_mins(10)).await;
        }
        let asked_about: Vec<String> =
            world.requests_since(mark).into_iter().filter(|request| request.contains("/commits/")).collect();
        assert_eq!(asked_about, [] as [&str; 0]);
        world.github.clear_faults();
    }

    /// What is put there after the merge is a person's.
    async fn a_branch_that_is_restored_after_the_merge_stays(world: World) {
        let head = open(&world, FILE).await;
        let branch = world.pull(API).head_branch;
        turns(&world, &head, "build", Colour::Green).await;
        assert_eq!(world.github.branches(API).unwrap().len(), 1, "its branch is gone");
        world.github.force_push(API, &branch, &head).unwrap();
        world.github.review(API, 1, "alice", ReviewVerdict::Approve).unwrap();
        passes(&world).await;
        assert_eq!(world.github.branches(API).unwrap().len(), 2, "a person wants it");
    }

    /// GitHub fell silent and did nothing; by the time it is asked again a check has turned red.
    async fn what_a_person_merges_after_a_request_that_came_to_nothing_is_theirs(world: World) {
        let head = open(&world, FILE).await;
        world.github.set_limits(|limits| limits.unknown_mergeability = 0);
        world.github.fault(Fault::once("PUT", "/repos/acme/api/pulls/1/merge", FaultKind::BadGateway));
        world.github.set_check(API, &head, "build", Colour::Green).unwrap();
        world.settle().await;
        turns(&world, &head, "build", Colour::Red).await;
        for _ in 0..3 {
            world.time_passes(SignedDuration::from_mins(5)).await;
        }
        assert_eq!(why(&world).await, "the check `build` did not succeed");
        assert_eq!(asked(&world), 1);
        world.github.merge(API, 1).unwrap();
        looks_first(&world).await;
        assert_eq!(world.proposals(API, ProposalState::Merged).await[0].reason, "pull request #1 was merged");
        assert_eq!(world.github.branches(API).unwrap().len(), 2, "its branch is theirs to delete");
    }

    /// The connection was cut while GitHub was at it, and it went on. Nobody asks twice within a minute.
    async fn a_merge_that_is_under_way_is_the_bots(world: World) {
        let head = open(&world, FILE).await;
        let path = "/repos/acme/api/pulls/1/merge";
        world.github.set_limits(|limits| limits.unknown_mergeability = 0);
        world.github.fault(Fault::once("PUT", path, FaultKind::BadGateway));
        world.github.set_check(API, &head, "build", Colour::Green).unwrap();
        world.settle().await;
        world.time_passes(SignedDuration::from_secs(30)).await;
        assert_eq!((asked(&world), why(&world).await.as_str()), (1, "GitHub was asked to merge it and has not answered"));
        let message = "Merge already in progress".to_owned();
        world.github.fault(Fault::once("PUT", path, FaultKind::Status { status: 405, message }));
        world.time_passes(SignedDuration::from_mins(1)).await;
        assert_eq!((asked(&world), why(&world).await.as_str()), (2, "Merge already in progress"));
        world.github.merge(API, 1).unwrap();
        world.settle().await;
        let merged = world.proposals(API, ProposalState::Merged).await;
        assert_eq!(merged[0].reason, "pull request #1 was merged by the bot, as `automerge` asks for");
        world.time_passes(SignedDuration::from_mins(11)).await;
        assert_eq!(world.github.branches(API).unwrap().len(), 1, "its branch is gone");
        assert_eq!(asked(&world), 2);
    }

    /// The checks of the old commit say nothing about the new one, which is the bot's own.
    async fn a_branch_that_was_brought_up_to_date_is_looked_at_anew(world: World) {
        let head = open(&world, FILE).await;
        turns(&world, &head, "build", Colour::Red).await;
        assert_eq!(why(&world).await, "the check `build` did not succeed");
        world.push(API, &[("README.md", "the base moves\n")]).await;
        world.github.set_role(API, "ada", Role::Write).unwrap();
        world.github.comment(API, 1, "ada", "/mass-driver rebase").unwrap();
        world.github.deliver_pending().await;
        world.dies_at("PATCH", "/repos/acme/api/git/refs/**", FaultKind::HangAfter).await;
        passes(&world).await;
        let moved = world.pull(API).head_sha;
        assert_ne!(moved, head);
        assert_eq!(why(&world).await, "more checks may begin");
        world.time_passes(SignedDuration::from_mins(3)).await;
        assert_eq!(why(&world).await, "no check has reported on it");
        turns(&world, &moved, "build", Colour::Green).await;
        assert!(is_merged(&world).await);
    }
}

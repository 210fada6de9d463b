//! A process is killed in the middle of things, an answer is lost, two processes work at once: there is one pull
//! request all the same.

use crate::{World, stories, stories_at_any_pace};
use github_sim::{Fault, FaultKind};
use mass_driver::domain::ProposalState;
use std::time::Duration;

/// The four writes that make a pull request, in order.
const WRITES: [&str; 4] = ["/repos/*/*/git/trees", "/repos/*/*/git/commits", "/repos/*/*/git/refs", "/repos/*/*/pulls"];

async fn one_pull_request(world: &World) {
    let pull = world.pull("acme/api");
    assert_eq!(pull.title, "Bump httpx from 0.27.0 to 0.28.0");
    assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==0.28.0\n");
    assert_eq!(world.github.pull_requests("acme/api").unwrap().len(), 1);
    let open = world.proposals("acme/api", ProposalState::Open).await;
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].pull.as_ref().unwrap().head.as_str(), pull.head_sha);
}

stories_at_any_pace! {
    async fn killed_before_each_of_the_writes(world: World) {
        world.api_waits_for_monday().await;
        world.clock_comes("2026-03-09T06:00:00Z");
        for path in WRITES {
            world.dies_at("POST", path, FaultKind::Hang).await;
        }
        world.settle().await;
        one_pull_request(&world).await;
    }

    async fn killed_after_each_of_the_writes(world: World) {
        world.api_waits_for_monday().await;
        world.clock_comes("2026-03-09T06:00:00Z");
        for path in WRITES {
            world.dies_at("POST", path, FaultKind::HangAfter).await;
        }
        world.settle().await;
        one_pull_request(&world).await;
    }

    async fn fault_14_each_write_is_answered_with_502_although_it_was_done(world: World) {
        world.api_waits_for_monday().await;
        for path in WRITES {
            world.github.fault(Fault::once("POST", path, FaultKind::BadGatewayAfter));
        }
        world.time_comes("2026-03-09T06:00:00Z").await;
        for _ in 0..WRITES.len() {
            world.bot_looks().await;
        }
        one_pull_request(&world).await;
    }

    /// The branch is made, the process dies, and before the next one starts a person pushes.
    async fn fault_03_killed_after_the_ref_and_then_the_base_moves(world: World) {
        world.api_waits_for_monday().await;
        world.clock_comes("2026-03-09T06:00:00Z");
        world.dies_at("POST", "/repos/*/*/git/refs", FaultKind::HangAfter).await;
        world.push("acme/api", &[("requirements.txt", "# a person's line\nhttpx==0.27.0\n")]).await;
        let pull = world.pull("acme/api");
        assert_eq!(world.github.pull_requests("acme/api").unwrap().len(), 1);
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "# a person's line\nhttpx==0.28.0\n");
    }

    /// Our pull request, its answer lost, and a person's commit on its branch before we look again.
    async fn a_pull_request_with_a_persons_commit_is_found_and_left_alone(world: World) {
        world.api_waits_for_monday().await;
        world.clock_comes("2026-03-09T06:00:00Z");
        world.dies_at("POST", "/repos/*/*/pulls", FaultKind::HangAfter).await;
        let branch = world.pull("acme/api").head_branch;
        world.github.push("acme/api", &branch, &[("notes.txt", Some(b"mine".as_slice()))], "a person's commit").unwrap();
        world.settle().await;
        assert_eq!(world.github.pull_requests("acme/api").unwrap().len(), 1);
        assert_eq!(world.proposals("acme/api", ProposalState::Open).await.len(), 1);
        world.registry.release("httpx", "0.29.0");
        world.time_comes("2026-03-16T06:00:00Z").await;
        assert_eq!(world.file("acme/api", &branch, "notes.txt"), "mine");
    }

    /// The pull request is made, the process dies, and a person updates the file by hand.
    async fn killed_after_the_branch_and_then_it_is_not_wanted_any_more(world: World) {
        world.api_waits_for_monday().await;
        world.clock_comes("2026-03-09T06:00:00Z");
        world.dies_at("POST", "/repos/*/*/git/refs", FaultKind::HangAfter).await;
        world.push("acme/api", &[("requirements.txt", "httpx==0.28.0\n")]).await;
        assert!(world.github.pull_requests("acme/api").unwrap().is_empty());
        assert!(world.waiting("acme/api").await.is_empty());
    }

    async fn several_processes_make_one_pull_request_each(world: World) {
        for name in ["aaa", "bbb", "ccc", "ddd"] {
            world.registry.release(name, "1.0");
            world.registry.release(name, "1.1");
        }
        for n in 0..4 {
            let name = format!("acme/r{n}");
            let options = github_sim::RepoOptions::default()
                .file("requirements.txt", "aaa==1.0\nbbb==1.0\nccc==1.0\nddd==1.0\n")
                .file(".mass-driver.yaml", "limit: 3\nsubscriptions: [pypi]\n");
            world.github.create_repo(&name, options).unwrap();
        }
        let others = [world.another_process(), world.another_process(), world.another_process()];
        for _ in 0..4 {
            world.github.deliver_pending().await;
            let [a, b, c] = [others[0].worker(), others[1].worker(), others[2].worker()];
            let all = tokio::join!(a.run_until_idle(), b.run_until_idle(), c.run_until_idle());
            for done in [all.0, all.1, all.2] {
                done.unwrap();
            }
        }
        world.settle().await;
        for n in 0..4 {
            let name = format!("acme/r{n}");
            assert_eq!(world.github.pull_requests(&name).unwrap().len(), 3, "{name}: {:?}", world.open(&name));
        }
    }
}

stories! {
    /// The pull request is made, its answer is lost, and before the next try there is a newer release.
    async fn a_pull_request_nobody_knows_of_is_found_although_a_newer_release_came(world: World) {
        world.api_waits_for_monday().await;
        world.github.fault(Fault::once("POST", "/repos/*/*/pulls", FaultKind::BadGatewayAfter));
        world.clock_comes("2026-03-09T06:00:00Z");
        world.settle().await;
        let first = world.pull("acme/api");
        assert!(world.proposals("acme/api", ProposalState::Open).await.is_empty(), "it is not known yet");
        // The next tries are refused for an hour; meanwhile the newer release is seen, and is due at once.
        world.github.fault(Fault::once("GET", "/repos/*/*/pulls", FaultKind::PrimaryRateLimit { status: 403, reset_in: Duration::from_secs(3600) }));
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        world.bot_looks().await;
        world.time_comes("2026-03-09T08:00:00Z").await;
        assert_eq!(world.pull("acme/api").title, "Bump httpx from 0.27.0 to 0.28.1");
        let first = world.github.pull_request("acme/api", first.number).unwrap();
        assert_eq!((first.state.as_str(), first.comments.len()), ("open", 1), "it was found again, and goes further");
    }
}

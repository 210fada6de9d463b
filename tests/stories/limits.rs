//! GitHub's limits: what one installation may ask and write, and what all processes of the bot know of it.

use crate::{World, paced_stories, stories};
use github_sim::{Fault, FaultKind, RepoOptions, RetryAfter};
use jiff::{SignedDuration, Timestamp};
use mass_driver::domain::{InstallationId, Limit, Pace, ProposalState};
use std::time::Duration;

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");
const USES: (&str, &str) = ("requirements.txt", "httpx==0.27.0\n");

fn releases(world: &World) {
    world.registry.release("httpx", "0.27.0");
    world.registry.release("httpx", "0.28.0");
}

/// A second installation, on the organisation `other`.
fn other(world: &World) {
    world.github.organization("other");
    world.github.install("other").unwrap();
}

fn create(world: &World, repo: &str) {
    let options = RepoOptions::default().file(USES.0, USES.1).file(FILE.0, FILE.1);
    world.github.create_repo(repo, options).unwrap();
}

/// When the bot wrote to repositories of an owner, by the stand-in's clock: what stands in line. A check on the subscription file goes in front of it.
fn writes(world: &World, owner: &str, since: u64) -> Vec<Timestamp> {
    let ours = format!("/repos/{owner}/");
    let all = world.github.requests_since(since);
    let in_line = |path: &str| path.starts_with(&ours) && !path.contains("/check-runs");
    all.iter().filter(|e| e.method != "GET" && in_line(&e.path)).map(|e| e.at).collect()
}

fn closest(times: &[Timestamp]) -> SignedDuration {
    times.windows(2).map(|pair| pair[1].duration_since(pair[0])).min().unwrap()
}

stories! {
    /// The second process asked nothing itself, and keeps still all the same.
    async fn a_pause_is_known_to_every_process(world: World) {
        releases(&world);
        other(&world);
        world.repository("acme/api", &[USES]).await;
        world.repository("other/lib", &[USES]).await;
        let limit = FaultKind::PrimaryRateLimit { status: 403, reset_in: Duration::from_secs(3000) };
        world.github.fault(Fault::once("GET", "/repos/acme/api/branches/*", limit));
        world.push_quietly("acme/api", &[FILE]);
        world.settle().await;
        let budget = world.store.budget(Some(InstallationId(world.installation))).await.unwrap();
        assert_eq!(budget.pause.unwrap().limit, Limit::Hourly);
        assert_eq!(budget.pause.unwrap().until, world.clock_now() + SignedDuration::from_secs(3000));

        let second = world.another_process();
        let mark = world.github.mark();
        world.push_quietly("acme/api", &[("README.md", "1")]);
        world.push_quietly("other/lib", &[FILE]);
        world.github.deliver_pending().await;
        second.worker().run_until_idle().await.unwrap();
        let asked = world.requests_since(mark);
        assert!(!asked.iter().any(|request| request.contains("acme")), "{asked:?}");
        assert_eq!(world.open("other/lib").len(), 1, "another installation goes on");
        world.time_passes(SignedDuration::from_secs(3000)).await;
        assert_eq!(world.open("acme/api").len(), 1);
    }
    /// Nobody plays a fault here: five requests an hour are all that any installation, and the App itself, may make.
    async fn fault_11_the_hourly_limit_as_github_counts_it(world: World) {
        releases(&world);
        other(&world);
        create(&world, "acme/api");
        create(&world, "other/lib");
        world.github.set_limits(|limits| limits.requests_per_hour = 5);
        world.settle().await;
        assert!(world.open("acme/api").is_empty() && world.open("other/lib").is_empty(), "five requests are not enough");
        let mark = world.github.mark();
        for _ in 0..5 {
            world.time_passes(SignedDuration::from_mins(10)).await;
        }
        let asked = world.github.requests_since(mark).into_iter().filter(|e| e.status == 403).count();
        assert_eq!(asked, 0, "nobody asks while the hour lasts");
        world.github.set_limits(|limits| limits.requests_per_hour = 5_000);
        world.time_passes(SignedDuration::from_mins(11)).await;
        assert_eq!((world.open("acme/api").len(), world.open("other/lib").len()), (1, 1));
    }

    async fn fault_12_a_secondary_limit_is_waited_for_as_long_as_github_says(world: World) {
        releases(&world);
        world.repository("acme/api", &[USES]).await;
        for retry_after in [RetryAfter::Seconds(90), RetryAfter::Missing, RetryAfter::Text("soon".into())] {
            let named = retry_after == RetryAfter::Seconds(90);
            let kind = FaultKind::SecondaryRateLimit { status: 403, retry_after };
            world.github.fault(Fault::once("POST", "/repos/acme/api/git/trees", kind));
            let begun = world.clock_now();
            if world.row("acme/api").await.config.path.is_none() {
                world.push("acme/api", &[FILE]).await;
            } else {
                world.time_passes(SignedDuration::ZERO).await;
            }
            let pause = world.store.budget(Some(InstallationId(world.installation))).await.unwrap().pause.unwrap();
            assert!(world.open("acme/api").is_empty());
            let length = pause.until.duration_since(begun);
            assert!(length >= SignedDuration::from_secs(if named { 90 } else { 60 }), "{length:?}");
            let mark = world.github.mark();
            world.time_passes(length - SignedDuration::from_secs(1)).await;
            assert!(world.requests_since(mark).is_empty(), "GitHub wants to hear nothing");
            world.clock_comes(&pause.until.to_string());
        }
        world.settle().await;
        assert_eq!(world.open("acme/api").len(), 1);
    }

    /// GitHub names no end, again and again: a minute, two, four … and never longer than an hour.
    async fn fault_12_refusals_in_a_row_make_the_pause_longer(world: World) {
        releases(&world);
        world.repository("acme/api", &[USES]).await;
        let kind = FaultKind::SecondaryRateLimit { status: 429, retry_after: RetryAfter::Missing };
        world.github.fault(Fault::once("POST", "/repos/acme/api/git/commits", kind).times(9));
        world.push("acme/api", &[FILE]).await;
        let mut lengths = Vec::new();
        while world.open("acme/api").is_empty() {
            let pause = world.store.budget(Some(InstallationId(world.installation))).await.unwrap().pause.unwrap();
            lengths.push(pause.until.duration_since(world.clock_now()).as_mins());
            world.time_comes(&pause.until.to_string()).await;
        }
        assert_eq!(lengths, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(world.github.pull_requests("acme/api").unwrap().len(), 1);
    }

    /// The pull request that is due gets the last requests, and what may have changed elsewhere is looked at later.
    async fn the_last_requests_of_the_hour_are_for_writes(world: World) {
        releases(&world);
        world.repository("acme/api", &[USES, (FILE.0, "delay: weekly\nsubscriptions: [pypi]\n")]).await;
        world.repository("acme/web", &[("README.md", "1")]).await;
        world.time_comes("2026-03-09T05:30:00Z").await;
        world.push("acme/web", &[FILE]).await;
        let spent = world.github.requests_since(0).iter().filter(|e| e.at == world.clock_now()).count() as u64;
        world.github.set_limits(|limits| limits.requests_per_hour = spent + 40);
        // The bot hears that few are left.
        world.push("acme/web", &[(FILE.0, "subscriptions: [docker]\n")]).await;
        let budget = world.store.budget(Some(InstallationId(world.installation))).await.unwrap();
        world.github.fault(Fault::once("POST", "/repos/acme/api/git/trees", FaultKind::BadGateway).times(3));
        world.clock_comes("2026-03-09T06:00:00Z");
        let mark = world.github.mark();
        world.push("acme/web", &[(FILE.0, "subscriptions: [pypi]\n"), USES]).await;
        let left = budget.quota.unwrap();
        assert!(left.remaining < 50, "{left:?}");
        let asked = world.requests_since(mark);
        assert!(asked.iter().any(|request| request.contains("acme/api/git/trees")), "{asked:?}");
        for _ in 0..12 {
            world.time_passes(SignedDuration::from_secs(10)).await;
        }
        assert_eq!(world.open("acme/api").len(), 1, "it was due");
        let asked = world.requests_since(mark);
        assert!(!asked.iter().any(|request| request.contains("acme/web")), "{asked:?}");
        world.time_comes("2026-03-09T06:31:00Z").await;
        assert_eq!(world.open("acme/web").len(), 1, "a new hour");
    }
}

stories! {
    /// A person who asks, and whoever waits for a check, gets an answer out of the last requests; a stranger does not.
    async fn the_last_requests_of_the_hour_are_for_all_writes_but_those_that_strangers_ask_for(world: World) {
        releases(&world);
        let file = "delay: weekly\nsubscriptions: [pypi]\n";
        world.repository("acme/api", &[USES, (FILE.0, file)]).await;
        world.github.fork("acme/api", "mallory").unwrap();
        world.settle().await;
        world.time_comes("2026-03-09T05:30:00Z").await;
        world.push("acme/api", &[("README.md", "1")]).await;
        let spent = world.github.requests_since(0).iter().filter(|e| e.at == world.clock_now()).count() as u64;
        world.github.set_limits(|limits| limits.requests_per_hour = spent + 40);
        // The bot hears that few are left.
        world.push("acme/api", &[(FILE.0, &format!("{file}# hello\n"))]).await;
        // The pull request is due, and put off for a moment.
        world.github.fault(Fault::once("POST", "/repos/acme/api/git/trees", FaultKind::BadGateway));
        world.clock_comes("2026-03-09T06:00:00Z");
        world.settle().await;
        let ours = || world.github.check_runs("acme/api").unwrap().into_iter().filter(|run| run.own).count();
        let before = ours();
        let faster: &[u8] = b"delay: daily\nsubscriptions: [pypi]\n";
        world.github.push("acme/api", "daily", &[(FILE.0, Some(faster))], "faster").unwrap();
        world.settle().await;
        assert_eq!(ours(), before + 1, "a pull request is due, and the check does not wait for it");
        world.github.propose_as("mallory", "acme/api", "patch", &[(FILE.0, Some(b"subscriptions: [pypi]\n"))]).unwrap();
        world.settle().await;
        assert_eq!(ours(), before + 1, "it waits");
        world.time_comes("2026-03-09T06:31:00Z").await;
        assert_eq!(ours(), before + 2, "a new hour");
    }
}

paced_stories! {
    async fn twenty_pull_requests_are_written_a_second_apart_and_others_do_not_wait(world: World) {
        releases(&world);
        other(&world);
        let repos: Vec<String> = (0..20).map(|n| format!("acme/r{n:02}")).collect();
        for repo in &repos {
            create(&world, repo);
        }
        create(&world, "other/lib");
        let mark = world.github.mark();
        world.settle().await;
        while repos.iter().any(|repo| world.open(repo).is_empty()) {
            assert!(world.clock_now() < world.beginning() + SignedDuration::from_mins(10), "they are stuck");
            world.time_passes(SignedDuration::from_secs(1)).await;
        }
        let ours = writes(&world, "acme", mark);
        assert_eq!(ours.len(), 80);
        assert!(closest(&ours) >= SignedDuration::from_secs(1), "{ours:?}");
        let theirs = writes(&world, "other", mark);
        assert!(theirs.last().unwrap().duration_since(theirs[0]) < SignedDuration::from_secs(8), "{theirs:?}");
        assert!(theirs[0] < ours[4], "one installation does not wait for another");
        // One pull request after the other, not all of them half-made.
        let made: Vec<String> = world.requests_since(mark).into_iter().filter(|r| r.starts_with("POST /repos/acme")).collect();
        for one in made.chunks(4) {
            let repo = one[0].split('/').nth(3).unwrap();
            assert!(one.iter().all(|request| request.contains(repo)), "{one:?}");
        }
    }

    async fn two_processes_share_one_pace(world: World) {
        releases(&world);
        let repos: Vec<String> = (0..8).map(|n| format!("acme/r{n}")).collect();
        for repo in &repos {
            create(&world, repo);
        }
        let mark = world.github.mark();
        world.github.deliver_pending().await;
        let (one, two) = (world.another_process(), world.another_process());
        while repos.iter().any(|repo| world.open(repo).is_empty()) {
            assert!(world.clock_now() < world.beginning() + SignedDuration::from_mins(10), "they are stuck");
            let (a, b) = tokio::join!(one.worker().run_until_idle(), two.worker().run_until_idle());
            a.and(b).unwrap();
            world.clock_moves(SignedDuration::from_millis(500));
        }
        let ours = writes(&world, "acme", mark);
        assert_eq!(ours.len(), 32);
        assert!(closest(&ours) >= SignedDuration::from_secs(1), "{ours:?}");
        world.settle().await;
    }

    /// What waits for its turn for long says so, and a change of mind costs no request.
    async fn a_proposal_says_when_its_turn_comes(world: World) {
        releases(&world);
        for n in 0..9 {
            create(&world, &format!("acme/r{n}"));
        }
        world.github.deliver_pending().await;
        let process = world.another_process();
        process.worker().run_until_idle().await.unwrap();
        let mut reasons = Vec::new();
        for n in 0..9 {
            let repo = format!("acme/r{n}");
            let waiting = world.proposals(&repo, ProposalState::Waiting).await;
            reasons.extend(waiting.into_iter().map(|proposal| (proposal.reason, repo.clone())));
        }
        reasons.sort();
        let turn = "GitHub limits how fast an account is written to; its turn comes at 2026-03-04 09:00:16 UTC";
        assert!(reasons.iter().any(|(reason, _)| reason == turn), "{reasons:#?}");
        let mark = world.github.mark();
        let (_, last) = reasons.pop().unwrap();
        world.push(&last, &[("requirements.txt", "httpx==0.28.0\n")]).await;
        world.settle().await;
        assert!(world.github.pull_requests(&last).unwrap().is_empty());
        let asked = world.requests_since(mark);
        assert!(!asked.iter().any(|r| r.starts_with("POST") && r.contains(&last)), "{asked:#?}");
    }

    /// What is written down waits for its turn, and meanwhile somebody asks for a slower pace.
    async fn a_turn_is_of_no_use_to_what_is_not_due_any_more(world: World) {
        releases(&world);
        let now = world.clock_now();
        let line = Pace { next_write_at: now + SignedDuration::from_secs(4), used_to: now };
        let mut tx = world.store.begin().await.unwrap();
        tx.lock_budget(Some(InstallationId(world.installation))).await.unwrap();
        tx.save_pace(Some(InstallationId(world.installation)), &line).await.unwrap();
        tx.commit().await.unwrap();
        create(&world, "acme/api");
        let process = world.another_process();
        world.github.deliver_pending().await;
        process.worker().run_until_idle().await.unwrap();
        let repo = world.repo_id("acme/api").await;
        assert_eq!(world.store.attempted(repo).await.unwrap().len(), 1, "it stands in line");
        world.push_quietly("acme/api", &[(FILE.0, "delay: monthly\nsubscriptions: [pypi]\n")]);
        world.github.deliver_pending().await;
        process.worker().run_until_idle().await.unwrap();
        world.settle().await;
        assert!(world.clock_now() >= line.next_write_at, "its turn has come");
        assert!(world.open("acme/api").is_empty());
        let why = world.waiting("acme/api").await;
        assert!(why[0].contains("2026-04-01"), "{why:?}");
    }

    /// Killed at each side of each write, and once more with the next process killed as well.
    async fn killed_between_and_within_the_phases(world: World) {
        releases(&world);
        create(&world, "acme/api");
        for path in ["trees", "commits", "refs"] {
            for kind in [FaultKind::Hang, FaultKind::HangAfter] {
                world.github.deliver_pending().await;
                world.dies_at("POST", &format!("/repos/acme/api/git/{path}"), kind).await;
            }
        }
        world.dies_at("POST", "/repos/acme/api/pulls", FaultKind::Hang).await;
        world.dies_at("POST", "/repos/acme/api/pulls", FaultKind::HangAfter).await;
        world.settle().await;
        assert_eq!(world.github.pull_requests("acme/api").unwrap().len(), 1);
        assert_eq!(world.proposals("acme/api", ProposalState::Open).await.len(), 1);
    }

    /// Four writes, and no look: after an orderly end nothing can have happened in between.
    async fn an_undisturbed_pull_request_takes_four_requests(world: World) {
        releases(&world);
        world.repository("acme/api", &[USES]).await;
        let mark = world.github.mark();
        world.push("acme/api", &[FILE]).await;
        let asked = world.requests_since(mark);
        let begun = asked.iter().position(|request| request.ends_with("/git/trees")).unwrap();
        let writing: Vec<&String> = asked[begun..].iter().filter(|r| !r.contains("access_tokens")).collect();
        assert_eq!(writing, [
            "POST /repos/acme/api/git/trees",
            "POST /repos/acme/api/git/commits",
            "POST /repos/acme/api/git/refs",
            "POST /repos/acme/api/pulls",
        ]);
    }

    /// One more commit on a pull request takes four writes, telling of it one, a label one and closing three: they wait for
    /// their turns like all others.
    async fn revising_closing_and_labelling_keep_the_distance_too(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        let file = (FILE.0, "labels: [dependencies]\nsubscriptions: [pypi]\n");
        let mark = world.github.mark();
        world.repository("acme/api", &[USES, file]).await;
        let first = world.pull("acme/api");
        assert_eq!(first.labels, ["dependencies"]);
        world.registry.release("httpx", "0.29.0");
        world.bot_looks().await;
        assert_eq!(world.pull("acme/api").title, "Bump httpx from 0.27.0 to 0.29.0");
        world.registry.yank("httpx", "0.28.0");
        world.registry.yank("httpx", "0.29.0");
        world.bot_looks().await;
        let first = world.github.pull_request("acme/api", first.number).unwrap();
        assert_eq!((first.state.as_str(), first.comments.len()), ("closed", 2));
        let ours = writes(&world, "acme", mark);
        assert_eq!(ours.len(), (4 + 1) + (4 + 1) + 3);
        assert!(closest(&ours) >= SignedDuration::from_secs(1), "{ours:?}");
    }

    /// GitHub does not take the pull request, so the branch that was made for it goes again.
    async fn what_github_refused_is_taken_back_at_the_same_pace(world: World) {
        releases(&world);
        world.repository("acme/api", &[USES]).await;
        let refused = FaultKind::Status { status: 422, message: "Validation Failed".into() };
        world.github.fault(Fault::once("POST", "/repos/*/*/pulls", refused));
        let mark = world.github.mark();
        world.push("acme/api", &[FILE]).await;
        assert!(world.proposals("acme/api", ProposalState::Failed).await[0].reason.contains("Validation Failed"));
        assert_eq!(world.github.branches("acme/api").unwrap().len(), 1, "nothing is left of it");
        let ours = writes(&world, "acme", mark);
        assert_eq!(ours.len(), 4 + 1, "{:?}", world.requests_since(mark));
        assert!(closest(&ours) >= SignedDuration::from_secs(1), "{ours:?}");
    }

    /// Killed once the branch is there, and once more each side of its removal. Meanwhile a person made the change.
    async fn what_is_not_wanted_any_more_is_taken_back_at_the_same_pace(world: World) {
        releases(&world);
        create(&world, "acme/api");
        let mark = world.github.mark();
        world.github.deliver_pending().await;
        world.dies_at("POST", "/repos/*/*/git/refs", FaultKind::HangAfter).await;
        world.push_quietly("acme/api", &[("requirements.txt", "httpx==0.28.0\n")]);
        world.github.deliver_pending().await;
        world.dies_at("DELETE", "/repos/*/*/git/refs/**", FaultKind::Hang).await;
        world.dies_at("DELETE", "/repos/*/*/git/refs/**", FaultKind::HangAfter).await;
        world.settle().await;
        assert_eq!(world.github.branches("acme/api").unwrap().len(), 1, "nothing is left of it");
        assert!(world.github.pull_requests("acme/api").unwrap().is_empty());
        let ours = writes(&world, "acme", mark);
        assert!(closest(&ours) >= SignedDuration::from_secs(1), "{ours:?}: {:?}", world.requests_since(mark));
    }

    /// Nothing tells what it wrote but GitHub: it was begun by a server that sets no pace.
    async fn what_was_begun_at_another_pace_is_taken_back_at_this_one(world: World) {
        releases(&world);
        create(&world, "acme/api");
        let mark = world.github.mark();
        world.github.deliver_pending().await;
        world.another_process_dies_at(crate::world::at_once(), "POST", "/repos/*/*/pulls", FaultKind::Hang).await;
        world.push("acme/api", &[("requirements.txt", "httpx==0.28.0\n")]).await;
        assert_eq!(world.github.branches("acme/api").unwrap().len(), 1, "nothing is left of it");
        let ours = writes(&world, "acme", mark);
        // The tree, to recognise the branch by, and its removal.
        assert_eq!(ours.len(), 4 + 2, "{:?}", world.requests_since(mark));
        assert!(closest(&ours[4..]) >= SignedDuration::from_secs(1), "{ours:?}");
    }
}

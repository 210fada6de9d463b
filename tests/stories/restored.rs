//! Webhooks that GitHub could not hand over: asked for again, or made up for by looking at everything.

use crate::{World, stories};
use github_sim::{Fault, FaultKind, Gate, InstallOptions, RetryAfter};
use jiff::SignedDuration;
use mass_driver::domain::{ProposalState, RepoState};
use mass_driver::pipeline::duties;
use std::collections::{BTreeMap, BTreeSet};

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");
const ASKED: &str = "/attempts";

/// Two packages of which each has an older and a newer version.
fn releases(world: &World) {
    for (name, version) in [("httpx", "0.27.0"), ("httpx", "0.28.0"), ("idna", "3.6"), ("idna", "3.7")] {
        world.registry.release(name, version);
    }
}

/// How often GitHub was asked to deliver something again since a mark.
fn asked_since(world: &World, mark: u64) -> usize {
    world.requests_since(mark).iter().filter(|request| request.ends_with(ASKED)).count()
}

/// The clock's duties come up every five minutes, for so long.
async fn duties_for(world: &World, length: SignedDuration) {
    let mut left = length;
    while left > SignedDuration::ZERO {
        world.time_passes(SignedDuration::from_mins(5)).await;
        world.duties().await;
        left -= SignedDuration::from_mins(5);
    }
}

stories! {
    /// Fault 7. The server is there and cannot store anything: it says so, and is told again when it can.
    async fn fault_07_the_database_is_down_when_a_webhook_comes(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.duties().await;
        world.loses_its_database().await;
        world.push_quietly("acme/api", &[FILE]);
        let delivered = world.github.deliver_pending().await;
        let statuses: BTreeSet<u16> = delivered.iter().map(|delivery| delivery.status).collect();
        assert_eq!(statuses, BTreeSet::from([503]), "never acknowledged, and answered at once");
        world.comes_back();
        world.settle().await;
        assert!(world.open("acme/api").is_empty(), "GitHub does not repeat anything by itself");
        duties_for(&world, SignedDuration::from_mins(5)).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// Fault 8. What happens in four hours fills several pages of GitHub's log and several rounds of asking.
    async fn fault_08_four_hours_without_a_server_are_made_up_for(world: World) {
        releases(&world);
        for repo in ["acme/merged", "acme/closed", "acme/pushed"] {
            world.repository(repo, &[("requirements.txt", "httpx==0.27.0\n")]).await;
        }
        world.push("acme/merged", &[FILE]).await;
        world.push("acme/closed", &[FILE]).await;
        world.duties().await;
        world.goes_down();
        for round in 0..240 {
            world.push_quietly("acme/pushed", &[("README.md", &format!("{round}\n"))]);
            if round % 60 == 0 {
                world.github.deliver_pending().await;
                world.clock_moves(SignedDuration::from_hours(1));
            }
        }
        world.github.merge("acme/merged", world.pull("acme/merged").number).unwrap();
        world.github.close("acme/closed", world.pull("acme/closed").number).unwrap();
        world.push_quietly("acme/pushed", &[FILE]);
        let lost = world.github.deliver_pending().await;
        assert!(lost.iter().all(|delivery| delivery.status == 0), "nobody listens");
        world.comes_back();
        let mark = world.github.mark();
        duties_for(&world, SignedDuration::from_mins(45)).await;

        let lists = |request: &&String| request.ends_with("GET /app/hook/deliveries");
        let pages = world.requests_since(mark).iter().filter(lists).count();
        assert!(pages > 3, "the log has several pages: {pages}");
        assert_eq!(world.proposals("acme/merged", ProposalState::Merged).await.len(), 1);
        assert_eq!(world.proposals("acme/closed", ProposalState::Closed).await.len(), 1);
        assert_eq!(world.open("acme/pushed"), ["Bump httpx from 0.27.0 to 0.28.0"]);
        let stored: BTreeSet<String> =
            world.store.recent_deliveries(10_000).await.unwrap().into_iter().map(|d| d.guid.0).collect();
        let missing: Vec<_> = world.github.webhook_posts().into_iter().filter(|post| !stored.contains(&post.guid)).collect();
        assert!(missing.is_empty(), "{} deliveries were never stored", missing.len());
        assert!(asked_since(&world, mark) > 240, "each was asked for");
        let guids: Vec<String> = world.github.webhook_posts().into_iter().filter(|post| post.status == 202).map(|post| post.guid).collect();
        let once: BTreeSet<&String> = guids.iter().collect();
        assert_eq!(guids.len(), once.len(), "and came once");
        let mark = world.github.mark();
        duties_for(&world, SignedDuration::from_mins(15)).await;
        assert_eq!(asked_since(&world, mark), 0, "what came is not asked for again");
    }

    /// Fault 8, the other half: GitHub's log holds three days, and the server was away for four.
    async fn fault_08_what_github_has_forgotten_is_found_by_looking_at_everything(world: World) {
        releases(&world);
        for repo in ["acme/merged", "acme/closed", "acme/reopened", "acme/removed", "acme/archived"] {
            world.repository(repo, &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        }
        world.repository("acme/first_file", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.github.close("acme/reopened", world.pull("acme/reopened").number).unwrap();
        let reopened = world.github.pull_requests("acme/reopened").unwrap()[0].number;
        world.settle().await;
        world.duties().await;
        world.goes_down();
        world.clock_moves(SignedDuration::from_mins(10));
        world.github.merge("acme/merged", world.pull("acme/merged").number).unwrap();
        world.github.close("acme/closed", world.pull("acme/closed").number).unwrap();
        world.github.reopen("acme/reopened", reopened).unwrap();
        world.push_quietly("acme/first_file", &[FILE]);
        world.github.archive("acme/archived").unwrap();
        world.github.delete_repo("acme/removed").unwrap();
        let added = github_sim::RepoOptions::default().file("requirements.txt", "httpx==0.27.0\n").file(FILE.0, FILE.1);
        world.github.create_repo("acme/added", added).unwrap();
        world.github.deliver_pending().await;
        world.clock_moves(SignedDuration::from_hours(72));
        world.comes_back();
        duties_for(&world, SignedDuration::from_mins(5)).await;

        assert_eq!(world.proposals("acme/merged", ProposalState::Merged).await.len(), 1);
        assert_eq!(world.proposals("acme/closed", ProposalState::Closed).await.len(), 1);
        assert_eq!(world.row("acme/archived").await.repository.state, RepoState::Archived);
        assert_eq!(world.row("acme/removed").await.repository.state, RepoState::Removed);
        for repo in ["acme/first_file", "acme/added"] {
            assert_eq!(world.open(repo), ["Bump httpx from 0.27.0 to 0.28.0"], "{repo}");
        }
    }

    /// Nobody looks at all repositories' files for that: GitHub's list says who pushed when.
    async fn a_first_file_that_no_webhook_told_of_is_found_within_a_day(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.repository("acme/quiet", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.duties().await;
        world.clock_moves(SignedDuration::from_mins(10));
        world.push_quietly("acme/api", &[FILE]);
        world.github.drop_pending();
        world.time_passes(SignedDuration::from_hours(24)).await;
        let mark = world.github.mark();
        world.duties().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
        let quiet: Vec<String> = world.requests_since(mark).into_iter().filter(|r| r.contains("acme/quiet")).collect();
        // It was read in the second of its last push, and GitHub names no more than the second.
        assert!(quiet.iter().all(|r| r == "GET /repos/acme/quiet/branches/main") && quiet.len() < 2, "{quiet:?}");
        world.time_passes(SignedDuration::from_hours(24)).await;
        let mark = world.github.mark();
        world.duties().await;
        let looks = world.requests_since(mark).into_iter().filter(|r| r.contains("acme/quiet")).count();
        assert_eq!(looks, 0);
    }

    async fn a_pull_request_that_was_reopened_unheard_is_found_within_a_day(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        let number = world.pull("acme/api").number;
        world.github.close("acme/api", number).unwrap();
        world.settle().await;
        assert_eq!(world.proposals("acme/api", ProposalState::Closed).await.len(), 1);
        world.github.reopen("acme/api", number).unwrap();
        world.github.drop_pending();
        world.time_passes(SignedDuration::from_hours(24)).await;
        world.duties().await;
        assert_eq!(world.proposals("acme/api", ProposalState::Open).await.len(), 1);
    }

    /// Two processes find the same duty due; one of them does it.
    async fn two_processes_sweep_once(world: World) {
        world.repository("acme/api", &[("README.md", "hello\n")]).await;
        world.goes_down();
        world.push_quietly("acme/api", &[("README.md", "hello again\n")]);
        let failed = world.github.deliver_pending().await.len();
        world.comes_back();
        let mark = world.github.mark();
        let other = world.another_process();
        let (store, now) = (world.store.clone(), world.clock_now());
        let looks: Vec<_> = (0..8).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { duties::queue_due(&store, now).await.unwrap() })
        }).collect();
        for look in looks {
            look.await.unwrap();
        }
        let (one, two) = tokio::join!(other.worker().run_until_idle(), world.work());
        one.unwrap();
        let () = two;
        assert_eq!(asked_since(&world, mark), failed, "each once");
        assert_eq!(world.requests_since(mark).iter().filter(|r| *r == "GET /app/hook/deliveries").count(), 1);
        world.settle().await;
        let mark = world.github.mark();
        world.duties().await;
        assert_eq!(world.requests_since(mark), Vec::<String>::new(), "nothing is due yet");
    }

    /// The operator has set another secret than GitHub has, and mends it after two days.
    async fn a_delivery_that_always_fails_is_asked_for_ever_more_rarely(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.duties().await;
        let ours = world.github.app().webhook_secret;
        world.github.set_webhook_secret("another one");
        world.push_quietly("acme/api", &[FILE]);
        let refused = world.github.deliver_pending().await;
        assert!(refused.iter().all(|delivery| delivery.status == 401), "{refused:?}");
        let mut asked = Vec::new();
        // Less than a day: then the push is found without its webhook.
        for hours in [1, 1, 1, 1, 19] {
            let mark = world.github.mark();
            let step = if hours > 1 { SignedDuration::from_mins(30) } else { SignedDuration::from_mins(5) };
            for _ in 0..hours * 60 / step.as_mins() {
                world.time_passes(step).await;
                world.duties().await;
            }
            asked.push(asked_since(&world, mark) / refused.len());
        }
        assert_eq!(asked, [4, 1, 1, 0, 3], "at once, and then after 5, 10, 20, 40 … minutes");
        world.github.set_webhook_secret(&ours);
        duties_for(&world, SignedDuration::from_hours(12)).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// One delivery that GitHub does not find any more, and one that it does not like, do not keep the others away.
    async fn a_sweep_passes_over_what_github_refuses(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.goes_down();
        for text in ["one\n", "two\n"] {
            world.push_quietly("acme/api", &[("README.md", text)]);
        }
        world.push_quietly("acme/api", &[FILE]);
        world.github.deliver_pending().await;
        world.comes_back();
        for (status, message) in [(404, "Not Found"), (422, "Validation Failed")] {
            let kind = FaultKind::Status { status, message: message.into() };
            world.github.fault(Fault::once("POST", "/app/hook/deliveries/*/attempts", kind));
        }
        world.duties().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// GitHub asks for a pause in the middle: the sweep ends, and goes on when it is over.
    async fn a_sweep_heeds_githubs_limits(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.goes_down();
        world.push_quietly("acme/api", &[FILE]);
        world.github.deliver_pending().await;
        world.comes_back();
        let limit = FaultKind::SecondaryRateLimit { status: 403, retry_after: RetryAfter::Seconds(40) };
        world.github.fault(Fault::once("POST", "/app/hook/deliveries/*/attempts", limit));
        world.duties().await;
        assert!(world.open("acme/api").is_empty());
        world.time_passes(SignedDuration::from_secs(41)).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// Fault 1. The delivery was stored, and the process died before it could say so.
    async fn a_delivery_that_was_stored_and_not_acknowledged_is_not_asked_for(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.duties().await;
        world.push_quietly("acme/api", &[FILE]);
        world.goes_down();
        let failed = world.github.deliver_pending().await;
        world.comes_back();
        // What the dead process had stored, under the same GUID.
        for delivery in &failed {
            world.github.repeat(&delivery.guid);
        }
        world.github.deliver_pending().await;
        let mark = world.github.mark();
        duties_for(&world, SignedDuration::from_mins(10)).await;
        assert_eq!(asked_since(&world, mark), 0);
        world.github.repeat(&failed[0].guid);
        world.settle().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
        let same = world.store.recent_deliveries(100).await.unwrap().into_iter().filter(|d| d.guid.0 == failed[0].guid).count();
        assert_eq!(same, 1);
    }

    /// An installation is made while nobody listens, and its events are lost for good.
    async fn an_installation_that_nobody_told_of_is_found_within_a_day(world: World) {
        releases(&world);
        world.duties().await;
        world.github.organization("other");
        world.github.install_with("other", InstallOptions::default()).unwrap();
        let file = github_sim::RepoOptions::default().file("requirements.txt", "httpx==0.27.0\n").file(FILE.0, FILE.1);
        world.github.create_repo("other/api", file).unwrap();
        world.github.drop_pending();
        world.time_passes(SignedDuration::from_hours(25)).await;
        world.duties().await;
        assert_eq!(world.open("other/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// Payloads go after a week and rows after a month, however many there are; what waits is kept.
    async fn old_deliveries_are_forgotten_in_portions(world: World) {
        world.repository("acme/api", &[("README.md", "hello\n")]).await;
        let mut guids = BTreeMap::new();
        for round in 0..3 {
            world.push("acme/api", &[("README.md", &format!("{round}\n"))]).await;
            let recent = world.store.recent_deliveries(10).await.unwrap();
            let newest = recent.into_iter().find(|delivery| delivery.event == "push").unwrap();
            guids.insert(round, newest.guid);
            world.clock_moves(SignedDuration::from_hours(24 * 4));
        }
        world.duties().await;
        let payload = async |round: i32| world.store.payload(&guids[&round]).await.unwrap().map(|text| text.len());
        assert_eq!(payload(0).await, Some(0), "twelve days old");
        assert_eq!(payload(1).await, Some(0), "eight days old");
        assert!(payload(2).await.is_some_and(|bytes| bytes > 0), "four days old");
        world.clock_moves(SignedDuration::from_hours(24 * 20));
        world.duties().await;
        assert_eq!(payload(0).await, None, "more than a month old");
        assert_eq!(payload(2).await, Some(0));
    }

    /// GitHub is slow to answer, and the clock asks for the next sweep before the last one has come to its end.
    async fn no_minute_has_more_than_a_hundred_redeliveries(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.duties().await;
        world.goes_down();
        for round in 0..250 {
            world.push_quietly("acme/api", &[("README.md", &format!("{round}\n"))]);
        }
        world.push_quietly("acme/api", &[FILE]);
        world.github.deliver_pending().await;
        world.comes_back();
        let gate = Gate::default();
        world.github.fault(Fault::once("POST", "/app/hook/deliveries/*/attempts", FaultKind::Wait(gate.clone())));
        let mark = world.github.mark();
        world.clock_moves(SignedDuration::from_mins(5));
        let next_is_due = async {
            gate.reached_by(1).await;
            world.clock_moves(SignedDuration::from_mins(6));
            duties::queue_due(&world.store, world.clock_now()).await.unwrap();
            gate.open();
        };
        tokio::join!(world.duties(), next_is_due);
        for _ in 0..40 {
            world.time_passes(SignedDuration::from_secs(20)).await;
        }
        let requests = world.github.requests_since(mark);
        let asked: Vec<_> = requests.iter().filter(|e| e.path.ends_with(ASKED)).map(|e| e.at).collect();
        assert!(asked.len() > 200, "{}", asked.len());
        for (n, first) in asked.iter().enumerate().skip(1) {
            let within = asked[n..].iter().filter(|at| at.duration_since(*first) < SignedDuration::from_mins(1)).count();
            assert!(within <= 100, "{within} in the minute from {first}");
        }
        assert_eq!(world.open("acme/api").len(), 1);
    }

    /// Two pushes within one second, by the list's clock, and nobody tells of the second one.
    async fn the_second_push_of_a_second_is_found_within_a_day(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.duties().await;
        world.time_passes(SignedDuration::from_hours(1)).await;
        world.push("acme/api", &[("README.md", "first\n")]).await;
        world.push_quietly("acme/api", &[FILE]);
        world.github.drop_pending();
        duties_for(&world, SignedDuration::from_hours(24)).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// What was read after a push is not read again because of it.
    async fn a_push_costs_one_look_at_most(world: World) {
        world.repository("acme/docs", &[("README.md", "hello\n")]).await;
        world.duties().await;
        world.time_passes(SignedDuration::from_hours(1)).await;
        world.push("acme/docs", &[("README.md", "first\n")]).await;
        let mark = world.github.mark();
        duties_for(&world, SignedDuration::from_hours(72)).await;
        let asked = world.requests_since(mark).into_iter().filter(|r| r.starts_with("GET /repos/acme/docs/branches")).count();
        assert_eq!(asked, 1);
    }
}

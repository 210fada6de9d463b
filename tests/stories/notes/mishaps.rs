//! What may go wrong when notes are looked up, and that no pull request waits for them.

use super::{API, ASKED, NOTES, action, httpx_says, is_released, looks, news, standing};
use crate::world::at_once;
use crate::{World, stories};
use github_sim::{Fault, FaultKind, Gate, RetryAfter};
use jiff::SignedDuration;
use mass_driver::domain::NotesState;
use mass_driver::pipeline::watch;
use registry_sim::FaultKind as RegistryFault;
use serde_json::json;

/// 0.28.0 comes out, and the look at its notes waits at this gate.
async fn held_up(world: &World) -> Gate {
    httpx_says(world, NOTES);
    world.repository_using_httpx(API, "subscriptions: [pypi]\n").await;
    let gate = Gate::default();
    world.github.fault(Fault::once("GET", ASKED, FaultKind::Wait(gate.clone())));
    world.registry.release("httpx", "0.28.0");
    world.clock_moves(SignedDuration::from_mins(11));
    gate
}

stories! {
    /// A clock that stands still: what is not there at once is not waited for.
    async fn whatever_goes_wrong_the_pull_request_comes_without(world: World) {
        let text = "x".repeat(5 << 20);
        let faults = [
            FaultKind::BadGateway,
            FaultKind::Drop,
            FaultKind::CutBody,
            FaultKind::Status { status: 404, message: "Not Found".into() },
            FaultKind::Status { status: 403, message: "Resource not accessible by integration".into() },
            FaultKind::Status { status: 451, message: "Repository access blocked".into() },
            FaultKind::Status { status: 500, message: "Server Error".into() },
            FaultKind::Answer { status: 200, body: json!({"body": text}) },
            FaultKind::Answer { status: 200, body: json!(["nothing", "of", "the kind"]) },
            FaultKind::Redirect { to: "https://evil.example/releases".into() },
            FaultKind::SecondaryRateLimit { status: 403, retry_after: RetryAfter::Seconds(60) },
        ];
        for (n, kind) in faults.into_iter().enumerate() {
            // An installation each, for one that is paused may not write either.
            let (org, name) = (format!("org{n}"), format!("lib{n}"));
            world.github.organization(&org);
            world.github.install(&org).unwrap();
            let (api, source) = (format!("{org}/api"), format!("encode/{name}"));
            world.commits(&source, "x");
            world.github.tag(&source, "v1.1.0", "main").unwrap();
            world.github.release(&source, "v1.1.0", NOTES).unwrap();
            world.registry.release(&name, "1.0.0");
            world.registry.release(&name, "1.1.0");
            world.registry.pypi().source(&name, &format!("https://{}/{source}", world.host()));
            let asked = format!("/repos/{source}/releases/tags/**");
            world.github.fault(Fault::once("GET", &asked, kind.clone()));
            let file = format!("{name}==1.0.0\n");
            world.repository(&api, &[("requirements.txt", &file), (".mass-driver.yaml", "subscriptions: [pypi]\n")]).await;
            let paused = matches!(kind, FaultKind::SecondaryRateLimit { .. });
            if paused {
                world.time_passes(SignedDuration::from_secs(61)).await;
            }
            let body = world.pull(&api).body;
            assert!(body.contains("[source](https://") && !body.contains("evil.example"), "{kind:?}: {body}");
            assert!(paused || !body.contains("Brotli") && !body.contains("xxxx"), "{kind:?}: {body}");
        }
    }

    async fn whatever_the_registry_answers_the_pull_request_comes_without(world: World) {
        let faults = [
            RegistryFault::Status(500),
            RegistryFault::Status(404),
            RegistryFault::RateLimited { retry_after_seconds: 600 },
            RegistryFault::GarbageJson,
            RegistryFault::CutBody,
            RegistryFault::HugeBody { bytes: 3 << 20 },
        ];
        for (n, kind) in faults.into_iter().enumerate() {
            let (api, name) = (format!("acme/api{n}"), format!("lib{n}"));
            world.registry.release(&name, "1.0.0");
            world.registry.release(&name, "1.1.0");
            world.registry.fault(&format!("*/{name}/versions/*"), kind, 1);
            let file = format!("{name}==1.0.0\n");
            world.repository(&api, &[("requirements.txt", &file), (".mass-driver.yaml", "subscriptions: [pypi]\n")]).await;
            assert_eq!(news(&world, &api), "", "{kind:?}");
        }
    }

    /// It is looked again while there is time.
    async fn what_failed_is_there_when_it_is_due(world: World) {
        httpx_says(&world, NOTES);
        world.api_waits_for_monday().await;
        assert_eq!(standing(&world).await, Some(NotesState::Asked), "in good time, but not yet");
        world.github.fault(Fault::once("GET", ASKED, FaultKind::BadGateway).times(3));
        world.time_passes(SignedDuration::from_hours(2)).await;
        assert_eq!(standing(&world).await, Some(NotesState::Failed));
        for _ in 0..4 {
            world.time_passes(SignedDuration::from_mins(10)).await;
        }
        assert_eq!(standing(&world).await, Some(NotesState::Known));
        let mark = world.github.mark();
        world.time_comes("2026-03-09T06:00:00Z").await;
        assert!(news(&world, API).contains("Brotli"));
        assert_eq!(looks(&world, mark, "encode/httpx"), 0);
    }

    /// Nothing is written about it at the first look, and the later ones fail: the first one's links are told all the same.
    async fn what_an_earlier_look_found_outlasts_later_ones_that_fail(world: World) {
        for tag in ["v4.1.0", "v4.2.0"] {
            world.commits("actions/cache", tag);
            world.github.tag("actions/cache", tag, "main").unwrap();
        }
        let uses = action("actions/cache@v4.1.0");
        for (repo, file) in [
            ("acme/later", "delay: weekly\nsubscriptions: [github-actions]\n"),
            ("acme/now", "subscriptions: [github-actions]\n"),
        ] {
            world.repository(repo, &[("action.yml", &uses), (".mass-driver.yaml", file)]).await;
        }
        let told = news(&world, "acme/now");
        assert!(told.contains("/actions/cache/compare/v4.1.0...v4.2.0"), "{told}");
        world.github.fault(Fault::once("GET", "/repos/actions/cache/releases/**", FaultKind::BadGateway).times(usize::MAX));
        world.time_passes(SignedDuration::from_hours(3)).await;
        world.time_comes("2026-03-09T06:00:00Z").await;
        assert_eq!(news(&world, "acme/later"), told);
        world.github.clear_faults();
    }

    /// When nobody waits any more, nobody looks.
    async fn what_fails_is_given_up_when_it_is_over(world: World) {
        httpx_says(&world, NOTES);
        world.repository_using_httpx(API, "subscriptions: [pypi]\n").await;
        world.github.fault(Fault::once("GET", ASKED, FaultKind::BadGateway).times(usize::MAX));
        let mark = world.github.mark();
        is_released(&world).await;
        for _ in 0..20 {
            world.time_passes(SignedDuration::from_hours(7)).await;
        }
        let asked = looks(&world, mark, "encode/httpx");
        assert!((2..=8).contains(&asked), "{asked}");
    }

    async fn a_pull_request_waits_for_a_look_under_way_and_goes_on_when_it_ends(world: World) {
        let gate = held_up(&world).await;
        let (one, other) = (world.another_process(), world.another_process());
        let (one, other) = (one.worker(), other.worker());
        let meanwhile = async {
            gate.reached_by(1).await;
            other.run_until_idle().await.unwrap();
            assert_eq!(world.open(API), [] as [&str; 0], "it waits");
            gate.open();
        };
        let (ran, ()) = tokio::join!(one.run_until_idle(), meanwhile);
        ran.unwrap();
        world.settle().await;
        assert!(news(&world, API).contains("Brotli"), "and that without the clock");
    }

    async fn a_pull_request_waits_for_some_seconds_and_no_longer(world: World) {
        let gate = held_up(&world).await;
        let (one, other) = (world.another_process(), world.another_process());
        let (one, other) = (one.worker(), other.worker());
        let meanwhile = async {
            gate.reached_by(1).await;
            other.run_until_idle().await.unwrap();
            assert_eq!(world.open(API), [] as [&str; 0], "it waits");
            world.clock_moves(SignedDuration::from_secs(5));
            other.run_until_idle().await.unwrap();
            assert_eq!(world.open(API).len(), 1);
            gate.open();
        };
        let (ran, ()) = tokio::join!(one.run_until_idle(), meanwhile);
        ran.unwrap();
        world.settle().await;
        assert!(!news(&world, API).contains("Brotli"));
        assert_eq!(world.github.pull_requests(API).unwrap().len(), 1);
    }

    async fn killed_while_it_looks(world: World) {
        httpx_says(&world, NOTES);
        world.repository_using_httpx(API, "subscriptions: [pypi]\n").await;
        world.registry.release("httpx", "0.28.0");
        world.clock_moves(SignedDuration::from_mins(11));
        for (path, kind) in [("/repos/encode/httpx", FaultKind::Hang), (ASKED, FaultKind::HangAfter)] {
            world.another_process_dies_at(at_once(), "GET", path, kind).await;
        }
        world.settle().await;
        assert!(news(&world, API).contains("Brotli"));
        assert_eq!(world.github.pull_requests(API).unwrap().len(), 1);
    }

    /// Words that are on their way are not changed by what is found meanwhile.
    async fn what_is_being_sent_keeps_its_words(world: World) {
        httpx_says(&world, NOTES);
        world.repository_using_httpx(API, "subscriptions: [pypi]\n").await;
        world.github.fault(Fault::once("GET", ASKED, FaultKind::BadGateway));
        world.registry.release("httpx", "0.28.0");
        world.clock_moves(SignedDuration::from_mins(11));
        watch::queue_due(&world.store, world.clock_now()).await.unwrap();
        let process = world.another_process();
        while standing(&world).await != Some(NotesState::Failed) {
            assert!(process.worker().run_one().await.unwrap(), "nobody looks");
        }
        world.another_process_dies_at(at_once(), "POST", "/repos/*/*/pulls", FaultKind::HangAfter).await;
        let before = world.pull(API).body;
        world.time_passes(SignedDuration::from_mins(2)).await;
        assert_eq!(standing(&world).await, Some(NotesState::Known));
        assert_eq!(world.pull(API).body, before);
        assert_eq!(world.github.pull_requests(API).unwrap().len(), 1);
    }

    /// Notes are the first thing that is left out.
    async fn few_requests_left_are_for_more_important_things(world: World) {
        httpx_says(&world, NOTES);
        world.repository_using_httpx(API, "subscriptions: [pypi]\n").await;
        world.github.set_limits(|limits| limits.requests_per_hour = 60);
        world.push(API, &[(".mass-driver.yaml", "subscriptions: [pypi] # again\n")]).await;
        let mark = world.github.mark();
        world.registry.clear_requests();
        is_released(&world).await;
        assert_eq!(world.open(API).len(), 1);
        assert_eq!(looks(&world, mark, "encode/httpx"), 0);
        assert_eq!(standing(&world).await, Some(NotesState::Failed));
        world.github.set_limits(|limits| limits.requests_per_hour = 5_000);
        world.time_passes(SignedDuration::from_mins(61)).await;
        assert_eq!(standing(&world).await, Some(NotesState::Known));
        let asked = world.registry.requests().iter().filter(|request| request.path.contains("/versions/")).count();
        assert_eq!(asked, 1, "where it leads was known from the first time");
    }
}

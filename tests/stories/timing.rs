//! When pull requests come.

use crate::{World, stories};
use jiff::{SignedDuration, ToSpan};
use mass_driver::domain::ProposalState;

const BOTH: &str =
    "subscriptions:\n  - migration: pypi\n    delay: weekly\n  - migration: docker\n    delay: immediate\n";

stories! {
    /// The story the product is made for.
    async fn weekly_for_python_and_at_once_for_the_dockerfile(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.tag("library/python", "3.12-slim");
        world.repository("acme/api", &[
            ("requirements.txt", "# the client\nhttpx==0.27.0  # pinned\n"),
            ("Dockerfile", "FROM python:3.12-slim\nRUN true\n"),
        ]).await;
        world.push("acme/api", &[(".mass-driver.yaml", BOTH)]).await;
        assert!(world.open("acme/api").is_empty(), "there is nothing newer yet");

        world.time_passes(SignedDuration::from_hours(1)).await;
        world.registry.release("httpx", "0.28.0");
        world.registry.tag("library/python", "3.13-slim");
        world.bot_looks().await;

        let pull = world.pull("acme/api");
        assert_eq!(pull.title, "Bump python from 3.12-slim to 3.13-slim");
        assert_eq!(world.file("acme/api", &pull.head_branch, "Dockerfile"), "FROM python:3.13-slim\nRUN true\n");
        assert_eq!(world.waiting("acme/api").await, ["Bump httpx from 0.27.0 to 0.28.0 | waits for Monday 2026-03-09 06:00 UTC (weekly)"]);

        world.time_comes("2026-03-09T05:59:59Z").await;
        assert_eq!(world.open("acme/api").len(), 1, "not a second early");
        world.time_comes("2026-03-09T06:00:00Z").await;
        assert_eq!(world.open("acme/api").len(), 2);
        let pulls = world.github.pull_requests("acme/api").unwrap();
        let httpx = pulls.iter().find(|p| p.title.contains("httpx")).unwrap();
        assert_eq!(world.file("acme/api", &httpx.head_branch, "requirements.txt"), "# the client\nhttpx==0.28.0  # pinned\n");
    }

    async fn a_first_file_is_read_and_old_releases_wait_for_the_next_slot(world: World) {
        world.registry.release_at("httpx", "0.27.0", "2024-02-21T00:00:00Z".parse().unwrap());
        world.registry.release_at("httpx", "0.28.0", "2024-11-28T00:00:00Z".parse().unwrap());
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        assert!(world.row("acme/api").await.config.file.is_none());
        world.push("acme/api", &[(".mass-driver.yaml", "delay: weekly\nsubscriptions: [pypi]\n")]).await;

        let subscriptions = world.store.subscriptions(world.repo_id("acme/api").await).await.unwrap();
        assert_eq!(subscriptions[0].subscription.migration, "pypi");
        assert_eq!(subscriptions[0].subscription.delay, "every Monday at 06:00");
        assert_eq!(world.waiting("acme/api").await, ["Bump httpx from 0.27.0 to 0.28.0 | waits for Monday 2026-03-09 06:00 UTC (weekly)"]);
        assert!(world.open("acme/api").is_empty(), "a slot that was over before the subscription does not count");
    }

    async fn a_release_has_to_be_old_enough(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions:\n  - migration: pypi\n    min_age: 3d\n").await;
        world.time_passes(SignedDuration::from_hours(1)).await;
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        assert_eq!(world.waiting("acme/api").await, ["Bump httpx from 0.27.0 to 0.28.0 | 0.28.0 is 0 days old, 3 days are asked for"]);

        let due = world.proposals("acme/api", ProposalState::Waiting).await[0].due_at;
        assert_eq!(due.to_string(), "2026-03-07T10:00:00Z");
        world.time_comes("2026-03-07T09:59:59Z").await;
        assert!(world.open("acme/api").is_empty());
        world.time_comes("2026-03-07T10:00:00Z").await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    async fn each_step_of_a_version_comes_at_its_own_pace(world: World) {
        world.registry.release("httpx", "1.2.3");
        world.registry.release("idna", "3.6.0");
        world.repository("acme/api", &[
            ("requirements.txt", "httpx==1.2.3\nidna==3.6.0\n"),
            (".mass-driver.yaml", "group: all\nsubscriptions:\n  - migration: pypi\n    delay: { patch: immediate, minor: weekly, major: monthly }\n    min_age: { minor: 1d }\n"),
        ]).await;
        world.time_passes(SignedDuration::from_hours(1)).await;
        for version in ["1.2.4", "1.3.0", "2.0.0"] {
            world.registry.release("httpx", version);
        }
        world.registry.release("idna", "3.7.0");
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 1.2.3 to 1.2.4"], "only the patch is due");
        assert_eq!(world.waiting("acme/api").await, ["Bump httpx and idna | httpx 1.3.0 is 0 days old, 1 day is asked for; then it waits for Monday 2026-03-09 06:00 UTC (weekly)"]);

        world.time_comes("2026-03-09T05:59:59Z").await;
        assert_eq!(world.open("acme/api").len(), 1, "not a second early");
        world.time_comes("2026-03-09T06:00:00Z").await;
        assert_eq!(world.open("acme/api"), ["Bump httpx and idna"]);
        let pull = world.github.pull_requests("acme/api").unwrap().into_iter().find(|pull| pull.state == "open").unwrap();
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==1.3.0\nidna==3.7.0\n");

        world.time_comes("2026-04-01T06:00:00Z").await;
        let pull = world.github.pull_requests("acme/api").unwrap().into_iter().find(|pull| pull.state == "open").unwrap();
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==2.0.0\nidna==3.7.0\n");
    }

    async fn a_release_without_a_date_counts_from_when_it_was_seen(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions:\n  - migration: pypi\n    min_age: 2d\n").await;
        world.time_passes(SignedDuration::from_hours(1)).await;
        world.registry.release_undated("httpx", "0.28.0");
        world.bot_looks().await;
        let seen = world.clock_now();
        let due = world.proposals("acme/api", ProposalState::Waiting).await[0].due_at;
        assert_eq!(due, seen + 48.hours());
    }

    async fn a_backdated_release_is_not_believed(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions:\n  - migration: pypi\n    min_age: 2d\n").await;
        world.time_passes(SignedDuration::from_hours(1)).await;
        world.registry.release_at("httpx", "0.28.0", "2026-01-01T00:00:00Z".parse().unwrap());
        world.bot_looks().await;
        assert!(world.open("acme/api").is_empty(), "it was not there an hour ago");
        assert_eq!(world.waiting("acme/api").await.len(), 1);
    }

    async fn a_newer_release_takes_the_place_of_the_one_that_waits(world: World) {
        world.repository_using_httpx("acme/api", "delay: weekly\nsubscriptions: [pypi]\n").await;
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        assert!(world.waiting("acme/api").await[0].starts_with("Bump httpx from 0.27.0 to 0.28.0"));
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        assert_eq!(world.waiting("acme/api").await, ["Bump httpx from 0.27.0 to 0.28.1 | waits for Monday 2026-03-09 06:00 UTC (weekly)"]);
        world.time_comes("2026-03-09T06:00:00Z").await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.1"]);
    }

    async fn a_missed_slot_is_made_up_for(world: World) {
        world.repository_using_httpx("acme/api", "delay: weekly\nsubscriptions: [pypi]\n").await;
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        // The bot was down over Monday morning.
        world.time_comes("2026-03-10T12:00:00Z").await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }
}

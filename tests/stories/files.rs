//! The subscription file over its life.

use crate::{World, stories};
use mass_driver::domain::ProposalState;
use mass_driver::store::ConfigState;

stories! {
    async fn a_broken_file_leaves_the_last_good_one_in_force(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions: [pypi]\n").await;
        world.push("acme/api", &[(".mass-driver.yaml", "subscriptions:\n  - migration: pipy\n")]).await;
        let config = world.row("acme/api").await.config;
        assert_eq!(config.state, ConfigState::Broken);
        let problems = config.problems.to_string();
        assert!(problems.contains("unknown migration `pipy`") && problems.contains("did you mean `pypi`"), "{problems}");

        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"], "the last good file still counts");

        world.push("acme/api", &[(".mass-driver.yaml", "delay: weekly\nsubscriptions: [pypi]\n")]).await;
        let row = world.row("acme/api").await;
        assert_eq!(row.config.state, ConfigState::Valid);
        let subscriptions = world.store.subscriptions(row.repository.id).await.unwrap();
        assert_eq!(subscriptions[0].subscription.delay, "every Monday at 06:00");
    }

    async fn a_file_that_was_never_good_proposes_nothing(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.repository("acme/api", &[
            ("requirements.txt", "httpx==0.27.0\n"),
            (".mass-driver.yaml", "subscriptions: [pipy]\n"),
        ]).await;
        assert_eq!(world.row("acme/api").await.config.state, ConfigState::Broken);
        world.bot_looks().await;
        assert!(world.open("acme/api").is_empty());
        assert!(world.registry.requests().is_empty(), "nobody subscribes, so no registry is asked");
    }

    async fn bad_input_19_removing_the_file_withdraws_what_waits(world: World) {
        world.api_waits_for_monday().await;
        world.remove("acme/api", ".mass-driver.yaml").await;
        assert!(world.waiting("acme/api").await.is_empty());
        let withdrawn = world.proposals("acme/api", ProposalState::Withdrawn).await;
        assert_eq!(withdrawn[0].reason, "the repository has no subscription file");
        world.time_comes("2026-03-09T12:00:00Z").await;
        assert!(world.open("acme/api").is_empty());
    }

    async fn bad_input_19_both_names_at_once_are_a_problem_that_names_both(world: World) {
        world.repository("acme/api", &[
            (".mass-driver.yaml", "subscriptions: [pypi]\n"),
            (".mass-driver.yml", "subscriptions: [docker]\n"),
        ]).await;
        let config = world.row("acme/api").await.config;
        assert_eq!(config.state, ConfigState::Broken);
        let problems = config.problems.to_string();
        assert!(problems.contains(".mass-driver.yaml") && problems.contains(".mass-driver.yml"), "{problems}");
    }

    async fn an_included_requirements_file_is_followed(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.repository("acme/api", &[
            ("requirements.txt", "-r deps/base.in\n"),
            ("deps/base.in", "httpx==0.27.0\r\nidna==3.6\r\n"),
            (".mass-driver.yaml", "subscriptions: [pypi]\n"),
        ]).await;
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        let pull = world.pull("acme/api");
        assert_eq!(pull.title, "Bump httpx from 0.27.0 to 0.28.0 in /deps");
        assert_eq!(world.file("acme/api", &pull.head_branch, "deps/base.in"), "httpx==0.28.0\r\nidna==3.6\r\n");
    }

    async fn a_dependency_that_is_updated_by_hand_needs_no_pull_request(world: World) {
        world.api_waits_for_monday().await;
        world.push("acme/api", &[("requirements.txt", "httpx==0.28.0\n")]).await;
        assert!(world.waiting("acme/api").await.is_empty());
        world.time_comes("2026-03-09T12:00:00Z").await;
        assert!(world.open("acme/api").is_empty());
        assert_eq!(world.outlook("acme/api").await[0].reason, "there is nothing newer");
    }
}

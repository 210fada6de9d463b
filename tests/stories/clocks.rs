//! The clock of the bot's machine is wrong. GitHub judges by its own; leases go by the database's.

use crate::{World, stories};
use github_sim::{Fault, FaultKind, Gate};
use jiff::SignedDuration;

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");

fn releases(world: &World) {
    world.registry.release("httpx", "0.27.0");
    world.registry.release("httpx", "0.28.0");
}

stories! {
    /// The App's tokens are signed with the bot's time, and GitHub's is a minute and a half behind it, or before it.
    async fn fault_16_a_clock_that_is_off_by_ninety_seconds(world: World) {
        releases(&world);
        world.github.set_jwt_clock_skew_seconds(90);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"], "the bot's clock is behind GitHub's");

        // Tokens that are backdated by a minute are half a minute in the future: they are refused, in words that
        // `fault_16_a_wrong_clock_is_called_by_its_name` checks, and nothing is given up.
        world.github.set_jwt_clock_skew_seconds(-90);
        world.github.expire_tokens();
        world.repository("acme/web", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        assert!(world.open("acme/web").is_empty());
        assert!(world.store.parked(10).await.unwrap().is_empty());
        world.github.set_jwt_clock_skew_seconds(0);
        world.time_passes(SignedDuration::from_mins(5)).await;
        assert_eq!(world.open("acme/web"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// Somebody sets the clock back by an hour: what was signed before is from the future now, and is signed anew.
    async fn fault_16_a_clock_that_goes_back(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        world.clock_goes_back(SignedDuration::from_hours(1));
        world.github.expire_tokens();
        world.push("acme/api", &[FILE]).await;
        world.time_passes(SignedDuration::from_hours(2)).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
        let refused = world.github.exchanges().iter().filter(|e| e.path.ends_with("/access_tokens") && e.status == 401).count();
        assert_eq!(refused, 0, "GitHub saw a token from the future");
    }

    /// Another worker's clock is ten years ahead: it does not think that the lease of the first is over.
    async fn fault_16_leases_go_by_the_databases_clock(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        let gate = Gate::default();
        world.github.fault(Fault::once("POST", "/repos/*/*/git/commits", FaultKind::Wait(gate.clone())));
        world.push_quietly("acme/api", &[FILE]);
        world.github.deliver_pending().await;
        let first = world.another_process();
        let slow = tokio::spawn(async move { first.worker().run_until_idle().await.unwrap() });
        gate.reached_by(1).await;
        world.clock_comes("2036-03-04T09:00:00Z");
        let mark = world.github.mark();
        world.another_process().worker().run_until_idle().await.unwrap();
        let asked: Vec<String> = world.requests_since(mark).into_iter().filter(|r| r.contains("/acme/api/")).collect();
        assert!(asked.is_empty(), "the repository is the first one's: {asked:?}");
        gate.open();
        slow.await.unwrap();
        world.settle().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
        assert_eq!(world.github.pull_requests("acme/api").unwrap().len(), 1);
    }
}

//! A defect in one station: it is a matter of that step, and of no other.

use crate::{World, stories};
use jiff::Timestamp;
use mass_driver::domain::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");

/// A clock that panics once when it is asked: the forge asks it in the middle of a station.
struct Startled {
    at: Timestamp,
    startled: AtomicBool,
}

impl Clock for Startled {
    fn now(&self) -> Timestamp {
        assert!(!self.startled.swap(false, Ordering::SeqCst), "the clock was startled");
        self.at
    }
}

stories! {
    async fn a_station_that_panics_parks_its_step_and_the_worker_goes_on(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        for name in ["acme/api", "acme/web"] {
            world.repository(name, &[("requirements.txt", "httpx==0.27.0\n")]).await;
        }
        world.push_quietly("acme/api", &[FILE]);
        world.push_quietly("acme/web", &[FILE]);
        world.github.deliver_pending().await;
        let clock = Arc::new(Startled { at: world.clock_now(), startled: AtomicBool::new(false) });
        let process = world.process_with_forge_clock(clock.clone());
        clock.startled.store(true, Ordering::SeqCst);
        process.worker().run_until_idle().await.unwrap();
        let parked = world.store.parked(10).await.unwrap();
        assert_eq!(parked.len(), 1, "{parked:#?}");
        let why = parked[0].last_error.as_deref().unwrap_or_default();
        assert!(why.contains("the clock was startled"), "{why}");
        let (with, without): (Vec<&str>, Vec<&str>) =
            ["acme/api", "acme/web"].into_iter().partition(|name| !world.open(name).is_empty());
        assert_eq!((with.len(), without.len()), (1, 1), "the other repository's step was not touched");
        // A new start is a new try.
        world.restart().await;
        assert_eq!(world.open(without[0]), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }
}

//! Many at once, and among them one that is much larger than the others.

use crate::{World, stories};
use github_sim::RepoOptions;
use jiff::SignedDuration;

const WEEKLY: &str = "delay: weekly\nsubscriptions: [pypi]\n";
const BIG: usize = 40;
const SMALL: usize = 8;

fn wanting_httpx() -> RepoOptions {
    RepoOptions::default().file("requirements.txt", "httpx==0.27.0\n").file(".mass-driver.yaml", WEEKLY)
}

stories! {
    /// Everything is due on Monday at six. The big installation was there first, so everything of it is first in line.
    async fn fault_20_one_big_installation_beside_many_small_ones(world: World) {
        world.registry.release("httpx", "0.27.0");
        for n in 0..BIG {
            world.github.create_repo(&format!("acme/r{n}"), wanting_httpx()).unwrap();
        }
        world.settle().await;
        for n in 0..SMALL {
            world.github.organization(&format!("small{n}"));
            world.github.install(&format!("small{n}")).unwrap();
            world.github.create_repo(&format!("small{n}/api"), wanting_httpx()).unwrap();
        }
        world.settle().await;
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        let mark = world.github.mark();
        world.clock_comes("2026-03-09T06:00:00Z");
        let opened = || {
            let requests = world.requests_since(mark);
            requests.into_iter().filter(|r| r.starts_with("POST ") && r.ends_with("/pulls")).collect::<Vec<String>>()
        };
        // Where writes keep a distance from each other, an hour passes minute by minute.
        for _ in 0..60 {
            world.settle().await;
            if opened().len() >= BIG + SMALL {
                break;
            }
            world.time_passes(SignedDuration::from_mins(1)).await;
        }
        let opened = opened();
        assert_eq!(opened.len(), BIG + SMALL, "one request for each pull request");
        let last_of_big = opened.iter().rposition(|r| r.contains("/acme/")).unwrap();
        let last_of_small = opened.iter().rposition(|r| r.contains("/small")).unwrap();
        assert!(last_of_small < last_of_big, "the big one was through before a small one had its turn: {opened:#?}");
        // Each small one had its turn long before: the big one did not take more than its share meanwhile.
        let before = opened[..last_of_small].iter().filter(|r| r.contains("/acme/")).count();
        assert!(before <= BIG / 2, "{before} of the big one came before the last small one's first");
    }
}

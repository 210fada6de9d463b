//! The same events in any order, some of them late, some twice: the end is the same.

use crate::World;
use crate::databases::{both_databases, on_another};
use crate::dice::Dice;
use github_sim::RepoOptions;

const FILE: (&str, &str) = (".mass-driver.yaml", "limit: 20\nsubscriptions: [pypi]\n");
/// So many orders are tried. They are the same each time: a failure is found again by its number.
const ORDERS: u64 = 6;

/// A history of eight events about two repositories; none of them has been handed over when it ends.
async fn history(world: &World) {
    for (name, version) in
        [("httpx", "0.27.0"), ("httpx", "0.28.0"), ("idna", "3.6"), ("idna", "3.7"), ("rich", "13.9")]
    {
        world.registry.release(name, version);
    }
    world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
    let pull = world.pull("acme/api").number;
    world.push_quietly("acme/api", &[("requirements.txt", "httpx==0.27.0\nidna==3.6\n")]);
    world.github.close("acme/api", pull).unwrap();
    world.github.reopen("acme/api", pull).unwrap();
    world.push_quietly("acme/api", &[("README.md", "hello\n")]);
    world.github.close("acme/api", pull).unwrap();
    world.push_quietly("acme/api", &[("requirements.txt", "httpx==0.27.0\nidna==3.6\nrich==13.0\n")]);
    let options = RepoOptions::default().file("requirements.txt", "idna==3.6\n").file(FILE.0, FILE.1);
    world.github.create_repo("acme/new", options).unwrap();
    world.push_quietly("acme/new", &[("requirements.txt", "idna==3.7\nhttpx==0.27.0\n")]);
}

/// Hands the events over as the dice fall: some are late, some come twice, and the bot works in between.
async fn hand_over(world: &World, dice: &mut Dice) {
    assert!(world.github.pending().len() >= 8, "{:?}", world.github.pending());
    while let Some(next) = world.github.pending().first() {
        match dice.roll(6) {
            // Behind all the others.
            0 | 1 => {
                assert!(world.github.repeat(&next.guid));
                world.github.drop_next();
            }
            // Now, and once more behind all the others.
            2 => {
                assert!(world.github.repeat(&next.guid));
                world.github.deliver_next().await;
            }
            _ => drop(world.github.deliver_next().await),
        }
        if dice.roll(3) == 0 {
            world.work().await;
        }
    }
    world.settle().await;
}

/// What people see of both repositories.
async fn seen(world: &World) -> Vec<String> {
    let mut seen = Vec::new();
    for repo in ["acme/api", "acme/new"] {
        let mut open = world.open(repo);
        open.sort();
        seen.push(format!("{repo}: {open:?}"));
        for o in world.outlook(repo).await {
            seen.push(format!("{repo}: {}:{} {} {:?} -> {:?}", o.path, o.line, o.package, o.current, o.standing));
        }
        let head = world.row(repo).await.head.unwrap().commit;
        assert_eq!(Some(head.to_string()), world.github.head(repo, "main").unwrap());
    }
    seen
}

both_databases! {
    async fn fault_10_events_in_any_order_end_in_the_same_state(url: String) {
        let world = World::begin(&url, crate::world::at_once()).await;
        history(&world).await;
        world.settle().await;
        let expected = seen(&world).await;
        assert!(expected[0].contains("Bump idna") && !expected[0].contains("Bump httpx"), "{expected:#?}");
        world.the_end().await;
        for seed in 0..ORDERS {
            on_another(&url, async |url| {
                let world = World::begin(&url, crate::world::at_once()).await;
                history(&world).await;
                hand_over(&world, &mut Dice(seed)).await;
                assert_eq!(seen(&world).await, expected, "the order {seed}");
                world.the_end().await;
            })
            .await;
        }
    }
}

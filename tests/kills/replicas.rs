//! Several processes on one Postgres: one dies or falls asleep in the middle, another takes over.

use crate::bot::Bot;
use crate::databases::on_postgres;
use crate::world::{World, until};
use github_sim::{Fault, FaultKind, Gate};

const FILE: (&str, &str) = (".mass-driver.yaml", "labels: [deps]\nsubscriptions: [pypi]\n");

/// The writes of a pull request, each of which a process dies or falls asleep at.
const WRITES: [&str; 4] = ["/repos/*/*/git/trees", "/repos/*/*/git/commits", "/repos/*/*/git/refs", "/repos/*/*/pulls"];

fn api(world: &World) {
    world.releases("httpx", &["0.27.0", "0.28.0"]);
    world.organization("acme");
    world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]);
}

fn one_set_of_effects(world: &World) {
    let pulls = world.github.pull_requests("acme/api").unwrap();
    let found: Vec<_> = pulls.iter().map(|p| (p.title.as_str(), p.state.as_str(), p.labels.len())).collect();
    assert_eq!(found, [("Bump httpx from 0.27.0 to 0.28.0", "open", 1)]);
    assert_eq!(world.github.branches("acme/api").unwrap().len(), 2, "main and ours");
}

/// At each write the process that sends it dies, and a fresh one stands by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_05_a_worker_dies_and_another_takes_over() {
    on_postgres(async |url| {
        let world = World::begin(&url).await;
        for path in WRITES {
            world.github.fault(Fault::once("POST", path, FaultKind::HangAfter));
        }
        let mut at_work = world.start().await;
        api(&world);
        for path in WRITES {
            until(path, async || world.new_requests().iter().any(|request| request.fault.is_some())).await;
            let takes_over = world.start().await;
            at_work.dies().await;
            at_work = takes_over;
        }
        let bot = world.settle(at_work, &mut || None).await;
        one_set_of_effects(&world);
        world.the_end(bot).await;
    })
    .await;
}

/// A process sleeps while its request is under way, longer than its lease; another does its step meanwhile. Awake again,
/// it gets its answer and goes on where it was: it may write nothing that the other did not write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_06_a_worker_sleeps_beyond_its_lease() {
    let lives = WRITES.map(|path| {
        on_postgres(async move |url| {
            let world = World::begin(&url).await;
            let gate = Gate::default();
            world.github.fault(Fault::once("POST", path, FaultKind::Wait(gate.clone())));
            let sleeper = world.start().await;
            api(&world);
            gate.reached_by(1).await;
            sleeper.sleeps().await;
            let other = world.start().await;
            let other = world.settle(other, &mut || None).await;
            one_set_of_effects(&world);
            gate.open();
            sleeper.wakes().await;
            sleeper.says("another worker took this step over; its result here was dropped").await;
            let other = world.settle(other, &mut || None).await;
            one_set_of_effects(&world);
            stop(sleeper).await;
            world.the_end(other).await;
        })
    });
    futures_util::future::join_all(lives).await;
}

/// Three processes share eight repositories, one after another is killed, and all the work is done once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_share_the_work_and_one_is_left() {
    on_postgres(async |url| {
        let world = World::begin(&url).await;
        world.releases("httpx", &["0.27.0", "0.28.0"]);
        world.releases("idna", &["3.6", "3.7"]);
        let (first, second, third) = (world.start().await, world.start().await, world.start().await);
        for n in 0..8 {
            world.organization(&format!("org{n}"));
            world.repository(&format!("org{n}/api"), &[("requirements.txt", "httpx==0.27.0\nidna==3.6\n"), FILE]);
        }
        let made = || world.new_requests().iter().filter(|r| r.method == "POST" && r.path.ends_with("/pulls")).count();
        until("a pull request", async || made() > 0).await;
        first.dies().await;
        until("another pull request", async || made() > 0).await;
        second.dies().await;
        let bot = world.settle(third, &mut || None).await;
        for n in 0..8 {
            let titles = ["Bump httpx from 0.27.0 to 0.28.0", "Bump idna from 3.6 to 3.7"];
            assert_eq!(world.open(&format!("org{n}/api")), titles);
        }
        world.the_end(bot).await;
    })
    .await;
}

async fn stop(bot: Bot) {
    bot.hears_sigterm().await;
    bot.ends().await;
}

//! Killed while it starts, or while it stops.

use crate::bot::Bot;
use crate::commits::line_to;
use crate::databases::{both_databases, on_postgres, on_sqlite};
use crate::line::Rule;
use crate::world::{World, until};
use github_sim::{Fault, FaultKind, Gate};
use std::path::Path;

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");

/// A repository that is due for a pull request.
fn api(world: &World) {
    world.releases("httpx", &["0.27.0", "0.28.0"]);
    world.organization("acme");
    world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]);
}

async fn it_works(world: &World) {
    let bot = world.start().await;
    let bot = world.settle(bot, &mut || None).await;
    assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    world.the_end(bot).await;
}

/// Each migration is a commit: the process dies at each of them, before it is done and after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_two_migrations_of_postgres() {
    on_postgres(async |url| {
        let world = World::begin(&url).await;
        api(&world);
        for rule in [Rule::LosesCommit(1), Rule::LosesCommitsAnswer(1), Rule::LosesCommit(1)] {
            let (line, over_the_line) = line_to(&url, rule).await;
            let bot = Bot::start(&world.settings_on(&over_the_line));
            line.strikes().await;
            world.kill(bot).await;
        }
        it_works(&world).await;
    })
    .await;
}

/// A file that was just made, one with its journal, one whose tables are there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_a_sqlite_file_is_made() {
    on_sqlite(async |url| {
        let world = World::begin(&url).await;
        api(&world);
        let path = url.strip_prefix("sqlite://").unwrap();
        for trace in [path.to_string(), format!("{path}-wal"), format!("{path}-shm")] {
            let bot = Bot::start(&world.settings());
            until(&format!("{trace} is there"), async || Path::new(&trace).exists()).await;
            world.kill(bot).await;
        }
        it_works(&world).await;
    })
    .await;
}

both_databases! {
    /// It was asked to stop, waits for the request that is under way, and then loses its life.
    async fn killed_while_it_stops(url: String) {
        let world = World::begin(&url).await;
        let bot = world.start().await;
        world.github.fault(Fault::once("POST", "/repos/*/*/pulls", FaultKind::HangAfter));
        api(&world);
        until("the pull request is asked for", async || world.new_requests().iter().any(|r| r.fault.is_some())).await;
        bot.hears_sigterm().await;
        bot.says("stopping: the steps under way are finished first").await;
        world.kill(bot).await;
        it_works(&world).await;
    }

    /// Six repositories and their webhooks are under way. What has begun is finished, nothing else is begun, and the next
    /// process goes on from there.
    async fn fault_19_sigterm_under_load(url: String) {
        let world = World::begin(&url).await;
        let bot = world.start().await;
        world.releases("httpx", &["0.27.0", "0.28.0"]);
        let gate = Gate::default();
        world.github.fault(Fault::once("POST", "/repos/*/*/git/commits", FaultKind::Wait(gate.clone())));
        for n in 0..6 {
            world.organization(&format!("org{n}"));
            world.repository(&format!("org{n}/api"), &[("requirements.txt", "httpx==0.27.0\n"), FILE]);
        }
        gate.reached_by(1).await;
        bot.hears_sigterm().await;
        bot.says("stopping: the steps under way are finished first").await;
        // What happens from now on, nobody takes in before the next start.
        for n in 0..6 {
            world.push(&format!("org{n}/api"), &[("README.md", "hello\n")]);
        }
        gate.open();
        let log = bot.ends().await;
        world.front.leads_to(None);
        let left = world.look(async |store| store.queue_depth().await.unwrap()).await;
        assert!(left.iter().all(|d| d.state == mass_driver::store::WorkState::Queued), "it kept a lease: {left:?}\n{log}");
        let bot = world.start().await;
        let bot = world.settle(bot, &mut || None).await;
        for n in 0..6 {
            assert_eq!(world.open(&format!("org{n}/api")), ["Bump httpx from 0.27.0 to 0.28.0"]);
        }
        world.the_end(bot).await;
    }

    /// It greets GitHub and takes in what GitHub hands over, and dies in the middle of that, three times.
    async fn killed_as_soon_as_it_is_ready(url: String) {
        let world = World::begin(&url).await;
        api(&world);
        for _ in 0..3 {
            let bot = world.start().await;
            world.kill(bot).await;
        }
        it_works(&world).await;
    }
}

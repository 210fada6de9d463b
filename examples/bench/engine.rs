//! The bot's engine in a process of its own: workers on a queue, without the web. It is told what to do by lines of JSON.

use crate::process::{self, Part};
use anyhow::Context as _;
use mass_driver::app::SystemClock;
use mass_driver::domain::{Clock as _, Ecosystem, PackageId};
use mass_driver::forge::{GitHub, GitHubSettings};
use mass_driver::pipeline::crew::Crew;
use mass_driver::pipeline::worker::WorkPolicy;
use mass_driver::pipeline::{Step, Worker};
use mass_driver::registries::{Registries, RegistrySettings};
use mass_driver::safeguards::pace::PacePolicy;
use mass_driver::store::Store;
use registry_sim::RegistrySim;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What it is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Setup {
    /// As `DATABASE_URL`.
    pub database_url: String,
    /// How many steps run at a time.
    pub workers: u16,
    /// The stand-in for GitHub.
    pub github: Credentials,
    /// The stand-in for the registries.
    pub registries: Addresses,
}

/// Where the stand-in for the registries is, and as what it is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Addresses {
    deps_dev_url: String,
    indexes: Option<[String; 3]>,
}

impl Addresses {
    /// Packages of every ecosystem by way of deps.dev.
    pub fn deps_dev(registry: &RegistrySim) -> Self {
        Self { deps_dev_url: registry.deps_dev_url(), indexes: None }
    }

    /// Packages of each ecosystem by way of an index of its own.
    pub fn indexes(registry: &RegistrySim) -> Self {
        let indexes = [registry.simple_url(), registry.npm_url(), registry.cargo_url()];
        Self { indexes: Some(indexes), ..Self::deps_dev(registry) }
    }

    fn settings(self) -> RegistrySettings {
        let [pypi_url, npm_url, cargo_url] = self.indexes.map_or([None, None, None], |urls| urls.map(Some));
        let deps_dev_url = Some(self.deps_dev_url);
        RegistrySettings { deps_dev_url, pypi_url, npm_url, cargo_url, ..RegistrySettings::default() }
    }
}

/// Where the stand-in for GitHub is, and the App there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Credentials {
    /// The REST root.
    pub api_url: String,
    /// The App's id.
    pub app_id: i64,
    /// Its key, made for this run.
    pub private_key_pem: String,
}

impl Credentials {
    /// Those of a stand-in.
    pub fn of(github: &github_sim::GitHubSim) -> Self {
        let app = github.app();
        Self { api_url: github.url(), app_id: app.app_id, private_key_pem: app.private_key_pem }
    }
}

/// What it can be told; it answers each with a line.
#[derive(Debug, Serialize, Deserialize)]
enum Order {
    /// Build everything.
    SetUp(Setup),
    /// Let the workers begin.
    Work,
    /// Queue a look at a Python package.
    Watch(String),
}

/// The part as others see it.
pub struct Engine(pub Part);

impl Engine {
    /// Starts one; its workers wait for [`Engine::work`].
    pub async fn start(setup: &Setup) -> anyhow::Result<Self> {
        let mut engine = Self(Part::start("engine")?);
        engine.tell(&Order::SetUp(setup.clone())).await?;
        Ok(engine)
    }

    /// Lets its workers begin.
    pub async fn work(&mut self) -> anyhow::Result<()> {
        self.tell(&Order::Work).await
    }

    /// Has it look at a package now.
    pub async fn watch(&mut self, package: &str) -> anyhow::Result<()> {
        self.tell(&Order::Watch(package.to_owned())).await
    }

    async fn tell(&mut self, order: &Order) -> anyhow::Result<()> {
        self.0.say(order).await?;
        self.0.hear().await
    }
}

/// Lives as the part, until its input is closed.
pub async fn serve() -> anyhow::Result<()> {
    let mut orders = process::orders();
    let first = orders.recv().await.context("nobody says what to do")?;
    let Order::SetUp(setup) = serde_json::from_str(&first)? else { anyhow::bail!("the first order is not to set up") };
    let (stopper, stop) = watch::channel(false);
    // One worker has a transaction, reads meanwhile, and keeps its lease.
    let store = Store::connect_with(&setup.database_url, u32::from(setup.workers) * 3 + 8).await?;
    let worker = worker(&setup, store.clone())?;
    let mut tasks = JoinSet::new();
    answer();
    while let Some(line) = orders.recv().await {
        match serde_json::from_str(&line)? {
            Order::SetUp(_) => anyhow::bail!("it is set up already"),
            Order::Work => begin(&worker, &store, setup.workers, &stop, &mut tasks),
            Order::Watch(name) => {
                let package = PackageId { ecosystem: Ecosystem::Pypi, name };
                let mut tx = store.begin().await?;
                Step::Watch { package }.queue(&mut tx, None, SystemClock.now()).await?;
                tx.commit().await?;
            }
        }
        answer();
    }
    stopper.send(true)?;
    while let Some(ended) = tasks.join_next().await {
        ended?;
    }
    store.close().await;
    Ok(())
}

fn answer() {
    anstream::println!("null");
}

fn worker(setup: &Setup, store: Store) -> anyhow::Result<Worker> {
    let Credentials { api_url, app_id, private_key_pem } = setup.github.clone();
    let clock = Arc::new(SystemClock);
    let settings = GitHubSettings::new(api_url, app_id, SecretString::from(private_key_pem));
    let forge = GitHub::new(settings, clock.clone())?;
    let registries = Registries::new(&setup.registries.clone().settings())?;
    // The machine is measured, and not the pauses between writes.
    let policy = WorkPolicy { pace: PacePolicy::OFF, ..WorkPolicy::default() };
    Ok(Worker::new(store, forge, Arc::new(registries), clock, policy))
}

/// Starts the workers, as the server does.
fn begin(worker: &Worker, store: &Store, workers: u16, stop: &watch::Receiver<bool>, tasks: &mut JoinSet<()>) {
    let store = store.clone();
    tasks.spawn(Crew::new(worker.clone(), workers.into()).run(stop.clone()));
    let mut stop = stop.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = store.relay_bell() => {}
            _ = stop.changed() => {}
        }
    });
}

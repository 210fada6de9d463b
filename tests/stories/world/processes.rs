//! The processes of the bot in a story: how each is built, and how one dies.

use super::{StoryClock, World};
use github_sim::{Fault, FaultKind, GitHubSim};
use mass_driver::app::{App, Parts};
use mass_driver::domain::Clock;
use mass_driver::forge::{GitHub, GitHubSettings};
use mass_driver::metrics::Metrics;
use mass_driver::pipeline::worker::WorkPolicy;
use mass_driver::pipeline::{Done, Step, StepError, Writing, examine, execute, follow, merge, retire};
use mass_driver::registries::{Registries, RegistrySettings};
use mass_driver::safeguards::pace::PacePolicy;
use mass_driver::store::{Claimed, QueueDepth, Store, WorkState};
use registry_sim::RegistrySim;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

impl World {
    /// The bot as one process: its own tokens and connections, the database shared with every other.
    pub(super) fn process(
        github: &GitHubSim,
        registry: &RegistrySim,
        clock: &StoryClock,
        store: &Store,
        policy: WorkPolicy,
    ) -> App {
        let forge_clock = Arc::new(clock.clone());
        Self::process_with(github, registry, clock, forge_clock, store, policy, None)
    }

    /// From now on the operator has set an index of Python packages.
    pub fn sets_an_index(&self) {
        self.index.set(self.registry.simple_url()).unwrap();
    }

    /// What a process speaks to GitHub and to registries by.
    fn adapters(
        github: &GitHubSim,
        registry: &RegistrySim,
        forge_clock: Arc<dyn Clock>,
        index: Option<String>,
        metrics: &Metrics,
    ) -> (GitHub, Registries) {
        let credentials = github.app();
        let settings =
            GitHubSettings::new(github.url(), credentials.app_id, SecretString::from(credentials.private_key_pem));
        let forge = GitHub::counting(settings, forge_clock, metrics.clone()).unwrap();
        let settings = RegistrySettings {
            deps_dev_url: Some(registry.deps_dev_url()),
            docker_url: Some(registry.oci_url()),
            pypi_url: index,
            ..RegistrySettings::default()
        };
        (forge, Registries::new(&settings).unwrap().counting(metrics.clone()))
    }

    /// The same, for a story that walks a station by itself.
    pub fn own_adapters(&self) -> (GitHub, Registries) {
        let clock = Arc::new(self.clock.clone());
        Self::adapters(&self.github, &self.registry, clock, self.index.get().cloned(), &Metrics::new())
    }

    /// The same, with the time that the forge goes by apart.
    fn process_with(
        github: &GitHubSim,
        registry: &RegistrySim,
        clock: &StoryClock,
        forge_clock: Arc<dyn Clock>,
        store: &Store,
        policy: WorkPolicy,
        index: Option<String>,
    ) -> App {
        let credentials = github.app();
        let metrics = Metrics::new();
        let (forge, registries) = Self::adapters(github, registry, forge_clock, index, &metrics);
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        App::new(Parts {
            store: store.clone(),
            forge,
            registries,
            clock,
            policy,
            workers: 1,
            webhook_secrets: vec![SecretString::from(credentials.webhook_secret)],
            admin_token: None,
            local_pages: true,
            metrics,
        })
    }

    /// One more process of the bot at the same work.
    pub fn another_process(&self) -> App {
        self.process_of(self.policy)
    }

    fn process_of(&self, policy: WorkPolicy) -> App {
        let (clock, index) = (Arc::new(self.clock.clone()), self.index.get().cloned());
        Self::process_with(&self.github, &self.registry, &self.clock, clock, &self.store, policy, index)
    }

    /// One more process, whose forge asks this clock.
    pub fn process_with_forge_clock(&self, clock: Arc<dyn Clock>) -> App {
        Self::process_with(&self.github, &self.registry, &self.clock, clock, &self.store, self.policy, None)
    }

    /// One more process, whose operator has set an index of Python packages.
    pub fn process_with_an_index(&self) -> App {
        let (clock, index) = (Arc::new(self.clock.clone()), Some(self.registry.simple_url()));
        Self::process_with(&self.github, &self.registry, &self.clock, clock, &self.store, self.policy, index)
    }

    /// Does what comes before the next step of this name, and claims that one: for an instant, so that it is there to be
    /// taken over.
    pub async fn claims(&self, step: &str) -> Claimed {
        let process = self.another_process();
        let is_queued = |depth: &QueueDepth| depth.step == step && depth.state == WorkState::Queued;
        while !self.store.queue_depth().await.unwrap().iter().any(is_queued) {
            assert!(process.worker().run_one().await.unwrap(), "no {step} ever comes");
        }
        let mut claimed = self.store.claim(self.clock.now(), Duration::from_millis(1), 1).await.unwrap();
        let claimed = claimed.pop().unwrap_or_else(|| panic!("the {step} is not due"));
        assert_eq!(claimed.work.step, step);
        claimed
    }

    /// Another worker takes a claimed step over, as its lease has run out.
    pub async fn is_taken_over(&self, claimed: &Claimed) {
        loop {
            let others = self.store.claim(self.clock.now(), Duration::from_millis(1), 8).await.unwrap();
            if others.iter().any(|other| other.work.unique_key == claimed.work.unique_key) {
                return;
            }
        }
    }

    /// Walks a claimed step that writes, at no pace, as a worker would that does not look after its lease.
    pub async fn walks(&self, claimed: &Claimed) -> Result<Done, StepError> {
        let (forge, registries) = self.own_adapters();
        let writing = Writing { lease: claimed, pace: &PacePolicy::OFF, clock: &self.clock };
        match serde_json::from_value(claimed.work.args.clone()).unwrap() {
            Step::Execute { repo, proposal } => {
                execute::execute(&self.store, &forge, &registries, (repo, &proposal), &writing).await
            }
            Step::Label { repo, proposal } => follow::label(&self.store, &forge, (repo, &proposal), &writing).await,
            Step::Merge { repo, number } => {
                merge::merge(&self.store, &forge, &registries, (repo, number), &writing).await
            }
            Step::Retire { repo, proposal, farewell } => {
                retire::retire(&self.store, (&forge, &registries), (repo, &proposal), farewell, &writing).await
            }
            Step::Examine { repo, commit, again } => {
                examine::examine(&self.store, (&forge, &registries), (repo, &commit, again), &writing).await
            }
            other => panic!("{} does not write", other.name()),
        }
    }

    /// A process works until a request falls silent, and is killed at that instant. The leases it held are over.
    pub async fn dies_at(&self, method: &str, path: &str, kind: FaultKind) {
        self.another_process_dies_at(self.policy, method, path, kind).await;
    }

    /// The same, of a process with a policy of its own.
    pub async fn another_process_dies_at(&self, policy: WorkPolicy, method: &str, path: &str, kind: FaultKind) {
        assert!(matches!(kind, FaultKind::Hang | FaultKind::HangAfter), "a process is killed while it waits");
        self.github.fault(Fault::once(method, path, kind));
        let mark = self.github.mark();
        let policy = WorkPolicy { lease: Duration::from_millis(1), ..policy };
        let doomed = self.process_of(policy);
        let silence = async {
            while !self.github.requests_since(mark).iter().any(|e| e.fault.is_some()) {
                tokio::task::yield_now().await;
            }
        };
        // A step that another process died in is there to be taken once its lease is over, by the database's clock.
        let life = async {
            for _ in 0..1_000 {
                doomed.worker().run_until_idle().await.unwrap();
                self.let_writes_come_due().await;
            }
        };
        tokio::select! {
            () = life => panic!("it never asked for {method} {path}"),
            () = silence => {}
        }
    }
}

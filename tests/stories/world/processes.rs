//! The processes of the bot in a story: how each is built, and how one dies.

use super::{StoryClock, World};
use github_sim::{Fault, FaultKind, GitHubSim};
use mass_driver::app::{App, Parts};
use mass_driver::domain::Clock;
use mass_driver::forge::{GitHub, GitHubSettings};
use mass_driver::metrics::Metrics;
use mass_driver::pipeline::worker::WorkPolicy;
use mass_driver::registries::{Registries, RegistrySettings};
use mass_driver::store::Store;
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
        let settings =
            GitHubSettings::new(github.url(), credentials.app_id, SecretString::from(credentials.private_key_pem));
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        App::new(Parts {
            store: store.clone(),
            forge: GitHub::counting(settings, forge_clock, metrics.clone()).unwrap(),
            registries: Registries::new(&RegistrySettings {
                deps_dev_url: Some(registry.deps_dev_url()),
                docker_url: Some(registry.oci_url()),
                pypi_url: index,
                ..RegistrySettings::default()
            })
            .unwrap()
            .counting(metrics.clone()),
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
        Self::process(&self.github, &self.registry, &self.clock, &self.store, self.policy)
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
        let doomed = Self::process(&self.github, &self.registry, &self.clock, &self.store, policy);
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

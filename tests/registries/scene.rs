//! What the tests share: a registry stand-in with a clock of its own, and ways to ask.

use jiff::{SignedDuration, Timestamp};
use mass_driver::domain::{Ecosystem, PackageId};
use mass_driver::registries::{Answer, FoundRelease, Limits, Listing, Registries, RegistryError, RegistrySettings};
use registry_sim::{RegistrySim, SeenRequest};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// When every scene begins.
pub fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// The stand-in and its clock.
pub struct Scene {
    pub sim: RegistrySim,
    seconds: Arc<AtomicI64>,
}

impl Scene {
    pub fn new() -> Self {
        let seconds = Arc::new(AtomicI64::new(0));
        let read = Arc::clone(&seconds);
        let clock = move || start() + SignedDuration::from_secs(read.load(Ordering::SeqCst));
        Self { sim: RegistrySim::start(Arc::new(clock)).unwrap(), seconds }
    }

    /// Moves the stand-in's clock on.
    pub fn advance(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    /// deps.dev and images from the stand-in.
    pub fn settings(&self) -> RegistrySettings {
        RegistrySettings {
            deps_dev_url: Some(self.sim.deps_dev_url()),
            docker_url: Some(self.sim.oci_url()),
            ..RegistrySettings::default()
        }
    }

    /// Registries that ask the stand-in, Python packages by way of deps.dev.
    pub fn registries(&self) -> Registries {
        Registries::new(&self.settings()).unwrap()
    }

    /// Registries that ask the stand-in, Python packages by way of its simple index.
    pub fn registries_with_index(&self) -> Registries {
        Registries::new(&RegistrySettings { pypi_url: Some(self.sim.simple_url()), ..self.settings() }).unwrap()
    }

    /// Registries that ask the stand-in's own indexes of every kind.
    pub fn registries_with_indexes(&self) -> Registries {
        Registries::new(&self.settings_with_indexes()).unwrap()
    }

    /// The stand-in's own indexes of every kind.
    pub fn settings_with_indexes(&self) -> RegistrySettings {
        RegistrySettings {
            pypi_url: Some(self.sim.simple_url()),
            npm_url: Some(self.sim.npm_url()),
            cargo_url: Some(self.sim.cargo_url()),
            ..self.settings()
        }
    }

    /// The requests so far as `METHOD path status`, the query cut off.
    pub fn seen(&self) -> Vec<String> {
        let line = |seen: SeenRequest| {
            let path = seen.path.split('?').next().unwrap_or_default().to_owned();
            format!("{} {path} {}", seen.method, seen.status.unwrap_or_default())
        };
        self.sim.requests().into_iter().map(line).collect()
    }
}

pub fn python(name: &str) -> PackageId {
    PackageId { ecosystem: Ecosystem::Pypi, name: name.into() }
}

pub fn javascript(name: &str) -> PackageId {
    PackageId { ecosystem: Ecosystem::Npm, name: name.into() }
}

pub fn krate(name: &str) -> PackageId {
    PackageId { ecosystem: Ecosystem::Cargo, name: name.into() }
}

pub fn image(name: &str) -> PackageId {
    PackageId { ecosystem: Ecosystem::Docker, name: name.into() }
}

pub fn release(version: &str, published_at: Option<Timestamp>) -> FoundRelease {
    FoundRelease { published_at, ..FoundRelease::named(version) }
}

/// The same settings for a registry that will not answer: a test should not wait long for nothing.
pub fn impatient(settings: RegistrySettings) -> Registries {
    let limits = Limits { request: Duration::from_millis(200), ..Limits::default() };
    Registries::new(&RegistrySettings { limits, ..settings }).unwrap()
}

/// The listing of an answer that must have one.
pub fn listing(answer: Result<Answer, RegistryError>) -> Listing {
    match answer {
        Ok(Answer::Found(listing)) => listing,
        other => panic!("expected a listing, got {other:?}"),
    }
}

/// The versions of an answer that must have some.
pub fn versions(answer: Result<Answer, RegistryError>) -> Vec<String> {
    listing(answer).releases.into_iter().map(|release| release.version).collect()
}

//! Which registry answers for which package.

use super::cargo_index::CargoIndex;
use super::deps_dev::DepsDev;
use super::error::{RegistryError, RegistrySettingsError};
use super::fetch::Fetch;
use super::index::Index;
use super::json::ascii_line;
use super::npm::Npm;
use super::oci::Images;
use super::settings::RegistrySettings;
use super::simple_index::SimpleIndex;
use super::{Answer, Links, Listing, Registry};
use crate::domain::{Ecosystem, PackageId};
use crate::metrics::Metrics;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// The registries in use, by ecosystem. Clones share connections, tokens and turns.
#[derive(Clone)]
pub struct Registries {
    pypi: Arc<dyn Registry>,
    npm: Arc<dyn Registry>,
    cargo: Arc<dyn Registry>,
    images: Arc<Images>,
    lookup: Duration,
    metrics: Metrics,
}

impl Registries {
    /// Builds the adapters the settings ask for. Nothing is sent yet.
    ///
    /// Errors: an address in the settings is none; the TLS machinery could not be set up.
    pub fn new(settings: &RegistrySettings) -> Result<Self, RegistrySettingsError> {
        let fetch = Arc::new(Fetch::new(settings.limits)?);
        let index = |base| Index { base, fetch: Arc::clone(&fetch) };
        let deps_dev: Arc<dyn Registry> = Arc::new(DepsDev(index(settings.deps_dev()?)));
        let pypi: Arc<dyn Registry> = match settings.pypi()? {
            Some(base) => Arc::new(SimpleIndex(index(base))),
            None => Arc::clone(&deps_dev),
        };
        let npm: Arc<dyn Registry> = match settings.npm()? {
            Some(base) => Arc::new(Npm(index(base))),
            None => Arc::clone(&deps_dev),
        };
        let cargo: Arc<dyn Registry> = match settings.cargo()? {
            Some(base) => Arc::new(CargoIndex(index(base))),
            None => deps_dev,
        };
        let images = Arc::new(Images::new(settings.docker()?, settings.private()?, fetch));
        Ok(Self { pypi, npm, cargo, images, lookup: settings.limits.lookup, metrics: Metrics::new() })
    }

    /// The same registries, their look-ups counted there.
    pub fn counting(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// The registry that answers for an ecosystem's packages; `None` where their releases are tags of repositories, which
    /// a forge is asked for.
    pub fn registry(&self, ecosystem: Ecosystem) -> Option<&dyn Registry> {
        match ecosystem {
            Ecosystem::Pypi => Some(&*self.pypi),
            Ecosystem::Npm => Some(&*self.npm),
            Ecosystem::Cargo => Some(&*self.cargo),
            Ecosystem::Docker => Some(&*self.images),
            Ecosystem::GithubActions | Ecosystem::PreCommit => None,
        }
    }

    /// All releases a package has now, unless nothing changed since the answer that `etag` came with.
    ///
    /// The ETag of a [`Listing`] says by whom it was read as well ([`Registry::reading`]): where another registry, or a reader
    /// that takes more from the same answer, is asked since, everything is read anew.
    ///
    /// Errors: see [`RegistryError`].
    pub async fn releases(&self, package: &PackageId, etag: Option<&str>) -> Result<Answer, RegistryError> {
        let registry = self.registry_of(package)?;
        let etag = etag.and_then(|etag| etag.strip_prefix(registry.reading())?.strip_prefix(' '));
        let mut answer = match timeout(self.lookup, registry.releases(package, etag)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.too_slow(registry.name())),
        };
        if let Ok(Answer::Found(Listing { etag: Some(etag), .. })) = &mut answer {
            *etag = format!("{} {etag}", registry.reading());
        }
        let found = if matches!(answer, Ok(Answer::NotModified)) { "not_modified" } else { "found" };
        self.metrics.registry_asked(package.ecosystem, answer.as_ref().map_or_else(RegistryError::word, |_| found));
        answer
    }

    /// The digest (`sha256:…`) an image's tag points at now: that of the index where the image has many platforms.
    ///
    /// Errors: see [`RegistryError`]; `NotFound` also when `image` is a package of another ecosystem.
    pub async fn digest(&self, image: &PackageId, tag: &str) -> Result<String, RegistryError> {
        let answer = match timeout(self.lookup, self.images.digest(image, tag)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.too_slow(self.images.name())),
        };
        self.metrics.registry_asked(image.ecosystem, answer.as_ref().map_or_else(RegistryError::word, |_| "found"));
        answer
    }

    /// The hashes (`sha256:…`) of all files of a release, in order, for a file that pins hashes; `None` if the registry
    /// does not say all of them, see also [`why_no_hashes`](Self::why_no_hashes).
    ///
    /// Errors: see [`RegistryError`]; `NotFound` if the registry has no file of such a release.
    pub async fn hashes(&self, package: &PackageId, version: &str) -> Result<Option<Vec<String>>, RegistryError> {
        let registry = self.registry_of(package)?;
        if !registry.gives_hashes() {
            return Ok(None);
        }
        let answer = match timeout(self.lookup, registry.hashes(package, version)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.too_slow(registry.name())),
        };
        self.metrics.registry_asked(package.ecosystem, answer.as_ref().map_or_else(RegistryError::word, |_| "found"));
        answer
    }

    /// Where more can be read about a release, as far as its registry says. One request at most.
    ///
    /// Errors: see [`RegistryError`].
    pub async fn links(&self, package: &PackageId, version: &str) -> Result<Links, RegistryError> {
        let registry = self.registry_of(package)?;
        let answer = match timeout(self.lookup, registry.links(package, version)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.too_slow(registry.name())),
        };
        self.metrics.registry_asked(package.ecosystem, answer.as_ref().map_or_else(RegistryError::word, |_| "found"));
        answer
    }

    /// Why requirements that are pinned to hashes cannot be updated with these registries, and what to do about it; `None`
    /// if they can. Nothing is asked.
    pub fn why_no_hashes(&self, ecosystem: Ecosystem) -> Option<&'static str> {
        let gives = self.registry(ecosystem).is_some_and(|registry| registry.gives_hashes());
        match ecosystem {
            _ if gives => None,
            Ecosystem::Pypi => {
                Some("its index does not give the hashes of files: set MASS_DRIVER_PYPI_URL to one that does")
            }
            _ => Some("its registry does not give the hashes of files"),
        }
    }

    fn registry_of(&self, package: &PackageId) -> Result<&dyn Registry, RegistryError> {
        let none = || RegistryError::OfTheForge { package: ascii_line(&package.to_string()) };
        self.registry(package.ecosystem).ok_or_else(none)
    }

    fn too_slow(&self, registry: &str) -> RegistryError {
        let why = format!("the look-up was not done after {} s", self.lookup.as_secs_f32());
        RegistryError::Unavailable { registry: registry.to_owned(), why, retry_after: None }
    }
}

//! What can go wrong between us and a registry, by what the caller does next.

use std::time::Duration;
use thiserror::Error;

/// Why a registry gave no usable answer.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// The registry does not have it. Asking again soon is of no use.
    #[error("{registry} does not have {what}")]
    NotFound {
        /// The package or image tag asked about.
        what: String,
        /// The registry's host.
        registry: String,
    },
    /// The registry does not show it to us. Asking again is of no use until somebody grants access.
    #[error("{registry} does not show {what}: it is not there, not public, or needs other credentials")]
    Denied {
        /// The package or image tag asked about.
        what: String,
        /// The registry's host.
        registry: String,
    },
    /// No registry answers for this package until the operator sets one.
    #[error("no registry is set for {package}: set {setting} to the address of one")]
    NotConfigured {
        /// The package asked about.
        package: String,
        /// The setting that is missing.
        setting: &'static str,
    },
    /// Its releases are tags of a repository: no registry has them, and a forge has to be asked.
    #[error("no registry has {package}: its releases are the tags of its repository")]
    OfTheForge {
        /// The package asked about.
        package: String,
    },
    /// The registry wants fewer requests.
    #[error("{registry} limits our requests")]
    RateLimited {
        /// The registry's host.
        registry: String,
        /// How long it asks us to wait, if it says; at most a day.
        retry_after: Option<Duration>,
    },
    /// No answer, or one that says to come back later.
    #[error("{registry} cannot be asked now: {why}")]
    Unavailable {
        /// The registry's host.
        registry: String,
        /// What happened.
        why: String,
        /// How long it asks us to wait, if it says; at most a day.
        retry_after: Option<Duration>,
    },
    /// An answer that is not what the protocol asks for, or larger than anything honest.
    #[error("{registry} gave an answer that is not understood: {why}")]
    Protocol {
        /// The registry's host.
        registry: String,
        /// What is wrong with it.
        why: String,
    },
    /// An address we do not go to. Nothing was sent there.
    #[error("{address} is not asked: {why}")]
    Refused {
        /// The address, or as much of it as names it.
        address: String,
        /// The rule it breaks, and how an operator may allow it.
        why: String,
    },
}

impl RegistryError {
    /// How long the registry asks us to wait, where it does.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Its kind in a word, as it is counted.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::Denied { .. } => "denied",
            Self::NotConfigured { .. } => "not_configured",
            Self::RateLimited { .. } => "limited",
            Self::OfTheForge { .. } => "of_the_forge",
            Self::Unavailable { .. } => "unavailable",
            Self::Protocol { .. } => "not_understood",
            Self::Refused { .. } => "refused",
        }
    }

    /// Whether the same request may succeed later with nobody changing anything.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::Unavailable { .. })
    }
}

/// Why the registries' settings cannot be used.
#[derive(Debug, Error)]
pub enum RegistrySettingsError {
    /// An address that is none.
    #[error("{setting}: {why}")]
    Address {
        /// The setting.
        setting: &'static str,
        /// What is wrong with its value; never the value, which may hold a password.
        why: String,
    },
    /// The HTTP client could not be built, for example because the system has no root certificates.
    #[error("the HTTP client for registries cannot be built")]
    Client(#[from] reqwest::Error),
}

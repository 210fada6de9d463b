//! Who asks GitHub: what was found, put together.

use super::{AppKey, PersonToken, Purpose, app, installation, no_token, person};
use crate::app::{github_of_app, github_of_person};
use crate::cli::UsageError;
use crate::domain::{Clock, InstallationId};
use crate::forge::session::{GitHubCaller, GitHubSession};
use crate::settings::{Environment, GitHubAppSettings};
use std::sync::Arc;

/// One who asks GitHub.
#[derive(Clone, Debug)]
pub enum Asker {
    /// A person.
    Person(PersonToken),
    /// An installation of an App.
    Installation {
        /// The App.
        key: AppKey,
        /// Its installation.
        id: InstallationId,
    },
}

/// Who asks GitHub, for whatever repository.
#[derive(Clone, Debug)]
pub enum Identity {
    /// One for every repository.
    One(Asker),
    /// An App: for each repository the installation that it belongs to.
    EachInstallation(AppKey),
}

impl Asker {
    /// The person whose token is found.
    ///
    /// Errors: that there is none, and how to come by one; a file of `gh` that cannot be used.
    pub fn person(github: &GitHubAppSettings, environment: &Environment, purpose: Purpose) -> Result<Self, UsageError> {
        let api_url = &github.github_api_url;
        let found = person(api_url, environment, purpose)?;
        found.map(Self::Person).ok_or_else(|| no_token(api_url, purpose))
    }

    /// GitHub in this one's name. Call it inside a Tokio runtime; sends nothing yet.
    ///
    /// Errors: an address, token or key that cannot work.
    pub fn session(&self, api_url: &str, clock: Arc<dyn Clock>) -> anyhow::Result<GitHubSession> {
        match self {
            Self::Person(found) => github_of_person(api_url, found.token.clone(), clock),
            Self::Installation { key, id } => {
                let github = github_of_app(api_url, key.app_id, key.private_key.clone(), clock)?;
                Ok(GitHubSession::of_installation(github, *id))
            }
        }
    }

    /// Who it is, for people: `with the token in GH_TOKEN`.
    pub fn told(&self) -> String {
        match self {
            Self::Person(found) => format!("with the token in {}", found.from),
            Self::Installation { key, .. } => as_app(key),
        }
    }
}

impl Identity {
    /// An App, or the one installation of it that the command line, the Activity or the environment names.
    ///
    /// Errors: what is missing, or cannot be used.
    pub fn app(
        github: &GitHubAppSettings,
        environment: &Environment,
        purpose: Purpose,
        (app_id, named): (Option<i64>, Option<i64>),
    ) -> Result<Self, UsageError> {
        let key = app(github, environment, purpose, app_id)?;
        let installation = match named {
            Some(id) => Some(id),
            None => installation(environment, purpose)?,
        };
        Ok(match installation {
            Some(id) => Self::One(Asker::Installation { key, id: InstallationId(id) }),
            None => Self::EachInstallation(key),
        })
    }

    /// GitHub in its name. Call it inside a Tokio runtime; sends nothing yet.
    ///
    /// Errors: an address, token or key that cannot work.
    pub fn caller(&self, api_url: &str, clock: Arc<dyn Clock>) -> anyhow::Result<GitHubCaller> {
        match self {
            Self::One(asker) => Ok(GitHubCaller::One(asker.session(api_url, clock)?)),
            Self::EachInstallation(key) => {
                Ok(GitHubCaller::of_app(github_of_app(api_url, key.app_id, key.private_key.clone(), clock)?))
            }
        }
    }

    /// Who it is, for people: `as the App 12 with the key in GITHUB_APP_PRIVATE_KEY`.
    pub fn told(&self) -> String {
        match self {
            Self::One(asker) => asker.told(),
            Self::EachInstallation(key) => as_app(key),
        }
    }
}

fn as_app(key: &AppKey) -> String {
    format!("as the App {} with the key in {}", key.app_id, key.from)
}

//! In whose name GitHub is asked for a repository.

use super::{ForgeError, GitHubSession};
use crate::domain::{InstallationId, RepoName};
use crate::forge::GitHub;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// Who asks GitHub, for whatever repository.
#[derive(Clone, Debug)]
pub enum GitHubCaller {
    /// A person, or one installation of an App, for every repository.
    One(GitHubSession),
    /// An App: for each repository the installation that it belongs to.
    App(Installations),
}

/// The installations of an App, as far as they were asked for. Clones know the same ones.
#[derive(Clone, Debug)]
pub struct Installations {
    github: GitHub,
    /// By owner, in small letters: an account has one installation of an App.
    by_owner: Arc<Mutex<HashMap<String, Arc<OnceCell<InstallationId>>>>>,
}

/// Why an installation that was asked for is not the one of the owner's other repositories.
enum NotKept {
    /// The repository belongs to another account than its name says.
    Elsewhere(InstallationId),
    Failed(ForgeError),
}

impl GitHubCaller {
    /// An App, of which nothing but its key is known.
    pub fn of_app(github: GitHub) -> Self {
        Self::App(Installations { github, by_owner: Arc::default() })
    }

    /// Whoever asks for a repository. Costs an App a request for each owner.
    ///
    /// An installation may be for chosen repositories alone. That a repository is none of them is said here, or, where the
    /// installation is known by another one of its owner's, by the first request that is about it. Errors: [`ForgeError::Gone`]
    /// where the App is not installed.
    pub async fn for_repository(&self, name: &RepoName) -> Result<GitHubSession, ForgeError> {
        match self {
            Self::One(session) => Ok(session.clone()),
            Self::App(installations) => installations.of(name).await,
        }
    }

    /// The host of people's addresses: `github.com`.
    pub fn web_host(&self) -> String {
        match self {
            Self::One(session) => session.web_host(),
            Self::App(installations) => installations.github.web_host(),
        }
    }
}

impl Installations {
    async fn of(&self, name: &RepoName) -> Result<GitHubSession, ForgeError> {
        let cell = {
            let mut by_owner = self.by_owner.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(by_owner.entry(name.owner().to_ascii_lowercase()).or_default())
        };
        // Whoever comes meanwhile waits for the answer. What failed is asked again by each: it says nothing of its neighbours.
        let known = cell.get_or_try_init(async || {
            let found = self.github.installation_on(name).await.map_err(NotKept::Failed)?;
            // GitHub finds one that was transferred under its old name, and names the installation of its new owner.
            if found.account.eq_ignore_ascii_case(name.owner()) {
                Ok(found.id)
            } else {
                Err(NotKept::Elsewhere(found.id))
            }
        });
        let installation = match known.await {
            Ok(known) => *known,
            Err(NotKept::Elsewhere(other)) => other,
            Err(NotKept::Failed(error)) => return Err(error),
        };
        Ok(GitHubSession::of_installation(self.github.clone(), installation))
    }
}

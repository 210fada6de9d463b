//! GitHub for somebody who runs a command: repositories and pull requests by name, with a person's own token or that of an
//! installation of the App.
//!
//! What is asked and how it can fail is as in the rest of the room; whoever has a [`NamedRepository`] has the [`Target`] for
//! every method of [`GitHub`] as well: labels, reviewers, assignees, heads.

mod address;
mod caller;
mod listing;
mod pull;
mod summary;

pub use address::PullAddress;
pub use caller::{GitHubCaller, Installations};
pub use listing::Listing;
pub use pull::{NewPull, Opened};
pub use summary::ChecksState;

use super::client::{Call, path};
use super::settings::PersonSettings;
use super::tokens::{Access, TokenScope};
use super::{ForgeError, GitHub, Target};
use crate::domain::{Clock, InstallationId, RepoId, RepoName};
use secrecy::SecretString;
use serde::Deserialize;
use std::sync::Arc;

/// A person's token has no installation; this number is sent nowhere.
const NO_INSTALLATION: InstallationId = InstallationId(0);

/// GitHub in the name of one person, or of one installation of the App.
#[derive(Clone, Debug)]
pub struct GitHubSession {
    github: GitHub,
    installation: InstallationId,
}

/// A repository as GitHub tells of it to whoever asked by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRepository {
    /// What further requests need: its id, and its name today, which may be another than was asked for.
    pub target: Target,
    /// The branch that pull requests usually go to; `None` where GitHub does not say.
    pub default_branch: Option<String>,
    /// Whether it is read-only.
    pub archived: bool,
    /// Whether GitHub has blocked it.
    pub disabled: bool,
    /// Whether it is a fork of another one.
    pub fork: bool,
    /// Whether only some people may see it.
    pub private: bool,
    /// Whether whoever asked may push to it; `None` where GitHub does not say.
    pub may_push: Option<bool>,
    /// Where git clones it from by HTTPS.
    pub clone_url: String,
    /// Where git clones it from by SSH.
    pub ssh_url: String,
    /// Where people look at it.
    pub web_url: String,
}

#[derive(Deserialize)]
struct NamedBody {
    id: RepoId,
    full_name: String,
    #[serde(default)]
    default_branch: Option<String>,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    fork: bool,
    /// Taken as private unless GitHub says otherwise.
    #[serde(default)]
    private: Option<bool>,
    #[serde(default)]
    permissions: Option<PermissionsBody>,
    #[serde(default)]
    clone_url: String,
    #[serde(default)]
    ssh_url: String,
    #[serde(default)]
    html_url: String,
}

#[derive(Deserialize)]
struct PermissionsBody {
    #[serde(default)]
    push: bool,
}

impl NamedBody {
    fn into_repository(self, installation: InstallationId) -> Result<NamedRepository, crate::domain::repo::BadName> {
        let name = RepoName::parse(&self.full_name)?;
        Ok(NamedRepository {
            target: Target { installation, repo: self.id, name },
            default_branch: self.default_branch.filter(|branch| !branch.is_empty()),
            archived: self.archived,
            disabled: self.disabled,
            fork: self.fork,
            private: self.private.unwrap_or(true),
            may_push: self.permissions.map(|permissions| permissions.push),
            clone_url: self.clone_url,
            ssh_url: self.ssh_url,
            web_url: self.html_url,
        })
    }
}

impl GitHubSession {
    /// In the name of a person. Call it inside a Tokio runtime; sends nothing yet.
    ///
    /// Errors: [`ForgeError::Settings`] for an address or token that cannot work.
    pub fn of_person(settings: PersonSettings, clock: Arc<dyn Clock>) -> Result<Self, ForgeError> {
        Ok(Self { github: GitHub::of_person(settings, clock)?, installation: NO_INSTALLATION })
    }

    /// In the name of an installation of the App.
    pub fn of_installation(github: GitHub, installation: InstallationId) -> Self {
        Self { github, installation }
    }

    /// What does the requests that are not by name: labels, reviewers, assignees, each with the [`Target`] of a repository.
    pub fn github(&self) -> &GitHub {
        &self.github
    }

    /// The host of people's addresses: `github.com`.
    pub fn web_host(&self) -> String {
        self.github.client.web_host()
    }

    /// A repository by name.
    ///
    /// Errors: [`ForgeError::Gone`] where there is none, or none that may be seen.
    pub async fn repository(&self, name: &RepoName) -> Result<NamedRepository, ForgeError> {
        let call = Call::get(path(&["repos", name.owner(), name.name()]));
        let answer = self.github.client.send(&call, self.everywhere().into()).await?;
        let body: NamedBody = answer.read()?;
        body.into_repository(self.installation).map_err(|error| answer.not_understood(error.to_string()))
    }

    /// A token that git may push to a repository with, sent as the password of `x-access-token`. An installation's one is for
    /// this repository alone, with the permission to change workflows only if that is asked for.
    pub async fn git_token(&self, target: &Target, workflows: bool) -> Result<SecretString, ForgeError> {
        let client = &self.github.client;
        if let Some(token) = client.persons_token() {
            return Ok(token.clone());
        }
        let access = if workflows { Access::WriteWorkflows } else { Access::WriteContents };
        let token = client.tokens().get(client, target.scope(access)).await?;
        Ok(token.secret.clone())
    }

    /// What is asked of no repository in particular.
    fn everywhere(&self) -> TokenScope {
        TokenScope { installation: self.installation, repo: None, access: Access::Metadata }
    }
}

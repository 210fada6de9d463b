//! Where the App is installed, and which repositories it may work on there.
//!
//! Permissions: the App's JWT for installations; `metadata: read` for repositories.

use super::client::{Call, Identity, path};
use super::tokens::{Access, TokenScope};
use super::{ForgeError, GitHub, Target, pages};
use crate::domain::{InstallationId, RepoId, RepoName, RepoState, Repository};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::HashSet;

/// What kind of account an installation is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// An organisation.
    Organization,
    /// A person.
    User,
    /// An enterprise, or a kind that GitHub has added since.
    Other,
}

impl AccountKind {
    /// The kind GitHub's `type` stands for.
    pub fn from_type(word: &str) -> Self {
        match word {
            "Organization" => Self::Organization,
            "User" => Self::User,
            _ => Self::Other,
        }
    }

    /// The word the store keeps.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::User => "user",
            Self::Other => "other",
        }
    }
}

/// One installation of the App.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallationInfo {
    /// Its id.
    pub id: InstallationId,
    /// The account's name; a ghost's is empty.
    pub account: String,
    /// The account's kind.
    pub account_kind: AccountKind,
    /// Whether it is suspended, by its owner or by us.
    pub suspended: bool,
}

#[derive(Deserialize)]
struct AppBody {
    slug: String,
}

#[derive(Deserialize)]
struct InstallationBody {
    id: InstallationId,
    #[serde(default)]
    account: Option<AccountBody>,
    #[serde(default)]
    target_type: Option<String>,
    #[serde(default)]
    suspended_at: Option<String>,
}

#[derive(Deserialize)]
struct AccountBody {
    #[serde(default)]
    login: Option<String>,
    /// What enterprises have instead.
    #[serde(default)]
    slug: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
}

impl From<InstallationBody> for InstallationInfo {
    fn from(body: InstallationBody) -> Self {
        let (login, kind) =
            body.account.map(|account| (account.login.or(account.slug), account.kind)).unwrap_or_default();
        let kind = body.target_type.or(kind).unwrap_or_default();
        Self {
            id: body.id,
            account: login.unwrap_or_default(),
            account_kind: AccountKind::from_type(&kind),
            suspended: body.suspended_at.is_some(),
        }
    }
}

/// A repository as an installation's list tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRepository {
    /// The repository.
    pub repository: Repository,
    /// When somebody last pushed to any of its branches, by GitHub's clock.
    pub pushed_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct RepositoriesPage {
    repositories: Vec<RepositoryBody>,
}

#[derive(Deserialize)]
pub(super) struct RepositoryBody {
    id: RepoId,
    full_name: String,
    #[serde(default)]
    default_branch: Option<String>,
    /// Taken as private unless GitHub says otherwise.
    #[serde(default)]
    private: Option<bool>,
    #[serde(default)]
    fork: bool,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    html_url: String,
    #[serde(default)]
    pushed_at: Option<String>,
}

impl RepositoryBody {
    /// Whether not everybody may see it: private, or internal to an enterprise.
    pub(super) fn is_private(&self) -> bool {
        self.private.unwrap_or(true)
    }

    /// Its name today.
    pub(super) fn name(&self) -> Result<RepoName, crate::domain::repo::BadName> {
        RepoName::parse(&self.full_name)
    }

    fn into_repository(self, installation: InstallationId) -> Result<Repository, crate::domain::repo::BadName> {
        let private = self.is_private();
        Ok(Repository {
            id: self.id,
            installation,
            name: self.name()?,
            default_branch: self.default_branch.filter(|branch| !branch.is_empty()),
            private,
            fork: self.fork,
            state: state_of(self.disabled, self.archived),
            web_url: self.html_url,
        })
    }
}

/// What GitHub's two flags come to.
pub(super) fn state_of(disabled: bool, archived: bool) -> RepoState {
    match (disabled, archived) {
        (true, _) => RepoState::Disabled,
        (false, true) => RepoState::Archived,
        (false, false) => RepoState::Active,
    }
}

impl GitHub {
    /// The name of the account by which the App acts. No person's has brackets. Asked each time: an App can be renamed.
    pub(super) async fn own_login(&self) -> Result<String, ForgeError> {
        let answer = self.client.send(&Call::get(path(&["app"])), Identity::App).await?;
        Ok(format!("{}[bot]", answer.read::<AppBody>()?.slug))
    }

    /// All installations of the App, suspended ones included.
    pub async fn installations(&self) -> Result<Vec<InstallationInfo>, ForgeError> {
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        let first = path(&["app", "installations"]) + "?per_page=100";
        // An entry that moves from one page to the next while we read comes twice.
        let take = |page: Vec<InstallationBody>| {
            found.extend(page.into_iter().map(InstallationInfo::from).filter(|info| seen.insert(info.id)));
        };
        pages::read_all(&self.client, Identity::App, first, take).await?;
        Ok(found)
    }

    /// One installation. Errors: [`ForgeError::Gone`] once it is uninstalled.
    pub async fn installation(&self, id: InstallationId) -> Result<InstallationInfo, ForgeError> {
        let call = Call::get(path(&["app", "installations", &id.to_string()]));
        let answer = self.client.send(&call, Identity::App).await?;
        Ok(answer.read::<InstallationBody>()?.into())
    }

    /// The installation that a repository belongs to. One that was renamed or transferred is found under its old name too.
    ///
    /// Errors: [`ForgeError::Gone`] where the App is not installed, or not for this repository.
    pub async fn installation_on(&self, name: &RepoName) -> Result<InstallationInfo, ForgeError> {
        let call = Call::get(path(&["repos", name.owner(), name.name(), "installation"]));
        let answer = self.client.send(&call, Identity::App).await?;
        Ok(answer.read::<InstallationBody>()?.into())
    }

    /// The repositories an installation may work on, archived and disabled ones included.
    pub async fn repositories(&self, installation: InstallationId) -> Result<Vec<ListedRepository>, ForgeError> {
        let scope = TokenScope { installation, repo: None, access: Access::Metadata };
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        let first = path(&["installation", "repositories"]) + "?per_page=100";
        let take = |page: RepositoriesPage| {
            for body in page.repositories {
                let id = body.id;
                let pushed_at = body.pushed_at.as_deref().and_then(|at| at.parse().ok());
                match body.into_repository(installation) {
                    Ok(repository) if seen.insert(id) => found.push(ListedRepository { repository, pushed_at }),
                    Ok(_) => {}
                    // One odd name must not hide the other thousand repositories.
                    Err(error) => tracing::warn!(%installation, repo = %id, %error, "repository left out"),
                }
            }
        };
        pages::read_all(&self.client, scope.into(), first, take).await?;
        Ok(found)
    }

    /// One repository as it is now, under its current name.
    ///
    /// Errors: [`ForgeError::Moved`] when the name belongs to another repository by now.
    pub async fn repository(&self, target: &Target) -> Result<Repository, ForgeError> {
        let call = Call::get(target.path(&[]));
        let answer = self.client.send(&call, target.scope(Access::Metadata).into()).await?;
        let body: RepositoryBody = answer.read()?;
        target.must_be(body.id, &answer.endpoint)?;
        body.into_repository(target.installation).map_err(|error| answer.not_understood(error.to_string()))
    }
}

impl Target {
    /// Holds an answer's repository against the one that was meant.
    pub(super) fn must_be(&self, found: RepoId, endpoint: &str) -> Result<(), ForgeError> {
        if found == self.repo {
            return Ok(());
        }
        Err(ForgeError::Moved { endpoint: endpoint.into(), expected: self.repo.0, found: found.0 })
    }
}

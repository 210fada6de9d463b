//! What leaves this machine: a branch, and the pull request from it.
//!
//! A branch is moved only if it is ours: if a run pushed what stands there, or if what stands there is the very change. A pull
//! request is claimed only after GitHub itself has shown the pushed commit at its branch.

use super::address::Address;
use super::git::{BareClone, Commit, GitError, Lease};
use super::patience::Patience;
use crate::activity::{Forge, RepositoryForge};
use crate::domain::{Delivery, InstallationId, ObjectId, RepoName, RunPull};
use crate::forge::direct::{Direct, NamedRepository, NewPull};
use crate::forge::{ForgeError, GitHub};
use secrecy::SecretString;
use std::time::Duration;

/// As whom GitHub is asked.
#[derive(Clone, Debug)]
pub enum Access {
    /// As a person, or as one installation of an App.
    Direct(Direct),
    /// As the installation of an App that each repository belongs to.
    App(GitHub),
}

/// Opens pull requests on GitHub, at the pace that GitHub asks for.
pub struct Deliverer {
    access: Access,
    patience: Patience,
    /// How long there has to be between two writes.
    spacing: Duration,
    last_write: tokio::sync::Mutex<Option<tokio::time::Instant>>,
}

/// Why something did not leave this machine, for people.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// GitHub refused, or did not answer.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// Something else is in the way; the text says what to do.
    #[error("{0}")]
    Refused(String),
}

/// A repository on GitHub, as whoever delivers sees it.
#[derive(Clone, Debug)]
pub struct Place {
    direct: Direct,
    /// What GitHub says of it.
    pub repository: NamedRepository,
}

impl Place {
    /// The host that addresses of this GitHub name.
    pub fn host(&self) -> String {
        self.direct.web_host()
    }
}

/// The name by which a forge knows the repository of an address.
///
/// Errors: that it has none.
pub fn name_of(clone_url: &str) -> Result<RepoName, DeliveryError> {
    let address = Address::parse(clone_url).map_err(|error| DeliveryError::Git(error.into()))?;
    address.repository().ok_or_else(|| {
        let why = "its address names no repository on GitHub (OWNER/NAME), so no pull request can be opened for it";
        DeliveryError::Refused(why.into())
    })
}

impl Deliverer {
    /// Asks GitHub as somebody, with so much time between two writes.
    pub fn new(access: Access, patience: Patience, spacing: Duration) -> Self {
        Self { access, patience, spacing, last_write: tokio::sync::Mutex::new(None) }
    }

    /// Looks a repository up.
    ///
    /// Errors: [`DeliveryError::Refused`] also for one that is archived.
    pub async fn place(&self, name: &RepoName) -> Result<Place, DeliveryError> {
        let direct = match &self.access {
            Access::Direct(direct) => direct.clone(),
            Access::App(github) => {
                let installation = self.patiently(|| github.installation_on(name)).await?;
                Direct::of_installation(github.clone(), installation)
            }
        };
        let repository = self.patiently(|| direct.repository(name)).await?;
        if repository.archived || repository.disabled {
            let what = if repository.archived { "archived" } else { "disabled" };
            return Err(DeliveryError::Refused(format!("{name} is {what} on GitHub, so nothing can be pushed to it")));
        }
        Ok(Place { direct, repository })
    }

    /// A token for git, for one repository; with `workflows`, for one that may change workflows as well.
    pub async fn git_token(&self, place: &Place, workflows: bool) -> Result<SecretString, ForgeError> {
        self.patiently(|| place.direct.git_token(&place.repository.target, workflows)).await
    }

    /// Moves the branch of a repository to a commit, if it is ours to move, and looks whether GitHub has it. `earlier` are the
    /// commits that former runs pushed there. A branch that holds the same change already stays as it is: moving it would
    /// start every check anew. Returns the commit that is there then, and whether the branch moved.
    pub async fn push(
        &self,
        place: &Place,
        clone: &mut BareClone<'_>,
        commit: &Commit,
        branch: &str,
        earlier: &[ObjectId],
    ) -> Result<(ObjectId, bool), DeliveryError> {
        let (lease, stays) = match clone.commit_at(branch).await? {
            None => (Lease::Absent, false),
            Some(there) if there.id == commit.id => (Lease::At(there.id), true),
            Some(there) => {
                let ours = clone.commit_here(&commit.id).await?;
                let same = there.tree == ours.tree && there.message.trim() == ours.message.trim();
                if !same && !earlier.contains(&there.id) {
                    let id = there.id.as_str().get(..12).unwrap_or_default();
                    return Err(DeliveryError::Refused(format!(
                        "the branch {branch} is there already, at a commit that no run of this Activity pushed ({id}): it is \
                         left alone. Delete it, or name another `head_branch`"
                    )));
                }
                let stays = same && there.parents == ours.parents && there.author == ours.author;
                (Lease::At(there.id), stays)
            }
        };
        let expected = match lease {
            Lease::At(there) if stays => there,
            lease => {
                clone.push(commit, branch, &lease).await?;
                commit.id.clone()
            }
        };
        let target = &place.repository.target;
        match self.patiently(|| place.direct.ref_of(target, branch)).await? {
            Some(head) if head == expected => Ok((expected, !stays)),
            found => {
                let found = found.map_or_else(|| "has no such branch".to_owned(), |head| format!("has it at {head}"));
                Err(DeliveryError::Refused(format!(
                    "{branch} was pushed to {}, but the GitHub that is asked for pull requests {found}: does the address \
                     lead to another host than GITHUB_API_URL?",
                    target.name
                )))
            }
        }
    }

    /// Opens the pull request from a branch that is on GitHub, or brings the one that is open up to date. `moved` says whether
    /// the branch was moved just now.
    pub async fn propose(
        &self,
        place: &Place,
        forge: &Forge,
        words: &RepositoryForge,
        base: Option<&str>,
        moved: bool,
    ) -> Result<(RunPull, Option<String>), DeliveryError> {
        let Place { direct, repository } = place;
        let target = &repository.target;
        let base = words.base_branch.as_deref().or(base).or(repository.default_branch.as_deref());
        let base = base.ok_or_else(|| DeliveryError::Refused(format!("{} has no branch to go to", target.name)))?;
        if base == words.head_branch {
            let why = format!("`head_branch` and the branch it goes to are both {base}; name another `head_branch`");
            return Err(DeliveryError::Refused(why));
        }
        if !forge.git_push_first && self.patiently(|| direct.ref_of(target, &words.head_branch)).await?.is_none() {
            let why = format!(
                "{} has no branch {} on GitHub; push it, or set `git_push_first`",
                target.name, words.head_branch
            );
            return Err(DeliveryError::Refused(why));
        }
        let RepositoryForge { head_branch, title, body, .. } = words;
        let new = NewPull { head: head_branch, base, title, body, draft: forge.draft };
        self.turn().await;
        let opened = self.patiently(|| direct.open_pull(target, &new)).await?;
        let number = opened.pull.number;
        let delivery = match (opened.adopted, moved) {
            (false, _) => Delivery::Opened,
            (true, true) => Delivery::Updated,
            (true, false) => Delivery::Unchanged,
        };
        if opened.adopted {
            self.turn().await;
            self.patiently(|| direct.update_pull(target, number, (title, body))).await?;
        }
        let mut notes = Vec::new();
        if opened.no_draft {
            notes.push("it is no draft, since the repository has none".to_owned());
        }
        if !opened.adopted {
            notes.extend(self.dress(place, forge, number).await);
        }
        let pull = RunPull { number, url: opened.pull.url, delivery };
        Ok((pull, Some(notes.join("; ")).filter(|notes| !notes.is_empty())))
    }

    /// Labels, reviewers and assignees. What GitHub refuses of them is told, and no reason to fail: the pull request is open.
    async fn dress(&self, place: &Place, forge: &Forge, number: crate::domain::PullNumber) -> Vec<String> {
        let (github, target) = (place.direct.github(), &place.repository.target);
        let mut refused = Vec::new();
        let mut note = |what: &str, result: Result<(), ForgeError>| {
            if let Err(error) = result {
                refused.push(format!("its {what} could not be set: {error}"));
            }
        };
        if !forge.labels.is_empty() {
            self.turn().await;
            note("labels", self.patiently(|| github.add_labels(target, number, &forge.labels)).await);
        }
        let names = |names: &'_ [String]| names.to_vec();
        let (people, teams) = (names(&forge.reviewers), names(&forge.team_reviewers));
        if !people.is_empty() || !teams.is_empty() {
            let people: Vec<&str> = people.iter().map(String::as_str).collect();
            let teams: Vec<&str> = teams.iter().map(String::as_str).collect();
            self.turn().await;
            note("reviewers", self.patiently(|| github.request_reviews(target, number, (&people, &teams))).await);
        }
        if !forge.assignees.is_empty() {
            let people: Vec<&str> = forge.assignees.iter().map(String::as_str).collect();
            self.turn().await;
            note("assignees", self.patiently(|| github.assign(target, number, &people)).await.map(drop));
        }
        refused
    }

    /// Waits until the next write may be sent.
    async fn turn(&self) {
        let mut last = self.last_write.lock().await;
        if let Some(last) = *last {
            tokio::time::sleep_until(last + self.spacing).await;
        }
        *last = Some(tokio::time::Instant::now());
    }

    async fn patiently<T, F: Future<Output = Result<T, ForgeError>>>(
        &self,
        ask: impl FnMut() -> F,
    ) -> Result<T, ForgeError> {
        self.patience.with(|error| Some(error), ask).await
    }
}

/// As an installation of an App, where the Activity or the environment names one.
pub fn app_access(github: GitHub, installation: Option<i64>) -> Access {
    match installation {
        Some(id) => Access::Direct(Direct::of_installation(github, InstallationId(id))),
        None => Access::App(github),
    }
}

//! What leaves this machine: a branch, and the pull request from it.
//!
//! A branch is moved only if it is ours: if a run pushed what stands there, or if what stands there is the very change. A pull
//! request is claimed only after GitHub itself has shown the pushed commit at its branch.

use super::address::Address;
use super::git::{BareClone, Commit, CommitObject, GitError, Lease};
use super::retry::Retry;
use crate::activity::{Forge, PullRequestSpec};
use crate::domain::{Delivery, ObjectId, PullNumber, RepoName, RunPull};
use crate::forge::ForgeError;
use crate::forge::session::{GitHubCaller, GitHubSession, NamedRepository, NewPull};
use crate::store::RunPush;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

/// Looks repositories up on GitHub, waiting as long as GitHub asks for.
pub struct GitHubRepositories {
    caller: GitHubCaller,
    retry: Retry<'static>,
}

/// Opens pull requests on GitHub, at the pace that GitHub asks for.
pub struct Deliverer {
    repositories: Arc<GitHubRepositories>,
    /// How long there has to be between two writes.
    spacing: Duration,
    last_write: tokio::sync::Mutex<Option<tokio::time::Instant>>,
}

/// What became of a branch that was to be pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BranchOutcome {
    /// There was none.
    Created,
    /// It was moved to the new commit.
    Forward,
    /// It held the same change already, and stays.
    Stays,
}

/// A move of a branch that may be made.
#[derive(Clone, Debug)]
pub struct BranchUpdate {
    lease: Lease,
    /// The commit at which the branch stands afterwards.
    pub to: ObjectId,
    /// What becomes of it.
    pub moved: BranchOutcome,
}

impl BranchUpdate {
    /// Looks whether a branch, which is `there` now, may be moved to a commit. `earlier` are the runs that have pushed what stands
    /// there, and `activity` is the file whose branch it is to be. A branch that holds the same change already stays as it is: moving it would start
    /// every check anew.
    ///
    /// Errors: [`DeliveryError::Refused`] for a branch that is not ours.
    pub async fn of(
        clone: &mut BareClone<'_>,
        commit: &Commit,
        (branch, there): (&str, Option<CommitObject>),
        (activity, earlier): (&str, &[RunPush]),
    ) -> Result<Self, DeliveryError> {
        let Some(there) = there else {
            return Ok(Self { lease: Lease::Absent, to: commit.id.clone(), moved: BranchOutcome::Created });
        };
        let here = clone.commit_here(&commit.id).await?;
        let same = there.tree == here.tree && there.message.trim() == here.message.trim();
        let ours = earlier.iter().any(|push| push.activity == activity);
        if !same && !ours {
            let id = there.id.as_str().get(..12).unwrap_or_default();
            let whose = match earlier.first() {
                Some(push) => format!("which run {} of {} pushed", push.run, push.activity),
                None => "which no run kept here pushed".to_owned(),
            };
            return Err(DeliveryError::Refused(format!(
                "the branch {branch} is there already, at {id}, {whose}: it is left alone. Delete it, or name another \
                 `head_branch`"
            )));
        }
        let stays = same && there.parents == here.parents && there.author == here.author;
        let (to, moved) =
            if stays { (there.id.clone(), BranchOutcome::Stays) } else { (here.id, BranchOutcome::Forward) };
        Ok(Self { lease: Lease::At(there.id), to, moved })
    }

    /// Makes it.
    pub async fn make(&self, clone: &BareClone<'_>, commit: &Commit, branch: &str) -> Result<(), GitError> {
        match self.moved {
            BranchOutcome::Stays => Ok(()),
            BranchOutcome::Created | BranchOutcome::Forward => clone.push(commit, branch, &self.lease).await,
        }
    }
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
pub struct GitHubRepository {
    session: GitHubSession,
    /// What GitHub says of it.
    pub repository: NamedRepository,
}

impl GitHubRepository {
    /// The host that addresses of this GitHub name.
    pub fn host(&self) -> String {
        self.session.web_host()
    }

    /// `HOST/OWNER/NAME` in small letters: the repository's one name, whatever address it was found by.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.host(), self.repository.target.name).to_ascii_lowercase()
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

impl GitHubRepositories {
    /// Asks GitHub as somebody.
    pub fn new(caller: GitHubCaller, retry: Retry<'static>) -> Self {
        Self { caller, retry }
    }

    /// Looks a repository up.
    pub async fn find(&self, name: &RepoName) -> Result<GitHubRepository, DeliveryError> {
        let session = self.patiently(|| self.caller.for_repository(name)).await?;
        let repository = self.patiently(|| session.repository(name)).await?;
        Ok(GitHubRepository { session, repository })
    }

    /// A token for git, for one repository; with `workflows`, for one that may change workflows as well.
    pub async fn git_token(&self, remote: &GitHubRepository, workflows: bool) -> Result<SecretString, ForgeError> {
        self.patiently(|| remote.session.git_token(&remote.repository.target, workflows)).await
    }

    async fn patiently<T, F: Future<Output = Result<T, ForgeError>>>(
        &self,
        ask: impl FnMut() -> F,
    ) -> Result<T, ForgeError> {
        self.retry.run(|error| Some(error), ask).await
    }
}

impl Deliverer {
    /// Writes as somebody, with so much time between two writes.
    pub fn new(repositories: Arc<GitHubRepositories>, spacing: Duration) -> Self {
        Self { repositories, spacing, last_write: tokio::sync::Mutex::new(None) }
    }

    /// Looks a repository up that something is to be pushed to, if that was not done already.
    ///
    /// Errors: as [`GitHubRepositories::find`]; [`DeliveryError::Refused`] for one that is archived.
    pub async fn find(
        &self,
        clone_url: &str,
        known: Option<GitHubRepository>,
    ) -> Result<GitHubRepository, DeliveryError> {
        let remote = match known {
            Some(remote) => remote,
            None => self.repositories.find(&name_of(clone_url)?).await?,
        };
        may_be_written(&remote)?;
        Ok(remote)
    }

    /// Looks whether GitHub has a branch where it was pushed to.
    ///
    /// Errors: [`DeliveryError::Refused`] if it has not.
    pub async fn confirm(&self, remote: &GitHubRepository, branch: &str, at: &ObjectId) -> Result<(), DeliveryError> {
        let found = match self.head(remote, branch).await? {
            Some(head) if head == *at => return Ok(()),
            Some(head) => format!("has it at {head}"),
            None => "has no such branch".to_owned(),
        };
        Err(DeliveryError::Refused(format!(
            "{branch} was pushed to {}, but the GitHub that is asked for pull requests {found}: does the address lead to \
             another host than GITHUB_API_URL?",
            remote.repository.target.name
        )))
    }

    /// Where a branch stands on GitHub.
    pub async fn head(&self, remote: &GitHubRepository, branch: &str) -> Result<Option<ObjectId>, ForgeError> {
        self.patiently(|| remote.session.ref_of(&remote.repository.target, branch)).await
    }

    /// Opens the pull request from a branch that is on GitHub, or takes the one that is open. `moved` says what became of the
    /// branch just now, and is `None` where it was not pushed at all. An open one gets its title and text anew only with a new
    /// change on a branch that `was_ours`: else they stay as people have them. Returns a remark as well.
    pub async fn propose(
        &self,
        remote: &GitHubRepository,
        forge: &Forge,
        words: &PullRequestSpec,
        base: Option<&str>,
        (moved, was_ours): (Option<BranchOutcome>, bool),
    ) -> Result<(RunPull, Option<String>), DeliveryError> {
        let GitHubRepository { session, repository } = remote;
        let target = &repository.target;
        let base = words.base_branch.as_deref().or(base).or(repository.default_branch.as_deref());
        let base = base.ok_or_else(|| DeliveryError::Refused(format!("{} has no branch to go to", target.name)))?;
        goes_elsewhere(words, Some(base))?;
        if moved.is_none() && self.head(remote, &words.head_branch).await?.is_none() {
            return Err(no_branch(&target.name, &words.head_branch, forge.git_push_first));
        }
        let PullRequestSpec { head_branch, title, body, .. } = words;
        let new = NewPull { head: head_branch, base, title, body, draft: forge.draft };
        let opened = self.write(|| session.open_pull(target, &new)).await?;
        let number = opened.pull.number;
        let changed = matches!(moved, Some(BranchOutcome::Created | BranchOutcome::Forward));
        let delivery = match (opened.adopted, changed) {
            (false, _) => Delivery::Opened,
            (true, true) => Delivery::Updated,
            (true, false) => Delivery::Unchanged,
        };
        if opened.adopted && changed && was_ours {
            self.write(|| session.update_pull(target, number, (title, body))).await?;
        }
        let remark = opened.no_draft.then(|| "it is no draft, since the repository has none".to_owned());
        Ok((RunPull { number, url: opened.pull.url, delivery }, remark))
    }

    /// Labels, reviewers and assignees. What GitHub refuses of them is told, and no reason to fail: the pull request is open.
    pub async fn set_labels_and_people(
        &self,
        remote: &GitHubRepository,
        forge: &Forge,
        number: PullNumber,
    ) -> Vec<String> {
        let (github, target) = (remote.session.github(), &remote.repository.target);
        let mut refused = Vec::new();
        let mut note = |what: &str, result: Result<(), ForgeError>| {
            if let Err(error) = result {
                refused.push(format!("its {what} could not be set: {error}"));
            }
        };
        if !forge.labels.is_empty() {
            note("labels", self.write(|| github.add_labels(target, number, &forge.labels)).await);
        }
        let people: Vec<&str> = forge.reviewers.iter().map(String::as_str).collect();
        let teams: Vec<&str> = forge.team_reviewers.iter().map(String::as_str).collect();
        if !people.is_empty() || !teams.is_empty() {
            match self.write(|| github.request_reviews(target, number, (&people, &teams))).await {
                // GitHub asks all of them or nobody.
                Err(ForgeError::Invalid { .. }) if people.len() + teams.len() > 1 => {
                    let people = people.chunks(1).map(|one| (one, &[][..]));
                    for one in people.chain(teams.chunks(1).map(|one| (&[][..], one))) {
                        let name = one.0.iter().chain(one.1).copied().collect::<String>();
                        let asked = self.write(|| github.request_reviews(target, number, one)).await;
                        note(&format!("reviewer {name}"), asked);
                    }
                }
                asked => note("reviewers", asked),
            }
        }
        if !forge.assignees.is_empty() {
            let people: Vec<&str> = forge.assignees.iter().map(String::as_str).collect();
            match self.write(|| github.assign(target, number, &people)).await {
                Ok(set) => refused.extend(not_assigned(&people, &set)),
                Err(error) => note("assignees", Err(error)),
            }
        }
        refused
    }

    /// Asks GitHub to write something, each time in its turn: also what is repeated after a pause, for which many may wait.
    async fn write<T, F: Future<Output = Result<T, ForgeError>>>(
        &self,
        mut ask: impl FnMut() -> F,
    ) -> Result<T, ForgeError> {
        let in_turn = || {
            let answer = ask();
            async {
                self.turn().await;
                answer.await
            }
        };
        self.patiently(in_turn).await
    }

    /// Waits until the next write may be sent.
    async fn turn(&self) {
        let mut last = self.last_write.lock().await;
        let now = tokio::time::Instant::now();
        let next = last.map_or(now, |last| now.max(last + self.spacing));
        if next > now {
            self.repositories.retry.pause(next - now).await;
        }
        *last = Some(next);
    }

    async fn patiently<T, F: Future<Output = Result<T, ForgeError>>>(
        &self,
        ask: impl FnMut() -> F,
    ) -> Result<T, ForgeError> {
        self.repositories.patiently(ask).await
    }
}

/// A remark on those whom GitHub has passed over without a word.
fn not_assigned(asked: &[&str], set: &[String]) -> Option<String> {
    let is_set = |name: &&str| set.iter().any(|one| one.eq_ignore_ascii_case(name));
    let missing: Vec<&str> = asked.iter().copied().filter(|name| !is_set(name)).collect();
    let why = "GitHub assigns nobody who has no access to the repository";
    (!missing.is_empty()).then(|| format!("its assignees {} could not be set: {why}", missing.join(", ")))
}

fn may_be_written(GitHubRepository { repository, .. }: &GitHubRepository) -> Result<(), DeliveryError> {
    if !repository.archived && !repository.disabled {
        return Ok(());
    }
    let (name, what) = (&repository.target.name, if repository.archived { "archived" } else { "disabled" });
    Err(DeliveryError::Refused(format!("{name} is {what} on GitHub, so nothing can be pushed to it")))
}

/// Refuses a pull request from a branch to itself. `base` is where it goes if the Activity does not say.
pub(super) fn goes_elsewhere(words: &PullRequestSpec, base: Option<&str>) -> Result<(), DeliveryError> {
    match words.base_branch.as_deref().or(base) {
        Some(base) if base == words.head_branch => Err(DeliveryError::Refused(format!(
            "`head_branch` and the branch it goes to are both {base}; name another `head_branch`"
        ))),
        _ => Ok(()),
    }
}

/// That a branch is to be opened which neither is on GitHub nor was to be pushed; `pushes` tells whether one would have been.
pub(super) fn no_branch(name: &RepoName, branch: &str, pushes: bool) -> DeliveryError {
    let fix = if pushes {
        ", and no run has left a change here that is still to be sent: run an Activity with a `migration` first, or put both \
         sections into one"
    } else {
        "; push it, or set `git_push_first`"
    };
    DeliveryError::Refused(format!("{name} has no branch {branch} on GitHub{fix}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Clock;
    use crate::forge::PersonSettings;
    use futures_util::future::join;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    struct Still(jiff::Timestamp);

    impl Clock for Still {
        fn now(&self) -> jiff::Timestamp {
            self.0
        }
    }

    #[tokio::test]
    async fn what_is_written_again_after_a_pause_waits_for_its_turn() {
        let now: jiff::Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(Still(now));
        let pauses = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&pauses);
        let retry = Retry::new(Arc::clone(&clock), |_| {}).pausing(move |time| {
            noted.lock().unwrap().push(time);
            Box::pin(tokio::task::yield_now())
        });
        let nobody = PersonSettings::new("http://127.0.0.1:1", "x".to_owned().into());
        let caller = GitHubCaller::One(GitHubSession::of_person(nobody, clock).unwrap());
        // Far more than this test takes: whoever waits for a turn is told from whoever waits for GitHub.
        let hour = Duration::from_secs(3600);
        let deliverer = Deliverer::new(Arc::new(GitHubRepositories::new(caller, retry)), hour);
        let write = async || {
            let first = AtomicBool::new(true);
            let limited = || ForgeError::RateLimited { until: now, secondary: true, endpoint: "POST /x".into() };
            let once = || async { if first.swap(false, Ordering::Relaxed) { Err(limited()) } else { Ok(()) } };
            deliverer.write(once).await.unwrap();
        };
        join(write(), write()).await;
        let turns = pauses.lock().unwrap().iter().filter(|pause| **pause > hour / 2).count();
        assert_eq!(turns, 3, "four writes, of which the first waits for none");
    }
}

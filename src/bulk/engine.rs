//! The run itself: many repositories side by side, each on its own. What goes wrong with one is that one's outcome.
//!
//! Whatever is known of a repository is stored as soon as it is known. A run that was interrupted goes on from there, and what
//! was sent already is found again: the same change on the same base is the same commit.

use super::address::Address;
use super::git::{Commit, ForgeCredential, Git, GitSettings};
use super::github::{Deliverer, GitHubRepositories, GitHubRepository, name_of};
use super::results::{ResultSender, write_results};
use super::working_clone::{Tools, WorkingClone};
use crate::activity::{Activity, ForgeKind, RepositoryPlan};
use crate::domain::{Clock, PatchOutcome, Phase, Run, RunRepository, RunState, SourcedRepository};
use crate::forge::ForgeError;
use crate::store::{LastChange, RunLease, Store, StoreError};
use futures_util::FutureExt as _;
use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// The most of a diff that is kept. Unit: bytes.
const DIFF_BYTES: usize = 1 << 20;

/// How far repositories are taken in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stages {
    /// Up to the commit in the clone.
    Prepare,
    /// From the commit to the pull request.
    Deliver,
    /// All of it.
    Whole,
}

/// Hears how a run goes on.
pub trait RunObserver: Send + Sync {
    /// Work on a repository begins.
    fn begins(&self, row: &RunRepository);
    /// Work on it ended for now.
    fn ended(&self, row: &RunRepository);
    /// Something people should know meanwhile.
    fn says(&self, what: &str);
}

/// What a run is given.
pub struct Engine {
    /// What work in clones needs.
    pub tools: Tools,
    /// How git is set up, for those repositories that need a token of their own.
    pub git: GitSettings,
    /// What is done.
    pub activity: Activity,
    /// Where pull requests go; `None` where nothing leaves this machine.
    pub deliverer: Option<Deliverer>,
    /// Where each repository's own token for git comes from; `None` where all are cloned with one, or with none.
    pub tokens: Option<Arc<GitHubRepositories>>,
    /// How many repositories are worked on at a time.
    pub parallel: usize,
    /// The run. Commits carry the time at which it began, so that a repeat makes the same ones.
    pub run: Run,
    /// That this process works on it.
    pub lease: RunLease,
    /// Where what is known is stored.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Hears of it.
    pub observer: Arc<dyn RunObserver>,
}

/// A repository of a run, with what is to be done with it.
#[derive(Clone, Debug)]
pub struct RunItem {
    /// How it stands.
    pub row: RunRepository,
    /// What is to be done.
    pub plan: RepositoryPlan,
}

/// What went wrong, and in which phase.
pub(super) struct Failure {
    pub(super) phase: Phase,
    pub(super) why: String,
}

impl Failure {
    pub(super) fn at<E: Display>(phase: Phase) -> impl Fn(E) -> Self {
        move |error| Self { phase, why: error.to_string() }
    }
}

impl Engine {
    /// Takes repositories through some stages, several at a time, and returns how they stand then, in their order. When `stop` says
    /// so, no other is begun, and those under way come to their end.
    ///
    /// Errors: [`StoreError`] where what is known cannot be stored, or another process has taken the run up; then no other is begun
    /// either.
    pub async fn go(
        self: &Arc<Self>,
        items: Vec<RunItem>,
        stages: Stages,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Vec<RunItem>, StoreError> {
        let (results, writer) = write_results(self.lease.clone(), self.store.clone());
        let permits = Arc::new(Semaphore::new(self.parallel.max(1)));
        let mut done: Vec<RunItem> = Vec::with_capacity(items.len());
        let mut under_way = JoinSet::new();
        let mut items = items.into_iter();
        let mut held = Ok(());
        loop {
            let next = tokio::select! {
                // A stop counts before whatever else could be begun.
                biased;
                () = async { drop(stop.wait_for(|stop| *stop).await) } => None,
                Some(ended) = under_way.join_next(), if !under_way.is_empty() => {
                    done.push(self.ended(ended));
                    continue;
                }
                permit = Arc::clone(&permits).acquire_owned() => permit.ok().and_then(|permit| Some((permit, items.next()?))),
            };
            let Some((permit, item)) = next.filter(|_| !results.is_closed()) else { break };
            if item.row.state != RunState::Waiting {
                done.push(item);
                continue;
            }
            // Before anything is done with it: what is stored would tell only then that another process has taken the run up.
            held = self.store.is_held(&self.lease).await;
            if held.is_err() {
                break;
            }
            let (engine, results) = (Arc::clone(self), results.clone());
            under_way.spawn(async move {
                let item = engine.work_on(item, stages, &results).await;
                drop(permit);
                item
            });
        }
        while let Some(ended) = under_way.join_next().await {
            done.push(self.ended(ended));
        }
        done.extend(items);
        drop(results);
        writer.close().await?;
        held?;
        done.sort_by_key(|item| item.row.position);
        Ok(done)
    }

    fn ended(&self, ended: Result<RunItem, tokio::task::JoinError>) -> RunItem {
        let item = ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        self.observer.ended(&item.row);
        item
    }

    async fn work_on(&self, mut item: RunItem, stages: Stages, results: &ResultSender) -> RunItem {
        self.observer.begins(&item.row);
        // One at which this program panics is a failure of its repository, and of no other. Nothing else is shared.
        let attempt = AssertUnwindSafe(self.attempt(&mut item, stages, results)).catch_unwind().await;
        let failure = match attempt {
            Ok(attempt) => attempt.err(),
            Err(_) => {
                let why = "mass-driver itself failed at this repository; that is a fault of it, please report it";
                Some(Failure { phase: item.row.phase, why: why.into() })
            }
        };
        if let Some(Failure { phase, why }) = failure {
            (item.row.phase, item.row.state, item.row.reason) = (phase, RunState::Failed, Some(why));
        }
        results.save(&item.row, None).await;
        item
    }

    async fn attempt(&self, item: &mut RunItem, stages: Stages, results: &ResultSender) -> Result<(), Failure> {
        let RunItem { row, plan } = item;
        let mut repository = row.repository.clone();
        if let Some(base) = plan.forge.as_ref().and_then(|words| words.base_branch.clone()) {
            // A change that begins elsewhere would bring along what only stands there.
            repository.upstream_branch = Some(base);
        }
        let (own, remote) = self.own_git(&repository).await?.unzip();
        let git = own.as_ref().unwrap_or(&self.tools.git);
        let made = self.made_before(row, plan, stages).await?;
        let fixed = plan.forge.as_ref().is_some_and(|words| words.base_branch.is_some());
        if let Some(branch) = made.as_ref().and_then(|made| made.base_branch.clone()).filter(|_| !fixed) {
            // The change goes to where it came from, whatever the repository or the Activity says by now.
            repository.upstream_branch = Some(branch);
        }
        let kept = match &made {
            Some(made) => self.reopened(git, &repository, made).await?,
            None => None,
        };
        // Where nobody makes it again.
        let lost = made.filter(|_| kept.is_none() && plan.migration.is_none());
        let (mut work, commit) = match kept {
            Some((work, commit)) => (work, Some(commit)),
            // What was prepared is gone, or nothing was: the same change on the same base is the same commit.
            None => {
                let clone = git.clone(&repository).await.map_err(Failure::at(Phase::Clone))?;
                if clone.leaves_out_uncommitted() {
                    self.observer.says(&format!("{}: what is not committed there stays out of it", repository.id));
                }
                (WorkingClone::new(&self.tools, &repository, clone), None)
            }
        };
        (row.base_branch, row.base) = match lost.as_ref().filter(|lost| lost.base.is_some()) {
            Some(lost) => (lost.base_branch.clone(), lost.base.clone()),
            None => (work.clone.branch().map(str::to_owned), Some(work.clone.base().clone())),
        };
        row.folder = Some(work.clone.folder().display().to_string());
        if stages != Stages::Deliver || commit.is_none() {
            self.scan(&mut work, row, plan).await?;
        }
        let commit = match commit {
            Some(commit) => Some(commit),
            None => self.change(&mut work, row, plan, results).await?,
        };
        if stages == Stages::Prepare && self.goes_on(row) {
            return Ok(());
        }
        self.deliver(&mut work.clone, remote, row, plan, (commit, lost), results).await?;
        row.state = RunState::Done;
        Ok(())
    }

    /// The commit that is to be delivered, where it was made before, and its clone: in the first stages of this run, or by another
    /// Activity where this one makes none.
    async fn made_before(
        &self,
        row: &RunRepository,
        plan: &RepositoryPlan,
        stages: Stages,
    ) -> Result<Option<LastChange>, Failure> {
        match (stages, &plan.migration, &plan.forge) {
            (Stages::Deliver, Some(_), _) => {
                let RunRepository { commit, folder, base_branch, base, .. } = row.clone();
                Ok(commit.map(|commit| LastChange { commit, folder, there: None, base_branch, base }))
            }
            (_, None, Some(words)) if self.pushes() => {
                let known = self.store.last_change_of(&row.repository.clone_url, &words.head_branch).await;
                known.map_err(Failure::at(Phase::Clone))
            }
            _ => Ok(None),
        }
    }

    /// The clone of a change, at what it began from, and its commit; `None` where any of these is gone.
    async fn reopened<'a, 'g>(
        &'a self,
        git: &'g Git,
        repository: &'a SourcedRepository,
        made: &LastChange,
    ) -> Result<Option<(WorkingClone<'a, 'g>, Commit)>, Failure> {
        let (Some(folder), Some(base)) = (&made.folder, &made.base) else { return Ok(None) };
        let began = (made.base_branch.as_deref(), base);
        let clone = git.reopen(repository, Path::new(folder), began).await.map_err(Failure::at(Phase::Clone))?;
        let Some(mut clone) = clone else { return Ok(None) };
        let commit = clone.made(&made.commit).await.map_err(Failure::at(Phase::Clone))?;
        Ok(commit.map(|commit| (WorkingClone::new(&self.tools, repository, clone), commit)))
    }

    /// Whether something of a repository is still to be delivered after it was prepared.
    pub(super) fn goes_on(&self, row: &RunRepository) -> bool {
        let changed = row.outcome.is_none_or(|outcome| outcome == PatchOutcome::Patched);
        self.activity.forge.is_some() && changed
    }

    /// Whether commits are pushed, or would be if this were no dry run.
    pub(super) fn pushes(&self) -> bool {
        self.activity.forge.as_ref().is_some_and(|forge| forge.git_push_first && forge.kind != ForgeKind::Dummy)
    }

    /// git with a token for one repository, where each has its own, and what GitHub says of the repository.
    async fn own_git(&self, repository: &SourcedRepository) -> Result<Option<(Git, GitHubRepository)>, Failure> {
        // ssh has keys, and a folder needs nobody's leave.
        let is_http = Address::parse(&repository.clone_url).is_ok_and(|address| address.http().is_some());
        let Some(repositories) = self.tokens.as_ref().filter(|_| is_http) else { return Ok(None) };
        let name = name_of(&repository.clone_url).map_err(Failure::at(Phase::Clone))?;
        let remote = repositories.find(&name).await.map_err(Failure::at(Phase::Clone))?;
        let workflows = self.deliverer.is_some();
        let token = match repositories.git_token(&remote, workflows).await {
            // Whether workflows change is known only later; where the App may not change any, the token is refused as a whole.
            Err(ForgeError::Forbidden { .. } | ForgeError::Invalid { .. }) if workflows => {
                repositories.git_token(&remote, false).await
            }
            answered => answered,
        };
        let credential =
            Some(ForgeCredential { host: remote.host(), token: token.map_err(Failure::at(Phase::Clone))? });
        Ok(Some((Git::new(GitSettings { credential, ..self.git.clone() }), remote)))
    }

    async fn scan(
        &self,
        work: &mut WorkingClone<'_, '_>,
        row: &mut RunRepository,
        plan: &RepositoryPlan,
    ) -> Result<(), Failure> {
        let Some(scan) = &self.activity.scan else { return Ok(()) };
        row.phase = Phase::Scan;
        row.scans = work.scan(scan, self.clock.now()).await.map_err(Failure::at(Phase::Scan))?;
        let failed: Vec<String> = (row.scans.iter())
            .filter_map(|(name, scanned)| Some(format!("{name}: {}", scanned.facts.as_ref().err()?)))
            .collect();
        if !failed.is_empty() && plan.migration.is_none() {
            return Err(Failure { phase: Phase::Scan, why: failed.join("; ") });
        }
        Ok(())
    }

    /// Has the change made. Returns the commit, where there is one.
    async fn change(
        &self,
        work: &mut WorkingClone<'_, '_>,
        row: &mut RunRepository,
        plan: &RepositoryPlan,
        results: &ResultSender,
    ) -> Result<Option<Commit>, Failure> {
        let (Some(migration), Some(section)) = (&plan.migration, &self.activity.migration) else { return Ok(None) };
        row.phase = Phase::Patch;
        row.branch = Some(migration.branch.clone());
        let made =
            work.patch(migration, &section.allow, self.run.started_at).await.map_err(Failure::at(Phase::Patch))?;
        (row.outcome, row.reason) = (Some(made.outcome), made.note.clone());
        if made.outcome == PatchOutcome::Error {
            let why = made.note.unwrap_or_else(|| "the driver does not say why".to_owned());
            return Err(Failure { phase: Phase::Patch, why });
        }
        let Some(commit) = made.commit else {
            // A former attempt may have made one.
            if row.commit.is_some() {
                row.set_commit(None);
                results.save(row, Some(String::new())).await;
            }
            return Ok(None);
        };
        row.set_commit(Some(commit.id.clone()));
        let diff = work.clone.diff(&commit, DIFF_BYTES).await.map_err(Failure::at(Phase::Patch))?;
        let diff = if diff.1 { diff.0 } else { diff.0 + "\n… the rest is not kept\n" };
        results.save(row, Some(diff)).await;
        Ok(Some(commit))
    }
}

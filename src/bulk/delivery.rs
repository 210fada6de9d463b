//! From the commit in a clone to the pull request, with what is known of former runs.

use super::engine::{Engine, Failure};
use super::git::{BareClone, Commit, GitError};
use super::github::{BranchOutcome, BranchUpdate, Deliverer, GitHubRepository, goes_elsewhere, name_of, no_branch};
use super::results::ResultSender;
use crate::activity::{Forge, ForgeKind, PullRequestSpec, RepositoryPlan};
use crate::domain::{Delivery, ObjectId, Phase, RunRepository};
use crate::store::{LastChange, RunPush, StoreError};

impl Engine {
    /// Sends a change that was made, and opens its pull request; in a dry run, says that it would.
    pub(super) async fn deliver(
        &self,
        clone: &mut BareClone<'_>,
        remote: Option<GitHubRepository>,
        row: &mut RunRepository,
        plan: &RepositoryPlan,
        (commit, lost): (Option<Commit>, Option<LastChange>),
        results: &ResultSender,
    ) -> Result<(), Failure> {
        let (Some(forge), Some(words)) = (&self.activity.forge, &plan.forge) else { return Ok(()) };
        if !self.goes_on(row) {
            return Ok(());
        }
        let commit = commit.filter(|_| self.pushes());
        let Some(deliverer) = &self.deliverer else {
            return self.foretell(clone, row, (forge, words), (commit, lost)).await;
        };
        let remote = deliverer.find(&row.repository.clone_url, remote).await.map_err(Failure::at(Phase::Propose))?;
        let branch = &words.head_branch;
        row.branch = Some(branch.clone());
        goes_elsewhere(words, row.base_branch.as_deref()).map_err(Failure::at(Phase::Propose))?;
        let (mut moved, mut was_ours) = (None, false);
        if let Some(commit) = commit {
            let sent = self.send(deliverer, clone, &remote, row, (&commit, branch), results).await?;
            (moved, was_ours) = (Some(sent.0), sent.1);
        }
        row.phase = Phase::Propose;
        if let Some(lost) = lost {
            let head = deliverer.head(&remote, branch).await.map_err(Failure::at(Phase::Propose))?;
            still_there(&lost, head.as_ref())?;
        }
        let before = row.pull.clone();
        let proposed = deliverer.propose(&remote, forge, words, row.base_branch.as_deref(), (moved, was_ours)).await;
        let (mut pull, remark) = proposed.map_err(Failure::at(Phase::Propose))?;
        if before.is_some_and(|before| before.number == pull.number && before.delivery == Delivery::Opened) {
            pull.delivery = Delivery::Opened;
        }
        row.pull = Some(pull.clone());
        results.save(row, None).await;
        // One that was there already may be from a run that did not come to its end. One that somebody else opened, or that a run
        // was done with, is left as people have it.
        let may_be_bare = pull.delivery == Delivery::Opened || moved == Some(BranchOutcome::Created) || was_ours;
        let is_done = self.store.a_run_is_done_with(&pull.url).await.map_err(Failure::at(Phase::Propose))?;
        let mut remarks: Vec<String> = remark.into_iter().collect();
        if may_be_bare && !is_done {
            remarks.extend(deliverer.set_labels_and_people(&remote, forge, pull.number).await);
        }
        remarks.into_iter().for_each(|remark| add(&mut row.reason, remark));
        Ok(())
    }

    /// Says what would be sent, or refuses as a run would. Only git is asked, and only what is there.
    async fn foretell(
        &self,
        clone: &mut BareClone<'_>,
        row: &mut RunRepository,
        (forge, words): (&Forge, &PullRequestSpec),
        (commit, lost): (Option<Commit>, Option<LastChange>),
    ) -> Result<(), Failure> {
        let would = format!("a pull request would be opened: {}", words.title);
        if forge.kind == ForgeKind::Dummy {
            add(&mut row.reason, would);
            return Ok(());
        }
        let name = match name_of(&row.repository.clone_url) {
            Ok(name) => name,
            Err(error) => {
                add(&mut row.reason, format!("this cannot be sent: {error}"));
                return Ok(());
            }
        };
        goes_elsewhere(words, row.base_branch.as_deref()).map_err(Failure::at(Phase::Propose))?;
        let branch = &words.head_branch;
        match commit {
            Some(commit) => {
                let (plan, _) = self.plan(clone, &commit, branch).await?;
                if plan.moved == BranchOutcome::Created
                    && let Some(other) = clone.in_the_way_of(branch).await.map_err(Failure::at(Phase::Push))?
                {
                    return Err(Failure::at(Phase::Push)(GitError::in_the_way(&other, branch)));
                }
            }
            None => {
                let head = clone.head_of(branch).await.map_err(Failure::at(Phase::Push))?;
                if let Some(lost) = lost {
                    still_there(&lost, head.as_ref())?;
                }
                if head.is_none() {
                    return Err(Failure::at(Phase::Propose)(no_branch(&name, branch, forge.git_push_first)));
                }
            }
        }
        add(&mut row.reason, would);
        Ok(())
    }

    /// Has the branch stand at the commit, or at an older one with the same change. Returns what became of it, and whether this
    /// Activity had pushed to it before.
    async fn send(
        &self,
        deliverer: &Deliverer,
        clone: &mut BareClone<'_>,
        remote: &GitHubRepository,
        row: &mut RunRepository,
        (commit, branch): (&Commit, &str),
        results: &ResultSender,
    ) -> Result<(BranchOutcome, bool), Failure> {
        row.phase = Phase::Push;
        row.set_commit(Some(commit.id.clone()));
        if remote.repository.default_branch.as_deref() == Some(branch) {
            let why = format!(
                "{branch} is the default branch of the repository, which is not moved; name another `head_branch`"
            );
            return Err(Failure { phase: Phase::Push, why });
        }
        let (name, activity) = (remote.full_name(), &self.run.activity);
        let (plan, earlier) = self.plan(clone, commit, branch).await?;
        let was_ours = earlier.iter().any(|push| push.activity == *activity);
        let is_ours = match plan.moved {
            BranchOutcome::Created | BranchOutcome::Forward => true,
            // What another Activity pushed may well be the very commit; it does not become ours by standing there.
            BranchOutcome::Stays if earlier.is_empty() => plan.to == commit.id,
            // It stays ours however many runs change nothing.
            BranchOutcome::Stays => was_ours,
        };
        let is_news = is_ours && self.store_push(row, &name, branch, &plan.to).await?;
        if let Err(error) = plan.make(clone, commit, branch).await {
            // What an earlier attempt sent may have arrived since.
            if error.is_refused_push() && is_news {
                self.forget_push(&name, branch, &plan.to).await;
            }
            return Err(Failure::at(Phase::Push)(error));
        }
        row.pushed = Some(plan.to.clone());
        results.save(row, None).await;
        deliverer.confirm(remote, branch, &plan.to).await.map_err(Failure::at(Phase::Push))?;
        Ok((plan.moved, was_ours))
    }

    /// How a branch is to be moved to a commit, and the runs that have pushed what stands there.
    async fn plan(
        &self,
        clone: &mut BareClone<'_>,
        commit: &Commit,
        branch: &str,
    ) -> Result<(BranchUpdate, Vec<RunPush>), Failure> {
        let there = clone.commit_at(branch).await.map_err(Failure::at(Phase::Push))?;
        let earlier = match &there {
            Some(there) => self.store.pushes_of(&there.id, branch).await.map_err(Failure::at(Phase::Push))?,
            None => Vec::new(),
        };
        let plan = BranchUpdate::of(clone, commit, (branch, there), (&self.run.activity, &earlier)).await;
        Ok((plan.map_err(Failure::at(Phase::Push))?, earlier))
    }

    /// Stores that the branch is ours, and that the change went there, before it is pushed: whatever happens to this process then,
    /// both are known. `false` if an earlier attempt has stored the same.
    async fn store_push(
        &self,
        row: &RunRepository,
        repository: &str,
        branch: &str,
        commit: &ObjectId,
    ) -> Result<bool, Failure> {
        let stored = async {
            let mut tx = self.store.begin().await?;
            tx.save_run_repository(&self.lease, row).await?;
            let is_news = tx.save_run_push(self.run.id, repository, branch, commit).await?;
            tx.commit().await?;
            Ok::<_, StoreError>(is_news)
        };
        stored.await.map_err(Failure::at(Phase::Push))
    }

    /// Forgets that, of a push that was refused. Where it cannot be forgotten, the change counts as sent: that is the safe side.
    async fn forget_push(&self, repository: &str, branch: &str, commit: &ObjectId) {
        let _ = async {
            let mut tx = self.store.begin().await?;
            tx.forget_run_push(&self.lease, repository, branch, commit).await?;
            tx.commit().await
        }
        .await;
    }
}

/// Refuses to speak for a change that was lost here and is not on its branch either, which stands at `head`.
fn still_there(lost: &LastChange, head: Option<&ObjectId>) -> Result<(), Failure> {
    let LastChange { commit, there, .. } = lost;
    if head.is_some_and(|head| head == commit || Some(head) == there.as_ref()) {
        return Ok(());
    }
    let why = "the change that a run made here is not in the cache any more, or another run works with it now: run the Activity \
               that makes it once more";
    Err(Failure { phase: Phase::Push, why: why.into() })
}

fn add(reason: &mut Option<String>, more: String) {
    *reason = Some(reason.take().map_or(more.clone(), |reason| format!("{reason}; {more}")));
}

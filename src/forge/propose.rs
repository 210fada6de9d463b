//! From a change to a pull request: tree, commit, branch, pull request, and nothing twice.
//!
//! Every step may have been done by an attempt that was killed, or whose answer was lost. What stands in the way is
//! therefore compared: the same files on the same base are our own work and adopted, anything else is a person's and
//! left alone.
//!
//! Permissions: `contents: write`, `pull_requests: write`, and `workflows: write` if the change touches workflows.

use super::client::Identity;
use super::git_data::{Tip, touches_workflows};
use super::pulls::{PullState, PullStatus};
use super::session::NewPull;
use super::tokens::Access;
use super::{ForgeError, GitHub, Target};
use crate::domain::{Change, ObjectId, Progress, PullRequest};

/// A change that stands on GitHub as a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposed {
    /// The pull request.
    pub pull: PullRequest,
    /// Whether it was there already, from an attempt whose end we did not see.
    pub adopted: bool,
    /// Whether it should be a draft and is none, because the repository has none.
    pub no_draft: bool,
    /// Its status: an adopted one may have been closed or merged since.
    pub status: PullStatus,
}

/// Where a change stands after one more write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advance {
    /// It got so far; there is more to write.
    Further(Progress),
    /// It is a pull request.
    Arrived(Proposed),
}

/// How far a change is taken back after one write at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retreat {
    /// The branch is ours, by this tree; to be deleted next.
    Recognised(ObjectId),
    /// Nothing of it is left, but for what is not ours.
    Done,
    /// It is a pull request, and stays one.
    Kept(Proposed),
}

/// A change on its way, with what is needed at each step.
pub(super) struct Attempt<'a> {
    pub(super) target: &'a Target,
    pub(super) change: &'a Change,
    pub(super) identity: Identity,
    /// The tree the change makes.
    pub(super) tree: ObjectId,
}

impl Attempt<'_> {
    /// Whether a commit is what this change makes, whichever attempt made it.
    pub(super) fn made(&self, tip: &Tip) -> bool {
        tip.tree == self.tree && tip.parents == self.change.parents()
    }

    /// The commit of a branch that is ours.
    fn own(&self, tip: Tip) -> Result<ObjectId, ForgeError> {
        if self.made(&tip) { Ok(tip.commit) } else { Err(self.foreign_branch(&tip, None)) }
    }

    pub(super) fn conflict(&self, why: String, found: Option<ObjectId>, pull: Option<&PullState>) -> ForgeError {
        let endpoint = format!("POST {}", self.target.path(&["git", "refs"]));
        ForgeError::Conflict { endpoint, why, found, pull: pull.map(|pull| pull.number) }
    }

    pub(super) fn foreign_branch(&self, tip: &Tip, pull: Option<&PullState>) -> ForgeError {
        let why = format!(
            "the branch `{}` holds {}, which is not this change on {}",
            self.change.branch, tip.commit, self.change.base.commit
        );
        self.conflict(why, Some(tip.commit.clone()), pull)
    }
}

impl GitHub {
    /// Makes a commit on a new branch and opens a pull request for it.
    ///
    /// Four requests: tree, commit, ref, pull request. Pass `look_first` when an earlier attempt may have got part of
    /// the way, that is after any error or a restart: then what that attempt left is looked for and adopted.
    ///
    /// Errors: [`ForgeError::Conflict`] when the branch holds something else, [`ForgeError::StaleBase`] when the base
    /// is gone, [`ForgeError::NoChange`] when there is nothing to propose, and all of what any request may fail with.
    pub async fn propose(&self, target: &Target, change: &Change, look_first: bool) -> Result<Proposed, ForgeError> {
        let mut stage = if look_first {
            self.take_up(target, change).await?
        } else {
            self.advance(target, change, &Progress::default()).await?
        };
        loop {
            match stage {
                Advance::Arrived(proposed) => return Ok(proposed),
                Advance::Further(progress) => stage = self.advance(target, change, &progress).await?,
            }
        }
    }

    /// Sends the next write of a change, and that one alone: its tree, its commit, its branch or its pull request.
    ///
    /// `progress` is what GitHub answered so far, with nothing sent since that is not in it. Whoever cannot say that
    /// calls [`GitHub::take_up`] first. A tree of more than 100 files takes several requests.
    ///
    /// Errors: as of [`GitHub::propose`].
    pub async fn advance(&self, target: &Target, change: &Change, progress: &Progress) -> Result<Advance, ForgeError> {
        let identity = target.scope(access(change)).into();
        let further = |progress| Ok(Advance::Further(progress));
        if let (Some(onto), []) = (&change.onto, change.files.as_slice()) {
            // Its branch holds all of it: only the words are to follow.
            let attempt = Attempt { target, change, identity, tree: change.base.tree.clone() };
            return self.renew_pull(&attempt, onto, onto.head.clone()).await.map(Advance::Arrived);
        }
        let Some(tree) = progress.tree.clone() else {
            let tree = self.changed_tree(target, change, identity).await?;
            return further(Progress { tree: Some(tree), ..progress.clone() });
        };
        let Some(commit) = progress.commit.clone() else {
            let commit = self.write_commit(target, change, &tree, identity).await?;
            return further(Progress { commit: Some(commit), ..progress.clone() });
        };
        let attempt = Attempt { target, change, identity, tree };
        if !progress.branch {
            let commit = match &change.onto {
                None => self.put_branch(&attempt, commit).await?,
                Some(onto) => self.move_branch(&attempt, onto, commit).await?,
            };
            return further(Progress { commit: Some(commit), branch: true, ..progress.clone() });
        }
        let proposed = match &change.onto {
            None => self.put_pull(&attempt, commit).await?,
            Some(onto) => self.renew_pull(&attempt, onto, commit).await?,
        };
        Ok(Advance::Arrived(proposed))
    }

    /// Looks how far an earlier attempt got, whose end nobody saw, and adopts what it left. Sends one write, the tree:
    /// writing one that exists already is harmless, and tells what the commit must hold to be ours.
    ///
    /// Errors: as of [`GitHub::propose`].
    pub async fn take_up(&self, target: &Target, change: &Change) -> Result<Advance, ForgeError> {
        let identity = target.scope(access(change)).into();
        if let Some(onto) = &change.onto {
            return self.take_up_revision(target, change, onto, identity).await;
        }
        let pulls = self.pulls_from(target, &change.branch, Some(&change.base_branch), identity).await?;
        let tip = self.tip(target, &change.branch, identity).await?;
        let tree = self.changed_tree(target, change, identity).await?;
        let attempt = Attempt { target, change, identity, tree };
        if let Some(proposed) = self.adopt_pull(&attempt, &pulls, tip.as_ref()).await? {
            return Ok(Advance::Arrived(proposed));
        }
        let commit = tip.map(|tip| attempt.own(tip)).transpose()?;
        let branch = commit.is_some();
        Ok(Advance::Further(Progress { tree: Some(attempt.tree), commit, branch, ..Progress::default() }))
    }

    pub(super) async fn changed_tree(
        &self,
        target: &Target,
        change: &Change,
        identity: Identity,
    ) -> Result<ObjectId, ForgeError> {
        let tree = self.write_tree(target, change, identity).await?;
        if tree == change.base.tree {
            return Err(ForgeError::NoChange { endpoint: format!("POST {}", target.path(&["git", "trees"])) });
        }
        Ok(tree)
    }

    /// Takes back what an attempt left, as far as no pull request came of it: deletes the branch, if it still holds the
    /// change and nothing else. A pull request stays: that is people's to decide about.
    ///
    /// Looks with two or three requests and sends one write at most. That is the tree, where nobody knows it (`tree`):
    /// it tells what the branch must hold to be ours.
    ///
    /// Errors: [`ForgeError::Conflict`] when there is an open pull request with other commits.
    pub async fn withdraw(
        &self,
        target: &Target,
        change: &Change,
        tree: Option<&ObjectId>,
    ) -> Result<Retreat, ForgeError> {
        let identity = target.scope(access(change)).into();
        if let Some(onto) = &change.onto {
            return self.withdraw_revision((target, change), onto, tree, identity).await;
        }
        // GitHub takes a pull request along where its base is renamed; without its branch it would be closed.
        let mut pulls = self.pulls_from(target, &change.branch, None, identity).await?;
        // Only open ones are taken along. A closed one to another base is of an earlier time, even with the same commit.
        pulls.retain(|pull| pull.base_branch == change.base_branch || pull.status == PullStatus::Open);
        let tip = self.tip(target, &change.branch, identity).await?;
        if pulls.is_empty() && tip.is_none() {
            return Ok(Retreat::Done);
        }
        let written = match tree {
            Some(_) => None,
            None => match self.write_tree(target, change, identity).await {
                Ok(tree) => Some(tree),
                // What cannot be recognised is left alone.
                Err(ForgeError::StaleBase { .. }) => return Ok(Retreat::Done),
                Err(error) => return Err(error),
            },
        };
        let Some(tree) = tree.or(written.as_ref()).cloned() else { return Ok(Retreat::Done) };
        let attempt = Attempt { target, change, identity, tree };
        if let Some(proposed) = self.adopt_pull(&attempt, &pulls, tip.as_ref()).await? {
            return Ok(Retreat::Kept(proposed));
        }
        match (tip.filter(|tip| attempt.made(tip)), written) {
            (None, _) => Ok(Retreat::Done),
            (Some(_), Some(tree)) => Ok(Retreat::Recognised(tree)),
            (Some(tip), None) => {
                self.delete_branch(target, &change.branch, &tip.commit).await?;
                Ok(Retreat::Done)
            }
        }
    }

    /// The pull request of an earlier attempt, if there is one.
    async fn adopt_pull(
        &self,
        attempt: &Attempt<'_>,
        pulls: &[PullState],
        tip: Option<&Tip>,
    ) -> Result<Option<Proposed>, ForgeError> {
        let open = pulls.iter().find(|pull| pull.status == PullStatus::Open);
        // Among those that are closed only the newest can be of an attempt whose end we missed.
        let Some(pull) = open.or(pulls.first()) else { return Ok(None) };
        let head = match tip {
            Some(tip) if tip.commit == pull.head => Some(tip.clone()),
            _ => self.commit(attempt.target, &pull.head, attempt.identity).await?,
        };
        match head {
            Some(head) if attempt.made(&head) => Ok(Some(adopted(pull, head.commit))),
            Some(head) if open.is_some() => Err(attempt.foreign_branch(&head, open)),
            _ => Ok(None),
        }
    }

    /// The branch with the change on it: a new one, or the one that is there, if it is ours. Returns its commit.
    async fn put_branch(&self, attempt: &Attempt<'_>, commit: ObjectId) -> Result<ObjectId, ForgeError> {
        let Attempt { target, change, identity, .. } = attempt;
        if self.write_branch(target, &change.branch, &commit, *identity).await? {
            return Ok(commit);
        }
        let tip = self.tip(target, &change.branch, *identity).await?;
        let gone = || attempt.conflict(format!("the branch `{}` comes and goes", change.branch), None, None);
        attempt.own(tip.ok_or_else(gone)?)
    }

    /// The pull request for the branch: a new one, or the open one that GitHub says is there.
    async fn put_pull(&self, attempt: &Attempt<'_>, commit: ObjectId) -> Result<Proposed, ForgeError> {
        let Attempt { target, change, identity, .. } = attempt;
        let new = NewPull {
            head: &change.branch,
            base: &change.base_branch,
            title: &change.title,
            body: &change.body,
            draft: change.draft,
        };
        let error = match self.open_pull(target, &new, *identity).await {
            Ok(pull) => {
                let no_draft = change.draft && !pull.draft;
                return Ok(Proposed { adopted: false, no_draft, ..adopted(&pull, commit) });
            }
            Err(error) => error,
        };
        if error.says("a pull request already exists") {
            let pulls = self.pulls_from(target, &change.branch, Some(&change.base_branch), *identity).await?;
            return match pulls.iter().find(|pull| pull.status == PullStatus::Open) {
                Some(pull) if pull.head == commit => Ok(adopted(pull, commit)),
                Some(pull) => Err(attempt.conflict(
                    format!("{} is open from the branch `{}` with other commits", pull.url, change.branch),
                    Some(pull.head.clone()),
                    Some(pull),
                )),
                // Lists lag behind writes: the next look will see it.
                None => Err(ForgeError::Unavailable {
                    endpoint: format!("GET {}", target.path(&["pulls"])),
                    why: "the pull request that exists is not listed yet".into(),
                }),
            };
        }
        Err(match error {
            ForgeError::Invalid { endpoint, message } => {
                let said = message.to_ascii_lowercase();
                if said.contains("no commits between") {
                    ForgeError::NoChange { endpoint }
                } else if said.contains("field `base` is invalid") {
                    ForgeError::StaleBase { endpoint, message }
                } else if said.contains("field `head` is invalid") {
                    let why = format!("the branch `{}` was deleted while the change was made", change.branch);
                    ForgeError::Conflict { endpoint, why, found: None, pull: None }
                } else {
                    ForgeError::Invalid { endpoint, message }
                }
            }
            other => other,
        })
    }
}

pub(super) fn access(change: &Change) -> Access {
    if touches_workflows(change) { Access::ProposeWorkflows } else { Access::Propose }
}

pub(super) fn adopted(pull: &PullState, head: ObjectId) -> Proposed {
    let status = pull.status;
    let pull = PullRequest { number: pull.number, url: pull.url.clone(), head };
    // Of one that was there already, a person may have decided that.
    Proposed { pull, adopted: true, no_draft: false, status }
}

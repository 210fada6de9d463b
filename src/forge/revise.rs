//! One more commit on the branch of a pull request that is open: tree, commit, branch, and the pull request's words.
//!
//! The branch is only ever moved forward. GitHub refuses that where somebody has pushed since, so nobody's commit can be
//! overwritten, whoever is faster. What cannot be moved forward is a conflict, and planned anew.
//!
//! Permissions: as of [`propose`](super::propose).

use super::client::{Call, Identity};
use super::git_data::{RefBody, stale_base};
use super::propose::{Attempt, adopted};
use super::pulls::{PullState, PullStatus};
use super::tokens::Access;
use super::{Advance, ForgeError, GitHub, Proposed, Retreat, Target};
use crate::domain::{Change, ObjectId, Onto, Progress, PullNumber};
use serde_json::json;

/// What became of asking GitHub to merge a pull request's base into its branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseMerge {
    /// It does so, or there is nothing to merge.
    Done,
    /// The two changed the same lines.
    Conflict,
    /// Somebody has pushed to the branch since it was looked at.
    Moved,
}

impl GitHub {
    /// Looks how far an earlier attempt got, as [`GitHub::take_up`].
    pub(super) async fn take_up_revision(
        &self,
        target: &Target,
        change: &Change,
        onto: &Onto,
        identity: Identity,
    ) -> Result<Advance, ForgeError> {
        if change.files.is_empty() {
            return Ok(Advance::Further(Progress::default()));
        }
        let tip = self.tip(target, &change.branch, identity).await?;
        let tree = self.changed_tree(target, change, identity).await?;
        let attempt = Attempt { target, change, identity, tree };
        let commit = match tip {
            Some(tip) if attempt.made(&tip) => Some(tip.commit),
            Some(tip) if tip.commit == onto.head => None,
            Some(tip) => return Err(attempt.foreign_branch(&tip, None)),
            None => return Err(attempt.conflict(gone(change), None, None)),
        };
        let branch = commit.is_some();
        Ok(Advance::Further(Progress { tree: Some(attempt.tree), commit, branch, ..Progress::default() }))
    }

    /// Moves the branch forward to our commit. Returns the commit it holds then, which an earlier attempt may have made.
    pub(super) async fn move_branch(
        &self,
        attempt: &Attempt<'_>,
        onto: &Onto,
        commit: ObjectId,
    ) -> Result<ObjectId, ForgeError> {
        let Attempt { target, change, identity, .. } = attempt;
        let path = target.path(&["git", "refs", &format!("heads/{}", change.branch)]);
        let call = Call::patch(path, &json!({ "sha": commit, "force": false }));
        let refusal = match self.client.send(&call, *identity).await {
            Ok(answer) if answer.read::<RefBody>()?.object.sha == commit => return Ok(commit),
            Ok(answer) => return Err(answer.not_understood("the branch it moved holds another commit")),
            Err(error) => error,
        };
        if !refusal.says("not a fast forward") && !refusal.says("reference does not exist") {
            return Err(stale_base(refusal));
        }
        match self.tip(target, &change.branch, *identity).await? {
            Some(tip) if attempt.made(&tip) => Ok(tip.commit),
            // Reads lag behind writes: the next look will see who was faster.
            Some(tip) if tip.commit == onto.head => {
                Err(ForgeError::Unavailable { endpoint: call.endpoint(), why: refusal.to_string() })
            }
            Some(tip) => Err(attempt.foreign_branch(&tip, None)),
            None => Err(attempt.conflict(gone(change), None, None)),
        }
    }

    /// Gives the pull request the words of what its branch holds now.
    ///
    /// Errors: [`ForgeError::Conflict`] when it was closed or merged before our commit was on its branch: then nobody has
    /// seen that commit, and it is left there.
    pub(super) async fn renew_pull(
        &self,
        attempt: &Attempt<'_>,
        onto: &Onto,
        commit: ObjectId,
    ) -> Result<Proposed, ForgeError> {
        let Attempt { target, change, .. } = attempt;
        let found = self.pull(target, onto.number).await?;
        if found.status != PullStatus::Open && (found.head != commit || change.files.is_empty()) {
            return Err(attempt.conflict(over(&found), None, None));
        }
        let words = json!({ "title": change.title, "body": change.body });
        let call = Call::patch(target.path(&["pulls", &onto.number.to_string()]), &words);
        let answer = self.client.send(&call, attempt.identity).await?;
        let renewed = self.read_pull(target, &answer)?;
        Ok(Proposed { adopted: false, ..adopted(&renewed, commit) })
    }

    /// Ends an attempt, as [`GitHub::withdraw`]. A branch is never moved back: what is on it already stays, and its pull
    /// request gets the words for it.
    pub(super) async fn withdraw_revision(
        &self,
        (target, change): (&Target, &Change),
        onto: &Onto,
        tree: Option<&ObjectId>,
        identity: Identity,
    ) -> Result<Retreat, ForgeError> {
        if change.files.is_empty() {
            return Ok(Retreat::Done);
        }
        let Some(tip) = self.tip(target, &change.branch, identity).await? else { return Ok(Retreat::Done) };
        if tip.commit == onto.head || tip.parents != change.parents() {
            return Ok(Retreat::Done);
        }
        let Some(tree) = tree else {
            return match self.write_tree(target, change, identity).await {
                Ok(tree) => Ok(Retreat::Recognised(tree)),
                Err(ForgeError::StaleBase { .. }) => Ok(Retreat::Done),
                Err(error) => Err(error),
            };
        };
        let attempt = Attempt { target, change, identity, tree: tree.clone() };
        if !attempt.made(&tip) {
            return Ok(Retreat::Done);
        }
        match self.renew_pull(&attempt, onto, tip.commit.clone()).await {
            Ok(proposed) => Ok(Retreat::Kept(Proposed { adopted: true, ..proposed })),
            Err(ForgeError::Conflict { .. }) => Ok(Retreat::Done),
            // Without its words, the commit is there all the same.
            Err(ForgeError::Invalid { .. } | ForgeError::Forbidden { .. }) => {
                let found = self.pull(target, onto.number).await?;
                Ok(Retreat::Kept(adopted(&found, tip.commit)))
            }
            Err(error) => Err(error),
        }
    }

    /// Has GitHub merge the base of a pull request into its branch, as its button "Update branch" does: people's commits
    /// stay as they are.
    pub async fn merge_base(
        &self,
        target: &Target,
        number: PullNumber,
        head: &ObjectId,
        workflows: bool,
    ) -> Result<BaseMerge, ForgeError> {
        let path = target.path(&["pulls", &number.to_string(), "update-branch"]);
        let call = Call::put(path, &json!({ "expected_head_sha": head }));
        let access = if workflows { Access::ProposeWorkflows } else { Access::Propose };
        match self.client.send(&call, target.scope(access).into()).await {
            // It says that it has begun.
            Ok(_) => Ok(BaseMerge::Done),
            Err(error) if error.says("no new commits on the base") => Ok(BaseMerge::Done),
            Err(error) if error.says("merge conflict") => Ok(BaseMerge::Conflict),
            Err(error) if error.says("expected head sha") => Ok(BaseMerge::Moved),
            Err(error) => Err(error),
        }
    }
}

fn gone(change: &Change) -> String {
    format!("the branch `{}` was deleted while the change was made", change.branch)
}

fn over(pull: &PullState) -> String {
    let what = if pull.status == PullStatus::Merged { "merged" } else { "closed" };
    format!("{} was {what} while the change was made", pull.url)
}

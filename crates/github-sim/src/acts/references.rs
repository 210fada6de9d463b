//! Branches and tags move: push events, and what that means for open pull requests.

use git2::Oid;
use serde_json::json;

use super::Act;
use crate::reply::Reply;
use crate::state::Merged;

/// Why GitHub would not move a reference.
pub(crate) struct Refusal(pub Reply);

impl Act<'_> {
    /// Creates, moves (`after`) or deletes (`None`) a reference and tells everybody.
    ///
    /// `written` says that git has already moved it, as after a push over smart HTTP.
    pub(crate) fn move_reference(
        &mut self,
        repo: i64,
        name: &str,
        before: Option<Oid>,
        after: Option<Oid>,
        written: bool,
    ) -> Result<(), Reply> {
        let now = self.now;
        let git = &self.repo(repo)?.git;
        if !written {
            match after {
                Some(target) => git.set_reference(name, target).map_err(|_| {
                    // A branch `x` blocks `x/y` and the other way round.
                    Reply::unprocessable("Reference update failed")
                })?,
                None => git.delete_reference(name)?,
            }
        }
        if before == after {
            return Ok(());
        }
        let forced = match (before, after) {
            (Some(before), Some(after)) => !git.is_ancestor(before, after),
            _ => false,
        };
        let this = self.repo_mut(repo)?;
        this.pushed_at = now;
        this.updated_at = now;
        self.push_event(repo, name, before, after, forced)?;
        if let Some(branch) = name.strip_prefix("refs/heads/") {
            let branch = branch.to_owned();
            if let Some(after) = after {
                self.request_suite(repo, &branch, before, after)?;
            }
            self.follow_heads(repo, &branch, before, after)?;
            match after {
                Some(after) => self.follow_base(repo, &branch, after)?,
                // Without a base there is nothing to merge into.
                None => {
                    for (base, number) in self.open_pulls(|pull, id| id == repo && pull.base_branch == branch) {
                        self.close_pull(base, number)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn push_event(
        &mut self,
        repo: i64,
        name: &str,
        before: Option<Oid>,
        after: Option<Oid>,
        forced: bool,
    ) -> Result<(), Reply> {
        let payload = crate::webhooks::push_payload(self, repo, name, before, after, forced)?;
        self.emit(repo, "push", None, payload);
        let (kind, short) = match name.strip_prefix("refs/tags/") {
            Some(tag) => ("tag", tag),
            None => ("branch", name.strip_prefix("refs/heads/").unwrap_or(name)),
        };
        let this = self.repo(repo)?;
        let fields = json!({
            "ref": short,
            "ref_type": kind,
            "master_branch": this.default_branch,
            "description": this.description,
            "pusher_type": "user",
        });
        match (before, after) {
            (None, Some(_)) => self.emit(repo, "create", None, fields),
            (Some(_), None) => {
                self.emit(repo, "delete", None, json!({ "ref": short, "ref_type": kind, "pusher_type": "user" }));
            }
            _ => {}
        }
        Ok(())
    }

    /// Open pull requests whose head is this branch follow it; without the branch they close.
    fn follow_heads(&mut self, repo: i64, branch: &str, before: Option<Oid>, after: Option<Oid>) -> Result<(), Reply> {
        for (base, number) in self.open_pulls(|pull, _| pull.head_repo == repo && pull.head_branch == branch) {
            match after {
                Some(after) => {
                    self.copy_head(base, number, after)?;
                    // `base.sha` lags behind its branch until the head is pushed.
                    let base_branch = self.pull(base, number)?.base_branch.clone();
                    let base_sha = self.repo(base)?.branch(&base_branch);
                    let pull = self.pull_mut(base, number)?;
                    pull.head_sha = after;
                    pull.base_sha = base_sha.unwrap_or(pull.base_sha);
                    let zero = Oid::ZERO_SHA1;
                    self.pull_event(
                        base,
                        number,
                        "synchronize",
                        json!({ "before": before.unwrap_or(zero).to_string(), "after": after.to_string() }),
                    )?;
                }
                None => self.close_pull(base, number)?,
            }
        }
        Ok(())
    }

    /// Open pull requests that the new base already contains count as merged; the others have a new base.
    fn follow_base(&mut self, repo: i64, branch: &str, after: Oid) -> Result<(), Reply> {
        for (base, number) in self.open_pulls(|pull, id| id == repo && pull.base_branch == branch) {
            let (now, actor) = (self.now, self.actor.clone());
            let git = &self.repo(base)?.git;
            let pull = self.pull(base, number)?;
            let contained = git.is_ancestor(pull.head_sha, after) && !git.is_ancestor(pull.head_sha, pull.base_sha);
            let pull = self.pull_mut(base, number)?;
            if contained {
                pull.open = false;
                pull.closed_at = Some(now);
                pull.merged = Some(Merged { at: now, by: actor, sha: after });
                self.pull_event(base, number, "closed", json!({}))?;
            }
        }
        Ok(())
    }

    fn open_pulls(&self, wanted: impl Fn(&crate::state::Pull, i64) -> bool) -> Vec<(i64, i64)> {
        let of = |repo: &crate::state::Repo| {
            let id = repo.id;
            repo.pulls.values().filter(|pull| pull.open && wanted(pull, id)).map(|pull| (id, pull.number)).collect()
        };
        self.state.repos.values().flat_map::<Vec<_>, _>(of).collect()
    }

    /// What a branch's protection says to an update or a deletion over the API or git.
    pub(crate) fn protection_refuses(
        &self,
        repo: i64,
        branch: &str,
        before: Option<Oid>,
        after: Option<Oid>,
    ) -> Result<(), Refusal> {
        let Ok(this) = self.repo(repo) else { return Ok(()) };
        if !this.protected.contains_key(branch) {
            return Ok(());
        }
        let message = match (before, after) {
            (_, None) => "Cannot delete this branch",
            (Some(before), Some(after)) if !this.git.is_ancestor(before, after) => "Cannot force-push to this branch",
            _ => "Changes must be made through a pull request.",
        };
        Err(Refusal(Reply::unprocessable(message)))
    }
}

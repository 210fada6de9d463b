//! Merging a pull request: real commits on the base branch.

use git2::Oid;
use serde_json::json;

use super::{Act, Refusal};
use crate::mergeability;
use crate::reply::Reply;
use crate::state::{Judged, Merged};

/// How a pull request becomes part of its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MergeMethod {
    /// One commit with two parents.
    Merge,
    /// One commit with all changes.
    Squash,
    /// Every commit anew on top of the base.
    Rebase,
}

impl MergeMethod {
    pub(crate) const ALL: [MergeMethod; 3] = [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase];

    fn plural(self) -> &'static str {
        match self {
            MergeMethod::Merge => "Merge commits",
            MergeMethod::Squash => "Squash merges",
            MergeMethod::Rebase => "Rebase merges",
        }
    }
}

/// What `POST /merges` came to.
pub(crate) enum BranchMerge {
    Made(Oid),
    NothingToDo,
}

impl Act<'_> {
    /// Merges and returns the commit the base branch now stands at.
    pub(crate) fn merge_pull(
        &mut self,
        repo: i64,
        number: i64,
        method: MergeMethod,
        title: Option<String>,
        message: Option<String>,
        expected_head: Option<&str>,
    ) -> Result<Oid, Reply> {
        let pull = self.pull(repo, number)?.clone();
        let refuse = |message: &str| Reply::error(405, message);
        if !pull.open {
            return Err(refuse("Pull Request is not mergeable"));
        }
        if pull.draft {
            return Err(refuse("Pull Request is still a draft"));
        }
        if !self.repo(repo)?.merge_methods.contains(&method) {
            return Err(refuse(&format!("{} are not allowed on this repository.", method.plural())));
        }
        if expected_head.is_some_and(|sha| sha != pull.head_sha.to_string()) {
            return Err(Reply::error(409, "Head branch was modified. Review and try the merge again."));
        }
        if let Some(why) = mergeability::refusal(self.repo(repo)?, &pull.base_branch, pull.head_sha) {
            return Err(refuse(&why));
        }
        let person = self.person();
        let web_flow = self.web_flow();
        let this = self.repo(repo)?;
        let base = this.branch(&pull.base_branch).ok_or_else(|| Reply::error(405, "Base branch does not exist"))?;
        let git = &this.git;
        let conflict = || Reply::error(405, "Pull Request has merge conflicts");
        let paragraphs = |first: String, second: Option<String>| match second {
            Some(text) if !text.is_empty() => format!("{first}\n\n{text}"),
            _ => first,
        };
        let sha = match method {
            MergeMethod::Merge => {
                let tree = git.merged_tree(base, pull.head_sha)?.ok_or_else(conflict)?;
                let first = title.unwrap_or_else(|| {
                    format!("Merge pull request #{number} from {}/{}", pull.head_owner, pull.head_branch)
                });
                let text = paragraphs(first, message.or(Some(pull.title.clone())));
                git.write_commit(tree, &[base, pull.head_sha], &person, &web_flow, &text)?
            }
            MergeMethod::Squash => {
                let tree = git.merged_tree(base, pull.head_sha)?.ok_or_else(conflict)?;
                let first = title.unwrap_or_else(|| format!("{} (#{number})", pull.title));
                git.write_commit(tree, &[base], &person, &web_flow, &paragraphs(first, message))?
            }
            MergeMethod::Rebase => {
                let mut onto = base;
                for commit in git.commits_between(&[base], pull.head_sha)? {
                    let tree = git.picked_tree(commit, onto)?.ok_or_else(conflict)?;
                    onto = git.write_commit(tree, &[onto], &git.author(commit)?, &person, &git.message(commit)?)?;
                }
                onto
            }
        };
        let (now, by) = (self.now, self.actor.clone());
        if method != MergeMethod::Rebase {
            self.repo_mut(repo)?.verified.insert(sha);
        }
        // Closed before the base moves, so that the moved base does not find it open and merge it once more.
        let closing = self.pull_mut(repo, number)?;
        closing.open = false;
        closing.closed_at = Some(now);
        closing.merged = Some(Merged { at: now, by, sha });
        let base_name = format!("refs/heads/{}", pull.base_branch);
        self.move_reference(repo, &base_name, Some(base), Some(sha), false)?;
        self.pull_event(repo, number, "closed", json!({}))?;
        if self.repo(repo)?.delete_branch_on_merge && pull.head_repo == repo {
            let head_name = format!("refs/heads/{}", pull.head_branch);
            self.move_reference(repo, &head_name, Some(pull.head_sha), None, false)?;
        }
        Ok(sha)
    }

    /// Merges the base into the head branch, as the button "Update branch" does.
    pub(crate) fn update_branch(&mut self, repo: i64, number: i64, expected_head: Option<&str>) -> Result<(), Reply> {
        let pull = self.pull(repo, number)?.clone();
        if expected_head.is_some_and(|sha| sha != pull.head_sha.to_string()) {
            return Err(Reply::unprocessable("expected head sha didn’t match current head ref."));
        }
        let base = self.repo(repo)?.branch(&pull.base_branch).filter(|_| pull.open && pull.head_repo == repo);
        let base = base.ok_or_else(|| Reply::unprocessable("This pull request's branch cannot be updated"))?;
        let (person, web_flow) = (self.person(), self.web_flow());
        let git = &self.repo(repo)?.git;
        if git.is_ancestor(base, pull.head_sha) {
            return Err(Reply::unprocessable("There are no new commits on the base branch."));
        }
        let tree = git.merged_tree(pull.head_sha, base)?;
        let tree = tree.ok_or_else(|| Reply::unprocessable("merge conflict between base and head"))?;
        let message = format!("Merge branch '{}' into {}", pull.base_branch, pull.head_branch);
        let sha = git.write_commit(tree, &[pull.head_sha, base], &person, &web_flow, &message)?;
        self.repo_mut(repo)?.verified.insert(sha);
        let name = format!("refs/heads/{}", pull.head_branch);
        self.move_reference(repo, &name, Some(pull.head_sha), Some(sha), false)
    }

    /// Merges `head`, a branch or a commit, into the branch `base`.
    pub(crate) fn merge_branches(
        &mut self,
        repo: i64,
        base: &str,
        head: &str,
        message: Option<String>,
    ) -> Result<BranchMerge, Reply> {
        let this = self.repo(repo)?;
        let tip = this.branch(base).ok_or_else(|| Reply::error(404, "Base does not exist"))?;
        let other = this.git.commit_of(head).ok_or_else(|| Reply::error(404, "Head does not exist"))?;
        if this.git.is_ancestor(other, tip) {
            return Ok(BranchMerge::NothingToDo);
        }
        let tree = this.git.merged_tree(tip, other)?.ok_or_else(|| Reply::error(409, "Merge conflict"))?;
        let message = message.unwrap_or_else(|| format!("Merge {head} into {base}"));
        let (person, web_flow) = (self.person(), self.web_flow());
        let sha = self.repo(repo)?.git.write_commit(tree, &[tip, other], &person, &web_flow, &message)?;
        self.protection_refuses(repo, base, Some(tip), Some(sha)).map_err(|Refusal(reply)| reply)?;
        self.repo_mut(repo)?.verified.insert(sha);
        self.move_reference(repo, &format!("refs/heads/{base}"), Some(tip), Some(sha), false)?;
        Ok(BranchMerge::Made(sha))
    }

    /// Somebody asks whether it merges; after its head or base moved GitHub needs a few answers' time to say so.
    pub(crate) fn ask_mergeability(&mut self, repo: i64, number: i64) -> Result<(), Reply> {
        let unknown = self.state.limits.unknown_mergeability;
        let this = self.repo_mut(repo)?;
        let tips: Option<Oid> = this.pulls.get(&number).and_then(|pull| this.branch(&pull.base_branch));
        // Asking is no change: `updated_at` stays.
        let pull = this.pulls.get_mut(&number).ok_or_else(Reply::not_found)?;
        let sides = tips.map(|base| (pull.head_sha, base));
        if pull.judged.sides != sides {
            let unknown_left = pull.judged.unknown_left.max(unknown);
            pull.judged = Judged { sides, unknown_left };
        }
        Ok(())
    }

    /// One answer was given.
    pub(crate) fn answered_mergeability(&mut self, repo: i64, number: i64) -> Result<(), Reply> {
        let pull = self.repo_mut(repo)?.pulls.get_mut(&number).ok_or_else(Reply::not_found)?;
        pull.judged.unknown_left = pull.judged.unknown_left.saturating_sub(1);
        Ok(())
    }
}

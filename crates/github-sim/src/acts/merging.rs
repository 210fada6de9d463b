//! Merging a pull request: real commits on the base branch.

use git2::Oid;
use serde_json::json;

use super::Act;
use crate::reply::Reply;
use crate::state::Merged;

/// How a pull request becomes part of its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MergeMethod {
    Merge,
    Squash,
    Rebase,
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
        if !pull.open || pull.draft {
            return Err(Reply::error(405, "Pull Request is not mergeable"));
        }
        if expected_head.is_some_and(|sha| sha != pull.head_sha.to_string()) {
            return Err(Reply::error(409, "Head branch was modified. Review and try the merge again."));
        }
        self.check_merge_rules(repo, &pull.base_branch, pull.head_sha)?;
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
            return Err(Reply::unprocessable("expected_head_sha does not match the head of the pull request"));
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

    fn check_merge_rules(&self, repo: i64, base: &str, head: Oid) -> Result<(), Reply> {
        let this = self.repo(repo)?;
        let Some(rules) = this.protected.get(base) else { return Ok(()) };
        if rules.required_approvals > 0 {
            let message = format!(
                "At least {} approving review is required by reviewers with write access.",
                rules.required_approvals
            );
            return Err(Reply::error(405, &message));
        }
        for context in &rules.required_checks {
            let green = this.checks.values().any(|check| {
                check.head_sha == head && check.name == *context && check.conclusion.as_deref() == Some("success")
            }) || this
                .statuses
                .iter()
                .rfind(|status| status.sha == head && status.context == *context)
                .is_some_and(|status| status.state == "success");
            if !green {
                return Err(Reply::error(405, &format!("Required status check \"{context}\" is expected.")));
            }
        }
        Ok(())
    }
}

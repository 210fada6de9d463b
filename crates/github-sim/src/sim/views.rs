//! What a test may look at: plain values, read under the lock.

use git2::Oid;
use jiff::Timestamp;

use super::GitHubSim;
use crate::git::Person;
use crate::render::diff_sides;
use crate::reply::Reply;
use crate::state::{CheckApp, Comment, Pull, Repo};

/// A repository as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoView {
    /// The numeric id, which a rename does not change.
    pub id: i64,
    /// `owner/name`.
    pub full_name: String,
    /// Whether only its installation may read it.
    pub private: bool,
    /// Whether it is read-only.
    pub archived: bool,
    /// The default branch.
    pub default_branch: String,
}

/// A pull request as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequestView {
    /// Its number in the repository.
    pub number: i64,
    /// The title.
    pub title: String,
    /// The description; empty if there is none.
    pub body: String,
    /// `open` or `closed`.
    pub state: String,
    /// Whether it was merged.
    pub merged: bool,
    /// The commit the merge made, if merged.
    pub merge_commit_sha: Option<String>,
    /// The head branch, without its owner.
    pub head_branch: String,
    /// The account of the head branch.
    pub head_owner: String,
    /// The head commit.
    pub head_sha: String,
    /// The base branch.
    pub base: String,
    /// Labels in the order they were added.
    pub labels: Vec<String>,
    /// Whether it is a draft.
    pub draft: bool,
    /// The login of whoever opened it.
    pub author: String,
    /// Logins of the people assigned.
    pub assignees: Vec<String>,
    /// Logins of the people asked for a review.
    pub reviewers: Vec<String>,
    /// Slugs of the teams asked for a review.
    pub teams: Vec<String>,
    /// Whether its conversation is locked.
    pub locked: bool,
    /// Comments, oldest first.
    pub comments: Vec<CommentView>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// Paths it changes.
    pub files: Vec<String>,
}

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommentView {
    /// Its id.
    pub id: i64,
    /// The login of its author.
    pub author: String,
    /// Its text.
    pub body: String,
    /// Who reacted with what, in order.
    pub reactions: Vec<(String, String)>,
}

/// A name and address in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonView {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// When, to the second.
    pub at: Timestamp,
}

/// A commit of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitView {
    /// Its sha.
    pub sha: String,
    /// The whole message.
    pub message: String,
    /// Who wrote it.
    pub author: PersonView,
    /// Who committed it.
    pub committer: PersonView,
    /// Parent commits.
    pub parents: Vec<String>,
    /// Its tree.
    pub tree: String,
    /// Whether GitHub signed it.
    pub verified: bool,
    /// Paths it changes.
    pub files: Vec<String>,
}

/// A check run.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckRunView {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The commit it is about.
    pub head_sha: String,
    /// `queued`, `in_progress`, `completed`.
    pub status: String,
    /// `success`, `failure` …, once completed.
    pub conclusion: Option<String>,
    /// Whether our App made it.
    pub own: bool,
    /// The output's title.
    pub title: Option<String>,
    /// The output's summary.
    pub summary: Option<String>,
    /// The output's text.
    pub text: Option<String>,
    /// The output's annotations of all requests, as sent.
    pub annotations: Vec<serde_json::Value>,
    /// Where it links to.
    pub details_url: Option<String>,
    /// The App's own reference.
    pub external_id: String,
}

impl GitHubSim {
    /// All repositories.
    pub fn repositories(&self) -> Vec<RepoView> {
        let view = |repo: &Repo| RepoView {
            id: repo.id,
            full_name: repo.full_name(),
            private: repo.private,
            archived: repo.archived,
            default_branch: repo.default_branch.clone(),
        };
        self.shared.state().repos.values().map(view).collect()
    }

    /// A repository's id.
    pub fn repo_id(&self, repo: &str) -> anyhow::Result<i64> {
        self.find(repo)
    }

    /// All pull requests, by number.
    pub fn pull_requests(&self, repo: &str) -> anyhow::Result<Vec<PullRequestView>> {
        self.look(repo, |repo| repo.pulls.values().map(|pull| pull_view(repo, pull)).collect::<Result<Vec<_>, _>>())
    }

    /// One pull request.
    pub fn pull_request(&self, repo: &str, number: i64) -> anyhow::Result<PullRequestView> {
        self.look(repo, |repo| pull_view(repo, repo.pulls.get(&number).ok_or_else(Reply::not_found)?))
    }

    /// The unified diff of a pull request, from the merge base to the head.
    pub fn pull_diff(&self, repo: &str, number: i64) -> anyhow::Result<String> {
        self.look(repo, |repo| {
            let (base, head) = diff_sides(&repo.git, repo.pulls.get(&number).ok_or_else(Reply::not_found)?)?;
            Ok(repo.git.unified_diff(base, Some(head))?)
        })
    }

    /// A file's bytes on a branch (or at a tag or sha); `None` if it is not there.
    pub fn file(&self, repo: &str, branch: &str, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        self.look(repo, |repo| {
            let Some(commit) = repo.git.commit_of(branch) else { return Ok(None) };
            let entry = repo.git.entry_at(repo.git.tree_of(commit)?, path);
            Ok(entry.and_then(|(_, id)| repo.git.blob(id)))
        })
    }

    /// A path's mode on a branch, such as 0o100755; `None` if it is not there.
    pub fn file_mode(&self, repo: &str, branch: &str, path: &str) -> anyhow::Result<Option<u32>> {
        self.look(repo, |repo| {
            let Some(commit) = repo.git.commit_of(branch) else { return Ok(None) };
            let entry = repo.git.entry_at(repo.git.tree_of(commit)?, path);
            Ok(entry.map(|(mode, _)| mode.unsigned_abs()))
        })
    }

    /// Branches by name, with their commits.
    pub fn branches(&self, repo: &str) -> anyhow::Result<Vec<(String, String)>> {
        self.look(repo, |repo| {
            let all = repo.git.references("refs/heads/")?.into_iter();
            Ok(all.map(|(name, tip)| (name.trim_start_matches("refs/heads/").to_owned(), tip.to_string())).collect())
        })
    }

    /// The commit a branch stands at; `None` if there is no such branch.
    pub fn head(&self, repo: &str, branch: &str) -> anyhow::Result<Option<String>> {
        self.look(repo, |repo| Ok(repo.branch(branch).map(|sha| sha.to_string())))
    }

    /// A branch's commits, newest first.
    pub fn commits(&self, repo: &str, branch: &str) -> anyhow::Result<Vec<CommitView>> {
        self.look(repo, |repo| {
            let tip = repo.git.commit_of(branch).ok_or_else(Reply::not_found)?;
            repo.git.commits_between(&[], tip)?.into_iter().rev().map(|sha| commit_view(repo, sha)).collect()
        })
    }

    /// All check runs, oldest first.
    pub fn check_runs(&self, repo: &str) -> anyhow::Result<Vec<CheckRunView>> {
        self.look(repo, |repo| {
            let view = |run: &crate::state::CheckRun| CheckRunView {
                id: run.id,
                name: run.name.clone(),
                head_sha: run.head_sha.to_string(),
                status: run.status.clone(),
                conclusion: run.conclusion.clone(),
                own: run.app == CheckApp::Own,
                title: run.title.clone(),
                summary: run.summary.clone(),
                text: run.text.clone(),
                annotations: run.annotations.clone(),
                details_url: run.details_url.clone(),
                external_id: run.external_id.clone(),
            };
            Ok(repo.checks.values().map(view).collect())
        })
    }

    fn look<T>(&self, repo: &str, look: impl FnOnce(&Repo) -> Result<T, Reply>) -> anyhow::Result<T> {
        let id = self.find(repo)?;
        let state = self.shared.state();
        let repo = state.repos.get(&id).ok_or_else(Reply::not_found).map_err(super::refusal)?;
        look(repo).map_err(super::refusal)
    }
}

fn pull_view(repo: &Repo, pull: &Pull) -> Result<PullRequestView, Reply> {
    let (base, head) = diff_sides(&repo.git, pull)?;
    let comment = |comment: &Comment| CommentView {
        id: comment.id,
        author: comment.author.clone(),
        body: comment.body.clone(),
        reactions: comment.reactions.iter().map(|made| (made.by.clone(), made.content.clone())).collect(),
    };
    Ok(PullRequestView {
        number: pull.number,
        title: pull.title.clone(),
        body: pull.body.clone().unwrap_or_default(),
        state: if pull.open { "open" } else { "closed" }.to_owned(),
        merged: pull.merged.is_some(),
        merge_commit_sha: pull.merged.as_ref().map(|merged| merged.sha.to_string()),
        head_branch: pull.head_branch.clone(),
        head_owner: pull.head_owner.clone(),
        head_sha: pull.head_sha.to_string(),
        base: pull.base_branch.clone(),
        labels: pull.labels.clone(),
        draft: pull.draft,
        author: pull.author.clone(),
        assignees: pull.assignees.clone(),
        reviewers: pull.reviewers.clone(),
        teams: pull.teams.clone(),
        locked: pull.locked,
        comments: repo.comments.values().filter(|found| found.number == pull.number).map(comment).collect(),
        created_at: pull.created_at,
        files: repo.git.changes(base, Some(head))?.into_iter().map(|change| change.path).collect(),
    })
}

fn person_view(person: Person) -> PersonView {
    PersonView { name: person.name, email: person.email, at: person.at }
}

fn commit_view(repo: &Repo, sha: Oid) -> Result<CommitView, Reply> {
    let git = &repo.git;
    Ok(CommitView {
        sha: sha.to_string(),
        message: git.message(sha)?,
        author: person_view(git.author(sha)?),
        committer: person_view(git.committer(sha)?),
        parents: git.parents(sha)?.iter().map(Oid::to_string).collect(),
        tree: git.tree_of(sha)?.to_string(),
        verified: repo.verified.contains(&sha),
        files: git.changes_of(sha)?.into_iter().map(|change| change.path).collect(),
    })
}

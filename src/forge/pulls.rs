//! Pull requests after they are made: their state, labels, comments, closing.
//!
//! Permissions: `pull_requests: read` to look, `pull_requests: write` for everything else. Labels and comments go
//! through the issues endpoints, for which that permission suffices on pull requests.

use super::client::{Call, Identity, encode};
use super::session::NewPull;
use super::tokens::Access;
use super::{ForgeError, GitHub, Target};
use crate::domain::{ObjectId, PullNumber, RepoId};
use serde::Deserialize;
use serde_json::json;

/// Whether a pull request still waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullStatus {
    /// It waits.
    Open,
    /// It was closed without being merged.
    Closed,
    /// It was merged.
    Merged,
}

/// A pull request as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullState {
    /// Its number.
    pub number: PullNumber,
    /// Whether it still waits.
    pub status: PullStatus,
    /// Where people look at it.
    pub url: String,
    /// The commit at the head of its branch.
    pub head: ObjectId,
    /// The name of its branch.
    pub head_branch: String,
    /// The repository its branch is in: another one for a fork's, `None` when that fork was deleted.
    pub head_repo: Option<RepoId>,
    /// The branch it goes to.
    pub base_branch: String,
    /// The repository it is in.
    pub base_repo: RepoId,
    /// Whether it is a draft.
    pub draft: bool,
    /// Whether it merges without conflicts; `None` while GitHub works that out, and in lists.
    pub mergeable: Option<bool>,
    /// The account that opened it.
    pub author: Option<AccountId>,
    /// The name of that account, by which an App is told from people.
    pub author_login: Option<String>,
}

/// GitHub's number of an account: names change hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct AccountId(i64);

/// An account as it stands beside what it did.
#[derive(Deserialize)]
pub(super) struct AccountBody {
    pub(super) id: AccountId,
    #[serde(default)]
    login: Option<String>,
}

#[derive(Deserialize)]
struct PullBody {
    number: PullNumber,
    state: String,
    html_url: String,
    #[serde(default)]
    merged: Option<bool>,
    /// Lists leave out `merged`.
    #[serde(default)]
    merged_at: Option<String>,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    mergeable: Option<bool>,
    #[serde(default)]
    user: Option<AccountBody>,
    head: EndBody,
    base: EndBody,
}

#[derive(Deserialize)]
struct LabelBody {
    name: String,
}

/// What is there has a number.
#[derive(Deserialize)]
struct WrittenBody {
    #[serde(rename = "id")]
    _id: i64,
}

#[derive(Deserialize)]
struct EndBody {
    #[serde(rename = "ref")]
    branch: String,
    sha: ObjectId,
    #[serde(default)]
    repo: Option<RepoBody>,
}

#[derive(Deserialize)]
struct RepoBody {
    id: RepoId,
}

impl PullBody {
    fn into_state(self, target: &Target, endpoint: &str) -> Result<PullState, ForgeError> {
        let (author, author_login) = self.user.map(|user| (user.id, user.login)).unzip();
        let base_repo = self.base.repo.map_or(target.repo, |repo| repo.id);
        target.must_be(base_repo, endpoint)?;
        Ok(PullState {
            number: self.number,
            status: match self.state.as_str() {
                _ if self.merged == Some(true) || self.merged_at.is_some() => PullStatus::Merged,
                "open" => PullStatus::Open,
                _ => PullStatus::Closed,
            },
            url: self.html_url,
            head: self.head.sha,
            head_branch: self.head.branch,
            head_repo: self.head.repo.map(|repo| repo.id),
            base_branch: self.base.branch,
            base_repo,
            draft: self.draft,
            mergeable: self.mergeable,
            author,
            author_login: author_login.flatten(),
        })
    }
}

impl GitHub {
    /// A pull request as it is now.
    pub async fn pull(&self, target: &Target, number: PullNumber) -> Result<PullState, ForgeError> {
        let call = Call::get(target.path(&["pulls", &number.to_string()]));
        let answer = self.client.send(&call, target.scope(Access::Pulls).into()).await?;
        answer.read::<PullBody>()?.into_state(target, &answer.endpoint)
    }

    pub(super) fn read_pull(&self, target: &Target, answer: &super::answer::Answer) -> Result<PullState, ForgeError> {
        answer.read::<PullBody>()?.into_state(target, &answer.endpoint)
    }

    /// Closes a pull request; nothing happens to one that is closed or merged already.
    pub async fn close(&self, target: &Target, number: PullNumber) -> Result<PullState, ForgeError> {
        let call = Call::patch(target.path(&["pulls", &number.to_string()]), &json!({ "state": "closed" }));
        let answer = self.client.send(&call, target.scope(Access::WritePulls).into()).await?;
        let closed = answer.read::<PullBody>()?.into_state(target, &answer.endpoint)?;
        match closed.status {
            PullStatus::Open => Err(answer.not_understood("the pull request is still open")),
            PullStatus::Closed | PullStatus::Merged => Ok(closed),
        }
    }

    /// Adds labels; those it has already stay. GitHub makes labels that the repository lacks. No request for no labels.
    pub async fn add_labels(&self, target: &Target, number: PullNumber, labels: &[String]) -> Result<(), ForgeError> {
        if labels.is_empty() {
            return Ok(());
        }
        let call = Call::post(target.path(&["issues", &number.to_string(), "labels"]), &json!({ "labels": labels }));
        let answer = self.client.send(&call, target.scope(Access::WritePulls).into()).await?;
        let there: Vec<LabelBody> = answer.read()?;
        // To GitHub the case of a label makes no difference, and it answers with the one that was there.
        let has = |label: &String| there.iter().any(|one| one.name.to_lowercase() == label.to_lowercase());
        match labels.iter().find(|label| !has(label)) {
            Some(_) => Err(answer.not_understood("a label is missing from those it has now")),
            None => Ok(()),
        }
    }

    /// Takes a label off; nothing happens to a pull request that does not have it.
    pub async fn remove_label(&self, target: &Target, number: PullNumber, label: &str) -> Result<(), ForgeError> {
        let call = Call::delete(target.path(&["issues", &number.to_string(), "labels", label]));
        match self.client.send(&call, target.scope(Access::WritePulls).into()).await {
            Ok(answer) => answer.read::<Vec<LabelBody>>().map(drop),
            Err(ForgeError::Gone { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Writes a comment. A repeat writes another one.
    pub async fn comment(&self, target: &Target, number: PullNumber, text: &str) -> Result<(), ForgeError> {
        let call = Call::post(target.path(&["issues", &number.to_string(), "comments"]), &json!({ "body": text }));
        let answer = self.client.send(&call, target.scope(Access::WritePulls).into()).await?;
        answer.read::<WrittenBody>().map(drop)
    }

    /// The pull request from a branch of the repository that this App opened, to whatever branch: the open one, or the newest.
    /// What other Apps and people open from a branch of that name is not ours.
    pub async fn own_pull_from(&self, target: &Target, branch: &str) -> Result<Option<PullState>, ForgeError> {
        let mut found = self.pulls_from(target, branch, None, target.scope(Access::Pulls).into()).await?;
        if found.is_empty() {
            return Ok(None);
        }
        let login = self.own_login().await?;
        found.retain(|pull| pull.author_login.as_ref() == Some(&login));
        let open = found.iter().position(|pull| pull.status == PullStatus::Open);
        Ok(if found.is_empty() { None } else { Some(found.swap_remove(open.unwrap_or(0))) })
    }

    /// The pull requests, open or not, from a branch of the repository itself to a branch, or to any, newest first.
    pub(super) async fn pulls_from(
        &self,
        target: &Target,
        branch: &str,
        base_branch: Option<&str>,
        identity: Identity,
    ) -> Result<Vec<PullState>, ForgeError> {
        let head = encode(&format!("{}:{branch}", target.name.owner()));
        let query = format!("?state=all&head={head}&sort=created&direction=desc&per_page=100");
        let call = Call::get(target.path(&["pulls"]) + &query);
        let answer = self.client.send(&call, identity).await?;
        let mut found = Vec::new();
        for body in answer.read::<Vec<PullBody>>()? {
            let pull = body.into_state(target, &answer.endpoint)?;
            // A fork may have a branch of the same name, and GitHub ignores a `head` that it cannot read.
            let from_here = pull.head_repo.is_none_or(|repo| repo == target.repo) && pull.head_branch == branch;
            if from_here && base_branch.is_none_or(|base| pull.base_branch == base) {
                found.push(pull);
            }
        }
        found.sort_by_key(|pull| std::cmp::Reverse(pull.number));
        Ok(found)
    }

    /// Opens a pull request within the repository.
    pub(super) async fn open_pull(
        &self,
        target: &Target,
        new: &NewPull<'_>,
        identity: Identity,
    ) -> Result<PullState, ForgeError> {
        let mut body = json!({ "title": new.title, "head": new.head, "base": new.base, "body": new.body });
        if new.draft {
            body["draft"] = json!(true);
        }
        let post = |body: &serde_json::Value| Call::post(target.path(&["pulls"]), body);
        let answer = match self.client.send(&post(&body), identity).await {
            // The owner's plan has none for this repository. Nothing was made, so this is no second write.
            Err(error) if new.draft && error.says("draft pull requests are not supported") => {
                body["draft"] = json!(false);
                self.client.send(&post(&body), identity).await?
            }
            answer => answer?,
        };
        let opened = answer.read::<PullBody>()?.into_state(target, &answer.endpoint)?;
        self.client.metrics().pull_request_opened(target.installation);
        Ok(opened)
    }
}

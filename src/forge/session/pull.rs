//! One pull request of a branch that was pushed: found, opened, kept up to date.

use super::super::client::Call;
use super::super::git_data::RefBody;
use super::super::pulls::{PullState, PullStatus};
use super::super::tokens::Access;
use super::{ForgeError, GitHubSession, Target};
use crate::domain::{ObjectId, PullNumber};
use serde_json::json;

/// A pull request that is to be opened within a repository.
#[derive(Clone, Copy, Debug)]
pub struct NewPull<'a> {
    /// Its branch, which is there already.
    pub head: &'a str,
    /// The branch it goes to.
    pub base: &'a str,
    /// Its title: one line, at most 256 characters.
    pub title: &'a str,
    /// Its text in Markdown, at most 65,536 characters.
    pub body: &'a str,
    /// Whether it is to be a draft.
    pub draft: bool,
}

/// A pull request that is open now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// How GitHub has it.
    pub pull: PullState,
    /// Whether it was there already.
    pub adopted: bool,
    /// Whether it should be a draft and is none, because the repository has none.
    pub no_draft: bool,
}

impl GitHubSession {
    /// The open pull request from a branch of the repository to another, if there is one.
    pub async fn find_pull(&self, target: &Target, head: &str, base: &str) -> Result<Option<PullState>, ForgeError> {
        let pulls = self.github.pulls_from(target, head, Some(base), target.scope(Access::Pulls).into()).await?;
        Ok(pulls.into_iter().find(|pull| pull.status == PullStatus::Open))
    }

    /// Opens a pull request, or takes the one that is open already between these branches, as it is.
    ///
    /// A repeat is harmless: GitHub has one open pull request between two branches. Errors: [`ForgeError::NoChange`] where the
    /// branch holds nothing that the base does not, [`ForgeError::Invalid`] where one of the branches is not there.
    pub async fn open_pull(&self, target: &Target, new: &NewPull<'_>) -> Result<Opened, ForgeError> {
        let identity = target.scope(Access::WritePulls).into();
        match self.github.open_pull(target, new, identity).await {
            Ok(pull) => Ok(Opened { adopted: false, no_draft: new.draft && !pull.draft, pull }),
            Err(error) if error.says("a pull request already exists") => {
                let found = self.find_pull(target, new.head, new.base).await?;
                // Lists lag behind writes: the next look will see it.
                let pull = found.ok_or_else(|| ForgeError::Unavailable {
                    endpoint: format!("GET {}", target.path(&["pulls"])),
                    why: "the pull request that exists is not listed yet".into(),
                })?;
                Ok(Opened { pull, adopted: true, no_draft: false })
            }
            Err(ForgeError::Invalid { endpoint, message })
                if message.to_ascii_lowercase().contains("no commits between") =>
            {
                Err(ForgeError::NoChange { endpoint })
            }
            Err(error) => Err(error),
        }
    }

    /// Gives an open pull request another title and text.
    pub async fn update_pull(
        &self,
        target: &Target,
        number: PullNumber,
        (title, body): (&str, &str),
    ) -> Result<PullState, ForgeError> {
        let call = Call::patch(target.path(&["pulls", &number.to_string()]), &json!({ "title": title, "body": body }));
        let answer = self.github.client.send(&call, target.scope(Access::WritePulls).into()).await?;
        self.github.read_pull(target, &answer)
    }

    /// The commit that a branch points at; `None` where there is no such branch, or no commit at all.
    pub async fn ref_of(&self, target: &Target, branch: &str) -> Result<Option<ObjectId>, ForgeError> {
        let mut parts = vec!["git", "ref", "heads"];
        // GitHub takes the parts of a branch's name as parts of the path here.
        parts.extend(branch.split('/'));
        let call = Call::get(target.path(&parts));
        match self.github.client.send(&call, target.scope(Access::Contents).into()).await {
            Ok(answer) => Ok(Some(answer.read::<RefBody>()?.object.sha)),
            Err(ForgeError::Empty { .. }) => Ok(None),
            // The same words as for a repository that is not there; which of the two, whoever has a target knows.
            Err(ForgeError::Gone { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

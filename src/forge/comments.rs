//! Conversation on pull requests: who may ask for something, and answering.
//!
//! Permissions: `metadata: read` to learn what somebody may do, `pull_requests: write` to react and to answer.

use super::client::Call;
use super::pages::read_while;
use super::tokens::Access;
use super::{ForgeError, GitHub, Target};
use crate::domain::{CommentId, PullNumber};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

/// A reaction to a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// It is done, or on its way.
    ThumbsUp,
    /// It was not understood, or not allowed.
    Confused,
}

impl Reaction {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ThumbsUp => "+1",
            Self::Confused => "confused",
        }
    }
}

impl GitHub {
    /// Whether somebody may write to a repository. What a webhook says of an author is not asked: a member of an
    /// organisation need not be.
    pub async fn may_write(&self, target: &Target, login: &str) -> Result<bool, ForgeError> {
        #[derive(Deserialize)]
        struct PermissionBody {
            permission: String,
        }
        let call = Call::get(target.path(&["collaborators", login, "permission"]));
        let answer = match self.client.send(&call, target.scope(Access::Metadata).into()).await {
            Ok(answer) => answer,
            // An account that is gone.
            Err(ForgeError::Gone { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        // `maintain` is told as `write`, `triage` as `read`.
        Ok(matches!(answer.read::<PermissionBody>()?.permission.as_str(), "admin" | "write"))
    }

    /// Reacts to a comment. Doing so again changes nothing.
    pub async fn react(&self, target: &Target, comment: CommentId, reaction: Reaction) -> Result<(), ForgeError> {
        #[derive(Deserialize)]
        struct ReactionBody {
            content: String,
        }
        let path = target.path(&["issues", "comments", &comment.to_string(), "reactions"]);
        let call = Call::post(path, &json!({ "content": reaction.as_str() }));
        let answer = self.client.send(&call, target.scope(Access::WritePulls).into()).await?;
        match answer.read::<ReactionBody>()?.content == reaction.as_str() {
            true => Ok(()),
            false => Err(answer.not_understood("it is another reaction")),
        }
    }

    /// Whether a pull request has a comment of this very text.
    pub async fn commented(&self, target: &Target, number: PullNumber, text: &str) -> Result<bool, ForgeError> {
        self.has_comment(target, number, "", text).await
    }

    /// Whether this very text is among the comments of a pull request that changed since a moment.
    pub async fn commented_since(
        &self,
        target: &Target,
        (number, since): (PullNumber, Timestamp),
        text: &str,
    ) -> Result<bool, ForgeError> {
        self.has_comment(target, number, &format!("&since={}", since.strftime("%Y-%m-%dT%H:%M:%SZ")), text).await
    }

    /// All of them, as far as need be: they come oldest first, and GitHub takes no more than 2,500 on one pull request.
    async fn has_comment(
        &self,
        target: &Target,
        number: PullNumber,
        which: &str,
        text: &str,
    ) -> Result<bool, ForgeError> {
        #[derive(Deserialize)]
        struct CommentBody {
            #[serde(default)]
            body: Option<String>,
        }
        let first = target.path(&["issues", &number.to_string(), "comments"]) + "?per_page=100" + which;
        let mut is_there = false;
        let look = |page: Vec<CommentBody>| {
            is_there |= page.iter().any(|comment| comment.body.as_deref() == Some(text));
            !is_there
        };
        read_while(&self.client, target.scope(Access::Pulls).into(), first, look).await?;
        Ok(is_there)
    }
}

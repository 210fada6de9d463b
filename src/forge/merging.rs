//! Merging a pull request.
//!
//! Permissions: `contents: write`, and `workflows: write` if the pull request touches workflows.

use super::client::Call;
use super::tokens::Access;
use super::{ForgeError, GitHub, Target};
use crate::domain::{MergeMethod, ObjectId, PullNumber};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct MethodsBody {
    #[serde(default)]
    allow_merge_commit: Option<bool>,
    #[serde(default)]
    allow_squash_merge: Option<bool>,
    #[serde(default)]
    allow_rebase_merge: Option<bool>,
}

#[derive(Deserialize)]
struct MergedBody {
    merged: bool,
}

impl GitHub {
    /// The first way of merging that a repository allows, in the order of [`MergeMethod::ALL`]. Where GitHub does not tell,
    /// that is its own default.
    pub async fn merge_method(&self, target: &Target) -> Result<MergeMethod, ForgeError> {
        // GitHub tells those alone who may write.
        let answer = self.client.send(&Call::get(target.path(&[])), target.scope(Access::WriteContents).into()).await?;
        let body: MethodsBody = answer.read()?;
        let allowed = |method: &MergeMethod| match method {
            MergeMethod::Merge => body.allow_merge_commit,
            MergeMethod::Squash => body.allow_squash_merge,
            MergeMethod::Rebase => body.allow_rebase_merge,
        };
        let found = MergeMethod::ALL.into_iter().find(|method| allowed(method).unwrap_or(true));
        Ok(found.unwrap_or(MergeMethod::Merge))
    }

    /// Merges a pull request, if this commit is its head.
    ///
    /// Errors: [`ForgeError::Forbidden`] where a rule of the repository is against it (GitHub answers 405), and
    /// [`ForgeError::Conflict`] where its head is another one.
    pub async fn merge(
        &self,
        target: &Target,
        (number, head): (PullNumber, &ObjectId),
        method: MergeMethod,
        touches_workflows: bool,
    ) -> Result<(), ForgeError> {
        let access = if touches_workflows { Access::WriteWorkflows } else { Access::WriteContents };
        let body = json!({ "sha": head, "merge_method": method.as_str() });
        let call = Call::put(target.path(&["pulls", &number.to_string(), "merge"]), &body);
        let answer = self.client.send(&call, target.scope(access).into()).await?;
        match answer.read::<MergedBody>()?.merged {
            true => Ok(()),
            false => Err(answer.not_understood("it is called a success, and nothing was merged")),
        }
    }
}

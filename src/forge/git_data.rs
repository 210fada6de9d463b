//! Git's objects over REST: branch heads, trees and blobs to read; trees, commits and refs to write.
//!
//! Permissions: `contents: read` to read, `contents: write` to write (and `workflows: write` for files under
//! `.github/workflows`).

use super::client::{Call, Identity};
use super::tokens::Access;
use super::{ForgeError, GitHub, Target};
use crate::domain::{Change, FileChange, Head, ObjectId};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use std::collections::VecDeque;

/// A repository with more files than this is not read: the list would not fit in memory beside others.
const MOST_ENTRIES: usize = 2_000_000;
/// Requests spent on one truncated tree.
const MOST_TREE_REQUESTS: usize = 2_000;
/// Inline content fails near 2.5 MB or 200 files (seen), so larger changes are written in several trees.
const TREE_FILES: usize = 100;
const TREE_BYTES: usize = 1_500_000;

/// What a tree's entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file or, by its mode, a symbolic link.
    Blob,
    /// A folder.
    Tree,
    /// A submodule.
    Commit,
    /// Something git has added since.
    Other,
}

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// The full path as git has it: untrusted, and not always a [`RepoPath`](crate::domain::RepoPath).
    pub path: String,
    /// The mode as git writes it (`100644`); see [`FileMode::from_git`](crate::domain::FileMode::from_git).
    pub mode: String,
    /// What it is.
    pub kind: EntryKind,
    /// The object's id.
    pub id: ObjectId,
    /// The size of a blob. Unit: bytes.
    pub size: Option<u64>,
}

#[derive(Deserialize)]
struct BranchBody {
    name: String,
    commit: BranchCommit,
}

#[derive(Deserialize)]
struct BranchCommit {
    sha: ObjectId,
    commit: CommitDetail,
    #[serde(default)]
    parents: Vec<ShaBody>,
}

#[derive(Deserialize)]
struct CommitDetail {
    tree: ShaBody,
}

#[derive(Deserialize)]
pub(super) struct ShaBody {
    pub(super) sha: ObjectId,
}

#[derive(Deserialize)]
pub(super) struct RefBody {
    pub(super) object: ShaBody,
}

#[derive(Deserialize)]
struct GitCommitBody {
    sha: ObjectId,
    tree: ShaBody,
    #[serde(default)]
    parents: Vec<ShaBody>,
}

#[derive(Deserialize)]
struct TreeBody {
    // Both have to be there: an error that comes with status 200 must not pass for an empty repository.
    tree: Vec<EntryBody>,
    truncated: bool,
}

#[derive(Deserialize)]
struct EntryBody {
    path: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    sha: ObjectId,
    #[serde(default)]
    size: Option<u64>,
}

#[derive(Deserialize)]
struct BlobBody {
    content: String,
    encoding: String,
    #[serde(default)]
    size: Option<u64>,
}

/// A commit by what makes it ours or not: what it holds and what it follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) commit: ObjectId,
    pub(super) tree: ObjectId,
    pub(super) parents: Vec<ObjectId>,
}

impl GitHub {
    /// The commit and tree at the head of a branch; `None` for an empty repository or an absent branch. One request.
    pub async fn head(&self, target: &Target, branch: &str) -> Result<Option<Head>, ForgeError> {
        let tip = self.tip(target, branch, target.scope(Access::Contents).into()).await?;
        Ok(tip.map(|tip| Head { commit: tip.commit, tree: tip.tree }))
    }

    pub(super) async fn tip(
        &self,
        target: &Target,
        branch: &str,
        identity: Identity,
    ) -> Result<Option<Tip>, ForgeError> {
        let call = Call::get(target.path(&["branches", branch]));
        let answer = match self.client.send(&call, identity).await {
            Err(error) if error.says("branch not found") => return Ok(None),
            Err(ForgeError::Empty { .. }) => return Ok(None),
            outcome => outcome?,
        };
        let body: BranchBody = answer.read()?;
        // GitHub redirects from a renamed branch to its new name, which is not the branch that was asked for.
        if body.name != branch {
            return Ok(None);
        }
        Ok(Some(Tip {
            commit: body.commit.sha,
            tree: body.commit.commit.tree.sha,
            parents: body.commit.parents.into_iter().map(|parent| parent.sha).collect(),
        }))
    }

    pub(super) async fn commit(
        &self,
        target: &Target,
        id: &ObjectId,
        identity: Identity,
    ) -> Result<Option<Tip>, ForgeError> {
        let call = Call::get(target.path(&["git", "commits", id.as_str()]));
        let body: GitCommitBody = match self.client.send(&call, identity).await {
            Err(ForgeError::Gone { .. }) => return Ok(None),
            outcome => outcome?.read()?,
        };
        let parents = body.parents.into_iter().map(|parent| parent.sha).collect();
        Ok(Some(Tip { commit: body.sha, tree: body.tree.sha, parents }))
    }

    /// The commit that another one was made on top of; `None` for the first of all, and for one that is not there. One request.
    pub async fn first_parent(&self, target: &Target, id: &ObjectId) -> Result<Option<ObjectId>, ForgeError> {
        let tip = self.commit(target, id, target.scope(Access::Contents).into()).await?;
        Ok(tip.and_then(|tip| tip.parents.into_iter().next()))
    }

    /// Every entry below a tree. A tree too large for one answer is read folder by folder.
    ///
    /// Errors: [`ForgeError::TooLarge`] for what even that cannot list; never a list with something missing.
    pub async fn tree(&self, target: &Target, tree: &ObjectId) -> Result<Vec<TreeEntry>, ForgeError> {
        let mut entries = Vec::new();
        // Folders to read with everything below, with the path in front of their entries.
        let mut folders = VecDeque::from([(String::new(), tree.clone())]);
        let mut requests = 0;
        while let Some((prefix, id)) = folders.pop_front() {
            let mut body = self.read_tree(target, &id, true).await?;
            requests += 1;
            if body.truncated {
                body = self.read_tree(target, &id, false).await?;
                requests += 1;
                let below = body.tree.iter().filter(|entry| entry.kind == "tree");
                folders.extend(below.map(|entry| (format!("{prefix}{}/", entry.path), entry.sha.clone())));
            }
            if body.truncated || entries.len() + body.tree.len() > MOST_ENTRIES || requests > MOST_TREE_REQUESTS {
                let endpoint = format!("GET {}", target.path(&["git", "trees", tree.as_str()]));
                return Err(ForgeError::TooLarge { endpoint, limit: format!("{MOST_ENTRIES} entries") });
            }
            entries.extend(body.tree.into_iter().map(|entry| entry.under(&prefix)));
        }
        Ok(entries)
    }

    /// The entries at the root of a commit, nothing below its folders. One request.
    ///
    /// Errors: [`ForgeError::TooLarge`] where GitHub leaves any out; never a list with something missing.
    pub async fn root(&self, target: &Target, commit: &ObjectId) -> Result<Vec<TreeEntry>, ForgeError> {
        let body = self.read_tree(target, commit, false).await?;
        if body.truncated {
            let endpoint = format!("GET {}", target.path(&["git", "trees", commit.as_str()]));
            return Err(ForgeError::TooLarge { endpoint, limit: format!("{MOST_ENTRIES} entries") });
        }
        Ok(body.tree.into_iter().map(|entry| entry.under("")).collect())
    }

    async fn read_tree(&self, target: &Target, id: &ObjectId, recursive: bool) -> Result<TreeBody, ForgeError> {
        let query = if recursive { "?recursive=1" } else { "" };
        let call = Call::get(target.path(&["git", "trees", id.as_str()]) + query);
        self.client.send(&call, target.scope(Access::Contents).into()).await?.read()
    }

    /// The bytes of a blob of at most `max_bytes`.
    ///
    /// Errors: [`ForgeError::TooLarge`] beyond that, before more than about that is read.
    pub async fn blob(&self, target: &Target, id: &ObjectId, max_bytes: u64) -> Result<Vec<u8>, ForgeError> {
        // Base64 adds a third, its line ends (escaped in JSON) a thirtieth, the other fields about a kilobyte.
        let cap = usize::try_from(max_bytes / 3 * 4 + max_bytes / 20 + 16_384).unwrap_or(usize::MAX);
        let call = Call::get(target.path(&["git", "blobs", id.as_str()])).at_most(cap);
        let too_large = || ForgeError::TooLarge { endpoint: call.endpoint(), limit: format!("{max_bytes} bytes") };
        let answer = match self.client.send(&call, target.scope(Access::Contents).into()).await {
            Err(ForgeError::TooLarge { .. }) => return Err(too_large()),
            outcome => outcome?,
        };
        let body: BlobBody = answer.read()?;
        let bytes = match body.encoding.as_str() {
            "base64" => {
                let packed: String = body.content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
                BASE64_STANDARD
                    .decode(packed)
                    .map_err(|error| answer.not_understood(format!("its content: {error}")))?
            }
            "utf-8" => body.content.into_bytes(),
            other => return Err(answer.not_understood(format!("its encoding `{other}` is unknown"))),
        };
        if bytes.len() as u64 > max_bytes {
            return Err(too_large());
        }
        if body.size.is_some_and(|size| size != bytes.len() as u64) {
            return Err(answer.not_understood("its content is not as long as its size says"));
        }
        Ok(bytes)
    }

    /// Writes the changed files on top of the base's tree. One request, unless the change is very large.
    pub(super) async fn write_tree(
        &self,
        target: &Target,
        change: &Change,
        identity: Identity,
    ) -> Result<ObjectId, ForgeError> {
        let mut tree = change.base.tree.clone();
        for files in in_batches(&change.files) {
            let mut entries = Vec::with_capacity(files.len());
            for file in files {
                let mut entry = json!({ "path": file.path, "mode": file.mode.as_str(), "type": "blob" });
                if file.text.len() > TREE_BYTES {
                    entry["sha"] = json!(self.write_blob(target, &file.text, identity).await?);
                } else {
                    entry["content"] = json!(file.text);
                }
                entries.push(entry);
            }
            // Without `base_tree` every file that is not listed would be deleted.
            let body = json!({ "base_tree": tree, "tree": entries });
            let call = Call::post(target.path(&["git", "trees"]), &body);
            let answer = self.client.send(&call, identity).await.map_err(|error| unwritten_tree(error, change))?;
            tree = answer.read::<ShaBody>()?.sha;
        }
        Ok(tree)
    }

    async fn write_blob(&self, target: &Target, text: &str, identity: Identity) -> Result<ObjectId, ForgeError> {
        let body = json!({ "content": BASE64_STANDARD.encode(text), "encoding": "base64" });
        let call = Call::post(target.path(&["git", "blobs"]), &body);
        Ok(self.client.send(&call, identity).await?.read::<ShaBody>()?.sha)
    }

    /// Writes the commit. Without author and committer of our own, GitHub signs it and shows it as verified.
    pub(super) async fn write_commit(
        &self,
        target: &Target,
        change: &Change,
        tree: &ObjectId,
        identity: Identity,
    ) -> Result<ObjectId, ForgeError> {
        let body = json!({ "message": change.message, "tree": tree, "parents": change.parents() });
        let call = Call::post(target.path(&["git", "commits"]), &body);
        let answer = self.client.send(&call, identity).await.map_err(stale_base)?;
        Ok(answer.read::<ShaBody>()?.sha)
    }

    /// Points a new branch at a commit; `false` when a branch of that name is there already.
    pub(super) async fn write_branch(
        &self,
        target: &Target,
        branch: &str,
        commit: &ObjectId,
        identity: Identity,
    ) -> Result<bool, ForgeError> {
        let body = json!({ "ref": format!("refs/heads/{branch}"), "sha": commit });
        let call = Call::post(target.path(&["git", "refs"]), &body);
        match self.client.send(&call, identity).await {
            Ok(answer) if answer.read::<RefBody>()?.object.sha == *commit => Ok(true),
            Ok(answer) => Err(answer.not_understood("the branch it made holds another commit")),
            Err(error) if error.says("reference already exists") => Ok(false),
            // A branch `x` leaves no room for `x/y`, and the other way round.
            Err(ForgeError::Invalid { endpoint, message }) if message.contains("Reference update failed") => {
                let why = format!("no branch `{branch}` can be made beside the existing ones ({message})");
                Err(ForgeError::Conflict { endpoint, why, found: None, pull: None })
            }
            Err(error) => Err(stale_base(error)),
        }
    }

    /// Deletes a branch that still holds the commit we put there. `true` when the branch is gone afterwards, `false`
    /// when it holds something else and was left alone.
    pub async fn delete_branch(&self, target: &Target, branch: &str, ours: &ObjectId) -> Result<bool, ForgeError> {
        let identity = target.scope(Access::WriteContents).into();
        match self.tip(target, branch, identity).await? {
            None => return Ok(true),
            Some(tip) if tip.commit != *ours => return Ok(false),
            Some(_) => {}
        }
        let call = Call::delete(target.path(&["git", "refs", &format!("heads/{branch}")]));
        match self.client.send(&call, identity).await {
            Ok(answer) if answer.status == StatusCode::NO_CONTENT => Ok(true),
            Ok(answer) => Err(answer.not_understood("it does not say that the branch is gone")),
            Err(error) if error.says("reference does not exist") => Ok(true),
            Err(error) => Err(error),
        }
    }
}

impl EntryBody {
    fn under(self, prefix: &str) -> TreeEntry {
        TreeEntry {
            path: format!("{prefix}{}", self.path),
            kind: match self.kind.as_str() {
                "blob" => EntryKind::Blob,
                "tree" => EntryKind::Tree,
                "commit" => EntryKind::Commit,
                _ => EntryKind::Other,
            },
            mode: self.mode,
            id: self.sha,
            size: self.size,
        }
    }
}

fn in_batches(files: &[FileChange]) -> Vec<&[FileChange]> {
    let mut batches = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (at, file) in files.iter().enumerate() {
        // A file that goes as a blob of its own takes no room in the tree.
        let size = if file.text.len() > TREE_BYTES { 0 } else { file.text.len() };
        if at > start && (at - start >= TREE_FILES || bytes + size > TREE_BYTES) {
            batches.push(&files[start..at]);
            (start, bytes) = (at, 0);
        }
        bytes += size;
    }
    if start < files.len() {
        batches.push(&files[start..]);
    }
    batches
}

pub(super) fn stale_base(error: ForgeError) -> ForgeError {
    let stale = ["sha does not exist", "object does not exist", "parent sha", "base_tree"];
    match error {
        ForgeError::Invalid { endpoint, message }
            if stale.iter().any(|words| message.to_ascii_lowercase().contains(words)) =>
        {
            ForgeError::StaleBase { endpoint, message }
        }
        other => other,
    }
}

/// Without the permission for workflows, GitHub answers 404 to a tree that touches one (seen).
fn unwritten_tree(error: ForgeError, change: &Change) -> ForgeError {
    match stale_base(error) {
        ForgeError::Gone { endpoint, message } if touches_workflows(change) => {
            ForgeError::Forbidden { endpoint, needs: Some("workflows=write".into()), message }
        }
        other => other,
    }
}

/// Whether a change needs the permission for workflow files.
pub(super) fn touches_workflows(change: &Change) -> bool {
    change.files.iter().any(|file| file.path.is_workflow())
}

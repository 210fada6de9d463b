//! What is sent to a forge: files, a commit message, a branch, a pull request.

use super::allowance::Turn;
use super::ids::PullNumber;
use super::package::PackageId;
use super::repo::{Head, ObjectId, RepoPath};
use serde::{Deserialize, Serialize};

/// The mode of a file in a git tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileMode {
    /// `100644`
    Regular,
    /// `100755`
    Executable,
}

impl FileMode {
    /// The mode as git trees write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "100644",
            Self::Executable => "100755",
        }
    }

    /// The mode from a git tree; `None` for symlinks, submodules and folders.
    pub fn from_git(mode: &str) -> Option<Self> {
        match mode {
            "100644" => Some(Self::Regular),
            "100755" => Some(Self::Executable),
            _ => None,
        }
    }
}

/// The new content of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Which file.
    pub path: RepoPath,
    /// Its mode, kept from before.
    pub mode: FileMode,
    /// All of its text.
    pub text: String,
}

/// The open pull request that a change goes onto, as one more commit on its branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onto {
    /// Its number.
    pub number: PullNumber,
    /// Where people see it.
    pub url: String,
    /// The commit at the head of its branch. Should there be another one when ours is to be put on top, nothing is.
    pub head: ObjectId,
    /// The commit of the base that ours follows as well, where the base has moved since the branch was last made.
    pub merged: Option<ObjectId>,
    /// Whether people's commits are below ours, so that not all of what the branch holds is ours to change.
    pub shared: bool,
}

/// A commit, and the pull request for it: on a new branch, or on that of a pull request that is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The commit whose tree is changed: the base's head, or that of a branch that people have committed to.
    pub base: Head,
    /// The pull request that is there already.
    #[serde(default)]
    pub onto: Option<Onto>,
    /// The branch the pull request goes to.
    pub base_branch: String,
    /// The branch it is sent on, without `refs/heads/`.
    pub branch: String,
    /// The changed files.
    pub files: Vec<FileChange>,
    /// The commit's message.
    pub message: String,
    /// The pull request's title: one line, at most 256 characters.
    pub title: String,
    /// The pull request's text in Markdown, at most 58,000 characters.
    pub body: String,
    /// The hashes that are written in its files. They are not sent apart; who repeats it writes the same ones.
    #[serde(default)]
    pub hashes: Vec<ReleaseHashes>,
    /// Whether the pull request is to be a draft. Where there are no drafts, it is none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub draft: bool,
}

/// The hashes of all files of a release, as requirements are pinned to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseHashes {
    /// The package.
    pub package: PackageId,
    /// The release.
    pub version: String,
    /// Algorithm and hash of each file, like `sha256:…`.
    pub hashes: Vec<String>,
}

impl Change {
    /// What the commit follows. A branch is only ever moved forward, so the head of one that is there comes first.
    pub fn parents(&self) -> Vec<ObjectId> {
        match &self.onto {
            None => vec![self.base.commit.clone()],
            Some(onto) => std::iter::once(&onto.head).chain(&onto.merged).cloned().collect(),
        }
    }

    /// The commit of the base that the branch holds afterwards, where this change decides that.
    pub fn made_on(&self) -> Option<&ObjectId> {
        match &self.onto {
            Some(onto) if onto.head == self.base.commit => None,
            _ => Some(&self.base.commit),
        }
    }
}

/// How far a change has got on its way to a pull request, as far as a forge's answers tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The tree it makes, once written.
    pub tree: Option<ObjectId>,
    /// The commit of that tree, once written.
    pub commit: Option<ObjectId>,
    /// Whether the branch holds that commit.
    pub branch: bool,
    /// Why GitHub refused it for good. From then on it is not sent any more, and what there is of it is taken back.
    pub refused: Option<String>,
    /// Its turn to write, where writes have to wait for one.
    pub turn: Option<Turn>,
}

impl Progress {
    /// Whether nothing of the change was sent.
    pub fn is_start(&self) -> bool {
        self.tree.is_none() && self.commit.is_none() && !self.branch
    }
}

//! Repositories, and the names of things inside them. What is parsed here is trusted further in.

use super::ids::{InstallationId, RepoId};
use super::text::as_text;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is not the name it was meant to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}: {why}")]
pub struct BadName {
    /// The text as it came, cut to a readable length.
    pub text: String,
    /// What it was meant to be, with its article.
    pub expected: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

impl BadName {
    fn new(text: &str, expected: &'static str, why: &'static str) -> Self {
        Self { text: text.chars().take(120).collect(), expected, why }
    }
}

/// `owner/name` of a repository, as people write it. It changes on rename and transfer: look up by
/// [`RepoId`], show this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepoName {
    owner: String,
    name: String,
}

impl RepoName {
    /// Reads `owner/name`.
    ///
    /// Errors: [`BadName`] unless both parts consist of letters, digits, `-`, `_` and `.`, and
    /// neither is `.` or `..`.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let bad = |why| BadName::new(text, "a repository name (OWNER/NAME)", why);
        let (owner, name) = text.split_once('/').ok_or_else(|| bad("there is no `/` in it"))?;
        for part in [owner, name] {
            if part.is_empty() || part == "." || part == ".." {
                return Err(bad("owner and name must not be empty or dots"));
            }
            if !part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
                return Err(bad("only letters, digits, `-`, `_` and `.` are allowed"));
            }
        }
        Ok(Self { owner: owner.into(), name: name.into() })
    }

    /// The account that owns the repository.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The repository's own name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for RepoName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

as_text!(RepoName, BadName);

/// A file's path inside a repository: relative, `/` between parts, safe to write to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepoPath(String);

impl RepoPath {
    /// Reads a path as git names it.
    ///
    /// Errors: [`BadName`] for empty and absolute paths, empty, `.` and `..` parts, backslashes, control
    /// characters, and any part that git or a file system could take for `.git`.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let bad = |why| BadName::new(text, "a path inside a repository", why);
        if text.is_empty() || text.len() > 4096 {
            return Err(bad("it is empty or longer than 4096 bytes"));
        }
        if text.contains('\\') || text.chars().any(char::is_control) {
            return Err(bad("backslashes and control characters are refused"));
        }
        for part in text.split('/') {
            if part.is_empty() || part == "." || part == ".." {
                return Err(bad("it must be relative, without empty, `.` or `..` parts"));
            }
            // HFS+ ignores some zero-width characters and NTFS trailing dots, spaces and streams (git's own fsck refuses the same).
            let plain: String = part.chars().filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')).collect();
            let stem = plain.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']).to_ascii_lowercase();
            if stem == ".git" || stem == "git~1" {
                return Err(bad("it names git's own folder"));
            }
        }
        Ok(Self(text.into()))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part of the path.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The folder the file is in; empty at the top of the repository.
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Whether GitHub runs what lies here, so that it may be changed by those alone who may change workflows.
    pub fn is_workflow(&self) -> bool {
        self.0.starts_with(".github/workflows/")
    }

    /// The path that `relative` means when it is written in this file, or an error if it leads out of the repository.
    pub fn join_sibling(&self, relative: &str) -> Result<Self, BadName> {
        let bad = |why| BadName::new(relative, "a path inside a repository", why);
        if relative.starts_with('/') {
            return Err(bad("it is absolute"));
        }
        let mut parts: Vec<&str> = self.folder().split('/').filter(|p| !p.is_empty()).collect();
        for part in relative.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or_else(|| bad("it leads out of the repository"))?;
                }
                part => parts.push(part),
            }
        }
        Self::parse(&parts.join("/"))
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(RepoPath, BadName);

/// The id of a git object: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectId(String);

impl ObjectId {
    /// Reads an object id.
    ///
    /// Errors: [`BadName`] unless it is 40 or 64 hex digits.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        if matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(BadName::new(text, "a git object id", "40 or 64 hex digits were expected"))
        }
    }

    /// The id as hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is git's null id, which webhooks send for "there is none".
    pub fn is_zero(&self) -> bool {
        self.0.bytes().all(|b| b == b'0')
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(ObjectId, BadName);

/// The commit a branch points at, together with that commit's tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The commit.
    pub commit: ObjectId,
    /// The commit's root tree.
    pub tree: ObjectId,
}

/// Whether we may work on a repository, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepoState {
    /// Everything as usual.
    Active,
    /// Read-only on GitHub.
    Archived,
    /// Disabled by GitHub.
    Disabled,
    /// The installation is suspended by its owner or by us.
    Suspended,
    /// No longer part of an installation, or deleted.
    Removed,
}

impl RepoState {
    /// Every state, in the order of the declaration.
    pub const ALL: [Self; 5] = [Self::Active, Self::Archived, Self::Disabled, Self::Suspended, Self::Removed];

    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
            Self::Disabled => "disabled",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
        }
    }

    /// The state a word stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A repository of an installation, as last told by GitHub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// GitHub's id, the key.
    pub id: RepoId,
    /// The installation that gives us access.
    pub installation: InstallationId,
    /// The current name.
    pub name: RepoName,
    /// The branch pull requests go to; `None` while the repository is empty.
    pub default_branch: Option<String>,
    /// Whether only some people may see it.
    pub private: bool,
    /// Whether it is a fork of another repository.
    pub fork: bool,
    /// Whether we may work on it.
    pub state: RepoState,
    /// Where people look at it.
    pub web_url: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_names() {
        assert_eq!(RepoName::parse("acme/api.v2").unwrap().to_string(), "acme/api.v2");
        for bad in ["acme", "acme/", "/api", "acme/..", "acme/a b", "acme/api/x", "acme/a%2Fb"] {
            assert!(RepoName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_that_would_escape_are_refused() {
        for good in ["requirements.txt", "a/b/Dockerfile", ".github/workflows/ci.yml", "with space/x", ".gitignore"] {
            assert!(RepoPath::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "./a",
            "a\\b",
            "a\0b",
            ".git/config",
            "a/.GIT/x",
            ".git ./x",
            "git~1/x",
            ".g\u{200c}it/x",
            ".git::$INDEX_ALLOCATION/x",
        ] {
            assert!(RepoPath::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn siblings_stay_inside() {
        let file = RepoPath::parse("services/api/requirements.txt").unwrap();
        assert_eq!(file.join_sibling("dev.txt").unwrap().as_str(), "services/api/dev.txt");
        assert_eq!(file.join_sibling("../../base.txt").unwrap().as_str(), "base.txt");
        assert!(file.join_sibling("../../../x").is_err());
        assert!(file.join_sibling("/x").is_err());
    }

    #[test]
    fn object_ids_of_both_lengths() {
        assert!(ObjectId::parse(&"a".repeat(40)).is_ok());
        assert!(ObjectId::parse(&"0".repeat(64)).unwrap().is_zero());
        assert!(ObjectId::parse("abc").is_err());
    }
}

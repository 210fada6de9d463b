//! Which migration a subscription asks for.

use crate::document::{NameGlob, Node, Problems, nearest, one_of, quoted, text};
use crate::domain::Ecosystem;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// What a subscription is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MigrationPattern {
    /// The packages of an ecosystem, wherever the repository uses them.
    Ecosystem(Ecosystem),
    /// Migrations that an organisation authored: `acme/*`.
    Authored {
        /// The account that publishes them.
        owner: String,
        /// Which of its migrations, by name.
        name: NameGlob,
    },
}

/// Other names of ecosystems that the file takes. [`Ecosystem::from_word`] knows what they stand for.
const ALIASES: [&str; 3] = ["dockerfile", "pip", "python"];

/// The words that may stand for a migration, without aliases.
fn words() -> impl Iterator<Item = &'static str> {
    Ecosystem::ALL.into_iter().map(Ecosystem::as_str)
}

/// What else people call the ecosystems. The file does not take these words: each would be one more way to say the same.
const CALLED: [(Ecosystem, &[&str]); 6] = [
    (Ecosystem::Pypi, &["pip3", "poetry", "uv", "pipenv", "pdm", "hatch", "setuptools", "py", "python3"]),
    (
        Ecosystem::Docker,
        &["image", "images", "container", "containers", "oci", "compose", "docker-compose", "docker-image", "podman"],
    ),
    (
        Ecosystem::GithubActions,
        &[
            "actions",
            "action",
            "gha",
            "github",
            "gh-actions",
            "githubactions",
            "github-action",
            "workflow",
            "workflows",
        ],
    ),
    (Ecosystem::PreCommit, &["precommit", "hook", "hooks", "pre-commit-hooks"]),
    (
        Ecosystem::Npm,
        &["javascript", "typescript", "node", "nodejs", "node-js", "js", "ts", "npmjs", "yarn", "pnpm", "bun"],
    ),
    (Ecosystem::Cargo, &["rust", "crates", "crate", "crates-io"]),
];

/// The ecosystem that somebody means who writes another word, if it can be told.
fn meant(written: &str) -> Option<Ecosystem> {
    let word: String = written.chars().take(64).collect::<String>().to_lowercase().replace(['_', ' ', '.'], "-");
    let called = CALLED.iter().find(|(_, names)| names.contains(&word.as_str())).map(|(ecosystem, _)| *ecosystem);
    // Not `pip`: it is near to the names of what is not served.
    let near = || nearest(&word, words().chain(["dockerfile", "python"]));
    // Of a short word half is soon another: `php` is not `pypi`.
    let half = word.chars().count() / 2;
    let spelled =
        || near().filter(|near| strsim::damerau_levenshtein(&word, near) <= half).and_then(Ecosystem::from_word);
    called.or_else(|| Ecosystem::from_word(&word)).or_else(spelled)
}

/// The list that somebody means who writes `pypi, docker`.
fn list_of_words(written: &str) -> Option<String> {
    let parts: Vec<&str> = written.split([',', ' ']).filter(|part| !part.is_empty()).take(100).collect();
    let all_known = parts.iter().all(|part| Ecosystem::from_word(part).is_some());
    (parts.len() > 1 && all_known).then(|| format!("[{}]", parts.join(", ")))
}

/// How a pattern of authored migrations looks, for the schema; [`MigrationPattern::parse`] says more.
const AUTHORED: &str = r"^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[A-Za-z0-9*?\[{][A-Za-z0-9._*?\[\]{},!-]*$";

/// Why a text names no migration: what is wrong, and what would be right.
struct NotAMigration {
    what: String,
    fix: String,
}

impl MigrationPattern {
    /// The ecosystem, where it asks for one.
    pub const fn ecosystem(&self) -> Option<Ecosystem> {
        match self {
            Self::Ecosystem(ecosystem) => Some(*ecosystem),
            Self::Authored { .. } => None,
        }
    }

    /// Whether whatever `other` matches is matched by this too. "No" may also mean that it cannot be told.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Authored { owner, name }, Self::Authored { owner: other_owner, name: other_name }) => {
                owner.eq_ignore_ascii_case(other_owner) && name.covers(other_name)
            }
            _ => self == other,
        }
    }

    fn parse(text: &str) -> Result<Self, NotAMigration> {
        if let Some(ecosystem) = Ecosystem::from_word(text) {
            return Ok(Self::Ecosystem(ecosystem));
        }
        let Some((owner, name)) = text.split_once('/') else {
            if let Some(list) = list_of_words(text) {
                return Err(NotAMigration {
                    what: format!("{} is one text, and no list", quoted(text)),
                    fix: format!("write {}", quoted(&list)),
                });
            }
            let hint = meant(text).map(|word| format!(", did you mean `{word}`?")).unwrap_or_default();
            return Err(NotAMigration {
                what: format!("unknown migration {}{hint}", quoted(text)),
                fix: format!("use {}, or `OWNER/NAME` for an authored migration", one_of(words())),
            });
        };
        let bad = |why: &str| NotAMigration {
            what: format!("{} names no authored migration: {why}", quoted(text)),
            fix: "write `OWNER/NAME`, where NAME may be a glob: `acme/*`".into(),
        };
        let login = owner.len() <= 39
            && owner.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !owner.starts_with('-')
            && !owner.ends_with('-')
            && !owner.contains("--");
        if owner.is_empty() || !login {
            return Err(bad("before the `/` stands the account, of letters, digits and single `-`"));
        }
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric() || "*?[{".contains(c));
        if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || "._*?[]{},!-".contains(c)) {
            return Err(bad("after the `/` stands a name of letters, digits, `.`, `_` and `-`, or a glob of such"));
        }
        let name = NameGlob::parse(name).map_err(|why| bad(&why))?;
        Ok(Self::Authored { owner: owner.into(), name })
    }

    /// The migration that a key stands for: then a mapping was written where a list of entries belongs.
    pub(super) fn of_key(key: &str) -> Option<&str> {
        let called = || CALLED.iter().find(|(_, names)| names.contains(&key)).map(|(ecosystem, _)| ecosystem.as_str());
        if Ecosystem::from_word(key).is_some() || key.contains('/') { Some(key) } else { called() }
    }

    pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let text = text(node, "a migration", "`pypi` or `acme/*`", problems)?;
        Self::parse(text).map_err(|not| problems.add(node.at, not.what, not.fix)).ok()
    }
}

impl fmt::Display for MigrationPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ecosystem(ecosystem) => f.write_str(ecosystem.as_str()),
            Self::Authored { owner, name } => write!(f, "{owner}/{name}"),
        }
    }
}

impl TryFrom<String> for MigrationPattern {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).map_err(|not| not.what)
    }
}

impl From<MigrationPattern> for String {
    fn from(pattern: MigrationPattern) -> Self {
        pattern.to_string()
    }
}

impl JsonSchema for MigrationPattern {
    fn schema_name() -> Cow<'static, str> {
        "Migration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = words().chain(ALIASES).collect();
        json_schema!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": AUTHORED }] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_schema_is_read() {
        for word in words().chain(ALIASES) {
            assert!(MigrationPattern::parse(word).is_ok(), "{word}");
        }
    }

    #[test]
    fn what_ecosystems_are_called_is_in_its_normal_form_and_said_once() {
        let all: Vec<&str> = CALLED.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        for (n, word) in all.iter().enumerate() {
            assert!(!all[..n].contains(word) && MigrationPattern::parse(word).is_err(), "{word}");
            assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{word}");
        }
    }
}

//! Who is asked to look at pull requests: reviewers and assignees.

use crate::document::{Node, Problems, Spot, one_or_many, quoted, text};
use crate::domain::people::{NoParty, Party};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One of those who are asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Asked {
    /// Whoever the repository's `CODEOWNERS` file names for the files of a pull request.
    CodeOwners,
    /// A person or a team.
    Named(Party),
}

/// The word for the owners of the files.
const CODE_OWNERS: &str = "codeowners";

/// GitHub's own limit on the people assigned to a pull request.
pub const ASSIGNEES_MAX: usize = 10;
/// GitHub's own limit on the reviewers asked for one.
pub const REVIEWERS_MAX: usize = 15;

impl TryFrom<String> for Asked {
    type Error = NoParty;

    /// The account of that very name is written with an `@`.
    fn try_from(text: String) -> Result<Self, NoParty> {
        if text == CODE_OWNERS { Ok(Self::CodeOwners) } else { Party::parse(&text).map(Self::Named) }
    }
}

impl From<Asked> for String {
    fn from(asked: Asked) -> Self {
        asked.to_string()
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CodeOwners => f.write_str(CODE_OWNERS),
            Self::Named(party) if party.to_string() == CODE_OWNERS => write!(f, "@{party}"),
            Self::Named(party) => party.fmt(f),
        }
    }
}

pub(super) fn read_reviewers(node: &Node, problems: &mut Problems) -> Vec<Asked> {
    let reviewers = read(node, ("a reviewer", "`alice` or `acme/platform`", REVIEWERS_MAX), problems);
    reviewers.into_iter().map(|(asked, _)| asked).collect()
}

pub(super) fn read_assignees(node: &Node, problems: &mut Problems) -> Vec<Asked> {
    let mut assignees = Vec::new();
    for (asked, at) in read(node, ("an assignee", "`alice`", ASSIGNEES_MAX), problems) {
        if matches!(asked, Asked::Named(Party::Team { .. })) {
            let what = format!("{} is a team, and only people can be assigned", quoted(&asked.to_string()));
            problems.add(at, what, "name people, or ask the team in `reviewers`");
        }
        assignees.push(asked);
    }
    assignees
}

/// Those who can be asked, each once, with the places where they stand.
fn read(node: &Node, (what, example, most): (&str, &str, usize), problems: &mut Problems) -> Vec<(Asked, Spot)> {
    let mut all: Vec<(Asked, Spot)> = Vec::new();
    for item in one_or_many(node) {
        let Some(written) = text(item, what, example, problems) else { continue };
        match Asked::try_from(written.to_owned()) {
            Err(why) => {
                let fix = format!("write for example {example}, or `{CODE_OWNERS}`");
                problems.add(item.at, format!("{} is not {what}: {why}", quoted(written)), fix);
            }
            Ok(asked) if all.iter().any(|(known, _)| same(known, &asked)) => {
                problems.add(item.at, format!("{} is here twice", quoted(written)), "keep one of them");
            }
            Ok(_) if all.len() == most => {
                let what = format!("{} is one too many: GitHub takes {most} at most", quoted(written));
                problems.add(item.at, what, "name fewer, or a team");
            }
            Ok(asked) => all.push((asked, item.at)),
        }
    }
    all
}

fn same(one: &Asked, other: &Asked) -> bool {
    match (one, other) {
        (Asked::Named(one), Asked::Named(other)) => one.is(other),
        (one, other) => one == other,
    }
}

pub(super) fn reviewers_schema(_: &mut SchemaGenerator) -> Schema {
    list(
        json_schema!({ "type": "string", "pattern": "^@?[A-Za-z0-9][A-Za-z0-9_-]{0,99}(/[A-Za-z0-9._-]{1,100})?$" }),
        REVIEWERS_MAX,
    )
}

pub(super) fn assignees_schema(_: &mut SchemaGenerator) -> Schema {
    list(json_schema!({ "type": "string", "pattern": "^@?[A-Za-z0-9][A-Za-z0-9_-]{0,99}$" }), ASSIGNEES_MAX)
}

fn list(item: Schema, most: usize) -> Schema {
    json_schema!({ "anyOf": [item, { "type": "array", "items": item, "uniqueItems": true, "maxItems": most }] })
}

//! What is not to be proposed: packages, or versions of them.

use crate::document::{
    Field, Mapping, NameGlob, Node, Problems, Spot, Value, fields_schema, quoted, read_fields, text,
};
use crate::domain::{Ecosystem, PackageId};
use crate::versioning::scheme;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Packages, or versions of them, that are not to be proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnoreRule {
    /// Which packages, by name.
    pub name: NameGlob,
    /// Which of their versions, in the ecosystem's own language; all when absent.
    pub versions: Option<String>,
    /// The line of the rule in the file, counted from 1.
    pub line: u32,
}

impl IgnoreRule {
    /// Whether the rule speaks of a package; of which versions of it is for the ecosystem's scheme to say.
    ///
    /// Names match as people write them: `pypi` names and crates however they are spelled, official images with and
    /// without `library/`, repositories of hooks with and without the host, and by the address that the file has.
    pub fn names(&self, package: &PackageId) -> bool {
        match package.ecosystem {
            Ecosystem::Pypi => self.name.matches_normalised(&package.name),
            Ecosystem::Docker => {
                let official = package.name.strip_prefix("library/");
                self.name.matches(&package.name) || official.is_some_and(|name| self.name.matches(name))
            }
            Ecosystem::PreCommit => {
                let name = &package.name;
                let without_host = name.split_once('/').map(|(_, repository)| repository);
                let addresses = [format!("https://{name}"), format!("https://{name}.git")];
                self.name.matches(name)
                    || without_host.is_some_and(|repository| self.name.matches(repository))
                    || addresses.iter().any(|address| self.name.matches(address))
            }
            // No two crates differ only in these: the registry takes one for the other.
            Ecosystem::Cargo => {
                self.name.matches(&package.name) || self.name.matches_normalised(&package.name.replace('_', "-"))
            }
            Ecosystem::GithubActions | Ecosystem::Npm => self.name.matches(&package.name),
        }
    }

    /// The rule, and where its parts stand: whether they make sense in the ecosystem is checked once the migration is known.
    pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<(Self, RulePlaces)> {
        let mut written = WrittenRule::default();
        match &node.value {
            Value::Map(map) => read_fields(
                &mut written,
                map,
                node.at,
                &Mapping { what: "an ignore rule", fields: &RULE, elsewhere: &[] },
                problems,
            ),
            _ => (written.name, written.name_at) = (read_name(node, problems), node.at),
        }
        let places = RulePlaces { name: written.name_at, versions: written.versions_at };
        Some((Self { name: written.name?, versions: written.versions, line: node.at.line }, places))
    }

    /// Adds a problem if the ecosystem has no such name, or cannot read the range of versions, or no version is in it.
    pub(super) fn check_for(&self, ecosystem: Ecosystem, places: RulePlaces, problems: &mut Problems) {
        if let Some((name, version)) = self.with_version(ecosystem) {
            let what = format!("{} holds a version, so it names nothing in `{ecosystem}`", quoted(self.name.as_str()));
            let fix = match version.starts_with(|c: char| c.is_ascii_digit())
                && scheme(ecosystem).matches(version, "1").is_ok()
            {
                true => format!(
                    "write `name: {name}` and below it `versions: \"{version}\"`, or {} for all versions",
                    quoted(name)
                ),
                false => format!("write {}, and which versions are meant under `versions`", quoted(name)),
            };
            problems.add(places.name, what, fix);
        }
        let (Some(range), Some(at)) = (&self.versions, places.versions) else { return };
        match scheme(ecosystem).matches(range, "1") {
            Err(bad) => {
                let what = format!("{} is not a range of versions for `{ecosystem}`: {}", quoted(range), bad.why);
                problems.add(at, what, "write for example `>=5` or `>=5,<6`");
            }
            Ok(false) if is_empty_range(ecosystem, range) => {
                let what = format!("no version is in the range {}", quoted(range));
                problems.add(at, what, "write for example `>=3,<5`; alternatives have `||` between them: `<3 || >=5`");
            }
            Ok(_) => {}
        }
    }

    /// The name and the version of a text that holds both, as `python:3.12` and `left-pad@1.3.0` do. No name of the ecosystem has
    /// such a mark.
    fn with_version(&self, ecosystem: Ecosystem) -> Option<(&str, &str)> {
        let text = self.name.as_str();
        let (name, version) = match ecosystem {
            // The port of a registry stands before a slash.
            Ecosystem::Docker => {
                let image = text.rfind('/').map_or(0, |slash| slash + 1);
                let mark = image + text[image..].find([':', '@'])?;
                let after = &text[mark + 1..];
                // The slash may be among what a wildcard stands for.
                let wild = after.trim_start_matches(|c: char| c.is_ascii_digit());
                if image == 0 && text[mark..].starts_with(':') && wild.starts_with(['*', '?', '[', '{']) {
                    return None;
                }
                (&text[..mark], after)
            }
            Ecosystem::Npm => {
                let scope = text.len() - text.trim_start_matches('@').len();
                let mark = scope + text[scope..].find('@')?;
                (&text[..mark], &text[mark + 1..])
            }
            Ecosystem::Pypi | Ecosystem::Cargo | Ecosystem::GithubActions => text.split_once('@')?,
            // Addresses have such marks.
            Ecosystem::PreCommit => return None,
        };
        (!name.is_empty() && !name.contains(['[', '{'])).then_some((name, version))
    }
}

/// Where the parts of a rule stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct RulePlaces {
    name: Spot,
    versions: Option<Spot>,
}

/// Whether no version is in a range that the ecosystem reads. `false` may also mean that it cannot be told.
///
/// Where bounds leave room, there is room at one of them or right above it. That is tried; so only ranges of plain numbers are judged.
fn is_empty_range(ecosystem: Ecosystem, range: &str) -> bool {
    let plain = |c: char| c.is_ascii_digit() || c.is_whitespace() || ".*<>=!~^,|".contains(c);
    // Alone, `!` stands after an epoch, as in `1!2.0`, and versions of another epoch are not tried.
    let has_epoch = range.split('!').skip(1).any(|after| !after.starts_with('='));
    if has_epoch || !range.chars().all(plain) {
        return false;
    }
    let mut tried = vec![vec![0, 0, 0]];
    for word in range.split(|c: char| !c.is_ascii_digit() && c != '.').filter(|word| !word.is_empty()) {
        let numbers: Option<Vec<u64>> =
            word.split('.').filter(|number| !number.is_empty()).map(|number| number.parse().ok()).collect();
        // Beyond what anybody counts to.
        let Some(numbers) = numbers.filter(|numbers| numbers.iter().all(|number| *number < u64::MAX)) else {
            return false;
        };
        tried.push(numbers);
    }
    let longest = tried.iter().map(Vec::len).max().unwrap_or_default();
    let scheme = scheme(ecosystem);
    let matches = |numbers: &[u64]| {
        let version = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
        scheme.matches(range, &version).unwrap_or(true)
    };
    // As many numbers as are written, three as most schemes ask for, and one more than any bound has.
    !tried.iter().any(|numbers| {
        [numbers.len(), 3, longest + 1].into_iter().any(|length| {
            let mut exact = numbers.clone();
            exact.resize(length.max(numbers.len()), 0);
            let above = (0..exact.len()).map(|at| {
                let mut above = exact.clone();
                above[at] += 1;
                above
            });
            matches(&exact) || above.into_iter().any(|above| matches(&above))
        })
    })
}

#[derive(Debug)]
struct WrittenRule {
    name: Option<NameGlob>,
    name_at: Spot,
    versions: Option<String>,
    versions_at: Option<Spot>,
}

impl Default for WrittenRule {
    fn default() -> Self {
        Self { name: None, name_at: Spot::START, versions: None, versions_at: None }
    }
}

const RULE: [Field<WrittenRule>; 2] = [
    Field {
        name: "name",
        about: "the package's name, or a glob of names: `django*`",
        required: true,
        schema: name_schema,
        read: |rule, node, problems| (rule.name, rule.name_at) = (read_name(node, problems), node.at),
    },
    Field {
        name: "versions",
        about: "the versions to ignore, as the ecosystem writes ranges: `>=5,<6`; without it, all",
        required: false,
        schema: |_| json_schema!({ "type": "string", "pattern": RANGE, "maxLength": 200 }),
        read: |rule, node, problems| {
            let Some(range) = text(node, "a range of versions", "`\">=5\"`", problems) else { return };
            match check_range(range) {
                Ok(()) => {
                    rule.versions = Some(range.trim().into());
                    rule.versions_at = Some(node.at);
                }
                Err((why, fix)) => {
                    problems.add(node.at, format!("{} is not a range of versions: {why}", quoted(range)), fix)
                }
            }
        },
    },
];

/// No package has these in its name: who writes them means a range of versions.
const NOT_IN_NAMES: [char; 3] = ['<', '>', '='];

/// How ranges look in whatever ecosystem, for the schema; [`check_range`] and the ecosystem's scheme say more.
const RANGE: &str =
    r"^(?=.*[A-Za-z0-9*])(?!.*=[<>])(?!\s*,)(?!.*,\s*$)(?!.*[<>=~^!]\s*$)[\sA-Za-z0-9._*+!<>=~^/@,|-]+$";

fn name_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": r"^[^\s<>=\u0000-\u001f\u007f-\u009f]+$", "maxLength": 200 })
}

fn read_name(node: &Node, problems: &mut Problems) -> Option<NameGlob> {
    let written = text(node, "a package's name", "`django` or `types-*`", problems)?;
    if let Some(odd) = written.find(|c: char| NOT_IN_NAMES.contains(&c) || c.is_whitespace()) {
        let (name, range) = (written[..odd].trim_end_matches(['~', '!', '^']), written.trim());
        let range = range.strip_prefix(name).unwrap_or_default().trim();
        let what = format!("{} is no name: a package has no blank, `<`, `>` or `=` in it", quoted(written));
        let is_range = range.starts_with(['<', '>', '=', '~', '!', '^']) && check_range(range).is_ok();
        let fix = match !name.is_empty() && is_range {
            true => format!("write `name: {name}` and below it `versions: \"{range}\"`"),
            false => {
                "write a name alone, one for each item of the list; which versions are meant stands under `versions`"
                    .into()
            }
        };
        problems.add(node.at, what, fix);
        return None;
    }
    NameGlob::parse(written)
        .map_err(|why| {
            problems.add(
                node.at,
                format!("{} is no name or glob: {why}", quoted(written)),
                "write a name, in which `*` may stand for any characters",
            )
        })
        .ok()
}

/// Checks what every ecosystem's ranges have in common: clauses of an operator and a version. What they mean
/// is for the ecosystem's scheme.
fn check_range(range: &str) -> Result<(), (String, String)> {
    const OPERATORS: [&str; 12] = ["===", "==", "!=", "<=", ">=", "~=", "~>", "<", ">", "=", "^", "~"];
    let example = || "write for example `>=5` or `>=5,<6`".to_owned();
    if range.len() > 200 {
        return Err(("it is longer than 200 characters".into(), example()));
    }
    for clause in range.split([',', '|']).map(str::trim) {
        let version = clause.trim_start_matches(['<', '>', '=', '!', '~', '^']);
        let operator = &clause[..clause.len() - version.len()];
        // What is between the two bars of `||`.
        if clause.is_empty() && range.contains("||") {
            continue;
        }
        if !operator.is_empty() && !OPERATORS.contains(&operator) {
            let hint = operator.chars().rev().collect::<String>();
            let fix = if OPERATORS.contains(&hint.as_str()) { format!("write `{hint}{version}`") } else { example() };
            return Err((format!("there is no operator `{operator}`"), fix));
        }
        if !version.chars().any(|c| c.is_ascii_alphanumeric() || c == '*') {
            return Err(("a version is missing".into(), example()));
        }
        if let Some(odd) = version.chars().find(|c| !c.is_ascii_alphanumeric() && !"._*+!- <>=~^/@".contains(*c)) {
            return Err((format!("{} has no place in a version", quoted(&odd.to_string())), example()));
        }
    }
    Ok(())
}

impl JsonSchema for IgnoreRule {
    fn schema_name() -> Cow<'static, str> {
        "Ignore".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let short = name_schema(generator);
        let long = fields_schema("packages, or versions of them, that are not to be proposed", &RULE, generator);
        json_schema!({ "anyOf": [short, long] })
    }
}

//! The smaller rules of a subscription: groups, ignored packages, labels, paths, limits, the time zone.

use crate::document::{
    Field, Mapping, NameGlob, Node, Problems, Spot, Value, fields_schema, nearest, one_or_many, quoted, read_fields,
    text,
};
use crate::domain::{Ecosystem, PackageId};
use crate::versioning::scheme;
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// Which updates of a repository share a pull request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grouping {
    /// Each package has its own, and another for its major step.
    #[default]
    None,
    /// All of the subscription share one, major steps included.
    All,
    /// Minor and patch steps of the subscription share one, major steps have their own.
    MinorAndPatch,
    /// Minor and patch steps of every subscription with this name share one, and their major steps another.
    Named(String),
}

const NAME: &str = "^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?$";

impl Grouping {
    pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let written = text(node, "a group", "`minor-and-patch` or a name", problems)?;
        let fix = "use `none`, `all`, `minor-and-patch`, or a name of small letters, digits and `-`, at most 50";
        match written {
            "none" => return Some(Self::None),
            "all" => return Some(Self::All),
            "minor-and-patch" => return Some(Self::MinorAndPatch),
            _ => {}
        }
        let proper = written.len() <= 50
            && written.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !written.starts_with('-')
            && !written.ends_with('-');
        // A name that is nearly this word would silently group everything instead.
        let slip = strsim::damerau_levenshtein(
            &written.chars().take(64).collect::<String>().to_lowercase(),
            "minor-and-patch",
        ) <= 4;
        if slip {
            problems.add(node.at, format!("unknown group {}, did you mean `minor-and-patch`?", quoted(written)), fix);
            return None;
        }
        if !proper {
            problems.add(node.at, format!("{} cannot name a group", quoted(written)), fix);
            return None;
        }
        Some(Self::Named(written.into()))
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::All => "all",
            Self::MinorAndPatch => "minor-and-patch",
            Self::Named(name) => name,
        })
    }
}

impl JsonSchema for Grouping {
    fn schema_name() -> Cow<'static, str> {
        "Group".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "enum": ["none", "all", "minor-and-patch"] }, { "type": "string", "pattern": NAME }] })
    }
}

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

    /// The rule, and where its range of versions stands: whether the ecosystem can read that range is checked once the
    /// migration is known.
    pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<(Self, Option<Spot>)> {
        let mut written = WrittenRule::default();
        match &node.value {
            Value::Map(map) => read_fields(
                &mut written,
                map,
                node.at,
                &Mapping { what: "an ignore rule", fields: &RULE, elsewhere: &[] },
                problems,
            ),
            _ => written.name = read_name(node, problems),
        }
        Some((Self { name: written.name?, versions: written.versions, line: node.at.line }, written.versions_at))
    }

    /// Adds a problem if the ecosystem cannot read the range of versions.
    pub(super) fn check_for(&self, ecosystem: Ecosystem, versions_at: Option<Spot>, problems: &mut Problems) {
        let (Some(range), Some(at)) = (&self.versions, versions_at) else { return };
        if let Err(bad) = scheme(ecosystem).matches(range, "1") {
            let what = format!("{} is not a range of versions for `{ecosystem}`: {}", quoted(range), bad.why);
            problems.add(at, what, "write for example `>=5` or `>=5,<6`");
        }
    }
}

#[derive(Debug, Default)]
struct WrittenRule {
    name: Option<NameGlob>,
    versions: Option<String>,
    versions_at: Option<Spot>,
}

const RULE: [Field<WrittenRule>; 2] = [
    Field {
        name: "name",
        about: "the package's name, or a glob of names: `django*`",
        required: true,
        schema: name_schema,
        read: |rule, node, problems| rule.name = read_name(node, problems),
    },
    Field {
        name: "versions",
        about: "the versions to ignore, as the ecosystem writes ranges: `>=5,<6`; without it, all",
        required: false,
        schema: |_| json_schema!({ "type": "string", "pattern": r"\S", "maxLength": 200 }),
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

fn name_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": r"\S", "maxLength": 200 })
}

fn read_name(node: &Node, problems: &mut Problems) -> Option<NameGlob> {
    let written = text(node, "a package's name", "`django` or `types-*`", problems)?;
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

/// GitHub's own limit on a label's name. Unit: characters.
const LONGEST_LABEL: usize = 50;

pub(super) fn read_labels(node: &Node, problems: &mut Problems) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for item in one_or_many(node) {
        let Some(label) = text(item, "a label", "`dependencies`", problems) else { continue };
        if label.chars().count() > LONGEST_LABEL || label.chars().any(char::is_control) {
            let what = format!("{} is no label", quoted(label));
            problems.add(item.at, what, format!("use at most {LONGEST_LABEL} characters on one line"));
        } else if labels.iter().any(|known| known.to_lowercase() == label.to_lowercase()) {
            problems.add(item.at, format!("the label {} is here twice", quoted(label)), "keep one of them");
        } else {
            labels.push(label.trim().into());
        }
    }
    labels
}

pub(super) fn labels_schema(_: &mut SchemaGenerator) -> Schema {
    let label = json_schema!({ "type": "string", "pattern": r"\S", "maxLength": LONGEST_LABEL });
    json_schema!({ "anyOf": [label, { "type": "array", "items": label, "uniqueItems": true }] })
}

/// The most pull requests one may ask to have open at once.
pub(super) const HIGHEST_LIMIT: u32 = 100;

pub(super) fn read_limit(node: &Node, problems: &mut Problems) -> Option<u32> {
    let number = match &node.value {
        Value::Unreadable => return None,
        Value::Number(number) => number.parse().ok().filter(|number| (1..=HIGHEST_LIMIT).contains(number)),
        _ => None,
    };
    if number.is_none() {
        let what = format!("a limit must be a whole number from 1 to {HIGHEST_LIMIT}, this is {}", node.kind());
        let fix = match &node.value {
            Value::Text(text) if text.parse::<u32>().is_ok() => "remove the quotes",
            _ => "write for example `5`; to get no pull requests, remove the subscription",
        };
        problems.add(node.at, what, fix);
    }
    number
}

pub(super) fn limit_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 1, "maximum": HIGHEST_LIMIT })
}

/// What some machines keep beside the zones, or as a zone without a place.
const NOT_ZONES: [&str; 6] = ["Etc/Unknown", "Factory", "localtime", "posix", "right/", "leap"];

pub(super) fn read_timezone(node: &Node, problems: &mut Problems) -> Option<TimeZone> {
    let name = text(node, "a time zone", "`Europe/Paris`", problems)?;
    let is_zone = |known: &str| !NOT_ZONES.iter().any(|not| known.starts_with(not));
    if let Ok(zone) = jiff::tz::db().get(name)
        && zone.iana_name().is_some_and(is_zone)
    {
        return Some(zone);
    }
    let known = jiff::tz::db().available().map(|zone| zone.as_str().to_owned());
    let known: Vec<String> = known.filter(|zone| is_zone(zone)).collect();
    // People remember the city: `Paris`, `europe/pariss`.
    let city = name.rsplit('/').next().unwrap_or(name);
    let by_city = || {
        known
            .iter()
            .map(String::as_str)
            .find(|zone| zone.rsplit('/').next().is_some_and(|known| known.eq_ignore_ascii_case(city)))
    };
    let hint = by_city().or_else(|| nearest(name, known.iter().map(String::as_str)));
    let hint = hint.map(|zone| format!(", did you mean `{zone}`?")).unwrap_or_default();
    problems.add(
        node.at,
        format!("unknown time zone {}{hint}", quoted(name)),
        "use a name of the IANA time zone database, such as `Europe/Paris`, or `UTC`",
    );
    None
}

pub(super) fn timezone_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": r"\S", "examples": ["Europe/Paris", "UTC"] })
}

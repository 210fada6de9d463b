//! The smaller rules of a subscription: groups, labels, paths, limits, the time zone.

use crate::document::{Node, Problems, Value, nearest, one_or_many, quoted, text};
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
    let label = json_schema!({ "type": "string", "pattern": r"^(?=.*\S)[^\u0000-\u001f\u007f-\u009f]+$", "maxLength": LONGEST_LABEL });
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
    json_schema!({ "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9+_/-]*$", "examples": ["Europe/Paris", "UTC"] })
}

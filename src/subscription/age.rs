//! How old a release must be before it counts.

use crate::document::{Field, Mapping, Node, Problems, Value, fields_schema, quoted, read_fields, text};
use crate::domain::VersionStep;
use crate::domain::time::in_words;
use jiff::SignedDuration;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The age a release must have reached, by how large a step it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinAge {
    /// For steps of the first number.
    pub major: SignedDuration,
    /// For steps of the second number.
    pub minor: SignedDuration,
    /// For steps of the third or a later number.
    pub patch: SignedDuration,
}

impl MinAge {
    /// The age asked for at a step.
    pub const fn for_step(&self, step: VersionStep) -> SignedDuration {
        match step {
            VersionStep::Major => self.major,
            VersionStep::Minor => self.minor,
            VersionStep::Patch => self.patch,
        }
    }

    /// The same age for every step.
    pub const fn same(age: SignedDuration) -> Self {
        Self { major: age, minor: age, patch: age }
    }

    /// The ages for people: one where they are the same, `none` for none.
    pub fn in_words(&self) -> String {
        let words = |age: SignedDuration| if age.is_zero() { "none".into() } else { in_words(age) };
        if *self == Self::same(self.major) {
            return words(self.major);
        }
        format!("major {}, minor {}, patch {}", words(self.major), words(self.minor), words(self.patch))
    }
}

/// `min_age` as written: steps that a mapping leaves out come from the file's default.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WrittenAge {
    major: Option<SignedDuration>,
    minor: Option<SignedDuration>,
    patch: Option<SignedDuration>,
}

const FIELDS: [Field<WrittenAge>; 3] = [
    Field {
        name: "major",
        about: "the age for a new first number, such as 1.4.2 to 2.0.0",
        required: false,
        schema: span_schema,
        read: |age, node, problems| age.major = read_span(node, problems),
    },
    Field {
        name: "minor",
        about: "the age for a new second number, such as 1.4.2 to 1.5.0",
        required: false,
        schema: span_schema,
        read: |age, node, problems| age.minor = read_span(node, problems),
    },
    Field {
        name: "patch",
        about: "the age for a new third number, such as 1.4.2 to 1.4.3",
        required: false,
        schema: span_schema,
        read: |age, node, problems| age.patch = read_span(node, problems),
    },
];

impl WrittenAge {
    pub(super) fn over(self, default: MinAge) -> MinAge {
        MinAge {
            major: self.major.unwrap_or(default.major),
            minor: self.minor.unwrap_or(default.minor),
            patch: self.patch.unwrap_or(default.patch),
        }
    }

    pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        if let Value::Map(map) = &node.value {
            if map.entries.is_empty() && !map.cut_short {
                let fix = "write one age, such as `3d`, or name steps: `{ major: 14d, minor: 3d }`";
                problems.add(node.at, "`min_age` names no step", fix);
                return None;
            }
            let mut age = Self::default();
            read_fields(
                &mut age,
                map,
                node.at,
                &Mapping { what: "`min_age`", fields: &FIELDS, elsewhere: &[] },
                problems,
            );
            return Some(age);
        }
        let age = read_span(node, problems)?;
        Some(Self { major: Some(age), minor: Some(age), patch: Some(age) })
    }
}

const EXAMPLE: &str = "`3d`, `12h`, `2w` or `1d 12h`";
/// A year and a day: beyond that a slip of the finger is likelier than a wish.
const LONGEST_DAYS: i64 = 366;

fn read_span(node: &Node, problems: &mut Problems) -> Option<SignedDuration> {
    if let Value::Number(number) = &node.value {
        let whole = number.bytes().all(|byte| byte.is_ascii_digit());
        let fix =
            if whole { format!("add `h`, `d` or `w`: `{number}d`") } else { format!("write for example {EXAMPLE}") };
        problems.add(node.at, format!("{} has no unit", quoted(number)), fix);
        return None;
    }
    let written = text(node, "an age", EXAMPLE, problems)?;
    parse_span(written)
        .map_err(|why| {
            problems.add(
                node.at,
                format!("{} is not an age: {why}", quoted(written)),
                format!("write for example {EXAMPLE}"),
            )
        })
        .ok()
}

/// A length of time as people write it: `3d`, `1d 12h`, `2 weeks`, at most a year and a day.
///
/// Errors: what is wrong with it, in words.
pub fn parse_span(text: &str) -> Result<SignedDuration, String> {
    let mut hours: i64 = 0;
    let mut smallest_so_far = i64::MAX;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            return Err("a number of hours, days or weeks is expected".into());
        }
        let number: i64 = rest[..digits].parse().map_err(|_| "the number is too large".to_owned())?;
        if rest[digits..].starts_with(['.', ',']) && rest[digits + 1..].starts_with(|c: char| c.is_ascii_digit()) {
            return Err("only whole numbers are taken, such as `1d 12h` for a day and a half".into());
        }
        let after = rest[digits..].trim_start();
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_alphabetic()).len();
        let unit = match &after[..letters] {
            "h" | "hour" | "hours" => 1,
            "d" | "day" | "days" => 24,
            "w" | "week" | "weeks" => 7 * 24,
            "" => return Err(format!("{number} has no unit")),
            other => return Err(format!("there is no unit {}, only `h`, `d` and `w`", quoted(other))),
        };
        if unit >= smallest_so_far {
            return Err("units go from large to small, each once".into());
        }
        smallest_so_far = unit;
        hours = number.checked_mul(unit).and_then(|more| hours.checked_add(more)).ok_or("the number is too large")?;
        rest = after[letters..].trim_start();
    }
    if hours > LONGEST_DAYS * 24 {
        return Err(format!("it is longer than {LONGEST_DAYS} days"));
    }
    Ok(SignedDuration::from_hours(hours))
}

fn span_schema(_: &mut SchemaGenerator) -> Schema {
    let unit = |most: &str, names: &str| format!(r"(0*({most})\s*({names})\s*)?");
    // Of each unit no more than the longest age has.
    let pattern = format!(
        r"^\s*(?=\d){}{}{}$",
        unit(r"[0-4]?\d|5[0-2]", "w|weeks?"),
        unit(r"[0-2]?\d?\d|3[0-5]\d|36[0-6]", "d|days?"),
        unit(r"\d{1,3}|[1-7]\d{3}|8[0-6]\d{2}|87[0-7]\d|878[0-4]", "h|hours?"),
    );
    json_schema!({ "type": "string", "pattern": pattern, "examples": ["3d", "12h", "1d 12h"] })
}

impl JsonSchema for MinAge {
    fn schema_name() -> Cow<'static, str> {
        "MinAge".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let same = span_schema(generator);
        let mut by_step = fields_schema("an age for each step of the version", &FIELDS, generator);
        by_step.insert("minProperties".into(), 1.into());
        json_schema!({ "anyOf": [same, by_step] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_add_up_from_large_to_small() {
        let hours = |text| parse_span(text).map(|span| span.as_hours());
        assert_eq!(hours("3d"), Ok(72));
        assert_eq!(hours("2w"), Ok(336));
        assert_eq!(hours("0d"), Ok(0));
        assert_eq!(hours("1d 12h"), Ok(36));
        assert_eq!(hours(" 1 week 2 days "), Ok(216));
        assert_eq!(hours("1d12h"), Ok(36));
        for bad in [
            "3",
            "d",
            "3x",
            "-1d",
            "1.5d",
            "12h 1d",
            "1d 1d",
            "99999999999999999999d",
            "9000000000000000000w",
            "367d",
            "٣d",
        ] {
            assert!(hours(bad).is_err(), "{bad}");
        }
    }
}

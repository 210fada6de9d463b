//! When pull requests may be opened. What a delay makes of a time zone and an instant is the planner's matter.

use super::age::parse_span;
use super::cron::{self, CronLine};
use super::every;
use crate::document::{Node, Problems, Value, did_you_mean, one_of, quoted, text};
use jiff::civil::{Time, time};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// When a subscription's pull requests may be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delay {
    /// At once.
    #[default]
    Immediate,
    /// At the next of these times.
    Schedule(Schedule),
}

/// Wall-clock times that come back, in the file's time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Every day.
    Daily {
        /// The time of day.
        at: Time,
    },
    /// On days of the week.
    Weekly {
        /// The days, sorted, each once; never empty when read from a file.
        on: Vec<Weekday>,
        /// The time of day.
        at: Time,
    },
    /// On days of the month; a day that a month does not have means its last one.
    Monthly {
        /// The days, 1 to 31, sorted, each once; never empty when read from a file.
        on: Vec<u8>,
        /// The time of day.
        at: Time,
    },
    /// Whenever a cron line says.
    Cron(CronLine),
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the days of the week explain themselves")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// Every day, from Monday.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// The day's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Monday => "Monday",
            Self::Tuesday => "Tuesday",
            Self::Wednesday => "Wednesday",
            Self::Thursday => "Thursday",
            Self::Friday => "Friday",
            Self::Saturday => "Saturday",
            Self::Sunday => "Sunday",
        }
    }

    /// The ways the file may write it: `monday`, `mon`, `Monday`, `Mon`.
    pub(super) fn written(self) -> [String; 4] {
        let name = self.as_str();
        let lower = name.to_lowercase();
        [lower.clone(), lower[..3].into(), name.into(), name[..3].into()]
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|day| day.written().iter().any(|written| written == word))
    }
}

impl From<jiff::civil::Weekday> for Weekday {
    fn from(day: jiff::civil::Weekday) -> Self {
        use jiff::civil::Weekday as Civil;
        match day {
            Civil::Monday => Self::Monday,
            Civil::Tuesday => Self::Tuesday,
            Civil::Wednesday => Self::Wednesday,
            Civil::Thursday => Self::Thursday,
            Civil::Friday => Self::Friday,
            Civil::Saturday => Self::Saturday,
            Civil::Sunday => Self::Sunday,
        }
    }
}

/// The time of day that the words and a mapping without `at` mean.
pub const USUAL_TIME: Time = time(6, 0, 0, 0);

const WORDS: [&str; 4] = ["immediate", "daily", "weekly", "monthly"];
const EXAMPLE: &str = "`weekly`, `0 6 * * 1` or `{ every: week, on: monday, at: \"06:00\" }`";

impl Delay {
    /// Days of the week, Monday to Sunday or a part of them, at six in the morning: what the words mean.
    fn from_word(word: &str) -> Option<Self> {
        let at = USUAL_TIME;
        match word {
            "immediate" => Some(Self::Immediate),
            "daily" => Some(Self::Schedule(Schedule::Daily { at })),
            "weekly" => Some(Self::Schedule(Schedule::Weekly { on: vec![Weekday::Monday], at })),
            "monthly" => Some(Self::Schedule(Schedule::Monthly { on: vec![1], at })),
            _ => None,
        }
    }

    /// The kind of delay in a word or two: `weekly`, ``cron `0 6 * * 1` ``.
    pub fn kind(&self) -> String {
        match self {
            Self::Immediate => "immediate".into(),
            Self::Schedule(Schedule::Daily { .. }) => "daily".into(),
            Self::Schedule(Schedule::Weekly { .. }) => "weekly".into(),
            Self::Schedule(Schedule::Monthly { .. }) => "monthly".into(),
            Self::Schedule(Schedule::Cron(line)) => format!("cron `{line}`"),
        }
    }

    /// Reads one delay. Where `mapping` may stand besides is told to who wrote none.
    pub(super) fn read(node: &Node, mapping: &str, problems: &mut Problems) -> Option<Self> {
        if let Value::Map(map) = &node.value {
            return every::read_mapping(map, node.at, problems).map(Self::Schedule);
        }
        let as_written = text(node, "a delay", EXAMPLE, problems)?;
        if let Some(delay) = Self::from_word(as_written) {
            return Some(delay);
        }
        let written = as_written.trim();
        if written.split_whitespace().count() > 1 {
            return match CronLine::parse(written) {
                Ok(line) => Some(Self::Schedule(Schedule::Cron(line))),
                Err(why) => {
                    let fix = "the five fields are minute, hour, day of the month, month, day of the week: `0 6 * * 1` is Monday 06:00";
                    problems.add(node.at, format!("the cron line {} cannot be used: {why}", quoted(written)), fix);
                    None
                }
            };
        }
        if let Some(day) = Weekday::from_word(&written.to_lowercase()) {
            let day = day.as_str().to_lowercase();
            let fix = format!("write `{{ every: week, on: {day} }}`, to which `at: \"06:00\"` may be added");
            problems.add(node.at, format!("{} is a day, and no delay", quoted(written)), fix);
            return None;
        }
        if parse_span(written).is_ok() {
            let what = format!("{} is an age, and no delay", quoted(written));
            let fix = format!(
                "how old a release must be stands under `min_age`: {}; a delay is one of {}",
                quoted(&format!("min_age: {written}")),
                one_of(WORDS)
            );
            problems.add(node.at, what, fix);
            return None;
        }
        let hint = did_you_mean(written.trim_start_matches('@'), WORDS);
        let fix = format!("use {}, a cron line such as `0 6 * * 1`, or {mapping}", one_of(WORDS));
        problems.add(node.at, format!("unknown delay {}{hint}", quoted(as_written)), fix);
        None
    }
}

/// A delay in words: `at once`, `every Monday at 06:00`, `on the 1st and 15th of the month at 09:00`.
impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Immediate => f.write_str("at once"),
            Self::Schedule(schedule) => schedule.fmt(f),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |at: &Time| at.strftime("%H:%M").to_string();
        match self {
            Self::Daily { at } => write!(f, "every day at {}", clock(at)),
            Self::Weekly { on, at } => {
                let days = listed(on.iter().map(|day| day.as_str().to_owned()).collect());
                write!(f, "every {days} at {}", clock(at))
            }
            Self::Monthly { on, at } => {
                let days = listed(on.iter().map(|day| ordinal(*day)).collect());
                write!(f, "on the {days} of the month at {}", clock(at))
            }
            Self::Cron(line) => write!(f, "when cron says `{line}`"),
        }
    }
}

fn listed(mut words: Vec<String>) -> String {
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} and {last}", words.join(", ")) }
}

fn ordinal(day: u8) -> String {
    let ending = match (day % 10, day / 10) {
        (_, 1) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{day}{ending}")
}

impl JsonSchema for Delay {
    fn schema_name() -> Cow<'static, str> {
        "Delay".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mapping = every::mapping_schema(generator);
        json_schema!({
            "anyOf": [
                { "enum": WORDS },
                { "type": "string", "pattern": cron::pattern(), "maxLength": 200, "examples": ["0 6 * * 1"], "description": "a cron line of five fields" },
                mapping,
            ]
        })
    }
}

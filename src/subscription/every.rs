//! The mapping form of a delay: `{ every: week, on: monday, at: "06:00" }`.

use super::delay::{Schedule, USUAL_TIME, Weekday};
use crate::document::{
    Field, Map, Mapping, Node, Problems, Spot, Value, did_you_mean, fields_schema, one_of, one_or_many,
    one_or_many_schema, quoted, read_fields, text,
};
use jiff::civil::Time;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::json;

/// How long a round of a `delay` mapping is.
#[derive(Clone, Copy, Debug)]
enum Every {
    Day,
    Week,
    Month,
}

/// A day as `on` writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Weekday(Weekday),
    DayOfMonth(u8),
}

/// The mapping form of a delay.
#[derive(Debug, Default)]
struct Written {
    every: Option<Every>,
    on: Vec<(Spot, On)>,
    at: Option<Time>,
}

const FIELDS: [Field<Written>; 3] = [
    Field {
        name: "every",
        about: "the round: `day`, `week` or `month`",
        required: true,
        schema: |_| json_schema!({ "enum": ["day", "week", "month"] }),
        read: |written, node, problems| {
            const ROUNDS: [&str; 3] = ["day", "week", "month"];
            let Some(word) = text(node, "`every`", "`week`", problems) else { return };
            written.every = match word {
                "day" => Some(Every::Day),
                "week" => Some(Every::Week),
                "month" => Some(Every::Month),
                other => {
                    let what = format!("unknown round {}{}", quoted(other), did_you_mean(other, ROUNDS));
                    problems.add(node.at, what, format!("use {}", one_of(ROUNDS)));
                    None
                }
            };
        },
    },
    Field {
        name: "on",
        about: "the days: names for `every: week` (default monday), numbers for `every: month` (default 1)",
        required: false,
        schema: |_| {
            let names: Vec<String> = Weekday::ALL.into_iter().flat_map(Weekday::written).collect();
            let day =
                json_schema!({ "anyOf": [{ "enum": names }, { "type": "integer", "minimum": 1, "maximum": 31 }] });
            json_schema!({ "anyOf": [day, { "type": "array", "items": day, "minItems": 1 }] })
        },
        read: read_on,
    },
    Field {
        name: "at",
        about: "the time of day in the file's time zone, 00:00 to 23:59 (default 06:00)",
        required: false,
        schema: |_| json_schema!({ "type": "string", "pattern": r"^([01]?\d|2[0-3]):[0-5]\d$" }),
        read: |written, node, problems| {
            let Some(clock) = text(node, "a time of day", "`\"06:00\"`", problems) else { return };
            written.at = parse_clock(clock);
            if written.at.is_none() {
                let what = format!("{} is not a time of day", quoted(clock));
                problems.add(node.at, what, "write hours and minutes on the 24-hour clock: `\"06:00\"`");
            }
        },
    },
];

fn read_on(written: &mut Written, node: &Node, problems: &mut Problems) {
    let days = one_or_many(node);
    if days.is_empty() {
        problems.add(node.at, "`on` names no day", "name at least one day, or remove the key");
    }
    for day in days {
        let read = match &day.value {
            Value::Unreadable => continue,
            Value::Number(number) => match number.parse() {
                Ok(day @ 1..=31) => Some(On::DayOfMonth(day)),
                _ => None,
            },
            Value::Text(word) => Weekday::from_word(word).map(On::Weekday),
            _ => None,
        };
        match (read, &day.value) {
            (Some(read), _) => written.on.push((day.at, read)),
            (None, Value::Text(word)) => {
                let names: Vec<String> =
                    Weekday::ALL.into_iter().flat_map(|day| day.written().into_iter().take(2)).collect();
                let hint = did_you_mean(word, names.iter().map(String::as_str));
                problems.add(
                    day.at,
                    format!("unknown day {}{hint}", quoted(word)),
                    "write a day such as `monday`, or a day of the month as a number from 1 to 31",
                );
            }
            (None, Value::Number(number)) => {
                problems.add(
                    day.at,
                    format!("{} is no day of the month", quoted(number)),
                    "write a whole number from 1 to 31, or a day of the week such as `monday`",
                );
            }
            (None, _) => {
                problems.add(
                    day.at,
                    format!("a day must be a name or a number, this is {}", day.kind()),
                    "write a day such as `monday`, or a day of the month from 1 to 31",
                );
            }
        }
    }
}

impl Written {
    /// The schedule the keys make together; a problem where they contradict each other.
    fn schedule(self, problems: &mut Problems) -> Option<Schedule> {
        let at = self.at.unwrap_or(USUAL_TIME);
        let mut weekdays = Vec::new();
        let mut days = Vec::new();
        for (spot, on) in self.on {
            match (self.every?, on) {
                (Every::Week, On::Weekday(day)) => weekdays.push(day),
                (Every::Month, On::DayOfMonth(day)) => days.push(day),
                (Every::Week, On::DayOfMonth(_)) => problems.add(
                    spot,
                    "`every: week` goes with names of days",
                    "write `on: monday`, or use `every: month`",
                ),
                (Every::Month, On::Weekday(_)) => problems.add(
                    spot,
                    "`every: month` goes with days of the month",
                    "write `on: 1`, or use `every: week`",
                ),
                (Every::Day, _) => {
                    problems.add(spot, "`every: day` has no `on`", "remove `on`, or use `every: week` with the days")
                }
            }
        }
        weekdays.sort_unstable();
        weekdays.dedup();
        days.sort_unstable();
        days.dedup();
        if weekdays.is_empty() {
            weekdays.push(Weekday::Monday);
        }
        if days.is_empty() {
            days.push(1);
        }
        Some(match self.every? {
            Every::Day => Schedule::Daily { at },
            Every::Week => Schedule::Weekly { on: weekdays, at },
            Every::Month => Schedule::Monthly { on: days, at },
        })
    }
}

fn parse_clock(text: &str) -> Option<Time> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=2).contains(&hours.len()) || minutes.len() != 2 || !digits(hours) || !digits(minutes) {
        return None;
    }
    Time::new(hours.parse().ok()?, minutes.parse().ok()?, 0, 0).ok()
}

/// Reads the mapping; `None` if it has a problem, so that no half of a schedule is taken for one.
pub(super) fn read_mapping(map: &Map, at: Spot, problems: &mut Problems) -> Option<Schedule> {
    let before = problems.count();
    let mut written = Written::default();
    read_fields(&mut written, map, at, &Mapping { what: "`delay`", fields: &FIELDS, elsewhere: &[] }, problems);
    let schedule = written.schedule(problems);
    schedule.filter(|_| problems.count() == before)
}

/// The schema of the mapping, in which `on` goes with `every`.
pub(super) fn mapping_schema(generator: &mut SchemaGenerator) -> Schema {
    let mut mapping = fields_schema("times that come back", &FIELDS, generator);
    let round = |every: &str, on: Schema| json!({ "if": { "properties": { "every": { "const": every } } }, "then": { "properties": { "on": on } } });
    let names: Vec<String> = Weekday::ALL.into_iter().flat_map(Weekday::written).collect();
    mapping.insert(
        "allOf".into(),
        json!([
            round("day", json_schema!(false)),
            round("week", one_or_many_schema(json_schema!({ "enum": names }))),
            round("month", one_or_many_schema(json_schema!({ "type": "integer" }))),
        ]),
    );
    mapping
}

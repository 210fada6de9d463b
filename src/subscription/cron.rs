//! Cron lines of five fields, checked so that a valid one always has a next time.

use crate::domain::text::as_text;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{DateTime, date};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A cron line: minute, hour, day of the month, month, day of the week.
///
/// It is evaluated on the plain calendar; what a time zone makes of a wall-clock time is not its matter.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CronLine {
    text: String,
    cron: Box<Cron>,
}

/// What the fields say, each with the numbers it takes.
const FIELDS: [&str; 5] = [
    "the minute (0-59)",
    "the hour (0-23)",
    "the day of the month (1-31)",
    "the month (1-12)",
    "the day of the week (0-7)",
];

/// Every hour and every second minute, written out, fit into this. Unit: bytes.
const LONGEST: usize = 200;

/// The names fields may use instead of numbers.
const NAMES: [&str; 19] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mon", "tue", "wed", "thu",
    "fri", "sat", "sun",
];

/// How a cron line looks, for the schema. That a range goes upwards and that there is such a date, [`CronLine::parse`] alone knows.
pub(super) fn pattern() -> String {
    let names = |names: &[&str]| {
        let in_either_case = |c: char| format!("[{}{c}]", c.to_ascii_uppercase());
        names
            .iter()
            .map(|name| format!("|{}", name.chars().map(in_either_case).collect::<String>()))
            .collect::<String>()
    };
    let (months, days) = NAMES.split_at(12);
    let values = [
        r"[0-5]?\d".to_owned(),
        r"[01]?\d|2[0-3]".to_owned(),
        r"[1-9]|[12]\d|3[01]".to_owned(),
        format!("[1-9]|1[0-2]{}", names(months)),
        format!("[0-7]{}", names(days)),
    ];
    let fields = values.map(|value| {
        let value = format!("0*(?:{value})");
        let item = format!(r"(?:{value}|(?:\*|{value}-{value})(?:/\d+)?)");
        format!("{item}(?:,{item})*")
    });
    format!(r"^\s*{}\s*$", fields.join(r"\s+"))
}

impl CronLine {
    /// Reads a cron line. The error says what is wrong with it: only the five standard fields are taken, and
    /// lines that no date can satisfy are refused.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} characters"));
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let fields = text.split(' ').filter(|field| !field.is_empty()).count();
        if fields != 5 {
            return Err(format!("it has {fields} field{}, not 5", if fields == 1 { "" } else { "s" }));
        }
        // Other marks (`L`, `W`, `#`, `?`, `@daily`) mean different things to different crons.
        if let Some(mark) = text.chars().find(|c| !c.is_ascii_alphanumeric() && !" *,-/".contains(*c)) {
            return Err(format!("`{}` has no meaning in it", mark.escape_default()));
        }
        let words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        for word in words {
            if !NAMES.iter().any(|name| name.eq_ignore_ascii_case(word)) {
                return Err(format!("`{word}` is neither a month nor a weekday of three letters"));
            }
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        for (n, field) in text.split(' ').enumerate() {
            let mut alone = ["*"; 5];
            alone[n] = field;
            parser.parse(&alone.join(" ")).map_err(|_| format!("{} cannot be `{field}`", FIELDS[n]))?;
        }
        let cron = parser.parse(&text).map_err(|error| error.to_string().trim_end_matches('.').to_owned())?;
        let line = Self { text, cron: Box::new(cron) };
        // The calendar repeats every 28 years (40 over a century without its leap year), so looking at the last
        // 40 years the search knows of is enough, and keeps it from walking through three thousand.
        if line.next_after(date(4959, 12, 31).at(0, 0, 0, 0)).is_none() {
            return Err("no date satisfies it".into());
        }
        Ok(line)
    }

    /// The first wall-clock time after `after` that the line names; `None` beyond the year 4999.
    pub fn next_after(&self, after: DateTime) -> Option<DateTime> {
        let first_year = date(1, 1, 1).at(0, 0, 0, 0);
        self.cron.find_next_occurrence(&after.max(first_year), false).ok()
    }

    /// The line as written, with single spaces.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for CronLine {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for CronLine {}

impl fmt::Debug for CronLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CronLine({:?})", self.text)
    }
}

impl fmt::Display for CronLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

as_text!(CronLine, String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_possible_lines_of_five_fields_are_taken() {
        for good in
            ["0 6 * * 1", "*/15 8-18 * * mon-fri", "0 0 29 2 *", "0  9 1,15 * *", "0 0 31 2 mon", "0 6 * JAN,JUL 7"]
        {
            assert!(CronLine::parse(good).is_ok(), "{good}: {:?}", CronLine::parse(good));
        }
        for bad in [
            "",
            "0 6 * *",
            "0 0 6 * * 1",
            "@daily",
            "0 6 L * *",
            "0 6 ? * 1",
            "0 6 * * 1#2",
            "60 6 * * *",
            "0 24 * * *",
            "0 0 31 2 *",
            "0 0 30 feb *",
            "0 0 31 4,6,9,11 *",
            "0 6 * * monday",
            "*/0 * * * *",
            "5-1 * * * *",
            "a b c d e",
        ] {
            assert!(CronLine::parse(bad).is_err(), "{bad}");
        }
    }
}

//! The one door to both databases: statements, the values they are given, and how rows come back.
//!
//! Every statement is a constant made by [`statements!`], so that all of them can be listed and prepared in a
//! test. Values are whole numbers, text and flags only: the types that mean the same in SQLite and Postgres.

use super::error::StoreError;
use crate::domain::time::from_millis;
use crate::domain::{
    CheckRunId, CommentId, DeliveryId, Ecosystem, InstallationId, ObjectId, ProposalId, PullNumber, RepoId, RepoPath,
};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments, AssertSqlSafe, Database, Encode, FromRow, SqlStr, Type};
use std::collections::BTreeSet;
use std::fmt::Write;

/// A statement with its text for each database; for all but the clock and the claim it is the same text.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// The constant's name, for messages.
    pub name: &'static str,
    /// What SQLite is given.
    pub sqlite: &'static str,
    /// What Postgres is given.
    pub postgres: &'static str,
}

/// Declares statements, and `STATEMENTS` with all those of the file.
macro_rules! statements {
    (@postgres $sql:expr) => { $sql };
    (@postgres $sql:expr, $postgres:expr) => { $postgres };
    ($($(#[$doc:meta])* $name:ident = $sql:expr $(, on postgres: $postgres:expr)?;)+) => {
        $(
            $(#[$doc])*
            const $name: $crate::store::sql::Statement = $crate::store::sql::Statement {
                name: stringify!($name),
                sqlite: $sql,
                postgres: statements!(@postgres $sql $(, $postgres)?),
            };
        )+
        /// Every statement of this file.
        pub(super) const STATEMENTS: &[$crate::store::sql::Statement] = &[$($name),+];
    };
}
pub(super) use statements;

/// The values of one statement or row, in the order of its `$1`, `$2` …
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::sql::Value::from($value)),*] };
}
pub(super) use values;

/// A value a statement is given.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Flag(bool),
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(Some(number.into()))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&str> for Value {
    /// Postgres text cannot hold the NUL character, which a file may well contain: it becomes U+FFFD, on both
    /// databases alike, rather than an error that would come back at every attempt.
    fn from(text: &str) -> Self {
        Self::Text(Some(if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() }))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        if text.contains('\0') { Self::from(text.as_str()) } else { Self::Text(Some(text)) }
    }
}

impl From<Timestamp> for Value {
    fn from(time: Timestamp) -> Self {
        Self::Integer(Some(time.as_millisecond()))
    }
}

macro_rules! value_from {
    ($($kind:ident($ty:ty): $as_plain:expr;)+) => {$(
        impl From<$ty> for Value {
            fn from(value: $ty) -> Self {
                Value::from($as_plain(value))
            }
        }
    )+};
}
value_from! {
    Integer(RepoId): |id: RepoId| id.0;
    Integer(InstallationId): |id: InstallationId| id.0;
    Integer(PullNumber): |number: PullNumber| number.0;
    Integer(CommentId): |id: CommentId| id.0;
    Integer(CheckRunId): |id: CheckRunId| id.0;
    Text(Ecosystem): |ecosystem: Ecosystem| ecosystem.as_str();
}
macro_rules! value_from_text {
    ($($ty:ty)+) => {$(
        impl From<&$ty> for Value {
            fn from(value: &$ty) -> Self {
                Value::from(value.as_str())
            }
        }
    )+};
}
value_from_text! { DeliveryId ProposalId ObjectId RepoPath String }

macro_rules! optional_value {
    ($kind:ident: $($ty:ty)+) => {$(
        impl From<Option<$ty>> for Value {
            fn from(value: Option<$ty>) -> Self {
                value.map_or(Value::$kind(None), Value::from)
            }
        }
    )+};
}
optional_value! { Integer: i64 Timestamp RepoId InstallationId PullNumber CheckRunId }
optional_value! { Text: &str &String &ObjectId &RepoPath Ecosystem String }

/// A row that both databases can give.
pub(super) trait StoredRow: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T> StoredRow for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

/// The values as a database takes them.
pub(super) fn arguments<DB: Database>(values: Vec<Value>) -> Result<DB::Arguments, sqlx::Error>
where
    for<'t> Option<i64>: Encode<'t, DB> + Type<DB>,
    for<'t> Option<String>: Encode<'t, DB> + Type<DB>,
    for<'t> bool: Encode<'t, DB> + Type<DB>,
{
    let mut arguments = DB::Arguments::default();
    for value in values {
        match value {
            Value::Integer(number) => arguments.add(number),
            Value::Text(text) => arguments.add(text),
            Value::Flag(flag) => arguments.add(flag),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// How many values go into one statement at most: both databases take some more.
const MOST_VALUES: usize = 30_000;

/// How the places of values are written in a widened statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Places {
    /// `$1`, `$2` …: what Postgres reads.
    Numbered,
    /// `?`: what SQLite reads fastest. A numbered place is a name to it, and it goes through all names for each place:
    /// 100 ms for a thousand rows.
    InOrder,
}

/// Repeats the one group `VALUES ($1, …)` of a statement for several rows, and splits the rows so that
/// no statement has too many values. The group has to be the statement's only place with `$` numbers, each once and in
/// order; beside them it may hold constants.
///
/// One round trip then saves hundreds of rows. The text made this way comes from constants and numbers only.
pub(super) fn widen(sql: &'static str, rows: Vec<Vec<Value>>, places: Places) -> Vec<(SqlStr, Vec<Value>)> {
    let width = rows.first().map_or(1, Vec::len).max(1);
    let start = sql.find("VALUES (").map_or(sql.len(), |at| at + "VALUES ".len());
    let end = start + group_length(&sql[start..]);
    let group: Vec<&str> = sql[start..end].split('$').collect();
    let mut rows = rows.into_iter().peekable();
    let mut statements = Vec::new();
    while rows.peek().is_some() {
        let batch: Vec<Vec<Value>> = rows.by_ref().take((MOST_VALUES / width).min(500)).collect();
        let mut text = String::from(&sql[..start]);
        for row in 0..batch.len() {
            text.push_str(if row == 0 { "" } else { ", " });
            for (column, part) in group.iter().enumerate() {
                // Before each part but the first stood a `$`, and its number is the part's beginning.
                let written = if column == 0 { part } else { part.trim_start_matches(|c: char| c.is_ascii_digit()) };
                // Writing to a String cannot fail.
                let _ = match (column, places) {
                    (0, _) => write!(text, "{written}"),
                    (_, Places::Numbered) => write!(text, "${}{written}", row * width + column),
                    (_, Places::InOrder) => write!(text, "?{written}"),
                };
            }
        }
        text.push_str(&sql[end..]);
        statements.push((sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(text)), batch.into_iter().flatten().collect()));
    }
    statements
}

/// How long a group in parentheses is that a text begins with.
fn group_length(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => return at + 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
}

/// The rows of a statement that asks about several repositories, each once and in order.
pub(super) fn each(repos: &[RepoId]) -> Vec<Vec<Value>> {
    let distinct: BTreeSet<RepoId> = repos.iter().copied().collect();
    distinct.into_iter().map(|repo| values![repo]).collect()
}

/// A stored time.
pub(super) fn time(millis: i64) -> Timestamp {
    from_millis(millis)
}

/// A stored number that is never negative and small.
pub(super) fn small(what: &str, number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::corrupt(what, number))
}

/// A stored word that stands for a value.
pub(super) fn word<T>(what: &str, text: &str, from_word: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
    from_word(text).ok_or_else(|| StoreError::corrupt(what, text))
}

/// A stored name, read again by the rules it was accepted under.
pub(super) fn parsed<T, E: std::fmt::Display>(
    what: &str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, StoreError> {
    parse(text).map_err(|error| StoreError::corrupt(what, error))
}

/// A value out of stored JSON.
pub(super) fn from_json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::corrupt(what, error))
}

/// A value as JSON to store.
pub(super) fn to_json<T: Serialize + ?Sized>(what: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::corrupt(what, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_widened_into_one_statement() {
        let sql = "INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT (a) DO NOTHING";
        let made = widen(sql, vec![values![1_i64, "x"], values![2_i64, "y"]], Places::Numbered);
        let texts: Vec<&str> = made.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT (a) DO NOTHING"]);
        assert_eq!(made[0].1.len(), 4);
        let made = widen(sql, vec![values![1_i64, "x"], values![2_i64, "y"]], Places::InOrder);
        assert_eq!(made[0].0.as_str(), "INSERT INTO t (a, b) VALUES (?, ?), (?, ?) ON CONFLICT (a) DO NOTHING");
        assert!(widen(sql, vec![], Places::InOrder).is_empty());
        let constants = "INSERT INTO t (a, b, c) VALUES (CAST($1 AS BIGINT), 'x', $2) RETURNING a";
        let made = widen(constants, vec![values![1_i64, "x"], values![2_i64, "y"]], Places::Numbered);
        let group = |a: u8, b: u8| format!("(CAST(${a} AS BIGINT), 'x', ${b})");
        let expected = format!("INSERT INTO t (a, b, c) VALUES {}, {} RETURNING a", group(1, 2), group(3, 4));
        assert_eq!(made[0].0.as_str(), expected);
        let sizes: Vec<usize> = widen(sql, vec![values![1_i64, "x"]; 1201], Places::Numbered)
            .into_iter()
            .map(|(_, values)| values.len())
            .collect();
        assert_eq!(sizes, [1000, 1000, 402]);
    }
}

//! From the text of `.mass-driver.yaml` to subscriptions, or to problems with line, column, what is wrong and
//! what would be right; and the JSON Schema of the same file. The same for the organisation's own file.
//!
//! Pure: bytes in, values out. It knows neither where the file came from nor what time it is. What a delay
//! means for an instant is `planner::timing`'s to say, what a range of versions means is `versioning`'s.

mod age;
mod automerge;
mod cron;
mod delay;
mod delays;
mod every;
mod file;
mod keys;
mod migration;
mod organisation;
mod people;
mod rules;

use crate::document::Limits;

pub use crate::document::{NameGlob, PathGlobs, Problem};
pub use age::{MinAge, parse_span};
pub use automerge::Automerge;
pub use cron::CronLine;
pub use delay::{Delay, Schedule, USUAL_TIME, Weekday};
pub use delays::Delays;
pub use file::{Subscription, SubscriptionFile, USUAL_LIMIT, json_schema, parse};
pub use migration::MigrationPattern;
pub use organisation::{
    ORGANISATION_FILE_NAMES, OrganisationFile, WhichRepositories, organisation_schema, parse_organisation,
    several_organisation_files,
};
pub use people::{ASSIGNEES_MAX, Asked, REVIEWERS_MAX};
pub use rules::{Grouping, IgnoreRule};

/// The longest file that is read at all. Unit: bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// How much of a file is read.
const LIMITS: Limits = Limits {
    bytes: MAX_BYTES,
    nodes: 5_000,
    shorter: "shorten it; globs in `paths` and `ignore` stand for many names",
};

/// The names the file may have at the root of a repository.
pub const FILE_NAMES: [&str; 2] = [".mass-driver.yaml", ".mass-driver.yml"];

/// The problem of a repository with something else of the file's name: `kind` says what, with its article.
pub fn not_a_file(kind: &str) -> Problem {
    Problem::whole_file(format!("it is {kind}"), "commit an ordinary file")
}

/// The problem of a repository that has the file under both names.
pub fn both_present() -> Problem {
    let [yaml, yml] = FILE_NAMES;
    Problem::whole_file(
        format!("both `{yaml}` and `{yml}` are here, so it is unclear which one counts"),
        format!("keep `{yaml}` and remove `{yml}`"),
    )
}

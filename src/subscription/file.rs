//! The file as a whole: its keys, how defaults reach the subscriptions, and which subscription a file of the
//! repository falls to.

use super::LIMITS;
use super::age::MinAge;
use super::automerge::Automerge;
use super::delays::Delays;
use super::keys::{FILE, OF_A_SUBSCRIPTION, OF_THE_FILE, SUBSCRIPTION, Shared, WrittenFile, WrittenSubscription};
use super::migration::MigrationPattern;
use super::people::Asked;
use super::rules::{Grouping, IgnoreRule};
use crate::document::{
    Mapping, Node, PathGlobs, Problem, Problems, Spot, Value, fields_schema, quoted, read_fields, yaml,
};
use crate::domain::{Ecosystem, MergeMethod, RepoPath};
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What a valid file says. Defaults are already merged into each subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionFile {
    /// Where wall-clock times of delays are meant.
    #[serde(with = "jiff::fmt::serde::tz::required")]
    pub timezone: TimeZone,
    /// How many of the bot's pull requests may be open in the repository at once.
    pub limit: u32,
    /// The labels of pull requests where a subscription names none of its own; merged into each already.
    pub labels: Vec<String>,
    /// The subscriptions in the order of the file; never empty when read from a file.
    pub subscriptions: Vec<Subscription>,
}

/// One entry of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Which migration.
    pub migration: MigrationPattern,
    /// When its pull requests may be opened.
    pub delay: Delays,
    /// How old a release must be.
    pub min_age: MinAge,
    /// Which updates share a pull request.
    pub group: Grouping,
    /// What is not to be proposed.
    pub ignore: Vec<IgnoreRule>,
    /// Which files of the repository it is about.
    pub paths: PathGlobs,
    /// The labels its pull requests get.
    pub labels: Vec<String>,
    /// How many of its own pull requests may be open at once; the file's limit holds besides.
    pub limit: Option<u32>,
    /// Which of its pull requests are merged without a person.
    #[serde(default, skip_serializing_if = "Automerge::is_off")]
    pub automerge: Automerge,
    /// How they are merged, where that is not left to what the repository allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_method: Option<MergeMethod>,
    /// Who is asked to review its pull requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviewers: Vec<Asked>,
    /// Who its pull requests are assigned to; no teams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignees: Vec<Asked>,
    /// Whether its pull requests are opened as drafts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub draft: bool,
    /// The line of the entry in the file, counted from 1.
    pub line: u32,
}

/// How many pull requests may be open at once when the file does not say.
pub const USUAL_LIMIT: u32 = 5;

impl SubscriptionFile {
    /// Whether anybody is asked who owns the files of a pull request.
    pub fn asks_code_owners(&self) -> bool {
        self.subscriptions
            .iter()
            .any(|one| one.reviewers.iter().chain(&one.assignees).any(|asked| *asked == Asked::CodeOwners))
    }

    /// The subscription that a file of the repository falls to for an ecosystem: the first whose paths match it.
    pub fn subscription_for(&self, ecosystem: Ecosystem, path: &RepoPath) -> Option<&Subscription> {
        self.subscriptions.iter().find(|one| one.migration.ecosystem() == Some(ecosystem) && one.paths.matches(path))
    }
}

impl WrittenSubscription {
    pub(super) fn read(node: &Node, problems: &mut Problems) -> Self {
        let mut one = Self::default();
        match &node.value {
            Value::Unreadable => {}
            Value::Map(map) if map.entries.iter().any(|(key, _)| MigrationPattern::of_key(&key.name).is_some()) => {
                for (key, _) in &map.entries {
                    let Some(word) = MigrationPattern::of_key(&key.name) else { continue };
                    let what = format!("the migration {} is written as a key", quoted(&key.name));
                    let fix = format!("write {} and its rules below that", quoted(&format!("- migration: {word}")));
                    problems.add(key.at, what, fix);
                }
            }
            Value::Map(map) => read_fields(
                &mut one,
                map,
                node.at,
                &Mapping { what: "a subscription", fields: &SUBSCRIPTION, elsewhere: OF_THE_FILE },
                problems,
            ),
            Value::Null => problems.add(node.at, "a subscription is empty", "name a migration: `- pypi`"),
            Value::List(_) => {
                problems.add(node.at, "a list stands where a subscription belongs", "name a migration: `- pypi`")
            }
            _ => one.migration = MigrationPattern::read(node, problems),
        }
        one.at = one.at.or(Some(node.at));
        if let Some(ecosystem) = one.migration.as_ref().and_then(MigrationPattern::ecosystem) {
            for (rule, versions_at) in &one.ignore {
                rule.check_for(ecosystem, *versions_at, problems);
            }
        }
        one
    }

    fn over(self, defaults: &Shared) -> Option<Subscription> {
        let default_delay = defaults.delay.clone().unwrap_or_default().over(&Delays::default());
        let default_age = defaults.min_age.unwrap_or_default().over(MinAge::default());
        Some(Subscription {
            migration: self.migration?,
            delay: self.shared.delay.unwrap_or_default().over(&default_delay),
            min_age: self.shared.min_age.unwrap_or_default().over(default_age),
            group: self.shared.group.or_else(|| defaults.group.clone()).unwrap_or_default(),
            ignore: self.ignore.into_iter().map(|(rule, _)| rule).collect(),
            paths: self.paths.unwrap_or_default(),
            labels: self.shared.labels.or_else(|| defaults.labels.clone()).unwrap_or_default(),
            limit: self.limit,
            automerge: self.shared.automerge.or_else(|| defaults.automerge.clone()).unwrap_or_default(),
            merge_method: self.shared.merge_method.or(defaults.merge_method),
            reviewers: self.shared.reviewers.or_else(|| defaults.reviewers.clone()).unwrap_or_default(),
            assignees: self.shared.assignees.or_else(|| defaults.assignees.clone()).unwrap_or_default(),
            draft: self.shared.draft.or(defaults.draft).unwrap_or_default(),
            line: self.at.map_or(1, |at| at.line),
        })
    }
}

/// What whoever has an empty file is told.
const BEGIN: &str = "list what the repository subscribes to: `subscriptions: [pypi]`";

/// Reads a subscription file from its raw bytes.
///
/// Errors: every problem of the file, sorted by position; never empty.
pub fn parse(bytes: &[u8]) -> Result<SubscriptionFile, Vec<Problem>> {
    let mut problems = Problems::default();
    let mut file = WrittenFile::default();
    if let Some(root) = yaml::read(bytes, LIMITS, BEGIN, &mut problems) {
        match &root.value {
            Value::Map(map) => read_fields(
                &mut file,
                map,
                Spot::START,
                &Mapping { what: "the file", fields: &FILE, elsewhere: OF_A_SUBSCRIPTION },
                &mut problems,
            ),
            Value::Unreadable => {}
            Value::Null => problems.add(root.at, "the file is empty", BEGIN),
            _ => {
                let what = format!("the file must be a mapping, this is {}", root.kind());
                problems.add(root.at, what, "begin with `subscriptions:` and list what the repository subscribes to");
            }
        }
    }
    report_never_reached(&file.subscriptions, &mut problems);
    let labels = file.shared.labels.clone().unwrap_or_default();
    let subscriptions: Vec<_> = file.subscriptions.into_iter().filter_map(|one| one.over(&file.shared)).collect();
    if problems.is_empty() && !subscriptions.is_empty() {
        let timezone = file.timezone.unwrap_or(TimeZone::UTC);
        return Ok(SubscriptionFile { timezone, limit: file.limit.unwrap_or(USUAL_LIMIT), labels, subscriptions });
    }
    Err(problems.sorted())
}

/// An entry that an earlier one covers wholly would never apply: the first match wins.
fn report_never_reached(entries: &[WrittenSubscription], problems: &mut Problems) {
    let every_path = PathGlobs::default();
    for (n, later) in entries.iter().enumerate() {
        let (Some(migration), Some(at)) = (&later.migration, later.at) else { continue };
        let paths = later.paths.as_ref().unwrap_or(&every_path);
        let covering = entries[..n].iter().find(|earlier| {
            earlier.migration.as_ref().is_some_and(|earlier| earlier.covers(migration))
                && earlier.paths.as_ref().unwrap_or(&every_path).cover(paths)
        });
        if let Some(Spot { line, .. }) = covering.and_then(|earlier| earlier.at) {
            problems.add(
                at,
                format!(
                    "this entry for {} never applies: the one on line {line} already covers all of it",
                    quoted(&migration.to_string())
                ),
                "merge the two, put the narrower one first, or give the earlier one `paths` of its own",
            );
        }
    }
}

impl JsonSchema for Subscription {
    fn schema_name() -> Cow<'static, str> {
        "Subscription".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let short = generator.subschema_for::<MigrationPattern>();
        let long = fields_schema("one migration with its own rules", &SUBSCRIPTION, generator);
        json_schema!({ "anyOf": [short, long] })
    }
}

impl JsonSchema for SubscriptionFile {
    fn schema_name() -> Cow<'static, str> {
        "Subscriptions of a repository".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        fields_schema("what `.mass-driver.yaml` may say", &FILE, generator)
    }
}

/// The JSON Schema (draft 2020-12) of the file as people write it, short forms included.
pub fn json_schema() -> serde_json::Value {
    SchemaGenerator::default().into_root_schema_for::<SubscriptionFile>().to_value()
}

//! The keys of the file and of a subscription, and what is written under each.

use super::age::{MinAge, WrittenAge};
use super::automerge::{Automerge, merge_method_schema, read_merge_method};
use super::delays::{Delays, WrittenDelays};
use super::file::Subscription;
use super::ignore::{IgnoreRule, RulePlaces};
use super::migration::MigrationPattern;
use super::people::{Asked, assignees_schema, read_assignees, read_reviewers, reviewers_schema};
use super::rules::{Grouping, labels_schema, limit_schema, read_labels, read_limit, read_timezone, timezone_schema};
use crate::document::{Field, PathGlobs, Spot, one_or_many, paths_schema, read_paths, truth, truth_schema};
use crate::domain::MergeMethod;
use jiff::tz::TimeZone;
use schemars::json_schema;

/// Keys that both the file and a subscription take: the subscription's own value wins.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) delay: Option<WrittenDelays>,
    pub(super) min_age: Option<WrittenAge>,
    pub(super) group: Option<Grouping>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) automerge: Option<Automerge>,
    pub(super) merge_method: Option<MergeMethod>,
    pub(super) reviewers: Option<Vec<Asked>>,
    pub(super) assignees: Option<Vec<Asked>>,
    pub(super) draft: Option<bool>,
}

#[derive(Debug, Default)]
pub(super) struct WrittenFile {
    pub(super) timezone: Option<TimeZone>,
    pub(super) limit: Option<u32>,
    pub(super) shared: Shared,
    pub(super) subscriptions: Vec<WrittenSubscription>,
}

#[derive(Debug, Default)]
pub(super) struct WrittenSubscription {
    pub(super) migration: Option<MigrationPattern>,
    pub(super) shared: Shared,
    pub(super) ignore: Vec<(IgnoreRule, RulePlaces)>,
    pub(super) paths: Option<PathGlobs>,
    pub(super) limit: Option<u32>,
    pub(super) at: Option<Spot>,
}

pub(super) const FILE: [Field<WrittenFile>; 12] = [
    Field {
        name: "timezone",
        about: "the IANA time zone of all wall-clock times (default UTC)",
        required: false,
        schema: timezone_schema,
        read: |file, node, problems| file.timezone = read_timezone(node, problems),
    },
    Field {
        name: "delay",
        about: "when pull requests may be opened, unless a subscription says otherwise (default immediate)",
        required: false,
        schema: |generator| generator.subschema_for::<Delays>(),
        read: |file, node, problems| file.shared.delay = WrittenDelays::read(node, problems),
    },
    Field {
        name: "min_age",
        about: "how old a release must be, unless a subscription says otherwise (default 0d)",
        required: false,
        schema: |generator| generator.subschema_for::<MinAge>(),
        read: |file, node, problems| file.shared.min_age = WrittenAge::read(node, problems),
    },
    Field {
        name: "group",
        about: "which updates share a pull request, unless a subscription says otherwise (default none)",
        required: false,
        schema: |generator| generator.subschema_for::<Grouping>(),
        read: |file, node, problems| file.shared.group = Grouping::read(node, problems),
    },
    Field {
        name: "limit",
        about: "how many of the bot's pull requests may be open in this repository at once (default 5)",
        required: false,
        schema: limit_schema,
        read: |file, node, problems| file.limit = read_limit(node, problems),
    },
    Field {
        name: "labels",
        about: "the labels of pull requests, unless a subscription names its own",
        required: false,
        schema: labels_schema,
        read: |file, node, problems| file.shared.labels = Some(read_labels(node, problems)),
    },
    Field {
        name: "automerge",
        about: "which steps are merged without a person once all checks are green, unless a subscription says otherwise (default none)",
        required: false,
        schema: |generator| generator.subschema_for::<Automerge>(),
        read: |file, node, problems| file.shared.automerge = Automerge::read(node, problems),
    },
    Field {
        name: "merge_method",
        about: "how they are merged, unless a subscription says otherwise (default the first of merge, squash and rebase that the repository allows)",
        required: false,
        schema: merge_method_schema,
        read: |file, node, problems| file.shared.merge_method = read_merge_method(node, problems),
    },
    Field {
        name: "reviewers",
        about: "who is asked to review pull requests, unless a subscription says otherwise: logins, teams such as `acme/platform`, `codeowners`",
        required: false,
        schema: reviewers_schema,
        read: |file, node, problems| file.shared.reviewers = Some(read_reviewers(node, problems)),
    },
    Field {
        name: "assignees",
        about: "who pull requests are assigned to, unless a subscription says otherwise: logins, `codeowners`",
        required: false,
        schema: assignees_schema,
        read: |file, node, problems| file.shared.assignees = Some(read_assignees(node, problems)),
    },
    Field {
        name: "draft",
        about: "whether pull requests are opened as drafts, unless a subscription says otherwise (default false)",
        required: false,
        schema: truth_schema,
        read: |file, node, problems| file.shared.draft = truth(node, "`draft`", problems),
    },
    Field {
        name: "subscriptions",
        about: "the migrations this repository wants, such as `[pypi, docker]`",
        required: true,
        schema: |generator| {
            let one = generator.subschema_for::<Subscription>();
            json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
        },
        read: |file, node, problems| {
            let entries = one_or_many(node);
            if entries.is_empty() {
                problems.add(node.at, "there are no subscriptions", "list at least one: `subscriptions: [pypi]`");
            }
            file.subscriptions = entries.iter().map(|entry| WrittenSubscription::read(entry, problems)).collect();
        },
    },
];

pub(super) const SUBSCRIPTION: [Field<WrittenSubscription>; 13] = [
    Field {
        name: "migration",
        about: "an ecosystem such as `pypi`, or authored migrations such as `acme/*`",
        required: true,
        schema: |generator| generator.subschema_for::<MigrationPattern>(),
        read: |one, node, problems| {
            one.migration = MigrationPattern::read(node, problems);
            one.at = Some(node.at);
        },
    },
    Field {
        name: "delay",
        about: "when pull requests may be opened",
        required: false,
        schema: |generator| generator.subschema_for::<Delays>(),
        read: |one, node, problems| one.shared.delay = WrittenDelays::read(node, problems),
    },
    Field {
        name: "min_age",
        about: "how old a release must be",
        required: false,
        schema: |generator| generator.subschema_for::<MinAge>(),
        read: |one, node, problems| one.shared.min_age = WrittenAge::read(node, problems),
    },
    Field {
        name: "group",
        about: "which updates share a pull request",
        required: false,
        schema: |generator| generator.subschema_for::<Grouping>(),
        read: |one, node, problems| one.shared.group = Grouping::read(node, problems),
    },
    Field {
        name: "ignore",
        about: "packages, or versions of them, that are not to be proposed",
        required: false,
        schema: |generator| {
            let one = generator.subschema_for::<IgnoreRule>();
            json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
        },
        read: |one, node, problems| {
            one.ignore = one_or_many(node).iter().filter_map(|rule| IgnoreRule::read(rule, problems)).collect();
        },
    },
    Field {
        name: "paths",
        about: "globs of the files it is about (default all)",
        required: false,
        schema: paths_schema,
        read: |one, node, problems| one.paths = read_paths(node, problems),
    },
    Field {
        name: "labels",
        about: "the labels of its pull requests, in place of the file's",
        required: false,
        schema: labels_schema,
        read: |one, node, problems| one.shared.labels = Some(read_labels(node, problems)),
    },
    Field {
        name: "limit",
        about: "how many of its own pull requests may be open at once; the file's limit holds besides",
        required: false,
        schema: limit_schema,
        read: |one, node, problems| one.limit = read_limit(node, problems),
    },
    Field {
        name: "automerge",
        about: "which steps of its pull requests are merged without a person once all checks are green",
        required: false,
        schema: |generator| generator.subschema_for::<Automerge>(),
        read: |one, node, problems| one.shared.automerge = Automerge::read(node, problems),
    },
    Field {
        name: "merge_method",
        about: "how its pull requests are merged",
        required: false,
        schema: merge_method_schema,
        read: |one, node, problems| one.shared.merge_method = read_merge_method(node, problems),
    },
    Field {
        name: "reviewers",
        about: "who is asked to review its pull requests, in place of those of the file",
        required: false,
        schema: reviewers_schema,
        read: |one, node, problems| one.shared.reviewers = Some(read_reviewers(node, problems)),
    },
    Field {
        name: "assignees",
        about: "who its pull requests are assigned to, in place of those of the file",
        required: false,
        schema: assignees_schema,
        read: |one, node, problems| one.shared.assignees = Some(read_assignees(node, problems)),
    },
    Field {
        name: "draft",
        about: "whether its pull requests are opened as drafts",
        required: false,
        schema: truth_schema,
        read: |one, node, problems| one.shared.draft = truth(node, "`draft`", problems),
    },
];

/// What people write one level too high.
pub(super) const OF_A_SUBSCRIPTION: &[(&str, &str)] = &[
    ("migration", "list it under `subscriptions`: `subscriptions: [pypi]`"),
    ("ignore", "move it into the entry of `subscriptions` that it is about"),
    ("paths", "move it into the entry of `subscriptions` that it is about"),
];

/// What people write one level too low.
pub(super) const OF_THE_FILE: &[(&str, &str)] = &[
    ("timezone", "move it to the top of the file; all subscriptions share it"),
    ("subscriptions", "entries cannot be nested: give each its own `- migration: …`"),
];

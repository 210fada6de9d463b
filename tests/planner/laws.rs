//! What holds whatever the facts are.

use crate::hostile::is_branch;
use crate::scene::{Scene, at, days, package};
use jiff::{SignedDuration, Timestamp};
use mass_driver::domain::{
    Dependency, Ecosystem, Outlook, Proposal, ProposalState, Release, RepoPath, Standing, VersionStep,
};
use mass_driver::planner::timing::next_slot;
use mass_driver::planner::{self, Draft, Known, Plan, Used, plan};
use mass_driver::subscription::Grouping;
use mass_driver::versioning::scheme;
use proptest::prelude::*;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

const NAMES: [&str; 4] = ["aaa", "bbb", "ccc", "ddd"];
const VERSIONS: [&str; 8] = ["1.0", "1.0.1", "1.1", "1.2", "2.0rc1", "2.0", "2.1", "3.0"];
const PATHS: [&str; 4] = ["requirements.txt", "a/requirements.txt", "a/dev-requirements.txt", "b/requirements.txt"];
const DELAYS: [&str; 6] = [
    "immediate",
    "daily",
    "weekly",
    "'30 2 * * *'",
    "{ patch: immediate, minor: weekly, major: monthly }",
    "{ major: immediate, minor: { every: week, on: [tue, fri], at: '02:30' } }",
];
const GROUPS: [&str; 4] = ["none", "all", "minor-and-patch", "shared"];
const AGES: [&str; 4] = ["0d", "3d", "30h", "{ major: 14d, minor: 3d, patch: 0d }"];
const OUTCOMES: [ProposalState; 5] = [
    ProposalState::Open,
    ProposalState::Merged,
    ProposalState::Closed,
    ProposalState::Superseded,
    ProposalState::Failed,
];

/// The hour 0 of the scenes; every fact happens within two months of it.
fn hour(hours: u32) -> Timestamp {
    at("2026-03-01").checked_add(SignedDuration::from_hours(i64::from(hours))).unwrap()
}

const HOURS: u32 = 24 * 60;

fn subscription(paths: &'static str) -> impl Strategy<Value = String> {
    let select = |words: &'static [&'static str]| prop::sample::select(words);
    (select(&DELAYS), select(&GROUPS), select(&AGES), any::<bool>()).prop_map(move |(delay, group, age, ignores)| {
        let ignore = if ignores { ", ignore: [{ name: bbb, versions: '>=2' }, 'c*']" } else { "" };
        format!("  - {{ migration: pypi, delay: {delay}, group: {group}, min_age: {age}{paths}{ignore} }}\n")
    })
}

fn file() -> impl Strategy<Value = String> {
    let zone = prop::sample::select(vec!["UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu"]);
    (zone, subscription(", paths: 'a/**'"), subscription(""))
        .prop_map(|(zone, narrow, wide)| format!("timezone: {zone}\nlabels: [one]\nsubscriptions:\n{narrow}{wide}"))
}

/// By file, package and version in use: one line may hold a package twice.
type Dependencies = BTreeMap<(usize, usize, usize), (bool, u32)>;
type Releases = BTreeMap<(usize, usize), (u32, bool)>;

/// A repository in the middle of its life: some of what was due became pull requests, and people dealt with some of these.
fn scene() -> impl Strategy<Value = Scene> {
    let dependencies =
        prop::collection::btree_map((0..PATHS.len(), 0..NAMES.len(), 0..6usize), (any::<bool>(), 0..HOURS), 1..8);
    let releases =
        prop::collection::btree_map((0..NAMES.len(), 0..VERSIONS.len()), (0..HOURS, prop::bool::weighted(0.1)), 0..16);
    let since = prop::collection::vec(0..HOURS / 2, 2);
    let past = prop::collection::vec((0..HOURS, prop::sample::select(OUTCOMES.to_vec())), 0..4);
    (file(), dependencies, releases, since, past)
        .prop_map(|(file, dependencies, releases, since, past)| build(&file, &dependencies, &releases, &since, past))
}

fn build(
    file: &str,
    dependencies: &Dependencies,
    releases: &Releases,
    since: &[u32],
    mut past: Vec<(u32, ProposalState)>,
) -> Scene {
    let mut scene = Scene::subscribed(file);
    scene.since = since.iter().map(|hours| hour(*hours)).collect();
    for ((path, name, version), (pinned, since)) in dependencies {
        let constraint = format!("{}{}", if *pinned { "==" } else { "~=" }, VERSIONS[*version]);
        let dependency = Dependency {
            manager: "requirements".into(),
            path: RepoPath::parse(PATHS[*path]).unwrap(),
            line: 1,
            package: package(Ecosystem::Pypi, NAMES[*name]),
            written_name: NAMES[*name].into(),
            current: Some(VERSIONS[*version].into()),
            constraint,
            digest: None,
            hashed: false,
            python: None,
            left_behind: false,
            skip: None,
        };
        scene.used.push(Used { dependency, since: hour(*since) });
    }
    for ((name, version), (published, yanked)) in releases {
        let time = hour(*published);
        let release = Release {
            version: VERSIONS[*version].into(),
            published_at: Some(time),
            first_seen_at: time,
            counts_from: time,
            yanked: *yanked,
            above_latest: false,
            content: None,
            requires_python: None,
        };
        let known = scene.packages.entry(package(Ecosystem::Pypi, NAMES[*name]));
        match known.or_insert_with(|| Known::Releases(Vec::new())) {
            Known::Releases(releases) => releases.push(release),
            other => panic!("{other:?}"),
        }
    }
    past.sort_by_key(|(hours, _)| *hours);
    for (hours, outcome) in past {
        scene.open_due(hour(hours));
        if let Some(open) = scene.proposals.iter_mut().find(|p| p.state == ProposalState::Open) {
            open.state = outcome;
            open.updated_at = hour(hours);
        }
    }
    scene
}

/// A repository nobody has opened a pull request in yet.
fn fresh_scene() -> impl Strategy<Value = Scene> {
    scene().prop_map(|mut scene| {
        scene.proposals.clear();
        scene
    })
}

/// Which subscription a file falls to: the narrow one is about a folder.
fn position_of(path: &RepoPath) -> usize {
    usize::from(!path.as_str().starts_with("a/"))
}

fn plan_of(scene: &Scene, now: Timestamp) -> Plan {
    plan(&scene.facts(), now)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each date of a draft is a sum of facts, whatever is due.
    #[test]
    fn never_early(scene in scene(), hours in 0..HOURS) {
        let now = hour(hours);
        for draft in plan_of(&scene, now).drafts {
            prop_assert_eq!(draft.updates.iter().map(|update| update.due_at).max(), Some(draft.due_at));
            for update in &draft.updates {
                let mut allowed = Vec::new();
                for site in &update.sites {
                    let position = position_of(&site.path);
                    let subscription = &scene.file.subscriptions[position];
                    let step = scheme(Ecosystem::Pypi).step(&site.from, &update.to).unwrap();
                    let uses = scene.used.iter().filter(|used| used.dependency.package == update.package);
                    let first_use = uses.map(|used| used.since).min().unwrap();
                    let old_enough = update.released_at.checked_add(subscription.min_age.for_step(step)).unwrap();
                    prop_assert!(update.eligible_at >= old_enough);
                    prop_assert!(update.eligible_at >= scene.since[position]);
                    prop_assert!(update.eligible_at >= first_use);
                    prop_assert!(update.due_at >= update.eligible_at);
                    allowed.push(next_slot(subscription.delay.for_step(step), &scene.file.timezone, update.due_at));
                }
                prop_assert!(allowed.contains(&update.due_at), "{} is a slot of no subscription", update.due_at);
            }
            if draft.due_at <= now {
                prop_assert!(draft.updates.iter().all(|update| update.due_at <= now));
            }
        }
    }

    /// Whatever is due by the age and the delay of its own step is proposed, or something newer of its kind in its place.
    #[test]
    fn nothing_holds_back_what_is_due(scene in fresh_scene(), hours in 0..HOURS) {
        let now = hour(hours);
        let plan = plan_of(&scene, now);
        let pypi = scheme(Ecosystem::Pypi);
        for used in &scene.used {
            let (dependency, current) = (&used.dependency, used.dependency.current.as_deref().unwrap());
            let position = position_of(&dependency.path);
            let subscription = &scene.file.subscriptions[position];
            let uses = scene.used.iter().filter(|u| u.dependency.package == dependency.package && position_of(&u.dependency.path) == position);
            let first_use = uses.map(|used| used.since).min().unwrap();
            let Some(Known::Releases(releases)) = scene.packages.get(&dependency.package) else { continue };
            for release in releases.iter().filter(|r| !r.yanked && pypi.is_candidate(&dependency.constraint, current, &r.version)) {
                let ignoring = subscription.ignore.iter().filter(|rule| rule.names(&dependency.package));
                let mut ranges = ignoring.map(|rule| rule.versions.as_deref());
                if ranges.any(|range| range.is_none_or(|range| pypi.matches(range, &release.version) == Ok(true))) {
                    continue;
                }
                let step = pypi.step(current, &release.version).unwrap();
                let old_enough = release.counts_from.checked_add(subscription.min_age.for_step(step)).unwrap();
                let eligible_at = old_enough.max(scene.since[position]).max(first_use);
                if next_slot(subscription.delay.for_step(step), &scene.file.timezone, eligible_at) > now {
                    continue;
                }
                let all = subscription.group == Grouping::All;
                let proposed = plan.drafts.iter().filter(|draft| draft.due_at <= now).flat_map(|draft| &draft.updates).any(|update| {
                    update.package == dependency.package
                        && update.sites.iter().any(|site| site.path == dependency.path && site.from == current)
                        && pypi.compare(&update.to, &release.version).is_some_and(Ordering::is_ge)
                        && (all || (update.step == VersionStep::Major) == (step == VersionStep::Major))
                });
                prop_assert!(proposed, "{} {} of {} is due: {:?}", release.version, step, dependency.package, plan.drafts);
            }
        }
    }

    #[test]
    fn a_major_step_rides_along_with_small_ones_only_where_all_is_asked_for(scene in scene(), hours in 0..HOURS) {
        for draft in plan_of(&scene, hour(hours)).drafts {
            let majors = draft.updates.iter().filter(|update| update.step == VersionStep::Major).count();
            prop_assert!(majors == 0 || majors == draft.updates.len() || draft.group.starts_with("pypi all"), "{draft:?}");
        }
    }

    #[test]
    fn the_order_of_the_facts_does_not_matter(scene in scene(), hours in 0..HOURS, turn in 0..7usize) {
        let now = hour(hours);
        let expected = plan_of(&scene, now);
        let mut other = scene;
        other.used = turned(&other.used, turn);
        other.proposals = turned(&other.proposals, turn);
        for known in other.packages.values_mut() {
            if let Known::Releases(releases) = known {
                *releases = turned(releases, turn);
            }
        }
        prop_assert_eq!(plan_of(&other, now), expected);
    }

    #[test]
    fn a_plan_that_was_stored_changes_nothing_the_second_time(scene in scene(), hours in 0..HOURS) {
        let mut scene = scene;
        scene.store(hour(hours));
        let again = scene.amendments(hour(hours));
        prop_assert!(again.is_empty(), "{again:?}");
    }

    /// Time alone never makes a plan's date earlier, and never changes a plan before it says so.
    #[test]
    fn time_alone_brings_nothing_forward(scene in scene(), hours in 0..HOURS, later in 1..500u32) {
        let (now, then) = (hour(hours), hour(hours + later));
        let (first, second) = (plan_of(&scene, now), plan_of(&scene, then));
        for draft in &first.drafts {
            for same in second.drafts.iter().filter(|d| d.group == draft.group && d.content == draft.content) {
                prop_assert!(same.due_at >= draft.due_at);
            }
        }
        if first.wake_at.is_none_or(|wake_at| wake_at > then) {
            let reworded = |plan: Plan| Plan {
                // Only in the first hour are minutes told, and allowed to grow old.
                outlook: plan.outlook.into_iter().map(|row| Outlook { reason: hours_only(&row.reason), ..row }).collect(),
                drafts: plan.drafts.into_iter().map(|draft| Draft { reason: hours_only(&draft.reason), ..draft }).collect(),
                ..plan
            };
            let asleep = Plan { wake_at: first.wake_at, ..second };
            prop_assert_eq!(reworded(first), reworded(asleep));
        }
    }

    #[test]
    fn every_dependency_has_its_reason(scene in scene(), hours in 0..HOURS) {
        let plan = plan_of(&scene, hour(hours));
        for used in &scene.used {
            let dependency = &used.dependency;
            let mut rows = plan.outlook.iter().filter(|row| row.package == dependency.package && row.path == dependency.path);
            prop_assert!(rows.next().is_some());
        }
        for row in &plan.outlook {
            prop_assert!(!row.reason.is_empty());
            let due = plan.drafts.iter().any(|draft| draft.due_at <= hour(hours) && draft.updates.iter().any(|u| Some(&u.to) == row.target.as_ref()));
            let unknown = row.target.is_none();
            prop_assert!(row.standing != Standing::Waiting || row.until.is_some() || due || unknown, "{row:?}");
            prop_assert!(row.until.is_none_or(|until| until > hour(hours)));
        }
    }

    #[test]
    fn a_group_has_one_draft_and_a_draft_one_branch(scene in scene(), hours in 0..HOURS) {
        let drafts = plan_of(&scene, hour(hours)).drafts;
        let groups: BTreeSet<&str> = drafts.iter().map(|draft| draft.group.as_str()).collect();
        let branches: BTreeSet<&str> = drafts.iter().map(|draft| draft.branch.as_str()).collect();
        prop_assert_eq!((groups.len(), branches.len()), (drafts.len(), drafts.len()));
        for earlier in scene.proposals.iter().filter(|p| p.opened_at.is_some()) {
            prop_assert!(!branches.contains(earlier.branch.as_str()));
        }
        for draft in &drafts {
            prop_assert!(!draft.updates.is_empty());
            prop_assert!(is_branch(&draft.branch), "{}", &draft.branch);
        }
    }

    /// What a person closed is not proposed to that file again, until the end of time.
    #[test]
    fn closed_is_closed(scene in scene(), hours in 0..HOURS) {
        let mut scene = scene;
        scene.open_due(hour(hours));
        let Some(closed) = scene.proposals.iter_mut().find(|p| p.state == ProposalState::Open) else { return Ok(()) };
        closed.state = ProposalState::Closed;
        let updates = closed.updates.clone();
        for later in [hour(hours), hour(hours).checked_add(days(1_000)).unwrap()] {
            let plan = plan_of(&scene, later);
            for (again, old) in plan.drafts.iter().flat_map(|d| &d.updates).flat_map(|u| updates.iter().map(move |old| (u, old))) {
                let same = again.package == old.package && again.to == old.to;
                prop_assert!(!same || again.sites.iter().all(|site| old.sites.iter().all(|o| o.path != site.path)));
            }
        }
    }
}

proptest! {
    // Each case lives through two months.
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Waking as the plan says is enough: every pull request opens at the very moment it is due, or its failure is over.
    #[test]
    fn whoever_wakes_as_told_is_never_late(scene in scene(), hours in 0..HOURS) {
        let mut scene = scene;
        let mut now = hour(hours);
        scene.open_due(now);
        let mut steps = 0;
        while let Some(wake_at) = plan_of(&scene, now).wake_at {
            prop_assert!(wake_at > now);
            now = wake_at;
            let failed = |p: &&Proposal| p.state == ProposalState::Failed && planner::failed_until(p) == now;
            let again: BTreeSet<String> =
                scene.proposals.iter().filter(failed).flat_map(|p| &p.updates).map(|u| u.package.to_string()).collect();
            for draft in plan_of(&scene, now).drafts.iter().filter(|draft| draft.due_at <= now) {
                let is_again = draft.updates.iter().any(|update| again.contains(&update.package.to_string()));
                prop_assert!(draft.due_at == now || is_again, "{} was due at {}", draft.title, draft.due_at);
            }
            scene.open_due(now);
            steps += 1;
            prop_assert!(steps < 2_000, "it ends");
        }
        prop_assert!(plan_of(&scene, now).drafts.is_empty(), "everything that could be opened was");
    }
}

fn hours_only(reason: &str) -> String {
    let minutes = reason.split(' ').any(|word| word.starts_with("minute"));
    if minutes { "it is less than an hour old".into() } else { reason.into() }
}

/// Another order of the same.
fn turned<T: Clone>(list: &[T], by: usize) -> Vec<T> {
    let mut list = list.to_vec();
    list.reverse();
    let middle = by.min(list.len());
    list.rotate_left(middle);
    list
}

//! What the ledger proves, and what it does not.

use crate::scene::{Scene, at, days};
use jiff::{SignedDuration, Timestamp};
use mass_driver::domain::{PackageId, Proposal, ProposalState};
use mass_driver::planner::audit::{
    DRAFTED, Drafted, Gap, KnownRelease, Line, OPENED, REDRAFTED, Verdict, Violation, judge,
};
use proptest::prelude::*;

/// A pull request with the lines of its ledger.
struct Story {
    proposal: Proposal,
    lines: Vec<(Timestamp, &'static str, String)>,
}

impl Story {
    /// What a scene proposes at a moment, drafted then and opened when it is due.
    fn of(scene: &Scene, drafted_at: Timestamp) -> Self {
        let mut proposal = scene.amendments(drafted_at).remove(0).proposal;
        let lines = vec![(drafted_at, DRAFTED, Drafted::of(&proposal).to_detail())];
        let opened_at = proposal.due_at.max(drafted_at);
        (proposal.state, proposal.opened_at) = (ProposalState::Open, Some(opened_at));
        Self { proposal, lines }.line(opened_at, OPENED, "#1")
    }

    fn line(mut self, at: Timestamp, what: &'static str, detail: &str) -> Self {
        self.lines.push((at, what, detail.to_owned()));
        self
    }

    /// The same, opened at another time.
    fn opened(mut self, at: Timestamp) -> Self {
        self.proposal.opened_at = Some(at);
        for line in self.lines.iter_mut().filter(|line| line.1 == OPENED) {
            line.0 = at;
        }
        self
    }

    /// The same with another draft.
    fn drafted(mut self, change: impl FnOnce(&mut Drafted)) -> Self {
        let mut drafted = Drafted::read(&self.lines[0].2).unwrap();
        change(&mut drafted);
        self.lines[0].2 = drafted.to_detail();
        self
    }

    fn judged(&self) -> Verdict {
        self.judged_knowing(|_, _| None)
    }

    fn judged_knowing(&self, known: impl Fn(&PackageId, &str) -> Option<KnownRelease>) -> Verdict {
        let lines: Vec<Line<'_>> = self.lines.iter().map(|(at, what, detail)| Line { at: *at, what, detail }).collect();
        judge(&self.proposal, &lines, known)
    }
}

const WEEKLY: &str = "timezone: Europe/Paris\nsubscriptions:\n  - { migration: pypi, delay: weekly, min_age: 3d }\n";

/// Seen on Wednesday, old enough on Saturday, due on Monday.
fn weekly() -> Story {
    let scene = Scene::subscribed(WEEKLY).manifest("requirements.txt", "httpx==0.27.0\n").release(
        "httpx",
        "0.28.0",
        "2026-03-04",
    );
    Story::of(&scene, at("2026-03-04"))
}

fn words(verdict: &Verdict) -> Vec<String> {
    match verdict {
        Verdict::Violated(violations) => violations.iter().map(ToString::to_string).collect(),
        other => vec![format!("{other:?}")],
    }
}

#[test]
fn what_was_opened_in_time_is_proven_from_its_terms() {
    let story = weekly();
    assert_eq!(story.proposal.opened_at, Some(at("2026-03-09 05:00")), "six in Paris");
    assert_eq!(story.judged(), Verdict::Proven);
    assert_eq!(story.opened(at("2026-03-20")).judged(), Verdict::Proven, "late is no matter here");
}

#[test]
fn what_never_was_a_pull_request_needs_no_proof() {
    let mut story = weekly();
    story.lines.truncate(1);
    story.proposal.opened_at = None;
    assert_eq!(story.judged(), Verdict::NotOpened);
}

#[test]
fn a_draft_that_says_another_time_than_its_terms_does_not_make_it_true() {
    let early = at("2026-03-08");
    let story = weekly().opened(early).drafted(|drafted| {
        drafted.due_at = early;
        drafted.updates[0].due_at = early;
    });
    insta::assert_snapshot!(words(&story.judged()).join("\n"), @r"
    pypi/httpx 0.28.0: the ledger says due at 2026-03-08T00:00:00Z, by its own terms it is 2026-03-09T05:00:00Z
    pypi/httpx 0.28.0 was opened at 2026-03-08T00:00:00Z and due at 2026-03-09T05:00:00Z: early
    ");
}

#[test]
fn without_terms_nothing_is_proven_but_what_was_early_is_found() {
    let old = |story: Story| {
        story.drafted(|drafted| {
            drafted.content.clear();
            drafted.updates[0].terms.clear();
        })
    };
    assert_eq!(old(weekly()).judged(), Verdict::NotProvable(Gap::WithoutTerms));
    let early = old(weekly()).opened(at("2026-03-08"));
    assert!(matches!(early.judged(), Verdict::Violated(found) if found.iter().all(Violation::is_early)));
    let unknown = |change: fn(&mut Drafted)| weekly().drafted(change).judged();
    let not_understood = Verdict::NotProvable(Gap::TermsNotUnderstood);
    assert_eq!(unknown(|drafted| drafted.updates[0].terms[0].timezone = "Mars/Olympus".into()), not_understood);
    assert_eq!(unknown(|drafted| drafted.updates[0].terms[0].delay = "whenever".into()), not_understood);
}

#[test]
fn the_order_of_the_ledger_is_held_against_the_proposal() {
    let mut undrafted = weekly();
    undrafted.lines.remove(0);
    let moved = weekly();
    let (opened_at, detail) = (moved.proposal.opened_at.unwrap(), moved.lines[0].2.clone());
    let redrafted = moved.line(opened_at + days(1), REDRAFTED, &detail);
    let mut other = weekly();
    other.proposal.content = "another".into();
    let mut elsewhere = weekly();
    elsewhere.proposal.opened_at = Some(at("2026-03-10"));
    let mut unrecorded = weekly();
    unrecorded.lines.pop();
    let all = [undrafted, redrafted, other, elsewhere, unrecorded].map(|story| words(&story.judged()).join("\n"));
    insta::assert_snapshot!(all.join("\n"), @r"
    opened at 2026-03-09T05:00:00Z, and the ledger has no draft from before that
    opened at 2026-03-09T05:00:00Z, and drafted again after that, at 2026-03-10T05:00:00Z
    what was opened is not what was drafted last
    opened at 2026-03-10T00:00:00Z by the proposal, at 2026-03-09T05:00:00Z by the ledger
    opened at 2026-03-09T05:00:00Z by the proposal, at never by the ledger
    ");
}

#[test]
fn an_age_that_was_counted_from_before_anybody_knew_is_found() {
    let known = |first_seen: &'static str, counts_from: &'static str| {
        move |_: &PackageId, _: &str| Some(KnownRelease { first_seen_at: at(first_seen), counts_from: at(counts_from) })
    };
    let story = weekly();
    assert_eq!(story.judged_knowing(known("2026-03-04", "2026-03-04")), Verdict::Proven);
    let found = words(&story.judged_knowing(known("2026-03-05", "2026-03-05")));
    assert_eq!(
        found,
        [
            "pypi/httpx 0.28.0: its age was counted from 2026-03-04T00:00:00Z, and it is known from 2026-03-05T00:00:00Z on: early"
        ]
    );
    let again = story.judged_knowing(known("2026-04-01", "2026-04-01"));
    assert_eq!(again, Verdict::Proven, "it was gone and is listed again, long after");
    let promoted = story.judged_knowing(known("2026-03-04", "2026-04-01"));
    assert_eq!(promoted, Verdict::Proven, "it has become the latest since");
}

#[test]
fn the_place_that_binds_counts() {
    let yaml = "subscriptions:\n  - { migration: pypi, paths: 'slow/**', delay: monthly, group: web }\n  - { migration: pypi, group: web }\n";
    let scene = Scene::subscribed(yaml)
        .manifest("slow/requirements.txt", "httpx==0.27.0\n")
        .manifest("requirements.txt", "httpx==0.27.0\n")
        .release("httpx", "0.28.0", "2026-03-04");
    let story = Story::of(&scene, at("2026-04-02"));
    assert_eq!(story.proposal.updates[0].terms.len(), 2, "{:?}", story.proposal.updates);
    assert_eq!(story.judged(), Verdict::Proven);
    assert!(matches!(story.opened(at("2026-03-20")).judged(), Verdict::Violated(_)), "the slow one was not due");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the rules and the times: from its due time on it is proven, and an instant before it is early.
    #[test]
    fn it_is_proven_exactly_from_its_due_time_on(
        delay in prop::sample::select(vec!["immediate", "daily", "weekly", "monthly", "'30 2 * * *'", "{ every: month, on: 31, at: '02:30' }"]),
        timezone in prop::sample::select(vec!["UTC", "Europe/Paris", "America/St_Johns", "Australia/Lord_Howe"]),
        age_hours in 0_i64..400,
        released_hours in 0_i64..10_000,
        late_ms in 0_i64..1_000_000_000,
        early_ms in 1_i64..1_000_000_000,
    ) {
        let yaml = format!("timezone: {timezone}\nsubscriptions:\n  - {{ migration: pypi, delay: {delay}, min_age: {age_hours}h }}\n");
        let released = at("2026-01-02") + SignedDuration::from_hours(released_hours);
        let released_text = released.strftime("%Y-%m-%d %H:%M").to_string();
        let scene = Scene::subscribed(&yaml)
            .manifest("requirements.txt", "httpx==0.27.0\n")
            .release("httpx", "0.28.0", &released_text);
        let story = Story::of(&scene, released);
        let due_at = story.proposal.due_at;
        let story = story.opened(due_at + SignedDuration::from_millis(late_ms));
        prop_assert_eq!(story.judged(), Verdict::Proven);
        let story = story.opened(due_at - SignedDuration::from_millis(early_ms));
        let undrafted = |one: &Violation| matches!(one, Violation::NotDrafted { .. });
        let is_found = match story.judged() {
            Verdict::Violated(found) => found.iter().any(|one| one.is_early() || undrafted(one)),
            _ => false,
        };
        prop_assert!(is_found, "{:?}", story.judged());
    }

    /// The details of the ledger may have been written by anybody.
    #[test]
    fn any_text_is_judged(detail in ".{0,200}", what in prop::sample::select(vec![DRAFTED, OPENED, "merged"])) {
        let story = weekly().line(at("2026-03-05"), what, &detail);
        let _ = story.judged();
    }
}

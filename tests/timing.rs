//! The laws of delays, over many time zones and both changes of the clocks: never early, never skipped, the same
//! whatever came first.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use jiff::civil::{Date, DateTime, date, time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use mass_driver::domain::VersionStep;
use mass_driver::planner::timing::{ReleaseFacts, due_at, moment_in_words, next_slot, too_young, waits_for};
use mass_driver::subscription::{CronLine, Delay, MinAge, Schedule, Weekday};
use proptest::prelude::*;

/// Half-hour changes, two-hour changes, changes at midnight, a day that never was, winter time as the exception,
/// whole-year shifts, and zones without any of that.
const ZONES: [&str; 20] = [
    "UTC",
    "Europe/Paris",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "America/Caracas",
    "America/Nuuk",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Asia/Pyongyang",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Antarctica/Casey",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Pacific/Kiritimati",
];

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn any_zone() -> impl Strategy<Value = TimeZone> {
    prop::sample::select(ZONES.to_vec()).prop_map(zone)
}

/// Instants from 1980, when every offset has whole minutes, half of them within two days of a change of clocks.
fn any_instant(timezone: &TimeZone) -> BoxedStrategy<Timestamp> {
    let anywhere = (315_532_800_000_i64..4_102_444_800_000).prop_map(|ms| Timestamp::from_millisecond(ms).unwrap());
    let from = "1980-01-01T00:00:00Z".parse().unwrap();
    let changes: Vec<Timestamp> = timezone.following(from).take(120).map(|change| change.timestamp()).collect();
    if changes.is_empty() {
        return anywhere.boxed();
    }
    let near = (prop::sample::select(changes), -172_800_000_i64..172_800_000)
        .prop_map(|(change, ms)| change.checked_add(SignedDuration::from_millis(ms)).unwrap());
    prop_oneof![anywhere, near].boxed()
}

fn zone_and_instant() -> impl Strategy<Value = (TimeZone, Timestamp)> {
    any_zone().prop_flat_map(|timezone| {
        let instant = any_instant(&timezone);
        (Just(timezone), instant)
    })
}

fn any_clock() -> impl Strategy<Value = jiff::civil::Time> {
    (0i8..24, 0i8..60).prop_map(|(hour, minute)| time(hour, minute, 0, 0))
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let weekdays = prop::sample::subsequence(Weekday::ALL.to_vec(), 1..=7);
    let days = prop::collection::btree_set(1u8..=31, 1..4).prop_map(|days| days.into_iter().collect::<Vec<_>>());
    let cron =
        (0u8..60, 0u8..24, prop_oneof![Just("*".to_owned()), (1u8..=28).prop_map(|day| day.to_string())], 0u8..7)
            .prop_map(|(minute, hour, day, weekday)| format!("{minute} {hour} {day} * {weekday}"));
    let often = prop_oneof![Just("*/5 * * * *"), Just("17 * * * *"), Just("0,30 1-3 * * *")].prop_map(str::to_owned);
    prop_oneof![
        any_clock().prop_map(|at| Schedule::Daily { at }),
        (weekdays, any_clock()).prop_map(|(on, at)| Schedule::Weekly { on, at }),
        (days, any_clock()).prop_map(|(on, at)| Schedule::Monthly { on, at }),
        prop_oneof![cron, often].prop_map(|line| Schedule::Cron(CronLine::parse(&line).unwrap())),
    ]
}

fn any_delay() -> impl Strategy<Value = Delay> {
    prop_oneof![1 => Just(Delay::Immediate), 8 => any_schedule().prop_map(Delay::Schedule)]
}

/// The first moment a clock on the wall shows `wanted` or later, found by watching it minute by minute from a
/// day and a half before. This is the rule of gaps and folds in the plainest words there are.
fn first_shown(timezone: &TimeZone, wanted: DateTime) -> Timestamp {
    let mut moment = TimeZone::UTC.to_timestamp(wanted).unwrap().checked_sub(36.hours()).unwrap();
    while timezone.to_datetime(moment) < wanted {
        moment = moment.checked_add(1.minute()).unwrap();
    }
    moment
}

/// The days a calendar schedule wants near an instant, found without the code under test.
fn wanted_days(schedule: &Schedule, around: Date) -> Vec<Date> {
    let first = around.checked_sub(3.days()).unwrap();
    let days = std::iter::successors(Some(first), |day| day.tomorrow().ok()).take(70);
    days.filter(|day| match schedule {
        Schedule::Daily { .. } => true,
        Schedule::Weekly { on, .. } => on.iter().any(|wanted| wanted.as_str() == day.strftime("%A").to_string()),
        Schedule::Monthly { on, .. } => {
            let last_of_month = day.tomorrow().unwrap().day() == 1;
            on.iter().any(|wanted| *wanted as i8 == day.day() || (last_of_month && *wanted as i8 > day.day()))
        }
        Schedule::Cron(_) => unreachable!("compared with calendar schedules instead"),
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_early_and_settled((timezone, t) in zone_and_instant(), delay in any_delay()) {
        let slot = next_slot(&delay, &timezone, t);
        prop_assert!(slot >= t, "{slot} is before {t}");
        prop_assert_eq!(next_slot(&delay, &timezone, slot), slot, "a slot is its own next slot");
    }

    #[test]
    fn monotonic((timezone, t) in zone_and_instant(), delay in any_delay(), later_s in 0i64..10_000_000) {
        let later = t.checked_add(SignedDuration::from_secs(later_s)).unwrap();
        prop_assert!(next_slot(&delay, &timezone, t) <= next_slot(&delay, &timezone, later));
    }

    #[test]
    fn exactly_the_first_day_whose_time_is_shown((timezone, t) in zone_and_instant(), schedule in any_schedule()) {
        let at = match &schedule {
            Schedule::Daily { at } | Schedule::Weekly { at, .. } | Schedule::Monthly { at, .. } => *at,
            Schedule::Cron(_) => return Ok(()),
        };
        let around = timezone.to_datetime(t).date();
        let expected = wanted_days(&schedule, around)
            .into_iter()
            .map(|day| first_shown(&timezone, day.to_datetime(at)))
            .find(|moment| *moment >= t);
        prop_assert_eq!(Some(next_slot(&Delay::Schedule(schedule), &timezone, t)), expected);
    }

    #[test]
    fn cron_and_mapping_agree((timezone, t) in zone_and_instant(), at in any_clock(), day in 0usize..7, of_month in 1u8..=28) {
        let (minute, hour) = (at.minute(), at.hour());
        let same = [
            (format!("{minute} {hour} * * *"), Schedule::Daily { at }),
            (format!("{minute} {hour} * * {}", (day + 1) % 7), Schedule::Weekly { on: vec![Weekday::ALL[day]], at }),
            (format!("{minute} {hour} {of_month} * *"), Schedule::Monthly { on: vec![of_month], at }),
        ];
        for (line, schedule) in same {
            let cron = Delay::Schedule(Schedule::Cron(CronLine::parse(&line).unwrap()));
            prop_assert_eq!(next_slot(&cron, &timezone, t), next_slot(&Delay::Schedule(schedule), &timezone, t), "{}", line);
        }
    }

    #[test]
    fn a_frequent_cron_line_skips_nothing((timezone, t) in zone_and_instant()) {
        let delay = Delay::Schedule(Schedule::Cron(CronLine::parse("*/10 * * * *").unwrap()));
        let slot = next_slot(&delay, &timezone, t);
        let shown = first_shown_multiple_of_ten(&timezone, t);
        prop_assert_eq!(slot, shown);
    }

    #[test]
    fn daily_slots_are_about_a_day_apart((timezone, t) in zone_and_instant(), at in any_clock()) {
        let delay = Delay::Schedule(Schedule::Daily { at });
        let slot = next_slot(&delay, &timezone, t);
        let next = next_slot(&delay, &timezone, slot.checked_add(1.nanosecond()).unwrap());
        // 25 hours where clocks go back by one; Casey Station once set its clocks back by three.
        prop_assert!(next.duration_since(slot) <= SignedDuration::from_hours(27), "{slot} then {next}");
        prop_assert!(next > slot);
    }

    #[test]
    fn facts_in_any_order_and_only_ever_later(
        (timezone, t) in zone_and_instant(), delay in any_delay(), days in 0i64..40, gaps in prop::array::uniform3(-5_000_000i64..5_000_000), more_s in 0i64..5_000_000,
    ) {
        let min_age = SignedDuration::from_hours(24 * days);
        let at = |seconds: i64| t.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        let facts = ReleaseFacts { counts_from: at(gaps[0]), subscribed_since: at(gaps[1]), dependency_since: at(gaps[2]) };
        let due = due_at(&delay, &timezone, facts.eligible_at(min_age));
        prop_assert!(due >= facts.counts_from.checked_add(min_age).unwrap(), "the release is old enough");
        prop_assert!(due >= facts.subscribed_since && due >= facts.dependency_since);
        prop_assert_eq!(due, facts.due_at(&MinAge::same(min_age), VersionStep::Minor, &delay, &timezone));

        let swapped = ReleaseFacts { subscribed_since: facts.dependency_since, dependency_since: facts.subscribed_since, ..facts };
        prop_assert_eq!(due_at(&delay, &timezone, swapped.eligible_at(min_age)), due);

        let more = SignedDuration::from_secs(more_s);
        let later = |from: Timestamp| from.checked_add(more).unwrap();
        for grown in [
            ReleaseFacts { counts_from: later(facts.counts_from), ..facts },
            ReleaseFacts { subscribed_since: later(facts.subscribed_since), ..facts },
            ReleaseFacts { dependency_since: later(facts.dependency_since), ..facts },
        ] {
            prop_assert!(due_at(&delay, &timezone, grown.eligible_at(min_age)) >= due);
        }
        prop_assert!(due_at(&delay, &timezone, facts.eligible_at(min_age + more)) >= due);
    }

    #[test]
    fn total_at_the_ends_of_time(timezone in any_zone(), delay in any_delay(), from_end in 0i64..200_000_000) {
        let away = SignedDuration::from_secs(from_end);
        for t in [Timestamp::MIN.checked_add(away).unwrap(), Timestamp::MAX.checked_sub(away).unwrap(), Timestamp::MIN, Timestamp::MAX] {
            let slot = next_slot(&delay, &timezone, t);
            prop_assert!(slot >= t);
            prop_assert_eq!(next_slot(&delay, &timezone, slot), slot);
        }
    }
}

/// Watches the clock for the first moment at or after `t` at which a multiple of ten minutes is first shown.
fn first_shown_multiple_of_ten(timezone: &TimeZone, t: Timestamp) -> Timestamp {
    // What the wall clock has shown before counts as over, also when it shows it again.
    let mut furthest = DateTime::MIN;
    let start = t.checked_sub(36.hours()).unwrap().as_second().div_euclid(60) * 60;
    (0..)
        .map(|minutes| Timestamp::from_second(start + 60 * minutes).unwrap())
        .find(|moment| {
            let shown = timezone.to_datetime(*moment);
            if shown <= furthest {
                return false;
            }
            let jumped = furthest != DateTime::MIN && shown > furthest.checked_add(1.minute()).unwrap();
            furthest = shown;
            (jumped || shown.minute() % 10 == 0) && *moment >= t
        })
        .unwrap()
}

fn delay(text: &str) -> Delay {
    let file = format!("delay: {text}\nsubscriptions: [pypi]\n");
    mass_driver::subscription::parse(file.as_bytes()).unwrap().subscriptions[0].delay.major.clone()
}

fn slots(text: &str, timezone: &str, from: &str, count: usize) -> Vec<String> {
    let (delay, timezone) = (delay(text), zone(timezone));
    let mut t: Timestamp = from.parse().unwrap();
    (0..count)
        .map(|_| {
            let slot = next_slot(&delay, &timezone, t);
            t = slot.checked_add(1.nanosecond()).unwrap();
            slot.to_zoned(timezone.clone()).strftime("%a %F %R%:z").to_string()
        })
        .collect()
}

#[test]
fn the_words_mean_six_in_the_morning() {
    let from = "2026-02-25T12:00:00Z";
    assert_eq!(slots("daily", "Europe/Paris", from, 2), ["Thu 2026-02-26 06:00+01:00", "Fri 2026-02-27 06:00+01:00"]);
    assert_eq!(slots("weekly", "Europe/Paris", from, 2), ["Mon 2026-03-02 06:00+01:00", "Mon 2026-03-09 06:00+01:00"]);
    assert_eq!(slots("monthly", "Europe/Paris", from, 2), ["Sun 2026-03-01 06:00+01:00", "Wed 2026-04-01 06:00+02:00"]);
    assert_eq!(next_slot(&Delay::Immediate, &TimeZone::UTC, from.parse().unwrap()), from.parse().unwrap());
}

#[test]
fn a_skipped_time_happens_when_the_gap_ends() {
    let paris = slots(r#"{ every: day, at: "02:30" }"#, "Europe/Paris", "2026-03-28T12:00:00Z", 2);
    assert_eq!(paris, ["Sun 2026-03-29 03:00+02:00", "Mon 2026-03-30 02:30+02:00"]);
    let cron = slots("30 2 * * *", "Europe/Paris", "2026-03-28T12:00:00Z", 2);
    assert_eq!(cron, paris, "a cron line follows the same rule");
    let lord_howe = slots(r#"{ every: day, at: "02:15" }"#, "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 1);
    assert_eq!(lord_howe, ["Sun 2026-10-04 02:30+11:00"], "a gap of half an hour");
}

#[test]
fn a_repeated_time_happens_once() {
    let paris = slots(r#"{ every: day, at: "02:30" }"#, "Europe/Paris", "2026-10-24T12:00:00Z", 2);
    assert_eq!(paris, ["Sun 2026-10-25 02:30+02:00", "Mon 2026-10-26 02:30+01:00"]);
    let cron = slots("\"*/30 * * * *\"", "Europe/Paris", "2026-10-25T00:20:00Z", 3);
    assert_eq!(cron, ["Sun 2026-10-25 02:30+02:00", "Sun 2026-10-25 03:00+01:00", "Sun 2026-10-25 03:30+01:00"]);
}

#[test]
fn a_day_that_never_was_keeps_its_slot() {
    let apia = slots("daily", "Pacific/Apia", "2011-12-29T12:00:00Z", 4);
    assert_eq!(
        apia,
        [
            "Thu 2011-12-29 06:00-10:00",
            "Sat 2011-12-31 00:00+14:00",
            "Sat 2011-12-31 06:00+14:00",
            "Sun 2012-01-01 06:00+14:00"
        ]
    );
}

#[test]
fn the_thirty_first_is_the_last_day_of_a_shorter_month() {
    let text = r#"{ every: month, on: [15, 30, 31], at: "09:00" }"#;
    let days = [
        "Sat 2026-01-31",
        "Sun 2026-02-15",
        "Sat 2026-02-28",
        "Sun 2026-03-15",
        "Mon 2026-03-30",
        "Tue 2026-03-31",
        "Wed 2026-04-15",
        "Thu 2026-04-30",
    ];
    let days: Vec<_> = days.iter().map(|day| format!("{day} 09:00+00:00")).collect();
    assert_eq!(slots(text, "UTC", "2026-01-31T00:00:00Z", 8), days);
}

#[test]
fn a_leap_day_is_waited_for() {
    assert_eq!(slots("0 0 29 2 *", "UTC", "2097-01-01T00:00:00Z", 1), ["Fri 2104-02-29 00:00+00:00"]);
}

#[test]
fn reasons_read_as_sentences() {
    let now: Timestamp = "2026-02-25T12:00:00Z".parse().unwrap();
    let ago = |span: SignedDuration| now.checked_sub(span).unwrap();
    let (hours, minutes) = (SignedDuration::from_hours, SignedDuration::from_mins);
    let three_days = hours(72);
    assert_eq!(too_young("0.28.0", now, three_days, now), "0.28.0 is 0 days old, 3 days are asked for");
    assert_eq!(too_young("0.28.0", ago(hours(30)), three_days, now), "0.28.0 is 1 day old, 3 days are asked for");
    assert_eq!(too_young("0.28.0", ago(hours(71)), three_days, now), "0.28.0 is 2 days old, 3 days are asked for");
    assert_eq!(too_young("2.0", ago(minutes(59)), hours(12), now), "2.0 is 59 minutes old, 12 hours are asked for");
    assert_eq!(too_young("2.0", ago(minutes(150)), hours(36), now), "2.0 is 2 hours old, 1 day 12 hours are asked for");
    assert_eq!(too_young("2.0", ago(hours(3)), hours(24), now), "2.0 is 0 days old, 1 day is asked for");
    assert_eq!(
        too_young("2.0", now.checked_add(hours(3)).unwrap(), hours(24), now),
        "2.0 is 0 days old, 1 day is asked for"
    );

    let weekly = delay("weekly");
    let paris = zone("Europe/Paris");
    let due = due_at(&weekly, &paris, now);
    assert_eq!(waits_for(&weekly, &paris, due), "waits for Monday 2026-03-02 06:00 Europe/Paris (weekly)");
    assert_eq!(
        waits_for(&delay("0 6 * * 1"), &paris, due),
        "waits for Monday 2026-03-02 06:00 Europe/Paris (cron `0 6 * * 1`)"
    );
    assert_eq!(waits_for(&Delay::Immediate, &paris, due), "waits for Monday 2026-03-02 06:00 Europe/Paris");
    let start = date(2026, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp();
    assert_eq!(moment_in_words(&TimeZone::UTC, start), "Thursday 2026-01-01 00:00 UTC");
}

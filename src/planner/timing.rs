//! When a release counts, when its pull request is due, and how to say so.
//!
//! The rules at a change of the clocks: a wall-clock time that a day skips happens at the first moment after
//! the gap; one that a day has twice happens once, the first time.

use crate::domain::VersionStep;
use crate::domain::time::in_words;
use crate::subscription::{Delay, MinAge, Schedule, Weekday};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};

/// The facts about one release for one repository that decide when it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// From when the release's age counts (`domain::package::age_starts_at`).
    pub counts_from: Timestamp,
    /// Since when the subscription has been there.
    pub subscribed_since: Timestamp,
    /// Since when the repository has used the package.
    pub dependency_since: Timestamp,
}

impl ReleaseFacts {
    /// When the release is old enough, and subscription and dependency are both there.
    ///
    /// A pure maximum, so the order in which the facts became known does not matter. The anchors in the
    /// repository's own past keep a new subscription from getting a slot that was over before it existed.
    pub fn eligible_at(&self, min_age: SignedDuration) -> Timestamp {
        let old_enough = self.counts_from.checked_add(min_age).unwrap_or(Timestamp::MAX);
        old_enough.max(self.subscribed_since).max(self.dependency_since)
    }

    /// When the release is eligible by the age its step asks for, and when the delay then lets it out.
    pub fn due_at(&self, min_age: &MinAge, step: VersionStep, delay: &Delay, timezone: &TimeZone) -> Timestamp {
        due_at(delay, timezone, self.eligible_at(min_age.for_step(step)))
    }
}

/// When a pull request is due whose release is eligible at an instant: the delay's next slot, never before it.
pub fn due_at(delay: &Delay, timezone: &TimeZone, eligible_at: Timestamp) -> Timestamp {
    next_slot(delay, timezone, eligible_at)
}

/// The first moment at or after `t` at which the delay allows pull requests.
///
/// Total: where no slot is left on the calendar (a cron line after the year 4999, anything near the year
/// 9999) it is [`Timestamp::MAX`], which never comes.
pub fn next_slot(delay: &Delay, timezone: &TimeZone, t: Timestamp) -> Timestamp {
    let Delay::Schedule(schedule) = delay else { return t };
    // Slots up to the wall clock an instant before `t` are over: the moment a wall-clock time happens never
    // decreases as the wall-clock time grows. The instant before, not `t` itself, because at the end of a gap
    // the wall clock has jumped over slots that happen at that very moment.
    let before = t.checked_sub(1.nanosecond()).unwrap_or(Timestamp::MIN);
    let mut wall_clock = timezone.to_datetime(before);
    // In the second pass of a fold the slots ahead may be over already. That ends after the fold.
    loop {
        let Some(slot) = slot_after(schedule, wall_clock) else { return Timestamp::MAX };
        match happens_at(timezone, slot) {
            Some(moment) if moment >= t => return moment,
            Some(_) => wall_clock = slot,
            None => return Timestamp::MAX,
        }
    }
}

/// The moment a wall-clock time happens: the first of two in a fold, the end of the gap in a gap. `None`
/// where it is beyond what timestamps can hold.
fn happens_at(timezone: &TimeZone, wall_clock: DateTime) -> Option<Timestamp> {
    match timezone.to_ambiguous_timestamp(wall_clock).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(wall_clock).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(wall_clock).ok(),
        AmbiguousOffset::Gap { before, after } => {
            // The clock jumped between the two readings of the skipped time.
            let earliest = after.to_timestamp(wall_clock).ok()?;
            let latest = before.to_timestamp(wall_clock).ok()?;
            let jump = timezone
                .following(earliest)
                .take_while(|jump| jump.timestamp() <= latest)
                .find(|jump| jump.offset() == after);
            Some(jump.map_or(latest, |jump| jump.timestamp()))
        }
    }
}

/// The first wall-clock time of a schedule strictly after another.
fn slot_after(schedule: &Schedule, after: DateTime) -> Option<DateTime> {
    match schedule {
        Schedule::Daily { at } => first_day(*at, after, |_| true),
        Schedule::Weekly { on, at } => first_day(*at, after, |day| on.contains(&Weekday::from(day.weekday()))),
        Schedule::Monthly { on, at } => first_day(*at, after, |day| {
            let last = day.days_in_month();
            on.iter().any(|wanted| i8::try_from(*wanted).unwrap_or(i8::MAX).min(last) == day.day())
        }),
        Schedule::Cron(line) => line.next_after(after),
    }
}

/// The first moment at a time of day, strictly after another, on a day that is wanted. A wanted day comes at
/// least every month, so the search ends.
fn first_day(at: Time, after: DateTime, wanted: impl Fn(Date) -> bool) -> Option<DateTime> {
    const LONGEST_WAIT_DAYS: usize = 63;
    let mut day = after.date();
    for _ in 0..LONGEST_WAIT_DAYS {
        let slot = day.to_datetime(at);
        if slot > after && wanted(day) {
            return Some(slot);
        }
        day = day.tomorrow().ok()?;
    }
    None
}

/// `0.28.0 is 1 day old, 3 days are asked for`: why a release that is too young is withheld.
///
/// The age is rounded down to the unit that is asked for, so that it never reads as old enough.
pub fn too_young(version: &str, counts_from: Timestamp, min_age: SignedDuration, now: Timestamp) -> String {
    let age = now.duration_since(counts_from).max(SignedDuration::ZERO);
    let asked = in_words(min_age);
    let age = match (min_age.as_hours() % 24, age.as_hours()) {
        (0, ..24) => "0 days".to_owned(),
        (0, hours) => in_words(SignedDuration::from_hours(hours / 24 * 24)),
        (_, ..1) => in_words(SignedDuration::from_mins(age.as_mins())),
        (_, hours) => in_words(SignedDuration::from_hours(hours)),
    };
    let are = if matches!(asked.as_str(), "1 day" | "1 hour" | "1 minute") { "is" } else { "are" };
    format!("{version} is {age} old, {asked} {are} asked for")
}

/// When what [`too_young`] says changes next: the age by a day or an hour, or the release is old enough. `None` when it
/// is old enough already.
pub fn too_young_until(counts_from: Timestamp, min_age: SignedDuration, now: Timestamp) -> Option<Timestamp> {
    let old_enough = counts_from.checked_add(min_age).ok().filter(|moment| *moment > now)?;
    let age = now.duration_since(counts_from).max(SignedDuration::ZERO);
    // The minutes of the first hour are allowed to grow old.
    let unit_hours = if min_age.as_hours() % 24 == 0 { 24 } else { 1 };
    let older = SignedDuration::from_hours((age.as_hours() / unit_hours + 1) * unit_hours);
    Some(counts_from.checked_add(older).map_or(old_enough, |moment| moment.min(old_enough)))
}

/// `waits for Monday 2026-03-02 06:00 Europe/Paris (weekly)`: why an eligible release is withheld by its delay.
pub fn waits_for(delay: &Delay, timezone: &TimeZone, due_at: Timestamp) -> String {
    match delay {
        Delay::Immediate => format!("waits for {}", moment_in_words(timezone, due_at)),
        Delay::Schedule(_) => format!("waits for {} ({})", moment_in_words(timezone, due_at), delay.kind()),
    }
}

/// `Monday 2026-03-02 06:00 Europe/Paris`.
pub fn moment_in_words(timezone: &TimeZone, at: Timestamp) -> String {
    let local = at.to_zoned(timezone.clone());
    let zone = timezone.iana_name().map_or_else(|| local.offset().to_string(), str::to_owned);
    format!("{} {zone}", local.strftime("%A %Y-%m-%d %H:%M"))
}

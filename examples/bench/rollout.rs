//! Thousands of proposals that are due at once, over fifty installations of which one has half: how soon each has its
//! pull request, and whether the big one holds up the small ones.

use crate::Options;
use crate::database::{Kind, Place};
use crate::due::Load;
use crate::fairness::Course;
use crate::report::{Report, Runs};

const FIGURE: &str = "rollout";
/// Steps at a time.
const WORKERS: u16 = 8;
/// GitHub wants a second between the writes of an installation.
const WRITES_APART_SECONDS: f64 = 1.0;

/// Takes the figure once: it is a long one, and its runs would differ little.
pub async fn measure(place: &Place, kind: Kind, options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let size = options.rollout;
    let on = format!("{}, {size} proposals, {WORKERS} workers", kind.name());
    anstream::eprintln!("rollout on {on}: building the world");
    let mut load = Load::prepare(place, kind, "rollout", size).await?;
    anstream::eprintln!("rollout on {on}: rolling out");
    let outcome = load.roll_out(1, WORKERS).await?;
    let course = Course::of(&outcome.told.repositories, outcome.begun_ms);
    let mut runs = Runs::default();
    let pulls = size as f64;
    runs.add("until each has its first execution", "s", None, course.all_done());
    runs.add("pull requests", "/s", None, pulls / course.all_done());
    runs.add("until each installation has one", "s", None, course.last_first());
    runs.add("the small ones' median execution", "s", None, course.small_median());
    runs.add("the big one's median execution", "s", None, course.big_median());
    runs.add("the small ones are through", "s", None, course.small_done());
    runs.add("the big one is through", "s", None, course.big_done());
    runs.add("Jain's index, all, when the first is through", "", None, course.fairness(true));
    runs.add("Jain's index, the small ones, at that time", "", None, course.fairness(false));
    runs.add("requests each, those for tokens included", "", None, outcome.told.requests as f64 / pulls);
    runs.add("writes each", "", None, outcome.told.writes as f64 / pulls);
    for (what, value) in
        [("memory, at most", outcome.peak_mib), ("memory of the stand-in, at most", outcome.stand_in_mib)]
    {
        if let Some(value) = value {
            runs.add(what, "MiB", None, value);
        }
    }
    for (what, used) in
        [("processor time each", outcome.processor), ("the stand-in's processor time each", outcome.stand_in)]
    {
        if let Some(used) = used {
            runs.add(what, "ms", None, used.as_secs_f64() * 1_000.0 / pulls);
        }
    }
    report.take(FIGURE, &on, runs);
    report.detail(FIGURE, &on, course.installations());
    let seconds = outcome.told.writes as f64 / pulls * WRITES_APART_SECONDS;
    report.note(format!(
        "rollout on {on}: without a pause between writes. With a second between the writes of an installation, as the \
         server keeps them, the small ones ({} proposals each) would take {:.0} minutes, and the big one ({}) {:.1} hours.",
        course.small_size(),
        course.small_size() as f64 * seconds / 60.0,
        course.big_size(),
        course.big_size() as f64 * seconds / 3_600.0
    ));
    outcome.check(FIGURE, &on, report);
    load.end().await
}

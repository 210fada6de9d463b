//! What each installation got, and when. Pure.

use crate::github::Seen;
use crate::report::quantile;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// When the pull requests of each installation were opened.
pub struct Course {
    /// Seconds after the beginning, sorted; the installations in order of their size, the biggest last.
    opened: Vec<(i64, Vec<f64>)>,
}

impl Course {
    /// Of what was seen at GitHub, counted from a moment in milliseconds.
    pub fn of(repositories: &[Seen], begun_ms: i64) -> Self {
        let mut by_installation: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for seen in repositories {
            let first = seen.opened_at.iter().min();
            let seconds = first.map_or(f64::NAN, |first| (first - begun_ms) as f64 / 1_000.0);
            by_installation.entry(seen.installation).or_default().push(seconds);
        }
        let mut opened: Vec<_> = by_installation.into_iter().collect();
        for (_, times) in &mut opened {
            times.sort_by(f64::total_cmp);
        }
        opened.sort_by_key(|(_, times)| times.len());
        Self { opened }
    }

    fn all(&self) -> impl Iterator<Item = &[f64]> {
        self.opened.iter().map(|(_, times)| times.as_slice())
    }

    fn small(&self) -> impl Iterator<Item = &[f64]> {
        self.all().take(self.opened.len().saturating_sub(1))
    }

    fn big(&self) -> &[f64] {
        self.all().last().unwrap_or_default()
    }

    /// When everything was done.
    pub fn all_done(&self) -> f64 {
        latest(self.all().map(last))
    }

    /// When the last installation had its first.
    pub fn last_first(&self) -> f64 {
        latest(self.all().map(|times| quantile(times, 0.0)))
    }

    /// When the small ones were through.
    pub fn small_done(&self) -> f64 {
        latest(self.small().map(last))
    }

    /// When the big one was through.
    pub fn big_done(&self) -> f64 {
        last(self.big())
    }

    /// The median over all executions of the small ones.
    pub fn small_median(&self) -> f64 {
        let mut times: Vec<f64> = self.small().flatten().copied().collect();
        times.sort_by(f64::total_cmp);
        quantile(&times, 0.5)
    }

    /// The median over the executions of the big one.
    pub fn big_median(&self) -> f64 {
        quantile(self.big(), 0.5)
    }

    /// How many the largest of the small ones has.
    pub fn small_size(&self) -> usize {
        self.small().map(<[f64]>::len).max().unwrap_or_default()
    }

    /// How many the big one has.
    pub fn big_size(&self) -> usize {
        self.big().len()
    }

    /// Jain's index over what the installations had got when the first of them was through: until then each of them could
    /// have been given more. 1 is the same for all, 1/n is all for one.
    ///
    /// Source: Jain, Chiu, Hawe, "A Quantitative Measure of Fairness", 1984.
    pub fn fairness(&self, with_the_big_one: bool) -> f64 {
        let first_through = self.all().map(last).min_by(f64::total_cmp).unwrap_or(f64::NAN);
        let got = |times: &[f64]| times.iter().filter(|time| **time <= first_through).count() as f64;
        let shares: Vec<f64> =
            if with_the_big_one { self.all().map(got).collect() } else { self.small().map(got).collect() };
        let (sum, squares): (f64, f64) = shares.iter().fold((0.0, 0.0), |(sum, sq), x| (sum + x, sq + x * x));
        sum * sum / (shares.len() as f64 * squares)
    }

    /// The first, the median and the last execution of each installation.
    pub fn installations(&self) -> Value {
        let rows = self.opened.iter().map(|(id, times)| {
            let at = |share| quantile(times, share);
            json!({"installation": id, "proposals": times.len(), "first_s": at(0.0), "median_s": at(0.5), "last_s": at(1.0)})
        });
        rows.collect()
    }
}

fn last(times: &[f64]) -> f64 {
    quantile(times, 1.0)
}

fn latest(times: impl Iterator<Item = f64>) -> f64 {
    times.fold(f64::NAN, f64::max)
}

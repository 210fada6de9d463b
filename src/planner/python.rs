//! Releases that would leave a requirement without one on a version of Python it is for. Pure.

use super::rejection::Rejection;
use crate::domain::{Dependency, Release};
use crate::versioning::{Pythons, Scheme};
use std::collections::HashMap;

/// What `requires-python` and the like say, each read once for a plan.
#[derive(Debug, Default)]
pub struct Read<'a>(HashMap<&'a str, Option<Pythons>>);

impl<'a> Read<'a> {
    fn of(&mut self, range: &'a str) -> Option<Pythons> {
        *self.0.entry(range).or_insert_with(|| Pythons::of_range(range))
    }

    /// Why a requirement is not moved to a release, if it is for versions of Python that the release is not for; `constraint` and
    /// `current` are what it says, `in_use` the release of that version.
    ///
    /// Where the text would still allow the version in use, installers go on taking that where the new one is not for them.
    pub fn rejection(
        &mut self,
        dependency: &'a Dependency,
        (constraint, current): (&str, &str),
        (in_use, release): (Option<&'a Release>, &'a Release),
        scheme: &dyn Scheme,
    ) -> Option<Rejection> {
        let place_text = dependency.python.as_deref()?;
        let place = self.of(place_text)?;
        let moved = scheme.rewrite(constraint, &release.version)?;
        if scheme.matches(&moved, current) == Ok(true) {
            return None;
        }
        let place_text = place_text.to_owned();
        let Some(requires) = release.requires_python.as_deref() else {
            // Most releases are for all that a project without an end runs on; hardly any for what was left behind.
            return place.end_somewhere().then_some(Rejection::PythonUnknown { place: place_text });
        };
        let from = in_use.and_then(|in_use| in_use.requires_python.as_deref()).and_then(|range| self.of(range));
        let Some(to) = self.of(requires) else {
            return place.end_somewhere().then_some(Rejection::PythonUnknown { place: place_text });
        };
        let lost = place.lost(from, to)?.to_string();
        let lost = lost.trim_start_matches("==").trim_end_matches(".*").to_owned();
        Some(Rejection::Python { requires: requires.into(), place: place_text, lost })
    }
}

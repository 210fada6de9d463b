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
        let requires = release.requires_python.as_deref();
        let lost = match requires.and_then(|requires| self.of(requires)) {
            Some(to) => {
                let from = in_use.and_then(|in_use| in_use.requires_python.as_deref()).and_then(|range| self.of(range));
                Some(place.lost(from, to)?)
            }
            // Most releases are for all that a project runs on; hardly any for what was left behind.
            None if dependency.left_behind => None,
            None => return None,
        };
        // What would be written is worked out last: of many releases hardly any gets here.
        let moved = scheme.rewrite(constraint, &release.version)?;
        if scheme.matches(&moved, current) == Ok(true) {
            return None;
        }
        let (requires, place) = (requires.map(str::to_owned), place_text.to_owned());
        Some(match lost.map(|lost| lost.to_string()) {
            Some(lost) => Rejection::Python {
                requires: requires.unwrap_or_default(),
                place,
                lost: lost.trim_start_matches("==").trim_end_matches(".*").to_owned(),
            },
            None => Rejection::PythonUnknown { place, requires },
        })
    }
}

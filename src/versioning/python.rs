//! Versions of Python that something is for: a release by its `requires-python`, a requirement by its marker, a project by its own.
//!
//! They are told apart by their first two numbers, as people name them and as the marker `python_version` does: a release for
//! `>=3.8.1` counts as one for 3.8, since whoever runs 3.8 can have it.
//!
//! Sources: packaging specifications, "Core metadata", Requires-Python, and "Dependency specifiers", Environment markers; Poetry's
//! documentation, "Dependency specification" (`python = "^3.8"`).

use super::pep440::judge;
use pep440_rs::Version;
use std::collections::BTreeSet;
use std::fmt;

/// A set of versions of Python. The lowest bit are all before 2.7, the next is 2.7, then come 3.0 and those after it; the highest bit
/// are all that are later than can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pythons(u64);

const BITS: u32 = u64::BITS;
/// Stands for all later micro versions of a minor one.
const LATE: u64 = 999;

impl Pythons {
    /// All of them.
    pub const ALL: Self = Self(u64::MAX);
    /// None of them.
    pub const NONE: Self = Self(0);

    /// Those that lie in a range, of which some micro version does: specifiers of PEP 440 or of Poetry, `|` or `||` between
    /// alternatives, all of them for an empty text. `None` when it is not understood.
    pub fn of_range(range: &str) -> Option<Self> {
        if range.trim().is_empty() {
            return Some(Self::ALL);
        }
        let mut all = Self::NONE;
        for one in range.split('|').map(str::trim).filter(|one| !one.is_empty()) {
            let lies_in = judge(&as_meant(one))?;
            let named = named_micros(one);
            let any_micro = |(major, minor)| {
                let near = named.range((major, minor, 0)..=(major, minor, u64::MAX)).map(|(_, _, micro)| *micro);
                near.chain([0, LATE]).any(|micro| lies_in(&Version::new([major, minor, micro])))
            };
            all = all.or(Self::those(any_micro));
        }
        Some(all)
    }

    /// Those whose first two numbers are as asked for.
    pub(super) fn those(are_meant: impl Fn((u64, u64)) -> bool) -> Self {
        Self((0..BITS).filter(|bit| are_meant(numbers(*bit))).fold(0, |set, bit| set | 1 << bit))
    }

    /// Those in both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Those in either.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The others.
    pub const fn not(self) -> Self {
        Self(!self.0)
    }

    /// Whether there is none.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether the latest ones, and those yet to come, are not among them.
    pub const fn end_somewhere(self) -> bool {
        self.0 >> (BITS - 1) == 0
    }

    /// Whether the oldest ones are not among them.
    pub const fn begin_somewhere(self) -> bool {
        self.0 & 1 == 0
    }

    /// The first of those which a requirement for these would lose, by moving to a release for `to` from one for `from`, if that
    /// is known.
    ///
    /// What the release in use is not for is lost already. Of what is left, each has to be kept if the set has an end; of a set
    /// without one, the oldest, since releases may well know no Python that is yet to come. Where nobody says which is the
    /// oldest, the newest.
    pub fn lost(self, from: Option<Self>, to: Self) -> Option<Self> {
        if !self.begin_somewhere() && !self.end_somewhere() {
            return None;
        }
        let served = from.map(|from| self.and(from)).filter(|served| !served.is_none()).unwrap_or(self);
        let kept = match (served.begin_somewhere(), served.end_somewhere()) {
            (true, true) => served,
            (true, false) => served.oldest(),
            (false, _) => served.newest(),
        };
        let lost = kept.and(to.not());
        (!lost.is_none()).then(|| lost.oldest())
    }

    const fn oldest(self) -> Self {
        Self(self.0 & self.0.wrapping_neg())
    }

    /// The newest of them; none of none.
    pub const fn newest(self) -> Self {
        match self.0.checked_ilog2() {
            Some(bit) => Self(1 << bit),
            None => Self::NONE,
        }
    }
}

/// A range without the mistakes that publishers make and installers pass over: a comma at its end, and `.*` behind a bound
/// (`>=3.5.*`), which says as much as the bound.
fn as_meant(range: &str) -> String {
    let parts = range.split(',').map(str::trim).filter(|part| !part.is_empty());
    let bounds = parts.map(|part| match part.strip_suffix(".*") {
        Some(bound) if part.starts_with(">=") || part.starts_with('<') && !part.starts_with("<=") => bound,
        _ => part,
    });
    bounds.collect::<Vec<_>>().join(",")
}

/// The micro versions that a range names, and their neighbours: one of them lies in it if any does that is neither the first nor
/// a late one.
fn named_micros(range: &str) -> BTreeSet<(u64, u64, u64)> {
    let versions = range.split(|c: char| !c.is_ascii_digit() && c != '.');
    let triples = versions.filter_map(|version| {
        let mut numbers = version.split('.').map(|number| number.parse::<u64>().ok());
        Some((numbers.next()??, numbers.next()??, numbers.next()??))
    });
    let with_neighbours = |(major, minor, micro): (u64, u64, u64)| {
        [micro.saturating_sub(1), micro, micro.saturating_add(1)].map(|micro| (major, minor, micro))
    };
    triples.flat_map(with_neighbours).collect()
}

/// The first two numbers of the versions a bit stands for.
const fn numbers(bit: u32) -> (u64, u64) {
    match bit {
        0 => (2, 6),
        1 => (2, 7),
        bit => (3, bit as u64 - 2),
    }
}

/// How they are written where a bound is expected: `3.8`, and `3` for 3.0.
fn bound(bit: u32) -> String {
    match numbers(bit) {
        (major, 0) => major.to_string(),
        (major, minor) => format!("{major}.{minor}"),
    }
}

/// As a range that is read as the same set: `>=3.8,<3.12`, `==3.7.*`, `<3 || >=3.6`; empty for all.
impl fmt::Display for Pythons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut rest, mut between) = (self.0, "");
        if rest == 0 {
            return f.write_str("<0");
        }
        while rest != 0 {
            let start = rest.trailing_zeros();
            let end = start + (rest >> start).trailing_ones();
            f.write_str(between)?;
            between = " || ";
            match (start, end) {
                (0, BITS) => {}
                (0, end) => write!(f, "<{}", bound(end))?,
                (start, BITS) => write!(f, ">={}", bound(start))?,
                (start, end) if end == start + 1 => {
                    let (major, minor) = numbers(start);
                    write!(f, "=={major}.{minor}.*")?;
                }
                (start, end) => write!(f, ">={},<{}", bound(start), bound(end))?,
            }
            rest = if end == BITS { 0 } else { rest & (u64::MAX << end) };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(range: &str) -> Pythons {
        Pythons::of_range(range).unwrap()
    }

    #[test]
    fn ranges_are_told_by_two_numbers() {
        for (range, shown) in [
            ("", ""),
            (">=3.8", ">=3.8"),
            (">=3.8.1", ">=3.8"),
            (">=3.8, <4", ">=3.8"),
            ("^3.8", ">=3.8"),
            ("~3.8", "==3.8.*"),
            ("3.8.*", "==3.8.*"),
            ("~=3.8", ">=3.8"),
            (">=2.7, !=3.0.*, !=3.1.*, <3.10", "==2.7.* || >=3.2,<3.10"),
            ("^2.7 || ^3.6", "==2.7.* || >=3.6"),
            ("~2.7 | ^3.6", "==2.7.* || >=3.6"),
            ("<=3.11", "<3.12"),
            (">3.8", ">=3.8"),
            ("<3", "<3"),
            ("<2.7", "<2.7"),
            ("==3.7.2", "==3.7.*"),
            ("3.11.9", "==3.11.*"),
            (">=3.11.4,<3.11.9", "==3.11.*"),
            (">3.11.4,<3.11.6", "==3.11.*"),
            (">3.11.4,<3.11.5", "<0"),
            (">=3.8.1,!=3.8.2", ">=3.8"),
            (">=3.8,", ">=3.8"),
            (", >=3.8,, <3.12 ,", ">=3.8,<3.12"),
            (">=3.5.*", ">=3.5"),
            (">=2.7, !=3.0.*, <3.10.*", "==2.7.* || >=3.1,<3.10"),
        ] {
            assert_eq!(of(range).to_string(), shown, "{range}");
        }
        for wrong in ["banana", ">=", "3.x", ">=3.8 <4", ",", "<=3.5.*"] {
            assert_eq!(Pythons::of_range(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_lost() {
        let lost = |place: &str, from: Option<&str>, to: &str| {
            of(place).lost(from.map(of), of(to)).map(|lost| lost.to_string()).unwrap_or_default()
        };
        assert_eq!(lost(">=3.8", None, ">=3.9"), "==3.8.*");
        assert_eq!(lost(">=3.8", None, ">=3.8"), "");
        assert_eq!(lost(">=3.8", Some(">=3.9"), ">=3.9"), "", "3.8 has none today");
        assert_eq!(lost(">=3.8", None, ">=3.8,<3.13"), "", "nobody knows whom 3.13 is for yet");
        assert_eq!(lost(">=3.8", Some(">=3.8,<3.13"), ">=3.8,<3.12"), "==3.12.*");
        assert_eq!(lost("<3.12", Some(">=3.9"), ">=3.10"), "==3.9.*");
        assert_eq!(lost("<3.12", Some(">=3.9"), ">=3.9"), "");
        assert_eq!(lost("<3.12", None, ">=3.12"), "==3.11.*");
        assert_eq!(lost("<3.12", None, ">=3.10"), "", "nobody says which is the oldest");
        assert_eq!(lost("<3.12", Some(""), ">=3.12"), "==3.11.*");
        assert_eq!(lost("==3.7.*", None, ">=3.7"), "");
        assert_eq!(lost("==3.7.*", None, ">=3.8"), "==3.7.*");
        assert_eq!(lost("", Some(">=3.6"), ">=3.12"), "", "nothing is said of what it is for");
        assert_eq!(lost("<3 || >=3.6", Some(">=3.6"), ">=3.12"), "", "the same, but for a few");
    }

    proptest::proptest! {
        #[test]
        fn a_set_is_read_as_it_is_written(set: u64) {
            let set = Pythons(set);
            if !set.is_none() {
                proptest::prop_assert_eq!(Pythons::of_range(&set.to_string()), Some(set));
            }
        }

        #[test]
        fn nothing_is_lost_by_what_all_can_have(place: u64, from: u64) {
            proptest::prop_assert_eq!(Pythons(place).lost(Some(Pythons(from)), Pythons::ALL), None);
        }

        #[test]
        fn every_text_is_read_or_left(text in "\\PC{0,40}") {
            let _ = Pythons::of_range(&text);
        }
    }
}

//! Whether a pull request may be merged without a person: only when every check that there is ended well, at least one
//! did, and nobody has anything against it.

use crate::domain::text::{cut, is_hidden};
use crate::domain::{Check, Colour};

/// What is looked at of a pull request before it is merged.
#[derive(Clone, Copy, Debug)]
pub struct Signals<'a> {
    /// Every check of its head.
    pub checks: &'a [Check],
    /// Whether these are all: not, where there are more than could be read.
    pub checks_are_complete: bool,
}

/// What the checks of a pull request allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are all good.
    Go,
    /// None of them says that it is good, and none that it is not; the text says so.
    Missing(String),
    /// They are not, or not yet; the text says which and how.
    No(String),
}

/// How many checks are named; the others are counted.
const NAMED: usize = 3;
/// How much of a name is shown: whoever reports a check chooses it. Unit: characters.
const NAME_CHARS: usize = 60;

/// The verdict on the checks of a pull request's head. Pure.
///
/// A check that says nothing for or against (`neutral`, `skipped`) is no obstacle, but no reason to merge either: at least
/// one has to say that it is good, and that one is none of the bot's own.
pub fn judge(signals: &Signals<'_>) -> Verdict {
    let of = |colour: Colour| signals.checks.iter().filter(move |check| check.colour == colour);
    if let Some(why) = told(of(Colour::Red), "did not succeed", "did not succeed") {
        return Verdict::No(why);
    }
    if let Some(why) = told(of(Colour::Pending), "has not ended", "have not ended") {
        return Verdict::No(why);
    }
    if !signals.checks_are_complete {
        return Verdict::No("it has more checks than can be read".into());
    }
    if of(Colour::Green).any(|check| !check.own) {
        return Verdict::Go;
    }
    Verdict::Missing(match signals.checks.iter().any(|check| !check.own) {
        true => "no check of it succeeded, all were skipped or neutral".into(),
        false => "no check has reported on it".into(),
    })
}

/// What is true of these checks, some of them by name, in the order of their names; `None` if there are none.
fn told<'a>(checks: impl Iterator<Item = &'a Check>, of_one: &str, of_several: &str) -> Option<String> {
    let mut all: Vec<&str> = checks.map(|check| check.name.as_str()).collect();
    all.sort_unstable();
    let shown: Vec<String> = all.iter().take(NAMED).map(|name| format!("`{}`", plain(name))).collect();
    let shown = shown.join(", ");
    match (all.len(), all.len().saturating_sub(NAMED)) {
        (0, _) => None,
        (1, _) => Some(format!("the check {shown} {of_one}")),
        (count, 0) => Some(format!("{count} checks {of_several}: {shown}")),
        (count, more) => Some(format!("{count} checks {of_several}: {shown} and {more} more")),
    }
}

/// A name as it may stand in a sentence between backticks.
fn plain(name: &str) -> String {
    cut(name, NAME_CHARS).chars().map(|c| if is_hidden(c) || c == '`' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(name: &str, colour: Colour) -> Check {
        Check { name: name.into(), colour, own: false }
    }

    fn no(checks: &[Check]) -> String {
        match judge(&Signals { checks, checks_are_complete: true }) {
            Verdict::No(why) | Verdict::Missing(why) => why,
            Verdict::Go => panic!("{checks:?} would be merged"),
        }
    }

    #[test]
    fn the_words_name_the_checks() {
        use Colour::*;
        insta::assert_snapshot!(no(&[]), @"no check has reported on it");
        insta::assert_snapshot!(no(&[check("build", Red), check("lint", Green)]), @"the check `build` did not succeed");
        insta::assert_snapshot!(no(&[check("lint", Pending), check("build", Pending)]), @"2 checks have not ended: `build`, `lint`");
        insta::assert_snapshot!(no(&[check("a", Grey), check("b", Grey)]), @"no check of it succeeded, all were skipped or neutral");
        insta::assert_snapshot!(no(&[Check { own: true, ..check("mass-driver", Green) }]), @"no check has reported on it");
    }

    #[test]
    fn a_name_hides_nothing() {
        assert_eq!(plain("a`b\nc\u{2028}d\u{61c}e\u{ad}f\u{202e}g\u{e0041}é"), "a b c d e f g é");
    }

    proptest! {
        /// Whatever the checks are: merged is only what has a good one and no bad, unfinished or unread one.
        #[test]
        fn never_with_a_red_pending_or_missing_check(
            colours in prop::collection::vec((0..4_u8, any::<bool>()), 0..8),
            checks_are_complete: bool,
        ) {
            let all = [Colour::Green, Colour::Grey, Colour::Pending, Colour::Red];
            let checks: Vec<Check> = colours
                .iter()
                .map(|(colour, own)| Check { own: *own, ..check("x", all[usize::from(*colour)]) })
                .collect();
            let good = checks.iter().any(|c| c.colour == Colour::Green && !c.own);
            let bad = checks.iter().any(|c| matches!(c.colour, Colour::Red | Colour::Pending));
            let goes = judge(&Signals { checks: &checks, checks_are_complete }) == Verdict::Go;
            prop_assert_eq!(goes, good && !bad && checks_are_complete);
        }
    }
}

//! Version schemes, fed versions, constraints and ranges.

use crate::corpus;
use crate::dice::Dice;
use crate::mutation::{any_text, mutate};
use crate::run::{Input, Target};
use mass_driver::domain::Ecosystem;
use mass_driver::versioning::{Scheme, scheme};
use std::cmp::Ordering;
use std::sync::Arc;

/// Beside those of the fixtures.
#[rustfmt::skip]
const VERSIONS: [&str; 48] = [
    "0", "1", "1.0", "1.2.3", "1.2.3.4", "2024.1.15", "v4", "v4.1", "v4.1.2", "1.0a1", "1.0rc1", "1.0.dev3",
    "1.0.post2", "1!2.0", "1.0+local.7", "1.0.0-alpha.1", "1.0.0-rc.1+build.5", "3.12-slim", "3.12.1-slim-bookworm",
    "20-alpine3.19", "latest", "stable", "sha256:aa", "release-1.2", "1.0-beta", "==1.0", ">=1,<2", "~=1.4.2",
    "!=1.5", "==1.*", "===1.0", "<2", "<=1.9", ">1.0", "^1.2.3", "~1.2", "1.x", "1.2.x", "*", ">=1.2.3 <2.0.0",
    "1.2 - 2.0", "^1 || ^2", "=1.2.3", ">= 1.2, < 1.5", "0.0.3", "^0.2.3", "~0", "1.2.*",
];

/// The scheme of each ecosystem, once.
pub fn targets() -> Vec<Target> {
    let texts: Vec<String> = corpus::versions().into_iter().chain(VERSIONS.map(str::to_owned)).collect();
    let texts = Arc::new(texts);
    let mut schemes: Vec<(&str, Ecosystem)> = Ecosystem::ALL.map(|one| (scheme(one).name(), one)).to_vec();
    schemes.dedup_by_key(|(name, _)| *name);
    schemes.into_iter().map(|(name, ecosystem)| target(name, scheme(ecosystem), Arc::clone(&texts))).collect()
}

/// An input is three versions and a constraint.
fn target(name: &str, scheme: &'static dyn Scheme, texts: Arc<Vec<String>>) -> Target {
    let input = move |dice: &mut Dice| {
        let mut one = |wild: u64| {
            let text = &texts[usize::try_from(dice.roll(texts.len() as u64)).unwrap()];
            match dice.roll(8) {
                0 if dice.roll(4) == 0 => any_text(dice, &texts),
                kind if kind < wild => mutate(dice, text, &texts),
                _ => text.clone(),
            }
        };
        let texts = vec![one(4), one(4), one(4), one(5)];
        Input { texts, chance: 0 }
    };
    let check = move |input: &Input| match input.texts.as_slice() {
        [a, b, c, constraint] => check(scheme, [a, b, c], constraint),
        _ => Ok(()),
    };
    Target { name: format!("scheme {name}"), input: Box::new(input), check: Box::new(check) }
}

fn check(scheme: &dyn Scheme, versions: [&str; 3], constraint: &str) -> Result<(), String> {
    order(scheme, versions)?;
    let [a, b, _] = versions;
    let _ = (scheme.matches(constraint, a), scheme.matches(a, b), scheme.is_prerelease(constraint));
    for current in [scheme.current(constraint), Some(b.to_owned())].into_iter().flatten() {
        moves(scheme, constraint, &current, a)?;
    }
    let current = scheme.current(constraint);
    if let Some(current) = current.as_deref().filter(|current| scheme.line(current).is_none()) {
        return Err(format!("{constraint:?} stands for {current:?}, which is no version"));
    }
    // Whatever is asked for, the answer is a constraint that needs no second move.
    if let Some(moved) = scheme.rewrite(constraint, a)
        && let Some(twice) = scheme.rewrite(&moved, a)
    {
        return Err(format!("{constraint:?} moved to {a:?} is {moved:?}, and moved again {twice:?}"));
    }
    Ok(())
}

/// Versions of a line are in one order, and a step leads upwards in it.
fn order(scheme: &dyn Scheme, [a, b, c]: [&str; 3]) -> Result<(), String> {
    let says = |what: &str| Err(format!("{what}: {a:?}, {b:?}, {c:?}"));
    let (ab, bc, ac) = (scheme.compare(a, b), scheme.compare(b, c), scheme.compare(a, c));
    if ab.map(Ordering::reverse) != scheme.compare(b, a) {
        return says("the order depends on who is asked first");
    }
    if scheme.line(a).is_some() != (scheme.compare(a, a) == Some(Ordering::Equal)) {
        return says("a version equals itself, and nothing else does");
    }
    let one_line = scheme.line(a).is_some() && scheme.line(a) == scheme.line(b);
    if ab.is_some() != one_line {
        return says("two are compared if they are of one line");
    }
    if let (Some(ab), Some(bc)) = (ab, bc)
        && (ab == bc || ab.is_eq() || bc.is_eq())
        && ac != Some(ab.then(bc))
    {
        return says("the order goes in a circle");
    }
    if scheme.step(a, b).is_some() != (ab == Some(Ordering::Less)) {
        return says("there is a step where the second is newer");
    }
    Ok(())
}

/// What should be considered can be done.
fn moves(scheme: &dyn Scheme, constraint: &str, current: &str, to: &str) -> Result<(), String> {
    if !scheme.is_candidate(constraint, current, to) {
        return Ok(());
    }
    let says = |what: &str| Err(format!("{what}: {constraint:?} ({current:?}) to {to:?}"));
    if scheme.compare(current, to) != Some(Ordering::Less) {
        return says("a candidate is not newer");
    }
    let Some(moved) = scheme.rewrite(constraint, to) else { return says("a candidate cannot be moved to") };
    if moved == constraint {
        return says("a move changes nothing");
    }
    if scheme.matches(&moved, to) == Ok(false) {
        return says(&format!("the constraint was moved to {moved:?}, which does not allow it"));
    }
    let Some(now) = scheme.current(&moved) else { return says(&format!("{moved:?} stands for no version")) };
    if scheme.compare(&now, to) == Some(Ordering::Greater) {
        return says(&format!("the constraint was moved to {moved:?}, which stands for more: {now:?}"));
    }
    Ok(())
}

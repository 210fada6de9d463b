//! Managers, fed manifests.

use crate::corpus;
use crate::dice::Dice;
use crate::edits::{constraint_after, edit_of};
use crate::mutation::{any_text, mutate};
use crate::run::{Input, Target};
use mass_driver::domain::{Dependency, RepoPath, Skip};
use mass_driver::managers::{self, Edit, EditError, Extraction, MOST_DEPENDENCIES, Manager};
use std::sync::Arc;

/// Each manager there is.
pub fn targets() -> Vec<Target> {
    let others = Arc::new(corpus::all_texts());
    managers::TABLE.iter().map(|manager| target(*manager, Arc::clone(&others))).collect()
}

/// An input's first text is the path, its second the manifest.
fn target(manager: &'static dyn Manager, others: Arc<Vec<String>>) -> Target {
    let seeds = corpus::seeds(manager.name());
    let input = move |dice: &mut Dice| {
        let seed = &seeds[usize::try_from(dice.roll(seeds.len() as u64)).unwrap()];
        let text = match dice.roll(10) {
            0 => any_text(dice, &others),
            _ => mutate(dice, &seed.text, &others),
        };
        Input { texts: vec![seed.path.to_string(), text], chance: dice.roll(u64::MAX) }
    };
    let check = move |input: &Input| {
        let [path, text] = input.texts.as_slice() else { return Ok(()) };
        // A path that was made smaller may be none.
        let Ok(path) = RepoPath::parse(path) else { return Ok(()) };
        check(manager, &path, text, &mut Dice(input.chance))
    };
    Target { name: format!("manager {}", manager.name()), input: Box::new(input), check: Box::new(check) }
}

fn check(manager: &dyn Manager, path: &RepoPath, text: &str, dice: &mut Dice) -> Result<(), String> {
    let found = manager.extract(path, text);
    sound(manager, path, text, &found)?;
    let movable: Vec<&Dependency> = found.dependencies.iter().filter(|d| d.skip.is_none()).collect();
    for _ in 0..movable.len().min(3) {
        let dependency = dice.one_of(&movable);
        let to = newer(dice, dependency);
        edits(manager, path, text, &found, &edit_of(dependency, &to))?;
    }
    Ok(())
}

/// What holds for everything that is extracted.
pub fn sound(manager: &dyn Manager, path: &RepoPath, text: &str, found: &Extraction) -> Result<(), String> {
    let lines = u32::try_from(text.matches('\n').count() + 1).unwrap();
    if found.problem.is_some() && !(found.dependencies.is_empty() && found.includes.is_empty()) {
        return Err("there is a problem, and yet something was found".into());
    }
    if found.dependencies.len() > MOST_DEPENDENCIES {
        return Err("more dependencies were found than a file may have".into());
    }
    for one in &found.dependencies {
        let says = |what: &str| Err(format!("{what}: {one:?}"));
        if one.path != *path || one.manager != manager.name() {
            return says("a dependency of another file or manager");
        }
        if !(1..=lines).contains(&one.line) {
            return says("a line that the text does not have");
        }
        if one.skip.is_none() && (one.package.name.is_empty() || one.current.as_ref().is_none_or(String::is_empty)) {
            return says("nothing is wrong with it, and yet it has no name or no version");
        }
    }
    Ok(())
}

/// A version that comes after the one in use, more or less.
pub fn newer(dice: &mut Dice, dependency: &Dependency) -> String {
    let current = dependency.current.as_deref().unwrap_or_default();
    let numbers: Vec<(usize, &str)> = current
        .match_indices(|c: char| c.is_ascii_digit())
        .map(|(at, _)| at)
        .filter(|&at| !current[..at].ends_with(|c: char| c.is_ascii_digit()))
        .map(|at| (at, current[at..].split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default()))
        .collect();
    let bumped = |at: usize, old: &str, new: &str| format!("{}{new}{}", &current[..at], &current[at + old.len()..]);
    match (dice.roll(8), numbers.as_slice()) {
        (0, _) => dice
            .one_of(&["2", "99.9", "v77", "1.0rc1", "3.0.0-beta.1+x", "x\ny", "", "a b", "\"", "é", "${A}"])
            .to_owned(),
        (1, [(at, old), ..]) => bumped(*at, old, "99999999999999999999999"),
        (_, []) => "2.0".into(),
        (_, numbers) => {
            let (at, old) = dice.one_of(numbers);
            let next = old.parse::<u64>().ok().and_then(|old| old.checked_add(1 + dice.roll(20)));
            bumped(at, old, &next.map_or("7".to_owned(), |next| next.to_string()))
        }
    }
}

/// An edit is made as asked, with everything else as it was, or it is refused.
pub fn edits(
    manager: &dyn Manager,
    path: &RepoPath,
    text: &str,
    found: &Extraction,
    edit: &Edit,
) -> Result<(), String> {
    let edited = match manager.edit(path, text, std::slice::from_ref(edit)) {
        Ok(edited) => edited,
        Err(EditError::NotFound(_)) => {
            return Err(format!("what was just extracted is not found again: {edit:?}"));
        }
        Err(_) => return Ok(()),
    };
    let wrong = |what: &str| Err(format!("{what}: {edit:?}\n  gives {edited:?}"));
    let again = manager.extract(path, &edited);
    if again.problem.is_some() || again.dependencies.len() != found.dependencies.len() {
        return wrong("an edit changes how many dependencies are read");
    }
    if again.includes != found.includes {
        return wrong("an edit changes what is included");
    }
    let constraint = constraint_after(edit);
    let mut moved = 0;
    for (old, new) in found.dependencies.iter().zip(&again.dependencies) {
        let meant = old.skip.is_none()
            && old.package == edit.package
            && old.constraint == edit.constraint
            && old.current.as_deref() == Some(&edit.from)
            && old.digest == edit.digest_from
            // A line for other versions of Python is another place.
            && old.python == edit.python;
        // Hashes that come or go move the lines below them.
        let same_place = new.line == old.line || !edit.hashes_to.is_empty();
        if meant {
            moved += 1;
            let as_asked = new.package == old.package
                && Some(&new.constraint) == constraint.as_ref()
                && (old.digest.is_none() || new.digest == edit.digest_to)
                && new.skip.as_ref().is_none_or(is_built_here);
            if !as_asked || !same_place {
                return wrong(&format!("an edit is not as asked, {new:?}"));
            }
        } else if old.package != edit.package || old.python != edit.python {
            let unmoved = Dependency { line: old.line, ..new.clone() };
            if unmoved != *old || !same_place {
                return wrong(&format!("an edit changes what it was not asked to, {old:?} to {new:?}"));
            }
        }
    }
    if moved == 0 || edited == text {
        return wrong("an edit succeeds and changes nothing");
    }
    if !edit.hashes_to.is_empty() {
        return Ok(());
    }
    if let Some((old, new)) = changed_lines(text, &edited).find(|(old, new)| !is_small(old, new, edit)) {
        return wrong(&format!("an edit changes more than a version, {old:?} to {new:?}"));
    }
    match manager.edit(path, &edited, std::slice::from_ref(edit)) {
        Err(_) => Ok(()),
        Ok(twice) => wrong(&format!("an edit can be made twice, and then gives {twice:?}")),
    }
}

/// The lines that differ. An edit of versions keeps their number.
fn changed_lines<'t>(old: &'t str, new: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
    old.split('\n').zip(new.split('\n')).filter(|(old, new)| old != new)
}

/// Whether what differs between two lines is no longer than a constraint, escapes included, and a digest, near it or elsewhere in
/// the line, perhaps with quotes in it. Lines of many places are passed over.
fn is_small(old: &str, new: &str, edit: &Edit) -> bool {
    let digest = edit.digest_from.as_ref().map_or(0, |digest| digest.len() + 80);
    let longest = 8 * (edit.constraint.len() + 8) + digest;
    let places = old.matches(edit.from.as_str()).count().max(old.matches(edit.constraint.as_str()).count());
    if places > 1 || differs_in(old, new) <= longest {
        return true;
    }
    let Some((from, to)) = edit.digest_from.as_deref().zip(edit.digest_to.as_deref()) else { return false };
    let plain = |line: &str| line.replace(['"', '\''], "");
    let (old, new) = (plain(old), plain(new));
    old.match_indices(from).any(|(at, _)| {
        let moved = format!("{}{to}{}", &old[..at], &old[at + from.len()..]);
        differs_in(&moved, &new) <= longest
    })
}

/// How long the stretch is that differs. Unit: bytes of the old text.
fn differs_in(old: &str, new: &str) -> usize {
    let start = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    let end = old.bytes().rev().zip(new.bytes().rev()).take_while(|(a, b)| a == b).count();
    old.len().saturating_sub(start + end)
}

/// Whether it became, by chance, the name of what another service of its compose file builds.
fn is_built_here(skip: &Skip) -> bool {
    matches!(skip, Skip::LeftAlone(why) if why.starts_with("it is what the service"))
}

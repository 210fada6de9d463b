//! What a change of YAML reaches: with anchors, aliases and merge keys, one place of a file is many, and a change of one of them
//! is refused.

use super::data::{Change, Data};
use super::tree::Tree;

const ANCHORED: &str =
    "what it lies in has an anchor, so that the places which refer to it would change too; change it by hand";
const ALIAS: &str = "what it would lie in is an alias, which is written elsewhere; change it there by hand";
const MERGED: &str = "`<<` merges other keys in beside it, which would stay or come to light; change it by hand";

/// Refuses what a reference leads to, and what one brings in beside what is written. To set a key beside `<<` is no such
/// change: what is written wins over what is merged in.
pub(super) fn refuse_referred(data: &Data, change: &Change, create: bool) -> Result<(), String> {
    let steps = &change.path().steps;
    let mut here = data;
    for (at, step) in steps.iter().enumerate() {
        let is_last = at + 1 == steps.len();
        let next = here.at(step);
        let allowed = match change {
            Change::Set(..) => next.is_some() || is_last && create,
            Change::Delete(_) | Change::Rename(..) => step.name == "<<" || next.is_some() && !is_last,
        };
        match here {
            Data::Other(alias) if alias.starts_with('*') => return Err(ALIAS.into()),
            Data::Map(entries) if !allowed && entries.iter().any(|(key, _)| key == "<<") => return Err(MERGED.into()),
            _ => {}
        }
        let Some(next) = next else { return Ok(()) };
        here = next;
    }
    Ok(())
}

/// Refuses a change within what has an anchor: the root, or what one of the places leads to.
pub(super) fn refuse_anchored(root: &Tree, places: &[usize]) -> Result<(), String> {
    let mut here = root;
    for place in places.iter().map(Some).chain([None]) {
        if here.anchored {
            return Err(ANCHORED.into());
        }
        let Some(next) = place.and_then(|place| here.child(*place)) else { break };
        here = next;
    }
    Ok(())
}

//! Clones that nobody used for long: a cache that only grows fills a disk.

use super::cache::{is_slot, remove};
use crate::bulk::cleaning::{clean, take_old};
use jiff::Timestamp;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A clone is kept for so long after it was used last.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// Removes clones that nobody used for 30 days, a bounded number of them. It blocks. What cannot be removed stays: nothing
/// depends on it.
pub fn remove_unused(cache_folder: &Path, now: Timestamp) {
    let Some(since) = SystemTime::from(now).checked_sub(KEPT) else { return };
    clean(cache_folder, |entry| {
        let file_name = entry.file_name();
        let name = file_name.to_str().and_then(|name| name.strip_suffix(".lock")).filter(|name| is_slot(name));
        name.is_some_and(|name| remove_if_unused(cache_folder, name, since))
    });
}

/// Removes one, if it is there and nobody has used it since. The file of its lock stays: somebody may be about to lock it,
/// and two who hold two files of one name would both believe to be alone.
fn remove_if_unused(cache: &Path, name: &str, since: SystemTime) -> bool {
    let (clone, unfinished) = (cache.join(name), cache.join(format!("{name}.new")));
    if !clone.exists() && !unfinished.exists() {
        return false;
    }
    let Some(_held) = take_old(&cache.join(format!("{name}.lock")), since) else { return false };
    let _ = fs::remove_dir_all(unfinished);
    remove(&clone);
    true
}

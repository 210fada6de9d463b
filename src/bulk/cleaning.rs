//! What was left in a folder by whoever needs it no more, removed a bounded number at a time: nobody waits for it, and what
//! stays a later run removes.

use std::fs::{self, DirEntry, File, Metadata};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// As many are removed at a time.
const MOST_REMOVED: usize = 200;
/// No removal begins after that.
const LONGEST: Duration = Duration::from_secs(3);

/// Goes through a folder and has `remove` look at each entry; it says whether it removed something. It blocks.
pub(super) fn clean(folder: &Path, mut remove: impl FnMut(&DirEntry) -> bool) {
    let began = Instant::now();
    let mut removed = 0;
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if removed == MOST_REMOVED || began.elapsed() > LONGEST {
            return;
        }
        removed += usize::from(remove(&entry));
    }
}

/// Takes a lock that nobody holds, and nobody has changed since. `None` where that is not so, or there is no such file.
pub(super) fn take_old(lock: &Path, since: SystemTime) -> Option<File> {
    let is_old = |found: &Metadata| found.is_file() && found.modified().is_ok_and(|changed| changed < since);
    // Looked at before it is opened: what is no file, such as a pipe, could hold up whoever opens it.
    lock.symlink_metadata().ok().filter(is_old)?;
    let held = File::options().append(true).open(lock).ok()?;
    held.try_lock().ok()?;
    // Between the look and the lock, somebody may have used it.
    held.metadata().ok().filter(is_old)?;
    Some(held)
}

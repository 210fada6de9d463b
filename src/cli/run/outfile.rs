//! The file that a result is also written to.

use crate::cli::UsageError;
use anyhow::Context as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// That a file will be written: once a run is over, it would be known too late that it cannot.
///
/// Errors: [`UsageError`] for a folder, and where its folder is not there or may not be written to.
pub(super) fn can_be_written(file: Option<&Path>) -> Result<(), UsageError> {
    let Some(file) = file else { return Ok(()) };
    let refuse = |why: String| Err(UsageError(format!("{why}; name another file with --json-outfile")));
    if file.is_dir() {
        return refuse(format!("{} is a folder", file.display()));
    }
    // A pipe, or what some process has open, is written to as it comes.
    if is_open(file) || file.exists() && !file.is_file() {
        return Ok(());
    }
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let folder = folder_of(&file);
    if !folder.is_dir() {
        return Err(UsageError(format!("there is no folder {} for --json-outfile", folder.display())));
    }
    match tempfile::tempfile_in(folder) {
        Ok(_) => Ok(()),
        Err(error) => refuse(format!("no file can be made in the folder {}: {}", folder.display(), cause(&error))),
    }
}

/// What the system says, without the name of a file that nobody knows of.
fn cause(error: &io::Error) -> String {
    error.get_ref().and_then(|inner| inner.source()).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Writes a file as a whole or not at all; into what is no ordinary file, such as a pipe, as it comes. What is called by a name of
/// standard output or standard error is written to that, behind whatever was printed.
pub(super) fn write(file: &Path, text: &str, out: &mut dyn Write, notes: &mut dyn Write) -> anyhow::Result<()> {
    let is = |name: &str, number: &str| {
        let numbered = ["/dev/fd", "/proc/self/fd"].map(|folder| Path::new(folder).join(number));
        file == Path::new(name) || numbered.iter().any(|one| file == one)
    };
    if is("/dev/stdout", "1") {
        return writeln!(out, "{text}").map_err(Into::into);
    }
    if is("/dev/stderr", "2") {
        return writeln!(notes, "{text}").map_err(Into::into);
    }
    let cannot = || format!("{} cannot be written", file.display());
    let known = fs::metadata(file).ok();
    if is_open(file) || known.as_ref().is_some_and(|known| !known.is_file()) {
        let mut there = File::options().append(true).open(file).with_context(cannot)?;
        return writeln!(there, "{text}").with_context(cannot);
    }
    // What a link leads to is written, and keeps its rights.
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(everybody);
    let mut new = builder.tempfile_in(folder_of(&file)).with_context(cannot)?;
    writeln!(new, "{text}").and_then(|()| new.flush()).with_context(cannot)?;
    if let Some(known) = known {
        new.as_file().set_permissions(known.permissions()).with_context(cannot)?;
    }
    new.persist(&file).with_context(cannot)?;
    Ok(())
}

/// Whether a name is that of a file that some process has open, and may have written to.
fn is_open(file: &Path) -> bool {
    ["/dev/fd", "/proc"].iter().any(|folder| file.starts_with(folder))
}

/// The folder that a file is in.
fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

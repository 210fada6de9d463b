//! Files with a repository in each line.

use super::{Discovery, SourceContext, SourceError, at, complaint};
use crate::document::{Unreadable, list_lines, read_bounded};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Longer files are not read: a hundred thousand addresses take a tenth of it. Unit: bytes.
const BYTES_MAX: u64 = 64 << 20;

/// The repositories of a file; with a template, its lines are ids, and `{id}` in the template stands for them.
pub(super) fn repo_file(
    file: &str,
    template: Option<&str>,
    context: &SourceContext<'_>,
) -> Result<Discovery, SourceError> {
    let (path, text) = read(file, context)?;
    let mut found = Discovery::default();
    for (line, id) in list_lines(&text) {
        let address = template.map_or_else(|| id.to_owned(), |template| template.replace("{id}", id));
        let one = at(id, &address);
        if let Some(why) = complaint(&one) {
            return Err(SourceError::Line { path, line, why: why.into() });
        }
        found.repositories.push(one);
    }
    if found.repositories.is_empty() {
        found.remarks.push(format!("{} names no repository", path.display()));
    }
    Ok(found)
}

/// A file's text and where it was found: in the working directory, or else beside the Activity file.
pub(super) fn read(file: &str, context: &SourceContext<'_>) -> Result<(PathBuf, String), SourceError> {
    let written = Path::new(file);
    if file == "-" {
        let input = Path::new("standard input").to_owned();
        return text_of(std::io::stdin(), &input, &input).map(|text| (input, text));
    }
    let fail = |why: String| SourceError::File { path: written.into(), why };
    let places = std::iter::once(context.folder).chain(context.activity_folder).map(|folder| folder.join(written));
    let places: Vec<PathBuf> = places.collect();
    let Some(path) = places.iter().find(|place| place.exists()) else {
        let second = match places.get(1) {
            Some(second) if *second != places[0] => format!(", nor at {}", second.display()),
            _ => String::new(),
        };
        return Err(fail(format!("it is not there at {}{second}", places[0].display())));
    };
    if path.is_dir() {
        return Err(fail(format!("{} is a folder", path.display())));
    }
    let shown = if places[0] == *path { written.to_owned() } else { path.clone() };
    let opened = std::fs::File::open(path).map_err(|error| fail(format!("{}: {error}", path.display())))?;
    text_of(opened, path, &shown).map(|text| (shown, text))
}

/// Reads a text to its end. `shown` is what people call the place.
fn text_of(from: impl Read, path: &Path, shown: &Path) -> Result<String, SourceError> {
    read_bounded(from, BYTES_MAX).map_err(|error| match error {
        Unreadable::NotUtf8 { line } => {
            SourceError::Line { path: shown.into(), line, why: "this is not UTF-8; save the file as UTF-8".into() }
        }
        Unreadable::Io(error) => SourceError::File { path: shown.into(), why: format!("{}: {error}", path.display()) },
        error @ Unreadable::TooLarge { .. } => SourceError::File { path: shown.into(), why: format!("it {error}") },
    })
}

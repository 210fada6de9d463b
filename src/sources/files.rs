//! Files with a repository in each line.

use super::{Discovery, Reach, SourceError, at, complaint};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Longer files are not read: a hundred thousand addresses take a tenth of it. Unit: bytes.
const BYTES_MAX: u64 = 64 << 20;

/// The repositories of a file; with a template, its lines are ids, and `{id}` in the template stands for them.
pub(super) fn repo_file(file: &str, template: Option<&str>, reach: &Reach<'_>) -> Result<Discovery, SourceError> {
    let (path, text) = read(file, reach)?;
    let mut found = Discovery::default();
    for (line, id) in (1..).zip(text.lines().map(entry)) {
        if id.is_empty() {
            continue;
        }
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

/// A line without its comment: a `#` at its beginning, or behind white space, since addresses may have one in them.
fn entry(line: &str) -> &str {
    let line = line.trim();
    let comment =
        line.char_indices().find(|(at, c)| *c == '#' && (*at == 0 || line[..*at].ends_with(char::is_whitespace)));
    comment.map_or(line, |(at, _)| line[..at].trim_end())
}

/// A file's text and where it was found: in the working directory, or else beside the Activity file.
pub(super) fn read(file: &str, reach: &Reach<'_>) -> Result<(PathBuf, String), SourceError> {
    let written = Path::new(file);
    let fail = |why: String| SourceError::File { path: written.into(), why };
    let places = std::iter::once(reach.folder).chain(reach.activity_folder).map(|folder| folder.join(written));
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
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes));
    opened.map_err(|error| fail(format!("{}: {error}", path.display())))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(fail("it is larger than 64 MiB".into()));
    }
    let shown = if places[0] == *path { written.to_owned() } else { path.clone() };
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count() as u64;
        SourceError::Line { path: shown.clone(), line, why: "this is not UTF-8; save the file as UTF-8".into() }
    })?;
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    Ok((shown, text))
}

//! The file that a key names: its path as people write it, its text, and why it may not be touched.

use crate::document::{Node, Problems, quoted, text};
use crate::domain::{EntryKind, FileMode, Reading, RepoPath, Snapshot, in_bytes};

/// What is found where a file is to be edited.
pub(super) enum Target<'f> {
    /// A text.
    Text(&'f str, FileMode),
    /// No file, nor anything else that could stand for one.
    Missing,
    /// Something that is not edited; the text says what and what to do.
    Refused(String),
}

impl<'f> Target<'f> {
    /// What lies at a path.
    pub(super) fn at(files: &'f Snapshot, path: &RepoPath) -> Self {
        let Some(mode) = files.mode(path) else {
            return if files.is_folder(path) {
                Self::Missing
            } else {
                obstacle(files, path).map_or(Self::Missing, Self::Refused)
            };
        };
        match files.reading(path) {
            Some(Reading::Text(text)) => Self::Text(text, mode),
            Some(unreadable) => Self::Refused(why_no_text(path, unreadable)),
            None => Self::Refused(format!("{path} was not read; run it again")),
        }
    }
}

/// Why a file cannot be edited as a text.
pub(super) fn why_no_text(path: &RepoPath, reading: &Reading) -> String {
    match reading {
        Reading::Text(_) => String::new(),
        Reading::Binary => format!("{path} is not a text in UTF-8; only texts are changed"),
        Reading::LfsPointer => format!(
            "{path} is kept in Git LFS: the repository holds a pointer in its place; change it in a clone of your own with \
             git-lfs"
        ),
        Reading::TooLarge { bytes } => {
            let size = usize::try_from(*bytes).map_or_else(|_| format!("{bytes} bytes"), in_bytes);
            format!("{path} is too large to be read: it has {size}")
        }
    }
}

/// What stands where a file is to be, or in place of a folder above it, so that nothing is written or deleted there; in words.
pub(super) fn obstacle(files: &Snapshot, path: &RepoPath) -> Option<String> {
    let kind_of = |kind| match kind {
        EntryKind::File(_) => "a file",
        EntryKind::Symlink => "a symbolic link, which is never followed or replaced",
        EntryKind::Submodule => "a submodule, which is a repository of its own",
    };
    let ends = path.as_str().match_indices('/').map(|(at, _)| at);
    let above = ends.filter_map(|end| RepoPath::parse(&path.as_str()[..end]).ok());
    let above = above.filter_map(|folder| Some((files.kind(&folder)?, folder))).next();
    if let Some((kind, folder)) = above {
        return Some(format!("{path} cannot be there: {folder} is {}", kind_of(kind)));
    }
    match files.kind(path) {
        Some(EntryKind::File(_)) => None,
        Some(kind) => Some(format!("{path} is {}; name the file itself", kind_of(kind))),
        None => files.is_folder(path).then(|| format!("{path} is a folder; name a file")),
    }
}

/// Reads the path of a file. `./a`, `a//b` and `b/../a` are paths people write, and mean what they mean in a shell.
pub(super) fn read_path(node: &Node, what: &str, problems: &mut Problems) -> Option<RepoPath> {
    let written = text(node, what, "`docs/index.md`", problems)?;
    let read = RepoPath::parse("x").and_then(|top| top.join_sibling(written));
    let folder = written.ends_with('/') || written.ends_with("/.");
    let why = match &read {
        Ok(_) if folder => "it names a folder",
        Ok(_) => "",
        Err(bad) => bad.why,
    };
    if !why.is_empty() {
        problems.add(
            node.at,
            format!("{what} cannot be {}: {why}", quoted(written)),
            "write the path of a file from the top of the repository",
        );
        return None;
    }
    read.ok()
}

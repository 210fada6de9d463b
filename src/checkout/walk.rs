//! The way through the folders of a checkout: which files managers claim, and what is not entered.

use super::git::Ignored;
use crate::domain::RepoPath;
use crate::managers;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::mem;
use std::path::Path;

/// Folders that tools fill. A Python environment is known by its `pyvenv.cfg`, whatever its name.
pub const LEFT_OUT: [&str; 8] = [".git", "node_modules", "target", "venv", ".venv", ".tox", ".nox", "__pycache__"];

/// How deep folders are followed.
const DEEPEST: usize = 64;

/// How many notes of a kind are shown. A folder of odd names would hide the others.
const SHOWN_OF_A_KIND: usize = 20;

/// What was met on the way.
pub(super) struct Walk<'a> {
    ignored: &'a Ignored,
    /// The files that some manager claims.
    pub(super) claimed: Vec<RepoPath>,
    /// What was not read because of what it is, with the reason.
    pub(super) left_out: Vec<String>,
    /// What should have been read, with why it could not be.
    pub(super) unread: Vec<String>,
    /// Whether a folder that tools fill was passed by, other than git's own.
    pub(super) passed_tools_by: bool,
    odd_names: Kind,
    folder_links: Kind,
    /// What git ignores, as far as it might have been read.
    not_of_git: Kind,
}

/// Notes of one kind, of which there may be any number.
#[derive(Default)]
struct Kind {
    shown: Vec<String>,
    count: usize,
}

impl Kind {
    fn add(&mut self, note: String) {
        self.count += 1;
        if self.count <= SHOWN_OF_A_KIND {
            self.shown.push(note);
        }
    }

    fn not_shown(&self) -> usize {
        self.count - self.shown.len()
    }
}

impl<'a> Walk<'a> {
    /// Goes through a repository.
    ///
    /// Errors: only those of the folder itself; what cannot be read further in is noted.
    pub(super) fn through(root: &Path, ignored: &'a Ignored) -> io::Result<Self> {
        let mut walk = Self {
            ignored,
            claimed: Vec::new(),
            left_out: Vec::new(),
            unread: Vec::new(),
            passed_tools_by: false,
            odd_names: Kind::default(),
            folder_links: Kind::default(),
            not_of_git: Kind::default(),
        };
        walk.folder(root, "", 0)?;
        walk.sum_up();
        Ok(walk)
    }

    /// Makes notes of what there may be any number of.
    fn sum_up(&mut self) {
        let (odd, links) = (mem::take(&mut self.odd_names), mem::take(&mut self.folder_links));
        if odd.count > 0 {
            let (which, whose) = if odd.count == 1 {
                ("file or folder is", "its name")
            } else {
                ("files or folders are", "their names")
            };
            let shown =
                if odd.not_shown() > 0 { format!(", of which {} are named", odd.shown.len()) } else { String::new() };
            self.left_out.push(format!("{} {which} left out because of {whose}{shown}", odd.count));
        }
        if links.not_shown() > 0 {
            self.left_out.push(format!("{} more symbolic links to folders are left out", links.not_shown()));
        }
        self.left_out.extend(odd.shown);
        self.left_out.extend(links.shown);
        let ignored = mem::take(&mut self.not_of_git);
        if let Some(first) = ignored.shown.iter().min() {
            let (which, them) =
                if ignored.count == 1 { ("file or folder is", "it") } else { ("files or folders are", "them") };
            let such_as = if ignored.count == 1 { ":" } else { ", such as" };
            let count = ignored.count;
            self.left_out.push(format!("{count} {which} left out because git ignores {them}{such_as} {first}"));
        }
    }

    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> io::Result<()> {
        let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<fs::DirEntry>>>()?;
        let has = |name: &str| entries.iter().any(|entry| entry.file_name() == name);
        if depth > 0 && has("pyvenv.cfg") {
            return Ok(());
        }
        // A submodule has a file of that name, in older checkouts a folder.
        if depth > 0 && has(".git") {
            self.left_out.push(format!("{prefix} is left out: it is a repository of its own"));
            return Ok(());
        }
        for entry in entries {
            self.entry(&entry, prefix, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &fs::DirEntry, prefix: &str, depth: usize) -> io::Result<()> {
        let kind = entry.file_type()?;
        let name = entry.file_name();
        if self.passes_ignored_by(prefix, &name, kind) {
            return Ok(());
        }
        let path = match parse(prefix, &name) {
            Ok(path) => path,
            Err(why) => {
                if name != ".git" && (kind.is_dir() || resembles_manifest(prefix, &name)) {
                    let slash = if kind.is_dir() { "/" } else { "" };
                    self.odd_names.add(format!("{prefix}{}{slash} is left out: {why}", escaped(&name)));
                }
                return Ok(());
            }
        };
        if kind.is_dir() {
            self.inner(entry, &path, depth);
        } else if managers::may_be_manifest(&path) {
            if kind.is_file() {
                self.claimed.push(path);
            } else {
                let what = if kind.is_symlink() { "a symbolic link" } else { "not a file" };
                self.left_out.push(format!("{path} is left out: it is {what}"));
            }
        } else if kind.is_symlink() && !LEFT_OUT.contains(&path.file_name()) && entry.path().is_dir() {
            self.folder_links.add(format!("{path}/ is left out: it is a symbolic link"));
        }
        Ok(())
    }

    /// Whether git ignores an entry.
    fn passes_ignored_by(&mut self, prefix: &str, name: &OsStr, kind: fs::FileType) -> bool {
        let lossy = name.to_string_lossy();
        let slash = if kind.is_dir() { "/" } else { "" };
        let path = format!("{prefix}{lossy}{slash}");
        let ignored = self.ignored.names(&path);
        let of_tools = LEFT_OUT.iter().any(|folder| *folder == lossy);
        if ignored && !of_tools && (kind.is_dir() || resembles_manifest(prefix, name)) {
            self.not_of_git.add(format!("{prefix}{}{slash}", escaped(name)));
        }
        ignored
    }

    fn inner(&mut self, entry: &fs::DirEntry, path: &RepoPath, depth: usize) {
        if LEFT_OUT.contains(&path.file_name()) {
            self.passed_tools_by = true;
        } else if depth >= DEEPEST {
            self.left_out.push(format!("{path}/ is left out: it is more than {DEEPEST} folders deep"));
        } else if let Err(error) = self.folder(&entry.path(), &format!("{path}/"), depth + 1) {
            self.unread.push(format!("{path}/ cannot be read: {}", in_words(&error)));
        }
    }
}

/// The path of an entry, or why nobody may go by it.
fn parse(prefix: &str, name: &OsStr) -> Result<RepoPath, &'static str> {
    let name = name.to_str().ok_or("its name is not UTF-8")?;
    if name.contains(|c: char| c == '\\' || c.is_control()) {
        return Err("there is a backslash or a control character in its name");
    }
    RepoPath::parse(&format!("{prefix}{name}")).map_err(|bad| bad.why)
}

/// Whether a file would be a manifest, were its odd characters not in its name.
fn resembles_manifest(prefix: &str, name: &OsStr) -> bool {
    let odd = |c: char| c == '\\' || c == char::REPLACEMENT_CHARACTER || c.is_control();
    let lossy = name.to_string_lossy();
    // Letters that follow an escape belong to it: `[31m` colours a terminal.
    let ways = [lossy.split(odd).next().unwrap_or_default().to_owned(), lossy.chars().filter(|c| !odd(*c)).collect()];
    let mut paths = ways.iter().filter_map(|name| RepoPath::parse(&format!("{prefix}{name}")).ok());
    paths.any(|path| managers::may_be_manifest(&path))
}

/// A name as it may be printed.
fn escaped(name: &OsStr) -> String {
    match name.to_str() {
        Some(name) => name.escape_debug().to_string(),
        None => name.as_encoded_bytes().escape_ascii().to_string(),
    }
}

/// What the system refused, for people.
pub(super) fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

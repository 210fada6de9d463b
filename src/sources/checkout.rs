//! A repository as it lies in a folder: its manifests and its subscription file.
//!
//! It reads what the server would index: files that a manager claims by name, and files these include. Other files
//! are not opened. Symbolic links are not followed, submodules are other repositories, and folders that tools
//! fill are left out.

use crate::domain::RepoPath;
use crate::managers::{self, Extraction, LARGEST_MANIFEST_BYTES, Manager};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What was read from a folder.
#[derive(Debug)]
pub struct Checkout {
    /// Every manifest with what was found in it, sorted by path.
    pub manifests: Vec<Manifest>,
    /// The subscription file; two when both spellings are there, which is for the reader to refuse.
    pub subscriptions: Vec<(RepoPath, String)>,
    /// What was passed over, and why: sentences for people.
    pub notes: Vec<String>,
}

/// One manifest as one manager read it.
#[derive(Debug)]
pub struct Manifest {
    /// Where it lies.
    pub path: RepoPath,
    /// The name of the manager that read it.
    pub manager: &'static str,
    /// Its text.
    pub text: String,
    /// What is in it.
    pub extraction: Extraction,
}

/// Why a folder could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutError {
    /// Nothing is there.
    #[error("there is no folder `{}`", .0.display())]
    Missing(PathBuf),
    /// Something else is there.
    #[error("`{}` is not a folder; name the folder of a repository", .0.display())]
    NotAFolder(PathBuf),
    /// The system refused.
    #[error("`{}` cannot be read: {source}", .path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Names of the subscription file.
const SUBSCRIPTION_FILES: [&str; 2] = [".mass-driver.yaml", ".mass-driver.yml"];

/// Folders that tools fill. A Python environment is known by its `pyvenv.cfg`, whatever its name.
const LEFT_OUT: [&str; 8] = [".git", "node_modules", "target", "venv", ".venv", ".tox", ".nox", "__pycache__"];

/// How deep folders are followed.
const DEEPEST: usize = 64;

/// Reads the manifests and the subscription file of the repository in `root`.
///
/// Errors: [`CheckoutError`] when the folder itself cannot be read; what cannot be read inside it is a note.
pub fn read_checkout(root: &Path) -> Result<Checkout, CheckoutError> {
    let metadata = fs::metadata(root).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => CheckoutError::Missing(root.into()),
        _ => CheckoutError::Unreadable { path: root.into(), source },
    })?;
    if !metadata.is_dir() {
        return Err(CheckoutError::NotAFolder(root.into()));
    }
    let mut walk = Walk { claimed: Vec::new(), notes: Vec::new() };
    walk.folder(root, "", 0).map_err(|source| CheckoutError::Unreadable { path: root.into(), source })?;
    let Walk { claimed, mut notes } = walk;
    let mut manifests = read_manifests(root, claimed, &mut notes);
    let developed = manifests.iter().filter_map(|manifest| manifest.extraction.develops.clone()).collect();
    let found = manifests.iter_mut().flat_map(|manifest| &mut manifest.extraction.dependencies);
    managers::leave_developed_alone(found, &developed);
    manifests.sort_by(|a, b| (&a.path, a.manager).cmp(&(&b.path, b.manager)));
    let mut subscriptions = Vec::new();
    for path in SUBSCRIPTION_FILES.iter().filter_map(|name| RepoPath::parse(name).ok()) {
        match read_text(root, &path) {
            Ok(Some(text)) => subscriptions.push((path, text)),
            Ok(None) => {}
            Err(why) => notes.push(format!("{path} is passed over: {why}")),
        }
    }
    // Folders are read in whatever order the file system likes.
    notes.sort();
    Ok(Checkout { manifests, subscriptions, notes })
}

/// The way through the folders.
struct Walk {
    claimed: Vec<RepoPath>,
    notes: Vec<String>,
}

impl Walk {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> io::Result<()> {
        let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<fs::DirEntry>>>()?;
        if depth > 0 && entries.iter().any(is_of_another) {
            return Ok(());
        }
        for entry in entries {
            // A name that is not UTF-8 is no name of a manifest we know.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let kind = entry.file_type()?;
            if kind.is_dir() && depth < DEEPEST && !LEFT_OUT.contains(&name.as_str()) {
                let inner = format!("{prefix}{name}/");
                if let Err(why) = self.folder(&entry.path(), &inner, depth + 1) {
                    self.notes.push(format!("{inner} is passed over: {why}"));
                }
            } else if kind.is_file()
                && let Ok(path) = RepoPath::parse(&format!("{prefix}{name}"))
                && managers::may_be_manifest(&path)
            {
                self.claimed.push(path);
            } else if kind.is_symlink()
                && let Ok(path) = RepoPath::parse(&format!("{prefix}{name}"))
                && managers::may_be_manifest(&path)
            {
                self.notes.push(format!("{path} is passed over: it is a symbolic link"));
            }
        }
        Ok(())
    }
}

/// Whether an entry shows that its folder does not belong to the repository: a Python environment has a `pyvenv.cfg`, a
/// submodule a `.git` of its own, which is a file, or a folder in older checkouts.
fn is_of_another(entry: &fs::DirEntry) -> bool {
    let name = entry.file_name();
    name == "pyvenv.cfg" || name == ".git"
}

fn read_manifests(root: &Path, claimed: Vec<RepoPath>, notes: &mut Vec<String>) -> Vec<Manifest> {
    let mut queue: Vec<(RepoPath, &'static dyn Manager, Option<RepoPath>)> =
        claimed.iter().flat_map(|path| managers::managers_for(path).map(|m| (path.clone(), m, None))).collect();
    let mut seen = BTreeSet::new();
    let mut manifests = Vec::new();
    while let Some((path, manager, from)) = queue.pop() {
        if !seen.insert((path.clone(), manager.name())) {
            continue;
        }
        let text = match (read_text(root, &path), from) {
            (Ok(Some(text)), _) => text,
            (Ok(None), None) => continue,
            (Ok(None), Some(from)) => {
                notes.push(format!("{from} includes {path}, which is not there"));
                continue;
            }
            (Err(why), _) => {
                notes.push(format!("{path} is passed over: {why}"));
                continue;
            }
        };
        let extraction = manager.extract(&path, &text);
        if let Some(problem) = &extraction.problem {
            notes.push(format!("{path} cannot be read: {problem}"));
        }
        queue.extend(managers::included(manager, &extraction.includes).map(|(file, m)| (file, m, Some(path.clone()))));
        manifests.push(Manifest { path, manager: manager.name(), text, extraction });
    }
    manifests
}

/// The text of a file, `None` when there is none, or why it is not read.
fn read_text(root: &Path, path: &RepoPath) -> Result<Option<String>, String> {
    let mut place = root.to_path_buf();
    for part in path.as_str().split('/') {
        place.push(part);
        match fs::symlink_metadata(&place) {
            Ok(metadata) if metadata.is_symlink() => return Err("it is, or lies behind, a symbolic link".into()),
            Ok(metadata) if metadata.is_file() && metadata.len() > LARGEST_MANIFEST_BYTES as u64 => {
                return Err(format!("it has {} bytes, {LARGEST_MANIFEST_BYTES} are the most", metadata.len()));
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    if !place.is_file() {
        return Err("it is not a file".into());
    }
    let bytes = fs::read(&place).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map(Some).map_err(|_| "it is not a text in UTF-8".into())
}

//! A repository as it lies in a folder: its manifests and its subscription file.
//!
//! It reads what the server would index: files that a manager claims by name, and files these include. Other files
//! are not opened. Symbolic links are not followed, submodules are other repositories, and folders that tools
//! fill are left out, as is what git ignores: the server sees neither.
//!
//! Nothing is written, and nothing is known here of GitHub, of a server's store, or of what is proposed for what is found.

mod git;
mod walk;

pub use git::OF_ANOTHER_REPOSITORY;
pub use walk::LEFT_OUT;

use crate::domain::{RepoPath, in_bytes};
use crate::managers::{self, Extraction, LARGEST_MANIFEST_BYTES, Manager};
use git::Ignored;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use walk::{Walk, in_words};

/// What was read from a folder.
#[derive(Debug)]
pub struct Checkout {
    /// Every manifest with what was found in it, sorted by path.
    pub manifests: Vec<Manifest>,
    /// The subscription file; two when both spellings are there, which is for the reader to refuse.
    pub subscriptions: Vec<(RepoPath, String)>,
    /// What was left out because of what it is, with the reason, and what is to be known besides: sentences for people.
    pub left_out: Vec<String>,
    /// What should have been read and could not be, with why: sentences for people. What is in it is missing elsewhere.
    pub unread: Vec<String>,
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
    /// It belongs to somebody else.
    #[error("`{}` may not be read by the user who runs this command", .0.display())]
    Forbidden(PathBuf),
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

/// Reads the manifests and the subscription file of the repository in `root`.
///
/// Errors: [`CheckoutError`] when the folder itself cannot be read; what cannot be read inside it is a note.
pub fn read_checkout(root: &Path) -> Result<Checkout, CheckoutError> {
    let refused = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => CheckoutError::Missing(root.into()),
        io::ErrorKind::PermissionDenied => CheckoutError::Forbidden(root.into()),
        _ => CheckoutError::Unreadable { path: root.into(), source },
    };
    if !fs::metadata(root).map_err(refused)?.is_dir() {
        return Err(CheckoutError::NotAFolder(root.into()));
    }
    let (ignored, silent) = match Ignored::ask(root) {
        None => (Ignored::default(), None),
        Some(Ok(ignored)) => (ignored, None),
        Some(Err(why)) => (Ignored::default(), Some(why)),
    };
    let Walk { mut claimed, mut left_out, unread, passed_tools_by, .. } =
        Walk::through(root, &ignored).map_err(refused)?;
    if let Some(why) = silent {
        left_out.push(format!("git could not tell which files it ignores, so all are read: {why}"));
    } else if passed_tools_by {
        claimed.extend(git::tracked_in_left_out(root).into_iter().filter(managers::may_be_manifest));
    }
    let mut reading = Reading { root, ignored, manifests: Vec::new(), left_out, unread };
    reading.manifests(claimed);
    let subscriptions = reading.subscriptions();
    let Reading { mut manifests, mut left_out, mut unread, .. } = reading;
    let developed = manifests.iter().filter_map(|manifest| manifest.extraction.develops.clone()).collect();
    let found = manifests.iter_mut().flat_map(|manifest| &mut manifest.extraction.dependencies);
    managers::leave_developed_alone(found, &developed);
    manifests.sort_by(|a, b| (&a.path, a.manager).cmp(&(&b.path, b.manager)));
    left_out.sort();
    unread.sort();
    Ok(Checkout { manifests, subscriptions, left_out, unread })
}

/// Why a file is not read.
enum NotRead {
    /// Because of what it is.
    LeftOut(&'static str),
    /// Because it could not be.
    Failed(String),
}

/// A repository while it is read.
struct Reading<'a> {
    root: &'a Path,
    ignored: Ignored,
    manifests: Vec<Manifest>,
    left_out: Vec<String>,
    unread: Vec<String>,
}

impl Reading<'_> {
    fn manifests(&mut self, claimed: Vec<RepoPath>) {
        let mut queue: Vec<(RepoPath, &'static dyn Manager, Option<RepoPath>)> =
            claimed.iter().flat_map(|path| managers::managers_for(path).map(|m| (path.clone(), m, None))).collect();
        let mut seen = BTreeSet::new();
        while let Some((path, manager, from)) = queue.pop() {
            if !seen.insert((path.clone(), manager.name())) {
                continue;
            }
            let Some(text) = self.text(&path, from) else { continue };
            let extraction = manager.extract(&path, &text);
            if let Some(problem) = &extraction.problem {
                self.cannot_read(&path, NotRead::Failed(problem.clone()));
            }
            queue.extend(
                managers::included(manager, &extraction.includes).map(|(file, m)| (file, m, Some(path.clone()))),
            );
            self.manifests.push(Manifest { path, manager: manager.name(), text, extraction });
        }
    }

    fn subscriptions(&mut self) -> Vec<(RepoPath, String)> {
        let mut found = Vec::new();
        for path in SUBSCRIPTION_FILES.iter().filter_map(|name| RepoPath::parse(name).ok()) {
            match read_text(self.root, &path) {
                Ok(None) => {}
                Ok(Some(text)) => {
                    if self.ignored.contains(&path) {
                        self.left_out.push(format!("git ignores {path}; the server sees it once it is committed"));
                    }
                    found.push((path, text));
                }
                Err(why) => self.cannot_read(&path, why),
            }
        }
        found
    }

    /// The text of a manifest, which `from` may include.
    fn text(&mut self, path: &RepoPath, from: Option<RepoPath>) -> Option<String> {
        let problem = match (read_text(self.root, path), from) {
            (Ok(Some(_)), Some(from)) if self.ignored.contains(path) => {
                format!("{from} includes {path}, which git ignores")
            }
            (Ok(Some(text)), _) => return Some(text),
            (Ok(None), None) => return None,
            (Ok(None), Some(from)) => format!("{from} includes {path}, which is not there"),
            (Err(why), _) => {
                self.cannot_read(path, why);
                return None;
            }
        };
        self.left_out.push(problem);
        None
    }

    fn cannot_read(&mut self, path: &RepoPath, why: NotRead) {
        match why {
            NotRead::LeftOut(why) => self.left_out.push(format!("{path} is left out: {why}")),
            NotRead::Failed(why) => self.unread.push(format!("{path} cannot be read: {why}")),
        }
    }
}

/// The text of a file, `None` when there is none, or why it is not read.
fn read_text(root: &Path, path: &RepoPath) -> Result<Option<String>, NotRead> {
    let failed = |error: io::Error| NotRead::Failed(in_words(&error));
    let too_large = || NotRead::Failed(format!("it is larger than {}", in_bytes(LARGEST_MANIFEST_BYTES)));
    let mut place = root.to_path_buf();
    for part in path.as_str().split('/') {
        place.push(part);
        match fs::symlink_metadata(&place) {
            Ok(metadata) if metadata.is_symlink() => {
                return Err(NotRead::LeftOut("it is, or lies behind, a symbolic link"));
            }
            Ok(metadata) if metadata.is_file() && metadata.len() > LARGEST_MANIFEST_BYTES as u64 => {
                return Err(too_large());
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(failed(error)),
        }
    }
    if !place.is_file() {
        return Err(NotRead::LeftOut("it is not a file"));
    }
    let mut bytes = Vec::new();
    // It may have grown since its size was looked at.
    let most = LARGEST_MANIFEST_BYTES as u64 + 1;
    fs::File::open(&place).and_then(|file| file.take(most).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() > LARGEST_MANIFEST_BYTES {
        return Err(too_large());
    }
    String::from_utf8(bytes).map(Some).map_err(|_| NotRead::Failed("it is not a text in UTF-8".into()))
}

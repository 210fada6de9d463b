//! The file that says who owns which files: read when its blob is another one, and only where the subscriptions ask for it.

use crate::domain::{FileMode, RepoPath};
use crate::forge::{EntryKind, ForgeError, GitHub, Target, TreeEntry};
use crate::pipeline::StepError;
use crate::planner::codeowners::{CODE_OWNERS_BYTES_MAX, CODE_OWNERS_PATHS};
use crate::store::{CodeOwnersFile, Store};

/// The file at this tree; `None` if what is stored of it is right. `asked` says whether anybody wants to know.
pub(super) async fn read(
    store: &Store,
    forge: &GitHub,
    target: &Target,
    tree: &[TreeEntry],
    asked: bool,
) -> Result<Option<Option<CodeOwnersFile>>, StepError> {
    let stored = store.code_owners_blob(target.repo).await?;
    let is_file = |entry: &&TreeEntry| entry.kind == EntryKind::Blob && FileMode::from_git(&entry.mode).is_some();
    let place = |path: &&str| tree.iter().filter(is_file).find(|entry| entry.path == *path);
    let entry = CODE_OWNERS_PATHS.iter().find_map(place).filter(|_| asked);
    let Some((entry, path)) = entry.and_then(|entry| Some((entry, RepoPath::parse(&entry.path).ok()?))) else {
        return Ok(stored.is_some().then_some(None));
    };
    if stored.is_some_and(|(known, blob)| known == path && blob == entry.id) {
        return Ok(None);
    }
    let text = match forge.blob(target, &entry.id, CODE_OWNERS_BYTES_MAX as u64).await {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        // GitHub itself passes over such a file.
        Err(ForgeError::TooLarge { .. }) => String::new(),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(Some(CodeOwnersFile { path, blob: entry.id.clone(), text })))
}

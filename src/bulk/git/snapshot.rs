//! A clone as drivers and scanners see it: all names first, then the texts of those files that somebody wants.

use super::large_files::is_pointer;
use super::objects::Object;
use super::{BareClone, GitError};
use crate::domain::{EntryKind, FileMode, ObjectId, Reading, RepoPath, Snapshot};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A tree that names itself a few times over is a file system of billions in some kilobytes. Unit: names.
const MOST_NAMES: usize = 1_000_000;
/// The texts of one repository that are read at most, with all their copies. Unit: bytes.
const MOST_TEXT: u64 = 256 << 20;
/// So much is asked for at a time. Unit: bytes.
const AT_A_TIME: u64 = 16 << 20;

impl BareClone<'_> {
    /// All names of the commit it was cloned at. Nothing is read of any file.
    ///
    /// Errors: [`GitError::Other`] for trees that are broken or without bounds.
    pub async fn snapshot(&mut self) -> Result<Snapshot, GitError> {
        let mut entries = BTreeMap::new();
        let mut folders: Vec<(String, ObjectId)> = vec![(String::new(), self.base_tree.clone())];
        let mut names = 0;
        while !folders.is_empty() {
            let ids: BTreeSet<ObjectId> = folders.iter().map(|(_, id)| id.clone()).collect();
            let ids: Vec<ObjectId> = ids.into_iter().collect();
            let trees = self.objects.read(&ids).await?;
            let trees: HashMap<_, _> = ids.iter().zip(trees).collect();
            let mut below = Vec::new();
            for (folder, id) in &folders {
                let tree = trees.get(id).and_then(Option::as_ref).filter(|object| object.kind == "tree");
                let Some(tree) = tree else {
                    if self.address.folder().is_some() {
                        return Err(unreadable(&format!("the tree {id} is missing")));
                    }
                    // A pack of the cache was lost, and no fetch brings back what the clone seems to have.
                    self.slot.condemn();
                    return Err(unreadable(&format!(
                        "the tree {id} is missing in the cache; the next run clones anew"
                    )));
                };
                for (mode, name, id) in parse(&tree.content, id.as_str().len() / 2)? {
                    names += 1;
                    if names > MOST_NAMES {
                        return Err(unreadable("it has more than a million names"));
                    }
                    // What has no name of ours is left out, and whatever is below it.
                    let Ok(path) = std::str::from_utf8(name)
                        .map_err(drop)
                        .and_then(|name| RepoPath::parse(&format!("{folder}{name}")).map_err(drop))
                    else {
                        continue;
                    };
                    let kind = match mode {
                        Mode::Folder => {
                            below.push((format!("{path}/"), id));
                            continue;
                        }
                        Mode::File(mode) => {
                            self.blobs.insert(path.clone(), id);
                            EntryKind::File(mode)
                        }
                        Mode::Symlink => EntryKind::Symlink,
                        Mode::Submodule => EntryKind::Submodule,
                    };
                    entries.insert(path, kind);
                }
            }
            folders = below;
        }
        Ok(Snapshot::new(entries))
    }

    /// Reads files into a snapshot of this clone. What the clone left out is fetched in one go. Paths that are no files are
    /// passed over; files larger than the settings say are noted as such, and files that are no text.
    pub async fn read(&mut self, files: &mut Snapshot, paths: &[RepoPath]) -> Result<(), GitError> {
        let mut wanted: BTreeMap<ObjectId, Vec<RepoPath>> = BTreeMap::new();
        for path in files.unread(paths) {
            if let Some(id) = self.blobs.get(&path) {
                wanted.entry(id.clone()).or_default().push(path);
            }
        }
        let ids: Vec<ObjectId> = wanted.keys().cloned().collect();
        let sizes = self.bring_here(&ids).await?;
        let (mut all, mut some, mut some_bytes) = (0, Vec::new(), 0);
        for object in sizes {
            let paths = wanted.get(&object.id).map_or(1, Vec::len) as u64;
            if object.bytes > self.git.settings.file_bytes || all + object.bytes * paths > MOST_TEXT {
                for path in wanted.remove(&object.id).unwrap_or_default() {
                    files.read(path, Reading::TooLarge { bytes: object.bytes });
                }
                continue;
            }
            all += object.bytes * paths;
            some_bytes += object.bytes;
            some.push(object.id);
            if some_bytes > AT_A_TIME {
                self.take_in(files, &mut wanted, &some).await?;
                (some, some_bytes) = (Vec::new(), 0);
            }
        }
        self.take_in(files, &mut wanted, &some).await
    }

    /// What there is of some objects, without their contents. What the clone left out is fetched in one go.
    pub(super) async fn bring_here(&mut self, ids: &[ObjectId]) -> Result<Vec<Object>, GitError> {
        let mut found = self.objects.look_at(ids).await?;
        let absent = |found: &[Option<Object>]| {
            let missing = ids.iter().zip(found).filter(|(_, object)| object.is_none());
            missing.map(|(id, _)| id.clone()).collect::<Vec<_>>()
        };
        let missing = absent(&found);
        if !missing.is_empty() {
            self.fetch_objects(&missing).await?;
            found = self.objects.look_at(ids).await?;
            if let Some(id) = absent(&found).first() {
                return Err(unreadable(&format!(
                    "the object {id} is missing; was it cloned from an incomplete clone?"
                )));
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    async fn take_in(
        &mut self,
        files: &mut Snapshot,
        wanted: &mut BTreeMap<ObjectId, Vec<RepoPath>>,
        ids: &[ObjectId],
    ) -> Result<(), GitError> {
        for object in self.objects.read(ids).await?.into_iter().flatten() {
            let reading = match String::from_utf8(object.content) {
                Ok(text) if is_pointer(text.as_bytes()) => Reading::LfsPointer,
                Ok(text) if !text.contains('\0') => Reading::Text(text),
                _ => Reading::Binary,
            };
            for path in wanted.remove(&object.id).unwrap_or_default() {
                files.read(path, reading.clone());
            }
        }
        Ok(())
    }

    /// Fetches objects that a blob-filtered clone left out, as git itself would, but all at once.
    async fn fetch_objects(&self, ids: &[ObjectId]) -> Result<(), GitError> {
        if self.address.folder().is_some() {
            return Ok(());
        }
        let arguments =
            ["-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"];
        let mut command = self.git.command_to(&self.address, self.folder(), arguments).await?;
        command.args(["--filter=blob:none", "--stdin", "origin"]);
        let input: String = ids.iter().map(|id| format!("{id}\n")).collect();
        let what = format!("fetching files of {}", self.address);
        self.git.answer(&what, command, input.as_bytes(), self.git.remote()).await.map(drop)
    }
}

enum Mode {
    Folder,
    File(FileMode),
    Symlink,
    Submodule,
}

/// Mode, name and id.
type TreeEntry<'a> = (Mode, &'a [u8], ObjectId);

/// The entries of a tree object: `<mode> <name>`, a zero byte, the id.
fn parse(tree: &[u8], id_bytes: usize) -> Result<Vec<TreeEntry<'_>>, GitError> {
    let broken = || unreadable("a tree is broken");
    let mut entries = Vec::new();
    let mut rest = tree;
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ').ok_or_else(broken)?;
        let end = rest.iter().position(|byte| *byte == 0).filter(|end| *end > space).ok_or_else(broken)?;
        let id = rest.get(end + 1..end + 1 + id_bytes).ok_or_else(broken)?;
        let id = ObjectId::parse(&hex::encode(id)).map_err(|_| broken())?;
        let mode = match &rest[..space] {
            b"40000" | b"040000" => Mode::Folder,
            b"120000" => Mode::Symlink,
            b"160000" => Mode::Submodule,
            b"100755" => Mode::File(FileMode::Executable),
            // Old repositories have `100664`; what git checks out is the same.
            b"100644" | b"100664" => Mode::File(FileMode::Regular),
            _ => return Err(broken()),
        };
        entries.push((mode, &rest[space + 1..end], id));
        rest = &rest[end + 1 + id_bytes..];
    }
    Ok(entries)
}

fn unreadable(said: &str) -> GitError {
    GitError::Other { what: "reading the repository".to_owned(), said: said.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_a_tree_holds_it_is_read_or_refused(bytes: Vec<u8>, mode in "1?[0-7]{5}", name in "[a-z]{0,4}") {
            let mut tree = format!("{mode} {name}\0").into_bytes();
            tree.extend(&bytes);
            let _ = parse(&tree, 20);
            let _ = parse(&bytes, 20);
        }
    }
}

//! Git LFS: a repository whose `.gitattributes` say so holds pointers in the place of large files, and a server of its own holds
//! the files. Nothing here speaks to that server, so nothing but pointers may be committed there.

use super::checkout::from_bytes;
use super::{BareClone, GitError};
use crate::domain::{FileEdit, ObjectId, RepoPath};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// What a pointer begins with.
/// Source: the specification of Git LFS, "The Pointer".
const BEGINNING: &[u8] = b"version https://git-lfs.github.com/spec/";
/// A pointer is shorter. Unit: bytes. Source: as above.
const POINTER_BYTES: usize = 1024;
/// The name of the files that say what is kept where.
const ATTRIBUTES: &str = ".gitattributes";
/// So much is read of such a file; nobody writes more. Unit: bytes.
const ATTRIBUTES_BYTES: u64 = 4 << 20;

/// Whether contents are those of a pointer, as far as a reader of texts has to know: nothing in it is to be changed.
pub(super) fn is_pointer(content: &[u8]) -> bool {
    content.len() < POINTER_BYTES && content.starts_with(BEGINNING)
}

/// Whether contents may stand where a file is kept in Git LFS: a pointer with all that it needs, or nothing at all, which is
/// its own pointer.
fn may_stand_for_a_large_file(content: &[u8]) -> bool {
    content.is_empty() || is_pointer(content) && names_a_file(content)
}

/// Whether a pointer has what leads to the file: its hash and its size.
fn names_a_file(pointer: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(pointer) else { return false };
    let of = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    let hash = of("oid").and_then(|oid| oid.strip_prefix("sha256:"));
    let is_hash = |hash: &str| hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    hash.is_some_and(is_hash) && of("size").is_some_and(|size| size.parse::<u64>().is_ok())
}

/// Whether a file says what git is to know of others.
pub fn is_attributes(path: &RepoPath) -> bool {
    path.file_name() == ATTRIBUTES
}

/// The files of attributes that count for a path: at the top, and in each folder above it.
fn attributes_above(path: &RepoPath) -> impl Iterator<Item = RepoPath> {
    let folders = std::iter::once("").chain(path.as_str().match_indices('/').map(|(at, _)| &path.as_str()[..=at]));
    folders.filter_map(|folder| RepoPath::parse(&format!("{folder}{ATTRIBUTES}")).ok())
}

fn speaks_of_lfs(attributes: &[u8]) -> bool {
    attributes.windows(3).any(|word| word == b"lfs")
}

impl BareClone<'_> {
    /// Refuses texts that would stand in the place of pointers. What they are is decided by the attributes as they are after
    /// the change. Where none speaks of Git LFS, nothing runs for it; but a remote clone has to fetch attributes that its driver
    /// did not want.
    ///
    /// Errors: [`GitError::LargeFiles`].
    pub async fn spare_large_files(&mut self, edits: &[FileEdit]) -> Result<(), GitError> {
        let written = edits.iter().filter_map(|edit| match edit {
            FileEdit::Write(change) if !may_stand_for_a_large_file(change.text.as_bytes()) => Some(&change.path),
            _ => None,
        });
        let written: Vec<&RepoPath> = written.collect();
        let attributes = self.attributes(edits, &written).await?;
        if !attributes.values().any(|text| speaks_of_lfs(text)) {
            return Ok(());
        }
        // git reads attributes of a folder, in every version: of a tree only since 2.40. The folder is in a clone that is
        // ours alone; what a process that was killed left there goes.
        let folder = self.folder().join("attributes");
        let _ = fs::remove_dir_all(&folder);
        let made = (attributes.iter()).try_for_each(|(path, text)| {
            let file = folder.join(path.as_str());
            fs::create_dir_all(file.parent().unwrap_or(&folder))?;
            fs::write(file, text)
        });
        let paths: Vec<&[u8]> = written.iter().map(|path| path.as_str().as_bytes()).collect();
        let found = match made {
            Ok(()) => self.large_files_among(&paths, &folder, &folder.join("no index"), &[]).await,
            Err(error) => Err(GitError::disk("looking for files in Git LFS", &error)),
        };
        let _ = fs::remove_dir_all(&folder);
        refuse(found?)
    }

    /// The attributes that count for some paths once edits are made, by where they lie.
    async fn attributes(
        &mut self,
        edits: &[FileEdit],
        paths: &[&RepoPath],
    ) -> Result<BTreeMap<RepoPath, Vec<u8>>, GitError> {
        let edits: BTreeMap<&RepoPath, &FileEdit> = edits.iter().map(|edit| (edit.path(), edit)).collect();
        let (mut found, mut asked) = (BTreeMap::new(), BTreeMap::<ObjectId, Vec<RepoPath>>::new());
        for path in paths.iter().flat_map(|path| attributes_above(path)).collect::<BTreeSet<_>>() {
            match (edits.get(&path), self.blobs.get(&path)) {
                (Some(FileEdit::Write(change)), _) => drop(found.insert(path, change.text.clone().into_bytes())),
                (None, Some(id)) => asked.entry(id.clone()).or_default().push(path),
                _ => {}
            }
        }
        let ids: Vec<ObjectId> = asked.keys().cloned().collect();
        let there = self.bring_here(&ids).await?;
        let short = there.into_iter().filter(|object| object.bytes <= ATTRIBUTES_BYTES).map(|object| object.id);
        for object in self.objects.read(&short.collect::<Vec<_>>()).await?.into_iter().flatten() {
            let paths = asked.remove(&object.id).unwrap_or_default();
            found.extend(paths.into_iter().map(|path| (path, object.content.clone())));
        }
        Ok(found)
    }

    /// Refuses what was left in a work tree where pointers belong. `written` are the files that are new or changed, and the
    /// index knows them.
    ///
    /// Errors: [`GitError::LargeFiles`].
    pub(super) async fn spare_large_files_left(
        &self,
        written: &[&[u8]],
        folder: &Path,
        index: &Path,
    ) -> Result<(), GitError> {
        let speaks = |above: &[u8]| {
            let file = folder.join(from_bytes(above)).join(ATTRIBUTES);
            read_file(&file, ATTRIBUTES_BYTES).is_some_and(|text| speaks_of_lfs(&text))
        };
        let mut known: BTreeMap<&[u8], bool> = BTreeMap::new();
        let mut asked = Vec::new();
        for path in written.iter().copied() {
            let ends = (0..path.len()).filter(|at| path[*at] == b'/');
            let mut folders = std::iter::once(0).chain(ends).map(|end| &path[..end]);
            if folders.any(|above| *known.entry(above).or_insert_with(|| speaks(above))) {
                asked.push(path);
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let mut found = self.large_files_among(&asked, folder, index, &["--cached"]).await?;
        // Pointers that were moved, or may be executed now.
        found.retain(|path| {
            let content = read_file(&folder.join(from_bytes(path)), POINTER_BYTES as u64);
            !content.is_some_and(|content| may_stand_for_a_large_file(&content))
        });
        refuse(found)
    }

    /// Those of some paths that attributes put into Git LFS. git itself is asked, which knows patterns and macros.
    async fn large_files_among(
        &self,
        paths: &[&[u8]],
        folder: &Path,
        index: &Path,
        more: &[&str],
    ) -> Result<Vec<Vec<u8>>, GitError> {
        let arguments = [&["check-attr", "-z", "--stdin"], more, &["filter"]].concat();
        let mut command = self.git.command(folder, arguments);
        self.in_work_tree(&mut command, folder, index);
        let input: Vec<u8> = paths.iter().flat_map(|path| path.iter().copied().chain([0])).collect();
        let answer = self.git.answer("looking for files in Git LFS", command, &input, self.git.local()).await?;
        // The path, `filter`, its value; a zero byte behind each.
        let fields: Vec<&[u8]> = answer.split(|byte| *byte == 0).collect();
        let facts = fields.chunks_exact(3).filter(|fact| fact[2] == b"lfs");
        Ok(facts.map(|fact| fact[0].to_owned()).collect())
    }
}

/// The contents of a file, if it is one and no larger.
fn read_file(file: &Path, most_bytes: u64) -> Option<Vec<u8>> {
    // A command may have left a pipe there, which would be waited for.
    let found = file.symlink_metadata().ok().filter(|found| found.is_file() && found.len() <= most_bytes)?;
    fs::read(file).ok().filter(|content| content.len() as u64 <= found.len().max(most_bytes))
}

fn refuse(paths: Vec<Vec<u8>>) -> Result<(), GitError> {
    let paths: Vec<String> = paths.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect();
    if paths.is_empty() { Ok(()) } else { Err(GitError::LargeFiles { paths }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(more: &str) -> String {
        format!("version https://git-lfs.github.com/spec/v1\n{more}oid sha256:{}\nsize 5\n", "0a".repeat(32))
    }

    #[test]
    fn pointers_are_told_from_texts_about_them() {
        assert!(is_pointer(pointer("").as_bytes()));
        assert!(!is_pointer((pointer("") + &"x".repeat(1024)).as_bytes()), "a pointer is short");
        assert!(!is_pointer(format!("# {}", pointer("")).as_bytes()));
        assert!(may_stand_for_a_large_file(b""));
        assert!(may_stand_for_a_large_file(pointer("ext-0-x sha256:00\n").as_bytes()));
        for broken in
            [pointer("").replace("0a0a", "0A0A"), pointer("").replace('5', "many"), pointer("").replace("oid", "id")]
        {
            assert!(is_pointer(broken.as_bytes()) && !may_stand_for_a_large_file(broken.as_bytes()), "{broken}");
        }
        assert!(!may_stand_for_a_large_file(b"real\n"));
    }

    #[test]
    fn attributes_lie_at_the_top_and_in_each_folder_above() {
        let above: Vec<String> =
            attributes_above(&RepoPath::parse("a/b/c").unwrap()).map(|path| path.to_string()).collect();
        assert_eq!(above, [".gitattributes", "a/.gitattributes", "a/b/.gitattributes"]);
    }
}

//! A work tree for what has to run as a process, and what such a process left there.

use super::environment::{OF_WORK_TREES, set};
use super::{BareClone, GitError};
use crate::domain::ObjectId;
use std::fs;
use std::path::{Path, PathBuf};

/// The files of a commit in a folder, for a command to change.
///
/// The folder has a `.git` of its own, so that tools find a repository there. Nothing of it is believed afterwards: what git is
/// asked about the folder, it is asked from the clone, whose settings and index the command never had in hand.
#[derive(Debug)]
pub struct WorkTree {
    folder: PathBuf,
    index: PathBuf,
    reads: Vec<PathBuf>,
}

impl WorkTree {
    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Folders outside that its `.git` reads objects from.
    pub fn reads(&self) -> &[PathBuf] {
        &self.reads
    }
}

/// What a command left in a work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkTreeChanges {
    /// All files, as git would commit them; the base's where nothing changed.
    pub tree: ObjectId,
    /// How many files were added, changed or deleted.
    pub changed_files: usize,
}

impl BareClone<'_> {
    /// Writes the files of the base into a folder, which is made and must be empty.
    pub async fn checkout(&self, into: &Path) -> Result<WorkTree, GitError> {
        let what = format!("writing the files of {}", self.address);
        let disk = |error: &std::io::Error| GitError::disk(&what, error);
        let folder = super::cache::make_folder(into)?;
        if fs::read_dir(&folder).map_err(|error| disk(&error))?.next().is_some() {
            let said = format!("{} is not empty", folder.display());
            return Err(GitError::Other { what, said });
        }
        let index = self.folder().join("index");
        for old in [&index, &index.with_extension("lock")] {
            let _ = fs::remove_file(old);
        }
        let mut command = self.git.command_to(&self.address, &folder, ["read-tree", "--reset", "-u"]).await?;
        command.arg(self.base.as_str());
        self.in_work_tree(&mut command, &folder, &index);
        self.git.answer_in(&self.slot, &what, command, self.git.remote()).await?;
        self.pretend_a_repository(&folder, &index).map_err(|error| disk(&error))?;
        let borrowed = fs::read_to_string(self.objects_folder().join("info/alternates")).unwrap_or_default();
        let reads = std::iter::once(self.objects_folder()).chain(borrowed.lines().map(PathBuf::from)).collect();
        Ok(WorkTree { folder, index, reads })
    }

    pub(super) fn in_work_tree(&self, command: &mut super::Command, folder: &Path, index: &Path) {
        command.env("GIT_DIR", self.folder()).env("GIT_WORK_TREE", folder).env("GIT_INDEX_FILE", index);
        set(command, &OF_WORK_TREES);
    }

    /// A `.git` that reads our objects and has a copy of the index: enough for `git status`, `git diff`, `git ls-files`.
    fn pretend_a_repository(&self, folder: &Path, index: &Path) -> std::io::Result<()> {
        let dot = folder.join(".git");
        fs::create_dir_all(dot.join("objects/info"))?;
        fs::create_dir_all(dot.join("refs/heads"))?;
        fs::write(dot.join("objects/info/alternates"), format!("{}\n", self.objects_folder().display()))?;
        let format = match self.base.as_str().len() {
            64 => "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n",
            _ => "[core]\n\trepositoryformatversion = 0\n",
        };
        fs::write(dot.join("config"), format)?;
        fs::write(dot.join("HEAD"), format!("{}\n", self.base))?;
        let shallow = self.folder().join("shallow");
        if shallow.exists() {
            fs::copy(shallow, dot.join("shallow"))?;
        }
        fs::copy(index, dot.join("index")).map(drop)
    }

    /// What a command left: files added, changed and deleted, with modes and symbolic links, as `git add --all` takes them. What
    /// git ignores is not among it, unless it was committed before.
    ///
    /// Errors: [`GitError::Other`] if it left a repository of its own, which git would not take the files of;
    /// [`GitError::LargeFiles`] if it left plain files where pointers of Git LFS belong.
    pub async fn commit_tree_of(&self, work: &WorkTree) -> Result<WorkTreeChanges, GitError> {
        let what = format!("looking at what was left in {}", work.folder.display());
        self.disarm_submodules(work).await?;
        self.ask_in(work, &what, &["add", "--all", "--", "."]).await?;
        let mut tree = self.tree_of_index(work, &what).await?;
        let mut listed = self.differences(work, &what, &tree).await?;
        if self.restore_untouched(work, &what, &listed).await? {
            tree = self.tree_of_index(work, &what).await?;
            listed = self.differences(work, &what, &tree).await?;
        }
        let (mut changed_files, mut written) = (0, Vec::new());
        for Difference { fact, path } in differences(&listed) {
            changed_files += 1;
            match fact.get(8..14) {
                Some(b"160000") => {
                    let path = String::from_utf8_lossy(path);
                    let said = format!("there is a repository of its own in {path}: its files cannot be committed");
                    return Err(GitError::Other { what, said });
                }
                Some(b"100644" | b"100755") => written.push(path),
                _ => {}
            }
        }
        self.spare_large_files_left(&written, &work.folder, &work.index).await?;
        Ok(WorkTreeChanges { tree, changed_files })
    }

    async fn ask_in(&self, work: &WorkTree, what: &str, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        let mut command = self.git.command(&work.folder, arguments);
        self.in_work_tree(&mut command, &work.folder, &work.index);
        self.git.answer_in(&self.slot, what, command, self.git.local()).await
    }

    async fn tree_of_index(&self, work: &WorkTree, what: &str) -> Result<ObjectId, GitError> {
        let tree = self.ask_in(work, what, &["write-tree"]).await?;
        let tree = ObjectId::parse(String::from_utf8_lossy(&tree).trim());
        tree.map_err(|error| GitError::Other { what: what.to_owned(), said: error.to_string() })
    }

    /// What a tree has otherwise than the base, as [`differences`] reads it.
    async fn differences(&self, work: &WorkTree, what: &str, tree: &ObjectId) -> Result<Vec<u8>, GitError> {
        if *tree == self.base_tree {
            return Ok(Vec::new());
        }
        let raw = ["diff-tree", "-r", "-z", "--raw", "--no-renames", self.base_tree.as_str(), tree.as_str()];
        self.ask_in(work, what, &raw).await
    }

    /// Puts files back into the index as the base has them which nobody touched: where attributes want other line ends than were
    /// committed, git takes such files for changed, or does not, as its clock falls. Whether there were any.
    async fn restore_untouched(&self, work: &WorkTree, what: &str, listed: &[u8]) -> Result<bool, GitError> {
        // git reads names line by line here; one with a line end in it stays changed.
        let is_plain = |path: &[u8]| !path.contains(&b'\n') && !path.ends_with(b"\r");
        let kept: Vec<Difference<'_>> =
            differences(listed).filter(|one| one.is_rewritten() && is_plain(one.path)).collect();
        if kept.is_empty() {
            return Ok(false);
        }
        let tell = async |arguments: &[&str], input: &[u8]| {
            let mut command = self.git.command(&work.folder, arguments);
            self.in_work_tree(&mut command, &work.folder, &work.index);
            self.git.answer(what, command, input, self.git.local()).await
        };
        // Without the dot, a name that begins with a quote would be taken for a quoted one.
        let paths: Vec<u8> = kept.iter().flat_map(|one| b"./".iter().chain(one.path).chain(b"\n")).copied().collect();
        let found = tell(&["hash-object", "--no-filters", "--stdin-paths"], &paths).await?;
        let found = found.split(|byte| *byte == b'\n');
        let untouched = kept.iter().zip(found).filter(|(one, id)| one.id_before() == Some(*id));
        let mut entries = Vec::new();
        for (one, id) in untouched {
            // `<mode> <id>`, a tab, the path, a zero byte.
            let entry = [&one.fact[1..7], b" ", id, b"\t", one.path, b"\0"];
            entries.extend(entry.concat());
        }
        if entries.is_empty() {
            return Ok(false);
        }
        tell(&["update-index", "-z", "--index-info"], &entries).await?;
        Ok(true)
    }

    /// Where a submodule belongs a command may have made a repository, and git would run itself in there, with the settings
    /// of that repository. They may name commands. So its `.git` goes before git looks.
    async fn disarm_submodules(&self, work: &WorkTree) -> Result<(), GitError> {
        let mut command = self.git.command(&work.folder, ["ls-files", "--stage", "-z"]);
        self.in_work_tree(&mut command, &work.folder, &work.index);
        let listed = self.git.answer("looking for submodules", command, b"", self.git.local()).await?;
        for entry in listed.split(|byte| *byte == 0).filter(|entry| entry.starts_with(b"160000 ")) {
            let Some(path) = entry.split(|byte| *byte == b'\t').nth(1) else { continue };
            let path = work.folder.join(from_bytes(path));
            if has_link_before(&work.folder, &path) {
                continue;
            }
            let dot = path.join(".git");
            let gone = match dot.symlink_metadata() {
                Ok(found) if found.is_dir() => fs::remove_dir_all(&dot),
                Ok(_) => fs::remove_file(&dot),
                Err(_) => Ok(()),
            };
            gone.map_err(|error| GitError::disk(&format!("removing {}", dot.display()), &error))?;
        }
        Ok(())
    }
}

/// A file that two trees have otherwise.
struct Difference<'a> {
    /// `:<mode before> <mode after> <id before> <id after> <letter>`
    fact: &'a [u8],
    path: &'a [u8],
}

impl<'a> Difference<'a> {
    /// Whether it is a file in both, of the same mode, with another content.
    fn is_rewritten(&self) -> bool {
        let is_file = |mode: &[u8]| mode == b"100644" || mode == b"100755";
        self.fact.get(1..7).is_some_and(is_file) && self.fact.get(1..7) == self.fact.get(8..14)
    }

    fn id_before(&self) -> Option<&'a [u8]> {
        self.fact.split(|byte| *byte == b' ').nth(2)
    }
}

/// Reads what `git diff-tree -z --raw` lists: facts and paths, each with a zero byte behind it.
fn differences(listed: &[u8]) -> impl Iterator<Item = Difference<'_>> {
    let mut fields = listed.split(|byte| *byte == 0);
    std::iter::from_fn(move || Some(Difference { fact: fields.next()?, path: fields.next()? }))
}

/// Whether a path below a folder goes through a symbolic link, or is one.
fn has_link_before(folder: &Path, path: &Path) -> bool {
    let between = path.ancestors().take_while(|step| *step != folder);
    between.into_iter().any(|step| step.symlink_metadata().is_ok_and(|found| found.is_symlink()))
}

#[cfg(unix)]
pub(super) fn from_bytes(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    std::ffi::OsStr::from_bytes(bytes).into()
}

#[cfg(not(unix))]
pub(super) fn from_bytes(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

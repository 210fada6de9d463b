//! One bare repository: the only place that speaks to libgit2's plumbing.
//!
//! Knows objects, references and differences. Knows nothing of GitHub, pull requests or HTTP.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::{
    Delta, Diff, DiffFindOptions, DiffFormat, DiffOptions, FileMode, ObjectType, Oid, Patch, Repository,
    RepositoryInitOptions, Signature, Sort, Time,
};
use jiff::Timestamp;

pub(crate) type Result<T> = std::result::Result<T, git2::Error>;

/// A bare repository on disk.
pub(crate) struct Git {
    pub repo: Repository,
    pub path: PathBuf,
}

/// A change to one path of a tree.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Put { mode: i32, id: Oid },
    Remove,
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub name: String,
    pub email: String,
    pub at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct ListedEntry {
    pub path: String,
    pub mode: i32,
    pub kind: ObjectType,
    pub id: Oid,
    pub size: Option<usize>,
}

/// One file that differs between two trees.
#[derive(Debug, Clone)]
pub(crate) struct FileChange {
    pub path: String,
    pub previous: Option<String>,
    /// GitHub's word: `added`, `removed`, `modified`, `renamed`, `changed`.
    pub status: &'static str,
    pub additions: usize,
    pub deletions: usize,
    pub id: Option<Oid>,
    /// The hunks without the file header; `None` for binary files.
    pub patch: Option<String>,
}

impl Git {
    pub(crate) fn init(path: &Path, default_branch: &str) -> Result<Git> {
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false).mkdir(true).initial_head(default_branch);
        let repo = Repository::init_opts(path, &options)?;
        Ok(Git { repo, path: path.to_owned() })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.repo.references_glob("refs/heads/*").map(|mut all| all.next().is_none()).unwrap_or(true)
    }

    pub(crate) fn set_head(&self, branch: &str) -> Result<()> {
        self.repo.set_head(&format!("refs/heads/{branch}"))
    }

    pub(crate) fn reference(&self, name: &str) -> Option<Oid> {
        self.repo.find_reference(name).ok()?.target()
    }

    /// All direct references under a prefix such as `refs/heads/`, by name.
    pub(crate) fn references(&self, prefix: &str) -> Result<BTreeMap<String, Oid>> {
        let mut found = BTreeMap::new();
        for reference in self.repo.references()? {
            let reference = reference?;
            if let (Ok(name), Some(target)) = (reference.name(), reference.target())
                && name.starts_with(prefix)
            {
                found.insert(name.to_owned(), target);
            }
        }
        Ok(found)
    }

    pub(crate) fn set_reference(&self, name: &str, target: Oid) -> Result<()> {
        self.repo.reference(name, target, true, "github-sim").map(drop)
    }

    pub(crate) fn delete_reference(&self, name: &str) -> Result<()> {
        self.repo.find_reference(name)?.delete()
    }

    pub(crate) fn kind(&self, id: Oid) -> Option<ObjectType> {
        self.repo.odb().ok()?.read_header(id).ok().map(|(_, kind)| kind)
    }

    /// The commit a branch, tag, full reference or (abbreviated) sha names.
    pub(crate) fn commit_of(&self, name: &str) -> Option<Oid> {
        let direct = ["refs/heads/", "refs/tags/", "refs/", ""].iter().find_map(|prefix| {
            let reference = self.repo.find_reference(&format!("{prefix}{name}")).ok()?;
            Some(reference.peel_to_commit().ok()?.id())
        });
        if direct.is_some() {
            return direct;
        }
        let looks_like_sha = name.len() >= 4 && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !looks_like_sha {
            return None;
        }
        let object = self.repo.revparse_single(name).ok()?;
        Some(object.peel_to_commit().ok()?.id())
    }

    /// Writes the object of an annotated tag, without naming it.
    pub(crate) fn write_tag(&self, name: &str, commit: Oid, tagger: &Person, message: &str) -> Result<Oid> {
        let target = self.repo.find_object(commit, Some(ObjectType::Commit))?;
        self.repo.tag_annotation_create(name, &target, &tagger.signature()?, message)
    }

    /// The object of an annotated tag: its name, message and tagger, and what it points at.
    pub(crate) fn tag(&self, id: Oid) -> Option<(String, String, Person, Oid, ObjectType)> {
        let tag = self.repo.find_tag(id).ok()?;
        let text = |text: std::result::Result<&str, git2::Error>| text.unwrap_or_default().to_owned();
        let tagger = Person::of(&tag.tagger()?);
        let message = String::from_utf8_lossy(tag.message_bytes().unwrap_or_default()).into_owned();
        Some((text(tag.name()), message, tagger, tag.target_id(), tag.target_type()?))
    }

    pub(crate) fn tree_of(&self, commit: Oid) -> Result<Oid> {
        Ok(self.repo.find_commit(commit)?.tree_id())
    }

    pub(crate) fn write_blob(&self, bytes: &[u8]) -> Result<Oid> {
        self.repo.blob(bytes)
    }

    pub(crate) fn blob(&self, id: Oid) -> Option<Vec<u8>> {
        self.repo.find_blob(id).ok().map(|blob| blob.content().to_vec())
    }

    /// The entry at a path of a commit's tree: mode and object.
    pub(crate) fn entry_at(&self, tree: Oid, path: &str) -> Option<(i32, Oid)> {
        let tree = self.repo.find_tree(tree).ok()?;
        let entry = tree.get_path(Path::new(path)).ok()?;
        Some((entry.filemode(), entry.id()))
    }

    /// Writes a tree: `base` with the given paths put or removed. Removing an absent path is `NotFound`.
    pub(crate) fn write_tree(&self, base: Option<Oid>, entries: &BTreeMap<String, Entry>) -> Result<Oid> {
        let base = base.map(|id| self.repo.find_tree(id)).transpose()?;
        let mut builder = self.repo.treebuilder(base.as_ref())?;
        let mut folders: BTreeMap<&str, BTreeMap<String, Entry>> = BTreeMap::new();
        for (path, entry) in entries {
            match path.split_once('/') {
                Some((folder, rest)) => {
                    folders.entry(folder).or_default().insert(rest.to_owned(), entry.clone());
                }
                None => match entry {
                    Entry::Put { mode, id } => drop(builder.insert(path.as_str(), *id, *mode)?),
                    Entry::Remove => builder.remove(path.as_str())?,
                },
            }
        }
        for (folder, entries) in folders {
            let below = base
                .as_ref()
                .and_then(|tree| tree.get_name(folder))
                .filter(|entry| entry.kind() == Some(ObjectType::Tree));
            let id = self.write_tree(below.map(|entry| entry.id()), &entries)?;
            if self.repo.find_tree(id)?.is_empty() {
                if builder.get(folder)?.is_some() {
                    builder.remove(folder)?;
                }
            } else {
                builder.insert(folder, id, i32::from(FileMode::Tree))?;
            }
        }
        builder.write()
    }

    /// Lists a tree in git's order, stopping after `limit` entries; says whether it stopped.
    pub(crate) fn list_tree(&self, tree: Oid, recursive: bool, limit: usize) -> Result<(Vec<ListedEntry>, bool)> {
        let mut listed = Vec::new();
        let truncated = self.list_into(tree, "", recursive, limit, &mut listed)?;
        Ok((listed, truncated))
    }

    fn list_into(
        &self,
        tree: Oid,
        prefix: &str,
        recursive: bool,
        limit: usize,
        listed: &mut Vec<ListedEntry>,
    ) -> Result<bool> {
        let odb = self.repo.odb()?;
        for entry in &self.repo.find_tree(tree)? {
            if listed.len() >= limit {
                return Ok(true);
            }
            let kind = entry.kind().unwrap_or(ObjectType::Any);
            let path = format!("{prefix}{}", String::from_utf8_lossy(entry.name_bytes()));
            let size = if kind == ObjectType::Blob { Some(odb.read_header(entry.id())?.0) } else { None };
            listed.push(ListedEntry { path: path.clone(), mode: entry.filemode(), kind, id: entry.id(), size });
            if recursive
                && kind == ObjectType::Tree
                && self.list_into(entry.id(), &format!("{path}/"), true, limit, listed)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(crate) fn write_commit(
        &self,
        tree: Oid,
        parents: &[Oid],
        author: &Person,
        committer: &Person,
        message: &str,
    ) -> Result<Oid> {
        let parents = parents.iter().map(|id| self.repo.find_commit(*id)).collect::<Result<Vec<_>>>()?;
        let parents: Vec<_> = parents.iter().collect();
        let tree = self.repo.find_tree(tree)?;
        self.repo.commit(None, &author.signature()?, &committer.signature()?, message, &tree, &parents)
    }

    pub(crate) fn is_ancestor(&self, ancestor: Oid, descendant: Oid) -> bool {
        ancestor == descendant || self.repo.graph_descendant_of(descendant, ancestor).unwrap_or(false)
    }

    pub(crate) fn merge_base(&self, one: Oid, other: Oid) -> Option<Oid> {
        self.repo.merge_base(one, other).ok()
    }

    /// Commits reachable from `tip` and from none of `hidden`, oldest first.
    pub(crate) fn commits_between(&self, hidden: &[Oid], tip: Oid) -> Result<Vec<Oid>> {
        let mut walk = self.repo.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)?;
        walk.push(tip)?;
        for id in hidden {
            walk.hide(*id)?;
        }
        walk.collect()
    }

    /// Files that differ between two trees; `None` stands for the empty tree.
    pub(crate) fn changes(&self, old: Option<Oid>, new: Option<Oid>) -> Result<Vec<FileChange>> {
        let diff = self.diff(old, new)?;
        let mut changes = Vec::new();
        for index in 0..diff.deltas().len() {
            let Some(delta) = diff.get_delta(index) else { continue };
            let text = |path: Option<&Path>| path.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
            let (old_path, new_path) = (text(delta.old_file().path()), text(delta.new_file().path()));
            let status = match delta.status() {
                Delta::Added => "added",
                Delta::Deleted => "removed",
                Delta::Renamed => "renamed",
                Delta::Typechange => "changed",
                _ => "modified",
            };
            let mut patch = Patch::from_diff(&diff, index)?;
            let binary = diff.get_delta(index).is_some_and(|delta| delta.flags().is_binary());
            let (mut additions, mut deletions, mut hunks) = (0, 0, None);
            if let (Some(patch), false) = (patch.as_mut(), binary) {
                (_, additions, deletions) = patch.line_stats()?;
                let whole = patch.to_buf()?;
                let whole = String::from_utf8_lossy(&whole);
                hunks = whole.find("\n@@ ").map(|at| whole[at + 1..].trim_end_matches('\n').to_owned());
            }
            let id = if status == "removed" { delta.old_file().id() } else { delta.new_file().id() };
            changes.push(FileChange {
                path: if status == "removed" { old_path.clone() } else { new_path },
                previous: (status == "renamed").then_some(old_path),
                status,
                additions,
                deletions,
                id: (!id.is_zero()).then_some(id),
                patch: hunks,
            });
        }
        Ok(changes)
    }

    pub(crate) fn unified_diff(&self, old: Option<Oid>, new: Option<Oid>) -> Result<String> {
        let mut text = Vec::new();
        self.diff(old, new)?.print(DiffFormat::Patch, |_, _, line| {
            if matches!(line.origin(), '+' | '-' | ' ') {
                text.extend_from_slice(line.origin().encode_utf8(&mut [0; 4]).as_bytes());
            }
            text.extend_from_slice(line.content());
            true
        })?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn diff(&self, old: Option<Oid>, new: Option<Oid>) -> Result<Diff<'_>> {
        let old = old.map(|id| self.repo.find_tree(id)).transpose()?;
        let new = new.map(|id| self.repo.find_tree(id)).transpose()?;
        let mut options = DiffOptions::new();
        options.include_typechange(true).id_abbrev(7);
        let mut diff = self.repo.diff_tree_to_tree(old.as_ref(), new.as_ref(), Some(&mut options))?;
        diff.find_similar(Some(DiffFindOptions::new().renames(true)))?;
        Ok(diff)
    }

    /// The tree that merging two commits gives, or `None` where they conflict.
    pub(crate) fn merged_tree(&self, ours: Oid, theirs: Oid) -> Result<Option<Oid>> {
        let mut index =
            self.repo.merge_commits(&self.repo.find_commit(ours)?, &self.repo.find_commit(theirs)?, None)?;
        if index.has_conflicts() { Ok(None) } else { index.write_tree_to(&self.repo).map(Some) }
    }

    /// The tree that picking one commit onto another gives, or `None` where they conflict.
    pub(crate) fn picked_tree(&self, commit: Oid, onto: Oid) -> Result<Option<Oid>> {
        let (commit, onto) = (self.repo.find_commit(commit)?, self.repo.find_commit(onto)?);
        let mut index = self.repo.cherrypick_commit(&commit, &onto, 0, None)?;
        if index.has_conflicts() { Ok(None) } else { index.write_tree_to(&self.repo).map(Some) }
    }

    /// Copies a commit with its history from another repository on this disk, and names it.
    pub(crate) fn fetch(&self, from: &Path, source: &str, target: &str) -> Result<()> {
        let address = from.to_string_lossy();
        let mut remote = self.repo.remote_anonymous(&address)?;
        remote.fetch(&[format!("+{source}:{target}")], None, None)
    }

    pub(crate) fn author(&self, commit: Oid) -> Result<Person> {
        Ok(Person::of(&self.repo.find_commit(commit)?.author()))
    }

    pub(crate) fn committer(&self, commit: Oid) -> Result<Person> {
        Ok(Person::of(&self.repo.find_commit(commit)?.committer()))
    }

    pub(crate) fn message(&self, commit: Oid) -> Result<String> {
        Ok(String::from_utf8_lossy(self.repo.find_commit(commit)?.message_raw_bytes()).into_owned())
    }

    pub(crate) fn parents(&self, commit: Oid) -> Result<Vec<Oid>> {
        Ok(self.repo.find_commit(commit)?.parent_ids().collect())
    }

    /// Files changed by one commit, against its first parent.
    pub(crate) fn changes_of(&self, commit: Oid) -> Result<Vec<FileChange>> {
        let before = match self.parents(commit)?.first() {
            Some(parent) => Some(self.tree_of(*parent)?),
            None => None,
        };
        self.changes(before, Some(self.tree_of(commit)?))
    }
}

impl Person {
    fn signature(&self) -> Result<Signature<'static>> {
        Signature::new(&self.name, &self.email, &Time::new(self.at.as_second(), 0))
    }

    fn of(signature: &Signature<'_>) -> Person {
        let at = Timestamp::from_second(signature.when().seconds()).unwrap_or_default();
        Person {
            name: String::from_utf8_lossy(signature.name_bytes()).into_owned(),
            email: String::from_utf8_lossy(signature.email_bytes()).into_owned(),
            at,
        }
    }
}

/// Parses a full object id; anything else is `None`.
pub(crate) fn oid(text: &str) -> Option<Oid> {
    if text.len() == 40 { Oid::from_str(text).ok() } else { None }
}

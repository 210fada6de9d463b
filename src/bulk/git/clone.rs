//! Cloning: a bare repository at the tip of one branch.

use super::cache::Slot;
use super::objects::Objects;
use super::{Git, GitError};
use crate::bulk::address::Address;
use crate::domain::{ObjectId, RepoPath, SourcedRepository};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A cached clone is made anew when it has this many packs: each fetch and each commit brought one.
const MOST_PACKS: usize = 50;

/// A bare clone in the cache, held for as long as this lives.
#[derive(Debug)]
pub struct BareClone<'a> {
    pub(super) git: &'a Git,
    pub(super) address: Address,
    pub(super) slot: Slot,
    /// The process that reads.
    pub(super) objects: Objects,
    /// The files that were seen, with their contents' ids.
    pub(super) blobs: HashMap<RepoPath, ObjectId>,
    pub(super) base: ObjectId,
    pub(super) base_tree: ObjectId,
    branch: Option<String>,
    uncommitted: bool,
}

impl Git {
    /// Clones a repository at the head of its `upstream_branch`, or of its default branch. What is in the cache is brought up
    /// to date and never believed. Dropping the future ends what runs.
    ///
    /// Errors: [`GitError`]; of a missing repository and of a missing branch `NotFound`, `Empty` without commits.
    pub async fn clone(&self, repository: &SourcedRepository) -> Result<BareClone<'_>, GitError> {
        let address = Address::parse(&repository.clone_url)?;
        let branch = repository.upstream_branch.as_deref();
        if let Some(branch) = branch
            && (branch.starts_with('-') || branch.chars().any(|c| c.is_control() || c == ' ' || c == ':'))
        {
            return Err(GitError::NotFound {
                what: format!("the branch {branch:?}"),
                said: "git knows no such names".into(),
            });
        }
        let slot = Slot::take(&self.settings.cache_folder, &address)?;
        let mut uncommitted = false;
        match address.folder() {
            Some(folder) => uncommitted = self.borrow_from(folder, &slot, branch).await?,
            None => self.bring(&address, &slot, branch).await?,
        }
        self.open(address, slot, uncommitted).await
    }

    /// Goes on with a clone as it was left in a folder of the cache. `None` where it is gone, or somebody else works with it.
    pub async fn reopen(
        &self,
        repository: &SourcedRepository,
        folder: &Path,
    ) -> Result<Option<BareClone<'_>>, GitError> {
        let address = Address::parse(&repository.clone_url)?;
        let Some(slot) = Slot::again(&self.settings.cache_folder, &address, folder)? else { return Ok(None) };
        match self.open(address, slot, false).await {
            Ok(clone) => Ok(Some(clone)),
            Err(GitError::Empty) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn open(&self, address: Address, slot: Slot, uncommitted: bool) -> Result<BareClone<'_>, GitError> {
        let head = fs::read_to_string(slot.folder().join("HEAD")).unwrap_or_default();
        let mut objects = Objects::start(self, slot.folder())?;
        let Some((base, base_tree)) = objects.head().await? else { return Err(GitError::Empty) };
        let branch = head.trim().strip_prefix("ref: refs/heads/").map(str::to_owned);
        let blobs = HashMap::new();
        Ok(BareClone { git: self, address, slot, objects, blobs, base, base_tree, branch, uncommitted })
    }

    /// Makes a repository that has no objects of its own and reads those of one on this machine. That one is not changed.
    /// Whether it is a checkout with changes that nobody committed.
    async fn borrow_from(&self, folder: &Path, slot: &Slot, branch: Option<&str>) -> Result<bool, GitError> {
        let what = format!("cloning {}", folder.display());
        if !folder.is_dir() {
            let said = "there is no such folder".to_owned();
            return Err(GitError::NotFound { what, said });
        }
        let wanted = branch.map_or_else(|| "HEAD".to_owned(), |branch| format!("refs/heads/{branch}"));
        let asked = ["--git-common-dir", "--show-object-format", "--is-bare-repository", "--is-shallow-repository"];
        let arguments = ["rev-parse", "--path-format=absolute", "--git-path", "objects"].into_iter().chain(asked);
        let mut command =
            self.command(folder, arguments.chain([wanted.as_str(), "--symbolic-full-name", &wanted, "--"]));
        // A folder within a repository is none.
        command.env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap_or(folder));
        let ended = self.end(command, b"", self.local()).await?;
        let out = String::from_utf8_lossy(&ended.out);
        let lines: Vec<&str> = out.lines().collect();
        let [objects, common, format, bare, shallow, rest @ ..] = lines.as_slice() else {
            return Err(self.refused(&what, &ended.complaint));
        };
        let [id, name, ..] = rest else {
            return Err(match branch {
                None => GitError::Empty,
                Some(branch) => GitError::NotFound { what, said: format!("it has no branch {branch}") },
            });
        };
        slot.clear()?;
        let source = Source { objects, common, is_sha1: *format == "sha1", is_shallow: *shallow == "true" };
        source.lend_to(slot.folder(), name, id).map_err(|error| GitError::disk(&what, &error))?;
        if *bare == "true" {
            return Ok(false);
        }
        let command = self.command(folder, ["status", "--porcelain", "--ignore-submodules=all"]);
        let bounds = super::Bounds { output_bytes: 64, cut: true, ..self.local() };
        // It is only a word by the way.
        Ok(self.end(command, b"", bounds).await.is_ok_and(|ended| !ended.out.is_empty()))
    }

    /// Brings a clone of what is elsewhere up to date, or makes it.
    async fn bring(&self, address: &Address, slot: &Slot, branch: Option<&str>) -> Result<(), GitError> {
        if slot.folder().join("HEAD").exists() && packs(slot.folder()) < MOST_PACKS {
            match self.refresh(address, slot, branch).await {
                Ok(true) => return Ok(()),
                Ok(false) | Err(GitError::Other { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        slot.clear()?;
        // Under another name until it is whole: a clone that was interrupted is never taken for one.
        // The number at the end of its name is part of it: whoever holds the next one clones at the same time.
        let mut new = slot.folder().as_os_str().to_owned();
        new.push(".new");
        let new = PathBuf::from(new);
        let _ = fs::remove_dir_all(&new);
        let what = format!("cloning {address}");
        let text = address.to_string();
        let mut arguments = vec!["clone", "--quiet", "--bare", "--depth=1", "--filter=blob:none", "--no-tags"];
        arguments.extend(["--single-branch", "--template="]);
        arguments.extend(branch.iter().flat_map(|branch| ["--branch", branch]));
        let mut command = self.command_to(address, &self.settings.cache_folder, arguments).await?;
        command.arg("--").arg(&text).arg(&new);
        self.answer(&what, command, b"", self.remote()).await?;
        fs::rename(&new, slot.folder()).map_err(|error| GitError::disk(&what, &error))
    }

    /// Brings a clone up to date. `false` when it is no longer one of what is there.
    async fn refresh(&self, address: &Address, slot: &Slot, branch: Option<&str>) -> Result<bool, GitError> {
        let (what, folder) = (format!("fetching {address}"), slot.folder());
        let wanted = branch.map(|branch| format!("refs/heads/{branch}"));
        let arguments =
            ["ls-remote", "--quiet", "--symref", "--", &address.to_string(), wanted.as_deref().unwrap_or("HEAD")];
        let command = self.command_to(address, folder, arguments).await?;
        let listed = self.answer(&what, command, b"", self.remote()).await?;
        let listed = String::from_utf8_lossy(&listed);
        if listed.is_empty() {
            return match branch {
                None => Err(GitError::Empty),
                Some(branch) => Err(GitError::NotFound { what, said: format!("there is no branch {branch}") }),
            };
        }
        let points_at = listed.lines().find_map(|line| line.strip_prefix("ref: ")?.strip_suffix("\tHEAD"));
        let Some(name) = wanted.as_deref().or(points_at) else { return Ok(false) };
        let ends = if branch.is_some() { format!("\t{name}") } else { "\tHEAD".to_owned() };
        let id = listed.lines().find_map(|line| ObjectId::parse(line.strip_suffix(ends.as_str())?).ok());
        let Some(id) = id else { return Ok(false) };
        let stands = fs::read_to_string(folder.join(name)).unwrap_or_default();
        if stands.trim() != id.as_str() {
            let mut command =
                self.command_to(address, folder, ["fetch", "--quiet", "--depth=1", "--filter=blob:none"]).await?;
            command.args([
                "--no-tags",
                "--no-write-fetch-head",
                "--end-of-options",
                "origin",
                &format!("+{id}:{name}"),
            ]);
            self.answer(&what, command, b"", self.remote()).await?;
        }
        let command = self.command(folder, ["symbolic-ref", "HEAD", name]);
        self.answer(&what, command, b"", self.local()).await?;
        Ok(true)
    }
}

impl BareClone<'_> {
    /// The branch it was cloned from, without `refs/heads/`; `None` of a checkout that stands on no branch.
    pub fn branch(&self) -> Option<&str> {
        self.branch.as_deref()
    }

    /// The commit at its tip, on which changes are made.
    pub fn base(&self) -> &ObjectId {
        &self.base
    }

    /// Whether it was cloned from somebody's checkout with changes that are not committed, and so are not in it.
    pub fn leaves_out_uncommitted(&self) -> bool {
        self.uncommitted
    }

    /// Where the clone is.
    pub fn folder(&self) -> &Path {
        self.slot.folder()
    }

    pub(super) fn objects_folder(&self) -> PathBuf {
        self.folder().join("objects")
    }
}

/// A repository on this machine, as git describes it.
struct Source<'a> {
    objects: &'a str,
    common: &'a str,
    is_sha1: bool,
    is_shallow: bool,
}

impl Source<'_> {
    /// Writes a bare repository with one branch that borrows the objects (see gitrepository-layout(5)).
    fn lend_to(&self, folder: &Path, name: &str, id: &str) -> std::io::Result<()> {
        fs::create_dir_all(folder.join("objects/info"))?;
        fs::create_dir_all(folder.join("refs/heads"))?;
        fs::write(folder.join("objects/info/alternates"), format!("{}\n", self.objects))?;
        let config = if self.is_sha1 {
            "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
        } else {
            "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n"
        };
        fs::write(folder.join("config"), config)?;
        if self.is_shallow {
            fs::copy(Path::new(self.common).join("shallow"), folder.join("shallow"))?;
        }
        let head = match name.strip_prefix("refs/heads/") {
            Some(_) => {
                // A name may have folders, and git has seen to it that they stay inside.
                let file = folder.join(name);
                file.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::write(file, format!("{id}\n"))?;
                format!("ref: {name}\n")
            }
            None => format!("{id}\n"),
        };
        fs::write(folder.join("HEAD"), head)
    }
}

fn packs(folder: &Path) -> usize {
    let files = fs::read_dir(folder.join("objects/pack")).into_iter().flatten().flatten();
    files.filter(|file| file.path().extension().is_some_and(|extension| extension == "pack")).count()
}

//! Cloning: a bare repository at the tip of one branch.

use super::cache::Slot;
use super::objects::Objects;
use super::push::full_name;
use super::{Git, GitError};
use crate::bulk::address::Address;
use crate::bulk::process::Ended;
use crate::bulk::words::one_line;
use crate::domain::{ObjectId, RepoName, RepoPath, SourcedRepository};
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
    /// Errors: [`GitError`]; of a missing repository `NotFound`, or `NoFolder` and `NoRepository` on this machine; of a missing branch
    /// `NoBranch` or `NoDefaultBranch`; `Empty` without commits.
    pub async fn clone(&self, repository: &SourcedRepository) -> Result<BareClone<'_>, GitError> {
        let address = Address::parse(&repository.clone_url)?;
        let branch = repository.upstream_branch.as_deref();
        branch.map(full_name).transpose()?;
        let slot = Slot::take(&self.settings.cache_folder, &address)?;
        let mut uncommitted = false;
        let tip = match address.folder() {
            Some(folder) => {
                uncommitted = self.borrow_from(&address, folder, &repository.clone_url, &slot, branch).await?;
                self.tip(&slot).await?
            }
            None => self.bring(&address, &slot, branch).await?,
        };
        Ok(tip.of(self, address, slot, uncommitted))
    }

    /// Goes on with a clone in a folder of the cache, from the branch and the commit that somebody began from there: its head may
    /// be of another branch since. `None` where it or the commit is gone or broken, or somebody else works with it.
    pub async fn reopen(
        &self,
        repository: &SourcedRepository,
        folder: &Path,
        (branch, base): (Option<&str>, &ObjectId),
    ) -> Result<Option<BareClone<'_>>, GitError> {
        let address = Address::parse(&repository.clone_url)?;
        let Some(slot) = Slot::again(&self.settings.cache_folder, &address, folder)? else { return Ok(None) };
        let mut objects = Objects::start(self, slot.folder())?;
        let base_tree = match objects.tree_of(base).await {
            Ok(Some(tree)) => tree,
            Ok(None) | Err(GitError::Other { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let tip = Tip { objects, base: base.clone(), base_tree, branch: branch.map(str::to_owned) };
        Ok(Some(tip.of(self, address, slot, false)))
    }

    /// Reads where a clone stands.
    ///
    /// Errors: `Empty` where its head is no commit, or one that is not there.
    async fn tip(&self, slot: &Slot) -> Result<Tip, GitError> {
        let head = fs::read_to_string(slot.folder().join("HEAD")).unwrap_or_default();
        let mut objects = Objects::start(self, slot.folder())?;
        let Some((base, base_tree)) = objects.head().await? else { return Err(GitError::Empty) };
        let branch = head.trim().strip_prefix("ref: refs/heads/").map(str::to_owned);
        Ok(Tip { objects, base, base_tree, branch })
    }

    /// Makes a repository that has no objects of its own and reads those of one on this machine. That one is not changed.
    /// Whether it is a checkout with changes that nobody committed. `written` is the path as somebody wrote it.
    async fn borrow_from(
        &self,
        address: &Address,
        folder: &Path,
        written: &str,
        slot: &Slot,
        branch: Option<&str>,
    ) -> Result<bool, GitError> {
        let what = format!("cloning {}", folder.display());
        if !folder.is_dir() {
            return Err(GitError::NoFolder { what, hint: meant(written) });
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
            return Err(no_repository(self.refused(&what, &ended.complaint), folder));
        };
        let [id, name, ..] = rest else {
            let default = self.default_branch(folder).await;
            return Err(self.nothing_there(address, &what, branch, default).await);
        };
        slot.clear()?;
        let source = Source { objects, common, is_sha1: *format == "sha1", is_shallow: *shallow == "true" };
        source.lend_to(slot.folder(), name, id).map_err(|error| GitError::disk(&what, &error))?;
        if *bare == "true" {
            return Ok(false);
        }
        let command = self.command(folder, ["status", "--porcelain", "--ignore-submodules=all"]);
        let bounds = super::Bounds { output_bytes: 64, cut: true, ..self.local() };
        // It is only a word by the way, and true of whatever cannot be looked at: a filter of the user's that is not installed.
        Ok(self.end(command, b"", bounds).await.is_ok_and(|ended| !ended.out.is_empty() || !ended.is_success()))
    }

    /// Brings a clone of what is elsewhere up to date, or makes it. What is in the cache must prove itself: nobody waited until
    /// it was on the disk, and after a power cut its refs may name what is not there.
    async fn bring(&self, address: &Address, slot: &Slot, branch: Option<&str>) -> Result<Tip, GitError> {
        if slot.folder().join("HEAD").exists()
            && packs(slot.folder()) < MOST_PACKS
            && self.refresh(address, slot, branch).await?
        {
            match self.tip(slot).await {
                Ok(tip) => return Ok(tip),
                Err(GitError::Empty | GitError::Other { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.bring_anew(address, slot, branch).await?;
        let what = format!("cloning {address}");
        match self.tip(slot).await {
            Err(GitError::Empty) => {
                let default = self.default_branch(slot.folder()).await;
                Err(self.nothing_there(address, &what, None, default).await)
            }
            // git takes the name of a tag as well, and nothing can be proposed to one.
            Ok(tip) if branch.is_some_and(|branch| tip.branch.as_deref() != Some(branch)) => {
                Err(self.nothing_there(address, &what, branch, None).await)
            }
            tip => tip,
        }
    }

    /// The branch that the head of a repository on this machine names, whether there is one or not.
    async fn default_branch(&self, folder: &Path) -> Option<String> {
        let command = self.command(folder, ["symbolic-ref", "--quiet", "--short", "HEAD"]);
        let ended = self.end(command, b"", self.local()).await.ok().filter(Ended::is_success)?;
        let name = one_line(String::from_utf8_lossy(&ended.out).trim());
        Some(name).filter(|name| !name.is_empty())
    }

    async fn bring_anew(&self, address: &Address, slot: &Slot, branch: Option<&str>) -> Result<(), GitError> {
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
        match self.answer_in(slot, &what, command, self.remote()).await {
            // Whoever says that has shown its branches.
            Err(GitError::NotFound { said, .. }) if branch.is_some() && is_of_branch(&said) => {
                return Err(self.nothing_there(address, &what, branch, None).await);
            }
            cloned => drop(cloned?),
        }
        // Whatever was there has commits that may still be wanted: without the other side nothing takes its place.
        slot.clear()?;
        fs::rename(&new, slot.folder()).map_err(|error| GitError::disk(&what, &error))
    }

    /// Brings a clone up to date. `false` when it is no longer one of what is there, or is broken.
    ///
    /// Errors: what the other side says when it is asked for its branches. After that whatever fails is the clone's own fault.
    async fn refresh(&self, address: &Address, slot: &Slot, branch: Option<&str>) -> Result<bool, GitError> {
        let (what, folder) = (format!("fetching {address}"), slot.folder());
        let wanted = branch.map(|branch| format!("refs/heads/{branch}"));
        let arguments =
            ["ls-remote", "--quiet", "--symref", "--", &address.to_string(), wanted.as_deref().unwrap_or("HEAD")];
        let command = self.command_to(address, folder, arguments).await?;
        let listed = match self.answer(&what, command, b"", self.remote()).await {
            Ok(listed) => listed,
            Err(GitError::Other { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let listed = String::from_utf8_lossy(&listed);
        if listed.is_empty() {
            return Err(self.nothing_there(address, &what, branch, None).await);
        }
        let points_at = listed.lines().find_map(|line| line.strip_prefix("ref: ")?.strip_suffix("\tHEAD"));
        let Some(name) = wanted.as_deref().or(points_at) else { return Ok(false) };
        let ends = if branch.is_some() { format!("\t{name}") } else { "\tHEAD".to_owned() };
        let id = listed.lines().find_map(|line| ObjectId::parse(line.strip_suffix(ends.as_str())?).ok());
        let Some(id) = id else { return Ok(false) };
        let mut steps = vec![self.command(folder, ["symbolic-ref", "HEAD", name])];
        let stands = fs::read_to_string(folder.join(name)).unwrap_or_default();
        if stands.trim() != id.as_str() {
            let mut command =
                self.command_to(address, folder, ["fetch", "--quiet", "--depth=1", "--filter=blob:none"]).await?;
            command.args(["--no-tags", "--no-write-fetch-head", "--end-of-options", "origin"]);
            command.arg(format!("+{id}:{name}"));
            steps.insert(0, command);
        }
        for step in steps {
            match self.answer_in(slot, &what, step, self.remote()).await {
                Ok(_) => {}
                Err(error @ (GitError::TimedOut { .. } | GitError::NoGit { .. })) => return Err(error),
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }
}

/// Where a clone stands.
struct Tip {
    objects: Objects,
    base: ObjectId,
    base_tree: ObjectId,
    branch: Option<String>,
}

impl Tip {
    fn of(self, git: &Git, address: Address, slot: Slot, uncommitted: bool) -> BareClone<'_> {
        let Self { objects, base, base_tree, branch } = self;
        BareClone { git, address, slot, objects, blobs: HashMap::new(), base, base_tree, branch, uncommitted }
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

    /// Whether the repository is elsewhere, and what is not here can be fetched.
    pub fn is_remote(&self) -> bool {
        self.address.folder().is_none()
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

/// Whether git's complaint is about the branch alone: `Remote branch x not found in upstream origin`.
fn is_of_branch(said: &str) -> bool {
    said.contains("Remote branch ") && said.contains(" not found in upstream")
}

/// What git's refusal of a folder means.
fn no_repository(error: GitError, folder: &Path) -> GitError {
    let GitError::NotFound { what, said } = error else { return error };
    let top = folder.ancestors().skip(1).find(|above| above.join(".git").exists()).map(Path::to_owned);
    // What it always says tells no more than that.
    let said = if said.contains("not a git repository (or any") { String::new() } else { said };
    GitError::NoRepository { what, top, said }
}

/// What somebody may have meant with a path at which there is nothing.
fn meant(written: &str) -> String {
    let written = written.trim();
    if written.starts_with('~') {
        return ". `~` is for a shell to fill in: write the whole path".to_owned();
    }
    match RepoName::parse(written) {
        Ok(name) => {
            format!(". A repository on GitHub is written `git@github.com:{name}.git` or `https://github.com/{name}`")
        }
        Err(_) => String::new(),
    }
}

fn packs(folder: &Path) -> usize {
    let files = fs::read_dir(folder.join("objects/pack")).into_iter().flatten().flatten();
    files.filter(|file| file.path().extension().is_some_and(|extension| extension == "pack")).count()
}

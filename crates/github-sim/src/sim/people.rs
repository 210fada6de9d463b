//! What people do with branches and pull requests: push, tag, propose, merge, close.

use std::collections::BTreeMap;

use git2::{FileMode, Oid};

use super::GitHubSim;
use super::world::SOMEBODY;
use crate::acts::{Act, MergeMethod, NewPull, PullEdit};
use crate::git::{Entry, Person};
use crate::reply::Reply;
use crate::state::Repo;

/// One path of a commit: a file put, or removed.
#[derive(Debug, Clone)]
pub struct FileChangeInput {
    path: String,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Put { mode: FileMode, content: Vec<u8> },
    Submodule { commit: String },
    Remove,
}

impl FileChangeInput {
    /// An ordinary file.
    pub fn put(path: &str, content: impl AsRef<[u8]>) -> FileChangeInput {
        FileChangeInput::with_mode(path, FileMode::Blob, content.as_ref())
    }

    /// A file that may be run, mode 100755.
    pub fn executable(path: &str, content: impl AsRef<[u8]>) -> FileChangeInput {
        FileChangeInput::with_mode(path, FileMode::BlobExecutable, content.as_ref())
    }

    /// A symbolic link, mode 120000.
    pub fn symlink(path: &str, target: &str) -> FileChangeInput {
        FileChangeInput::with_mode(path, FileMode::Link, target.as_bytes())
    }

    /// A submodule at a commit of another repository, mode 160000.
    pub fn submodule(path: &str, commit: &str) -> FileChangeInput {
        FileChangeInput { path: path.to_owned(), what: What::Submodule { commit: commit.to_owned() } }
    }

    /// The path goes away.
    pub fn remove(path: &str) -> FileChangeInput {
        FileChangeInput { path: path.to_owned(), what: What::Remove }
    }

    fn with_mode(path: &str, mode: FileMode, content: &[u8]) -> FileChangeInput {
        FileChangeInput { path: path.to_owned(), what: What::Put { mode, content: content.to_owned() } }
    }
}

/// What [`GitHubSim::push`] takes: a path and its new bytes, or `None` to remove it.
pub type Push<'a> = (&'a str, Option<&'a [u8]>);

impl From<&Push<'_>> for FileChangeInput {
    fn from((path, content): &Push<'_>) -> FileChangeInput {
        match content {
            Some(content) => FileChangeInput::put(path, content),
            None => FileChangeInput::remove(path),
        }
    }
}

impl GitHubSim {
    /// Somebody commits on a branch and pushes; a new branch starts at the default branch. Returns the commit's sha.
    pub fn push(&self, repo: &str, branch: &str, files: &[Push<'_>], message: &str) -> anyhow::Result<String> {
        let changes: Vec<_> = files.iter().map(FileChangeInput::from).collect();
        self.push_as(SOMEBODY, repo, branch, &changes, message)
    }

    /// The same by a named person (or the bot's login), with modes, links and submodules.
    pub fn push_as(
        &self,
        login: &str,
        repo: &str,
        branch: &str,
        changes: &[FileChangeInput],
        message: &str,
    ) -> anyhow::Result<String> {
        let id = self.find(repo)?;
        self.act(login, |act| {
            let start = act.repo(id)?.branch(branch).or(act.repo(id)?.branch(&act.repo(id)?.default_branch.clone()));
            let commit = commit(act, id, start, changes, message)?;
            publish(act, id, branch, commit)?;
            Ok(commit.to_string())
        })
    }

    /// Several commits in one push, so one push event. Returns the last commit's sha.
    pub fn push_commits(
        &self,
        repo: &str,
        branch: &str,
        commits: &[(&[FileChangeInput], &str)],
    ) -> anyhow::Result<String> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            let mut tip = act.repo(id)?.branch(branch).or(act.repo(id)?.branch(&act.repo(id)?.default_branch.clone()));
            for (changes, message) in commits {
                tip = Some(commit(act, id, tip, changes, message)?);
            }
            let tip = tip.ok_or_else(|| Reply::unprocessable("a push needs a commit"))?;
            publish(act, id, branch, tip)?;
            Ok(tip.to_string())
        })
    }

    /// Makes a commit object with this author and committer, without moving a branch. Returns its sha.
    pub fn commit_as(
        &self,
        author: (&str, &str),
        repo: &str,
        parent: Option<&str>,
        changes: &[FileChangeInput],
        message: &str,
    ) -> anyhow::Result<String> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            let parent = parent.map(|name| named(act, id, name)).transpose()?;
            let person = Person { name: author.0.to_owned(), email: author.1.to_owned(), at: act.now };
            commit_by(act, id, parent, changes, message, &person).map(|commit| commit.to_string())
        })
    }

    /// Points a branch at any commit, forwards or not.
    pub fn force_push(&self, repo: &str, branch: &str, commit: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            let commit = named(act, id, commit)?;
            publish(act, id, branch, commit)
        })
    }

    /// Throws the branch's commits away for one new commit on top of the default branch. Returns its sha.
    pub fn force_push_files(
        &self,
        repo: &str,
        branch: &str,
        files: &[Push<'_>],
        message: &str,
    ) -> anyhow::Result<String> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            let start = act.repo(id)?.branch(&act.repo(id)?.default_branch.clone());
            let changes: Vec<_> = files
                .iter()
                .map(|(path, content)| match content {
                    Some(content) => FileChangeInput::put(path, content),
                    None => FileChangeInput::remove(path),
                })
                .collect();
            let commit = commit(act, id, start, &changes, message)?;
            publish(act, id, branch, commit)?;
            Ok(commit.to_string())
        })
    }

    /// Deletes a branch; open pull requests from it close.
    pub fn delete_branch(&self, repo: &str, branch: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| delete(act, id, &format!("refs/heads/{branch}")))
    }

    /// A person renames a branch: open pull requests into it follow, and the name of the default branch does.
    pub fn rename_branch(&self, repo: &str, from: &str, to: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            let commit = named(act, id, from)?;
            publish(act, id, to, commit)?;
            for pull in act.repo_mut(id)?.pulls.values_mut().filter(|pull| pull.base_branch == from) {
                pull.base_branch = to.to_owned();
            }
            if act.repo(id)?.default_branch == from {
                act.set_default_branch(id, to)?;
            }
            act.move_reference(id, &format!("refs/heads/{from}"), Some(commit), None, false)
        })
    }

    /// Puts or moves a tag.
    pub fn tag(&self, repo: &str, tag: &str, commit: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            let commit = named(act, id, commit)?;
            let name = format!("refs/tags/{tag}");
            let before = act.repo(id)?.git.reference(&name);
            act.move_reference(id, &name, before, Some(commit), false)
        })
    }

    /// Puts or moves a tag that is an object of its own, with a message. Returns the object's sha.
    pub fn annotated_tag(&self, repo: &str, tag: &str, commit: &str, message: &str) -> anyhow::Result<String> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            let commit = named(act, id, commit)?;
            let person = act.person();
            let name = format!("refs/tags/{tag}");
            let git = &act.repo(id)?.git;
            let object = git.write_tag(tag, commit, &person, message)?;
            let before = git.reference(&name);
            act.move_reference(id, &name, before, Some(object), false)?;
            Ok(object.to_string())
        })
    }

    /// Deletes a tag. A release of it stays as it is.
    pub fn delete_tag(&self, repo: &str, tag: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| delete(act, id, &format!("refs/tags/{tag}")))
    }

    /// A person opens a pull request; `head` is `branch` or `owner:branch`. Returns its number.
    pub fn open_pull_request(&self, repo: &str, head: &str, base: &str, title: &str) -> anyhow::Result<i64> {
        self.open_pull_request_as(SOMEBODY, repo, head, base, title)
    }

    /// The same by a named person, or by another App's bot.
    pub fn open_pull_request_as(
        &self,
        login: &str,
        repo: &str,
        head: &str,
        base: &str,
        title: &str,
    ) -> anyhow::Result<i64> {
        let id = self.find(repo)?;
        let new =
            NewPull { title: title.to_owned(), head: head.to_owned(), base: base.to_owned(), ..NewPull::default() };
        self.act(login, |act| act.open_pull(id, new))
    }

    /// A person changes files on a branch and proposes them to the default branch; from their fork if they have one.
    /// Returns the pull request's number.
    pub fn propose_as(&self, login: &str, repo: &str, branch: &str, files: &[Push<'_>]) -> anyhow::Result<i64> {
        let base = self.find(repo)?;
        let (fork, default_branch) = {
            let state = self.shared.state();
            let owned = |other: &&Repo| other.parent == Some(base) && other.owner.eq_ignore_ascii_case(login);
            let fork = state.repos.values().find(owned).map(Repo::full_name);
            (fork, state.repos.get(&base).map(|repo| repo.default_branch.clone()).unwrap_or_default())
        };
        let changes: Vec<_> = files.iter().map(FileChangeInput::from).collect();
        let title = format!("Change {}", files.iter().map(|(path, _)| *path).collect::<Vec<_>>().join(", "));
        self.push_as(login, fork.as_deref().unwrap_or(repo), branch, &changes, &title)?;
        let head = if fork.is_some() { format!("{login}:{branch}") } else { branch.to_owned() };
        self.open_pull_request_as(login, repo, &head, &default_branch, &title)
    }

    /// A person merges with a merge commit. Returns the commit the base stands at.
    pub fn merge(&self, repo: &str, number: i64) -> anyhow::Result<String> {
        self.merge_by(repo, number, MergeMethod::Merge)
    }

    /// A person squashes and merges. Returns the commit the base stands at.
    pub fn squash(&self, repo: &str, number: i64) -> anyhow::Result<String> {
        self.merge_by(repo, number, MergeMethod::Squash)
    }

    /// A person rebases and merges. Returns the commit the base stands at.
    pub fn rebase(&self, repo: &str, number: i64) -> anyhow::Result<String> {
        self.merge_by(repo, number, MergeMethod::Rebase)
    }

    fn merge_by(&self, repo: &str, number: i64, method: MergeMethod) -> anyhow::Result<String> {
        let id = self.find(repo)?;
        let sha = self.act(SOMEBODY, |act| act.merge_pull(id, number, method, None, None, None))?;
        Ok(sha.to_string())
    }

    /// A person closes a pull request.
    pub fn close(&self, repo: &str, number: i64) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.close_pull(id, number))
    }

    /// A person opens a closed pull request again.
    pub fn reopen(&self, repo: &str, number: i64) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.reopen_pull(id, number))
    }

    /// A person changes the title.
    pub fn retitle(&self, repo: &str, number: i64, title: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        let edit = PullEdit { title: Some(title.to_owned()), ..PullEdit::default() };
        self.act(SOMEBODY, |act| act.edit_pull(id, number, edit))
    }

    /// A person rewrites the description.
    pub fn describe(&self, repo: &str, number: i64, body: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        let edit = PullEdit { body: Some(Some(body.to_owned())), ..PullEdit::default() };
        self.act(SOMEBODY, |act| act.edit_pull(id, number, edit))
    }

    /// A person changes the branch it is to go into.
    pub fn change_base(&self, repo: &str, number: i64, base: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        let edit = PullEdit { base: Some(base.to_owned()), ..PullEdit::default() };
        self.act(SOMEBODY, |act| act.edit_pull(id, number, edit))
    }

    /// A person takes a label off.
    pub fn unlabel(&self, repo: &str, number: i64, label: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.remove_label(id, number, label))
    }

    /// The next answers to whoever asks for this pull request say that `mergeable` is not known yet.
    ///
    /// Without this, [`crate::Limits::unknown_mergeability`] says how many do after each move of its head or base.
    pub fn hold_mergeability(&self, repo: &str, number: i64, answers: u32) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            let pull = act.repo_mut(id)?.pulls.get_mut(&number).ok_or_else(Reply::not_found)?;
            pull.judged.unknown_left = answers;
            Ok(())
        })
    }

    /// A person adds a label.
    pub fn label(&self, repo: &str, number: i64, label: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.add_labels(id, number, &[label.to_owned()]))
    }
}

pub(super) fn named(act: &Act<'_>, repo: i64, name: &str) -> Result<Oid, Reply> {
    act.repo(repo)?.git.commit_of(name).ok_or_else(|| Reply::unprocessable(&format!("No commit found for SHA: {name}")))
}

fn publish(act: &mut Act<'_>, repo: i64, branch: &str, commit: Oid) -> Result<(), Reply> {
    let before = act.repo(repo)?.branch(branch);
    act.move_reference(repo, &format!("refs/heads/{branch}"), before, Some(commit), false)
}

fn delete(act: &mut Act<'_>, repo: i64, reference: &str) -> Result<(), Reply> {
    let before = act.repo(repo)?.git.reference(reference).ok_or_else(Reply::not_found)?;
    act.move_reference(repo, reference, Some(before), None, false)
}

fn commit(
    act: &mut Act<'_>,
    repo: i64,
    parent: Option<Oid>,
    changes: &[FileChangeInput],
    message: &str,
) -> Result<Oid, Reply> {
    let person = act.person();
    commit_by(act, repo, parent, changes, message, &person)
}

fn commit_by(
    act: &mut Act<'_>,
    repo: i64,
    parent: Option<Oid>,
    changes: &[FileChangeInput],
    message: &str,
    person: &Person,
) -> Result<Oid, Reply> {
    let git = &act.repo(repo)?.git;
    let mut entries = BTreeMap::new();
    for change in changes {
        let entry = match &change.what {
            What::Put { mode, content } => Entry::Put { mode: i32::from(*mode), id: git.write_blob(content)? },
            What::Submodule { commit } => {
                let id = crate::git::oid(commit).ok_or_else(|| Reply::unprocessable("not a full commit sha"))?;
                Entry::Put { mode: i32::from(FileMode::Commit), id }
            }
            What::Remove => Entry::Remove,
        };
        entries.insert(change.path.clone(), entry);
    }
    let base = parent.map(|parent| git.tree_of(parent)).transpose()?;
    let tree = git.write_tree(base, &entries)?;
    let parents: Vec<Oid> = parent.into_iter().collect();
    Ok(git.write_commit(tree, &parents, person, person, message)?)
}

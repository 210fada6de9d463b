//! A commit on top of what was cloned, made without a work tree.

use super::push::full_name;
use super::{BareClone, GitError};
use crate::domain::{EntryKind, FileEdit, ObjectId, RepoPath, Snapshot};
use jiff::Timestamp;
use std::fmt::Write as _;

/// Keeps the commit from being thought of as rubbish; nobody but git looks at it.
const MADE: &str = "refs/mass-driver/made";

/// Somebody who writes commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    name: String,
    email: String,
}

impl Person {
    /// A name and an address as git writes them. `None` for what it cannot write: an empty name, brackets, line breaks.
    pub fn new(name: &str, email: &str) -> Option<Self> {
        let plain = |text: &str| !text.chars().any(|c| c.is_control() || matches!(c, '<' | '>'));
        let (name, email) = (name.trim(), email.trim());
        (!name.is_empty() && plain(name) && plain(email))
            .then(|| Self { name: name.to_owned(), email: email.to_owned() })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address.
    pub fn email(&self) -> &str {
        &self.email
    }
}

/// What a commit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitContent {
    /// These files of the base.
    Edits(Vec<FileEdit>),
    /// All of it: a tree that [`BareClone::commit_tree_of`] made.
    Tree(ObjectId),
}

/// A commit that is to be made. The same plan on the same base makes the same commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitPlan {
    /// What it changes.
    pub content: CommitContent,
    /// Its message.
    pub message: String,
    /// Who wrote it and committed it; `None` for whom the user's git names.
    pub author: Option<Person>,
    /// When, to the second, in UTC.
    pub at: Timestamp,
    /// The branch of the clone that is moved there, for people who look into it. Branches of former runs make room for it; the
    /// branch that was cloned stays what it is, and where that is in the way nothing is moved.
    pub branch: Option<String>,
}

/// A commit that was made on the base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: ObjectId,
    /// All of its files.
    pub tree: ObjectId,
    /// Whether its tree is another one than the base's. If not, there is nothing to push.
    pub changes: bool,
}

impl BareClone<'_> {
    /// Makes a commit whose only parent is the base. It is in the clone alone until it is pushed.
    ///
    /// Errors: [`GitError::NoAuthor`]; [`GitError::Other`] for edits that would replace or go through a symbolic link, a
    /// submodule or a file that is no folder. `files` is what tells.
    pub async fn commit(&self, plan: &CommitPlan, files: &Snapshot) -> Result<Commit, GitError> {
        let person = match &plan.author {
            Some(person) => person,
            None => self.git.person().await?,
        };
        let branch = match plan.branch.as_deref() {
            Some(branch) if self.make_room_for(branch).await? => Some(branch),
            _ => None,
        };
        let input = self.instructions(plan, person, branch, files)?;
        let arguments = ["--git-dir=.", "fast-import", "--quiet", "--force", "--done"];
        let command = self.git.command(self.folder(), arguments);
        let out = self.git.answer("making the commit", command, &input, self.git.local()).await?;
        let out = String::from_utf8_lossy(&out);
        // The commit, then its tree as `040000 tree <id>` and an empty path.
        let mut words = out.split_ascii_whitespace();
        let id = words.next().and_then(|id| ObjectId::parse(id).ok());
        let tree = words.nth(2).and_then(|id| ObjectId::parse(id).ok());
        let (Some(id), Some(tree)) = (id, tree) else {
            return Err(refused("git did not name the commit it made"));
        };
        let changes = tree != self.base_tree;
        Ok(Commit { id, tree, changes })
    }

    /// What `git fast-import` is told.
    fn instructions(
        &self,
        plan: &CommitPlan,
        person: &Person,
        branch: Option<&str>,
        files: &Snapshot,
    ) -> Result<Vec<u8>, GitError> {
        let seconds = plan.at.as_second().max(0);
        let Person { name, email } = person;
        let mut text = format!("commit {MADE}\nmark :1\n");
        for role in ["author", "committer"] {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{role} {name} <{email}> {seconds} +0000");
        }
        let message = plan.message.replace('\0', "");
        let _ = writeln!(text, "data {}\n{message}\nfrom {}", message.len(), self.base);
        match &plan.content {
            CommitContent::Tree(tree) => {
                let _ = writeln!(text, "M 040000 {tree} \"\"");
            }
            CommitContent::Edits(edits) => {
                // What is written below a name that goes must come after it.
                let gone = edits.iter().filter(|edit| matches!(edit, FileEdit::Delete(_)));
                let written = edits.iter().filter(|edit| matches!(edit, FileEdit::Write(_)));
                for edit in gone.chain(written) {
                    check(edit, edits, files)?;
                    let path = edit.path().as_str().replace('"', "\\\"");
                    let _ = match edit {
                        FileEdit::Delete(_) => writeln!(text, "D \"{path}\""),
                        FileEdit::Write(change) => {
                            let (mode, bytes) = (change.mode.as_str(), change.text.len());
                            writeln!(text, "M {mode} inline \"{path}\"\ndata {bytes}\n{}", change.text)
                        }
                    };
                }
            }
        }
        text.push_str("\nget-mark :1\nls :1 \"\"\n");
        if let Some(branch) = branch {
            let _ = writeln!(text, "reset {}\nfrom :1\n", full_name(branch)?);
        }
        text.push_str("done\n");
        Ok(text.into_bytes())
    }

    /// A commit that was made here before, if it still is here.
    pub async fn made(&mut self, id: &ObjectId) -> Result<Option<Commit>, GitError> {
        let tree = self.objects.tree_of(id).await?;
        Ok(tree.map(|tree| Commit { id: id.clone(), changes: tree != self.base_tree, tree }))
    }

    /// What a commit changes, as unified text of at most so many bytes; whether that is all of it.
    pub async fn diff(&self, commit: &Commit, most_bytes: usize) -> Result<(String, bool), GitError> {
        let arguments =
            ["--git-dir=.", "diff-tree", "-p", "-r", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames"];
        let mut command = self.git.command_to(&self.address, self.folder(), arguments).await?;
        command.args([self.base.as_str(), commit.id.as_str(), "--"]);
        let bounds = super::Bounds { output_bytes: most_bytes, cut: true, ..self.git.remote() };
        let ended = self.git.end(command, b"", bounds).await?;
        if !ended.is_success() {
            return Err(self.git.refused("telling what the commit changes", &ended.complaint));
        }
        Ok((String::from_utf8_lossy(&ended.out).into_owned(), ended.status.is_some()))
    }
}

/// Refuses an edit that git would carry out by taking away what nobody named.
fn check(edit: &FileEdit, edits: &[FileEdit], files: &Snapshot) -> Result<(), GitError> {
    let path = edit.path();
    let goes = |path: &RepoPath| edits.iter().any(|edit| matches!(edit, FileEdit::Delete(gone) if gone == path));
    match files.kind(path) {
        Some(EntryKind::Symlink) => {
            return Err(refused(&format!("{path} is a symbolic link, which is never replaced")));
        }
        Some(EntryKind::Submodule) => return Err(refused(&format!("{path} is a submodule, which is never changed"))),
        Some(EntryKind::File(_)) => {}
        None if matches!(edit, FileEdit::Delete(_)) => {
            return Err(refused(&format!("{path} is to be deleted, and is no file")));
        }
        None if files.is_folder(path) => return Err(refused(&format!("{path} is a folder and cannot become a file"))),
        None => {}
    }
    for (at, _) in path.as_str().match_indices('/') {
        let Ok(folder) = RepoPath::parse(&path.as_str()[..at]) else { continue };
        match files.kind(&folder) {
            None => {}
            Some(EntryKind::File(_)) if goes(&folder) => {}
            Some(_) => return Err(refused(&format!("{path} cannot be written, since {folder} is no folder"))),
        }
    }
    Ok(())
}

fn refused(said: &str) -> GitError {
    GitError::Other { what: "making the commit".to_owned(), said: said.to_owned() }
}

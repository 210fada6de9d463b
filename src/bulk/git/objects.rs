//! Reading objects by the one process of git that stays for as long as a clone is read.

use super::{Git, GitError};
use crate::bulk::process::{self, Group};
use crate::domain::ObjectId;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};

/// So many objects are asked for at a time. Before git answers, it has read them all: neither side waits for the other.
const AT_A_TIME: usize = 1000;
/// Trees and commits that are larger are not read. Unit: bytes.
const LARGEST: u64 = 64 << 20;

/// An object that is there.
#[derive(Debug)]
pub(super) struct Object {
    pub id: ObjectId,
    /// `blob`, `tree`, `commit`.
    pub kind: String,
    pub bytes: u64,
    /// All of it, where that was asked for.
    pub content: Vec<u8>,
}

/// `git cat-file --batch-command`.
#[derive(Debug)]
pub(super) struct Objects {
    _group: Group,
    _child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
    time: Duration,
}

impl Objects {
    pub(super) fn start(git: &Git, repository: &Path) -> Result<Self, GitError> {
        let mut command = git.command(repository, ["--git-dir=.", "cat-file", "--batch-command", "--buffer"]);
        // What a clone left out is fetched in one go by who asks for it, not one by one behind our back.
        command.env("GIT_NO_LAZY_FETCH", "1");
        let (mut child, group) = process::start(&mut command).map_err(|failure| git.failed(failure))?;
        let (Some(asks), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(broken("git has no pipes"));
        };
        // Its complaints are about single objects, and the answers say those as well; nobody must wait for a reader of them.
        drop(child.stderr.take());
        let time = git.settings.local_time;
        Ok(Self { _group: group, _child: child, asks, answers: BufReader::new(answers), time })
    }

    /// The tree of a commit; `None` where there is no such commit.
    pub(super) async fn tree_of(&mut self, commit: &ObjectId) -> Result<Option<ObjectId>, GitError> {
        let found = self.ask("info", &[&format!("{commit}^{{tree}}")]).await?;
        Ok(found.into_iter().next().flatten().map(|tree| tree.id))
    }

    /// The commit that `HEAD` is, and its tree; `None` where there is none.
    pub(super) async fn head(&mut self) -> Result<Option<(ObjectId, ObjectId)>, GitError> {
        let found = self.ask("info", &["HEAD^{commit}", "HEAD^{tree}"]).await?;
        Ok(match found.as_slice() {
            [Some(commit), Some(tree)] => Some((commit.id.clone(), tree.id.clone())),
            _ => None,
        })
    }

    /// What there is of some objects, without their contents. `None` where one is not in the clone.
    pub(super) async fn look_at(&mut self, ids: &[ObjectId]) -> Result<Vec<Option<Object>>, GitError> {
        self.ask("info", &names(ids)).await
    }

    /// Some objects with their contents.
    pub(super) async fn read(&mut self, ids: &[ObjectId]) -> Result<Vec<Option<Object>>, GitError> {
        self.ask("contents", &names(ids)).await
    }

    async fn ask(&mut self, verb: &str, names: &[&str]) -> Result<Vec<Option<Object>>, GitError> {
        let mut found = Vec::with_capacity(names.len());
        for some in names.chunks(AT_A_TIME) {
            let lines: String = some.iter().map(|name| format!("{verb} {name}\n")).collect();
            let time = self.time;
            let answered = tokio::time::timeout(time, self.exchange(lines + "flush\n", some.len(), verb == "contents"));
            let answered = answered.await.map_err(|_| GitError::TimedOut { after: time, said: String::new() })?;
            found.extend(answered.map_err(|error| broken(&error.to_string()))?);
        }
        Ok(found)
    }

    async fn exchange(&mut self, lines: String, count: usize, contents: bool) -> std::io::Result<Vec<Option<Object>>> {
        self.asks.write_all(lines.as_bytes()).await?;
        let mut found = Vec::with_capacity(count);
        for _ in 0..count {
            found.push(self.next(contents).await?);
        }
        Ok(found)
    }

    /// `<id> <kind> <size>`, with the contents and a line's end after it; or `<name> missing`.
    async fn next(&mut self, contents: bool) -> std::io::Result<Option<Object>> {
        let odd = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
        let mut line = String::new();
        (&mut self.answers).take(8192).read_line(&mut line).await?;
        if !line.ends_with('\n') {
            return Err(odd("git stopped answering"));
        }
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [id, kind, bytes] = words.as_slice() else { return Ok(None) };
        let (Ok(id), Ok(bytes)) = (ObjectId::parse(id), bytes.parse::<u64>()) else {
            return Err(odd("git answered what is not understood"));
        };
        let mut object = Object { id, kind: (*kind).to_owned(), bytes, content: Vec::new() };
        if contents {
            if bytes > LARGEST {
                return Err(odd("an object is too large to be read"));
            }
            object.content = vec![0; usize::try_from(bytes).unwrap_or_default()];
            self.answers.read_exact(&mut object.content).await?;
            self.answers.read_exact(&mut [0]).await?;
        }
        Ok(Some(object))
    }
}

fn names(ids: &[ObjectId]) -> Vec<&str> {
    ids.iter().map(ObjectId::as_str).collect()
}

fn broken(said: &str) -> GitError {
    GitError::Other { what: "reading objects".to_owned(), said: said.to_owned() }
}

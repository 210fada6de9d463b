//! What git knows about a folder: which files it ignores, and which it tracks where one would not look for any.
//!
//! git itself is asked, as a process: its rules come from many files, and what is tracked is not ignored whatever they say.
//! The repository is untrusted. Neither command writes or runs anything, the settings that could make git run a command
//! are overruled, and it is not waited for longer than [`LONGEST_WAIT`].

use super::walk::LEFT_OUT;
use crate::domain::RepoPath;
use std::collections::HashSet;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long git may take. It needs some milliseconds for a thousand files.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The most that is taken from git, in bytes.
const LONGEST_ANSWER_BYTES: u64 = 64 << 20;

/// Variables of an environment that would point git at another repository than the one it is asked about, or let what a
/// caller means for one command reach ours. A hook of git has some of them.
pub const OF_ANOTHER_REPOSITORY: [&str; 14] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_PREFIX",
    "GIT_NAMESPACE",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_QUARANTINE_PATH",
    "GIT_TEMPLATE_DIR",
    "GIT_LITERAL_PATHSPECS",
];

/// What git ignores in a folder.
#[derive(Debug, Default)]
pub(super) struct Ignored {
    /// Files, and folders with a `/` at their end.
    paths: HashSet<String>,
}

impl Ignored {
    /// Asks git. `None` when the folder is in no repository of git, so that nobody is asked.
    ///
    /// Errors: why git did not answer, for people.
    pub(super) fn ask(root: &Path) -> Option<Result<Self, String>> {
        if !is_in_repository(root) {
            return None;
        }
        let ignored = ["--others", "--ignored", "--exclude-standard", "--directory"];
        Some(list(root, &ignored).map(|paths| Self { paths: paths.into_iter().collect() }))
    }

    /// Whether a file is ignored by itself, or a folder, with a `/` at its end.
    pub(super) fn names(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Whether a file is ignored, or lies in a folder that is.
    pub(super) fn contains(&self, path: &RepoPath) -> bool {
        let path = path.as_str();
        let mut folders = path.match_indices('/').map(|(at, _)| &path[..=at]);
        !self.paths.is_empty() && (self.paths.contains(path) || folders.any(|folder| self.paths.contains(folder)))
    }
}

/// The tracked files in folders that tools fill elsewhere: a repository may have a `target` of its own.
///
/// None where git does not answer: whoever needs to know has asked it before, and was told why.
pub(super) fn tracked_in_left_out(root: &Path) -> Vec<RepoPath> {
    if !is_in_repository(root) {
        return Vec::new();
    }
    let patterns: Vec<String> =
        LEFT_OUT.iter().filter(|name| **name != ".git").map(|name| format!(":(glob)**/{name}/**")).collect();
    let arguments = ["--cached", "--"].into_iter().chain(patterns.iter().map(String::as_str));
    let paths = list(root, &arguments.collect::<Vec<_>>()).unwrap_or_default();
    paths.iter().filter_map(|path| RepoPath::parse(path).ok()).collect()
}

fn is_in_repository(root: &Path) -> bool {
    let whole = root.canonicalize().unwrap_or_else(|_| root.into());
    whole.ancestors().any(|folder| folder.join(".git").symlink_metadata().is_ok())
}

/// The paths that `git ls-files` lists, as they are seen from `root`.
fn list(root: &Path, arguments: &[&str]) -> Result<Vec<String>, String> {
    let mut command = Command::new("git");
    // `core.fsmonitor` names a command; a folder that looks like a bare repository may bring settings of its own.
    command.args([
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "safe.bareRepository=explicit",
    ]);
    command.args(["--no-pager", "ls-files", "-z"]).args(arguments).current_dir(root);
    for name in OF_ANOTHER_REPOSITORY {
        command.env_remove(name);
    }
    command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1").env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "it is not installed".to_owned(),
        _ => error.to_string(),
    })?;
    let answer = answer(&mut process);
    if answer.is_err() {
        // It may have ended meanwhile; then there is nothing to end.
        let _ = process.kill();
    }
    let status = process.wait().map_err(|error| error.to_string())?;
    let (out, complaint) = answer?;
    if !status.success() {
        let complaint = String::from_utf8_lossy(&complaint);
        return Err(complaint.lines().next().map_or_else(|| format!("it ended with {status}"), str::to_owned));
    }
    Ok(out.split(|byte| *byte == 0).map(|path| String::from_utf8_lossy(path).into_owned()).collect())
}

/// What a process writes to its outputs until both are closed.
fn answer(process: &mut Child) -> Result<(Vec<u8>, Vec<u8>), String> {
    let out = read_aside(process.stdout.take());
    let complaint = read_aside(process.stderr.take());
    let both = out.recv_timeout(LONGEST_WAIT).and_then(|out| Ok((out, complaint.recv_timeout(LONGEST_WAIT)?)));
    both.map_err(|_| format!("it did not answer within {} seconds", LONGEST_WAIT.as_secs()))
}

/// Reads in a thread of its own, since a pipe cannot be waited for with a limit.
fn read_aside(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (give, take) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe
            && pipe.take(LONGEST_ANSWER_BYTES).read_to_end(&mut bytes).is_ok()
        {
            // Nobody listens any more when it took too long.
            let _ = give.send(bytes);
        }
    });
    take
}

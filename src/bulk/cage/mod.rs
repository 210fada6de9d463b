//! The cage: where the commands and plug-ins of an Activity run.
//!
//! What runs there finds an environment of its own, may read what programs need to run, and may write to the clone and to a
//! folder for scratch, which is also its home. It reaches nobody over TCP. It may take so much time, memory and room, and say
//! so much; when it ends, its process group ends. An Activity grants more, by name.
//!
//! The restrictions are the system's (Landlock, Linux 6.7 or later; limits of processes). The hidden command `mass-driver cage`
//! puts them on itself and then becomes the program, so there is no moment in which the program runs without them. Where the
//! system has none, nothing runs unless everything was granted.
//!
//! What it does not hold: kernels before Landlock's tenth version let UDP through, and before its ninth Unix sockets; a process
//! that leaves its group and rubs out its environment outlives the run, and stays restricted.

pub mod inside;
mod strays;

use super::process::{self, Bounds, Failure};
use super::words::last_words;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// Folders that programs of a system read.
const SYSTEM: [&str; 11] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc",
    "/opt",
    "/nix/store",
    "/run/current-system",
    "/proc/sys",
];
/// Devices that everybody may read and write.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// What a run in the cage may take.
#[derive(Clone, Copy, Debug)]
pub struct CageLimits {
    /// How long it may run.
    pub time: Duration,
    /// The memory that each of its processes may have for data. Unit: bytes.
    pub memory_bytes: u64,
    /// The most it may write to standard output, and to standard error. Unit: bytes.
    pub output_bytes: usize,
    /// The largest file it may write. Unit: bytes.
    pub file_bytes: u64,
}

impl Default for CageLimits {
    /// Ten minutes, 4 GiB of memory, 16 MiB of output, files of 1 GiB.
    fn default() -> Self {
        Self { time: Duration::from_secs(600), memory_bytes: 4 << 30, output_bytes: 16 << 20, file_bytes: 1 << 30 }
    }
}

/// What an Activity grants beyond that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// TCP, to anywhere.
    pub network: bool,
    /// Files and folders that may be read, with what is in them, and run.
    pub read: Vec<PathBuf>,
    /// Files and folders that may be written as well.
    pub write: Vec<PathBuf>,
    /// Variables of our environment that are passed on.
    pub environment: Vec<String>,
    /// No restriction of files and network at all.
    pub everything: bool,
}

/// How commands are run.
#[derive(Clone, Debug)]
pub struct Cage {
    /// This executable: what has the hidden command `cage`.
    pub executable: PathBuf,
    /// The environment of whoever started us. Of it only `PATH`, the language and what is granted are passed on.
    pub environment: BTreeMap<OsString, OsString>,
    /// What each run may take.
    pub limits: CageLimits,
}

/// Something to run.
#[derive(Clone, Debug)]
pub struct Job<'a> {
    /// The program and its arguments. A name without a slash is looked for on the `PATH`.
    pub words: &'a [OsString],
    /// Where it runs; it may write there.
    pub folder: &'a Path,
    /// Another folder that it may write to. It must be there.
    pub scratch: &'a Path,
    /// What it reads on standard input.
    pub input: &'a [u8],
    /// Further variables.
    pub variables: &'a [(&'a str, &'a OsStr)],
    /// Further files and folders that this run needs to read.
    pub reads: &'a [PathBuf],
    /// What the Activity grants.
    pub grants: &'a Grants,
}

/// How a run ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CageEnd {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub out: Vec<u8>,
    /// The last lines it wrote to standard error, for people.
    pub complaint: String,
}

impl CageEnd {
    /// How it ended, in words: `exit code 3`.
    pub fn words(&self) -> String {
        self.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"))
    }
}

/// Why a run did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum CageError {
    /// There is no such program.
    #[error("{program} was not found on the PATH, or cannot be run")]
    NotFound {
        /// What was looked for.
        program: String,
    },
    /// The cage cannot be made here, so nothing was run.
    #[error("{why}. It was not run; `allow: {{ everything: true }}` in the Activity runs it without restrictions")]
    NoCage {
        /// What is missing.
        why: String,
    },
    /// It took too long.
    #[error("it was ended, since it took longer than {} seconds{}", .after.as_secs(), and(said))]
    TimedOut {
        /// How long it was given.
        after: Duration,
        /// Its last words.
        said: String,
    },
    /// It wrote too much.
    #[error("it was ended, since it wrote more than {limit_bytes} bytes")]
    TooMuchOutput {
        /// How much it may write.
        limit_bytes: usize,
    },
    /// The system failed.
    #[error("it could not be run: {0}")]
    System(String),
}

impl Cage {
    /// Runs something to its end. Dropping the future ends it.
    ///
    /// Errors: [`CageError`]; an exit code other than 0 is none.
    pub async fn run(&self, job: &Job<'_>) -> Result<CageEnd, CageError> {
        let first = job.words.first().map_or(OsStr::new(""), OsString::as_os_str);
        let program = self.find(first, job.folder).ok_or_else(|| {
            let program = super::words::printable(&first.to_string_lossy());
            CageError::NotFound { program }
        })?;
        let mut command = self.command(job, &program)?;
        let mark = strays::Mark::new();
        command.env(strays::VARIABLE, mark.text());
        let CageLimits { time, output_bytes, .. } = self.limits;
        let ended = process::run(&mut command, job.input, Bounds { time, output_bytes, cut: false }).await;
        let ended = ended.map_err(|failure| match failure {
            Failure::TimedOut { after, complaint } => CageError::TimedOut { after, said: last_words(&complaint, &[]) },
            Failure::TooMuchOutput { limit_bytes } => CageError::TooMuchOutput { limit_bytes },
            other => CageError::System(other.to_string()),
        })?;
        let complaint = last_words(&ended.complaint, &[]);
        let code = ended.status.and_then(|status| status.code());
        if code == Some(inside::REFUSED)
            && let Some(why) = complaint.strip_prefix(inside::MARK)
        {
            return Err(CageError::NoCage { why: why.trim().to_owned() });
        }
        Ok(CageEnd { code, out: ended.out, complaint })
    }

    /// `mass-driver cage … -- program arguments`
    fn command(&self, job: &Job<'_>, program: &Path) -> Result<Command, CageError> {
        let home = job.scratch.join("home");
        let temporary = job.scratch.join("tmp");
        for folder in [&home, &temporary] {
            std::fs::create_dir_all(folder).map_err(|error| CageError::System(error.to_string()))?;
        }
        let mut command = Command::new(&self.executable);
        command.arg("cage");
        if job.grants.everything {
            command.arg("--everything");
        }
        if job.grants.network {
            command.arg("--network");
        }
        let own = self.folders_of(program);
        let read = SYSTEM.iter().map(PathBuf::from).chain(own).chain(job.reads.iter().chain(&job.grants.read).cloned());
        let of_the_job = [job.folder.to_owned(), job.scratch.to_owned()];
        let write = DEVICES.iter().map(PathBuf::from).chain(of_the_job).chain(job.grants.write.iter().cloned());
        for (option, paths) in [("--read", read.collect::<Vec<_>>()), ("--write", write.collect())] {
            for path in paths {
                let mut argument = OsString::from(format!("{option}="));
                argument.push(path);
                command.arg(argument);
            }
        }
        let CageLimits { time, memory_bytes, file_bytes, .. } = self.limits;
        command.arg(format!("--memory-bytes={memory_bytes}")).arg(format!("--file-bytes={file_bytes}"));
        command.arg(format!("--cpu-seconds={}", time.as_secs() + 1));
        command.arg("--").arg(program).args(&job.words[1..]);
        command.current_dir(job.folder).env_clear();
        let passed =
            ["PATH", "LANG", "LC_ALL", "LC_CTYPE"].into_iter().chain(job.grants.environment.iter().map(String::as_str));
        for name in passed {
            if let Some(value) = self.environment.get(OsStr::new(name)) {
                command.env(name, value);
            }
        }
        command.env("HOME", &home).env("TMPDIR", &temporary).envs(job.variables.iter().copied());
        Ok(command)
    }

    /// The program that a word names.
    fn find(&self, word: &OsStr, folder: &Path) -> Option<PathBuf> {
        if word.is_empty() {
            return None;
        }
        if Path::new(word).components().count() > 1 || Path::new(word).is_absolute() {
            return Some(folder.join(word)).filter(|file| is_executable(file));
        }
        let path = self.environment.get(OsStr::new("PATH"))?;
        std::env::split_paths(path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(word))
            .find(|file| is_executable(file))
    }

    /// What a program may read of where it lies: its folder, also behind a link. If that is somebody's home, or holds it,
    /// the program alone.
    fn folders_of(&self, program: &Path) -> Vec<PathBuf> {
        let home = self.environment.get(OsStr::new("HOME")).map(PathBuf::from);
        let is_too_much = |folder: &Path| {
            let holds = |home: &PathBuf| {
                home.starts_with(folder) || home.canonicalize().is_ok_and(|home| home.starts_with(folder))
            };
            folder.parent().is_none() || home.as_ref().is_some_and(holds)
        };
        let own = |file: PathBuf| match file.parent() {
            Some(folder) if !is_too_much(folder) => folder.to_owned(),
            _ => file,
        };
        let behind = program.canonicalize().ok().map(own);
        std::iter::once(own(program.to_owned())).chain(behind).collect()
    }
}

/// Whether a file is there and may be run.
pub(super) fn is_executable(file: &Path) -> bool {
    let Ok(found) = file.metadata() else { return false };
    #[cfg(unix)]
    let may_run = std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o111 != 0;
    #[cfg(not(unix))]
    let may_run = true;
    found.is_file() && may_run
}

fn and(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

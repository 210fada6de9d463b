//! The sandbox: where the commands and plug-ins of an Activity run.
//!
//! What runs there finds an environment of its own, may read what programs need to run, and may write to the clone and to a
//! folder for scratch, which is also its home. It has no network. It may take so much time, memory and room, and say so much;
//! when it ends, whatever it started ends, before anybody looks at what it left. An Activity grants more, by name.
//!
//! The restrictions are the system's (Landlock, Linux 6.7 or later; a filter of system calls; limits of processes). The hidden
//! command `mass-driver sandbox` starts itself once more, as a guard of what it starts; that one puts them on itself and then
//! becomes the program, so there is no moment in which the program runs without them. Where the system has none, nothing runs unless everything was granted.
//!
//! What it does not hold:
//!
//! - Unix sockets that lie in the file system, before Landlock's ninth version. On other processors than x86-64, ARM and RISC-V
//!   of 64 bits there is no filter of system calls: before Landlock's tenth version UDP passes there, and raw sockets of root.
//! - Modes, owners, times and extended attributes of the user's files elsewhere (`chmod`, `chown`, `touch`, `setfattr`):
//!   Landlock has no right for them, and a filter of system calls sees no paths; honest tools need each of these calls in the
//!   clone. What is in the files stays out of reach.
//! - Signals to the user's other processes, before Landlock's sixth version.
//! - A program that kills its guard, where signals are not restricted or everything is granted, has failed, and nobody looks at
//!   what it left; what it had started may outlive it, restricted as it was. Where the system is not Linux there is no guard, and
//!   a process that leaves its group outlives the run.

#[cfg(target_os = "linux")]
pub mod guard;
mod hints;
pub mod inside;
#[cfg(target_os = "linux")]
mod sockets;

pub(super) use hints::explained;

use super::process::{self, Bounds, Failure};
use super::words::last_words;
use inside::Rules;
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
/// How long a guard that is asked to end has for ending all that its program started.
const GRACE: Option<Duration> = if cfg!(target_os = "linux") { Some(Duration::from_secs(5)) } else { None };
/// Devices that everybody may read and write.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// What a run in the sandbox may take.
#[derive(Clone, Copy, Debug)]
pub struct SandboxLimits {
    /// How long it may run.
    pub time: Duration,
    /// The memory that each of its processes may have for data. Unit: bytes.
    pub memory_bytes: u64,
    /// The most it may write to standard output, and to standard error. Unit: bytes.
    pub output_bytes: usize,
    /// The largest file it may write. Unit: bytes.
    pub file_bytes: u64,
}

impl Default for SandboxLimits {
    /// Ten minutes, 4 GiB of memory, 16 MiB of output, files of 1 GiB.
    fn default() -> Self {
        Self { time: Duration::from_secs(600), memory_bytes: 4 << 30, output_bytes: 16 << 20, file_bytes: 1 << 30 }
    }
}

/// What an Activity grants beyond that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// The network, to anywhere.
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
pub struct Sandbox {
    /// This executable: what has the hidden command `sandbox`.
    pub executable: PathBuf,
    /// The environment of whoever started us. Of it only `PATH`, the language and what is granted are passed on.
    pub environment: BTreeMap<OsString, OsString>,
    /// What each run may take.
    pub limits: SandboxLimits,
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
pub struct SandboxEnd {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub out: Vec<u8>,
    /// The last lines it wrote to standard error, for people. Where it failed, and they sound as if it was for what the sandbox
    /// keeps from it, with a sentence about that.
    pub complaint: String,
}

impl SandboxEnd {
    /// How it ended, in words: `exit code 3`.
    pub fn words(&self) -> String {
        self.code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"))
    }
}

/// Why a run did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// There is no such program.
    #[error("{program} was not found on the PATH, or cannot be run")]
    NotFound {
        /// What was looked for.
        program: String,
    },
    /// The sandbox cannot be made here, so nothing was run.
    #[error("{why}. It was not run; `allow: {{ everything: true }}` in the Activity runs it without restrictions")]
    NoSandbox {
        /// What is missing.
        why: String,
    },
    /// The system does not run the program in the sandbox.
    #[error("it cannot be run: {why}")]
    CannotRun {
        /// The program, what the system says, and what may help.
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

impl Sandbox {
    /// Runs something to its end. Dropping the future ends it.
    ///
    /// Errors: [`SandboxError`]; an exit code other than 0 is none.
    pub async fn run(&self, job: &Job<'_>) -> Result<SandboxEnd, SandboxError> {
        let first = job.words.first().map_or(OsStr::new(""), OsString::as_os_str);
        let program = self.find(first, job.folder).ok_or_else(|| {
            let program = super::words::one_line(&first.to_string_lossy());
            SandboxError::NotFound { program }
        })?;
        let mut command = self.command(job, &program)?;
        let SandboxLimits { time, output_bytes, .. } = self.limits;
        let bounds = Bounds { time, output_bytes, cut: false, grace: GRACE };
        let ended = process::run(&mut command, process::Input::Bytes(job.input), bounds).await;
        let ended = ended.map_err(|failure| match failure {
            Failure::TimedOut { after, complaint } => {
                SandboxError::TimedOut { after, said: last_words(&complaint, &[]) }
            }
            Failure::TooMuchOutput { limit_bytes } => SandboxError::TooMuchOutput { limit_bytes },
            other => SandboxError::System(other.to_string()),
        })?;
        let complaint = last_words(&ended.complaint, &[]);
        let code = ended.status.and_then(|status| status.code());
        if let Some(why) = complaint.strip_prefix(inside::MARK).map(|why| why.trim().to_owned()) {
            match code {
                Some(inside::REFUSED) => return Err(SandboxError::NoSandbox { why }),
                Some(inside::CANNOT_RUN) => return Err(SandboxError::CannotRun { why }),
                _ => {}
            }
        }
        let complaint = if code == Some(0) { complaint } else { explained(complaint, job.grants) };
        Ok(SandboxEnd { code, out: ended.out, complaint })
    }

    /// `mass-driver sandbox … -- program arguments`
    fn command(&self, job: &Job<'_>, program: &Path) -> Result<Command, SandboxError> {
        let home = job.scratch.join("home");
        let temporary = job.scratch.join("tmp");
        for folder in [&home, &temporary] {
            std::fs::create_dir_all(folder).map_err(|error| SandboxError::System(error.to_string()))?;
        }
        let mut command = Command::new(&self.executable);
        command.arg("sandbox").arg(format!("--parent={}", std::process::id()));
        let own = self.folders_of(program, job.folder);
        let read = SYSTEM.iter().map(PathBuf::from).chain(own).chain(job.reads.iter().chain(&job.grants.read).cloned());
        let of_the_job = [job.folder.to_owned(), job.scratch.to_owned()];
        let write = DEVICES.iter().map(PathBuf::from).chain(of_the_job).chain(job.grants.write.iter().cloned());
        let SandboxLimits { time, memory_bytes, file_bytes, .. } = self.limits;
        let rules = Rules {
            read: read.collect(),
            write: write.collect(),
            network: job.grants.network,
            everything: job.grants.everything,
            memory_bytes,
            file_bytes,
            cpu_seconds: time.as_secs() + 1,
        };
        command.args(rules.arguments());
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
    /// the program alone. Nothing of one in the clone: that is readable as it is, and where a link of the repository leads is
    /// not for the repository to say.
    fn folders_of(&self, program: &Path, clone: &Path) -> Vec<PathBuf> {
        if program.starts_with(clone) {
            return Vec::new();
        }
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

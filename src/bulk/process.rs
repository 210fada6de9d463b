//! A process with its limits: so much time, so much output, and nothing of it left when it is over.
//!
//! Each is the first of a process group of its own. The group is ended when the process ends, when it went beyond a limit,
//! and when whoever waits for it stops waiting. A process that ends others by itself is asked to end first.

use std::fs::File;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

/// How long outputs are read after the process and its group have ended: somebody outside of the group may hold them open.
const AFTER_THE_END: Duration = Duration::from_millis(500);

/// What a process may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// How long it may run.
    pub time: Duration,
    /// The most that it may write to standard output, and to standard error. Unit: bytes.
    pub output_bytes: usize,
    /// Whether more output is cut off, rather than a failure.
    pub cut: bool,
    /// For a process that ends what it started when it is asked to end (SIGTERM): how long it has for that, until it is killed.
    pub grace: Option<Duration>,
}

/// A process that ended by itself, or whose output was cut.
#[derive(Debug)]
pub(super) struct Ended {
    /// How; `None` when it was ended because its output was cut.
    pub status: Option<ExitStatus>,
    pub out: Vec<u8>,
    pub complaint: Vec<u8>,
}

impl Ended {
    /// Whether it says that it did what it was asked for.
    pub(super) fn is_success(&self) -> bool {
        self.status.is_none_or(|status| status.success())
    }
}

/// Why a process did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("it cannot be started: {0}")]
    Start(io::Error),
    #[error("it took longer than {} seconds", .after.as_secs())]
    TimedOut {
        after: Duration,
        /// What it had complained of by then.
        complaint: Vec<u8>,
    },
    #[error("it wrote more than {}", crate::domain::in_bytes(*limit_bytes))]
    TooMuchOutput { limit_bytes: usize },
    #[error("{0}")]
    Pipe(#[from] io::Error),
}

/// What a process reads.
pub(super) enum Input<'a> {
    /// This, by a pipe.
    Bytes(&'a [u8]),
    /// Nothing: an empty file, which it holds open for as long as it lives, and with it the lock on that file.
    Held(File),
}

/// Starts a process in a group of its own, with pipes to all of its three channels.
pub(super) fn start(command: &mut Command) -> Result<(Child, Group), Failure> {
    start_with(command, Stdio::piped(), None)
}

fn start_with(command: &mut Command, stdin: Stdio, grace: Option<Duration>) -> Result<(Child, Group), Failure> {
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    let child = command.spawn().map_err(Failure::Start)?;
    let group = Group { first: child.id(), grace };
    Ok((child, group))
}

/// Runs a process to its end.
pub(super) async fn run(command: &mut Command, input: Input<'_>, bounds: Bounds) -> Result<Ended, Failure> {
    let (input, stdin) = match input {
        Input::Bytes(bytes) => (bytes, Stdio::piped()),
        Input::Held(file) => (&[][..], file.into()),
    };
    let (mut child, mut group) = start_with(command, stdin, bounds.grace)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut out, mut complaint) = (Vec::new(), Vec::new());
    let all = async {
        let feed = async {
            if let Some(mut stdin) = stdin {
                // Who does not want to read all of it closes the pipe; whether that is a failure its exit code says.
                drop(stdin.write_all(input).await);
            }
            Ok(())
        };
        let collect = async {
            tokio::try_join!(feed, take(stdout, &mut out, bounds), take(stderr, &mut complaint, bounds)).map(|_| ())
        };
        let mut collect = std::pin::pin!(collect);
        tokio::select! {
            all = &mut collect => {
                all?;
                exit(&mut child, &mut group).await
            }
            status = exit(&mut child, &mut group) => {
                let status = status?;
                tokio::time::timeout(AFTER_THE_END, collect).await.unwrap_or(Ok(()))?;
                Ok(status)
            }
        }
    };
    match tokio::time::timeout(bounds.time, all).await {
        Err(_) => Err(Failure::TimedOut { after: bounds.time, complaint }),
        Ok(Err(Failure::TooMuchOutput { .. })) if bounds.cut => Ok(Ended { status: None, out, complaint }),
        Ok(Err(failure)) => Err(failure),
        Ok(Ok(status)) => Ok(Ended { status: Some(status), out, complaint }),
    }
}

/// Waits until a process has ended, ends its group, and only then lets go of its number: until then it is nobody else's.
async fn exit(child: &mut Child, group: &mut Group) -> Result<ExitStatus, Failure> {
    #[cfg(target_os = "linux")]
    if let Some(pid) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
        use rustix::process::{PidfdFlags, pidfd_open};
        #[expect(
            deprecated,
            reason = "sound here: the descriptor is owned, and stays open for as long as it is watched"
        )]
        if let Ok(watched) = pidfd_open(pid, PidfdFlags::NONBLOCK)
            && let Ok(watched) = tokio::io::unix::AsyncFd::with_interest(watched, tokio::io::Interest::READABLE)
        {
            watched.readable().await?.retain_ready();
        }
    }
    #[cfg(target_os = "linux")]
    group.end();
    let status = child.wait().await?;
    group.forget();
    Ok(status)
}

async fn take(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>, bounds: Bounds) -> Result<(), Failure> {
    let Some(pipe) = pipe else { return Ok(()) };
    let limit_bytes = bounds.output_bytes;
    let mut pipe = pipe.take(limit_bytes as u64 + 1);
    pipe.read_to_end(into).await?;
    if into.len() > limit_bytes {
        into.truncate(limit_bytes);
        return Err(Failure::TooMuchOutput { limit_bytes });
    }
    Ok(())
}

/// A process group that is ended when this is dropped.
#[derive(Debug)]
pub(super) struct Group {
    first: Option<u32>,
    grace: Option<Duration>,
}

impl Group {
    /// Ends all that are in it. Its first process must not have been waited for yet.
    fn end(&mut self) {
        #[cfg(unix)]
        if let Some(first) = self.first.and_then(|first| rustix::process::Pid::from_raw(first.cast_signed())) {
            if let Some(grace) = self.grace {
                ask_to_end(first, grace);
            }
            // Nobody may be left in it.
            let _ = rustix::process::kill_process_group(first, rustix::process::Signal::KILL);
        }
    }

    /// Its first process was waited for: from now on the number may be somebody else's.
    fn forget(&mut self) {
        self.first = None;
    }
}

/// Asks a process to end, and waits until it has ended, for so long. This blocks: whoever stops waiting for a process goes on to
/// remove what that worked on.
#[cfg(unix)]
fn ask_to_end(process: rustix::process::Pid, grace: Duration) {
    use rustix::process::{Signal, WaitId, WaitIdOptions, kill_process, waitid};
    let began = Instant::now();
    let _ = kill_process(process, Signal::TERM);
    // Who waits for it in the end still finds it.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    while matches!(waitid(WaitId::Pid(process), options), Ok(None)) && began.elapsed() < grace {
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

//! The process between us and the program: it ends when nothing that the program started is left.
//!
//! A process may leave its group and its session and rub out its environment, but not its line of descent: whoever loses its
//! parent becomes a child of the guard. So the guard waits for the program, then ends its own children until it has none. Only
//! then it ends as the program did; if it is killed itself, that is no success, and nobody looks at what was left.
//!
//! It is not restricted, so what is restricted can neither look into it nor, since Landlock's sixth version, signal it.

use super::inside::{NotRun, Rules};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, getppid, kill_process, pidfd_open, set_child_subreaper, wait,
};
use std::ffi::OsString;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

/// So long after children were told to end it is looked again.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// Runs the program, restricted, until it has ended and nothing of it is left. It is ended when `parent` ends, however that
/// ends, and when this process is asked to end (SIGTERM). Gives its exit code.
///
/// Errors: why it was not run. Where the restrictions cannot be had, or the system does not run it, the code says so.
pub fn run(rules: &Rules, parent: Option<u32>, words: &[OsString]) -> Result<i32, NotRun> {
    let none = |error: io::Error| NotRun::NoSandbox(format!("the process that ends what is left cannot work: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(none)?;
    let status = runtime.block_on(async {
        let mut told = signal(SignalKind::terminate())?;
        let parent = parent.map(watch).transpose()?;
        set_child_subreaper(Some(getpid()))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("sandbox").args(rules.arguments()).arg(format!("--guard={}", std::process::id()));
        // A group of its own: a program that ends its group means itself.
        let mut child = command.arg("--").args(words).process_group(0).spawn()?;
        let parent_ends = async {
            match &parent {
                Some(parent) => parent.readable().await.map(drop),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = child.wait() => status.map(Some),
            ended = parent_ends => ended.map(|()| None),
            _ = told.recv() => Ok(None),
        }
    });
    end_children();
    Ok(code_of(status.map_err(none)?))
}

/// Watches whoever started this.
fn watch(parent: u32) -> io::Result<AsyncFd<rustix::fd::OwnedFd>> {
    let gone = || io::Error::other("who started it has ended");
    let pid = Pid::from_raw(parent.cast_signed()).ok_or_else(gone)?;
    #[expect(deprecated, reason = "sound here: the descriptor is owned, and stays open for as long as it is watched")]
    let watched = AsyncFd::with_interest(pidfd_open(pid, PidfdFlags::NONBLOCK)?, Interest::READABLE)?;
    // Before that the number may have become somebody else's.
    if getppid() == Some(pid) { Ok(watched) } else { Err(gone()) }
}

/// Ends all children of this process, and those that become its children by that, until there are none.
fn end_children() {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => {
                kill_children();
                // The system does not tell of all: a child that one of the others traces ends unheard.
                std::thread::sleep(BETWEEN_LOOKS);
            }
            Err(_) => return,
        }
    }
}

/// Nobody else's: only this process lets go of the numbers of its children.
fn kill_children() {
    let own = getpid().as_raw_nonzero().get();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        // `12 (its name) S 1 …`: the number, the name, the state, the parent.
        let stat = std::fs::read(entry.path().join("stat")).unwrap_or_default();
        let stat = String::from_utf8_lossy(&stat);
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        if parent == Some(own)
            && let Some(child) = Pid::from_raw(number)
        {
            // It may have ended meanwhile.
            let _ = kill_process(child, Signal::KILL);
        }
    }
}

/// The exit code of a program; one that a signal ended, or that was ended, is followed in the same way.
fn code_of(status: Option<ExitStatus>) -> i32 {
    status.and_then(|status| status.code()).unwrap_or_else(|| {
        let _ = kill_process(getpid(), Signal::KILL);
        super::inside::REFUSED
    })
}

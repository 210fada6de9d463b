//! `mass-driver sandbox`: how commands and plug-ins are started. Not for people.

#[cfg(target_os = "linux")]
use crate::bulk::sandbox;
use crate::bulk::sandbox::inside::{self, Rules};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `mass-driver sandbox`.
#[derive(Clone, Debug, clap::Args)]
pub struct SandboxArgs {
    /// What may be read
    #[arg(long, value_name = "PATH")]
    pub read: Vec<PathBuf>,
    /// What may be written
    #[arg(long, value_name = "PATH")]
    pub write: Vec<PathBuf>,
    /// Let the network through
    #[arg(long)]
    pub network: bool,
    /// Restrict neither files nor network
    #[arg(long)]
    pub everything: bool,
    /// The process that started this one, to guard the program: it is ended with that
    #[arg(long, value_name = "PID")]
    pub parent: Option<u32>,
    /// The guard that started this process, to become the program
    #[arg(long, value_name = "PID", conflicts_with = "parent")]
    pub guard: Option<u32>,
    /// Memory of each process
    #[arg(long, value_name = "BYTES")]
    pub memory_bytes: u64,
    /// The largest file
    #[arg(long, value_name = "BYTES")]
    pub file_bytes: u64,
    /// Processor time of each process
    #[arg(long, value_name = "SECONDS")]
    pub cpu_seconds: u64,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    pub words: Vec<OsString>,
}

/// Guards the program, or becomes it. Gives the program's exit code, or the one that says why it was not run.
pub fn run(args: &SandboxArgs, notes: &mut dyn Write) -> u8 {
    let SandboxArgs { read, write, network, everything, parent, guard, memory_bytes, file_bytes, cpu_seconds, words } =
        args.clone();
    let rules = Rules { read, write, network, everything, memory_bytes, file_bytes, cpu_seconds };
    let ended = match guard {
        #[cfg(target_os = "linux")]
        None => sandbox::guard::run(&rules, parent, &words),
        _ => Err(inside::become_program(&rules, guard, &words)),
    };
    #[cfg(not(target_os = "linux"))]
    let _ = parent;
    let code = ended.unwrap_or_else(|not_run| {
        // Where nobody listens, the exit code says it.
        let _ = writeln!(notes, "{} {}", inside::MARK, not_run.why());
        not_run.code()
    });
    u8::try_from(code).unwrap_or(1)
}

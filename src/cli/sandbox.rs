//! `mass-driver sandbox`: how commands and plug-ins are started. Not for people.

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
    /// The process with which the program is ended
    #[arg(long, value_name = "PID")]
    pub parent: Option<u32>,
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

/// Becomes the program. It only returns when that could not be, with the exit code that says so.
pub fn run(args: &SandboxArgs, notes: &mut dyn Write) -> u8 {
    let SandboxArgs { read, write, network, everything, parent, memory_bytes, file_bytes, cpu_seconds, words } =
        args.clone();
    let rules = Rules { read, write, network, everything, parent, memory_bytes, file_bytes, cpu_seconds };
    let not_run = inside::become_program(&rules, &words);
    // Where nobody listens, the exit code says it.
    let _ = writeln!(notes, "{} {}", inside::MARK, not_run.why());
    u8::try_from(not_run.code()).unwrap_or(1)
}

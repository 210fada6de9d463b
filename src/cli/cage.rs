//! `mass-driver cage`: how commands and plug-ins are started. Not for people.

use crate::bulk::cage::inside::{self, Rules};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `mass-driver cage`.
#[derive(Clone, Debug, clap::Args)]
pub struct CageArgs {
    /// What may be read
    #[arg(long, value_name = "PATH")]
    pub read: Vec<PathBuf>,
    /// What may be written
    #[arg(long, value_name = "PATH")]
    pub write: Vec<PathBuf>,
    /// Let TCP through
    #[arg(long)]
    pub network: bool,
    /// Restrict neither files nor network
    #[arg(long)]
    pub everything: bool,
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
pub fn run(args: &CageArgs, notes: &mut dyn Write) -> u8 {
    let CageArgs { read, write, network, everything, memory_bytes, file_bytes, cpu_seconds, words } = args.clone();
    let rules = Rules { read, write, network, everything, memory_bytes, file_bytes, cpu_seconds };
    let why = inside::become_program(&rules, &words);
    // Where nobody listens, the exit code says it.
    let _ = writeln!(notes, "{} {why}", inside::MARK);
    u8::try_from(inside::REFUSED).unwrap_or(1)
}

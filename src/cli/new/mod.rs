//! `mass-driver new KIND NAME`: writes a plug-in that works, with its tests, to begin from.

mod templates;

use super::{Exit, UsageError};
use crate::bulk::plug_in::{PlugInKind, is_plug_in_name};
use anyhow::Context as _;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Arguments of `mass-driver new`.
#[derive(Clone, Debug, clap::Args)]
pub struct NewArgs {
    /// What the plug-in is for
    #[arg(value_enum)]
    pub kind: NewKind,
    /// Its name, as Activity files are to use it: small letters, digits, `-` and `_`
    pub name: String,
    /// What it is written in
    #[arg(long, value_enum, default_value = "python")]
    pub language: Language,
    /// The folder in which its folder is made
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub into: PathBuf,
}

/// What a plug-in is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum NewKind {
    /// Changes the files of a clone
    Driver,
    /// Reads facts from a clone
    Scanner,
    /// Finds repositories
    Source,
}

/// What a template is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    /// A Cargo package
    Rust,
    /// Python's standard library alone
    Python,
    /// The shell of every system
    Shell,
}

impl From<NewKind> for PlugInKind {
    fn from(kind: NewKind) -> Self {
        match kind {
            NewKind::Driver => Self::Driver,
            NewKind::Scanner => Self::Scanner,
            NewKind::Source => Self::Source,
        }
    }
}

/// Writes the template into a folder of its own, and says what to do with it.
///
/// Errors: [`UsageError`] for a name that is none and where something is already; others when it cannot be written.
pub fn run(args: &NewArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if !is_plug_in_name(&args.name) {
        let name = super::printable(&args.name);
        let rule = "small letters, digits, `-` and `_`, a letter first, at most 60 of them";
        return Err(UsageError(format!("`{name}` cannot be the name of a plug-in: {rule}")).into());
    }
    let template = templates::of(args.kind.into(), args.language, &args.name);
    let folder = args.into.join(&template.program);
    if folder.symlink_metadata().is_ok() {
        return Err(UsageError(format!("{} is there already; nothing was written", folder.display())).into());
    }
    fs::create_dir_all(&args.into).with_context(|| format!("making the folder {}", args.into.display()))?;
    // Made by this very call: what somebody else makes meanwhile is not written into.
    fs::create_dir(&folder).with_context(|| format!("making the folder {}", folder.display()))?;
    for file in &template.files {
        write(&folder.join(&file.name), &file.text, file.executable)?;
    }
    writeln!(out, "{} is written, and works.\n", folder.display())?;
    writeln!(out, "  test it:  cd {} && {}", folder.display(), template.test)?;
    writeln!(out, "  use it:   {}", template.install)?;
    Ok(Exit::Done)
}

fn write(path: &Path, text: &str, executable: bool) -> anyhow::Result<()> {
    let failed = || format!("writing {}", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).with_context(failed)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if executable { 0o755 } else { 0o644 });
    #[cfg(not(unix))]
    let _ = executable;
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).with_context(failed)
}

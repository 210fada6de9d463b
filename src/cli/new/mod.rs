//! `mass-driver new KIND NAME`: writes a plug-in that works, with its tests, to begin from.

mod templates;

use super::{Exit, UsageError};
use crate::activity::SOURCES;
use crate::bulk::plug_in::PlugInKind;
use crate::domain::plug_in_complaint;
use crate::{drivers, scanners};
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
    if let Some(why) = plug_in_complaint(&args.name) {
        let name = super::printable(&args.name);
        return Err(UsageError(format!("`{name}` cannot be the name of a plug-in: {why}")).into());
    }
    if built_in(args.kind).any(|name| name == args.name) {
        let (kind, name) = (PlugInKind::from(args.kind), &args.name);
        let why =
            format!("the {kind} `{name}` is built in, and a plug-in of that name would never be run; choose another");
        return Err(UsageError(why).into());
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
    writeln!(out, "  test it:  cd {} && {}", as_a_word(&folder), template.test)?;
    writeln!(out, "  use it:   {}", template.install)?;
    Ok(Exit::Done)
}

/// The names that an Activity takes for what is built in.
fn built_in(kind: NewKind) -> Box<dyn Iterator<Item = &'static str>> {
    match kind {
        NewKind::Driver => Box::new(drivers::TABLE.iter().map(|kind| kind.name)),
        NewKind::Scanner => Box::new(scanners::TABLE.iter().map(|scanner| scanner.name())),
        NewKind::Source => Box::new(SOURCES.iter().map(|kind| kind.name)),
    }
}

/// A path as a shell reads it: quoted where it is needed.
fn as_a_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-+,:@%=".contains(&b);
    // `cd -x` would be an option.
    let text = if text.starts_with('-') { format!("./{text}") } else { text };
    if text.bytes().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
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

//! `mass-driver drivers`, `scanners`, `sources`, `forges`: what an Activity file may name, with the keys of each.

mod examples;

use super::print::{add_row, json, lines, new_table, printable};
use super::{Exit, UsageError};
use crate::activity::{FORGES, SOURCES};
use crate::bulk::plug_in::{self, PlugInKind};
use crate::document::did_you_mean;
use crate::settings::Environment;
use crate::{drivers, scanners};
use schemars::SchemaGenerator;
use serde::Serialize;
use std::io::Write;
use std::path::PathBuf;

/// Arguments of `mass-driver drivers`, `scanners`, `sources` and `forges`.
#[derive(Clone, Debug, clap::Args)]
pub struct PlugInsArgs {
    /// List all of them, which is what is done anyway
    #[arg(long, conflicts_with = "info")]
    pub list: bool,
    /// Show one of them: its keys, and an example
    #[arg(long, value_name = "NAME")]
    pub info: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = PlugInsFormat::Table)]
    pub format: PlugInsFormat,
}

/// How they are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum PlugInsFormat {
    /// For people
    #[default]
    Table,
    /// For scripts, with the keys of each
    Json,
}

/// What may be named in a section of an Activity file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What changes a repository.
    Driver,
    /// What reads facts of it.
    Scanner,
    /// Where repositories are found.
    Source,
    /// Where pull requests are opened.
    Forge,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Driver => "driver",
            Self::Scanner => "scanner",
            Self::Source => "source",
            Self::Forge => "forge",
        }
    }

    /// Where its keys are written in an Activity file.
    const fn config(self) -> &'static str {
        match self {
            Self::Driver => "driver_config",
            Self::Source => "source_config",
            Self::Forge => "forge_config",
            Self::Scanner => "",
        }
    }

    const fn plug_in(self) -> Option<PlugInKind> {
        match self {
            Self::Driver => Some(PlugInKind::Driver),
            Self::Scanner => Some(PlugInKind::Scanner),
            Self::Source => Some(PlugInKind::Source),
            Self::Forge => None,
        }
    }
}

/// One that can be named.
#[derive(Serialize)]
struct Entry {
    name: String,
    about: String,
    /// The executable of a plug-in; `None` for what is built in.
    program: Option<PathBuf>,
    /// The executable of a plug-in that has the name of what is built in, and so is never run.
    #[serde(skip_serializing_if = "Option::is_none")]
    hides: Option<PathBuf>,
    /// `None` for a plug-in, whose keys are its own.
    keys: Option<Vec<Key>>,
    example: String,
}

#[derive(Serialize)]
struct Key {
    name: String,
    required: bool,
    about: String,
}

/// Prints what there is of a kind, or all about one of them.
///
/// Errors: [`UsageError`] for a name that there is not.
pub fn run(kind: Kind, args: &PlugInsArgs, environment: &Environment, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let entries = entries(kind, environment);
    let Some(name) = &args.info else {
        match args.format {
            PlugInsFormat::Json => writeln!(out, "{}", json(&entries)?)?,
            PlugInsFormat::Table => write!(out, "{}", list(kind, &entries))?,
        }
        return Ok(Exit::Done);
    };
    let Some(entry) = entries.iter().find(|entry| entry.name == *name) else {
        let (word, known) = (kind.word(), entries.iter().map(|entry| entry.name.as_str()));
        let meant = did_you_mean(name, known);
        let meant = if meant.is_empty() { ";".to_owned() } else { meant };
        let what = format!("there is no {word} `{}`{meant} `mass-driver {word}s` lists them", printable(name));
        return Err(UsageError(what).into());
    };
    match args.format {
        PlugInsFormat::Json => writeln!(out, "{}", json(entry)?)?,
        PlugInsFormat::Table => write!(out, "{}", info(kind, entry))?,
    }
    Ok(Exit::Done)
}

/// What is built in, then the plug-ins on the `PATH`. One of a name that is built in is never run, and stands beside that.
fn entries(kind: Kind, environment: &Environment) -> Vec<Entry> {
    let built_in = |name: &str, about: &str, keys: Vec<Key>| Entry {
        name: name.into(),
        about: about.into(),
        program: None,
        hides: None,
        keys: Some(keys),
        example: examples::of(kind, name).unwrap_or_default().into(),
    };
    let key = |(name, about, required): (&str, &str, bool)| Key { name: name.into(), required, about: about.into() };
    let mut entries: Vec<Entry> = match kind {
        Kind::Driver => drivers::TABLE.iter().map(|kind| built_in(kind.name, kind.about, keys_of(kind))).collect(),
        Kind::Scanner => scanners::TABLE.iter().map(|one| built_in(one.name(), one.about(), Vec::new())).collect(),
        Kind::Source => {
            SOURCES.iter().map(|kind| built_in(kind.name, kind.about, kind.keys().map(key).collect())).collect()
        }
        Kind::Forge => {
            FORGES.iter().map(|forge| built_in(forge.name, forge.about, forge.keys().map(key).collect())).collect()
        }
    };
    let found = kind.plug_in().and_then(|wanted| plug_in::discover(environment.search_path()).remove(&wanted));
    for (name, plug_in) in found.into_iter().flatten() {
        if let Some(entry) = entries.iter_mut().find(|entry| entry.name == name) {
            entry.hides = Some(plug_in.program);
        } else {
            entries.push(Entry {
                about: format!("The plug-in {}.", plug_in.program.display()),
                program: Some(plug_in.program),
                hides: None,
                keys: None,
                example: examples::of_plug_in(kind, &name),
                name,
            });
        }
    }
    entries
}

/// The keys of a driver, from what draws its schema: those that have to be there first.
fn keys_of(driver: &drivers::Kind) -> Vec<Key> {
    let schema = (driver.schema)(&mut SchemaGenerator::default()).to_value();
    let is_required = |name: &str| {
        schema["required"].as_array().is_some_and(|required| required.iter().any(|one| one.as_str() == Some(name)))
    };
    let properties = schema["properties"].as_object().into_iter().flatten();
    let mut keys: Vec<Key> = properties
        .map(|(name, value)| Key {
            name: name.clone(),
            required: is_required(name),
            about: value["description"].as_str().unwrap_or_default().to_owned(),
        })
        .collect();
    keys.sort_by_key(|key| !key.required);
    keys
}

fn list(kind: Kind, entries: &[Entry]) -> String {
    let mut table = new_table(["Name", "What it does"]);
    for entry in entries {
        add_row(&mut table, [&entry.name, &entry.about]);
    }
    let word = kind.word();
    let mut text =
        format!("{}\n`mass-driver {word}s --info NAME` shows the keys of one, and an example.\n", lines(table));
    if let Some(wanted) = kind.plug_in() {
        text += &format!("Executables named `mass-driver-{wanted}-NAME` on the PATH are {word}s as well.\n");
    }
    for entry in entries {
        text.extend(never_run(entry));
    }
    text
}

/// A word about a plug-in that is hidden by what is built in.
fn never_run(entry: &Entry) -> Option<String> {
    let program = printable(&entry.hides.as_ref()?.display().to_string());
    Some(format!(
        "The plug-in {program} is never run: `{}` is built in. Give it another name.\n",
        printable(&entry.name)
    ))
}

fn info(kind: Kind, entry: &Entry) -> String {
    let mut text = format!("{}: {}\n", printable(&entry.name), printable(&entry.about));
    text.extend(never_run(entry));
    match entry.keys.as_deref() {
        None => text += "\nIts keys are its own; whoever wrote it knows them.\n",
        Some([]) => text += "\nIt takes no keys.\n",
        Some(keys) => {
            text += &format!("\nKeys of `{}`:\n", kind.config());
            let mut table = new_table(["  Key", "Needed", "Meaning"]);
            for key in keys {
                let needed = if key.required { "yes" } else { "no" };
                add_row(&mut table, [&format!("  {}", key.name), needed, &key.about]);
            }
            text += &lines(table);
        }
    }
    text += "\nExample:\n";
    text.extend(entry.example.lines().map(|line| format!("  {}\n", printable(line))));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::{Format, Surroundings, parse};

    fn of(kind: Kind) -> Vec<Entry> {
        entries(kind, &Environment::default())
    }

    /// An example as it would stand in a whole file.
    fn file(kind: Kind, example: &str) -> String {
        let change = "migration: { driver_name: counter, driver_config: { target_file: a, target_count: 1 }, commit_message: c, branch_name: b }\n";
        match kind {
            Kind::Driver | Kind::Scanner | Kind::Source => example.to_owned(),
            Kind::Forge => format!("{change}{example}"),
        }
    }

    #[test]
    fn each_has_an_example_that_is_read_and_uses_the_keys_it_needs() {
        for kind in [Kind::Driver, Kind::Scanner, Kind::Source, Kind::Forge] {
            for entry in of(kind) {
                let text = file(kind, &entry.example);
                let read = parse(text.as_bytes(), Format::Yaml, &Surroundings::default());
                assert!(read.is_ok() && entry.example.contains(&entry.name), "{}: {read:?}\n{text}", entry.name);
                for key in entry.keys.unwrap().iter().filter(|key| key.required) {
                    assert!(entry.example.contains(&format!("{}:", key.name)), "{}: {}", entry.name, key.name);
                }
            }
        }
    }

    #[test]
    fn the_keys_of_drivers_are_those_of_their_tables() {
        let counter = of(Kind::Driver).into_iter().find(|entry| entry.name == "counter").unwrap();
        let keys: Vec<_> = counter.keys.unwrap().into_iter().map(|key| (key.name, key.required, key.about)).collect();
        assert_eq!(keys.len(), 2);
        assert!(keys.iter().all(|(_, required, about)| *required && !about.is_empty()), "{keys:?}");
        for entry in of(Kind::Driver) {
            assert!(entry.keys.is_some_and(|keys| keys.iter().any(|key| key.required)), "{}", entry.name);
        }
    }
}

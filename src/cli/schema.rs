//! `mass-driver schema NAME`: prints the JSON Schema of a file people write, for editors and validators.

use super::Exit;
use crate::{activity, subscription};
use std::io::Write;

/// Arguments of `mass-driver schema`.
#[derive(Clone, Debug, clap::Args)]
pub struct SchemaArgs {
    /// The kind of file
    #[arg(value_enum)]
    pub name: SchemaName,
}

/// The kinds of files that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SchemaName {
    /// What `.mass-driver.yaml` may say
    Subscription,
    /// What `.mass-driver-organisation.yaml` may say
    Organisation,
    /// What an Activity file may say, which `mass-driver run` carries out
    Activity,
}

/// Prints the schema.
///
/// Errors: only those of the writer.
pub fn run(args: &SchemaArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let schema = match args.name {
        SchemaName::Subscription => subscription::json_schema(),
        SchemaName::Organisation => subscription::organisation_schema(),
        SchemaName::Activity => activity::json_schema(),
    };
    writeln!(out, "{}", serde_json::to_string_pretty(&schema)?)?;
    Ok(Exit::Done)
}

//! What is to be done: the Activity file, read with what is around it.

use super::OverArgs;
use crate::activity::{
    Activity, BYTES_MAX, Format, PlugIns, RepositoryPlan, Source, SourceConfig, Surroundings, parse,
};
use crate::bulk::plug_in::{self, PlugIn, PlugInKind};
use crate::cli::{UsageError, printable};
use crate::document::{Problem, read_beginning};
use crate::domain::SourcedRepository;
use crate::settings::Environment;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// An Activity file that was read.
pub(super) struct LoadedActivity {
    /// The file, as whoever runs it named it.
    pub(super) file: PathBuf,
    /// Where it lies, by which its runs are found again.
    pub(super) path: String,
    /// What it says.
    pub(super) text: String,
    /// What that means.
    pub(super) activity: Activity,
    /// The plug-ins that are there.
    pub(super) plug_ins: BTreeMap<PlugInKind, BTreeMap<String, PlugIn>>,
}

/// Where the repositories of a run come from.
pub(super) enum Repositories<'a> {
    /// The command line names them.
    Named(Source),
    /// The Activity's source finds them.
    Found(&'a Source),
}

impl LoadedActivity {
    /// Reads a file.
    ///
    /// Errors: [`UsageError`] with every problem of the file, each with its place.
    pub(super) fn read(file: &Path, environment: &Environment) -> Result<Self, UsageError> {
        let refuse = |why: String| UsageError(format!("{} cannot be read: {why}", file.display()));
        let bytes = std::fs::File::open(file).and_then(|file| read_beginning(file, BYTES_MAX as u64));
        let bytes = bytes.map_err(|error| refuse(error.to_string()))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let plug_ins = plug_in::discover(environment.search_path());
        let names = |kind| plug_ins.get(&kind).map(|found| found.keys().cloned().collect()).unwrap_or_default();
        let around = Surroundings {
            plugins: PlugIns {
                drivers: names(PlugInKind::Driver),
                scanners: names(PlugInKind::Scanner),
                sources: names(PlugInKind::Source),
            },
            variables: environment.beginning_with(&["SOURCE_", "FORGE_"]),
        };
        let activity = parse(&bytes, Format::of(&name, &bytes), &around);
        let activity = activity.map_err(|problems| UsageError(told(file, &problems)))?;
        let path = file.canonicalize().unwrap_or_else(|_| file.to_owned()).display().to_string();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Self { file: file.to_owned(), path, text, activity, plug_ins })
    }

    /// Where repositories come from: the command line counts before the Activity.
    ///
    /// Errors: [`UsageError`] where neither says so.
    pub(super) fn repositories(&self, over: &OverArgs) -> Result<Repositories<'_>, UsageError> {
        let named = |config| Source { name: "command line".into(), config, allow: Default::default() };
        if let Some(file) = &over.repo_filelist {
            return Ok(Repositories::Named(named(SourceConfig::RepoFilelist {
                repo_file: file.display().to_string(),
            })));
        }
        if !over.repo_path.is_empty() {
            return Ok(Repositories::Named(named(SourceConfig::RepoList { repos: over.repo_path.clone() })));
        }
        self.activity.source.as_ref().map(Repositories::Found).ok_or_else(|| {
            let what = "says nothing of where repositories are found";
            let fix = "add a section `source`, or use --repo-path or --repo-filelist";
            UsageError(format!("{} {what}; {fix}", self.file.display()))
        })
    }

    /// What is to be done with one repository.
    ///
    /// Errors: [`UsageError`] with what is wrong for it.
    pub(super) fn for_repository(&self, repository: &SourcedRepository) -> Result<RepositoryPlan, UsageError> {
        self.activity.for_repository(repository).map_err(|problems| UsageError(told(&self.file, &problems)))
    }
}

/// Problems, a line for each. The lines of the file are not shown: one of them may hold a secret.
pub(super) fn told(file: &Path, problems: &[Problem]) -> String {
    let file = printable(&file.display().to_string());
    let lines = problems.iter().map(|problem| format!("{file}:{problem}"));
    lines.collect::<Vec<_>>().join("\n")
}

//! Where the command line finds repositories.
//!
//! Each source is an arm of [`discover`]; its keys are read in `activity/source/`. Beside it lie those that read something in
//! their turn: files of names, tables, what GitHub answers, a server's index. What a source finds is told together with what
//! it left out: a list that is silently shorter than it should be would look like work that is done.
//!
//! Nothing is kept: how long a list is good for is for whoever stores it to say.

mod files;
mod github;
mod index;
mod table;

use crate::activity::{Source, SourceConfig, address_complaint, names_secret};
use crate::domain::SourcedRepository;
use crate::forge::ForgeError;
use crate::forge::session::GitHubSession;
use crate::store::{Store, StoreError};
use futures_util::future::BoxFuture;
use std::collections::HashMap;
use std::error::Error;
use std::path::{Path, PathBuf};

/// What sources may use.
#[derive(Clone, Copy)]
pub struct SourceContext<'a> {
    /// The folder that relative paths are looked for in first: the working directory.
    pub folder: &'a Path,
    /// The folder of the Activity file, where they are looked for next.
    pub activity_folder: Option<&'a Path>,
    /// GitHub, for those that [`need`](needs) it.
    pub github: Option<&'a GitHubSession>,
    /// The server's store, for `index`.
    pub store: Option<&'a Store>,
    /// Runs the source's plug-in, where it is one.
    pub plug_in: Option<&'a RunPlugIn>,
}

/// Runs a plug-in with its keys. Errors: what went wrong, in words that name the plug-in.
pub type RunPlugIn =
    dyn Fn(&serde_json::Value) -> BoxFuture<'static, Result<Vec<SourcedRepository>, PlugInFailure>> + Send + Sync;

/// What went wrong with a plug-in, as those who run it know it.
pub type PlugInFailure = Box<dyn Error + Send + Sync>;

/// What a source has to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing but files.
    Nothing,
    /// GitHub, in the name of a person.
    Person,
    /// GitHub, in the name of an installation of an App.
    Installation(crate::activity::AppAccess),
    /// The store.
    Store,
    /// Plug-ins.
    PlugIns,
}

/// What a source has to be given in its [`SourceContext`].
pub fn needs(source: &Source) -> Needs {
    match &source.config {
        SourceConfig::RepoList { .. }
        | SourceConfig::RepoFilelist { .. }
        | SourceConfig::TemplateFilelist { .. }
        | SourceConfig::CsvFilelist { .. } => Needs::Nothing,
        SourceConfig::GitHubSearch { .. } | SourceConfig::GitHubOrganisation { .. } => Needs::Person,
        SourceConfig::GitHubAppSearch { app, .. } | SourceConfig::GitHubInstallation { app, .. } => {
            Needs::Installation(*app)
        }
        SourceConfig::Index { .. } => Needs::Store,
        SourceConfig::PlugIn { .. } => Needs::PlugIns,
    }
}

/// The repositories that a source found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Each once, by id, in the order of the source.
    pub repositories: Vec<SourcedRepository>,
    /// What people should know of it: what was left out, and why.
    pub remarks: Vec<String>,
}

/// Why a source found nothing.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file cannot be read. Do: correct its path.
    #[error("{} cannot be read: {why}", path.display())]
    File {
        /// The file as it was written.
        path: PathBuf,
        /// What is wrong, and where it was looked for.
        why: String,
    },
    /// A file says something that cannot be used. Do: correct that line.
    #[error("{}:{line}: {why}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
        /// What is wrong and what would be right.
        why: String,
    },
    /// An entry that stands in no file cannot be used.
    #[error("the source `{source_name}` names a repository that cannot be used ({id}): {why}")]
    Entry {
        /// The source.
        source_name: String,
        /// The repository.
        id: String,
        /// What is wrong.
        why: &'static str,
    },
    /// GitHub did not answer, or refused.
    #[error(transparent)]
    GitHub(#[from] ForgeError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A plug-in failed.
    #[error(transparent)]
    PlugIn(PlugInFailure),
    /// Whoever asks has not given what the source needs.
    #[error("the source `{source_name}` needs {what}")]
    Missing {
        /// The source.
        source_name: String,
        /// What it needs, and where it would come from.
        what: &'static str,
    },
}

/// Finds the repositories of a source.
pub async fn discover(source: &Source, context: &SourceContext<'_>) -> Result<Discovery, SourceError> {
    let missing = |what| SourceError::Missing { source_name: source.name.clone(), what };
    let github = || {
        context
            .github
            .ok_or_else(|| missing("access to GitHub: a token in SOURCE_TOKEN or GH_TOKEN, or an App's private key"))
    };
    let mut found = match &source.config {
        SourceConfig::RepoList { repos } => {
            let repositories = repos.iter().map(|repo| at(repo, repo)).collect();
            Discovery { repositories, remarks: Vec::new() }
        }
        SourceConfig::RepoFilelist { repo_file } => files::repo_file(repo_file, None, context)?,
        SourceConfig::TemplateFilelist { repo_file, clone_url_template } => {
            files::repo_file(repo_file, Some(clone_url_template), context)?
        }
        SourceConfig::CsvFilelist { csv_file, shape } => table::csv_file(csv_file, shape, context)?,
        SourceConfig::GitHubSearch { search_query, filter }
        | SourceConfig::GitHubAppSearch { search_query, filter, .. } => {
            github::picked(github()?.search(search_query).await?, *filter)
        }
        SourceConfig::GitHubOrganisation { organisation, filter } => {
            github::picked(github()?.organisation(organisation).await?, *filter)
        }
        SourceConfig::GitHubInstallation { filter, .. } => github::picked(github()?.installation().await?, *filter),
        SourceConfig::Index { ecosystem, package, versions, clone_by } => {
            let store = context.store.ok_or_else(|| missing("the server's store: set DATABASE_URL"))?;
            index::using(store, (*ecosystem, package), versions.as_deref(), *clone_by).await?
        }
        SourceConfig::PlugIn { config, .. } => {
            let run = context.plug_in.ok_or_else(|| missing("plug-ins, which are not run here"))?;
            Discovery { repositories: run(config).await.map_err(SourceError::PlugIn)?, remarks: Vec::new() }
        }
    };
    if let Some((one, why)) = found.repositories.iter().find_map(|one| Some((one, complaint(one)?))) {
        return Err(SourceError::Entry { source_name: source.name.clone(), id: readable(one), why });
    }
    found.without_repeats();
    Ok(found)
}

/// What is known of a repository that was only named.
fn at(id: &str, clone_url: &str) -> SourcedRepository {
    SourcedRepository {
        id: id.into(),
        clone_url: clone_url.into(),
        upstream_branch: None,
        patch_data: Default::default(),
    }
}

/// Why a repository cannot be handed on.
fn complaint(repository: &SourcedRepository) -> Option<&'static str> {
    const LONGEST_BYTES: usize = 2_000;
    if repository.id.trim().is_empty() || repository.id.chars().any(char::is_control) {
        return Some("its id is empty, or has control characters in it");
    }
    if repository.id.len() > LONGEST_BYTES || repository.clone_url.len() > LONGEST_BYTES {
        return Some("its id or address is longer than 2,000 bytes");
    }
    if names_secret(&repository.id) {
        return Some("there is a password or token in its id, which is stored and shown; give it another one");
    }
    let branch = repository.upstream_branch.as_deref().and_then(crate::domain::branch_complaint);
    if branch.is_some() {
        return Some("its `upstream_branch` is no name for a branch");
    }
    address_complaint(&repository.clone_url)
}

/// The id as a message may show it: an address may hold a password.
fn readable(repository: &SourcedRepository) -> String {
    if names_secret(&repository.id) {
        return "its address is not shown".into();
    }
    repository.id.chars().filter(|c| !c.is_control()).take(80).collect()
}

impl Discovery {
    /// Drops what is there already under its id, and says so.
    fn without_repeats(&mut self) {
        const SHOWN: usize = 5;
        let mut seen: HashMap<String, SourcedRepository> = HashMap::new();
        let (mut same, mut other) = (Vec::new(), Vec::new());
        self.repositories.retain(|one| match seen.get(&one.id) {
            None => {
                seen.insert(one.id.clone(), one.clone());
                true
            }
            Some(first) => {
                let repeats = if first == one { &mut same } else { &mut other };
                repeats.push(one.id.clone());
                false
            }
        });
        let told = |ids: &[String]| {
            let more = if ids.len() > SHOWN { format!(" and {} more", ids.len() - SHOWN) } else { String::new() };
            ids.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ") + &more
        };
        if !same.is_empty() {
            self.remarks.push(format!("named more than once, and taken once: {}", told(&same)));
        }
        if !other.is_empty() {
            let what = "named more than once with different values; the first ones count";
            self.remarks.push(format!("{what}: {}", told(&other)));
        }
    }
}

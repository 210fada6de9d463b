//! What a run works with: git, folders, the sandbox, plug-ins.

use super::OverArgs;
use super::identities::{Identities, identities};
use super::loaded::LoadedActivity;
use super::session::{HeldRun, Session};
use crate::activity::{Migration, Source, SourceConfig};
use crate::bulk::engine::{Engine, RunObserver};
use crate::bulk::git::{Git, GitError, GitSettings, remove_unused};
use crate::bulk::github::Deliverer;
use crate::bulk::plug_in::{PlugIn, PlugInKind, Task};
use crate::bulk::sandbox::{Grants, Sandbox, SandboxLimits};
use crate::bulk::scratch::{Scratch, TempWorkspace, remove_abandoned, remove_abandoned_temporary};
use crate::bulk::working_clone::Tools;
use crate::cli::UsageError;
use crate::domain::{RunKind, SourcedRepository};
use crate::settings::Environment;
use crate::sources::RunPlugIn;
use anyhow::Context as _;
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How many repositories are worked on at a time, where nobody says and the machine has processors enough.
const PARALLEL: usize = 8;

/// Everything that a run needs, once it has a number.
///
/// Errors: what is missing, such as a token, git, or a folder for clones.
pub(super) async fn engine(
    loaded: &LoadedActivity,
    over: &OverArgs,
    kind: RunKind,
    session: &Session,
    environment: &Environment,
) -> anyhow::Result<impl FnOnce(&HeldRun) -> Arc<Engine> + use<>> {
    let Identities { opens, tokens, clones: credential } = identities(loaded, over, kind, session, environment)?;
    let kept = kept_folders(over, environment)?;
    let scratch = scratch(kept.as_ref())?;
    let clones = kept.as_ref().map_or_else(|| scratch.path().join("clones"), |kept| kept.clones.clone());
    remove_leftovers_aside(kept, session.clock.now());
    let mut git = GitSettings::new(clones, environment.variables().clone());
    git.credential = credential;
    let tools = Tools {
        git: Git::new(git.clone()),
        sandbox: sandbox(environment)?,
        plug_ins: loaded.plug_ins.clone(),
        scratch,
    };
    commits_have_an_author(&tools.git, loaded).await?;
    let observer: Arc<dyn RunObserver> = Arc::clone(&session.progress) as Arc<dyn RunObserver>;
    let spacing = Duration::from_millis(over.write_spacing_ms.into());
    let deliverer = opens.map(|repositories| Deliverer::new(repositories, spacing));
    let activity = loaded.activity.clone();
    let parallel = over.parallel.map_or_else(usual_parallel, |n| n.get().into());
    let (store, clock) = (session.store.clone(), Arc::clone(&session.clock));
    Ok(move |held: &HeldRun| {
        let HeldRun { run, lease } = held.clone();
        Arc::new(Engine { tools, git, activity, deliverer, tokens, parallel, run, lease, store, clock, observer })
    })
}

/// That git knows whose commits they are, where any are made and the Activity does not say.
///
/// Errors: how to tell git.
async fn commits_have_an_author(git: &Git, loaded: &LoadedActivity) -> Result<(), UsageError> {
    let named = |migration: &Migration| migration.author.name.is_some() && migration.author.email.is_some();
    match git.person().await {
        Err(GitError::NoAuthor { .. }) if loaded.activity.migration.as_ref().is_none_or(named) => Ok(()),
        person => person.map(drop).map_err(|error| UsageError(error.to_string())),
    }
}

fn usual_parallel() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (2 * processors).min(PARALLEL)
}

/// Folders that outlive a run.
struct KeptFolders {
    /// Where clones are kept.
    clones: PathBuf,
    /// Where they are worked on, each process in a folder of its own.
    work: PathBuf,
}

/// Where whoever runs this wants clones kept, if anywhere.
fn kept_folders(over: &OverArgs, environment: &Environment) -> anyhow::Result<Option<KeptFolders>> {
    if over.no_cache {
        return Ok(None);
    }
    if let Some(folder) = &over.cache_folder {
        return Ok(Some(KeptFolders { clones: folder.clone(), work: folder.join("work") }));
    }
    let none = || UsageError("set HOME or --cache-folder: clones have to be kept somewhere".into());
    let cache = usual_cache(environment).ok_or_else(none)?;
    Ok(Some(KeptFolders { clones: cache.join("clones"), work: cache.join("work") }))
}

fn scratch(kept: Option<&KeptFolders>) -> anyhow::Result<Scratch> {
    let none = "no folder for work can be made";
    let Some(KeptFolders { work, .. }) = kept else { return Scratch::temporary().context(none) };
    Ok(Scratch::below(work).map_err(|error| UsageError(format!("{none} in {}: {error}", work.display())))?)
}

/// Removes what killed runs left, and clones that nobody used for long, in a thread of its own. Nobody waits for it, the end
/// of this process neither: it may be interrupted anywhere.
fn remove_leftovers_aside(kept: Option<KeptFolders>, now: Timestamp) {
    drop(std::thread::spawn(move || {
        if let Some(kept) = kept {
            remove_abandoned(&kept.work, now);
            remove_unused(&kept.clones, now);
        }
        remove_abandoned_temporary(&std::env::temp_dir(), now);
    }));
}

fn usual_cache(environment: &Environment) -> Option<PathBuf> {
    let folder = environment.path("XDG_CACHE_HOME").filter(|folder| folder.is_absolute());
    let folder = folder.or_else(|| Some(environment.path("HOME")?.join(".cache")))?;
    Some(folder.join("mass-driver"))
}

fn sandbox(environment: &Environment) -> anyhow::Result<Sandbox> {
    let executable = std::env::current_exe().context("this executable cannot be found again")?;
    Ok(Sandbox { executable, environment: environment.variables().clone(), limits: SandboxLimits::default() })
}

/// How the plug-in of a source is run; `None` for a source that is none.
pub(super) fn source_plug_in(
    source: &Source,
    loaded: &LoadedActivity,
    environment: &Environment,
) -> anyhow::Result<Option<Box<RunPlugIn>>> {
    let SourceConfig::PlugIn { name, .. } = &source.config else { return Ok(None) };
    let found = loaded.plug_ins.get(&PlugInKind::Source).and_then(|all| all.get(name));
    let missing = || UsageError(format!("there is no executable mass-driver-source-{name} on the PATH"));
    let plug_in = found.ok_or_else(missing)?.clone();
    let sandbox = sandbox(environment)?;
    let grants = crate::bulk::working_clone::grants(&source.allow, environment.path("HOME").as_deref());
    Ok(Some(Box::new(move |config| {
        let (plug_in, sandbox, grants, config) = (plug_in.clone(), sandbox.clone(), grants.clone(), config.clone());
        Box::pin(async move { Ok(found_by(&plug_in, &sandbox, &grants, &config).await?) })
    })))
}

async fn found_by(
    plug_in: &PlugIn,
    sandbox: &Sandbox,
    grants: &Grants,
    config: &serde_json::Value,
) -> anyhow::Result<Vec<SourcedRepository>> {
    let no_room = || format!("no folder can be made for the source plug-in `{}`", plug_in.name);
    let workspace = TempWorkspace::temporary().with_context(no_room)?;
    let (folder, scratch) =
        (workspace.make("empty").with_context(no_room)?, workspace.make("scratch").with_context(no_room)?);
    let task = Task { config, repository: None, folder: &folder, scratch: &scratch, reads: &[], grants };
    Ok(plug_in.find(sandbox, &task).await?)
}

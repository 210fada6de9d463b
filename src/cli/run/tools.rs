//! What a run works with: git with its credentials, the cage, plug-ins, GitHub.

use super::order::Order;
use super::{OverArgs, Session};
use crate::activity::{ForgeKind, Source, SourceConfig};
use crate::app;
use crate::bulk::cage::{Cage, CageLimits};
use crate::bulk::deliver::{Access, Deliverer, app_access};
use crate::bulk::engine::{Engine, Watch};
use crate::bulk::git::{ForgeCredential, Git, GitSettings};
use crate::bulk::patience::Patience;
use crate::bulk::plug_in::{PlugInKind, Task};
use crate::bulk::workshop::Workshop;
use crate::cli::UsageError;
use crate::cli::credentials::{self, Purpose};
use crate::domain::{Clock, InstallationId, Run};
use crate::forge::direct::Direct;
use crate::forge::web_host;
use crate::settings::Environment;
use crate::sources::{Needs, RunPlugIn};
use anyhow::Context as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// How many repositories are worked on at a time, where nobody says and the machine has processors enough.
const PARALLEL: usize = 8;

/// Everything that a run needs.
pub(super) async fn engine(
    order: &Order,
    run: &Run,
    over: &OverArgs,
    dry: bool,
    session: &Session,
    environment: &Environment,
) -> anyhow::Result<Arc<Engine>> {
    let (api, clock) = (&over.github.github_api_url, &session.clock);
    let forge = order.activity.forge.as_ref().map(|forge| forge.kind);
    let mut credential = None;
    let (mut access, mut own_tokens) = (None, false);
    match forge {
        Some(ForgeKind::GitHubApp { app_id, installation }) => {
            let key = credentials::app(&over.github, environment, Purpose::Forge, app_id)?;
            let installation = match installation {
                Some(id) => Some(id),
                None => credentials::installation(environment, Purpose::Forge)?,
            };
            access =
                Some(app_access(app::github_of_app(api, key.app_id, key.private_key, clock.clone())?, installation));
            own_tokens = true;
        }
        Some(ForgeKind::GitHub) | Some(ForgeKind::Dummy) | None => {
            let found = match credentials::person(api, environment, Purpose::Forge) {
                // Whoever opens no pull request may well do without.
                Err(_) if forge != Some(ForgeKind::GitHub) => None,
                found => found?,
            };
            if let (Some(found), Some(host)) = (&found, web_host(api)) {
                credential = Some(ForgeCredential { host, token: found.token.clone() });
            }
            if forge == Some(ForgeKind::GitHub) && !dry {
                let found = found.ok_or_else(|| credentials::no_token(api, Purpose::Forge))?;
                access = Some(Access::Direct(app::github_of_person(api, found.token, clock.clone())?));
            }
        }
    }
    let scratch =
        tempfile::Builder::new().prefix("mass-driver-").tempdir().context("no folder for work can be made")?;
    let cache_folder = match (&over.cache_folder, over.no_cache) {
        (_, true) => scratch.path().join("clones"),
        (Some(folder), false) => folder.clone(),
        (None, false) => {
            usual_cache(environment).context("set HOME or --cache-folder: clones have to be kept somewhere")?
        }
    };
    let mut git = GitSettings::new(cache_folder, environment.variables().clone());
    git.credential = credential;
    let workshop =
        Workshop { git: Git::new(git.clone()), cage: cage(environment)?, plug_ins: order.plug_ins.clone(), scratch };
    let watch: Arc<dyn Watch> = Arc::clone(&session.progress) as Arc<dyn Watch>;
    let spacing = Duration::from_millis(over.write_spacing_ms.into());
    let deliverer = access.map(|access| Deliverer::new(access, patience(session), spacing));
    Ok(Arc::new(Engine {
        workshop,
        git,
        activity: order.activity.clone(),
        deliverer,
        own_tokens,
        dry,
        parallel: over.parallel.map_or_else(usual_parallel, |n| n.get().into()),
        run: (run.id, run.started_at),
        store: session.store.clone(),
        clock: Arc::clone(&session.clock),
        watch,
    }))
}

/// Waits as GitHub asks, and tells so.
pub(super) fn patience(session: &Session) -> Patience {
    let progress = Arc::clone(&session.progress);
    Patience::new(Arc::clone(&session.clock), move |what| progress.says(what))
}

fn usual_parallel() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (2 * processors).min(PARALLEL)
}

fn usual_cache(environment: &Environment) -> Option<PathBuf> {
    let folder = environment.path("XDG_CACHE_HOME").filter(|folder| folder.is_absolute());
    let folder = folder.or_else(|| Some(environment.path("HOME")?.join(".cache")))?;
    Some(folder.join("mass-driver").join("clones"))
}

fn cage(environment: &Environment) -> anyhow::Result<Cage> {
    let executable = std::env::current_exe().context("this executable cannot be found again")?;
    Ok(Cage { executable, environment: environment.variables().clone(), limits: CageLimits::default() })
}

/// GitHub for a source that asks it.
pub(super) fn github_of_source(
    needs: Needs,
    over: &OverArgs,
    environment: &Environment,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<Option<Direct>> {
    let api = &over.github.github_api_url;
    Ok(match needs {
        Needs::Nothing | Needs::Store | Needs::PlugIns => None,
        Needs::Person => {
            let found = credentials::person(api, environment, Purpose::Source)?;
            let found = found.ok_or_else(|| credentials::no_token(api, Purpose::Source))?;
            Some(app::github_of_person(api, found.token, clock)?)
        }
        Needs::Installation(app) => {
            let key = credentials::app(&over.github, environment, Purpose::Source, app.app_id)?;
            let github = app::github_of_app(api, key.app_id, key.private_key, clock)?;
            Some(Direct::of_installation(github, InstallationId(app.installation)))
        }
    })
}

/// How the plug-in of a source is run.
pub(super) fn source_plug_in(
    source: &Source,
    order: &Order,
    environment: &Environment,
) -> anyhow::Result<Box<RunPlugIn>> {
    let cage = cage(environment)?;
    let found =
        match &source.config {
            SourceConfig::PlugIn { name, .. } => {
                let all = order.plug_ins.get(&PlugInKind::Source);
                let found = all.and_then(|all| all.get(name)).cloned();
                Some(found.ok_or_else(|| {
                    UsageError(format!("there is no executable mass-driver-source-{name} on the PATH"))
                })?)
            }
            _ => None,
        };
    let grants = crate::bulk::workshop::grants(&source.allow, environment.path("HOME").as_deref());
    Ok(Box::new(move |_, config| {
        let (cage, found, grants, config) = (cage.clone(), found.clone(), grants.clone(), config.clone());
        Box::pin(async move {
            let Some(plug_in) = found else { return Err("it was not found".to_owned()) };
            let room: TempDir = tempfile::tempdir().map_err(|error| error.to_string())?;
            let (folder, scratch) = (room.path().join("empty"), room.path().join("scratch"));
            for folder in [&folder, &scratch] {
                std::fs::create_dir(folder).map_err(|error| error.to_string())?;
            }
            let task = Task {
                config: &config,
                repository: None,
                folder: &folder,
                scratch: &scratch,
                reads: &[],
                grants: &grants,
            };
            plug_in.find(&cage, &task).await.map_err(|error| error.to_string())
        })
    }))
}

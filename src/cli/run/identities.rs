//! In whose name the parts of a run are done.

use super::OverArgs;
use super::loaded::{LoadedActivity, Repositories};
use super::session::Session;
use crate::activity::ForgeKind;
use crate::bulk::engine::RunObserver as _;
use crate::bulk::git::ForgeCredential;
use crate::bulk::github::GitHubRepositories;
use crate::bulk::retry::Retry;
use crate::cli::UsageError;
use crate::cli::credentials::{self, Asker, Identity, PersonToken, Purpose};
use crate::domain::{InstallationId, RunKind};
use crate::forge::web_host;
use crate::settings::{Environment, GitHubAppSettings};
use crate::sources::{Needs, needs};
use std::sync::Arc;

/// Who opens pull requests, and who clones.
#[derive(Default)]
pub(super) struct Identities {
    /// Pushes and opens pull requests; `None` where nothing leaves this machine.
    pub(super) opens: Option<Arc<GitHubRepositories>>,
    /// Has a token for git for each repository; `None` where one serves all, or they are cloned without.
    pub(super) tokens: Option<Arc<GitHubRepositories>>,
    /// The token that serves all clones.
    pub(super) clones: Option<ForgeCredential>,
}

/// In whose name a run is done: that of the forge, or else of the source.
///
/// Errors: what is missing, such as a token for pull requests that are to be opened.
pub(super) fn identities(
    loaded: &LoadedActivity,
    over: &OverArgs,
    kind: RunKind,
    session: &Session,
    environment: &Environment,
) -> anyhow::Result<Identities> {
    let (github, api) = (&over.github, &over.github.github_api_url);
    let repositories = |identity: &Identity| -> anyhow::Result<Arc<GitHubRepositories>> {
        Ok(Arc::new(GitHubRepositories::new(identity.caller(api, Arc::clone(&session.clock))?, retry(session))))
    };
    let credential = |found: PersonToken| Some(ForgeCredential { host: web_host(api)?, token: found.token });
    let mut identities = Identities::default();
    match loaded.activity.forge.as_ref().map(|forge| forge.kind) {
        Some(ForgeKind::GitHubApp { app_id, installation }) => {
            let identity = Identity::app(github, environment, Purpose::Forge, (app_id, installation))?;
            let repositories = repositories(&identity)?;
            identities.opens = (kind == RunKind::Run).then(|| Arc::clone(&repositories));
            identities.tokens = Some(repositories);
        }
        Some(ForgeKind::GitHub) => {
            let person = match credentials::person(api, environment, Purpose::Forge) {
                // A dry run may well do without.
                Err(_) if kind != RunKind::Run => None,
                found => found?,
            };
            if kind == RunKind::Run {
                let found = person.clone().ok_or_else(|| credentials::no_token(api, Purpose::Forge))?;
                identities.opens = Some(repositories(&Identity::One(Asker::Person(found)))?);
            }
            identities.clones = person.and_then(credential);
        }
        Some(ForgeKind::Dummy) | None => match loaded.repositories(over) {
            // Whatever an installation found, it can clone.
            Ok(Repositories::Found(source)) if matches!(needs(source), Needs::Installation(_)) => {
                let asker = of_source(needs(source), github, environment)?;
                identities.tokens = asker.map(|asker| repositories(&Identity::One(asker))).transpose()?;
            }
            _ => {
                let person = credentials::person(api, environment, Purpose::Source).unwrap_or_default();
                identities.clones = person.and_then(credential);
            }
        },
    }
    Ok(identities)
}

/// Who asks GitHub for what a source finds; `None` where it does not ask GitHub.
///
/// Errors: what is missing, or cannot be used.
pub(super) fn of_source(
    needs: Needs,
    github: &GitHubAppSettings,
    environment: &Environment,
) -> Result<Option<Asker>, UsageError> {
    match needs {
        Needs::Nothing | Needs::Store | Needs::PlugIns => Ok(None),
        Needs::Person => Asker::person(github, environment, Purpose::Source).map(Some),
        Needs::Installation(app) => {
            let key = credentials::app(github, environment, Purpose::Source, app.app_id)?;
            Ok(Some(Asker::Installation { key, id: InstallationId(app.installation) }))
        }
    }
}

/// Waits as GitHub asks, and tells so.
pub(super) fn retry(session: &Session) -> Retry<'static> {
    let progress = Arc::clone(&session.progress);
    Retry::new(Arc::clone(&session.clock), move |what| progress.says(what))
}

//! Which repositories a run is over: those that are named, or those that the Activity's source finds.

use super::identities::{of_source, retry};
use super::loaded::{LoadedActivity, Repositories};
use super::session::Session;
use super::{OverArgs, tools};
use crate::activity::{Grants, Source, SourceConfig};
use crate::bulk::address::Address;
use crate::bulk::engine::{RunItem, RunObserver as _};
use crate::cli::UsageError;
use crate::cli::credentials::Asker;
use crate::domain::discovery::{AskedBy, Question};
use crate::domain::{DiscoveryKey, RunRepository, SourcedRepository};
use crate::forge::ForgeError;
use crate::settings::Environment;
use crate::sources::{Discovery, Needs, SourceContext, SourceError, discover, needs};
use crate::store::Store;
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// What a source found is taken for so long, unless somebody wants it anew.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The repositories of a run, with what is to be done with each. Whatever is wrong for one of them is told before anything is
/// cloned.
pub(super) async fn items(
    repositories: &Repositories<'_>,
    loaded: &LoadedActivity,
    over: &OverArgs,
    session: &Session,
    environment: &Environment,
) -> anyhow::Result<Vec<RunItem>> {
    let found = match repositories {
        Repositories::Named(source) => named(source, session).await?,
        Repositories::Found(source) => found(source, loaded, over, session, environment).await?,
    };
    let found = without_repeats(found, session);
    if found.is_empty() {
        return Err(UsageError("no repository was found, so there is nothing to do".into()).into());
    }
    let all = found.len();
    let some = over.limit.map_or(all, |limit| limit.get() as usize);
    if some < all {
        session.progress.says(&format!("{some} of {all} repositories"));
    }
    let pushes = loaded.activity.forge.as_ref().is_some_and(|forge| forge.git_push_first);
    let mut branches: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut items = Vec::with_capacity(found.len());
    for (position, repository) in (0_u32..).zip(found.into_iter().take(some)) {
        let plan = loaded.for_repository(&repository)?;
        if let Some(words) = plan.forge.as_ref().filter(|_| pushes) {
            let branch = (identity(&repository.clone_url), words.head_branch.clone());
            if let Some(other) = branches.insert(branch, repository.id.clone()) {
                return Err(UsageError(format!(
                    "`{other}` and `{}` are one repository, and both would be pushed as {}: name it once, or let `head_branch` tell \
                     them apart, by {{{{ patch_data.NAME }}}} for example",
                    repository.id, words.head_branch
                ))
                .into());
            }
        }
        items.push(RunItem { row: RunRepository::new(position, repository), plan });
    }
    Ok(items)
}

/// What tells a repository from others, whatever address it is named by.
fn identity(clone_url: &str) -> String {
    Address::parse(clone_url).map_or_else(|_| clone_url.to_owned(), |address| address.identity())
}

/// Leaves out what is named twice by two addresses, with nothing else to tell it apart.
fn without_repeats(mut found: Vec<SourcedRepository>, session: &Session) -> Vec<SourcedRepository> {
    let mut seen = BTreeSet::new();
    let all = found.len();
    found.retain(|one| seen.insert((identity(&one.clone_url), one.upstream_branch.clone(), one.patch_data.clone())));
    let repeats = all - found.len();
    if repeats > 0 {
        let are = if repeats == 1 { "repository is" } else { "repositories are" };
        session.progress.says(&format!("{repeats} {are} named again by another address, and taken once"));
    }
    found
}

async fn named(source: &Source, session: &Session) -> anyhow::Result<Vec<SourcedRepository>> {
    let folder = std::env::current_dir()?;
    let context = SourceContext { folder: &folder, activity_folder: None, github: None, store: None, plug_in: None };
    Ok(told(discover(source, &context).await.map_err(of_usage)?, session))
}

/// Whatever has to be corrected before a source finds anything is wrong usage; what it asks may be out of context.
fn of_usage(error: SourceError) -> anyhow::Error {
    match error {
        SourceError::File { .. }
        | SourceError::Line { .. }
        | SourceError::Entry { .. }
        | SourceError::Missing { .. } => UsageError(error.to_string()).into(),
        SourceError::GitHub(_) | SourceError::Store(_) | SourceError::PlugIn { .. } => error.into(),
    }
}

/// The folder of an Activity file, where files it names are looked for too, unless that is the one they are looked for in first.
fn beside<'a>(file: &'a Path, folder: &Path) -> Option<&'a Path> {
    let same =
        |beside: &Path| matches!((folder.join(beside).canonicalize(), folder.canonicalize()), (Ok(a), Ok(b)) if a == b);
    file.parent().filter(|beside| !same(beside))
}

async fn found(
    source: &Source,
    loaded: &LoadedActivity,
    over: &OverArgs,
    session: &Session,
    environment: &Environment,
) -> anyhow::Result<Vec<SourcedRepository>> {
    let needs = needs(source);
    if needs == Needs::Store && over.store.database_url.is_none() {
        let why =
            format!("the source `{}` asks the server's store: set DATABASE_URL or --database-url to it", source.name);
        return Err(UsageError(why).into());
    }
    let api = &over.github.github_api_url;
    let asker = of_source(needs, &over.github, environment).map_err(|error| {
        let own = "what a source found is kept for whoever asked, so --offline needs the same token or App";
        if over.offline { UsageError(format!("{error}; {own}")) } else { error }
    })?;
    let key = key(source, api, asker.as_ref(), environment);
    let now = session.clock.now();
    if let Some(key) = key.as_ref().filter(|_| !over.refresh) {
        if let Some((at, found)) = session.store.discovery(key).await? {
            let age = now.duration_since(at);
            if over.offline || age < GOOD_FOR {
                let what = if found.len() == 1 { "repository" } else { "repositories" };
                let what = format!("{} {what}, found {} ago", found.len(), in_words(age));
                session.progress.says(&format!("{what}; --refresh asks `{}` again", source.name));
                return Ok(found);
            }
        } else if over.offline {
            let whom = asker.map_or_else(String::new, |asker| format!(", asked {}", asker.told()));
            let why =
                format!("it is not known what the source `{}` finds{whom}; leave out --offline once", source.name);
            return Err(UsageError(why).into());
        }
    }
    let folder = std::env::current_dir()?;
    let github = asker.map(|asker| asker.session(api, Arc::clone(&session.clock))).transpose()?;
    // The index is that of a server, which may be kept elsewhere than the runs; here both are in one store.
    let store: Option<&Store> = (needs == Needs::Store).then_some(&session.store);
    let run_plug_in = tools::source_plug_in(source, loaded, environment)?;
    let context = SourceContext {
        folder: &folder,
        activity_folder: beside(&loaded.file, &folder),
        github: github.as_ref(),
        store,
        plug_in: run_plug_in.as_deref(),
    };
    let found = retry(session).run(of_github, || discover(source, &context)).await.map_err(of_usage)?;
    let found = told(found, session);
    // Whoever finds nothing mends something and asks again.
    if let Some(key) = key.filter(|_| !found.is_empty()) {
        let mut tx = session.store.begin().await?;
        tx.save_discovery(&key, now, &found).await?;
        tx.commit().await?;
    }
    Ok(found)
}

/// By what the list of a source is known again; `None` for those that are cheap to ask and are not kept.
fn key(source: &Source, api_url: &str, asker: Option<&Asker>, environment: &Environment) -> Option<DiscoveryKey> {
    let asker = match (asker, &source.config) {
        (Some(Asker::Person(found)), _) => AskedBy::Person { token: found.token.expose_secret() },
        (Some(Asker::Installation { key, id }), _) => AskedBy::Installation { app_id: key.app_id, installation: *id },
        (None, SourceConfig::PlugIn { .. }) => {
            let Grants { everything, network, read, write, environment: names } = &source.allow;
            let allow = json!({ "everything": everything, "network": network, "read": read, "write": write });
            let passed = names.iter().filter_map(|name| Some((name.as_str(), environment.text(name)?)));
            AskedBy::PlugIn { allow, variables: passed.collect() }
        }
        (None, _) => return None,
    };
    Some(DiscoveryKey::of(&Question { source: &source.name, keys: source.config.spelled_out(), api_url, asker }))
}

fn of_github(error: &SourceError) -> Option<&ForgeError> {
    match error {
        SourceError::GitHub(error) => Some(error),
        _ => None,
    }
}

fn told(found: Discovery, session: &Session) -> Vec<SourcedRepository> {
    for remark in &found.remarks {
        session.progress.says(remark);
    }
    found.repositories
}

fn in_words(age: SignedDuration) -> String {
    match (age.as_hours(), age.as_mins()) {
        (0, 0) => "less than a minute".into(),
        (0, 1) => "a minute".into(),
        (0, minutes) => format!("{minutes} minutes"),
        (1, _) => "an hour".into(),
        (hours, _) if hours < 48 => format!("{hours} hours"),
        (hours, _) => format!("{} days", hours / 24),
    }
}

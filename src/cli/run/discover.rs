//! Which repositories a run is over: those that are named, or those that the Activity's source finds.

use super::order::Order;
use super::{OverArgs, Session, tools};
use crate::activity::{Source, SourceConfig};
use crate::bulk::engine::{Errand, Watch as _};
use crate::cli::UsageError;
use crate::domain::{RunRepository, SourcedRepository};
use crate::forge::ForgeError;
use crate::settings::Environment;
use crate::sources::{Discovery, Needs, Reach, SourceError, discover, needs};
use crate::store::Store;
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// What a source found is taken for so long, unless somebody wants it anew.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// The repositories of a run, with what is to be done with each. Whatever is wrong for one of them is told before anything is
/// cloned.
pub(super) async fn repositories(
    order: &Order,
    over: &OverArgs,
    session: &Session,
    environment: &Environment,
) -> anyhow::Result<Vec<Errand>> {
    let found = found(order, over, session, environment).await?;
    if found.is_empty() {
        return Err(UsageError("no repository was found, so there is nothing to do".into()).into());
    }
    let mut errands = Vec::with_capacity(found.len());
    for (position, repository) in (0_u32..).zip(found) {
        let order = order.for_repository(&repository)?;
        errands.push(Errand { one: RunRepository::new(position, repository), order });
    }
    Ok(errands)
}

async fn found(
    order: &Order,
    over: &OverArgs,
    session: &Session,
    environment: &Environment,
) -> anyhow::Result<Vec<SourcedRepository>> {
    let named = match (&over.repo_filelist, &order.activity.source) {
        (Some(file), _) => SourceConfig::RepoFilelist { repo_file: file.display().to_string() },
        (None, _) if !over.repo_path.is_empty() => SourceConfig::RepoList { repos: over.repo_path.clone() },
        (None, Some(source)) => return of_source(source, order, over, session, environment).await,
        // Whoever asks has looked.
        (None, None) => return Ok(Vec::new()),
    };
    let source = Source { name: "command line".into(), config: named, allow: Default::default() };
    let folder = std::env::current_dir()?;
    let reach = Reach { folder: &folder, activity_folder: None, github: None, store: None, plug_in: None };
    Ok(told(discover(&source, &reach).await.map_err(|error| UsageError(error.to_string()))?, session))
}

async fn of_source(
    source: &Source,
    order: &Order,
    over: &OverArgs,
    session: &Session,
    environment: &Environment,
) -> anyhow::Result<Vec<SourcedRepository>> {
    let needs = needs(source);
    let is_kept = !matches!(needs, Needs::Nothing | Needs::Store);
    let key = hex::encode(Sha256::digest(format!("{:?} {}", source.config, over.github.github_api_url)));
    let now = session.clock.now();
    if is_kept && !over.refresh {
        if let Some((at, found)) = session.store.discovery(&key).await? {
            let age = now.duration_since(at);
            if over.offline || age < GOOD_FOR {
                let what = if found.len() == 1 { "repository" } else { "repositories" };
                let what = format!("{} {what}, found {} ago", found.len(), in_words(age));
                session.progress.says(&format!("{what}; --refresh asks `{}` again", source.name));
                return Ok(found);
            }
        } else if over.offline {
            let why = format!("it is not known what the source `{}` finds; leave out --offline once", source.name);
            return Err(UsageError(why).into());
        }
    }
    let folder = std::env::current_dir()?;
    let github = tools::github_of_source(needs, over, environment, Arc::clone(&session.clock))?;
    // The index is that of a server, which may be kept elsewhere than the runs; here both are in one store.
    let store: Option<&Store> = (needs == Needs::Store).then_some(&session.store);
    let run_plug_in = tools::source_plug_in(source, order, environment)?;
    let reach = Reach {
        folder: &folder,
        activity_folder: order.file.parent(),
        github: github.as_ref(),
        store,
        plug_in: Some(run_plug_in.as_ref()),
    };
    let found = tools::patience(session).with(of_github, || discover(source, &reach)).await?;
    let found = told(found, session);
    // Whoever finds nothing mends something and asks again.
    if is_kept && !found.is_empty() {
        let mut tx = session.store.begin().await?;
        tx.save_discovery(&key, now, &found).await?;
        tx.commit().await?;
    }
    Ok(found)
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

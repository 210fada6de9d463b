//! The run in the store that a command is: begun, or taken up where another process left it.

use super::RunArgs;
use super::loaded::{LoadedActivity, Repositories};
use super::progress::Progress;
use crate::activity::RepositoryPlan;
use crate::bulk::engine::RunItem;
use crate::cli::UsageError;
use crate::cli::runs::no_home;
use crate::domain::time::from_millis;
use crate::domain::{Clock, Run, RunKind, RunState};
use crate::settings::{Environment, RunStoreSettings};
use crate::sources::{Needs, needs};
use crate::store::{NewRun, RunLease, Store, StoreError};
use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long a run counts as alive after it last said so, and how often it does.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);

/// What all commands over many repositories have.
pub(super) struct Session {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) progress: Arc<Progress>,
}

/// A run that this process works on.
#[derive(Clone)]
pub(super) struct HeldRun {
    pub(super) run: Run,
    pub(super) lease: RunLease,
}

/// A clock that goes by what the store keeps: the same time is told by a run, and later from the store.
struct InMillis(Arc<dyn Clock>);

impl Clock for InMillis {
    fn now(&self) -> Timestamp {
        from_millis(self.0.now().as_millisecond())
    }
}

impl Session {
    /// Opens the store. Where a server's index is asked, one that is named has to be there: of an empty one, nothing would be found
    /// for the wrong reason.
    ///
    /// Errors: [`UsageError`] for a store that cannot be made.
    pub(super) async fn begin(
        settings: &RunStoreSettings,
        repositories: Option<&Repositories<'_>>,
        environment: &Environment,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let url = settings.url(environment).ok_or_else(no_home)?;
        if let Some(folder) = settings.own_file(environment).as_deref().and_then(Path::parent) {
            std::fs::create_dir_all(folder).map_err(|error| {
                let what = format!("the folder {} for runs cannot be made: {error}", folder.display());
                UsageError(format!(
                    "{what}; set XDG_STATE_HOME to where they can be kept, or name a database with --database-url"
                ))
            })?;
        }
        let asks_index = repositories
            .is_some_and(|from| matches!(from, Repositories::Found(source) if needs(source) == Needs::Store));
        if asks_index && settings.database_url.is_some() {
            Store::is_there(&url).map_err(|error| UsageError(error.to_string()))?;
        }
        let store = Store::connect(&url).await.context("runs cannot be kept")?;
        let clock = Arc::new(InMillis(clock));
        Ok(Self { store, clock, progress: Arc::new(Progress::new()) })
    }

    /// Begins a run over some repositories.
    pub(super) async fn start(
        &self,
        loaded: &LoadedActivity,
        repositories: &[RunItem],
        kind: RunKind,
    ) -> anyhow::Result<HeldRun> {
        let now = self.clock.now();
        let new = NewRun {
            activity: loaded.path.clone(),
            said: loaded.text.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            kind,
            started_at: now,
            alive_until: now + LEASE,
        };
        let over: Vec<_> = repositories.iter().map(|item| item.row.repository.clone()).collect();
        let mut tx = self.store.begin().await?;
        let lease = tx.begin_run(&new, &over).await?;
        tx.commit().await?;
        let NewRun { activity, said, version, kind, started_at, alive_until } = new;
        let id = lease.run();
        let run = Run { id, activity, said, version, kind, started_at, ended_at: None, alive_until };
        Ok(HeldRun { run, lease })
    }

    /// Goes on with the last run of an Activity.
    ///
    /// Errors: [`UsageError`] where there is none that can be gone on with. Then it is left as it is.
    pub(super) async fn resume(
        &self,
        loaded: &LoadedActivity,
        args: &RunArgs,
        kind: RunKind,
    ) -> anyhow::Result<(HeldRun, Vec<RunItem>)> {
        let refuse = |why: String| -> anyhow::Error { UsageError(why).into() };
        let Some(run) = self.store.last_run_of(&loaded.path, kind).await? else {
            let what = if kind == RunKind::DryRun { "no dry run" } else { "no run" };
            return Err(refuse(format!(
                "there is {what} of {} to go on with here; begin one without --resume and --retry-failed",
                loaded.path
            )));
        };
        let id = run.id;
        if run.said != loaded.text {
            return Err(refuse(format!(
                "{} was changed since run {id}, and run {id} goes on only with the file as it was: put it back, or begin a new run (what is \
                 done already is found again)",
                loaded.path
            )));
        }
        let over = self.store.run_repositories(id).await?;
        let plans: Result<Vec<RepositoryPlan>, _> =
            over.iter().map(|one| loaded.for_repository(&one.repository)).collect();
        let plans = plans?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let taken = tx.take_up_run(id, now + LEASE, now).await?;
        tx.commit().await?;
        let Some(lease) = taken else {
            let seconds = run.alive_until.duration_since(now).as_secs().max(0) + 1;
            return Err(refuse(format!(
                "run {id} is under way in another process; if that was killed, --resume takes the run up in {seconds} seconds"
            )));
        };
        // As whoever had it left them: until now it may have gone on.
        let mut items = Vec::new();
        let mut tx = self.store.begin().await?;
        for (mut row, plan) in self.store.run_repositories(id).await?.into_iter().zip(plans) {
            if row.state == RunState::Failed && args.retry_failed {
                (row.state, row.reason) = (RunState::Waiting, None);
                // If this is interrupted as well, it is still to be done.
                tx.save_run_repository(&lease, &row).await?;
            }
            items.push(RunItem { row, plan });
        }
        tx.commit().await?;
        Ok((HeldRun { run, lease }, items))
    }

    /// Says that a run is alive for as long as what is returned lives, also while a person is asked. `stop` is told where another
    /// process has taken the run up.
    pub(super) fn heartbeat(&self, lease: &RunLease, stop: watch::Sender<bool>) -> JoinSet<()> {
        let (store, clock, lease) = (self.store.clone(), Arc::clone(&self.clock), lease.clone());
        let mut heartbeat = JoinSet::new();
        heartbeat.spawn(async move {
            let mut alive = tokio::time::interval(HEARTBEAT_EVERY);
            loop {
                alive.tick().await;
                let told = async {
                    let mut tx = store.begin().await?;
                    tx.keep_run_alive(&lease, clock.now() + LEASE).await?;
                    tx.commit().await
                }
                .await;
                // Where it cannot be stored now, the next time will do; who stores results tells of it.
                if let Err(StoreError::InUse { .. }) = told {
                    let _ = stop.send(true);
                    break;
                }
            }
        });
        heartbeat
    }

    /// Leaves a run, which has come to its end or has not.
    ///
    /// Errors: also where another process has taken it up.
    pub(super) async fn release(&self, lease: RunLease, finished: bool) -> anyhow::Result<()> {
        let mut tx = self.store.begin().await?;
        if finished {
            tx.end_run(lease, self.clock.now()).await?;
        } else {
            tx.release_run(lease).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

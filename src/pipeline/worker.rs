//! Takes steps from the queue and walks them through their station.

use super::{Done, Step, StepError, execute, follow, inbox, index, plan, sync, watch};
use crate::domain::Clock;
use crate::forge::{ForgeError, GitHub};
use crate::registries::Registries;
use crate::store::{Claimed, Store, StoreError};
use anyhow::Context as _;
use backon::BackoffBuilder as _;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch as signal};

/// After this many attempts a step is parked: it stays visible with its reason, and does not run by itself again.
const ATTEMPTS_MAX: u32 = 12;
/// How long an idle worker sleeps at most before it looks at the queue again.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// How work is done.
#[derive(Clone, Copy, Debug)]
pub struct WorkPolicy {
    /// The time between two looks at a package.
    pub watch_interval: SignedDuration,
    /// How long a step may run before another worker may take it over.
    pub lease: Duration,
}

impl Default for WorkPolicy {
    fn default() -> Self {
        Self { watch_interval: SignedDuration::from_mins(10), lease: Duration::from_secs(120) }
    }
}

/// What a step needs to run. Clones share everything.
#[derive(Clone)]
pub struct Worker {
    store: Store,
    forge: GitHub,
    registries: Arc<Registries>,
    clock: Arc<dyn Clock>,
    policy: WorkPolicy,
}

impl Worker {
    /// A worker on these adapters.
    pub fn new(
        store: Store,
        forge: GitHub,
        registries: Arc<Registries>,
        clock: Arc<dyn Clock>,
        policy: WorkPolicy,
    ) -> Self {
        Self { store, forge, registries, clock, policy }
    }

    /// Queues a look at every installation of the App: what changed while nobody listened is found that way.
    ///
    /// Errors: if GitHub does not accept the App, or the queue cannot be used.
    pub async fn greet(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        let installations = self.forge.installations().await.context("asking GitHub for the App's installations")?;
        let mut tx = self.store.begin().await?;
        for installation in &installations {
            let step = Step::SyncInstallation { installation: installation.id };
            step.queue(&mut tx, Some(installation.id), now).await?;
        }
        tx.commit().await?;
        tracing::info!(installations = installations.len(), "GitHub knows this App");
        Ok(())
    }

    /// Takes and runs one step that is due. Returns whether there was one.
    ///
    /// Errors: only when the queue itself cannot be used. What goes wrong in a step is put on its row.
    pub async fn run_one(&self) -> anyhow::Result<bool> {
        let claimed = self.store.claim(self.clock.now(), self.policy.lease).await.context("claiming a step")?;
        let Some(claimed) = claimed else { return Ok(false) };
        let result = self.walk_with_lease(&claimed).await;
        let settled = match result {
            Ok(Done::Finished(mut tx)) => match tx.finish(&claimed).await {
                Ok(()) => tx.commit().await,
                Err(error) => Err(error),
            },
            Ok(Done::PutBack { mut tx, until, why }) => match tx.retry(&claimed, until, &why).await {
                Ok(()) => tx.commit().await,
                Err(error) => Err(error),
            },
            Err(error) => self.put_back(&claimed, &error).await,
        };
        match settled {
            Ok(()) => {}
            Err(StoreError::LeaseLost) => {
                tracing::warn!(
                    step = claimed.work.step,
                    subject = claimed.work.subject,
                    "another worker took this step over; its result here was dropped"
                );
            }
            // The lease runs out and the step is taken again.
            Err(error) => {
                tracing::error!(step = claimed.work.step, subject = claimed.work.subject, %error, "a step's end could not be stored");
            }
        }
        Ok(true)
    }

    /// Runs every step that is due, one after another, until there is none.
    pub async fn run_until_idle(&self) -> anyhow::Result<()> {
        loop {
            self.queue_watches().await?;
            if !self.run_one().await? {
                return Ok(());
            }
            while self.run_one().await? {}
        }
    }

    /// Runs steps until `stop` turns true; the one under way is finished.
    pub async fn run(self, arrived: Arc<Notify>, mut stop: signal::Receiver<bool>) {
        while !*stop.borrow() {
            match self.run_one().await {
                Ok(true) => {}
                Ok(false) => {
                    tokio::select! {
                        () = arrived.notified() => {}
                        () = tokio::time::sleep(IDLE_MAX) => {}
                        _ = stop.changed() => {}
                    }
                }
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "the queue cannot be used");
                    tokio::select! {
                        () = tokio::time::sleep(IDLE_MAX) => {}
                        _ = stop.changed() => {}
                    }
                }
            }
        }
    }

    /// Queues the packages that are due for a look, until `stop` turns true.
    pub async fn run_watches(self, mut stop: signal::Receiver<bool>) {
        while !*stop.borrow() {
            if let Err(error) = self.queue_watches().await {
                tracing::error!(error = format!("{error:#}"), "packages could not be queued");
            }
            tokio::select! {
                () = tokio::time::sleep(IDLE_MAX * 5) => {}
                _ = stop.changed() => {}
            }
        }
    }

    async fn queue_watches(&self) -> anyhow::Result<()> {
        watch::queue_due(&self.store, self.clock.now()).await.context("queueing packages to look at").map(drop)
    }

    /// Walks a step, and keeps its lease alive meanwhile.
    async fn walk_with_lease(&self, claimed: &Claimed) -> Result<Done, StepError> {
        // Both go on side by side: on SQLite the step may hold the one writer that the heartbeat waits for.
        tokio::select! {
            result = self.walk(claimed) => result,
            lost = self.keep_lease(claimed) => Err(lost.into()),
        }
    }

    /// Extends the lease again and again; ends only when it is lost.
    async fn keep_lease(&self, claimed: &Claimed) -> StoreError {
        let mut beat = tokio::time::interval(self.policy.lease / 3);
        beat.tick().await;
        loop {
            beat.tick().await;
            match self.store.heartbeat(claimed, self.policy.lease).await {
                Err(StoreError::LeaseLost) => return StoreError::LeaseLost,
                Err(error) => {
                    tracing::warn!(step = claimed.work.step, subject = claimed.work.subject, %error, "a lease could not be extended");
                }
                Ok(()) => {}
            }
        }
    }

    async fn walk(&self, claimed: &Claimed) -> Result<Done, StepError> {
        let step: Step = serde_json::from_value(claimed.work.args.clone())
            .map_err(|error| StepError::Corrupt(format!("the arguments of the step {}: {error}", claimed.work.step)))?;
        let now = self.clock.now();
        let (store, forge, registries) = (&self.store, &self.forge, self.registries.as_ref());
        let repeated = claimed.work.attempts > 1;
        tracing::debug!(
            step = claimed.work.step,
            subject = claimed.work.subject,
            attempt = claimed.work.attempts,
            "a step begins"
        );
        match &step {
            Step::Inbox { delivery, .. } => inbox::decide(store, delivery, now).await,
            Step::SyncInstallation { installation } => sync::installation(store, forge, *installation, now).await,
            Step::SyncRepository { repo, details, name } => {
                sync::repository(store, forge, *repo, *details, name.as_ref(), now).await
            }
            Step::Index { repo } => index::index(store, forge, *repo, now).await,
            Step::Watch { package } => watch::watch(store, registries, package, self.policy.watch_interval, now).await,
            Step::Plan { repo } => plan::plan(store, *repo, now).await,
            Step::Execute { repo, proposal } => {
                execute::execute(store, forge, registries, (*repo, proposal), claimed, now).await
            }
            Step::Label { repo, proposal } => follow::label(store, forge, (*repo, proposal)).await,
            Step::Retire { repo, proposal, by } => follow::retire(store, forge, (*repo, proposal), *by, repeated).await,
            Step::Follow { repo, number } => follow::follow(store, forge, (*repo, *number), now).await,
            Step::Checks { repo, number } => follow::checks(store, forge, (*repo, *number), now).await,
        }
    }

    /// Puts a failed step back with the date of its next attempt, or parks it when there were too many.
    async fn put_back(&self, claimed: &Claimed, error: &StepError) -> Result<(), StoreError> {
        if matches!(error, StepError::Store(StoreError::LeaseLost)) {
            return Err(StoreError::LeaseLost);
        }
        let now = self.clock.now();
        let words = error.to_string();
        let mut tx = self.store.begin().await?;
        match next_attempt(error, claimed.work.attempts, now) {
            Some(at) => {
                tracing::warn!(step = claimed.work.step, subject = claimed.work.subject, attempt = claimed.work.attempts, error = words, %at, "a step failed and will be repeated");
                tx.retry(claimed, at, &words).await?;
            }
            None => {
                tracing::error!(
                    step = claimed.work.step,
                    subject = claimed.work.subject,
                    attempt = claimed.work.attempts,
                    error = words,
                    "a step failed and is parked"
                );
                tx.park(claimed, &words).await?;
            }
        }
        tx.commit().await
    }
}

/// When to try again: when GitHub says, else after 5 seconds, doubled each time up to an hour, with some jitter. `None`
/// when trying again has become pointless. Pure but for the jitter.
fn next_attempt(error: &StepError, attempts: u32, now: Timestamp) -> Option<Timestamp> {
    match error {
        StepError::Forge(ForgeError::RateLimited { until, .. }) => {
            return Some((*until).max(now + SignedDuration::from_secs(1)));
        }
        StepError::Corrupt(_) | StepError::Store(StoreError::Corrupt { .. }) => return None,
        StepError::Forge(ForgeError::Settings { .. }) => return None,
        _ if attempts >= ATTEMPTS_MAX => return None,
        _ => {}
    }
    let mut pauses = backon::ExponentialBuilder::default()
        .with_min_delay(Duration::from_secs(5))
        .with_max_delay(Duration::from_secs(3600))
        .with_factor(2.0)
        .with_max_times(ATTEMPTS_MAX as usize)
        .with_jitter()
        .build();
    let pause = pauses.nth(attempts.saturating_sub(1) as usize).unwrap_or(Duration::from_secs(3600));
    Some(now + SignedDuration::try_from(pause).unwrap_or(SignedDuration::from_hours(1)))
}

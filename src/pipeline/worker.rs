//! Takes steps from the queue and walks them through their station.

use super::retry::{is_refusal, next_attempt, passes};
use super::{
    Done, Step, StepError, Writing, allowance, duties, examine, execute, follow, inbox, index, invite, merge, notes,
    obey, onboard, plan, retire, rework, sweep, sync, tell, tidy, trail, watch,
};
use crate::domain::Clock;
use crate::forge::{ForgeError, GitHub};
use crate::metrics::{Ending, Metrics};
use crate::registries::Registries;
use crate::safeguards::pace::PacePolicy;
use crate::store::{Claimed, Outcome, Store, StoreError};
use anyhow::Context as _;
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch as signal;
use tracing::Instrument as _;

/// How long after a start without GitHub it is greeted again: at once would only say the same twice.
const GREET_AGAIN: SignedDuration = SignedDuration::from_secs(5);
/// How often it is looked whether something periodic is due.
const DUTIES_EVERY: Duration = Duration::from_secs(1);

/// The step of which many are done at once.
pub(super) const PLAN: &str = "plan";
/// How work is done.
#[derive(Clone, Copy, Debug)]
pub struct WorkPolicy {
    /// The time between two looks at a package that was released lately; others are looked at less often.
    pub watch_interval: SignedDuration,
    /// How long a step may run before another worker may take it over.
    pub lease: Duration,
    /// How long the steps under way are waited for when the server stops; then they are given back, for others to do.
    pub last_steps: Duration,
    /// How long the payload of a delivery is kept for whoever wants to know what it said; GitHub keeps it three days itself.
    pub payloads_kept: SignedDuration,
    /// How fast each installation is written to.
    pub pace: PacePolicy,
}

impl Default for WorkPolicy {
    fn default() -> Self {
        Self {
            watch_interval: SignedDuration::from_mins(10),
            lease: Duration::from_secs(120),
            last_steps: Duration::from_secs(20),
            payloads_kept: SignedDuration::from_hours(7 * 24),
            pace: PacePolicy::default(),
        }
    }
}

/// What a step needs to run. Clones share everything.
#[derive(Clone)]
pub struct Worker {
    pub(super) store: Store,
    forge: GitHub,
    pub(super) registries: Arc<Registries>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) policy: WorkPolicy,
    pub(super) metrics: Metrics,
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
        Self { store, forge, registries, clock, policy, metrics: Metrics::new() }
    }

    /// The same worker, its steps counted there.
    pub fn counting(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    /// Queues a look at every installation of the App, and at those we know that are not among them: what changed while
    /// nobody listened is found that way.
    ///
    /// Errors: if GitHub does not accept the App, or the queue cannot be used. GitHub being out of reach is no error: the
    /// step that asks again is queued.
    pub async fn greet(&self) -> Result<(), StepError> {
        let now = self.clock.now();
        let done = match sync::app(&self.store, &self.forge, now).await {
            Err(StepError::Forge(error)) if passes(&error) && !matches!(error, ForgeError::Unauthorized { .. }) => {
                tracing::warn!(%error, "GitHub cannot be asked for the App's installations now; that is tried again");
                let mut tx = self.store.begin().await?;
                Step::SyncApp.queue_at(&mut tx, None, now + GREET_AGAIN, now).await?;
                Done::Finished(tx)
            }
            outcome => outcome?,
        };
        let (Done::Finished(tx) | Done::PutBack { tx, .. } | Done::PutOff { tx, .. }) = done;
        Ok(tx.commit().await?)
    }

    /// Takes and runs one step that is due. Returns whether there was one.
    ///
    /// Errors: only when the queue itself cannot be used. What goes wrong in a step is put on its row.
    pub async fn run_one(&self) -> anyhow::Result<bool> {
        let claimed = self.claim(1).await?;
        for one in &claimed {
            self.carry_out(one).await;
        }
        Ok(!claimed.is_empty())
    }

    /// Takes steps that are due, at most so many.
    pub(super) async fn claim(&self, count: u32) -> anyhow::Result<Vec<Claimed>> {
        self.store.claim(self.clock.now(), self.policy.lease, count).await.context("claiming steps")
    }

    /// Runs a step and stores how it ended.
    pub(super) async fn carry_out(&self, claimed: &Claimed) {
        self.run_claimed(claimed).instrument(trail::span(claimed)).await;
    }

    async fn run_claimed(&self, claimed: &Claimed) {
        if claimed.work.step == PLAN && self.plan_many(claimed).await {
            return;
        }
        let began = Instant::now();
        let settled = match self.walk_with_lease(claimed).await {
            Ok(done) => {
                let settled = settle(claimed, done).await;
                self.hear(claimed).await;
                match settled {
                    // Another try, now rather than when the lease is over. Should it have been stored after all, there is
                    // nothing to be put back.
                    Err(error) if !matches!(error, StoreError::LeaseLost) => {
                        self.put_back(claimed, &StepError::Store(error), None).await
                    }
                    settled => settled,
                }
            }
            Err(error) => {
                let paused = self.hear(claimed).await;
                self.put_back(claimed, &error, paused).await
            }
        };
        let ending = match settled {
            Ok(ending) => ending,
            Err(StoreError::LeaseLost) => {
                tracing::warn!(
                    step = claimed.work.step,
                    subject = claimed.work.subject,
                    "another worker took this step over; its result here was dropped"
                );
                Ending::LeaseLost
            }
            // The lease runs out and the step is taken again.
            Err(error) => {
                tracing::error!(step = claimed.work.step, subject = claimed.work.subject, %error, "a step's end could not be stored");
                Ending::NotStored
            }
        };
        self.metrics.step_ended(&claimed.work.step, ending, began.elapsed());
    }

    /// Gives steps back that nobody is at any more, for whoever claims next. What cannot be given back is taken over when
    /// its lease has run out.
    pub(super) async fn give_back(&self, claimed: &[Claimed]) {
        for one in claimed {
            let given = async {
                let mut tx = self.store.begin().await?;
                tx.put_off(one, one.work.due_at, None).await?;
                tx.commit().await
            };
            match given.await {
                // Somebody has it already.
                Ok(()) | Err(StoreError::LeaseLost) => {}
                Err(error) => {
                    tracing::warn!(step = one.work.step, subject = one.work.subject, %error, "a step could not be given back");
                }
            }
        }
    }

    /// Stores what a step heard of GitHub's limits, and says until when its installation is paused.
    async fn hear(&self, claimed: &Claimed) -> Option<Timestamp> {
        let heard = allowance::after(&self.store, &self.forge, claimed.work.installation, self.clock.now()).await;
        heard.unwrap_or_else(|error| {
            tracing::warn!(step = claimed.work.step, subject = claimed.work.subject, %error, "what GitHub said of its limits could not be stored");
            None
        })
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

    /// Queues the packages that are due for a look, and the duties whose time has come, until `stop` turns true.
    pub async fn run_duties(self, mut stop: signal::Receiver<bool>) {
        while !*stop.borrow() {
            if let Err(error) = duties::queue_due(&self.store, self.clock.now()).await {
                tracing::error!(%error, "duties could not be queued");
            }
            if let Err(error) = self.queue_watches().await {
                tracing::error!(error = format!("{error:#}"), "packages could not be queued");
            }
            tokio::select! {
                () = tokio::time::sleep(DUTIES_EVERY) => {}
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
            // A panic is a defect in one station; the worker goes on with the others.
            result = AssertUnwindSafe(Box::pin(self.walk(claimed))).catch_unwind() => {
                result.unwrap_or_else(|panic| Err(StepError::Panicked(panic_words(panic.as_ref()))))
            }
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
        let step = step_of(claimed)?;
        let now = self.clock.now();
        let (store, forge, registries) = (&self.store, &self.forge, self.registries.as_ref());
        let writing = Writing { lease: claimed, pace: &self.policy.pace, clock: self.clock.as_ref() };
        tracing::debug!(
            step = claimed.work.step,
            subject = claimed.work.subject,
            attempt = claimed.work.attempts,
            "a step begins"
        );
        if let Some(done) = allowance::before(store, forge, &step, claimed.work.installation, now).await? {
            return Ok(done);
        }
        match &step {
            Step::Inbox { delivery, .. } => inbox::decide(store, delivery, now).await,
            Step::SyncApp => sync::app(store, forge, now).await,
            Step::Redeliver { from } => sweep::redeliver(store, forge, *from, self.clock.as_ref()).await,
            Step::Tidy => tidy::tidy(store, self.policy.payloads_kept, now).await,
            Step::SyncInstallation { installation } => {
                sync::installation(store, forge, *installation, claimed, now).await
            }
            Step::CatchUp { installation } => sync::catch_up(store, *installation, now).await,
            Step::SyncRepository { repo, details, name } => {
                sync::repository(store, forge, *repo, *details, name.as_ref(), now).await
            }
            Step::Index { repo } => index::index(store, forge, *repo, claimed.work.refusals, now).await,
            Step::Watch { package } => {
                watch::watch(store, (forge, registries), package, self.policy.watch_interval, now).await
            }
            Step::Notes { package, version } => {
                notes::notes(store, (forge, registries), (package, version), self.clock.as_ref()).await
            }
            Step::Announce { package, after } => watch::announce(store, package, *after, now).await,
            Step::Plan { repo } => plan::plan(store, registries, *repo, now).await,
            Step::Execute { repo, proposal } => {
                execute::execute(store, forge, registries, (*repo, proposal), &writing).await
            }
            Step::Label { repo, proposal } => follow::label(store, forge, (*repo, proposal), &writing).await,
            Step::Rework { repo, proposal, how } => {
                rework::rework(store, (forge, registries), (*repo, proposal, *how), &writing).await
            }
            Step::Retire { repo, proposal, farewell } => {
                retire::retire(store, (forge, registries), (*repo, proposal), *farewell, &writing).await
            }
            Step::Tell { repo, proposal, news } => tell::tell(store, forge, (*repo, proposal), *news, &writing).await,
            Step::Invite { repo, proposal, whom } => {
                invite::invite(store, forge, (*repo, proposal, *whom), &writing).await
            }
            Step::Merge { repo, number } => merge::merge(store, forge, registries, (*repo, *number), &writing).await,
            Step::Obey { repo, comment } => obey::obey(store, forge, (*repo, *comment), &writing).await,
            Step::Examine { repo, commit, again } => {
                examine::examine(store, (forge, registries), (*repo, commit, *again), &writing).await
            }
            Step::Onboard { repo } => onboard::onboard(store, (forge, registries), *repo, &writing).await,
            Step::OnboardAll { installation, more } => onboard::all(store, *installation, *more, now).await,
            Step::Follow { repo, number } => follow::follow(store, forge, (*repo, *number), claimed, now).await,
            Step::Checks { repo, number } => follow::checks(store, forge, (*repo, *number), now).await,
        }
    }

    /// Puts a failed step back with the date of its next attempt, or parks it when another one is pointless.
    async fn put_back(
        &self,
        claimed: &Claimed,
        error: &StepError,
        paused: Option<Timestamp>,
    ) -> Result<Ending, StoreError> {
        if matches!(error, StepError::Store(StoreError::LeaseLost)) {
            return Err(StoreError::LeaseLost);
        }
        let now = self.clock.now();
        let work = &claimed.work;
        let words = error.to_string();
        let mut tx = self.store.begin().await?;
        if let (StepError::Forge(ForgeError::Suspended { .. }), Some(installation)) = (error, work.installation) {
            // We may not have been told. What is suspended is not planned for, and hastened when that ends.
            let step = Step::SyncInstallation { installation };
            if step.name() != work.step {
                step.queue(&mut tx, Some(installation), now).await?;
            }
        }
        let ending = match next_attempt(error, (work.attempts, work.refusals), now) {
            Some(at) => {
                let at = paused.map_or(at, |paused| at.max(paused));
                tracing::warn!(step = work.step, subject = work.subject, attempt = work.attempts, error = words, %at, "a step failed and will be repeated");
                if matches!(error, StepError::Forge(ForgeError::RateLimited { .. })) {
                    // A pause says nothing of the step.
                    tx.put_off(claimed, at, Some(&words)).await?;
                    Ending::PutOff
                } else {
                    tx.retry(claimed, at, &words, is_refusal(error)).await?;
                    Ending::Retried
                }
            }
            None => {
                tracing::error!(
                    step = work.step,
                    subject = work.subject,
                    attempt = work.attempts,
                    error = words,
                    "a step failed and is parked"
                );
                if let Ok(Step::Inbox { delivery, .. }) = serde_json::from_value(work.args.clone()) {
                    tx.finish_delivery(&delivery, Outcome::Refused, Some(&words), now).await?;
                }
                tx.park(claimed, &words, now).await?;
                if matches!(error, StepError::Panicked(_)) { Ending::Panicked } else { Ending::Parked }
            }
        };
        tx.commit().await.map(|()| ending)
    }
}

/// The step that a piece of work stands for.
pub(super) fn step_of(claimed: &Claimed) -> Result<Step, StepError> {
    serde_json::from_value(claimed.work.args.clone())
        .map_err(|error| StepError::Corrupt(format!("the arguments of the step {}: {error}", claimed.work.step)))
}

/// Stores how a step ended, with what it wrote.
async fn settle(claimed: &Claimed, done: Done) -> Result<Ending, StoreError> {
    let (tx, ending) = match done {
        Done::Finished(mut tx) => {
            tx.finish(claimed).await?;
            (tx, Ending::Finished)
        }
        Done::PutBack { mut tx, until, why } => {
            tx.retry(claimed, until, &why, true).await?;
            (tx, Ending::Retried)
        }
        Done::PutOff { mut tx, until, why } => {
            tx.put_off(claimed, until, why.as_deref()).await?;
            (tx, Ending::PutOff)
        }
    };
    tx.commit().await?;
    Ok(ending)
}

/// What a panic said; its message may hold anything, so it is cut.
fn panic_words(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    said.unwrap_or("it panicked").chars().take(300).collect()
}

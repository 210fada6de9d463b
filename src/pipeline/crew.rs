//! Several workers in one process: who is free takes the next step in line.
//!
//! Steps are claimed in batches, since a claim costs more than many a step. While steps are over in milliseconds, some
//! are claimed ahead of a free worker; when they take longer, none, so that another process may take them.

use super::Worker;
use super::worker::PLAN;
use crate::store::Claimed;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::watch as signal;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// How long to wait at most before looking at the queue again: what another process queued, or what became due.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// How long to wait at least.
const SOON: Duration = Duration::from_millis(5);
/// A batch that was begun within this time makes the next one larger.
const QUICK: Duration = Duration::from_millis(50);

/// How long workers make room for webhooks before each claim, while those come in a burst.
const DELIVERIES_FIRST: Duration = Duration::from_millis(20);
/// How long a step that was claimed ahead waits here at most.
const HELD_BACK_MAX: Duration = Duration::from_millis(250);

/// The workers of one process.
pub struct Crew {
    worker: Worker,
    places: usize,
    /// Claimed, and waiting for a free place.
    ahead: VecDeque<Claimed>,
    /// Steps under way.
    busy: JoinSet<()>,
    /// Turns true when those under way are not waited for any longer.
    leave: signal::Sender<bool>,
}

impl Crew {
    /// So many workers like this one.
    pub fn new(worker: Worker, places: usize) -> Self {
        let leave = signal::Sender::new(false);
        Self { worker, places: places.max(1), ahead: VecDeque::new(), busy: JoinSet::new(), leave }
    }

    /// Runs steps until `stop` turns true. Then those under way are finished; what takes longer than the policy's
    /// `last_steps` is given back, as is what was claimed ahead.
    pub async fn run(mut self, mut stop: signal::Receiver<bool>) {
        let mut batch = 0;
        let mut claimed_at = Instant::now();
        while !*stop.borrow() {
            let free = self.places - self.busy.len();
            if free == 0 {
                tokio::select! {
                    ended = self.busy.join_next() => report(ended),
                    // They turned out to take their time: others may have what waits here.
                    () = sleep(HELD_BACK_MAX), if !self.ahead.is_empty() => {
                        let ahead: Vec<Claimed> = self.ahead.drain(..).collect();
                        self.worker.give_back(&ahead).await;
                        batch = 0;
                    }
                    _ = stop.changed() => {}
                }
                self.begin_steps();
                continue;
            }
            // Webhooks come in bursts, and their sender gives up after seconds.
            if self.worker.store.deliveries_crowd() {
                tokio::select! {
                    () = sleep(DELIVERIES_FIRST) => {}
                    _ = stop.changed() => continue,
                }
            }
            let wanted = free + batch;
            let outcome = self.worker.claim(u32::try_from(wanted).unwrap_or(u32::MAX)).await;
            let found = outcome.as_ref().map_or(0, Vec::len);
            match outcome {
                Ok(claimed) => self.ahead.extend(claimed),
                Err(error) => tracing::error!(error = format!("{error:#}"), "the queue cannot be used"),
            }
            self.begin_steps();
            if found == wanted {
                batch = if claimed_at.elapsed() < QUICK { self.places } else { 0 };
                claimed_at = Instant::now();
                continue;
            }
            batch = 0;
            let pause = self.until_next().await;
            // There is no more: until something comes, or the end of a step sets free what may not run beside it.
            tokio::select! {
                () = self.worker.store.work_arrived() => {}
                () = sleep(pause) => {}
                Some(ended) = self.busy.join_next() => report(Some(ended)),
                _ = stop.changed() => {}
            }
        }
        self.finish().await;
    }

    /// How long until the next step is due, as far as is known now.
    async fn until_next(&self) -> Duration {
        let due = match self.worker.store.next_due().await {
            Ok(Some(due)) => due,
            // Errors are told by the next claim.
            Ok(None) | Err(_) => return IDLE_MAX,
        };
        // What is overdue already is somebody else's, or came this very moment.
        Duration::try_from(due.duration_since(self.worker.clock.now())).unwrap_or_default().clamp(SOON, IDLE_MAX)
    }

    /// Fills the free places with what was claimed.
    fn begin_steps(&mut self) {
        while self.busy.len() < self.places
            && let Some(next) = self.ahead.pop_front()
        {
            self.busy.spawn(run_or_leave(self.worker.clone(), next, self.leave.subscribe()));
        }
    }

    async fn finish(mut self) {
        let ahead: Vec<Claimed> = self.ahead.into();
        self.worker.give_back(&ahead).await;
        let patience = self.worker.policy.last_steps;
        let last = timeout(patience, async {
            while let Some(ended) = self.busy.join_next().await {
                report(Some(ended))
            }
        });
        if last.await.is_err() {
            tracing::warn!(steps = self.busy.len(), ?patience, "steps are still under way and given back");
            let _ = self.leave.send(true);
            while let Some(ended) = self.busy.join_next().await {
                report(Some(ended));
            }
        }
    }
}

/// Runs a step, or drops it where it is and gives it back: it can be repeated from anywhere.
async fn run_or_leave(worker: Worker, claimed: Claimed, mut leave: signal::Receiver<bool>) {
    // A plan asks nobody but the database, and may be made together with others: it is soon over.
    if claimed.work.step == PLAN {
        return worker.carry_out(&claimed).await;
    }
    let done = tokio::select! {
        () = worker.carry_out(&claimed) => true,
        left = leave.changed() => left.is_err(),
    };
    if !done {
        worker.give_back(std::slice::from_ref(&claimed)).await;
    }
}

fn report(ended: Option<Result<(), tokio::task::JoinError>>) {
    if let Some(Err(error)) = ended {
        tracing::error!(%error, "a worker ended abnormally");
    }
}

//! How a run is carried out: all at once, or with a question before anything is sent; and how it is stopped.

use super::progress;
use super::session::Session;
use super::stops::Stops;
use crate::bulk::engine::{Engine, RunItem, RunObserver as _, Stages};
use crate::cli::summary::summary;
use crate::domain::{PatchOutcome, RunRepository, RunState};
use anyhow::Context as _;
use std::sync::Arc;
use tokio::sync::watch;

/// A run that is carried out.
pub(super) struct Execution<'a> {
    /// Who works on them.
    pub(super) engine: Arc<Engine>,
    /// The run in the store.
    pub(super) session: &'a Session,
    /// Before so many of them are sent a person is asked; `None` where nobody is.
    pub(super) portion: Option<usize>,
    /// The command that goes on with what is not done, if there is one.
    pub(super) goes_on: Option<String>,
}

impl Execution<'_> {
    /// Works on all repositories, and releases the run. Returns how they stand, and whether all came to their end.
    pub(super) async fn run(&self, items: Vec<RunItem>) -> anyhow::Result<(Vec<RunRepository>, bool)> {
        let (session, lease) = (self.session, &self.engine.lease);
        let (stop, stopped) = watch::channel(false);
        let heartbeat = session.heartbeat(lease, stop.clone());
        let done = self.until_stopped(items, stop, stopped).await;
        session.progress.finish();
        drop(heartbeat);
        let finished = done.as_ref().is_ok_and(|done| !done.iter().any(is_left));
        let left = session.release(lease.clone(), finished).await;
        let rows = done?.into_iter().map(|item| item.row).collect();
        left?;
        Ok((rows, finished))
    }

    /// The first stop lets what is under way come to its end, the second does not.
    async fn until_stopped(
        &self,
        items: Vec<RunItem>,
        stop: watch::Sender<bool>,
        stopped: watch::Receiver<bool>,
    ) -> anyhow::Result<Vec<RunItem>> {
        let mut stops = Stops::caught().context("it cannot be heard when this is to stop")?;
        let hears = async move {
            stops.next().await;
            self.session.progress.says("stopping: what is under way is finished first; once more to stop at once");
            // The sender lives on: without it, everybody would take it for a stop.
            let _ = stop.send(true);
            stops.next().await;
        };
        tokio::select! {
            done = self.go(items, stopped) => done,
            () = hears => {
                let command = self.goes_on.as_ref();
                let hint = command.map(|command| format!("; {command} goes on with what is not done"));
                Err(anyhow::anyhow!("stopped at once{}", hint.unwrap_or_default()))
            }
        }
    }

    async fn go(&self, items: Vec<RunItem>, stopped: watch::Receiver<bool>) -> anyhow::Result<Vec<RunItem>> {
        let Some(portion) = self.portion else { return self.stages(items, Stages::Whole, &stopped).await };
        let prepared = self.stages(items, Stages::Prepare, &stopped).await?;
        if *stopped.borrow() || !prepared.iter().any(is_left) {
            return Ok(prepared);
        }
        let (left, mut done): (Vec<RunItem>, Vec<RunItem>) = prepared.into_iter().partition(is_left);
        let rows: Vec<RunRepository> = done.iter().map(|item| item.row.clone()).collect();
        if !rows.is_empty() {
            self.session.progress.says(&summary(&rows));
        }
        let mut left = left.into_iter().peekable();
        while left.peek().is_some() && !*stopped.borrow() {
            let some: Vec<RunItem> = left.by_ref().take(portion.max(1)).collect();
            if !progress::agrees(&question(&some), stopped.clone()).await? {
                done.extend(some);
                break;
            }
            done.extend(self.stages(some, Stages::Deliver, &stopped).await?);
        }
        done.extend(left);
        done.sort_by_key(|item| item.row.position);
        Ok(done)
    }

    async fn stages(
        &self,
        items: Vec<RunItem>,
        stages: Stages,
        stopped: &watch::Receiver<bool>,
    ) -> anyhow::Result<Vec<RunItem>> {
        let what = match stages {
            Stages::Whole => "repositories",
            Stages::Prepare => "prepared",
            Stages::Deliver => "delivered",
        };
        self.session.progress.counts(items.len(), what);
        let done = self.engine.go(items, stages, stopped.clone()).await?;
        self.session.progress.finish();
        Ok(done)
    }
}

fn is_left(item: &RunItem) -> bool {
    item.row.state == RunState::Waiting
}

fn question(some: &[RunItem]) -> String {
    let patched = some.iter().filter(|item| item.row.outcome == Some(PatchOutcome::Patched)).count();
    let over = if some.len() == 1 { "1 repository".into() } else { format!("{} repositories", some.len()) };
    format!("Push and open pull requests for {over} ({patched} patched)?")
}

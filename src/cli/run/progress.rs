//! How far a run has come: bars on a terminal, plain lines elsewhere.

use crate::bulk::engine::RunObserver;
use crate::cli::summary::End;
use crate::cli::{bar, printable};
use crate::domain::{RunRepository, RunState};
use anyhow::Context as _;
use indicatif::ProgressBar;
use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use tokio::sync::{oneshot, watch};

/// What is shown while a run is under way.
pub(super) struct Progress {
    bar: Mutex<ProgressBar>,
    is_terminal: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { bar: Mutex::new(ProgressBar::hidden()), is_terminal: std::io::stderr().is_terminal() }
    }

    /// From now on so many are counted.
    pub(super) fn counts(&self, all: usize, what: &str) {
        *self.lock() = bar::counting(all, what);
    }

    /// The bar goes.
    pub(super) fn finish(&self) {
        self.lock().finish_and_clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ProgressBar> {
        self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl RunObserver for Progress {
    fn begins(&self, row: &RunRepository) {
        self.lock().set_message(printable(&row.repository.id));
    }

    fn ended(&self, row: &RunRepository) {
        let bar = self.lock().clone();
        bar.inc(1);
        let end = if row.state == RunState::Waiting { "prepared" } else { End::of(row).words() };
        let why = row.reason.as_deref().filter(|_| row.state == RunState::Failed);
        let why = why.map(|why| format!(": {}", printable(&why.replace('\n', " ")))).unwrap_or_default();
        let (at, all) = (bar.position(), bar.length().unwrap_or_default());
        let id = printable(&row.repository.id);
        if self.is_terminal {
            if row.state == RunState::Failed {
                bar.println(format!("{id}: failed{why}"));
            }
        } else {
            let width = all.to_string().len();
            let _ = writeln!(std::io::stderr(), "[{at:>width$}/{all}] {id}: {end}{why}");
        }
    }

    fn says(&self, what: &str) {
        let bar = self.lock().clone();
        let text: Vec<String> = what.lines().map(printable).collect();
        if self.is_terminal && !bar.is_finished() {
            bar.println(text.join("\n"));
        } else {
            let _ = writeln!(std::io::stderr(), "{}", text.join("\n"));
        }
    }
}

/// Asks a person on the terminal. A stop is a no.
pub(super) async fn agrees(question: &str, mut stopped: watch::Receiver<bool>) -> anyhow::Result<bool> {
    let mut notes = std::io::stderr();
    write!(notes, "{question} [y/N] ").and_then(|()| notes.flush())?;
    let (tell, told) = oneshot::channel();
    // Reading a line cannot be called off. So it has a thread of its own, which nobody waits for.
    std::thread::spawn(move || {
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        let _ = tell.send(read.map(|_| answer));
    });
    let answer = tokio::select! {
        answer = told => answer?.context("nobody can be asked; --no-pause goes on without asking")?,
        _ = stopped.wait_for(|stop| *stop) => String::new(),
    };
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "ok" | "c" | "continue"))
}

//! How far a run has come: bars on a terminal, plain lines elsewhere.

use crate::bulk::engine::Watch;
use crate::cli::printable;
use crate::cli::summary::End;
use crate::domain::{RunRepository, RunState};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;

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
        let bar = ProgressBar::new(all as u64);
        if !self.is_terminal {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {prefix} {elapsed} {wide_msg}");
        // The template is a constant; without it the bar looks as bars look.
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_prefix(what.to_owned());
        *self.lock() = bar;
    }

    /// The bar goes.
    pub(super) fn finish(&self) {
        self.lock().finish_and_clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, ProgressBar> {
        self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Watch for Progress {
    fn begins(&self, one: &RunRepository) {
        self.lock().set_message(printable(&one.repository.id));
    }

    fn ended(&self, one: &RunRepository) {
        let bar = self.lock().clone();
        bar.inc(1);
        let end = if one.state == RunState::Waiting { "prepared" } else { End::of(one).as_str() };
        let why = one.reason.as_deref().filter(|_| one.state == RunState::Failed);
        let why = why.map(|why| format!(": {}", printable(&why.replace('\n', " ")))).unwrap_or_default();
        let (at, all) = (bar.position(), bar.length().unwrap_or_default());
        let id = printable(&one.repository.id);
        if self.is_terminal {
            if one.state == RunState::Failed {
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

/// Asks a person on the terminal.
pub(super) async fn agrees(question: &str) -> anyhow::Result<bool> {
    let question = format!("{question} [y/N] ");
    let answer = tokio::task::spawn_blocking(move || {
        let mut notes = std::io::stderr();
        write!(notes, "{question}").and_then(|()| notes.flush())?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    });
    let answer = answer.await?.context("nobody can be asked; --no-pause goes on without asking")?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "ok" | "c" | "continue"))
}

//! What happens on commits: other Apps' check runs, statuses, and people who press the buttons of ours.

use super::GitHubSim;
use super::people::named;
use super::world::SOMEBODY;
use crate::acts::CheckFields;
use crate::state::{CheckApp, Status};

/// The colour in which a check or status shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// `success`.
    Green,
    /// `failure`.
    Red,
    /// Not finished yet.
    Pending,
}

impl GitHubSim {
    /// Another App's check run ends on a commit with `success`, `failure` … Returns its id.
    pub fn check_run(&self, repo: &str, commit: &str, name: &str, conclusion: &str) -> anyhow::Result<i64> {
        let id = self.find(repo)?;
        self.act("other-ci[bot]", |act| {
            let head = named(act, id, commit)?;
            let fields = CheckFields {
                name: Some(name.to_owned()),
                status: Some("completed".to_owned()),
                conclusion: Some(conclusion.to_owned()),
                ..CheckFields::default()
            };
            act.create_check(id, CheckApp::OtherCi, head, fields)
        })
    }

    /// Another App's check run begins on a commit. Returns its id.
    pub fn start_check_run(&self, repo: &str, commit: &str, name: &str) -> anyhow::Result<i64> {
        let id = self.find(repo)?;
        self.act("other-ci[bot]", |act| {
            let head = named(act, id, commit)?;
            let (name, status) = (Some(name.to_owned()), Some("in_progress".to_owned()));
            act.create_check(id, CheckApp::OtherCi, head, CheckFields { name, status, ..CheckFields::default() })
        })
    }

    /// A started check run ends.
    pub fn finish_check_run(&self, repo: &str, check: i64, conclusion: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act("other-ci[bot]", |act| {
            let fields = CheckFields { conclusion: Some(conclusion.to_owned()), ..CheckFields::default() };
            act.update_check(id, check, fields)
        })
    }

    /// Another App's check of that name turns this colour on a commit, begun anew if it was over. Returns the run's id.
    pub fn set_check(&self, repo: &str, commit: &str, name: &str, colour: Colour) -> anyhow::Result<i64> {
        let id = self.find(repo)?;
        self.act("other-ci[bot]", |act| {
            let head = named(act, id, commit)?;
            let (status, conclusion) = match colour {
                Colour::Green => ("completed", Some("success")),
                Colour::Red => ("completed", Some("failure")),
                Colour::Pending => ("in_progress", None),
            };
            let fields = CheckFields {
                name: Some(name.to_owned()),
                status: Some(status.to_owned()),
                conclusion: conclusion.map(str::to_owned),
                ..CheckFields::default()
            };
            let mut runs = act.repo(id)?.checks.values().rev();
            let latest = runs.find(|run| run.head_sha == head && run.name == name && run.app == CheckApp::OtherCi);
            match latest.filter(|run| run.status != "completed").map(|run| run.id) {
                Some(running) => act.update_check(id, running, fields).map(|()| running),
                None => act.create_check(id, CheckApp::OtherCi, head, fields),
            }
        })
    }

    /// Another App's jobs on a commit: whether some are still to come that have no check run yet, because they need others.
    pub fn jobs_to_come(&self, repo: &str, commit: &str, more: bool) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act("other-ci[bot]", |act| {
            let head = named(act, id, commit)?;
            act.more_to_come(id, CheckApp::OtherCi, head, more)
        })
    }

    /// Somebody's CI sets a commit status, the older sister of a check.
    pub fn set_status(&self, repo: &str, commit: &str, context: &str, colour: Colour) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act("other-ci[bot]", |act| {
            let sha = named(act, id, commit)?;
            let state = match colour {
                Colour::Green => "success",
                Colour::Red => "failure",
                Colour::Pending => "pending",
            };
            let status = Status {
                id: act.state.new_id(),
                sha,
                state: state.to_owned(),
                context: context.to_owned(),
                description: None,
                target_url: None,
                creator: act.actor.clone(),
                created_at: act.now,
            };
            act.add_status(id, status)
        })
    }

    /// A person presses "Re-run" on a check run. Only the App that made the run hears of it.
    pub fn rerequest_check_run(&self, repo: &str, check: i64) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.ask_of_check(id, check, None))
    }

    /// A person presses one of the buttons that a check run has (`actions`), by its identifier.
    pub fn press(&self, repo: &str, check: i64, identifier: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.ask_of_check(id, check, Some(identifier)))
    }

    /// A person presses "Re-run all" for our App on a commit.
    pub fn rerequest_checks(&self, repo: &str, commit: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            let head = named(act, id, commit)?;
            let suite = act.suite(id, CheckApp::Own, head)?;
            act.rerequest_suite(id, suite)
        })
    }
}

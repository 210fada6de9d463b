//! What can happen in the world, whoever causes it: each act changes the state and tells the App.
//!
//! Routes and the Rust API both go through here, so that a person's push and the bot's push have the
//! same consequences. An act that GitHub would refuse returns GitHub's refusal.

mod accounts;
mod checks;
mod discussion;
mod merging;
mod pulls;
mod references;
mod repositories;
mod reviewing;

use git2::Oid;
use jiff::Timestamp;
use serde_json::Value;

use crate::git::Person;
use crate::render::Render;
use crate::reply::Reply;
use crate::site::Site;
use crate::state::{Pull, Repo, State};

pub(crate) use checks::CheckFields;
pub(crate) use merging::BranchMerge;
pub use merging::MergeMethod;
pub(crate) use pulls::{NewPull, PullEdit};
pub(crate) use references::Refusal;
pub(crate) use repositories::NewRepo;
pub use reviewing::ReviewVerdict;

/// One act: the state under its lock, the time, and who does it.
pub(crate) struct Act<'a> {
    pub state: &'a mut State,
    pub site: &'a Site,
    pub now: Timestamp,
    pub actor: String,
}

impl Act<'_> {
    pub(crate) fn render(&self) -> Render<'_> {
        Render { state: self.state, site: self.site, api: self.site.root.clone() }
    }

    pub(crate) fn repo(&self, id: i64) -> Result<&Repo, Reply> {
        self.state.repos.get(&id).ok_or_else(Reply::not_found)
    }

    pub(crate) fn repo_mut(&mut self, id: i64) -> Result<&mut Repo, Reply> {
        self.state.repos.get_mut(&id).ok_or_else(Reply::not_found)
    }

    pub(crate) fn pull(&self, repo: i64, number: i64) -> Result<&Pull, Reply> {
        self.repo(repo)?.pulls.get(&number).ok_or_else(Reply::not_found)
    }

    pub(crate) fn pull_mut(&mut self, repo: i64, number: i64) -> Result<&mut Pull, Reply> {
        let now = self.now;
        let pull = self.repo_mut(repo)?.pulls.get_mut(&number).ok_or_else(Reply::not_found)?;
        pull.updated_at = now;
        Ok(pull)
    }

    /// The acting account as git writes it.
    pub(crate) fn person(&mut self) -> Person {
        let account = self.state.account_or_person(&self.actor);
        Person { name: account.login.clone(), email: account.email(), at: self.now }
    }

    /// Who GitHub names as committer of what it commits itself.
    pub(crate) fn web_flow(&self) -> Person {
        Person { name: "GitHub".to_owned(), email: "noreply@github.com".to_owned(), at: self.now }
    }

    /// Tells the App of something in a repository.
    pub(crate) fn emit(&mut self, repo: i64, event: &str, action: Option<&str>, fields: Value) {
        crate::webhooks::emit_for_repo(self, repo, event, action, fields);
    }

    pub(crate) fn merge_base_tree(&self, repo: i64, pull: &Pull) -> Result<(Option<Oid>, Oid), Reply> {
        let git = &self.repo(repo)?.git;
        Ok(crate::render::diff_sides(git, pull)?)
    }
}

//! What people say under a pull request, and who they are to the repository.

use super::GitHubSim;
use super::world::SOMEBODY;
use crate::access::{Role, Team};
use crate::acts::{MergeMethod, ReviewVerdict};
use crate::reply::Reply;
use crate::state::AccountKind;

impl GitHubSim {
    /// Somebody comments on a pull request: a person, or with a login such as `renovate[bot]` another App.
    /// Returns the comment's id. 403 where the conversation is locked and they may not push.
    pub fn comment(&self, repo: &str, number: i64, login: &str, body: &str) -> anyhow::Result<i64> {
        let id = self.find(repo)?;
        self.act(login, |act| act.add_comment(id, number, body))
    }

    /// Somebody edits a comment, their own or, as people who may write can, another's.
    pub fn edit_comment(&self, repo: &str, comment: i64, login: &str, body: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(login, |act| act.edit_comment(id, comment, body))
    }

    /// Somebody deletes a comment.
    pub fn delete_comment(&self, repo: &str, comment: i64, login: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(login, |act| act.delete_comment(id, comment))
    }

    /// Somebody reacts to a comment with `+1`, `eyes` …
    pub fn react(&self, repo: &str, comment: i64, login: &str, content: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(login, |act| act.react(id, comment, content).map(drop))
    }

    /// A person locks a conversation: no comments but from people who may push.
    pub fn lock(&self, repo: &str, number: i64) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.set_locked(id, number, true))
    }

    /// A person unlocks a conversation.
    pub fn unlock(&self, repo: &str, number: i64) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.set_locked(id, number, false))
    }

    /// Says what a person may do in a repository.
    ///
    /// Without this a person writes, the owner administers, and whoever forked the repository is an
    /// [`Role::Outsider`]. It decides over the collaborators API, `author_association`, being assigned or asked for
    /// reviews, locked conversations, personal tokens and pushes over git. What a test makes people do through
    /// [`GitHubSim`] is done whatever they may, comments on locked conversations excepted.
    pub fn set_role(&self, repo: &str, login: &str, role: Role) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(login, |act| {
            act.repo_mut(id)?.roles.insert(login.to_lowercase(), role);
            Ok(())
        })
    }

    /// Makes a team of an organisation, which reviews may be requested from; returns its id.
    pub fn team(&self, organization: &str, slug: &str) -> anyhow::Result<i64> {
        let mut state = self.shared.state();
        if state.account(organization).is_none_or(|account| account.kind != AccountKind::Organization) {
            anyhow::bail!("{organization} is not an organisation");
        }
        if let Some(team) = state.team(organization, slug) {
            return Ok(team.id);
        }
        let id = state.new_id();
        let team = Team { id, slug: slug.to_lowercase() };
        state.teams.entry(organization.to_lowercase()).or_default().push(team);
        Ok(id)
    }

    /// The owner's plan has no draft pull requests for this repository: opening one is answered with 422.
    pub fn without_drafts(&self, repo: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            act.repo_mut(id)?.drafts = false;
            Ok(())
        })
    }

    /// A draft is declared ready, or back.
    pub fn set_draft(&self, repo: &str, number: i64, draft: bool) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            let pull = act.pull_mut(id, number)?;
            if pull.draft == draft {
                return Ok(());
            }
            pull.draft = draft;
            let action = if draft { "converted_to_draft" } else { "ready_for_review" };
            act.pull_event(id, number, action, serde_json::json!({}))
        })
    }

    /// A person reviews a pull request.
    pub fn review(&self, repo: &str, number: i64, login: &str, verdict: ReviewVerdict) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.person(login);
        self.act(login, |act| act.review(id, number, verdict))
    }

    /// Somebody dismisses all reviews of a person.
    pub fn dismiss_reviews(&self, repo: &str, number: i64, login: &str) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| act.dismiss_reviews(id, number, login))
    }

    /// The owner allows only these ways of merging.
    pub fn allow_merges(&self, repo: &str, methods: &[MergeMethod]) -> anyhow::Result<()> {
        let id = self.find(repo)?;
        self.act(SOMEBODY, |act| {
            if methods.is_empty() {
                return Err(Reply::unprocessable("at least one way of merging must stay"));
            }
            act.repo_mut(id)?.merge_methods = methods.iter().copied().collect();
            Ok(())
        })
    }
}

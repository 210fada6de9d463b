//! Who is assigned to a pull request and who is asked to review it.

use serde_json::json;

use super::Act;
use crate::reply::Reply;
use crate::state::{AccountKind, Review};

/// What somebody says of a pull request as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewVerdict {
    /// It may be merged.
    Approve,
    /// It has to change first.
    RequestChanges,
    /// Neither.
    Comment,
}

impl ReviewVerdict {
    fn word(self) -> &'static str {
        match self {
            ReviewVerdict::Approve => "APPROVED",
            ReviewVerdict::RequestChanges => "CHANGES_REQUESTED",
            ReviewVerdict::Comment => "COMMENTED",
        }
    }
}

const NOT_COLLABORATORS: &str = "Reviews may only be requested from collaborators. One or more of the users or teams you \
                                 specified is not a collaborator of this repository.";

impl Act<'_> {
    pub(crate) fn assign(&mut self, repo: i64, number: i64, logins: &[String], add: bool) -> Result<(), Reply> {
        for login in logins {
            // GitHub passes over those it cannot assign, without a word.
            if !self.is_person_let_in(repo, login)? {
                continue;
            }
            let Some(account) = self.state.account(login).cloned() else { continue };
            let pull = self.pull_mut(repo, number)?;
            let present = pull.assignees.contains(&account.login);
            match (add, present) {
                (true, false) => pull.assignees.push(account.login.clone()),
                (false, true) => pull.assignees.retain(|name| *name != account.login),
                _ => continue,
            }
            let user = self.render().user(&account.login);
            let action = if add { "assigned" } else { "unassigned" };
            self.pull_event(repo, number, action, json!({ "assignee": user }))?;
        }
        Ok(())
    }

    pub(crate) fn request_reviews(
        &mut self,
        repo: i64,
        number: i64,
        logins: &[String],
        teams: &[String],
        add: bool,
    ) -> Result<(), Reply> {
        let author = self.pull(repo, number)?.author.clone();
        let owner = self.repo(repo)?.owner.clone();
        // All or none: one name that will not do refuses the whole request.
        for login in logins {
            if !self.is_person_let_in(repo, login)? {
                return Err(Reply::unprocessable(NOT_COLLABORATORS));
            }
            if add && login.eq_ignore_ascii_case(&author) {
                return Err(Reply::unprocessable("Review cannot be requested from pull request author."));
            }
        }
        if teams.iter().any(|slug| self.state.team(&owner, slug).is_none()) {
            return Err(Reply::unprocessable(NOT_COLLABORATORS));
        }
        let action = if add { "review_requested" } else { "review_request_removed" };
        for login in logins {
            let login = self.state.account(login).map_or_else(|| login.clone(), |account| account.login.clone());
            if changes(&mut self.pull_mut(repo, number)?.reviewers, &login, add) {
                let user = self.render().user(&login);
                self.pull_event(repo, number, action, json!({ "requested_reviewer": user }))?;
            }
        }
        for slug in teams {
            if changes(&mut self.pull_mut(repo, number)?.teams, &slug.to_lowercase(), add) {
                let team = self.render().team(&owner, slug);
                self.pull_event(repo, number, action, json!({ "requested_team": team }))?;
            }
        }
        Ok(())
    }

    /// Somebody submits a review, or takes all of theirs back.
    pub(crate) fn review(&mut self, repo: i64, number: i64, verdict: ReviewVerdict) -> Result<(), Reply> {
        let (id, now, author) = (self.state.new_id(), self.now, self.actor.clone());
        let pull = self.pull_mut(repo, number)?;
        let review = Review { id, author, state: verdict.word(), commit: pull.head_sha, submitted_at: now };
        pull.reviews.push(review.clone());
        // Who has reviewed it is asked no longer.
        pull.reviewers.retain(|login| *login != review.author);
        self.review_event(repo, number, &review, "submitted")
    }

    pub(crate) fn dismiss_reviews(&mut self, repo: i64, number: i64, login: &str) -> Result<(), Reply> {
        let mut dismissed = Vec::new();
        for review in self.pull_mut(repo, number)?.reviews.iter_mut().filter(|review| review.author == login) {
            review.state = "DISMISSED";
            dismissed.push(review.clone());
        }
        dismissed.iter().try_for_each(|review| self.review_event(repo, number, review, "dismissed"))
    }

    fn review_event(&mut self, repo: i64, number: i64, review: &Review, action: &str) -> Result<(), Reply> {
        let render = self.render();
        let mut shown = render.review(repo, number, review)?;
        // Events write it in small letters, and with the time of its last change.
        shown["state"] = json!(review.state.to_lowercase());
        shown["updated_at"] = shown["submitted_at"].clone();
        let pull = render.pull(repo, number, false)?;
        self.emit(repo, "pull_request_review", Some(action), json!({ "review": shown, "pull_request": pull }));
        Ok(())
    }

    fn is_person_let_in(&self, repo: i64, login: &str) -> Result<bool, Reply> {
        let person = self.state.account(login).is_some_and(|account| account.kind == AccountKind::User);
        Ok(person && self.state.is_collaborator(self.repo(repo)?, login))
    }
}

/// Puts a name into a list or takes it out; false if it was so already.
fn changes(names: &mut Vec<String>, name: &str, add: bool) -> bool {
    let present = names.iter().any(|known| known == name);
    if add == present {
        return false;
    }
    if add {
        names.push(name.to_owned());
    } else {
        names.retain(|known| known != name);
    }
    true
}

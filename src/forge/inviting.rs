//! Asking people and teams to look at a pull request.
//!
//! Permissions: `pull_requests: write`; `members: read` (of the organisation) to name teams; `metadata: read` to learn who
//! has access.

use super::client::{Call, Identity};
use super::pages::read_while;
use super::tokens::Access;
use super::{ForgeError, GitHub, Target};
use crate::domain::PullNumber;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct AccountBody {
    login: String,
}

#[derive(Deserialize)]
struct TeamBody {
    slug: String,
}

#[derive(Deserialize)]
struct RequestedBody {
    users: Vec<AccountBody>,
    teams: Vec<TeamBody>,
}

#[derive(Deserialize)]
struct ReviewBody {
    #[serde(default)]
    user: Option<AccountBody>,
}

/// More reviews than these are not read.
const REVIEWS_MAX: usize = 1_000;

#[derive(Deserialize)]
struct IssueBody {
    #[serde(default)]
    assignees: Vec<AccountBody>,
}

#[derive(Deserialize)]
struct NumberedBody {
    #[serde(rename = "number")]
    _number: PullNumber,
}

impl GitHub {
    /// Asks people, by login, and teams of the repository's owner, by slug, to review a pull request. Asking again changes
    /// nothing, unless they have reviewed it since: then they are asked once more.
    ///
    /// Errors: [`ForgeError::Invalid`] if one of them cannot be asked, and [`ForgeError::Forbidden`] with `needs` if there are
    /// teams and the owner has not granted `members: read`; then nobody was asked.
    pub async fn request_reviews(
        &self,
        target: &Target,
        number: PullNumber,
        (people, teams): (&[&str], &[&str]),
    ) -> Result<(), ForgeError> {
        let body = json!({ "reviewers": people, "team_reviewers": teams });
        let call = Call::post(target.path(&["pulls", &number.to_string(), "requested_reviewers"]), &body);
        let access = if teams.is_empty() { Access::WritePulls } else { Access::AskTeams };
        let answer = self.client.send(&call, target.scope(access).into()).await?;
        answer.read::<NumberedBody>().map(drop)
    }

    /// Who was asked to review a pull request, or has done so: people by login, and teams by slug for whom nobody has.
    pub async fn asked_to_review(
        &self,
        target: &Target,
        number: PullNumber,
    ) -> Result<(Vec<String>, Vec<String>), ForgeError> {
        let identity: Identity = target.scope(Access::Pulls).into();
        let path = |what| target.path(&["pulls", &number.to_string(), what]);
        let answer = self.client.send(&Call::get(path("requested_reviewers")), identity).await?;
        let requested: RequestedBody = answer.read()?;
        let mut people: Vec<String> = requested.users.into_iter().map(|user| user.login).collect();
        let reviews = path("reviews") + "?per_page=100";
        read_while(&self.client, identity, reviews, |page: Vec<ReviewBody>| {
            people.extend(page.into_iter().filter_map(|review| review.user).map(|user| user.login));
            people.len() < REVIEWS_MAX
        })
        .await?;
        Ok((people, requested.teams.into_iter().map(|team| team.slug).collect()))
    }

    /// Assigns people, by login, to a pull request, and says who is assigned now: GitHub passes over those who cannot be.
    pub async fn assign(
        &self,
        target: &Target,
        number: PullNumber,
        people: &[&str],
    ) -> Result<Vec<String>, ForgeError> {
        let path = target.path(&["issues", &number.to_string(), "assignees"]);
        let call = Call::post(path, &json!({ "assignees": people }));
        let answer = self.client.send(&call, target.scope(Access::WritePulls).into()).await?;
        Ok(answer.read::<IssueBody>()?.assignees.into_iter().map(|one| one.login).collect())
    }

    /// Whether somebody has access to a repository, so that they can be asked for a review.
    pub async fn is_collaborator(&self, target: &Target, login: &str) -> Result<bool, ForgeError> {
        let call = Call::get(target.path(&["collaborators", login]));
        match self.client.send(&call, target.scope(Access::Metadata).into()).await {
            Ok(_) => Ok(true),
            Err(ForgeError::Gone { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

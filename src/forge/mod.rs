//! GitHub: who we are there, reading a repository, proposing a change, and what its webhooks say.
//!
//! This room knows GitHub's protocol and nothing of subscriptions, packages or rows. octocrab carries the
//! requests; authentication, limits, redirects, pages and models are ours, because the faults a bot has to survive
//! live exactly there (see `client.rs`). Nothing here waits and repeats by itself, except for one fresh token after
//! a 401: when to repeat is the caller's decision, and [`ForgeError`] says what it needs to know.
//!
//! | file | holds |
//! | --- | --- |
//! | `settings.rs` | what the App is and where GitHub is |
//! | `auth.rs`, `tokens.rs` | the App's JWT; installation tokens, narrow, cached, refreshed once |
//! | `transport.rs`, `client.rs`, `answer.rs`, `pages.rs` | one request and what its answer means |
//! | `limits.rs`, `heard.rs` | what an answer says of the limits; what was heard so far |
//! | `installations.rs` | installations and their repositories |
//! | `deliveries.rs` | webhooks that could not be handed over, and asking for them again |
//! | `git_data.rs` | branch heads, trees, blobs, commits, refs |
//! | `tags.rs` | the tags of a repository, also of one that the App is not installed on |
//! | `releases.rs` | what such a repository says of a release |
//! | `inviting.rs` | asking people and teams to look at a pull request |
//! | `comments.rs` | who may ask for something, and answering |
//! | `checks.rs`, `own_checks.rs` | what checks say about a commit; saying something in one of our own |
//! | `verdicts.rs`, `merging.rs` | each check and review of a pull request by itself; merging it |
//! | `propose.rs`, `revise.rs` | from a change to a pull request; one more commit on one that is open |
//! | `pulls.rs` | a pull request's later life |
//! | `session/` | the same for somebody who knows a repository by its name alone, with a token of their own or an App's |
//! | `webhook/` | signature and meaning of a delivery |

mod answer;
mod auth;
mod checks;
mod client;
mod comments;
mod deliveries;
mod error;
mod git_data;
mod heard;
mod installations;
mod inviting;
mod limits;
mod merging;
mod own_checks;
mod pages;
mod propose;
mod pulls;
mod releases;
mod revise;
pub mod session;
mod settings;
mod tags;
mod tokens;
mod transport;
mod verdicts;
pub mod webhook;

pub use comments::Reaction;
pub use deliveries::{AttemptId, DeliveryAttempt, DeliveryLog};
pub use error::ForgeError;
pub use git_data::{EntryKind, TreeEntry};
pub use installations::{AccountKind, InstallationInfo, ListedRepository};
pub use own_checks::{Annotation, CheckRun, Conclusion, OwnCheck};
pub use propose::{Advance, Proposed, Retreat};
pub use pulls::{AccountId, PullState, PullStatus};
pub use releases::{Shown, TaggedRelease};
pub use revise::BaseMerge;
pub use settings::{GitHubSettings, PersonSettings, web_host};
pub use tags::{Sight, Tag, TagList, Tags};

use crate::domain::{Clock, Heard, InstallationId, Pause, RepoId, RepoName};
use crate::metrics::Metrics;
use client::Client;
use std::sync::Arc;
use tokens::{Access, TokenScope};

/// A GitHub App at work. Clones share tokens, connections and limits.
#[derive(Clone)]
pub struct GitHub {
    client: Arc<Client>,
}

impl GitHub {
    /// Prepares the App; sends nothing yet. Call it inside a Tokio runtime.
    ///
    /// Errors: [`ForgeError::Settings`] for an address or key that cannot work.
    pub fn new(settings: GitHubSettings, clock: Arc<dyn Clock>) -> Result<Self, ForgeError> {
        Self::counting(settings, clock, Metrics::new())
    }

    /// The same, for somebody who wants to know how much is asked: requests, tokens and pull requests are counted.
    ///
    /// Errors: as [`GitHub::new`].
    pub fn counting(settings: GitHubSettings, clock: Arc<dyn Clock>, metrics: Metrics) -> Result<Self, ForgeError> {
        Ok(Self { client: Arc::new(Client::new(settings, clock, metrics)?) })
    }

    /// GitHub in the name of a person, by their token: whichever installation a [`Target`] names, the token is what signs.
    /// Limits and pauses are those of the token. What only an App may do fails with GitHub's own words.
    ///
    /// Errors: [`ForgeError::Settings`] for an address or token that cannot work.
    pub fn of_person(settings: PersonSettings, clock: Arc<dyn Clock>) -> Result<Self, ForgeError> {
        Ok(Self { client: Arc::new(Client::of_person(settings, clock)?) })
    }

    /// What this process heard of the limits of an installation (`None`: of the App itself) since the last call.
    pub fn heard(&self, installation: Option<InstallationId>) -> Option<Heard> {
        self.client.standings().take(installation)
    }

    /// Asks nothing in the name of an installation (`None`: of the App itself) before the pause is over: another process
    /// learned of it.
    pub fn heed(&self, installation: Option<InstallationId>, pause: Pause) {
        self.client.standings().heed(installation, pause);
    }
}

impl std::fmt::Debug for GitHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitHub").finish_non_exhaustive()
    }
}

/// A repository as requests need it: the id that tokens are narrowed to, and the name that paths want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The installation that gives access.
    pub installation: InstallationId,
    /// The repository. A token for it opens no other one, even when the name has passed to another.
    pub repo: RepoId,
    /// Its current name. An old one works too while GitHub redirects it.
    pub name: RepoName,
}

impl Target {
    /// The path of this repository's resources: `/repos/owner/name`, then the parts, each percent-encoded.
    fn path(&self, parts: &[&str]) -> String {
        let mut all = vec!["repos", self.name.owner(), self.name.name()];
        all.extend(parts);
        client::path(&all)
    }

    fn scope(&self, access: Access) -> TokenScope {
        TokenScope { installation: self.installation, repo: Some(self.repo), access }
    }
}

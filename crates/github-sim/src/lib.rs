//! A GitHub that fits in a process: stateful, on real git objects, for tests and the demo.
//!
//! The bot speaks to it over HTTP, exactly as to GitHub; a test builds its world, causes events and
//! looks at the outcome through [`GitHubSim`].
//!
//! ```no_run
//! # async fn story() -> anyhow::Result<()> {
//! use std::sync::Arc;
//! use github_sim::{GitHubSim, RepoOptions};
//!
//! let github = GitHubSim::start(Arc::new(|| "2026-01-05T08:00:00Z".parse().unwrap_or_default()))?;
//! github.organization("acme");
//! github.install("acme")?;
//! github.create_repo("acme/api", RepoOptions::default().file("requirements.txt", "httpx==0.27.0\n"))?;
//! github.set_webhook_url("http://127.0.0.1:8080/webhooks/github");
//! github.deliver_pending().await;           // installation, repository, push …
//! // … the bot works over `github.url()` with `github.app()` …
//! github.merge("acme/api", 1)?;             // a person merges
//! github.deliver_pending().await;           // push, pull_request closed
//! # Ok(())
//! # }
//! ```
//!
//! # What it is faithful in
//!
//! * **REST**, at the root and under `/api/v3`: the App's JWT and installation tokens with their scope,
//!   permissions and expiry; repositories, git data, commits, contents, pull requests, labels, comments,
//!   reactions, check runs, statuses, tags and releases; 404 for what one may not know of, 403 with
//!   `X-Accepted-GitHub-Permissions`, 422 with GitHub's words, 301 and 307 for renamed repositories,
//!   `ETag` and 304, `Link` pages, primary and secondary rate limits.
//! * **Webhooks**: what happens, by whomever, queues the events GitHub would send, in order, signed at
//!   hand-over. [`GitHubSim::deliver_pending`] hands over what is queued; a test can drop, hold, reverse or
//!   repeat. The App's delivery log with redelivery is served over REST.
//! * **git**: `git clone` and `git push` over smart HTTP, where a `git` executable is installed.
//! * **Bad days**: see [`Fault`].
//!
//! # What it leaves out
//!
//! GraphQL, issues that are not pull requests, reviews, teams, merge queues, rulesets beyond
//! [`Protection`], Actions. Time is the caller's: nothing here reads a clock of its own.

// A repository has more fields than the default allows `json!` to unfold.
#![recursion_limit = "256"]

mod access;
mod acts;
mod auth;
mod exchange;
mod faults;
mod git;
mod limits;
mod mergeability;
mod pages;
mod render;
mod reply;
mod request;
mod routes;
mod server;
mod settings;
mod sim;
mod site;
mod smart_http;
mod state;
mod webhooks;

pub use access::Role;
pub use acts::MergeMethod;
pub use exchange::{AuthKind, Exchange, WebhookPost};
pub use faults::{Fault, FaultKind, Gate, RetryAfter};
pub use settings::Limits;
pub use sim::{
    CheckRunView, Colour, CommentView, CommitView, FileChangeInput, GitHubSim, InstallOptions, PendingEvent,
    PersonView, PullRequestView, Push, RepoOptions, RepoView,
};
pub use site::{AppCredentials, Clock};
pub use state::{Permissions, Protection};
pub use webhooks::{DeliveryOutcome, signature};

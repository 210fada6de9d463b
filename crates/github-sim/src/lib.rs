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
//!   permissions and expiry; repositories, git data, commits, contents, merges of branches, pull requests,
//!   labels, comments, reactions, locks, reviewers and assignees, collaborators' permissions, check runs and
//!   suites, statuses, tags and releases; 404 for what one may not know of, 403 with
//!   `X-Accepted-GitHub-Permissions`, 422 with GitHub's words, 301 and 307 for renamed repositories,
//!   `ETag` and 304, `Link` pages, primary and secondary rate limits. What is public is readable for every
//!   installation, whoever owns it.
//! * **Merging**: real merges by git. `mergeable` is null after each move of head or base until somebody asked
//!   ([`Limits::unknown_mergeability`], [`GitHubSim::hold_mergeability`]); then `mergeable_state` is `dirty`, `draft`,
//!   `blocked`, `behind`, `unstable` or `clean` by the trees, the base's [`Protection`] and the newest word of each
//!   check and status on the head. The same rules answer a merge with 405.
//! * **Webhooks**: what happens, by whomever, queues the events GitHub would send, in order, signed at
//!   hand-over. [`GitHubSim::deliver_pending`] hands over what is queued; a test can drop, hold, reverse or
//!   repeat. The App's delivery log with redelivery is served over REST.
//! * **git**: `git clone` and `git push` over smart HTTP, where a `git` executable is installed.
//! * **Bad days**: see [`Fault`].
//!
//! # What a test makes happen
//!
//! | who | does | with |
//! | --- | --- | --- |
//! | a person | pushes, forwards or not, on any branch | [`push_as`](GitHubSim::push_as), [`force_push`](GitHubSim::force_push), [`delete_branch`](GitHubSim::delete_branch) |
//! | a person | proposes a change of files, from their fork if they have one | [`propose_as`](GitHubSim::propose_as), [`fork`](GitHubSim::fork), [`open_pull_request_as`](GitHubSim::open_pull_request_as) |
//! | a person | edits, closes, reopens, merges | [`retitle`](GitHubSim::retitle), [`describe`](GitHubSim::describe), [`change_base`](GitHubSim::change_base), [`set_draft`](GitHubSim::set_draft), [`close`](GitHubSim::close), [`reopen`](GitHubSim::reopen), [`merge`](GitHubSim::merge) |
//! | anybody | comments, edits, deletes, reacts; a login such as `renovate[bot]` is another App's | [`comment`](GitHubSim::comment), [`edit_comment`](GitHubSim::edit_comment), [`delete_comment`](GitHubSim::delete_comment), [`react`](GitHubSim::react) |
//! | a person | locks a conversation | [`lock`](GitHubSim::lock), [`unlock`](GitHubSim::unlock) |
//! | a person | asks for our checks again, presses their buttons | [`rerequest_check_run`](GitHubSim::rerequest_check_run), [`rerequest_checks`](GitHubSim::rerequest_checks), [`press`](GitHubSim::press) |
//! | another CI | turns a check or status green, red or pending | [`set_check`](GitHubSim::set_check), [`set_status`](GitHubSim::set_status) |
//! | the owner | says who may do what, makes teams | [`set_role`](GitHubSim::set_role), [`team`](GitHubSim::team) |
//! | a person | reviews, or dismisses their review | [`review`](GitHubSim::review), [`dismiss_reviews`](GitHubSim::dismiss_reviews) |
//! | the owner | protects, limits ways of merging, has no drafts | [`protect`](GitHubSim::protect), [`allow_merges`](GitHubSim::allow_merges), [`without_drafts`](GitHubSim::without_drafts) |
//! | a publisher | releases with notes, rewrites them | [`release`](GitHubSim::release), [`edit_release`](GitHubSim::edit_release) |
//!
//! Who nobody was told about writes: see [`GitHubSim::set_role`].
//!
//! # What it leaves out
//!
//! GraphQL, issues that are not pull requests, review comments, approvals as protection counts them, members of teams, merge queues, rulesets beyond
//! [`Protection`], Actions. Updating a branch and deleting the head after a merge happen at once. Time is the caller's: nothing here reads a clock of its own.

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
pub use acts::{MergeMethod, ReviewVerdict};
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

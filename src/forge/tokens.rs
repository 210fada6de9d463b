//! Installation tokens: each for one repository and the permissions of one step, kept until shortly before it
//! expires, and asked for once however many wait for it.

use super::ForgeError;
use super::client::{Call, Client, path};
use crate::domain::{InstallationId, RepoId};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A token is not used in its last minutes: a job that starts with it should be able to end with it.
const MARGIN: SignedDuration = SignedDuration::from_secs(5 * 60);
/// What GitHub documents. A longer promise is not believed.
const LIFETIME: SignedDuration = SignedDuration::from_secs(60 * 60);
/// How long a token serves that our clock takes for expired on arrival. It is the clock that is wrong.
const DOUBTFUL_LIFETIME: SignedDuration = SignedDuration::from_secs(60);
/// Expired tokens are swept out when there are this many or twice what the last sweep left.
const SWEEP_FROM: usize = 1024;

/// What a token is to allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Access {
    /// Listing repositories.
    Metadata,
    /// Reading files.
    Contents,
    /// Reading pull requests.
    Pulls,
    /// Reading what checks say.
    Checks,
    /// Saying something in a check of our own.
    WriteChecks,
    /// Reading commit statuses.
    Statuses,
    /// Changing pull requests: closing them, their labels and comments.
    WritePulls,
    /// Asking for reviews where teams are among those who are asked: GitHub resolves a team's name for those alone who may
    /// read the organisation's members.
    AskTeams,
    /// Deleting branches, merging.
    WriteContents,
    /// Merging what changes workflows.
    WriteWorkflows,
    /// Proposing: writing a branch and opening a pull request from it, with one token.
    Propose,
    /// As `Propose`, files under `.github/workflows` included.
    ProposeWorkflows,
}

impl Access {
    fn permissions(self) -> Value {
        match self {
            Self::Metadata => json!({ "metadata": "read" }),
            Self::Contents => json!({ "metadata": "read", "contents": "read" }),
            Self::Pulls => json!({ "metadata": "read", "pull_requests": "read" }),
            Self::Checks => json!({ "metadata": "read", "checks": "read" }),
            Self::WriteChecks => json!({ "metadata": "read", "checks": "write" }),
            Self::Statuses => json!({ "metadata": "read", "statuses": "read" }),
            Self::WritePulls => json!({ "metadata": "read", "pull_requests": "write" }),
            Self::AskTeams => json!({ "metadata": "read", "pull_requests": "write", "members": "read" }),
            Self::WriteContents => json!({ "metadata": "read", "contents": "write" }),
            Self::WriteWorkflows => json!({ "metadata": "read", "contents": "write", "workflows": "write" }),
            Self::Propose => json!({ "metadata": "read", "contents": "write", "pull_requests": "write" }),
            Self::ProposeWorkflows => {
                json!({ "metadata": "read", "contents": "write", "pull_requests": "write", "workflows": "write" })
            }
        }
    }
}

/// Where and for what a token is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TokenScope {
    pub(super) installation: InstallationId,
    /// The one repository it opens; `None` only for listing them.
    pub(super) repo: Option<RepoId>,
    pub(super) access: Access,
}

/// A token and when our clock may use it.
pub(super) struct Token {
    pub(super) secret: SecretString,
    from: Timestamp,
    until: Timestamp,
}

impl Token {
    fn usable(&self, now: Timestamp) -> bool {
        // A clock set far back would keep the token beyond its real end.
        now < self.until && now >= self.from - MARGIN
    }
}

type Flight = Shared<BoxFuture<'static, Result<Arc<Token>, ForgeError>>>;

enum Slot {
    Held(Arc<Token>),
    AskedFor(Flight),
}

/// The tokens of this process.
pub(super) struct Tokens {
    slots: Mutex<Slots>,
}

struct Slots {
    by_scope: HashMap<TokenScope, Slot>,
    sweep_at: usize,
}

impl Tokens {
    pub(super) fn new() -> Self {
        Self { slots: Mutex::new(Slots { by_scope: HashMap::new(), sweep_at: SWEEP_FROM }) }
    }

    /// A usable token, from the cache or from GitHub. Whoever comes while one is asked for waits for that one, and
    /// gets its error if it fails; the next caller after that asks again.
    pub(super) async fn get(&self, client: &Arc<Client>, scope: TokenScope) -> Result<Arc<Token>, ForgeError> {
        let flight = {
            let mut slots = self.lock();
            match slots.by_scope.get(&scope) {
                Some(Slot::Held(token)) if token.usable(client.now()) => return Ok(token.clone()),
                Some(Slot::AskedFor(flight)) => flight.clone(),
                _ => {
                    let flight = ask(client.clone(), scope).boxed().shared();
                    slots.by_scope.insert(scope, Slot::AskedFor(flight.clone()));
                    // Driven by a task of its own: a waiter that gives up must not take the others with it.
                    tokio::spawn(flight.clone());
                    flight
                }
            }
        };
        flight.await
    }

    /// Forgets a token that GitHub refused. One that somebody else has renewed in the meantime stays.
    pub(super) fn forget(&self, scope: TokenScope, refused: &Arc<Token>) {
        let mut slots = self.lock();
        if matches!(slots.by_scope.get(&scope), Some(Slot::Held(held)) if Arc::ptr_eq(held, refused)) {
            slots.by_scope.remove(&scope);
        }
    }

    fn settle(&self, scope: TokenScope, outcome: &Result<Arc<Token>, ForgeError>, now: Timestamp) {
        let mut slots = self.lock();
        match outcome {
            Ok(token) => slots.by_scope.insert(scope, Slot::Held(token.clone())),
            Err(_) => slots.by_scope.remove(&scope),
        };
        if slots.by_scope.len() >= slots.sweep_at {
            slots.by_scope.retain(|_, slot| match slot {
                Slot::Held(token) => token.usable(now),
                Slot::AskedFor(_) => true,
            });
            slots.sweep_at = SWEEP_FROM.max(2 * slots.by_scope.len());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(client: Arc<Client>, scope: TokenScope) -> Result<Arc<Token>, ForgeError> {
    let outcome = mint(&client, scope).await.map(Arc::new);
    client.metrics().token_requested(scope.installation, outcome.is_ok());
    client.tokens().settle(scope, &outcome, client.now());
    outcome
}

#[derive(Deserialize)]
struct Minted {
    token: String,
    expires_at: Timestamp,
}

async fn mint(client: &Client, scope: TokenScope) -> Result<Token, ForgeError> {
    let mut body = json!({ "permissions": scope.access.permissions() });
    if let Some(repo) = scope.repo {
        body["repository_ids"] = json!([repo]);
    }
    let id = scope.installation.to_string();
    let call = Call::post(path(&["app", "installations", &id, "access_tokens"]), &body);
    let answer = client.send_as_app(&call).await.map_err(|error| not_granted(error, scope.access))?;
    // The parser's own message could quote the token, so it is not passed on.
    let minted: Minted = serde_json::from_slice(&answer.body).map_err(|_| ForgeError::Protocol {
        endpoint: answer.endpoint.clone(),
        why: "it holds no `token` and `expires_at`".into(),
    })?;
    let now = client.now();
    let until = match minted.expires_at - MARGIN {
        end if end > now => end.min(now + LIFETIME - MARGIN),
        _ => now + DOUBTFUL_LIFETIME,
    };
    Ok(Token { secret: SecretString::from(minted.token), from: now, until })
}

/// GitHub answers 422 both for permissions that the owner has not granted and for repositories it took away.
fn not_granted(error: ForgeError, access: Access) -> ForgeError {
    match error {
        ForgeError::Invalid { endpoint, message } if message.to_ascii_lowercase().contains("permission") => {
            let needs = access.permissions();
            let needs = needs.as_object().into_iter().flatten();
            let needs: Vec<String> = needs.map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
            ForgeError::Forbidden { endpoint, needs: Some(needs.join(", ")), message }
        }
        ForgeError::Invalid { endpoint, message } if message.to_ascii_lowercase().contains("repositor") => {
            ForgeError::Gone { endpoint, message }
        }
        other => other,
    }
}

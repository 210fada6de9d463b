//! A scripted GitHub on loopback, and the client that talks to it.

use jiff::{SignedDuration, Timestamp};
use mass_driver::domain::{
    Change, Clock, FileChange, FileMode, Head, InstallationId, ObjectId, RepoId, RepoName, RepoPath,
};
use mass_driver::forge::{GitHub, GitHubSettings, Target};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub const PKCS1: &str = include_str!("keys/pkcs1.pem");
pub const PKCS8: &str = include_str!("keys/pkcs8.pem");
pub const PUBLIC: &str = include_str!("keys/public.pem");
pub const ELLIPTIC: &str = include_str!("keys/elliptic.pem");

pub const TOKENS: &str = "/app/installations/7/access_tokens";

/// A clock that stands still until it is told to move.
pub struct StillClock(AtomicI64);

impl StillClock {
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_second()))
    }

    pub fn advance(&self, by: SignedDuration) {
        self.0.fetch_add(by.as_secs(), Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

pub struct World {
    pub server: MockServer,
    pub clock: Arc<StillClock>,
    pub github: GitHub,
}

/// 2026-03-02T09:00:00Z, a Monday.
pub fn monday() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

pub fn settings(address: &str) -> GitHubSettings {
    GitHubSettings { request_timeout: Duration::from_secs(20), ..GitHubSettings::new(address, 42, PKCS1.into()) }
}

impl World {
    /// A GitHub that gives out the tokens `token-1`, `token-2` …, and knows nothing else.
    pub async fn new() -> Self {
        let world = Self::without_tokens().await;
        world.at("POST", TOKENS, Minting::default()).await;
        world
    }

    pub async fn without_tokens() -> Self {
        let server = MockServer::start().await;
        let clock = Arc::new(StillClock::at(monday()));
        let github = GitHub::new(settings(&server.uri()), clock.clone()).unwrap();
        Self { server, clock, github }
    }

    pub async fn at(&self, verb: &str, at: &str, respond: impl Respond + 'static) {
        Mock::given(method(verb)).and(path(at)).respond_with(respond).mount(&self.server).await;
    }

    pub async fn once(&self, verb: &str, at: &str, respond: impl Respond + 'static) {
        let mock = Mock::given(method(verb)).and(path(at)).respond_with(respond);
        mock.up_to_n_times(1).mount(&self.server).await;
    }

    /// The requests so far, as `METHOD path?query`, those for tokens left out.
    pub async fn asked(&self) -> Vec<String> {
        let requests = self.requests().await;
        requests.iter().filter(|request| request.url.path() != TOKENS).map(line).collect()
    }

    pub async fn tokens_asked(&self) -> usize {
        self.requests().await.iter().filter(|request| request.url.path() == TOKENS).count()
    }

    pub async fn requests(&self) -> Vec<Request> {
        self.server.received_requests().await.unwrap()
    }

    /// The body of the newest request to this path.
    pub async fn body(&self, verb: &str, at: &str) -> Value {
        let requests = self.requests().await;
        let request = requests.iter().rev().find(|r| r.method.as_str() == verb && r.url.path() == at).unwrap();
        serde_json::from_slice(&request.body).unwrap()
    }
}

fn line(request: &Request) -> String {
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{} {}{query}", request.method, request.url.path())
}

/// Gives out numbered tokens that last an hour from `monday()`, or as long as told.
pub struct Minting {
    count: Mutex<u32>,
    pub expires_at: String,
}

impl Default for Minting {
    fn default() -> Self {
        Self { count: Mutex::new(0), expires_at: (monday() + SignedDuration::from_hours(1)).to_string() }
    }
}

impl Respond for Minting {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let mut count = self.count.lock().unwrap();
        *count += 1;
        ok(201, json!({ "token": format!("token-{count}"), "expires_at": self.expires_at, "permissions": {} }))
    }
}

pub fn ok(status: u16, body: Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

pub fn refusal(status: u16, message: &str) -> ResponseTemplate {
    ok(status, json!({ "message": message, "documentation_url": "https://docs.example.com" }))
}

pub fn target() -> Target {
    Target { installation: InstallationId(7), repo: RepoId(11), name: RepoName::parse("acme/api").unwrap() }
}

/// An object id that repeats one hex digit.
pub fn id(digit: char) -> ObjectId {
    ObjectId::parse(&digit.to_string().repeat(40)).unwrap()
}

pub fn change() -> Change {
    Change {
        onto: None,
        base: Head { commit: id('a'), tree: id('b') },
        base_branch: "main".into(),
        branch: "mass-driver/pypi/httpx".into(),
        files: vec![FileChange {
            path: RepoPath::parse("bin/setup.sh").unwrap(),
            mode: FileMode::Executable,
            text: "pip install httpx==0.28.0\n".into(),
        }],
        message: "Update httpx to 0.28.0".into(),
        title: "Update httpx to 0.28.0".into(),
        body: "More.".into(),
        hashes: Vec::new(),
        draft: false,
    }
}

/// GitHub's description of a branch.
pub fn branch(name: &str, commit: char, tree: char, parent: char) -> Value {
    json!({
        "name": name,
        "commit": { "sha": id(commit), "commit": { "tree": { "sha": id(tree) } }, "parents": [{ "sha": id(parent) }] },
        "protected": false,
    })
}

/// GitHub's description of a pull request from the branch of [`change`].
pub fn pull(number: i64, state: &str, head: char) -> Value {
    json!({
        "number": number, "state": state, "html_url": format!("https://github.example.com/acme/api/pull/{number}"),
        "merged_at": null, "user": null,
        "head": { "ref": "mass-driver/pypi/httpx", "sha": id(head), "repo": { "id": 11 } },
        "base": { "ref": "main", "sha": id('a'), "repo": { "id": 11 } },
    })
}

pub fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

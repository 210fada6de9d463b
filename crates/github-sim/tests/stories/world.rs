//! A stand-in with a clock that tests turn, and a plain HTTP client.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use github_sim::{GitHubSim, RepoOptions};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// 2026-01-05, a Monday, 08:00 UTC.
const START: i64 = 1_767_600_000;

pub struct World {
    pub github: GitHubSim,
    clock: Arc<AtomicI64>,
    http: reqwest::Client,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    pub fn str(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {}", self.text)).to_owned()
    }
}

impl World {
    /// An organisation `acme` with the App on all of it and a repository `acme/api`; nothing pending.
    pub fn new() -> World {
        let clock = Arc::new(AtomicI64::new(START));
        let time = Arc::clone(&clock);
        let github =
            GitHubSim::start(Arc::new(move || Timestamp::from_second(time.load(Ordering::SeqCst)).unwrap())).unwrap();
        github.organization("acme");
        github.install("acme").unwrap();
        let api = RepoOptions::default().file("README.md", "# api\n").file("src/requirements.txt", "httpx==0.27.0\n");
        github.create_repo("acme/api", api).unwrap();
        github.drop_pending();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("stories")
            .timeout(std::time::Duration::from_secs(5))
            .build()
            .unwrap();
        World { github, clock, http }
    }

    pub fn now(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn jwt_with(&self, claims: Value) -> String {
        let key = EncodingKey::from_rsa_pem(self.github.app().private_key_pem.as_bytes()).unwrap();
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap()
    }

    pub fn jwt(&self) -> String {
        let now = self.now();
        self.jwt_with(json!({ "iss": self.github.app().app_id, "iat": now - 60, "exp": now + 540 }))
    }

    pub async fn installation(&self) -> i64 {
        self.get(&self.jwt(), "/app/installations").await.body[0]["id"].as_i64().unwrap()
    }

    /// A token of the installation on `acme`, narrowed by the body.
    pub async fn token_with(&self, body: Value) -> Answer {
        let id = self.installation().await;
        self.post(&self.jwt(), &format!("/app/installations/{id}/access_tokens"), body).await
    }

    pub async fn token(&self) -> String {
        self.token_with(json!({})).await.expect(201).str("token")
    }

    pub async fn get(&self, token: &str, path: &str) -> Answer {
        self.send("GET", token, path, None, &[]).await.unwrap()
    }

    pub async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.send("POST", token, path, Some(body), &[]).await.unwrap()
    }

    pub async fn patch(&self, token: &str, path: &str, body: Value) -> Answer {
        self.send("PATCH", token, path, Some(body), &[]).await.unwrap()
    }

    pub async fn put(&self, token: &str, path: &str, body: Value) -> Answer {
        self.send("PUT", token, path, Some(body), &[]).await.unwrap()
    }

    pub async fn delete(&self, token: &str, path: &str) -> Answer {
        self.send("DELETE", token, path, None, &[]).await.unwrap()
    }

    pub async fn send(
        &self,
        method: &str,
        token: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> reqwest::Result<Answer> {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.github.url()));
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        Ok(Answer { status, headers, body: serde_json::from_str(&text).unwrap_or_default(), text })
    }

    /// What the bot does to change one file: tree, commit, reference. Returns the commit.
    pub async fn commit_on_branch(&self, token: &str, branch: &str, path: &str, content: &str) -> String {
        let head = self.get(token, "/repos/acme/api/git/ref/heads/main").await.expect(200);
        let head = head.body["object"]["sha"].as_str().unwrap().to_owned();
        let tree = json!({ "base_tree": head, "tree": [{ "path": path, "mode": "100644", "type": "blob", "content": content }] });
        let tree = self.post(token, "/repos/acme/api/git/trees", tree).await.expect(201).str("sha");
        let commit = json!({ "message": format!("Change {path}"), "tree": tree, "parents": [head] });
        let commit = self.post(token, "/repos/acme/api/git/commits", commit).await.expect(201).str("sha");
        let reference = json!({ "ref": format!("refs/heads/{branch}"), "sha": commit });
        self.post(token, "/repos/acme/api/git/refs", reference).await.expect(201);
        commit
    }

    pub async fn open_pull(&self, token: &str, branch: &str) -> Answer {
        let pull = json!({ "title": format!("Pull {branch}"), "head": branch, "base": "main", "body": "Why" });
        self.post(token, "/repos/acme/api/pulls", pull).await
    }

    /// The pull request, asked for as often as GitHub needs to work out whether it merges.
    pub async fn judged_pull(&self, token: &str, number: i64) -> Answer {
        let path = format!("/repos/acme/api/pulls/{number}");
        let first = self.get(token, &path).await.expect(200);
        match first.body["mergeable"] {
            Value::Null => self.get(token, &path).await.expect(200),
            _ => first,
        }
    }

    /// The last event of that name and action that waits.
    #[track_caller]
    pub fn last_event(&self, event: &str, action: &str) -> Value {
        let pending = self.github.pending();
        let found = pending.iter().rev().find(|one| one.event == event && one.action.as_deref() == Some(action));
        found.unwrap_or_else(|| panic!("no {event} {action} in {:?}", self.events())).payload.clone()
    }

    /// The events that wait, in words.
    pub fn events(&self) -> Vec<String> {
        let name = |event: github_sim::PendingEvent| match event.action {
            Some(action) => format!("{} {action}", event.event),
            None => event.event,
        };
        self.github.pending().into_iter().map(name).collect()
    }
}

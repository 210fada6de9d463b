//! Canaries in a mine: a key, tokens and secrets that are told apart from everything else, and then looked for wherever
//! the server writes something down: its log at full length, its pages, its database, what it sends to GitHub.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

mod support {
    #[expect(dead_code, reason = "the store is opened by the executable under test")]
    pub mod databases;
}

use github_sim::{Fault, FaultKind, GitHubSim, RepoOptions, RetryAfter};
use jiff::Timestamp;
use registry_sim::RegistrySim;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use support::databases;
use support::databases::both_databases;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::UnboundedReceiver;
use wiremock::matchers::{any, method, path, path_regex};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const WEBHOOK_SECRET: &str = "canary-of-the-webhook-secret";
const PREVIOUS_SECRET: &str = "canary-of-the-previous-secret";
const ADMIN_TOKEN: &str = "canary-of-the-admin-token";
const PASSWORD: &str = "canary-of-the-database";
const TOKEN: &str = "ghs_canary.of.an.installation.0123456789";
const KEY: &str = include_str!("forge/keys/pkcs8.pem");
/// Far more than a loaded machine needs; it only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(50);

/// The server as a process of its own, and all it wrote.
struct Server {
    process: Child,
    /// Its lines, read as they come: a server whose log nobody reads comes to a stop.
    log: UnboundedReceiver<String>,
    written: String,
    address: String,
}

impl Server {
    async fn start(database: &str, (github, app_id): (&str, i64), key: &str, registry: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mass-driver"));
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        command
            .arg("serve")
            .env("DATABASE_URL", database)
            .env("MASS_DRIVER_LISTEN", "127.0.0.1:0")
            .env("MASS_DRIVER_LOG", "trace")
            .env("MASS_DRIVER_LOG_FORMAT", "json")
            .env("MASS_DRIVER_DEPS_DEV_URL", registry)
            .env("MASS_DRIVER_ADMIN_TOKEN", ADMIN_TOKEN)
            .env("GITHUB_API_URL", github)
            .env("GITHUB_APP_ID", app_id.to_string())
            .env("GITHUB_APP_PRIVATE_KEY", key)
            .env("GITHUB_WEBHOOK_SECRET", WEBHOOK_SECRET)
            .env("GITHUB_WEBHOOK_SECRET_PREVIOUS", PREVIOUS_SECRET);
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let (read, log) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(line) = lines.next_line().await.unwrap() {
                let _ = read.send(line + "\n");
            }
        });
        let mut server = Self { process, log, written: String::new(), address: String::new() };
        let ready: Value = serde_json::from_str(&server.says("\"message\":\"ready\"").await).unwrap();
        server.address = ready["address"].as_str().unwrap().to_owned();
        server
    }

    /// Reads the log up to a line with these words.
    async fn says(&mut self, words: &str) -> String {
        // A log at full length never falls silent, so the patience is for all of it.
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let read = tokio::time::timeout_at(until, self.log.recv()).await;
            let read = read.unwrap_or_else(|_| panic!("never said {words}:\n{}", self.errors()));
            let line = read.unwrap_or_else(|| panic!("ended without {words}:\n{}", self.errors()));
            self.written += &line;
            if line.contains(words) {
                return line;
            }
        }
    }

    /// The lines worth reading of a log at full length.
    fn errors(&self) -> String {
        let told = self.written.lines().filter(|line| !line.contains("\"TRACE\"") && !line.contains("\"DEBUG\""));
        told.collect::<Vec<_>>().join("\n")
    }

    /// Every page there is, as the admin sees it and as others do.
    async fn pages(&self, repositories: &[String]) -> String {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut all = String::new();
        let names = repositories.iter().map(|name| format!("/repositories/{name}"));
        for path in ["/", "/metrics", "/healthz", "/readyz", "/no/such/page"].map(String::from).into_iter().chain(names)
        {
            for token in [ADMIN_TOKEN, "a guess"] {
                let page = client.get(format!("http://{}{path}", self.address)).header("x-forwarded-for", "192.0.2.7");
                let response = page.bearer_auth(token).send().await.unwrap();
                all += &format!("{:?}\n{}\n", response.headers().clone(), response.text().await.unwrap());
            }
        }
        // What is sent with a wrong signature is refused in words.
        for (name, value) in [("x-hub-signature-256", "sha256=00"), ("x-hub-signature-256", WEBHOOK_SECRET)] {
            let webhook = client.post(format!("http://{}/webhooks/github", self.address)).header(name, value);
            let webhook = webhook.header("x-github-event", "ping").header("x-github-delivery", "guid").body("{}");
            all += &webhook.send().await.unwrap().text().await.unwrap();
        }
        all
    }

    /// Stops the server; all it ever wrote.
    async fn stop(mut self) -> String {
        let kill = format!("kill -TERM {}", self.process.id().unwrap());
        assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
        let rest = async {
            while let Some(line) = self.log.recv().await {
                self.written += &line;
            }
        };
        tokio::time::timeout(PATIENCE, rest).await.expect("it ends");
        tokio::time::timeout(PATIENCE, self.process.wait()).await.unwrap().unwrap();
        self.written
    }
}

/// All that a database holds, as text.
async fn dump(url: &str) -> String {
    if let Some(file) = url.strip_prefix("sqlite://") {
        let folder = Path::new(file).parent().unwrap();
        let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
        return files.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect();
    }
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()";
    let tables: Vec<String> =
        sqlx::query(tables).fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert!(tables.len() > 10, "{tables:?}");
    let mut all = String::new();
    for table in tables {
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT row_to_json(t)::text FROM \"{table}\" t")));
        for row in rows.fetch_all(&mut connection).await.unwrap() {
            all += &(row.get::<String, _>(0) + "\n");
        }
    }
    all
}

/// The address with a password in it, where the database takes one.
fn with_password(url: &str) -> String {
    url.replace("postgres://postgres@", &format!("postgres://postgres:{PASSWORD}@"))
}

/// Nothing of any canary is in a text; a key is recognised by its lines.
fn holds_none(place: &str, text: &str, tokens: &BTreeSet<String>, key: &str) {
    assert!(text.len() > 100, "{place} was not written");
    let lines = key.lines().filter(|line| !line.starts_with("-----") && !line.is_empty());
    let secrets = [WEBHOOK_SECRET, PREVIOUS_SECRET, ADMIN_TOKEN, PASSWORD, TOKEN];
    for secret in secrets.into_iter().chain(lines).chain(tokens.iter().map(String::as_str)) {
        if let Some(at) = text.find(secret) {
            let around: String = text[at.saturating_sub(300)..].chars().take(700).collect();
            panic!("{place} holds {secret}: …{around}…");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the executable under test lives in real time, so its world does too")]
fn real_time() -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    Arc::new(Timestamp::now)
}

/// The statuses that a refusal can have, each with a repository of its own.
const STATUSES: [u16; 12] = [302, 400, 401, 403, 404, 409, 418, 422, 451, 500, 502, 200];

/// A GitHub that sends every credential straight back, in each place an error is made from.
async fn echoing_github() -> MockServer {
    let server = MockServer::start().await;
    let at = |verb: &str, at: &str| Mock::given(method(verb)).and(path(at));
    let answer = |status: u16, body: Value| ResponseTemplate::new(status).set_body_json(body);
    let installation = json!({ "id": 7, "account": { "login": "acme", "id": 1, "type": "Organization" },
        "target_type": "Organization", "suspended_at": null });
    let repository = |status: &u16| {
        json!({ "id": status, "full_name": format!("acme/s{status}"), "default_branch": "main", "private": true,
            "html_url": format!("https://github.example.com/acme/s{status}") })
    };
    let listed =
        json!({ "total_count": STATUSES.len(), "repositories": STATUSES.iter().map(repository).collect::<Vec<_>>() });
    let token = json!({ "token": TOKEN, "expires_at": "2100-01-01T00:00:00Z", "permissions": {} });
    at("GET", "/app/installations").respond_with(answer(200, json!([installation]))).mount(&server).await;
    at("GET", "/app/installations/7").respond_with(answer(200, installation)).mount(&server).await;
    at("GET", "/installation/repositories").respond_with(answer(200, listed)).mount(&server).await;
    at("POST", "/app/installations/7/access_tokens").respond_with(answer(201, token)).mount(&server).await;
    let echo = |request: &Request| {
        let sent = credential(request).unwrap_or_default();
        let status = request.url.path().split('/').find_map(|part| part.strip_prefix('s')?.parse().ok()).unwrap_or(500);
        let body = json!({ "message": format!("you sent {sent}"), "name": sent, "errors": [sent, { "message": sent }],
            "commit": { "sha": sent } });
        let answer = ResponseTemplate::new(status).set_body_json(body);
        answer
            .insert_header("x-accepted-github-permissions", sent.as_str())
            .insert_header("location", format!("https://{sent}@example.com/"))
    };
    Mock::given(path_regex("^/repos/")).respond_with(echo).mount(&server).await;
    Mock::given(any()).respond_with(echo).mount(&server).await;
    server
}

fn credential(request: &Request) -> Option<String> {
    Some(request.headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")?.to_owned())
}

both_databases! {
    async fn security_10_what_github_sends_back_is_written_nowhere(database: String) {
        let github = echoing_github().await;
        let mut server = Server::start(&with_password(&database), (&github.uri(), 1), KEY, "http://127.0.0.1:9").await;
        let mut asked = BTreeSet::new();
        // Each failure is put on its step's row, and told.
        while asked.len() < STATUSES.len() {
            server.says("acme/s").await;
            let requests = github.received_requests().await.unwrap();
            asked.extend(requests.iter().filter_map(|r| r.url.path().strip_prefix("/repos/acme/s").map(|rest| rest[..3].to_owned())));
        }
        let pages = server.pages(&STATUSES.map(|status| format!("acme/s{status}"))).await;
        let log = server.stop().await;
        let mut sent: BTreeSet<String> = github.received_requests().await.unwrap().iter().filter_map(credential).collect();
        assert!(sent.remove(TOKEN) && !sent.is_empty(), "tokens and JWTs were sent, and so came back");
        holds_none("a page", &pages, &sent, KEY);
        holds_none("the log", &log, &sent, KEY);
        let dump = dump(&database).await;
        assert!(dump.contains("acme/s404") && dump.contains("[redacted]"), "the errors are stored, and readable");
        holds_none("the database", &dump, &sent, KEY);
        assert!(log.contains("[redacted]"), "and they are told");
    }

    async fn security_10_a_bad_day_writes_no_secret_down(database: String) {
        let github = GitHubSim::start(real_time()).unwrap();
        let registry = RegistrySim::start(real_time()).unwrap();
        github.set_webhook_secret(WEBHOOK_SECRET);
        github.organization("acme");
        let installation = github.install("acme").unwrap();
        for version in ["0.27.0", "0.28.0"] {
            registry.release("httpx", version);
        }
        let (base, status) = ("/repos/*/*", |status, message: &str| FaultKind::Status { status, message: message.into() });
        let bad_day = [
            ("GET", "/branches/main", FaultKind::ExpireTokens),
            ("GET", "/git/trees/*", FaultKind::CutBody),
            ("POST", "/git/trees", status(500, "Server Error")),
            ("POST", "/pulls", FaultKind::SecondaryRateLimit { status: 403, retry_after: RetryAfter::Seconds(1) }),
        ];
        for (method, at, kind) in bad_day {
            github.fault(Fault::once(method, &format!("{base}{at}"), kind));
        }
        let credentials = github.app();
        let app_id = credentials.app_id;
        let mut server =
            Server::start(&with_password(&database), (&github.url(), app_id), &credentials.private_key_pem, &registry.deps_dev_url()).await;
        github.set_webhook_url(&format!("http://{}/webhooks/github", server.address));
        github.auto_deliver(true);
        let files = |options: RepoOptions| options.file("requirements.txt", "httpx==0.27.0\n");
        github.create_repo("acme/good", files(RepoOptions::default()).file(".mass-driver.yaml", "subscriptions: [pypi]\n")).unwrap();
        github.create_repo("acme/broken", files(RepoOptions::default()).file(".mass-driver.yaml", "subscriptions: [pipy]\n")).unwrap();
        server.says("opened a pull request").await;
        github.suspend(installation).unwrap();
        let pages = server.pages(&["acme/good".into(), "acme/broken".into()]).await;
        let log = server.stop().await;

        let exchanges = github.exchanges();
        let minted = exchanges.iter().filter(|exchange| exchange.path.ends_with("/access_tokens"));
        let tokens: BTreeSet<String> = minted
            .filter_map(|exchange| exchange.response_body.as_ref()?["token"].as_str().map(str::to_owned))
            .collect();
        assert!(tokens.len() >= 2, "tokens were made, and made again: {}", tokens.len());
        assert!(exchanges.iter().filter(|exchange| exchange.fault.is_some()).count() >= 4, "the day was bad");
        let sent: Vec<String> = exchanges.iter().map(|exchange| format!("{} {:?}", exchange.path, exchange.request_body)).collect();
        for (place, text) in [
            ("the log", &log),
            ("a page", &pages),
            ("what GitHub was sent", &sent.join("\n")),
            ("the database", &dump(&database).await),
        ] {
            holds_none(place, text, &tokens, &credentials.private_key_pem);
            // A JWT begins with its header, which says `{"` and something, in base64.
            assert!(!text.contains("eyJ0eXAi") && !text.contains("eyJhbGci"), "{place} holds a JWT");
        }
    }
}

//! The real executable as an operator runs it: started with settings from the environment, fed with webhooks, stopped
//! with a signal.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

#[path = "support/databases.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "only Postgres is needed here")]
mod databases;

use github_sim::{Fault, FaultKind, GitHubSim, RepoOptions};
use jiff::Timestamp;
use registry_sim::RegistrySim;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

/// Far more than a loaded machine needs; it only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(50);

fn mass_driver() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mass-driver"));
    command.env_clear().stdin(Stdio::null()).kill_on_drop(true);
    command
}

struct Server {
    process: Child,
    log: Lines<BufReader<ChildStderr>>,
    /// Every line so far.
    seen: String,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap()).lines();
        Self { process, log, seen: String::new() }
    }

    /// Reads the log up to a message, and returns its line.
    async fn says(&mut self, message: &str) -> serde_json::Value {
        loop {
            let line = tokio::time::timeout(PATIENCE, self.log.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("never said `{message}`:\n{}", self.seen)).unwrap();
            let line = line.unwrap_or_else(|| panic!("ended without `{message}`:\n{}", self.seen));
            self.seen += &(line.clone() + "\n");
            let json: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if json["message"] == message {
                return json;
            }
        }
    }

    async fn stops_on_sigterm(mut self) -> String {
        let kill = format!("kill -TERM {}", self.process.id().unwrap());
        assert!(Command::new("sh").args(["-c", &kill]).status().await.unwrap().success());
        while let Some(line) = tokio::time::timeout(PATIENCE, self.log.next_line()).await.unwrap().unwrap() {
            self.seen += &(line + "\n");
        }
        let status = tokio::time::timeout(PATIENCE, self.process.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.seen);
        self.seen
    }
}

#[expect(clippy::disallowed_methods, reason = "the executable under test lives in real time, so its world does too")]
fn real_time() -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    Arc::new(Timestamp::now)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_becomes_a_pull_request_and_no_secret_is_ever_written() {
    let github = GitHubSim::start(real_time()).unwrap();
    let registry = RegistrySim::start(real_time()).unwrap();
    let credentials = github.app();
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("bot.db");
    github.organization("acme");
    github.install("acme").unwrap();
    for version in ["0.27.0", "0.28.0"] {
        registry.release("httpx", version);
    }

    let mut command = mass_driver();
    command
        .arg("serve")
        .env("DATABASE_URL", format!("sqlite://{}", database.display()))
        .env("MASS_DRIVER_LISTEN", "127.0.0.1:0")
        .env("MASS_DRIVER_LOG", "debug")
        .env("MASS_DRIVER_LOG_FORMAT", "json")
        .env("MASS_DRIVER_DEPS_DEV_URL", registry.deps_dev_url())
        .env("MASS_DRIVER_ADMIN_TOKEN", "the-admin-token")
        .env("MASS_DRIVER_PUBLIC_URL", "https://bot.example.com")
        .env("GITHUB_API_URL", github.url())
        .env("GITHUB_APP_ID", credentials.app_id.to_string())
        .env("GITHUB_APP_PRIVATE_KEY", credentials.private_key_pem.replace('\n', "\\n"))
        .env("GITHUB_WEBHOOK_SECRET", &credentials.webhook_secret);
    let mut server = Server::start(&mut command);
    let address = server.says("ready").await["address"].as_str().unwrap().to_string();
    github.set_webhook_url(&format!("http://{address}/webhooks/github"));
    github.auto_deliver(true);

    let options = RepoOptions::default()
        .file("requirements.txt", "httpx==0.27.0\n")
        .file(".mass-driver.yaml", "subscriptions: [pypi]\n");
    github.create_repo("acme/api", options).unwrap();
    server.says("opened a pull request").await;
    assert_eq!(github.pull_requests("acme/api").unwrap()[0].title, "Bump httpx from 0.27.0 to 0.28.0");

    for path in ["/healthz", "/readyz"] {
        assert_eq!(reqwest::get(format!("http://{address}{path}")).await.unwrap().status(), 200, "{path}");
    }
    let page = reqwest::Client::new().get(format!("http://{address}/repositories/acme/api"));
    let unasked = page.try_clone().unwrap().send().await.unwrap();
    assert_eq!(unasked.status(), 401, "with a public address, being on this machine opens nothing");
    let page = page.bearer_auth("the-admin-token").send().await.unwrap();
    assert!(page.text().await.unwrap().contains("Bump httpx from 0.27.0 to 0.28.0"));

    let figures = reqwest::Client::new().get(format!("http://{address}/metrics")).bearer_auth("the-admin-token");
    let figures = figures.send().await.unwrap().text().await.unwrap();
    let counted = |step: &str| {
        figures.lines().any(|line| {
            line.starts_with("mass_driver_steps_total{")
                && [format!("step=\"{step}\""), "outcome=\"finished\"".into()]
                    .iter()
                    .all(|label| line.contains(label.as_str()))
        })
    };
    assert!(counted("inbox") && counted("execute"), "{figures}");
    // Somebody who never ends his request keeps nobody waiting.
    let mut lingering = tokio::net::TcpStream::connect(&address).await.unwrap();
    lingering.write_all(b"GET /healthz HT").await.unwrap();

    let log = server.stops_on_sigterm().await;
    let key_line = credentials.private_key_pem.lines().nth(1).unwrap();
    for secret in [key_line, credentials.webhook_secret.as_str(), "the-admin-token", "ghs_", "eyJ"] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }

    let why = mass_driver()
        .args(["why", "acme/api", "--database-url", &format!("sqlite://{}", database.display())])
        .output()
        .await
        .unwrap();
    let told = String::from_utf8(why.stdout).unwrap();
    assert!(told.contains("httpx") && told.contains("open"), "{told}");
}

/// The server's settings for a stand-in, in a folder of its own.
fn serving(github: &GitHubSim, folder: &std::path::Path) -> Command {
    let credentials = github.app();
    let mut command = mass_driver();
    command
        .arg("serve")
        .env("DATABASE_URL", format!("sqlite://{}", folder.join("bot.db").display()))
        .env("MASS_DRIVER_LISTEN", "127.0.0.1:0")
        .env("MASS_DRIVER_LOG_FORMAT", "json")
        .env("GITHUB_API_URL", github.url())
        .env("GITHUB_APP_ID", credentials.app_id.to_string())
        .env("GITHUB_APP_PRIVATE_KEY", credentials.private_key_pem.replace('\n', "\\n"))
        .env("GITHUB_WEBHOOK_SECRET", credentials.webhook_secret);
    command
}

/// The lines of a log that belong to one delivery, by what the lines themselves say: the delivery's own, those of the steps
/// it asked for, and of the steps that those asked for.
fn trail<'a>(log: &'a [serde_json::Value], delivery: &str) -> Vec<&'a serde_json::Value> {
    let mut keys = vec![format!("inbox:{delivery}")];
    let mut lines: Vec<&serde_json::Value> = log.iter().filter(|line| line["delivery"] == delivery).collect();
    let mut read = 0;
    while let Some(key) = keys.get(read).cloned() {
        read += 1;
        for line in log.iter().filter(|line| line["span"]["key"] == key.as_str()) {
            lines.push(line);
            let queued = line["queued"].as_str().filter(|queued| !keys.iter().any(|known| known == queued));
            keys.extend(queued.map(str::to_owned));
        }
    }
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_delivery_can_be_followed_through_the_log_to_its_pull_request() {
    let github = GitHubSim::start(real_time()).unwrap();
    let registry = RegistrySim::start(real_time()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    github.organization("acme");
    let installation = github.install("acme").unwrap();
    for version in ["0.27.0", "0.28.0"] {
        registry.release("httpx", version);
    }
    let mut command = serving(&github, folder.path());
    command.env("MASS_DRIVER_DEPS_DEV_URL", registry.deps_dev_url()).env("MASS_DRIVER_LOG", "info,mass_driver=debug");
    let mut server = Server::start(&mut command);
    let address = server.says("ready").await["address"].as_str().unwrap().to_string();
    github.set_webhook_url(&format!("http://{address}/webhooks/github"));
    github.auto_deliver(true);
    let manifest = ("requirements.txt", "httpx==0.27.0\n");
    let file = (".mass-driver.yaml", "subscriptions: [pypi]\n");
    // The first has the package looked up, which is nobody's delivery in particular.
    for repo in ["acme/first", "acme/second"] {
        github.create_repo(repo, RepoOptions::default().file(manifest.0, manifest.1)).unwrap();
        github.push(repo, "main", &[(file.0, Some(file.1.as_bytes()))], "subscribe").unwrap();
        server.says("opened a pull request").await;
    }
    let log = server.stops_on_sigterm().await;
    let log: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();

    let last = log.iter().rfind(|line| line["message"] == "opened a pull request").unwrap();
    let pushes = log.iter().filter(|line| line["message"] == "stored a webhook" && line["event"] == "push");
    // A push to the other repository had the package looked up, and may so be in the line of causes too.
    let begins_at = |line: &serde_json::Value| {
        line["span"]["step"] == "inbox" && line["span"]["repository_id"] == last["span"]["repository_id"]
    };
    let led_to_it: Vec<Vec<&serde_json::Value>> = pushes
        .map(|line| trail(&log, line["delivery"].as_str().unwrap()))
        .filter(|lines| lines.iter().any(|line| begins_at(line)))
        .filter(|lines| lines.contains(&last))
        .collect();
    assert!(!led_to_it.is_empty(), "no push led to {last}");
    for lines in led_to_it {
        let steps: Vec<&str> = lines.iter().filter_map(|line| line["span"]["step"].as_str()).collect();
        for step in ["inbox", "index", "plan", "execute"] {
            assert!(steps.contains(&step), "{step} is not among {steps:?}");
        }
        let decided = lines.iter().find(|line| line["span"]["step"] == "inbox").unwrap();
        assert_eq!(decided["span"]["delivery"], lines[0]["delivery"], "{decided}");
    }

    let span = &last["span"];
    assert_eq!((&span["repository"], &span["attempt"]), (&"acme/second".into(), &1.into()), "{last}");
    assert_eq!((&span["installation"], &span["step"]), (&installation.into(), &"execute".into()), "{last}");
    assert_eq!(span["key"].as_str().unwrap(), format!("execute:{}", span["proposal"].as_str().unwrap()), "{last}");
    assert!(span["repository_id"].is_i64() && span["work"].is_string(), "{last}");
}

/// GitHub takes the connection and never answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_github_that_hangs_at_the_start_keeps_nobody_waiting() {
    let github = GitHubSim::start(real_time()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    github.organization("acme");
    github.install("acme").unwrap();
    github.fault(Fault::once("GET", "/app/installations", FaultKind::Hang).times(1_000));
    let mut server = Server::start(&mut serving(&github, folder.path()));
    // The bot itself loses its patience with GitHub after thirty seconds.
    let answers = tokio::time::timeout(Duration::from_secs(20), async {
        let address = server.says("ready").await["address"].as_str().unwrap().to_string();
        (reqwest::get(format!("http://{address}/healthz")).await.unwrap().status(), address)
    });
    let (status, address) = answers.await.expect("it answers while GitHub does not");
    assert_eq!(status, 200);
    github.set_webhook_url(&format!("http://{address}/webhooks/github"));
    let delivered = github.deliver_pending().await;
    assert!(!delivered.is_empty() && delivered.iter().all(|one| one.status == 202), "{delivered:?}");
    server.stops_on_sigterm().await;
}

/// GitHub does not know the App: the process says so and ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_github_refuses_ends_the_process_with_the_reason() {
    let github = GitHubSim::start(real_time()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let output = serving(&github, folder.path()).env("GITHUB_APP_ID", "999999").output();
    let output = tokio::time::timeout(PATIENCE, output).await.expect("it ends by itself").unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code().map(|code| code == 0), Some(false), "{told}");
    assert!(
        told.contains("asking GitHub for the App's installations") && told.contains("Integration not found"),
        "{told}"
    );
    assert!(told.contains("check GITHUB_APP_ID and GITHUB_API_URL") && !told.contains("deleted"), "{told}");
}

/// SQLite is for one server: the second one names the first, and leaves it alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_on_one_sqlite_file_is_turned_away() {
    let github = GitHubSim::start(real_time()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut first = Server::start(&mut serving(&github, folder.path()));
    first.says("ready").await;
    let id = first.process.id().unwrap();
    let link = folder.path().join("other-name.db");
    std::os::unix::fs::symlink(folder.path().join("bot.db"), &link).unwrap();
    for url in [format!("sqlite://{}", folder.path().join("bot.db").display()), format!("sqlite://{}", link.display())]
    {
        let second = serving(&github, folder.path()).env("DATABASE_URL", url).output();
        let second = tokio::time::timeout(PATIENCE, second).await.expect("it ends by itself").unwrap();
        let told = String::from_utf8(second.stderr).unwrap();
        assert_eq!(second.status.code(), Some(1), "{told}");
        assert!(told.contains(&format!("another mass-driver (process {id}) serves from the SQLite file")), "{told}");
    }
    // Killed, it holds nothing any more.
    first.process.kill().await.unwrap();
    let mut heir = Server::start(&mut serving(&github, folder.path()));
    heir.says("ready").await;
    heir.stops_on_sigterm().await;

    let web = serving(&github, folder.path()).args(["--role", "web"]).output();
    let web = tokio::time::timeout(PATIENCE, web).await.expect("it ends by itself").unwrap();
    let told = String::from_utf8(web.stderr).unwrap();
    assert!(told.contains("with SQLite one process does everything"), "{told}");
}

/// One process takes the webhooks in and has no key; two others work; the pull request is opened once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_share_the_work_on_postgres() {
    databases::on_postgres(async |url: String| {
        let github = GitHubSim::start(real_time()).unwrap();
        let registry = RegistrySim::start(real_time()).unwrap();
        github.organization("acme");
        github.install("acme").unwrap();
        for version in ["0.27.0", "0.28.0"] {
            registry.release("httpx", version);
        }
        let folder = tempfile::tempdir().unwrap();
        let role = |role: &str| {
            let mut command = serving(&github, folder.path());
            command.args(["--role", role]).env("DATABASE_URL", &url);
            command.env("MASS_DRIVER_DEPS_DEV_URL", registry.deps_dev_url());
            command
        };
        let mut web = role("web");
        web.env_remove("GITHUB_APP_PRIVATE_KEY").env_remove("GITHUB_APP_ID");
        // All at once: each would make the tables.
        let mut web = Server::start(&mut web);
        let mut workers: Vec<Server> =
            (0..2).map(|_| Server::start(role("worker").env_remove("GITHUB_WEBHOOK_SECRET"))).collect();
        let address = web.says("ready").await["address"].as_str().unwrap().to_string();
        for worker in &mut workers {
            let address = worker.says("ready").await["address"].as_str().unwrap().to_string();
            for (path, status) in [("readyz", 200), ("", 404), ("webhooks/github", 404)] {
                let answer = reqwest::get(format!("http://{address}/{path}")).await.unwrap();
                assert_eq!(answer.status(), status, "/{path}");
            }
        }
        github.set_webhook_url(&format!("http://{address}/webhooks/github"));
        github.auto_deliver(true);
        let options = RepoOptions::default()
            .file("requirements.txt", "httpx==0.27.0\n")
            .file(".mass-driver.yaml", "subscriptions: [pypi]\n");
        github.create_repo("acme/api", options).unwrap();
        let [mut one, mut two] = <[Server; 2]>::try_from(workers).ok().unwrap();
        tokio::select! {
            line = one.says("opened a pull request") => drop(line),
            line = two.says("opened a pull request") => drop(line),
        }
        for server in [web, one, two] {
            server.stops_on_sigterm().await;
        }
        assert_eq!(github.pull_requests("acme/api").unwrap().len(), 1);
    })
    .await;
}

/// What is missing is named, and nothing is started.
#[tokio::test]
async fn settings_that_are_missing_are_named() {
    let all_missing = mass_driver()
        .args(["serve"])
        .env("GITHUB_APP_PRIVATE_KEY", "")
        .env("GITHUB_APP_ID", "")
        .output()
        .await
        .unwrap();
    let with_secret = mass_driver().args(["serve"]).env("GITHUB_WEBHOOK_SECRET", "s").output().await.unwrap();
    let with_empty_secret = mass_driver().args(["serve"]).env("GITHUB_WEBHOOK_SECRET", " ").output().await.unwrap();
    let with_id =
        mass_driver().args(["serve", "--github-app-id", "1"]).env("GITHUB_WEBHOOK_SECRET", "s").output().await.unwrap();
    let bad_key = mass_driver()
        .args(["serve", "--github-app-id", "1", "--database-url", "sqlite:///nonexistent/x.db"])
        .env("GITHUB_WEBHOOK_SECRET", "s")
        .env("GITHUB_APP_PRIVATE_KEY", "not a key")
        .output()
        .await
        .unwrap();
    let cases = [
        (all_missing.clone(), "GITHUB_WEBHOOK_SECRET is not set"),
        (all_missing.clone(), "GITHUB_APP_ID is not set"),
        (all_missing, "neither GITHUB_APP_PRIVATE_KEY nor GITHUB_APP_PRIVATE_KEY_FILE is set"),
        (with_empty_secret, "GITHUB_WEBHOOK_SECRET is not set"),
        (with_secret, "GITHUB_APP_ID is not set"),
        (with_id, "GITHUB_APP_PRIVATE_KEY"),
        (bad_key, "private key"),
    ];
    for (output, expected) in cases {
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(expected), "expected `{expected}` in:\n{told}");
        assert_ne!(output.status.code(), Some(0));
    }
}

/// Each refusal of a webhook is told once, with the delivery it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refused_webhook_is_logged() {
    let github = GitHubSim::start(real_time()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(&mut serving(&github, folder.path()));
    let address = server.says("ready").await["address"].as_str().unwrap().to_string();
    let (event, guid) = ("x-github-event: ping\r\n", "x-github-delivery: guid-1\r\n");
    for (headers, length, status, delivery, why) in [
        (guid.to_string(), 2, 400, "guid-1", "x-github-event"),
        (event.to_string(), 2, 400, "", "x-github-delivery"),
        (format!("{event}{guid}"), 2, 401, "guid-1", "is missing"),
        (format!("{event}{guid}"), 99_999_999, 413, "guid-1", "at most"),
    ] {
        let mut connection = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head = format!("POST /webhooks/github HTTP/1.1\r\nhost: bot\r\n{headers}content-length: {length}\r\n\r\n");
        connection.write_all(format!("{head}{{}}").as_bytes()).await.unwrap();
        let told = server.says("refused a webhook").await;
        assert_eq!((&told["status"], &told["delivery"]), (&status.into(), &delivery.into()), "{told}");
        assert!(told["why"].as_str().unwrap().contains(why), "{told}");
    }
    server.stops_on_sigterm().await;
}

/// A start without GitHub says so once, with the address; the next attempt is another one, some seconds later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_github_out_of_reach_is_told_once_with_its_address() {
    let github = GitHubSim::start(real_time()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = serving(&github, folder.path());
    let mut server = Server::start(command.env("GITHUB_API_URL", format!("http://{nobody}")));
    let told = server.says("GitHub cannot be asked for the App's installations now; that is tried again").await;
    assert!(told["error"].as_str().unwrap().contains(&format!("at http://{nobody}")), "{told}");
    let log = server.stops_on_sigterm().await;
    // The look for lost webhooks, which is made at every start, has its own line.
    let greetings =
        log.lines().filter(|line| line.contains(&nobody.to_string()) && line.contains("/app/installations"));
    assert_eq!(greetings.count(), 1, "{log}");
}

/// What cannot be used is told in one sentence.
#[tokio::test]
async fn settings_that_cannot_be_used_are_told_once() {
    let github = GitHubSim::start(real_time()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let not_a_database = folder.path().join("text");
    std::fs::write(&not_a_database, "no database ".repeat(1_000)).unwrap();
    let file = format!("sqlite://{}", not_a_database.display());
    for (name, value, expected) in [
        ("MASS_DRIVER_PUBLIC_URL", "nonsense", "MASS_DRIVER_PUBLIC_URL is `nonsense`, which is no web address"),
        ("MASS_DRIVER_PUBLIC_URL", "bot.example.com:8080", "no web address"),
        ("MASS_DRIVER_PUBLIC_URL", "ftp://bot.example.com", "no web address"),
        ("MASS_DRIVER_PUBLIC_URL", "https://me:hunter2@bot.example.com", "leave them out"),
        ("DATABASE_URL", "mysql://me:hunter2@example.com/x", "the database's address cannot be used"),
        ("DATABASE_URL", "sqlite:///nonexistent/folder/bot.db", "the database"),
        ("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/x", "the database cannot be used at the moment"),
        ("DATABASE_URL", file.as_str(), "the database"),
    ] {
        let output = serving(&github, folder.path()).env(name, value).output();
        let output = tokio::time::timeout(PATIENCE, output).await.expect("it ends by itself").unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains(expected) && !told.contains("hunter2"), "expected `{expected}` in:\n{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.matches("the database").count() <= 1, "{told}");
    }
}

/// More come than files can be opened: nobody else is let in meanwhile, and all are again once those are gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_runs_out_of_files_goes_on_when_there_are_some() {
    let github = GitHubSim::start(real_time()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let whole = serving(&github, folder.path());
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 100 && exec \"$0\" serve", env!("CARGO_BIN_EXE_mass-driver")]).env_clear();
    command.stdin(Stdio::null()).kill_on_drop(true);
    command.envs(whole.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut server = Server::start(&mut command);
    let address = server.says("ready").await["address"].as_str().unwrap().to_string();
    let mut crowd = Vec::new();
    for _ in 0..120 {
        crowd.push(tokio::net::TcpStream::connect(&address).await.unwrap());
    }
    let told = server.says("no connection can be accepted just now; that is tried again").await;
    assert_eq!(told["level"], "ERROR", "{told}");
    drop(crowd);
    assert_eq!(reqwest::get(format!("http://{address}/healthz")).await.unwrap().status(), 200);
    server.stops_on_sigterm().await;
}

/// What GitHub asks of the App itself has the same name in the log and in the figures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_of_the_app_itself_is_told_under_its_name() {
    let github = GitHubSim::start(real_time()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    github.organization("acme");
    let limit = FaultKind::PrimaryRateLimit { status: 403, reset_in: Duration::from_secs(600) };
    github.fault(Fault::once("GET", "/app/installations", limit));
    let mut server = Server::start(&mut serving(&github, folder.path()));
    let address = server.says("ready").await["address"].as_str().unwrap().to_string();
    assert_eq!(server.says("GitHub asks for a pause").await["installation"], "app");
    let figures = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    assert!(figures.contains("mass_driver_github_pause_seconds{installation=\"app\"}"), "{figures}");
    server.stops_on_sigterm().await;
}

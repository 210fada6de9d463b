//! The real executable as an operator runs it: started with settings from the environment, fed with webhooks, stopped
//! with a signal.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

#[path = "support/databases.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "only Postgres is needed here")]
mod databases;

#[path = "serve/server.rs"]
mod server;
#[path = "serve/starts.rs"]
mod starts;

use github_sim::{Fault, FaultKind, GitHubSim, RepoOptions};
use registry_sim::RegistrySim;
use server::{Server, mass_driver, real_time, serving};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

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
        .env("MASS_DRIVER_ADMIN_TOKEN", "the-long-admin-token")
        .env("MASS_DRIVER_PUBLIC_URL", "https://bot.example.com")
        .env("GITHUB_API_URL", github.url())
        .env("GITHUB_APP_ID", credentials.app_id.to_string())
        .env("GITHUB_APP_PRIVATE_KEY", credentials.private_key_pem.replace('\n', "\\n"))
        .env("GITHUB_WEBHOOK_SECRET", &credentials.webhook_secret);
    let mut server = Server::start(&mut command);
    let ready = server.says("ready").await;
    let address = ready["address"].as_str().unwrap().to_string();
    assert_eq!(ready["database"], format!("SQLite file {}", database.display()));
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
    let page = page.bearer_auth("the-long-admin-token").send().await.unwrap();
    assert!(page.text().await.unwrap().contains("Bump httpx from 0.27.0 to 0.28.0"));

    let figures = reqwest::Client::new().get(format!("http://{address}/metrics")).bearer_auth("the-long-admin-token");
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
    for secret in [key_line, credentials.webhook_secret.as_str(), "the-long-admin-token", "ghs_", "eyJ"] {
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

//! How a server starts, and how it says that it cannot.

use crate::server::{PATIENCE, Server, mass_driver, real_time, serving};
use github_sim::{Fault, FaultKind, GitHubSim};
use std::time::Duration;

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
    // The steps that are queued at every start ask as well, and each has its own line.
    let is_of_a_step = |line: &&str| line.contains("a step failed and will be repeated");
    let greetings = log.lines().filter(|line| line.contains(&nobody.to_string()) && !is_of_a_step(line));
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
        ("DATABASE_URL", "mysql://me:hunter2@example.com/x", "(before `://`: mysql), as in sqlite://mass-driver.db"),
        ("DATABASE_URL", "sqlite:///nonexistent/folder/bot.db", "there is no folder /nonexistent/folder for the file"),
        ("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/x", "the database cannot be used at the moment"),
        ("DATABASE_URL", "postgres://me:hunter2@127.0.0.1:1/x", "Postgres at 127.0.0.1:1/x cannot be reached"),
        ("MASS_DRIVER_PUBLIC_URL", "localhost:8080", "write it in full, as http://localhost:8080, or"),
        ("MASS_DRIVER_PUBLIC_URL", "bot.example.com", "write it in full, as https://bot.example.com, or"),
        ("MASS_DRIVER_PUBLIC_URL", "https://bot.example.com/#top", "a fragment; leave them out"),
        ("MASS_DRIVER_PUBLIC_URL", "https://bot.example.com/webhooks/github", "leave `/webhooks/github` out of it"),
        ("MASS_DRIVER_ADMIN_TOKEN", "hunter2", "MASS_DRIVER_ADMIN_TOKEN has 7 characters"),
        ("MASS_DRIVER_ADMIN_TOKEN", "hunter2 and hunter2 again", "make one with `openssl rand -hex 32`"),
        ("MASS_DRIVER_ADMIN_TOKEN", "hunter2-hunter2-grün", "beyond ASCII"),
        ("GITHUB_API_URL", "nonsense", "the API address in GITHUB_API_URL is not a URL"),
        ("GITHUB_API_URL", "https://github.com", "is not where GitHub's API is: set it to https://api.github.com"),
        ("GITHUB_API_URL", "https://www.github.com/api/v3", "set it to https://api.github.com"),
        ("GITHUB_API_URL", "https://acme.ghe.com", "set it to https://api.acme.ghe.com"),
        ("GITHUB_API_URL", "https://github.example.com:8443/", "set it to https://github.example.com:8443/api/v3"),
        ("MASS_DRIVER_NPM_URL", "nonsense", "MASS_DRIVER_NPM_URL: not an address"),
        ("DATABASE_URL", file.as_str(), "the database"),
    ] {
        let output = serving(&github, folder.path()).env(name, value).output();
        let output = tokio::time::timeout(PATIENCE, output).await.expect("it ends by itself").unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        // A database out of reach may be reached later; all else has to be changed.
        assert_eq!(output.status.code(), Some(if value.contains("127.0.0.1:1/") { 1 } else { 2 }), "{told}");
        assert!(told.contains(expected) && !told.contains("hunter2"), "expected `{expected}` in:\n{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(told.matches("the database").count() <= 1, "{told}");
    }
}

//! How many signed push deliveries are acknowledged a second, by the real executable, each durable before its 202.
//!
//! At the end of a run the server is killed with SIGKILL, then every acknowledged GUID has to be in the database.

use crate::Options;
use crate::client::{self, Outcome};
use crate::database::{Database, Kind, Place};
use crate::payload::{self, Signed};
use crate::process::{Process, next_line};
use crate::report::{Report, Runs, quantile};
use anyhow::{Context as _, bail, ensure};
use github_sim::GitHubSim;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

pub const FIGURE: &str = "webhooks";
/// The address of webhooks, ours and the peer's.
pub const PATH: &str = "/webhooks/github";

/// The quantities of a run. What is asked for is asked of us, not of a peer.
pub fn add_run(runs: &mut Runs, outcome: &Outcome, (server, ours): (&Process, bool), before: Option<Duration>) {
    let asked = |words| Some(words).filter(|_| ours);
    let acknowledged = outcome.acknowledged.len() as f64;
    let seconds = outcome.elapsed.as_secs_f64();
    runs.add("acknowledged", "/s", asked("3,000 /s"), acknowledged / seconds);
    for (what, share, reach) in [("p50", 0.5, None), ("p99", 0.99, asked("under 25 ms")), ("slowest", 1.0, None)] {
        runs.add(what, "ms", reach, quantile(&outcome.latencies, share) * 1_000.0);
    }
    if let Some(peak) = server.peak_memory_mib() {
        runs.add("server's memory, at most", "MiB", asked("under 150 MB"), peak);
    }
    if let (Some(before), Some(after)) = (before, server.processor_time()) {
        let used = after.saturating_sub(before).as_secs_f64();
        runs.add("server's processor time each", "ms", None, used * 1_000.0 / acknowledged);
    }
}

/// What all servers are sent: signed by the App of this stand-in.
pub fn prepared() -> anyhow::Result<(GitHubSim, Arc<Vec<Signed>>)> {
    let github = GitHubSim::start(Arc::new(mass_driver::app::now))?;
    github.organization("acme");
    github.install("acme")?;
    let pushes = payload::pushes(&github, &github.app().webhook_secret)?;
    Ok((github, Arc::new(pushes)))
}

/// Takes the figure: with webhooks alone, and with the queue being worked on by the same process.
pub async fn measure(
    place: &Place,
    kind: Kind,
    beside: &Path,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (github, pushes) = prepared()?;
    let executable = beside.join(format!("mass-driver{}", std::env::consts::EXE_SUFFIX));
    ensure!(executable.is_file(), "{} is not there: build it as this was built", executable.display());
    let lasts = Duration::from_secs(options.seconds.into());
    for role in roles(&executable).await? {
        let role_words = if role.is_empty() { "1 worker".to_owned() } else { format!("role {role}") };
        let on = format!("{}, {role_words}", kind.name());
        if !can_start(place, kind, &executable, role, &github).await? {
            report.note(format!("webhooks on {on}: not measured, since the server does not start like that"));
            continue;
        }
        let mut runs = Runs::default();
        for run in 1..=options.runs {
            anstream::eprintln!("webhooks on {on}: run {run} of {}", options.runs);
            let database = place.fresh(kind, "webhooks").await?;
            let send = (&pushes, lasts);
            let outcome = one_run(&executable, role, &github, &database, send, &mut runs, (&on, report)).await;
            database.remove().await?;
            outcome?;
        }
        report.take(FIGURE, &on, runs);
    }
    Ok(())
}

async fn one_run(
    executable: &Path,
    role: &str,
    github: &GitHubSim,
    database: &Database,
    (pushes, lasts): (&Arc<Vec<Signed>>, Duration),
    runs: &mut Runs,
    (on, report): (&str, &mut Report),
) -> anyhow::Result<()> {
    let (server, address) = serve(executable, role, github, database, &[]).await?;
    // What a server that has just started does for the first time is not what is measured.
    let warmed = client::load(address, PATH, Arc::clone(pushes), Duration::from_millis(500)).await?;
    let before = server.processor_time();
    let outcome = client::load(address, PATH, Arc::clone(pushes), lasts).await?;
    add_run(runs, &outcome, (&server, true), before);
    server.kill().await?;
    let stored: HashSet<String> = database.texts("SELECT guid FROM delivery").await?.into_iter().collect();
    let acknowledged = warmed.acknowledged.iter().chain(&outcome.acknowledged);
    let (mut all, mut there) = (0, 0);
    for guid in acknowledged {
        all += 1;
        there += u64::from(stored.contains(&guid.to_string()));
    }
    report.same(FIGURE, on, "acknowledged deliveries that are stored after SIGKILL", there, all);
    let refused = (warmed.refused + outcome.refused) as u64;
    report.same(FIGURE, on, "deliveries that were refused", refused, 0);
    let bodies = database.count("SELECT count(*) FROM delivery WHERE length(payload) >= 17000").await?;
    report.check(
        FIGURE,
        on,
        "the bodies are stored too",
        bodies >= all,
        format!("{bodies} bodies for {all} deliveries"),
    );
    Ok(())
}

/// The roles to measure: taking webhooks in alone, and everything in one process; none where `serve` has no roles.
async fn roles(executable: &Path) -> anyhow::Result<Vec<&'static str>> {
    let help = Command::new(executable).args(["serve", "--help"]).output().await?;
    let has_roles = String::from_utf8_lossy(&help.stdout).contains("--role");
    Ok(if has_roles { vec!["web", "all"] } else { vec![""] })
}

/// Whether there is such a server: taking webhooks in and working may have to be one process on SQLite. A server of all
/// roles has to start.
async fn can_start(
    place: &Place,
    kind: Kind,
    executable: &Path,
    role: &str,
    github: &GitHubSim,
) -> anyhow::Result<bool> {
    let database = place.fresh(kind, "webhooks").await?;
    let started = serve(executable, role, github, &database, &[]).await;
    let outcome = match started {
        Ok((server, _)) => server.kill().await.map(|()| true),
        Err(_) if role == "web" => Ok(false),
        Err(error) => Err(error),
    };
    database.remove().await?;
    outcome
}

/// Starts the real executable on a database, with these variables besides.
pub async fn serve(
    executable: &Path,
    role: &str,
    github: &GitHubSim,
    database: &Database,
    variables: &[(&str, String)],
) -> anyhow::Result<(Process, SocketAddr)> {
    let credentials = github.app();
    let mut command = Command::new(executable);
    command.arg("serve").env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
        .env("DATABASE_URL", &database.url)
        .env("MASS_DRIVER_LISTEN", "127.0.0.1:0")
        .env("MASS_DRIVER_LOG_FORMAT", "json")
        .env("GITHUB_API_URL", github.url())
        .env("GITHUB_APP_ID", credentials.app_id.to_string())
        .env("GITHUB_APP_PRIVATE_KEY", credentials.private_key_pem.replace('\n', "\\n"))
        .env("GITHUB_WEBHOOK_SECRET", credentials.webhook_secret)
        .envs(variables.iter().map(|(name, value)| (*name, value)));
    if role.is_empty() {
        command.env("MASS_DRIVER_WORKERS", "1");
    } else {
        command.args(["--role", role]);
    }
    started(Process::start("mass-driver", &mut command)?).await
}

/// Waits for the line of a server's log that tells its address, and lets the rest of the log go by.
pub async fn started(mut server: Process) -> anyhow::Result<(Process, SocketAddr)> {
    let log = server.take_log().context("a server without a log")?;
    let mut lines = BufReader::new(log).lines();
    let mut said = Vec::new();
    let address = loop {
        let line = match next_line(&mut lines, "the server").await {
            Ok(line) => line,
            Err(error) => bail!("{error}; it said: {}", said.join(" / ")),
        };
        let json: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        if json["message"] == "ready" {
            break json["address"].as_str().context("a server without an address")?.parse()?;
        }
        said.push(line);
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok((server, address))
}

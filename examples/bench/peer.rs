//! The peer of the figure `webhooks`: Probot, which answers once its handlers have run and stores nothing. The same
//! client sends it the same deliveries.

use crate::client;
use crate::payload::Signed;
use crate::process::Process;
use crate::report::{Report, Runs};
use crate::webhooks::{FIGURE, PATH, add_run, started};
use github_sim::GitHubSim;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;

/// What was measured of it elsewhere, for readers of a machine without node.
const CITED: &str = "no peer was measured: `scripts/bench-peer` could not fetch Probot. Elsewhere, Probot 14 on two cores, \
    client included, acknowledged 3,080 such deliveries a second without storing them, p99 22 ms, 111 MB";

/// Measures it, where it was fetched.
pub async fn measure(
    (target, node_path): (&Path, Option<&str>),
    github: &GitHubSim,
    pushes: &Arc<Vec<Signed>>,
    (count, lasts): (u32, Duration),
    report: &mut Report,
) -> anyhow::Result<()> {
    let folder = target.join("bench-peer");
    let Ok(version) = std::fs::read_to_string(folder.join("stamp")) else {
        report.note(CITED);
        return Ok(());
    };
    let on = format!("{}, nothing stored", version.trim());
    let credentials = github.app();
    let mut runs = Runs::default();
    for run in 1..=count {
        anstream::eprintln!("webhooks on {on}: run {run} of {count}");
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("node");
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/bench/peer.mjs")).arg(&folder);
        command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
            .env("PATH", node_path.unwrap_or_default())
            .env("APP_ID", credentials.app_id.to_string())
            .env("PRIVATE_KEY", &credentials.private_key_pem)
            .env("WEBHOOK_SECRET", &credentials.webhook_secret)
            .env("PORT", port.to_string());
        let (server, address) = started(Process::start("Probot", &mut command)?).await?;
        let warmed = client::load(address, PATH, Arc::clone(pushes), Duration::from_millis(500)).await?;
        let before = server.processor_time();
        let outcome = client::load(address, PATH, Arc::clone(pushes), lasts).await?;
        add_run(&mut runs, &outcome, (&server, false), before);
        let refused = (warmed.refused + outcome.refused) as u64;
        report.same(FIGURE, &on, "deliveries that were refused", refused, 0);
        server.kill().await?;
    }
    report.take(FIGURE, &on, runs);
    Ok(())
}

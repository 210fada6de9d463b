//! How long it takes from a push that changes the subscription file to the check run beside it, by the real executable.
//!
//! GitHub, the registry and the server are on this machine, so what is measured is the bot's own part: taking the delivery in,
//! its turn in the queue, reading the file, looking packages up, saying it.

use crate::Options;
use crate::database::{Database, Kind, Place};
use crate::process::PATIENCE;
use crate::report::{Report, Runs, quantile};
use crate::webhooks::{PATH, serve};
use anyhow::{Context as _, ensure};
use github_sim::{CheckRunView, GitHubSim, RepoOptions};
use registry_sim::RegistrySim;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FIGURE: &str = "checks";
const REPO: &str = "acme/api";
/// How many packages the repository uses: those whose releases the preview needs to know.
const PACKAGES: u32 = 20;
/// How many pushes each run has, one after the other.
const PUSHES: u32 = 30;
/// How often GitHub is looked at for the check. A request's delay of some milliseconds would be in the figure.
const GLANCE: Duration = Duration::from_millis(1);

/// Takes the figure.
pub async fn measure(
    place: &Place,
    kind: Kind,
    beside: &Path,
    options: &Options,
    report: &mut Report,
) -> anyhow::Result<()> {
    let executable = beside.join(format!("mass-driver{}", std::env::consts::EXE_SUFFIX));
    ensure!(executable.is_file(), "{} is not there: build it as this was built", executable.display());
    let mut runs = Runs::default();
    for run in 1..=options.runs {
        anstream::eprintln!("checks on {}: run {run} of {}", kind.name(), options.runs);
        let database = place.fresh(kind, "checks").await?;
        let outcome = one_run(&executable, &database, &mut runs, (kind.name(), report)).await;
        database.remove().await?;
        outcome?;
    }
    report.take(FIGURE, &format!("{}, {PACKAGES} packages", kind.name()), runs);
    Ok(())
}

async fn one_run(
    executable: &Path,
    database: &Database,
    runs: &mut Runs,
    (on, report): (&str, &mut Report),
) -> anyhow::Result<()> {
    let github = GitHubSim::start(Arc::new(mass_driver::app::now))?;
    let registry = RegistrySim::start(Arc::new(mass_driver::app::now))?;
    let name = |number| format!("library-{number}");
    for number in 0..PACKAGES {
        registry.release(&name(number), "1.0.0");
        registry.release(&name(number), "1.1.0");
    }
    let used: String = (0..PACKAGES).map(|number| format!("{}==1.0.0\n", name(number))).collect();
    let deps_dev = ("MASS_DRIVER_DEPS_DEV_URL", registry.deps_dev_url());
    let (server, address) = serve(executable, "all", &github, database, &[deps_dev]).await?;
    github.set_webhook_url(&format!("http://{address}{PATH}"));
    github.auto_deliver(true);
    github.organization("acme");
    github.install("acme")?;
    let file = |delay: &str| format!("delay: {delay}\nsubscriptions: [pypi]\n");
    let options = RepoOptions::default().file("requirements.txt", &used).file(".mass-driver.yaml", file("weekly"));
    github.create_repo(REPO, options)?;
    // The first one waits until the repository is known at all.
    let mut posted = Vec::new();
    for number in 0..=PUSHES {
        // Each is another one: the same change of the same second would be the same commit.
        let text = format!("# {number}\n{}", file("daily"));
        let branch = format!("topic-{number}");
        let change = [(".mass-driver.yaml", Some(text.as_bytes()))];
        let begun = Instant::now();
        let commit = github.push(REPO, &branch, &change, "another delay")?;
        let seconds = until_said(&github, &commit, begun).await?;
        if number > 0 {
            posted.push(seconds);
        }
    }
    posted.sort_by(f64::total_cmp);
    for (what, share, reach) in [("p50", 0.5, None), ("slowest", 1.0, Some("under 5,000 ms"))] {
        runs.add(what, "ms", reach, quantile(&posted, share) * 1_000.0);
    }
    let own: Vec<CheckRunView> = github.check_runs(REPO)?.into_iter().filter(|run| run.own).collect();
    let said = own.iter().filter(|run| run.conclusion.as_deref() == Some("success")).count() as u64;
    report.same(FIGURE, on, "checks that say what the file would do, one for each push", said, u64::from(PUSHES) + 1);
    server.kill().await
}

/// How long it took until the check beside a commit says what there is to say. Unit: seconds.
async fn until_said(github: &GitHubSim, commit: &str, begun: Instant) -> anyhow::Result<f64> {
    let said = async {
        loop {
            let runs = github.check_runs(REPO)?;
            if runs.iter().any(|run| run.own && run.head_sha == commit && run.status == "completed") {
                return anyhow::Ok(begun.elapsed().as_secs_f64());
            }
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::time::timeout(PATIENCE, said).await.context("no check came")?
}

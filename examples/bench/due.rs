//! A load of proposals that are due, on real repositories of a stand-in for GitHub in a process of its own.

use crate::database::{Database, Kind, Place};
use crate::engine::{Addresses, Engine, Setup};
use crate::fill::{self, Filled, Filler, NEW, OLD};
use crate::github::{Built, GitHub, Made, Owner, Told};
use crate::report::Report;
use crate::steps::drain;
use anyhow::{Context as _, ensure};
use mass_driver::domain::{Head, InstallationId, ObjectId, PackageId, ProposalId, Release, RepoId, RepoName, RepoPath};
use mass_driver::managers;
use mass_driver::pipeline::Step;
use mass_driver::planner::{self, Draft, Facts, Known, Used};
use mass_driver::store::Store;
use mass_driver::subscription::SubscriptionFile;
use registry_sim::RegistrySim;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How many there are, the big one included.
const INSTALLATIONS: usize = 50;
/// At once, and nothing else of the repository in the way.
const SUBSCRIPTION: &str = "delay: immediate\nlimit: 50\nsubscriptions:\n  - migration: pypi\n    group: none\n";
/// The package whose release is due everywhere.
const RELEASED: &str = "released";
/// Proposals in a transaction.
const WIDE: usize = 500;

const OPEN: &str = "SELECT count(*) FROM proposal WHERE state = 'open'";
const UNDER_WAY: &str = "SELECT count(*) FROM attempt";
const PARKED: &str = "SELECT count(*) FROM work WHERE state = 'parked'";

/// Everything is there, and nothing has begun.
pub struct Load {
    database: Database,
    github: GitHub,
    setup: Setup,
    size: usize,
    _registry: RegistrySim,
}

/// What came of it.
pub struct Outcome {
    /// When the workers began, in milliseconds.
    pub begun_ms: i64,
    /// What GitHub saw.
    pub told: Told,
    /// The memory of the largest of the bot's processes.
    pub peak_mib: Option<f64>,
    /// That of the stand-in.
    pub stand_in_mib: Option<f64>,
    /// The processor time of the bot's processes.
    pub processor: Option<Duration>,
    /// That of the stand-in.
    pub stand_in: Option<Duration>,
    size: u64,
    open: u64,
    under_way: u64,
    parked: u64,
}

impl Load {
    /// Builds repositories at GitHub, knows them in a fresh database, and has one proposal due in each. The big
    /// installation's come first in the queue: that is the hard case.
    pub async fn prepare(place: &Place, kind: Kind, name: &str, size: usize) -> anyhow::Result<Self> {
        ensure!(size >= 2 * INSTALLATIONS, "a roll-out takes {} proposals or more", 2 * INSTALLATIONS);
        let text = fill::requirements(0, std::iter::once(RELEASED.to_owned()));
        let files = vec![("requirements.txt".into(), text.clone()), (".mass-driver.yaml".into(), SUBSCRIPTION.into())];
        let (github, built) = GitHub::start(owners(size), files).await?;
        let database = place.fresh(kind, name).await?;
        fill_in(&database, &built, &text).await?;
        let registry = RegistrySim::start(Arc::new(mass_driver::app::now))?;
        let setup = Setup {
            database_url: database.url.clone(),
            workers: 0,
            github: built.credentials,
            registries: Addresses::deps_dev(&registry),
        };
        Ok(Self { database, github, setup, size, _registry: registry })
    }

    /// Has so many processes with so many workers each do it.
    pub async fn roll_out(&mut self, processes: usize, workers: u16) -> anyhow::Result<Outcome> {
        let setup = Setup { workers, ..self.setup.clone() };
        let stand_in_before = self.github.0.process.processor_time();
        let mut engines = Vec::new();
        for _ in 0..processes {
            engines.push(Engine::start(&setup).await?);
        }
        let begun_ms = mass_driver::app::now().as_millisecond();
        for engine in &mut engines {
            engine.work().await?;
        }
        // What is planned for later, as a reminder to reword, is not waited for.
        drain(&self.database, DUE).await?;
        let stand_in = self.github.0.process.processor_time();
        let used = |engine: &Engine| engine.0.process.processor_time();
        let processor = engines.iter().map(used).sum::<Option<Duration>>();
        let peak_mib = engines.iter().filter_map(|engine| engine.0.process.peak_memory_mib()).reduce(f64::max);
        for engine in engines {
            engine.0.end().await?;
        }
        Ok(Outcome {
            begun_ms,
            told: self.github.tell().await?,
            peak_mib,
            stand_in_mib: self.github.0.process.peak_memory_mib(),
            processor,
            stand_in: stand_in.zip(stand_in_before).map(|(after, before)| after.saturating_sub(before)),
            size: self.size as u64,
            open: self.database.count(OPEN).await?,
            under_way: self.database.count(UNDER_WAY).await?,
            parked: self.database.count(PARKED).await?,
        })
    }

    /// Removes everything.
    pub async fn end(self) -> anyhow::Result<()> {
        self.github.0.end().await?;
        self.database.remove().await
    }
}

/// Steps that are due or under way; what is for later is by far later.
const DUE: &str = "SELECT count(*) FROM work WHERE state = 'running' OR (state = 'queued' AND step = 'execute')";

impl Outcome {
    /// Nothing was lost and nothing was done twice, at GitHub and in the store.
    pub fn check(&self, figure: &'static str, on: &str, report: &mut Report) {
        let repositories = &self.told.repositories;
        let count =
            |so: &dyn Fn(&crate::github::Seen) -> bool| repositories.iter().filter(|seen| so(seen)).count() as u64;
        report.same(
            figure,
            on,
            "repositories with one pull request",
            count(&|seen| seen.opened_at.len() == 1),
            self.size,
        );
        report.same(
            figure,
            on,
            "repositories with one branch of the bot",
            count(&|seen| seen.branches == 2),
            self.size,
        );
        report.same(figure, on, "proposals stored as open", self.open, self.size);
        report.same(figure, on, "proposals still under way", self.under_way, 0);
        report.same(figure, on, "steps given up", self.parked, 0);
    }
}

/// One has half of all, and the others share the rest.
fn owners(size: usize) -> Vec<Owner> {
    let small = size / 2 / (INSTALLATIONS - 1);
    let big = size - small * (INSTALLATIONS - 1);
    let others = (1..INSTALLATIONS).map(|number| Owner { login: format!("small-{number}"), repositories: small });
    std::iter::once(Owner { login: "big".into(), repositories: big }).chain(others).collect()
}

async fn fill_in(database: &Database, built: &Built, text: &str) -> anyhow::Result<()> {
    let store = Store::connect(&database.url).await?;
    let filler = Filler::new(&store, SUBSCRIPTION)?;
    filler.packages(fill::libraries().chain(std::iter::once(RELEASED.to_owned()))).await?;
    let now = mass_driver::app::now();
    let release = |version: &str| Release {
        version: version.to_owned(),
        published_at: Some(now),
        first_seen_at: now,
        counts_from: now,
        yanked: false,
        above_latest: false,
        content: None,
        requires_python: None,
    };
    let mut tx = store.begin().await?;
    tx.save_releases(&fill::pypi(RELEASED.to_owned()), &[release(NEW)], &[]).await?;
    tx.commit().await?;
    filler.repositories(0..built.repositories.len(), |number| filled(&built.repositories[number], text)).await?;
    // Before the burst, as a quiet time leaves it: the planner takes the queue for empty.
    database.settle().await?;

    let known = BTreeMap::from([(fill::pypi(RELEASED.to_owned()), vec![release(OLD), release(NEW)])]);
    let draft = draft(filler.file(), text, known, now)?;
    for some in built.repositories.chunks(WIDE) {
        let mut tx = store.begin().await?;
        for made in some {
            let (repo, installation) = (RepoId(made.id), InstallationId(made.installation));
            let id = || ProposalId(uuid::Uuid::now_v7().to_string());
            for amended in planner::reconcile(repo, &[], vec![draft.clone()], "", now, id) {
                tx.save_proposal(&amended.proposal).await?;
                let step = Step::Execute { repo, proposal: amended.proposal.id };
                step.queue(&mut tx, Some(installation), now).await?;
            }
        }
        tx.commit().await?;
    }
    store.close().await;
    Ok(())
}

fn filled(made: &Made, text: &str) -> anyhow::Result<Filled> {
    Ok(Filled {
        repo: RepoId(made.id),
        installation: InstallationId(made.installation),
        name: RepoName::parse(&made.name)?,
        head: Head { commit: ObjectId::parse(&made.commit)?, tree: ObjectId::parse(&made.tree)? },
        text: text.to_owned(),
        blob: ObjectId::parse(&made.tree)?,
    })
}

/// What the planner makes of the release; it is the same for each of these repositories.
fn draft(
    file: &SubscriptionFile,
    text: &str,
    releases: BTreeMap<PackageId, Vec<Release>>,
    now: jiff::Timestamp,
) -> anyhow::Result<Draft> {
    let path = RepoPath::parse("requirements.txt")?;
    let manager = managers::managers_for(&path).next().context("no manager reads requirements.txt")?;
    let found = manager.extract(&path, text).dependencies;
    let used: Vec<Used> = found.into_iter().map(|dependency| Used { dependency, since: now }).collect();
    let packages = releases.into_iter().map(|(package, releases)| (package, Known::Releases(releases))).collect();
    let facts = Facts {
        file,
        subscribed_since: &[now],
        used: &used,
        packages: &packages,
        unseen: &BTreeSet::new(),
        without_hashes: &BTreeMap::new(),
        proposals: &[],
        decisions: &[],
    };
    let mut drafts = planner::plan(&facts, now).drafts;
    ensure!(drafts.len() == 1 && drafts[0].due_at <= now, "the release is not due at once: {drafts:?}");
    drafts.pop().context("no draft")
}

//! Many repositories planned together: the very rows that planning each alone leaves.

use crate::databases::{both_databases, open};
use jiff::{SignedDuration, Timestamp};
use mass_driver::domain::{
    Change, Dependency, Ecosystem, FileMode, Head, InstallationId, ObjectId, Outlook, PackageId, Proposal, ProposalId,
    ProposalState, PullNumber, PullRequest, Release, RepoId, RepoName, RepoPath, RepoState, Repository,
};
use mass_driver::pipeline::{Done, plan};
use mass_driver::registries::{Registries, RegistrySettings};
use mass_driver::store::{Config, ConfigState, LedgerRow, Manifest, Store, Subscription, Tx};
use mass_driver::subscription;
use sqlx::{Connection, PgConnection, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};

/// So many repositories are planned together, and as many twins of theirs each alone.
const PAIRS: i64 = 60;
/// From the number of a repository to that of its twin.
const TWIN: i64 = 1_000;
const PACKAGES: [(Ecosystem, &str); 6] = [
    (Ecosystem::Pypi, "aaa"),
    (Ecosystem::Pypi, "bbb"),
    (Ecosystem::Pypi, "ccc"),
    (Ecosystem::Pypi, "never-asked"),
    (Ecosystem::Docker, "library/python"),
    (Ecosystem::Docker, "library/failing"),
];
const FILES: [&str; 4] = [
    "subscriptions:\n  - { migration: pypi }\n  - { migration: docker }\n",
    "delay: weekly\ntimezone: Europe/Paris\nsubscriptions:\n  - { migration: pypi, group: all, min_age: 2d }\n",
    "limit: 1\nsubscriptions:\n  - { migration: pypi, group: minor-and-patch, ignore: [{ name: bbb, versions: '>=2' }] }\n",
    "delay: daily\nsubscriptions:\n  - { migration: docker, paths: ['a/**'] }\n  - { migration: pypi, limit: 1 }\n",
];
const VERSIONS: [&str; 6] = ["1.0", "1.1", "1.1.1", "2.0rc1", "2.0", "3.1"];

/// Dice that fall the same way for a repository and its twin.
struct Dice(u64);

impl Dice {
    fn of(pair: i64, round: u64) -> Self {
        Self(pair.unsigned_abs() * 7_919 + round * 104_729 + 1)
    }

    /// A number below another.
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

fn object(digit: char) -> ObjectId {
    ObjectId::parse(&digit.to_string().repeat(40)).unwrap()
}

fn package((ecosystem, name): (Ecosystem, &str)) -> PackageId {
    PackageId { ecosystem, name: name.into() }
}

/// The packages, with the releases that are there in a round.
async fn packages(tx: &mut Tx, round: usize, now: Timestamp) {
    for known in PACKAGES.map(package) {
        tx.ensure_packages([&known], now).await.unwrap();
        match known.name.as_str() {
            "never-asked" => continue,
            "library/failing" => {
                tx.package_failed(&known, "the registry answers 503", now).await.unwrap();
                continue;
            }
            _ => {}
        }
        let there = VERSIONS.iter().take(2 + round * 2).zip(0..);
        let releases = there.map(|(version, day)| Release {
            version: version.to_string(),
            published_at: None,
            first_seen_at: now,
            counts_from: now - SignedDuration::from_hours(24 * (2 - day / 2)),
            yanked: *version == "1.1.1" && known.name == "ccc",
            above_latest: false,
            content: None,
            requires_python: None,
        });
        tx.save_releases(&known, &releases.collect::<Vec<_>>(), &[]).await.unwrap();
        tx.package_checked(&known, None, now, now + SignedDuration::from_hours(1)).await.unwrap();
    }
}

/// A repository or its twin, as it is at first.
async fn repository(tx: &mut Tx, repo: RepoId, now: Timestamp) {
    let mut dice = Dice::of(repo.0 % TWIN, 0);
    let state = dice.one_of(&[RepoState::Active, RepoState::Active, RepoState::Active, RepoState::Archived]);
    let name = RepoName::parse(&format!("acme/r{repo}")).unwrap();
    let repository = Repository {
        id: repo,
        installation: InstallationId(7),
        web_url: format!("https://github.example.com/{name}"),
        name,
        default_branch: Some("main".into()),
        private: true,
        fork: dice.below(12) == 0,
        state,
    };
    tx.save_repository(&repository, now).await.unwrap();
    if dice.below(12) > 0 {
        tx.set_head(repo, Some(&Head { commit: object('a'), tree: object('b') }), now).await.unwrap();
    }
    let file = subscription::parse(dice.one_of(&FILES).as_bytes()).unwrap();
    let state = dice.one_of(&[ConfigState::Valid, ConfigState::Valid, ConfigState::Valid, ConfigState::None]);
    let config = Config { state, file: Some(serde_json::to_value(&file).unwrap()), ..Config::none() };
    tx.save_config(repo, &config, now).await.unwrap();
    let entries = file.subscriptions.iter().map(|one| Subscription {
        migration: one.migration.to_string(),
        ecosystem: one.migration.ecosystem(),
        delay: one.delay.to_string(),
        settings: serde_json::Value::Null,
    });
    tx.replace_subscriptions(repo, &entries.collect::<Vec<_>>(), now).await.unwrap();
    for folder in ["", "a/"] {
        let path = RepoPath::parse(&format!("{folder}requirements.txt")).unwrap();
        let manifest = Manifest {
            path: path.clone(),
            manager: "requirements".into(),
            blob: object('c'),
            mode: FileMode::Regular,
            text: String::new(),
            problem: None,
            includes: Vec::new(),
        };
        tx.save_manifest(repo, &manifest, now).await.unwrap();
        let used = (1..=dice.below(6)).map(|line| {
            let package = package(dice.one_of(&PACKAGES));
            let version = dice.one_of(&VERSIONS[..3]);
            let pin = if package.ecosystem == Ecosystem::Docker { "" } else { "==" };
            Dependency {
                manager: "requirements".into(),
                path: path.clone(),
                line: u32::try_from(line).unwrap(),
                written_name: package.name.clone(),
                package,
                current: Some(version.into()),
                constraint: format!("{pin}{version}"),
                digest: None,
                hashed: false,
                python: None,
                left_behind: false,
                skip: None,
            }
        });
        let used: Vec<Dependency> = used.collect();
        tx.replace_dependencies(repo, &path, "requirements", &used, now).await.unwrap();
    }
}

/// What people, workers and GitHub did to a repository since it was planned.
async fn life(store: &Store, repo: RepoId, round: u64, now: Timestamp) {
    let mut dice = Dice::of(repo.0 % TWIN, round);
    let mut proposals = store.proposals(repo).await.unwrap();
    proposals.sort_by(|a, b| (&a.group, a.state.as_str()).cmp(&(&b.group, b.state.as_str())));
    let mut tx = store.begin().await.unwrap();
    for (proposal, number) in proposals.into_iter().zip(1..) {
        let sent = |state| Proposal {
            state,
            pull: Some(PullRequest { number: PullNumber(number), url: String::new(), head: object('d') }),
            opened_at: Some(now),
            updated_at: now,
            ..proposal.clone()
        };
        match (proposal.state, dice.below(7)) {
            (ProposalState::Waiting, 0) => tx.save_proposal(&sent(ProposalState::Open)).await.unwrap(),
            (ProposalState::Waiting, 1) => tx.save_proposal(&sent(ProposalState::Closed)).await.unwrap(),
            (ProposalState::Waiting, 2) => tx.save_proposal(&sent(ProposalState::Failed)).await.unwrap(),
            (ProposalState::Waiting, 3 | 4) => {
                let change = Change {
                    onto: None,
                    base: Head { commit: object('a'), tree: object('b') },
                    base_branch: "main".into(),
                    branch: proposal.branch.clone(),
                    files: Vec::new(),
                    title: String::new(),
                    message: String::new(),
                    body: String::new(),
                    hashes: Vec::new(),
                    draft: false,
                };
                tx.begin_attempt((repo, &proposal.id), &change, None, now).await.unwrap();
            }
            (ProposalState::Open, 0) => tx.save_proposal(&sent(ProposalState::Merged)).await.unwrap(),
            _ => {}
        }
    }
    if dice.below(8) == 0 {
        let states = [RepoState::Archived, RepoState::Suspended, RepoState::Active];
        tx.set_listed_state((InstallationId(7), repo), dice.one_of(&states), now).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// All that plans leave behind of one repository, without the identifiers that differ.
#[derive(Debug, PartialEq)]
struct Left {
    proposals: Vec<(Proposal, Vec<LedgerRow>)>,
    outlook: Vec<Outlook>,
    steps: Vec<(String, i64, i64)>,
}

/// What is left of each repository, by its number.
async fn left(store: &Store, url: &str) -> BTreeMap<i64, Left> {
    const STEPS: &str = "SELECT unique_key, patience, due_at FROM work ORDER BY unique_key";
    let steps: Vec<(String, i64, i64)> = if url.starts_with("sqlite") {
        sqlx::query_as(STEPS).fetch_all(&mut SqliteConnection::connect(url).await.unwrap()).await.unwrap()
    } else {
        sqlx::query_as(STEPS).fetch_all(&mut PgConnection::connect(url).await.unwrap()).await.unwrap()
    };
    let mut all = BTreeMap::new();
    for repo in (1..=PAIRS).flat_map(|pair| [pair, pair + TWIN]).map(RepoId) {
        let (mut proposals, mut queued) = (Vec::new(), Vec::new());
        let ours = |key: String| steps.iter().find(|step| step.0 == key).cloned();
        queued.extend(ours(format!("plan:{repo}")).map(|step| ("plan".to_string(), step.1, step.2)));
        for proposal in store.proposals(repo).await.unwrap() {
            let step = ours(format!("execute:{}", proposal.id));
            queued.extend(step.map(|step| (format!("execute {}", proposal.group), step.1, step.2)));
            let ledger = store.ledger(&proposal.id).await.unwrap();
            proposals.push((Proposal { id: ProposalId(String::new()), repo: RepoId(0), ..proposal }, ledger));
        }
        proposals.sort_by_key(|(p, _)| (p.group.clone(), p.created_at, p.state.as_str()));
        queued.sort();
        all.insert(repo.0, Left { proposals, outlook: store.outlook(repo).await.unwrap(), steps: queued });
    }
    all
}

both_databases! {
    async fn planned_together_is_as_planned_alone(url: String) {
        let store = open(&url).await;
        let registries = Registries::new(&RegistrySettings::default()).unwrap();
        let mut now: Timestamp = crate::world::BEGINNING.parse().unwrap();
        let mut seen = BTreeSet::new();
        let mut tx = store.begin().await.unwrap();
        for repo in (1..=PAIRS).flat_map(|pair| [pair, pair + TWIN]).map(RepoId) {
            repository(&mut tx, repo, now).await;
        }
        tx.commit().await.unwrap();
        for round in 0..4 {
            let mut tx = store.begin().await.unwrap();
            packages(&mut tx, usize::try_from(round).unwrap().min(2), now).await;
            tx.commit().await.unwrap();
            let together: Vec<RepoId> = (0..=PAIRS).map(RepoId).collect();
            plan::plan_all(&store, &registries, &together, now).await.unwrap().commit().await.unwrap();
            for twin in (TWIN..=TWIN + PAIRS).map(RepoId) {
                let Done::Finished(tx) = plan::plan(&store, &registries, twin, now).await.unwrap() else { panic!("it ends at once") };
                tx.commit().await.unwrap();
            }
            let all = left(&store, &url).await;
            for pair in 1..=PAIRS {
                assert_eq!(all[&pair], all[&(pair + TWIN)], "repository {pair} in round {round}");
                let one = &all[&pair];
                seen.extend(one.proposals.iter().flat_map(|(_, ledger)| ledger.iter().map(|line| line.what.clone())));
                seen.extend(one.proposals.iter().map(|(proposal, _)| proposal.state.as_str().to_string()));
                seen.extend(one.outlook.iter().map(|row| row.standing.as_str().to_string()));
                seen.extend(one.steps.iter().filter_map(|step| step.0.split(' ').next()).map(str::to_string));
            }
            now += SignedDuration::from_hours(23);
            for repo in (1..=PAIRS).flat_map(|pair| [pair, pair + TWIN]).map(RepoId) {
                life(&store, repo, u64::try_from(round).unwrap() + 1, now).await;
            }
            now += SignedDuration::from_hours(2);
        }
        for word in [
            "drafted", "redrafted", "withdrawn", "waiting", "open", "closed", "failed", "merged", "up_to_date", "refused",
            "plan", "execute",
        ] {
            assert!(seen.contains(word), "no repository was in this place: {word}; only {seen:?}");
        }
    }
}

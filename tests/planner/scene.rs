//! A repository as the planner sees it, built from texts: the subscription file, manifests, releases, and what became
//! of earlier proposals.

use jiff::{SignedDuration, Timestamp};
use mass_driver::domain::package::age_starts_at;
use mass_driver::domain::{
    Decision, Ecosystem, Outlook, PackageId, Proposal, ProposalId, ProposalState, PullNumber, PullRequest, Release,
    RepoId, RepoPath,
};
use mass_driver::planner::{self, Amended, Draft, Facts, Known, Plan, Used};
use mass_driver::subscription::{self, SubscriptionFile};
use mass_driver::{domain::ObjectId, managers};
use std::collections::{BTreeMap, BTreeSet};

/// A point in time: `2026-03-04`, `2026-03-04 09:30`, in UTC.
pub fn at(text: &str) -> Timestamp {
    let time = if text.contains(' ') { text.replace(' ', "T") } else { format!("{text}T00:00") };
    format!("{time}:00Z").parse().unwrap()
}

/// A package of an ecosystem.
pub fn package(ecosystem: Ecosystem, name: &str) -> PackageId {
    PackageId { ecosystem, name: name.into() }
}

/// The package a name most likely means: official images have a `/`.
fn named(name: &str) -> PackageId {
    package(if name.contains('/') { Ecosystem::Docker } else { Ecosystem::Pypi }, name)
}

/// Long before every release of these tests.
const BEGINNING: &str = "2026-01-01";

/// Everything the planner is told.
#[derive(Clone, Debug)]
pub struct Scene {
    pub file: SubscriptionFile,
    pub since: Vec<Timestamp>,
    pub used: Vec<Used>,
    pub packages: BTreeMap<PackageId, Known>,
    pub unseen: BTreeSet<PackageId>,
    pub without_hashes: BTreeMap<Ecosystem, &'static str>,
    pub proposals: Vec<Proposal>,
    pub decisions: Vec<Decision>,
    ids: u32,
}

impl Scene {
    /// A repository that has had its subscription file since the beginning.
    pub fn subscribed(yaml: &str) -> Self {
        let file = subscription::parse(yaml.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}\n{yaml}"));
        let since = vec![at(BEGINNING); file.subscriptions.len()];
        Self {
            file,
            since,
            used: Vec::new(),
            packages: BTreeMap::new(),
            unseen: BTreeSet::new(),
            without_hashes: BTreeMap::new(),
            proposals: Vec::new(),
            decisions: Vec::new(),
            ids: 0,
        }
    }

    /// Since when all subscriptions have been there.
    pub fn subscribed_since(mut self, time: &str) -> Self {
        self.since = vec![at(time); self.since.len()];
        self
    }

    /// A manifest that has been there since the beginning.
    pub fn manifest(self, path: &str, text: &str) -> Self {
        self.manifest_since(path, text, BEGINNING)
    }

    /// A manifest, and since when it has been there. One that was there before is replaced.
    pub fn manifest_since(mut self, path: &str, text: &str, since: &str) -> Self {
        let path = RepoPath::parse(path).unwrap();
        self.used.retain(|used| used.dependency.path != path);
        for manager in managers::managers_for(&path) {
            let extraction = manager.extract(&path, text);
            assert_eq!(extraction.problem, None, "{path}");
            self.used
                .extend(extraction.dependencies.into_iter().map(|dependency| Used { dependency, since: at(since) }));
        }
        self
    }

    /// A release with its publishing time.
    pub fn release(self, name: &str, version: &str, published: &str) -> Self {
        self.found(name, version, Some(at(published)), at(published))
    }

    /// A release that the registry dates with nothing, and when we first saw it.
    pub fn undated(self, name: &str, version: &str, first_seen: &str) -> Self {
        self.found(name, version, None, at(first_seen))
    }

    fn found(mut self, name: &str, version: &str, published_at: Option<Timestamp>, first_seen_at: Timestamp) -> Self {
        let counts_from = age_starts_at(published_at, first_seen_at, None);
        let release = Release {
            version: version.into(),
            published_at,
            first_seen_at,
            counts_from,
            yanked: false,
            above_latest: false,
            content: None,
            requires_python: None,
        };
        match self.packages.entry(named(name)).or_insert_with(|| Known::Releases(Vec::new())) {
            Known::Releases(releases) => releases.push(release),
            other => *other = Known::Releases(vec![release]),
        }
        self
    }

    /// The publisher takes a release back.
    pub fn yank(mut self, name: &str, version: &str) -> Self {
        let Some(Known::Releases(releases)) = self.packages.get_mut(&named(name)) else { panic!("no {name}") };
        releases.iter_mut().find(|release| release.version == version).unwrap().yanked = true;
        self
    }

    /// What is known about a package instead of releases.
    pub fn known(mut self, name: &str, known: Known) -> Self {
        self.packages.insert(named(name), known);
        self
    }

    /// Other rules; earlier proposals stay.
    pub fn now_says(mut self, yaml: &str) -> Self {
        self.file = subscription::parse(yaml.as_bytes()).unwrap();
        self.since = vec![self.since[0]; self.file.subscriptions.len()];
        self
    }

    pub fn facts(&self) -> Facts<'_> {
        Facts {
            file: &self.file,
            subscribed_since: &self.since,
            used: &self.used,
            packages: &self.packages,
            unseen: &self.unseen,
            without_hashes: &self.without_hashes,
            proposals: &self.proposals,
            decisions: &self.decisions,
        }
    }

    pub fn plan(&self, now: &str) -> Plan {
        planner::plan(&self.facts(), at(now))
    }

    /// What reconciling with the plan of a moment changes.
    pub fn amendments(&self, now: Timestamp) -> Vec<Amended> {
        let drafts = planner::plan(&self.facts(), now).drafts;
        let mut ids = self.ids;
        planner::reconcile(RepoId(1), &self.proposals, drafts, "it is not wanted", now, || {
            ids += 1;
            ProposalId(format!("{ids:04}"))
        })
    }

    /// Stores the plan of a moment.
    pub fn store(&mut self, now: Timestamp) {
        for Amended { proposal, .. } in self.amendments(now) {
            match self.proposals.iter_mut().find(|p| p.id == proposal.id) {
                Some(old) => *old = proposal,
                None => self.proposals.push(proposal),
            }
        }
        self.ids = u32::try_from(self.proposals.len()).unwrap();
    }

    /// Opens everything that is due, as the stations do: the open pull request of the same group is superseded.
    pub fn open_due(&mut self, now: Timestamp) {
        self.store(now);
        let due = |p: &Proposal| p.state == ProposalState::Waiting && p.due_at <= now;
        let groups: Vec<String> = self.proposals.iter().filter(|p| due(p)).map(|p| p.group.clone()).collect();
        for old in &mut self.proposals {
            if old.state == ProposalState::Open && groups.contains(&old.group) {
                old.state = ProposalState::Superseded;
            }
        }
        let mut number = i64::try_from(self.proposals.iter().filter(|p| p.pull.is_some()).count()).unwrap();
        for proposal in self.proposals.iter_mut().filter(|p| due(p)) {
            number += 1;
            proposal.state = ProposalState::Open;
            proposal.opened_at = Some(now);
            proposal.updated_at = now;
            proposal.pull = Some(PullRequest {
                number: PullNumber(number),
                url: format!("https://example.com/{number}"),
                head: ObjectId::parse(&"a".repeat(40)).unwrap(),
            });
        }
    }

    /// As [`open_due`](Self::open_due), to read in a chain.
    pub fn opened(mut self, now: &str) -> Self {
        self.open_due(at(now));
        self
    }

    /// What became of the one pull request that is open.
    pub fn then(mut self, state: ProposalState, now: &str) -> Self {
        let mut open: Vec<_> = self.proposals.iter_mut().filter(|p| p.state == ProposalState::Open).collect();
        assert_eq!(open.len(), 1, "one pull request is open");
        open[0].state = state;
        open[0].updated_at = at(now);
        self
    }

    /// Making the one waiting proposal failed.
    pub fn failed(mut self, now: &str, why: &str) -> Self {
        self.store(at(now));
        let waiting = self.proposals.iter_mut().find(|p| p.state == ProposalState::Waiting).unwrap();
        waiting.state = ProposalState::Failed;
        waiting.reason = why.into();
        waiting.updated_at = at(now);
        self
    }
}

/// The drafts as `title, date`, those that are due now without one.
pub fn drafts(plan: &Plan, now: &str) -> Vec<String> {
    let when = |draft: &Draft| match draft.due_at <= at(now) {
        true => "now".to_string(),
        false => draft.due_at.strftime("%a %Y-%m-%d %H:%M").to_string(),
    };
    plan.drafts.iter().map(|draft| format!("{}, {}", draft.title, when(draft))).collect()
}

/// The outlook as `package current -> target: standing, reason [until]`.
pub fn outlook(plan: &Plan) -> Vec<String> {
    plan.outlook.iter().map(row).collect()
}

fn row(row: &Outlook) -> String {
    let target = row.target.as_ref().map_or(String::new(), |target| format!(" -> {target}"));
    let until = row.until.map_or(String::new(), |until| format!(" [{}]", until.strftime("%a %Y-%m-%d %H:%M")));
    let (name, current) = (&row.package.name, row.current.as_deref().unwrap_or("?"));
    format!("{name} {current}{target}: {}, {}{until}", row.standing.as_str(), row.reason)
}

/// A number of days.
pub fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(days * 24)
}

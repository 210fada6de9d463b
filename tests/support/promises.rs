//! What must hold whenever the bot has come to rest, whatever was done to it: looked up in the database and at GitHub, and
//! the two compared.

use github_sim::{GitHubSim, PullRequestView};
use jiff::Timestamp;
use mass_driver::domain::{Outlook, PackageId, Proposal, ProposalState, RepoId, Standing};
use mass_driver::pipeline::account::account;
use mass_driver::pipeline::audit::audit;
use mass_driver::store::{RepositoryRow, Store, StoreError, WorkState};
use std::collections::BTreeSet;

/// The promises that hold at any time when nothing runs, for every repository that the bot knows.
pub async fn are_kept(github: &GitHubSim, store: &Store) {
    let parked = store.parked(10).await.unwrap();
    assert!(parked.is_empty(), "steps were given up: {parked:#?}");
    let depth = store.queue_depth().await.unwrap();
    assert!(depth.iter().all(|d| d.state != WorkState::Running), "a lease was left behind: {depth:?}");
    for delivery in store.recent_deliveries(1_000).await.unwrap() {
        assert!(delivery.outcome.is_some(), "a delivery was forgotten: {delivery:?}");
    }
    for (row, _) in store.repositories(1_000).await.unwrap() {
        of_repository(github, store, &row).await;
        everything_has_a_reason(store, row).await;
    }
    nothing_speaks_against_the_ledger(store).await;
}

/// The ledger proves of each pull request that it was in time.
async fn nothing_speaks_against_the_ledger(store: &Store) {
    let mut found = Vec::new();
    let tally = audit(store, None, |finding| {
        found.push(finding);
        Ok::<(), StoreError>(())
    });
    let tally = tally.await.unwrap();
    assert!(found.is_empty(), "the ledger speaks against {found:#?}");
    assert_eq!(tally.proven, tally.opened, "not all is proven: {tally:?}");
}

/// What only an event will end, by the words that name it.
const EVENTS: [&str; 6] = [
    "has not been asked yet",
    "it is opened next",
    "merge or close",
    "`limit: 0` lets no pull request be open",
    "it was found just now",
    "people's commits on #",
];

/// Each dependency of a repository that is subscribed to anything stands somewhere, with a reason; what waits or failed
/// says until when, or for what.
async fn everything_has_a_reason(store: &Store, row: RepositoryRow) {
    let (id, name) = (row.repository.id, row.repository.name.to_string());
    let stored = store.outlook(id).await.unwrap();
    let account = account(store, row, Timestamp::UNIX_EPOCH).await.unwrap();
    // What was put back with an error has not come so far yet.
    let planned = account.blocked.is_none() && account.setbacks.is_empty();
    for row in store.dependencies(id).await.unwrap() {
        let d = row.dependency;
        let is_it = |o: &&Outlook| (&o.package, &o.path, o.line) == (&d.package, &d.path, d.line);
        assert!(account.dependencies.iter().any(|o| is_it(&o)), "{name} says nothing of {}", d.package);
        let known = stored.iter().filter(is_it).count();
        assert!(!planned || known > 0, "the plan of {name} passes over {} in {}:{}", d.package, d.path, d.line);
    }
    for o in &account.dependencies {
        let said = format!("{name}: {} {:?} {}", o.package, o.standing, o.reason);
        assert!(!o.reason.trim().is_empty(), "no reason: {said}");
        let until_an_event = EVENTS.iter().any(|words| o.reason.contains(words));
        match o.standing {
            Standing::Waiting => assert!(o.until.is_some() || until_an_event, "no date and no event: {said}"),
            Standing::Failed => assert!(o.reason.contains("again"), "it does not say when again: {said}"),
            Standing::Open => assert!(o.reason.contains('#'), "no number: {said}"),
            Standing::UpToDate | Standing::Refused => assert!(o.until.is_none(), "nothing to wait for: {said}"),
        }
        if o.reason.contains("subscription file ignores") {
            assert!(o.reason.starts_with("line "), "no line: {said}");
        }
    }
    // A pull request may outlive the file it changes.
    for p in account.proposals.iter().filter(|p| planned && p.state == ProposalState::Waiting) {
        let is_told = |package: &PackageId| account.dependencies.iter().any(|o| o.package == *package);
        let all = p.updates.iter().all(|update| is_told(&update.package));
        assert!(all, "{name}: nothing is said of what {} changes", p.title);
    }
}

async fn of_repository(github: &GitHubSim, store: &Store, row: &RepositoryRow) {
    let repo = &row.repository;
    let name = repo.name.to_string();
    let proposals = store.proposals(repo.id).await.unwrap();
    nothing_was_early(&proposals);
    each_was_opened_once(store, repo.id, &proposals).await;
    // One pull request for each proposal, and none that nobody knows of. Several follow each other on one: at most the last
    // of them is open.
    let Ok(pulls) = github.pull_requests(&name) else { return };
    let is_ours = |p: &&PullRequestView| p.head_branch.starts_with("mass-driver/") && p.head_owner == repo.name.owner();
    let ours: Vec<_> = pulls.iter().filter(is_ours).collect();
    for pull in &ours {
        let known = proposals.iter().filter(|p| p.pull.as_ref().is_some_and(|known| known.number.0 == pull.number));
        let known: Vec<&Proposal> = known.collect();
        assert!(!known.is_empty(), "{name}#{} {} belongs to nobody", pull.number, pull.title);
        let over = known.iter().rev().skip(1).all(|p| p.state == ProposalState::Superseded);
        assert!(over, "{name}#{} {} belongs to {known:#?}", pull.number, pull.title);
        let branches: BTreeSet<&str> = known.iter().map(|p| p.branch.as_str()).collect();
        assert_eq!(branches.len(), 1, "{name}#{} has one branch", pull.number);
        // What a person did reaches the bot, and what the bot did, GitHub.
        let is_open = known.iter().any(|p| p.state == ProposalState::Open);
        assert!(!is_open || pull.state == "open", "{name}#{} is {}, and open for the bot", pull.number, pull.state);
        // GitHub tells whole seconds.
        let due_s = known[0].due_at.as_second();
        assert!(due_s <= pull.created_at.as_second(), "GitHub has {name}#{} from before its time", pull.number);
    }
    // What is said of a commit's file is said to its end, and in one place.
    let checks = github.check_runs(&name).unwrap_or_default();
    let checks: Vec<_> = checks.iter().filter(|check| check.own).collect();
    let commits: BTreeSet<&str> = checks.iter().map(|check| check.head_sha.as_str()).collect();
    assert!(checks.iter().all(|check| check.status == "completed"), "a check of {name} was not ended: {checks:#?}");
    assert_eq!(commits.len(), checks.len(), "two checks of ours on one commit of {name}: {checks:#?}");
    // A fork has copies of its original's branches.
    for (branch, _) in github.branches(&name).unwrap_or_default() {
        let used = repo.fork || !branch.starts_with("mass-driver/") || pulls.iter().any(|p| p.head_branch == branch);
        assert!(used, "the branch {branch} of {name} was left behind");
    }
    let heads: BTreeSet<&str> = ours.iter().map(|p| p.head_branch.as_str()).collect();
    assert_eq!(heads.len(), ours.len(), "two pull requests of {name} came from one branch");
}

fn nothing_was_early(proposals: &[Proposal]) {
    for p in proposals {
        assert!(!p.reason.is_empty(), "{} is {:?} without a reason", p.title, p.state);
        if let Some(opened_at) = p.opened_at {
            assert!(p.due_at <= opened_at, "{} was opened before its time", p.title);
            assert!(p.updates.iter().all(|u| u.due_at <= opened_at), "an update of {} was early", p.title);
        }
    }
}

async fn each_was_opened_once(store: &Store, repo: RepoId, proposals: &[Proposal]) {
    let ledgers = store.ledgers(repo).await.unwrap();
    for p in proposals {
        let lines = ledgers.get(&p.id).map(Vec::as_slice).unwrap_or_default();
        let opened = lines.iter().filter(|line| line.what == "opened").count();
        assert_eq!(opened, usize::from(p.pull.is_some()), "the ledger of {}: {lines:?}", p.title);
    }
}

//! What must hold whenever the bot has come to rest, whatever was done to it: looked up in the database and at GitHub, and
//! the two compared.

use github_sim::GitHubSim;
use mass_driver::domain::{Proposal, RepoId};
use mass_driver::store::{RepositoryRow, Store, WorkState};
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
    }
}

async fn of_repository(github: &GitHubSim, store: &Store, row: &RepositoryRow) {
    let repo = &row.repository;
    let name = repo.name.to_string();
    let proposals = store.proposals(repo.id).await.unwrap();
    nothing_was_early(&proposals);
    each_was_opened_once(store, repo.id, &proposals).await;
    for o in store.outlook(repo.id).await.unwrap() {
        assert!(!o.reason.is_empty(), "{} has no reason", o.package);
    }
    // One branch and one pull request for each proposal, and none that nobody knows of.
    let Ok(pulls) = github.pull_requests(&name) else { return };
    let ours: Vec<_> = pulls.iter().filter(|p| p.head_branch.starts_with("mass-driver/")).collect();
    for pull in &ours {
        let known = proposals.iter().filter(|p| p.pull.as_ref().is_some_and(|known| known.number.0 == pull.number));
        let known: Vec<&Proposal> = known.collect();
        assert_eq!(known.len(), 1, "{name}#{} {} belongs to {known:#?}", pull.number, pull.title);
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
    let branches: BTreeSet<&str> = ours.iter().map(|p| p.head_branch.as_str()).collect();
    assert_eq!(branches.len(), ours.len(), "two pull requests of {name} came from one branch");
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

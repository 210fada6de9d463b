//! What must hold whenever the bot has come to rest, whatever was done to it: looked up in the database and at GitHub, and
//! the two compared.

use github_sim::{GitHubSim, PullRequestView};
use jiff::Timestamp;
use mass_driver::domain::{
    Onboarding, OnboardingState, Outlook, PackageId, Proposal, ProposalState, PullNumber, RepoId, RepoState, Standing,
};
use mass_driver::pipeline::account::account;
use mass_driver::pipeline::audit::audit;
use mass_driver::planner::onboarding::{BRANCH, TITLE};
use mass_driver::store::{RepositoryRow, Store, StoreError, WorkState};
use std::collections::BTreeSet;

/// The promises that hold at any time when nothing runs, for every repository that the bot knows.
pub async fn are_kept(github: &GitHubSim, store: &Store, now: Timestamp) {
    let parked = store.parked(10).await.unwrap();
    assert!(parked.is_empty(), "steps were given up: {parked:#?}");
    let depth = store.queue_depth().await.unwrap();
    assert!(depth.iter().all(|d| d.state != WorkState::Running), "a lease was left behind: {depth:?}");
    for delivery in store.recent_deliveries(1_000).await.unwrap() {
        assert!(delivery.outcome.is_some(), "a delivery was forgotten: {delivery:?}");
    }
    for (row, _) in store.repositories(1_000).await.unwrap() {
        of_repository(github, store, &row).await;
        everything_has_a_reason(store, row, now).await;
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
    "come first",
];

/// When something that failed is tried again without a date, at the end of its reason.
const AGAIN: [&str; 2] = ["looked up again within minutes", "looked at again when the file changes"];

/// Each dependency of a repository that is subscribed to anything stands somewhere, with a reason; what waits or failed
/// says until when, or for what.
async fn everything_has_a_reason(store: &Store, row: RepositoryRow, now: Timestamp) {
    let (id, name) = (row.repository.id, row.repository.name.to_string());
    let stored = store.outlook(id).await.unwrap();
    let account = account(store, row, now).await.unwrap();
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
            Standing::Failed => {
                let soon = AGAIN.iter().any(|words| o.reason.ends_with(words));
                assert!(soon || o.until.is_some() && o.reason.contains("again "), "it does not say when again: {said}");
            }
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
    let is_ours = |p: &&PullRequestView| {
        let is_named_so = p.head_branch.starts_with("mass-driver/") && p.head_owner == repo.name.owner();
        is_named_so && p.author == github.bot_login() && !asked_elsewhere(row, p)
    };
    let ours: Vec<_> = pulls.iter().filter(is_ours).collect();
    let onboarding = store.onboarding(repo.id).await.unwrap();
    let brings_file = |pull: &PullRequestView| {
        onboarding.as_ref().is_some_and(|one| one.pull.as_ref().is_some_and(|known| known.number.0 == pull.number))
    };
    onboarded_at_most_once(store, row, onboarding.as_ref(), &pulls).await;
    for pull in ours.iter().filter(|pull| !brings_file(pull)) {
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
    what_is_let_go_is_closed_or_theirs(store, row, &proposals, &ours).await;
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

/// Whether a pull request brought the first file to a branch that is not the default one any more: it is asked for anew.
fn asked_elsewhere(row: &RepositoryRow, pull: &PullRequestView) -> bool {
    pull.title == TITLE && pull.state != "open" && Some(&pull.base) != row.repository.default_branch.as_ref()
}

/// A repository is asked for its first file by one pull request at most; what is over for the bot is over at GitHub, unless
/// people have taken it over, and nothing is being sent any more for what has ended.
async fn onboarded_at_most_once(
    store: &Store,
    row: &RepositoryRow,
    onboarding: Option<&Onboarding>,
    pulls: &[PullRequestView],
) {
    let (repo, name) = (row.repository.id, &row.repository.name);
    let is_asked = |pull: &&PullRequestView| {
        pull.title == TITLE && pull.head_branch.starts_with(BRANCH) && !asked_elsewhere(row, pull)
    };
    let asked = pulls.iter().filter(is_asked).count();
    assert!(asked <= 1, "{name} was asked {asked} times for its first file");
    assert!(asked == 0 || onboarding.is_some(), "{name} was asked, and nobody knows");
    let Some(one) = onboarding else { return };
    assert!(!one.reason.is_empty(), "{name} is {:?} without a reason", one.state);
    let pull = one.pull.as_ref().and_then(|known| pulls.iter().find(|pull| pull.number == known.number.0));
    if one.state == OnboardingState::Open && row.repository.state == RepoState::Active {
        let state = pull.map(|pull| pull.state.as_str());
        assert_eq!(state, Some("open"), "the first file of {name} is open for the bot");
    }
    if one.state != OnboardingState::Opening {
        let attempt = store.onboarding_attempt(repo).await.unwrap();
        assert!(attempt.is_none(), "{name} is {:?}, and something is being sent", one.state);
    }
}

/// A pull request that the bot wants no more is closed, or has become people's own and was told that it stays open.
async fn what_is_let_go_is_closed_or_theirs(
    store: &Store,
    row: &RepositoryRow,
    proposals: &[Proposal],
    ours: &[&PullRequestView],
) {
    let (repo, name) = (row.repository.id, &row.repository.name);
    // What is held up is not over.
    if row.repository.state != RepoState::Active || !store.setbacks_of(repo).await.unwrap().is_empty() {
        return;
    }
    for pull in ours.iter().filter(|pull| pull.state == "open") {
        let number = PullNumber(pull.number);
        let last = proposals.iter().rfind(|p| p.pull.as_ref().is_some_and(|known| known.number == number));
        let Some(known) = last.filter(|p| p.state == ProposalState::Withdrawn).and_then(|p| p.pull.as_ref()) else {
            continue;
        };
        let is_shared = store.pull_branch(repo, number).await.unwrap().shared;
        let is_elsewhere = row.repository.default_branch.as_ref() != Some(&pull.base);
        let is_theirs = is_shared || is_elsewhere || known.head.as_str() != pull.head_sha;
        assert!(is_theirs, "{name}#{number} is only ours, is not wanted any more, and is open");
        let is_told = pull.locked || pull.comments.iter().any(|comment| comment.body.contains("stays open"));
        assert!(is_told, "{name}#{number} is left to people, and nobody told them: {:?}", pull.comments);
    }
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

//! What would be sent for a proposal, if it were sent now: worked out anew before each write, from stored facts.

use super::contents::{self, Checked};
use super::edits::{edited, hashes};
use super::{StepError, guard, sync};
use crate::domain::{Change, LockFile, PackageId, Proposal, Release, RepoPath, Verdict, VersionStep};
use crate::forge::GitHub;
use crate::managers;
use crate::planner::prose;
use crate::registries::{Registries, digest_of};
use crate::store::{RepositoryRow, Store};
use crate::subscription::SubscriptionFile;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Whether a proposal may be sent now, and as what.
pub(super) enum Intent {
    Send(Change),
    /// Its time has not come.
    Early,
    /// The facts it was planned with do not hold any more.
    PlanAgain,
    /// Tags it would write point at something else than when they were planned: the releases as they are now.
    Moved(Vec<(PackageId, Release)>),
    /// It cannot be made.
    Impossible(String),
}

/// What would be sent now. With `look`, nothing of it was sent yet, and what its tags point at is looked up. Head, tree and manifests are one snapshot: the head is one whose manifests are all indexed.
pub(super) async fn intent(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
    (row, proposal): (&RepositoryRow, &Proposal),
    all: &[Proposal],
    look: bool,
    now: Timestamp,
) -> Result<Intent, StepError> {
    let file = sync::file_in_force(&row.config)?;
    let base = row.head.clone().filter(|head| row.indexed_commit.as_ref() == Some(&head.commit));
    let (Some(file), Some(base), Some(base_branch)) = (file, base, row.repository.default_branch.clone()) else {
        return Ok(Intent::PlanAgain);
    };
    if proposal.due_at > now {
        return Ok(Intent::Early);
    }
    let attempted = store.attempted(proposal.repo).await?;
    let taken = guard::places(all, &attempted, &proposal.group);
    if guard::verdict(&proposal.updates, &taken, &file) != Verdict::Go {
        return Ok(Intent::PlanAgain);
    }
    let contents = match contents::check(store, (forge, registries), row, &proposal.updates, look, now).await? {
        Checked::As(contents) => contents,
        Checked::PlanAgain => return Ok(Intent::PlanAgain),
        Checked::Moved(releases) => return Ok(Intent::Moved(releases)),
        Checked::Impossible(why) => return Ok(Intent::Impossible(why)),
    };
    let hashes = match hashes(registries, &proposal.updates).await? {
        Ok(hashes) => hashes,
        Err(why) => return Ok(Intent::Impossible(why)),
    };
    // A file was added this very moment: the next look at the package tells, and its age is waited for.
    if hashes.iter().any(|(release, hashes)| contents.get(release) != Some(&digest_of(hashes))) {
        return Ok(Intent::PlanAgain);
    }
    let manifests = store.manifests(proposal.repo).await?;
    Ok(match edited(&manifests, &proposal.updates, (&contents, &hashes)) {
        Ok(files) => {
            let lock_files = lock_files(proposal, &store.lock_files(proposal.repo).await?);
            let (message, body) = words(row, proposal, &file, &lock_files);
            let (branch, title) = (proposal.branch.clone(), proposal.title.clone());
            Intent::Send(Change { base, base_branch, branch, files, message, title, body })
        }
        Err(why) => Intent::Impossible(why),
    })
}

/// The commit's message and the pull request's text. Pure.
fn words(
    row: &RepositoryRow,
    proposal: &Proposal,
    file: &SubscriptionFile,
    lock_files: &[LockFile],
) -> (String, String) {
    let steps: Vec<VersionStep> = proposal.updates.iter().map(|update| update.step).collect();
    let subscription = guard::subscription_of(&proposal.updates, file);
    let delay = subscription.map_or_else(|| "immediate".into(), |subscription| subscription.delay.kind(&steps));
    let occasion = prose::Occasion {
        timezone: &file.timezone,
        delay: &delay,
        file: row.config.path.as_ref().map_or(".mass-driver.yaml", |path| path.as_str()),
        lock_files,
        notes: &[],
        links: &[],
    };
    (prose::commit_message(&proposal.title, &proposal.updates), prose::body(&proposal.updates, &occasion))
}

/// The lock files that a proposal leaves behind, each once. Pure.
fn lock_files(proposal: &Proposal, paths: &BTreeSet<RepoPath>) -> Vec<LockFile> {
    let manifests: BTreeSet<&RepoPath> =
        proposal.updates.iter().flat_map(|update| &update.sites).map(|site| &site.path).collect();
    let all: BTreeSet<LockFile> =
        manifests.into_iter().flat_map(|manifest| managers::lock_files(manifest, paths)).collect();
    all.into_iter().collect()
}

/// The same files on the same base under the same name; words may differ.
pub(super) fn same(one: &Change, other: &Change) -> bool {
    (&one.base, &one.base_branch, &one.branch, &one.files)
        == (&other.base, &other.base_branch, &other.branch, &other.files)
}

//! What would be sent for a proposal, if it were sent now: worked out anew before each write, from stored facts.

use super::contents::{self, Checked, Moved};
use super::edits::{Hashes, edited, hashes};
use super::{StepError, guard, invite, sync};
use crate::domain::{Change, LockFile, Proposal, ReleaseHashes, RepoPath, Verdict, VersionStep};
use crate::forge::GitHub;
use crate::managers;
use crate::planner::prose;
use crate::registries::{Registries, digest_of};
use crate::store::{Attempt, RepositoryRow, Store};
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
    /// Releases it would write point at something else than when they were planned.
    Moved(Vec<Moved>),
    /// It cannot be made.
    Impossible(String),
}

/// What would be sent now. Unless something of it was sent already, it is looked up what its tags point at. Head, tree and
/// manifests are one snapshot: the head is one whose manifests are all indexed.
pub(super) async fn intent(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
    (row, proposal): (&RepositoryRow, &Proposal),
    all: &[Proposal],
    begun: Option<&Attempt>,
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
    let look = begun.is_none_or(|begun| begun.progress.is_start());
    let (contents, seen) = match contents::check(store, (forge, registries), row, &proposal.updates, look, now).await? {
        Checked::As(contents, seen) => (contents, seen),
        Checked::PlanAgain => return Ok(Intent::PlanAgain),
        Checked::Moved(releases) => return Ok(Intent::Moved(releases)),
        Checked::Impossible(why) => return Ok(Intent::Impossible(why)),
    };
    // Those that were written down first: the commit of a repeat is the one that was begun.
    let written = begun.map(|begun| by_release(&begun.change.hashes)).unwrap_or_default();
    let hashes = match hashes(registries, &proposal.updates, &contents, &[&written, &seen]).await? {
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
            let hashes =
                hashes.into_iter().map(|((package, version), hashes)| ReleaseHashes { package, version, hashes });
            let hashes = hashes.collect();
            let draft = invite::is_draft(proposal, &file);
            Intent::Send(Change { base, base_branch, branch, files, message, title, body, hashes, draft })
        }
        Err(why) => Intent::Impossible(why),
    })
}

fn by_release(hashes: &[ReleaseHashes]) -> Hashes {
    hashes.iter().map(|one| ((one.package.clone(), one.version.clone()), one.hashes.clone())).collect()
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

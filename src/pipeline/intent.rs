//! What would be sent for a proposal, if it were sent now: worked out anew before each write, from stored facts.

use super::branch::{self, Standing};
use super::contents::{self, Checked, Contents, Moved};
use super::edits::{Hashes, edited, hashes};
use super::{StepError, guard, invite, notes, sync, target};
use crate::domain::{
    Change, Dependency, FileChange, Head, Held, LockFile, Onto, PackageId, PackageLinks, Proposal, ProposalId,
    PullNumber, ReleaseHashes, ReleaseNotes, RepoPath, Update, Verdict, VersionStep,
};
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
    Send(Box<Change>),
    /// Its time has not come.
    Early,
    /// The facts it was planned with do not hold any more.
    PlanAgain,
    /// Releases it would write point at something else than when they were planned.
    Moved(Vec<Moved>),
    /// It cannot be made.
    Impossible(String),
    /// It would go onto the branch of this open proposal, which has to be left as it is.
    Held(Box<Proposal>, Held),
    /// It would go onto the branch of this open proposal, which is being brought up to date by that change.
    Busy(ProposalId, Box<Attempt>),
    /// The branch it would go onto moves while it is read.
    Restless(String),
    /// It would go onto the branch of this pull request, which nobody told us is over.
    Over(PullNumber),
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
    // What is under way, or may be.
    let sent = begun.filter(|begun| !(begun.orderly_claim.is_some() && begun.progress.is_start()));
    let sent = sent.map(|begun| &begun.change);
    let open = branch::open_of(all, proposal);
    // Nothing is looked up for what cannot be sent yet.
    if let Some(open) = open.filter(|_| sent.is_none())
        && let Some(other) = store.attempt(&open.id).await?
    {
        return Ok(Intent::Busy(open.id.clone(), Box::new(other)));
    }
    let pinned = match pins(store, (forge, registries), row, &proposal.updates, begun, now).await? {
        Ok(pinned) => pinned,
        Err(intent) => return Ok(intent),
    };
    let onto = match open {
        None => None,
        Some(open) => match place(store, forge, (row, open), &base, sent).await? {
            Place::OfItsOwn => None,
            Place::Onto(onto) if !onto.shared => Some(onto),
            Place::Onto(onto) => {
                // What is under way there was worked out from commits that do not change.
                if let Some(sent) = sent {
                    return Ok(Intent::Send(Box::new(sent.clone())));
                }
                let used = branch::used(store, proposal.repo).await?;
                let (updates, pinned) = (&proposal.updates, (&pinned.0, &pinned.1));
                let made = on_top(forge, (row, open), onto, (updates, &used), pinned).await?;
                let (onto, base, files) = match made {
                    OnTop::Files(onto, base, files) => (onto, base, files),
                    OnTop::Moved => {
                        let why = "somebody is pushing to the branch it goes onto".into();
                        return Ok(Intent::Restless(why));
                    }
                    OnTop::Unwritable(why, _) if is_unwritable(store, proposal, pinned, &why).await? => {
                        return Ok(Intent::Impossible(why));
                    }
                    OnTop::Impossible(why, onto) | OnTop::Unwritable(why, onto) => {
                        let why = branch::people_first(onto.number, &why);
                        let held = Held { why, head: onto.head, base: base.commit, people: true };
                        return Ok(Intent::Held(Box::new(open.clone()), held));
                    }
                };
                let branch = open.branch.clone();
                let change = Change {
                    base,
                    base_branch,
                    branch,
                    files,
                    onto: Some(onto),
                    hashes: listed(pinned.1),
                    ..worded(store, row, proposal, &file).await?
                };
                return Ok(Intent::Send(Box::new(change)));
            }
            Place::Over(number) => return Ok(Intent::Over(number)),
        },
    };
    let manifests = store.manifests(proposal.repo).await?;
    Ok(match edited(&manifests, &proposal.updates, (&pinned.0, &pinned.1)) {
        Ok(files) => {
            let words = worded(store, row, proposal, &file).await?;
            let branch = open.filter(|_| onto.is_some()).map_or(&proposal.branch, |open| &open.branch).clone();
            let hashes = listed(&pinned.1);
            Intent::Send(Box::new(Change { base, base_branch, branch, files, onto, hashes, ..words }))
        }
        Err(why) => Intent::Impossible(why),
    })
}

/// What the versions of updates point at, and the hashes of their files; or what speaks against sending them. `begun` is
/// what was written down already.
pub(super) async fn pins(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
    row: &RepositoryRow,
    updates: &[Update],
    begun: Option<&Attempt>,
    now: Timestamp,
) -> Result<Result<(Contents, Hashes), Intent>, StepError> {
    let look = begun.is_none_or(|begun| begun.progress.is_start());
    let (contents, seen) = match contents::check(store, (forge, registries), row, updates, look, now).await? {
        Checked::As(contents, seen) => (contents, seen),
        Checked::PlanAgain => return Ok(Err(Intent::PlanAgain)),
        Checked::Moved(moved) => return Ok(Err(Intent::Moved(moved))),
        Checked::Impossible(why) => return Ok(Err(Intent::Impossible(why))),
    };
    // Those that were written down first: the commit of a repeat is the one that was begun.
    let written = begun.map(|begun| by_release(&begun.change.hashes)).unwrap_or_default();
    let hashes = match hashes(registries, updates, &contents, &[&written, &seen]).await? {
        Ok(hashes) => hashes,
        Err(why) => return Ok(Err(Intent::Impossible(why))),
    };
    // A file was added this very moment: the next look at the package tells, and its age is waited for.
    if hashes.iter().any(|(release, hashes)| contents.get(release) != Some(&digest_of(hashes))) {
        return Ok(Err(Intent::PlanAgain));
    }
    Ok(Ok((contents, hashes)))
}

/// Where a change of a group with an open pull request goes.
enum Place {
    /// Onto that one's branch.
    Onto(Onto),
    /// Into a pull request of its own.
    OfItsOwn,
    /// That one is over: what it ended in is to be learned first.
    Over(PullNumber),
}

async fn place(
    store: &Store,
    forge: &GitHub,
    (row, open): (&RepositoryRow, &Proposal),
    base: &Head,
    sent: Option<&Change>,
) -> Result<Place, StepError> {
    if let Some(sent) = sent {
        // Looking at the branch would show what we put there.
        let number = open.pull.as_ref().map(|pull| pull.number);
        let onto = sent.onto.clone().filter(|onto| Some(onto.number) == number);
        return Ok(onto.map_or(Place::OfItsOwn, Place::Onto));
    }
    Ok(match branch::look(store, forge, (row, open), &base.commit).await?.0 {
        Standing::Ours(onto) | Standing::Shared(onto) => Place::Onto(onto),
        Standing::Over(number) => Place::Over(number),
        Standing::Elsewhere => Place::OfItsOwn,
    })
}

/// Whether updates can be made on top of people's commits.
enum OnTop {
    Files(Onto, Head, Vec<FileChange>),
    /// Somebody has just pushed.
    Moved,
    Impossible(String, Onto),
    /// A file cannot be written so, and perhaps not for the sake of their commits.
    Unwritable(String, Onto),
}

async fn on_top(
    forge: &GitHub,
    (row, open): (&RepositoryRow, &Proposal),
    onto: Onto,
    (updates, used): (&[Update], &[Dependency]),
    pinned: (&Contents, &Hashes),
) -> Result<OnTop, StepError> {
    let target = target(row);
    let head = forge.head(&target, &open.branch).await?.filter(|head| head.commit == onto.head);
    let Some(head) = head else { return Ok(OnTop::Moved) };
    let manifests = match branch::read(forge, &target, &head, &branch::files_of(updates)).await? {
        Ok(manifests) => manifests,
        Err(why) => return Ok(OnTop::Impossible(why, onto)),
    };
    let updates = match branch::found_again(updates, &open.updates, &manifests, used) {
        Ok(updates) => updates,
        Err(why) => return Ok(OnTop::Impossible(why, onto)),
    };
    Ok(match edited(&manifests, &updates, pinned) {
        Ok(files) => OnTop::Files(onto, head, files),
        Err(why) => OnTop::Unwritable(why, onto),
    })
}

/// Whether the files of the base cannot be written either, for the same reason: then nobody's commits are to blame.
async fn is_unwritable(
    store: &Store,
    proposal: &Proposal,
    pinned: (&Contents, &Hashes),
    why: &str,
) -> Result<bool, StepError> {
    let manifests = store.manifests(proposal.repo).await?;
    Ok(edited(&manifests, &proposal.updates, pinned).is_err_and(|same| same == why))
}

/// A change of which only the words are set.
pub(super) async fn worded(
    store: &Store,
    row: &RepositoryRow,
    proposal: &Proposal,
    file: &SubscriptionFile,
) -> Result<Change, StepError> {
    let lock_files = lock_files(proposal, &store.lock_files(proposal.repo).await?);
    let (notes, links) = notes::told(store, &row.repository, &proposal.updates).await?;
    let (message, body) = words(row, proposal, file, (&lock_files, &notes, &links));
    let Some(base) = row.head.clone() else {
        return Err(StepError::Corrupt(format!("{} has no head", row.repository.name)));
    };
    Ok(Change {
        base,
        base_branch: String::new(),
        branch: String::new(),
        files: Vec::new(),
        onto: None,
        message,
        title: proposal.title.clone(),
        body,
        hashes: Vec::new(),
        draft: invite::is_draft(proposal, file),
    })
}

/// Hashes as they are written down with a change.
pub(super) fn listed(hashes: &Hashes) -> Vec<ReleaseHashes> {
    let one = |((package, version), hashes): (&(PackageId, String), &Vec<String>)| ReleaseHashes {
        package: package.clone(),
        version: version.clone(),
        hashes: hashes.clone(),
    };
    hashes.iter().map(one).collect()
}

fn by_release(hashes: &[ReleaseHashes]) -> Hashes {
    hashes.iter().map(|one| ((one.package.clone(), one.version.clone()), one.hashes.clone())).collect()
}

/// The commit's message and the pull request's text. Pure.
fn words(
    row: &RepositoryRow,
    proposal: &Proposal,
    file: &SubscriptionFile,
    (lock_files, notes, links): (&[LockFile], &[ReleaseNotes], &[PackageLinks]),
) -> (String, String) {
    let steps: Vec<VersionStep> = proposal.updates.iter().map(|update| update.step).collect();
    let subscription = guard::subscription_of(&proposal.updates, file);
    let delay = subscription.map_or_else(|| "immediate".into(), |subscription| subscription.delay.kind(&steps));
    let occasion = prose::Occasion {
        timezone: &file.timezone,
        delay: &delay,
        file: row.config.path.as_ref().map_or(".mass-driver.yaml", |path| path.as_str()),
        lock_files,
        notes,
        links,
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
    (&one.base, &one.onto, &one.base_branch, &one.branch, &one.files)
        == (&other.base, &other.onto, &other.base_branch, &other.branch, &other.files)
}

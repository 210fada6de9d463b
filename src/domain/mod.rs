//! The nouns every other room shares. Pure values: no async, no SQL, no HTTP, and `now` comes in
//! as an argument. This room imports nothing from the rest of the house.

pub mod allowance;
pub mod change;
pub mod command;
pub mod discovery;
pub mod examination;
pub mod ids;
pub mod lock_file;
pub mod merging;
pub mod names;
pub mod notes;
pub mod onboarding;
pub mod package;
pub mod people;
pub mod proposal;
pub mod repo;
pub mod run;
pub mod size;
pub mod snapshot;
pub mod source;
pub mod sourced;
pub(crate) mod text;
pub mod time;
pub mod update;
pub mod verdict;

pub use allowance::{Heard, Limit, Pace, Pause, Quota, Refusal, Turn};
pub use change::{Change, FileChange, FileMode, Onto, Progress, ReleaseHashes};
pub use command::{Command, Comment, Decided, Decision, IgnoreScope, Snooze, Unclear};
pub use discovery::DiscoveryKey;
pub use examination::{Asked, Examined, Place};
pub use ids::{CheckRunId, CommentId, DeliveryId, InstallationId, ProposalId, PullNumber, RepoId};
pub use lock_file::LockFile;
pub use merging::{Check, Colour, MergeMethod, Merging, Topic};
pub use names::{branch_complaint, plug_in_complaint};
pub use notes::{FoundNotes, NotesState, PackageLinks, ReleaseNotes};
pub use onboarding::{Onboarding, OnboardingState};
pub use package::{Content, Dependency, Ecosystem, PackageId, Release, Skip, Span};
pub use proposal::{Farewell, Held, News, Outlook, Proposal, ProposalState, PullBranch, PullRequest, Rework, Standing};
pub use repo::{Head, ObjectId, RepoName, RepoPath, RepoState, Repository};
pub use run::{Delivery, PatchOutcome, Phase, Run, RunId, RunKind, RunPull, RunRepository, RunState, Scanned};
pub use size::in_bytes;
pub use snapshot::{EntryKind, FileEdit, Reading, Snapshot};
pub use sourced::SourcedRepository;
pub use time::Clock;
pub use update::{Site, Terms, Update, VersionStep};
pub use verdict::Verdict;

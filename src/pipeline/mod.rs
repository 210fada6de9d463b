//! The corridor: one file for each station of the journey, and the worker that walks along it.
//!
//! ```text
//! webhook -> inbox -> sync -> index -> watch -> plan -> guard -> execute -> follow
//! ```
//!
//! Stations hand over through rows of the `work` table. Each loads its facts, decides (a pure function), and returns
//! what it wants saved as an open transaction; the worker adds the end of the step and commits both together. So a
//! station that is killed at any point has either happened or not, and can be repeated.

pub mod account;
pub mod allowance;
pub mod audit;
mod branch;
mod contents;
pub mod crew;
pub mod duties;
mod edits;
pub mod examine;
pub mod execute;
pub mod follow;
pub mod guard;
pub mod inbox;
pub mod index;
mod intent;
pub mod invite;
mod line;
pub mod mailroom;
pub mod merge;
pub mod notes;
pub mod obey;
pub mod onboard;
pub mod plan;
mod remarks;
pub mod retire;
mod retry;
pub mod rework;
pub mod setback;
pub mod step;
pub mod sweep;
pub mod sync;
mod tags;
pub mod tell;
pub mod tidy;
mod together;
mod trail;
pub mod watch;
pub mod worker;

pub use mailroom::Mailroom;
pub use step::{Step, Whom};
pub use worker::Worker;

use crate::domain::Clock;
use crate::forge::{ForgeError, Target};
use crate::registries::RegistryError;
use crate::safeguards::pace::PacePolicy;
use crate::store::{Claimed, RepositoryRow, Store, StoreError, Tx};
use jiff::Timestamp;

/// What a station did.
pub enum Done {
    /// The step is over; these rows are its result.
    Finished(Tx),
    /// The step got no further, and that counts as an attempt: these rows are to be saved, and it is to run again later.
    PutBack {
        /// What is known already.
        tx: Tx,
        /// When to go on.
        until: Timestamp,
        /// Why not now.
        why: String,
    },
    /// The step goes on later, as it should: these rows are to be saved, and the claim does not count as an attempt.
    PutOff {
        /// What is known already.
        tx: Tx,
        /// When to go on.
        until: Timestamp,
        /// Why not now, where people want to know.
        why: Option<String>,
    },
}

/// What a station needs to write to GitHub: whose claim it works under, and when it may.
#[derive(Clone, Copy)]
pub struct Writing<'a> {
    /// The claim of its step.
    pub lease: &'a Claimed,
    /// How fast an installation is written to.
    pub pace: &'a PacePolicy,
    /// The time, which goes on while GitHub answers.
    pub clock: &'a dyn Clock,
}

/// Why a station has no result.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// GitHub refused or did not answer.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// A registry refused or did not answer.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Something stored by us does not make sense any more.
    #[error("stored data cannot be used: {0}")]
    Corrupt(String),
    /// The station panicked: a defect of ours.
    #[error("a defect of mass-driver: {0}")]
    Panicked(String),
}

/// A step that has nothing to do.
pub(crate) async fn finished(store: &Store) -> Result<Done, StepError> {
    Ok(Done::Finished(store.begin().await?))
}

/// What a forge needs to know to reach a stored repository.
pub(crate) fn target(row: &RepositoryRow) -> Target {
    trail::name(&row.repository.name);
    Target { installation: row.repository.installation, repo: row.repository.id, name: row.repository.name.clone() }
}

//! How a step comes into the queue, and how urgent it is there.

use super::{LAST_IN_LINE, Step};
use crate::domain::InstallationId;
use crate::pipeline::trail;
use crate::store::{NewWork, StoreError, Tx};
use jiff::Timestamp;
use std::time::Duration;

impl Step {
    /// Queues this step, due at once.
    pub async fn queue(
        &self,
        tx: &mut Tx,
        installation: Option<InstallationId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.queue_at(tx, installation, now, now).await
    }

    /// Queues this step for a time.
    pub async fn queue_at(
        &self,
        tx: &mut Tx,
        installation: Option<InstallationId>,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        tx.enqueue(&self.work(installation, due_at)?, now).await
    }

    /// Queues this step, due at once, unless it waits already: it may wait for the end of a pause.
    pub async fn queue_unless_queued(
        &self,
        tx: &mut Tx,
        installation: Option<InstallationId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        tx.enqueue_unless_queued(&self.work(installation, now)?, now).await
    }

    /// Queues this step behind everything that somebody or the clock asks for.
    pub async fn queue_last(
        &self,
        tx: &mut Tx,
        installation: Option<InstallationId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        tx.enqueue_unless_queued(&NewWork { patience: LAST_IN_LINE, ..self.work(installation, now)? }, now).await
    }

    /// The row of this step, for those who queue many at once.
    ///
    /// Errors: [`StoreError::Corrupt`] if its arguments cannot be written as JSON, which does not happen.
    pub fn work(&self, installation: Option<InstallationId>, due_at: Timestamp) -> Result<NewWork, StoreError> {
        let args = serde_json::to_value(self).map_err(|error| StoreError::Corrupt {
            what: format!("the arguments of the step {}: {error}", self.name()),
        })?;
        let new = NewWork {
            step: self.name().to_string(),
            subject: self.subject(),
            unique_key: self.unique_key(),
            installation,
            args,
            asks_github: self.asks_github(),
            patience: self.patience(),
            due_at,
        };
        trail::queued(&new);
        Ok(new)
    }

    /// How long it may wait behind others: what people wait for comes before what the clock asks for, and writes that are
    /// due before reads.
    pub const fn patience(&self) -> Duration {
        Duration::from_secs(match self {
            Self::Inbox { .. } | Self::Redeliver { .. } | Self::Obey { .. } => 0,
            Self::Examine { .. } => 1,
            Self::Follow { .. }
            | Self::Retire { .. }
            | Self::Label { .. }
            | Self::Tell { .. }
            | Self::Checks { .. } => 2,
            Self::Notes { .. } => return Self::NOTES_PATIENCE,
            Self::Rework { .. } | Self::Merge { .. } | Self::Invite { .. } => 3,
            Self::Execute { .. } | Self::Onboard { .. } => 5,
            Self::SyncRepository { .. } | Self::Index { .. } | Self::Plan { .. } | Self::Announce { .. } => 10,
            Self::SyncApp | Self::SyncInstallation { .. } => 15,
            Self::Watch { .. } => 20,
            Self::CatchUp { .. } | Self::OnboardAll { .. } | Self::Tidy => LAST_IN_LINE.as_secs(),
        })
    }

    /// Whether it asks GitHub anything: such steps wait while their installation is paused.
    pub const fn asks_github(&self) -> bool {
        match self {
            // The tags of repositories are asked for in the name of an installation that is chosen when the step runs.
            Self::Watch { package } => package.ecosystem.is_of_the_forge(),
            Self::Inbox { .. }
            | Self::Announce { .. }
            | Self::Plan { .. }
            | Self::CatchUp { .. }
            | Self::OnboardAll { .. }
            | Self::Tidy => false,
            Self::Notes { .. }
            | Self::SyncApp
            | Self::Redeliver { .. }
            | Self::SyncInstallation { .. }
            | Self::SyncRepository { .. }
            | Self::Index { .. }
            | Self::Execute { .. }
            | Self::Label { .. }
            | Self::Retire { .. }
            | Self::Rework { .. }
            | Self::Tell { .. }
            | Self::Follow { .. }
            | Self::Checks { .. }
            | Self::Invite { .. }
            | Self::Merge { .. }
            | Self::Obey { .. }
            | Self::Onboard { .. }
            | Self::Examine { .. } => true,
        }
    }
}

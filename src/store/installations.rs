//! The installations of the App.

use super::sql::{statements, time, values};
use super::{Store, StoreError, Tx};
use crate::domain::InstallationId;
use jiff::Timestamp;

/// An installation of the App on an account, as last told by GitHub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// GitHub's id, the key.
    pub id: InstallationId,
    /// The account's login.
    pub account: String,
    /// What the account is: `Organization`, `User`.
    pub account_kind: String,
    /// Suspended by its owner or by GitHub: nothing may be asked or written.
    pub suspended: bool,
    /// Uninstalled.
    pub removed: bool,
}

/// An installation as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstallationRow {
    /// What GitHub told.
    pub installation: Installation,
    /// When that last changed.
    pub updated_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct InstallationRecord {
    id: i64,
    account: String,
    account_kind: String,
    suspended: bool,
    removed: bool,
    updated_at: i64,
}

macro_rules! select_installations {
    ($tail:literal) => {
        concat!("SELECT id, account, account_kind, suspended, removed, updated_at FROM installation ", $tail)
    };
}

statements! {
    SAVE_INSTALLATION = "INSERT INTO installation (id, account, account_kind, suspended, removed, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (id) DO UPDATE SET account = excluded.account, account_kind = excluded.account_kind,
            suspended = excluded.suspended, removed = excluded.removed, updated_at = excluded.updated_at";
    SET_REMOVED = "UPDATE installation SET removed = $2, updated_at = $3 WHERE id = $1";
    INSTALLATION = select_installations!("WHERE id = $1");
    INSTALLATIONS = select_installations!("ORDER BY account, id LIMIT $1");
}

impl Store {
    /// One installation.
    pub async fn installation(&self, id: InstallationId) -> Result<Option<InstallationRow>, StoreError> {
        Ok(self.row(INSTALLATION, values![id]).await?.map(InstallationRecord::read))
    }

    /// The installations by the name of their account, the removed ones included.
    pub async fn installations(&self, limit: u32) -> Result<Vec<InstallationRow>, StoreError> {
        Ok(self.rows(INSTALLATIONS, values![limit]).await?.into_iter().map(InstallationRecord::read).collect())
    }
}

impl Tx {
    /// Stores an installation, new or changed.
    pub async fn save_installation(&mut self, installation: &Installation, now: Timestamp) -> Result<(), StoreError> {
        let Installation { id, account, account_kind, suspended, removed } = installation;
        self.execute(SAVE_INSTALLATION, values![*id, account, account_kind, *suspended, *removed, now]).await.map(drop)
    }

    /// Notes whether an installation is removed; `false` when it is not known.
    pub async fn set_installation_removed(
        &mut self,
        id: InstallationId,
        removed: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(self.execute(SET_REMOVED, values![id, removed, now]).await? > 0)
    }
}

impl InstallationRecord {
    fn read(self) -> InstallationRow {
        InstallationRow {
            installation: Installation {
                id: InstallationId(self.id),
                account: self.account,
                account_kind: self.account_kind,
                suspended: self.suspended,
                removed: self.removed,
            },
            updated_at: time(self.updated_at),
        }
    }
}

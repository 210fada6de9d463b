//! What sources found, so that they need not be asked again.

use super::sql::{from_json, statements, time, to_json, values};
use super::{Store, StoreError, Tx};
use crate::domain::{DiscoveryKey, SourcedRepository};
use jiff::{SignedDuration, Timestamp};

/// How long what a source found is kept.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

statements! {
    DISCOVERY = "SELECT found_at, repositories FROM discovery WHERE source = $1";
    FORGET_DISCOVERIES = "DELETE FROM discovery WHERE found_at < $1";
    SAVE_DISCOVERY = "INSERT INTO discovery (source, found_at, repositories) VALUES ($1, $2, $3)
        ON CONFLICT (source) DO UPDATE SET found_at = excluded.found_at, repositories = excluded.repositories";
}

impl Store {
    /// What a source found for somebody, and when.
    pub async fn discovery(
        &self,
        key: &DiscoveryKey,
    ) -> Result<Option<(Timestamp, Vec<SourcedRepository>)>, StoreError> {
        let row: Option<(i64, String)> = self.row(DISCOVERY, values![key.as_str()]).await?;
        row.map(|(at, found)| Ok((time(at), from_json("discovery.repositories", &found)?))).transpose()
    }
}

impl Tx {
    /// Stores what a source found for somebody. What was found long ago is forgotten: who asked with a token that has ended since
    /// cannot ask for it any more.
    pub async fn save_discovery(
        &mut self,
        key: &DiscoveryKey,
        at: Timestamp,
        found: &[SourcedRepository],
    ) -> Result<(), StoreError> {
        let long_ago = at.checked_sub(KEPT_FOR).unwrap_or(Timestamp::MIN);
        self.execute(FORGET_DISCOVERIES, values![long_ago]).await?;
        let found = to_json("discovery.repositories", found)?;
        self.execute(SAVE_DISCOVERY, values![key.as_str(), at, found]).await.map(drop)
    }
}

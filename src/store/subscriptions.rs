//! What each repository subscribes to, as its file in force says.

use super::repositories::in_order_of_interest;
use super::sql::{each, from_json, small, statements, time, to_json, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{Ecosystem, RepoId};
use jiff::Timestamp;
use serde_json::Value as Json;
use std::collections::HashMap;

/// One entry of a repository's subscription file.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    /// Which migration, as people write it: `pypi`, `docker`.
    pub migration: String,
    /// The ecosystem, where the migration is one's package updates.
    pub ecosystem: Option<Ecosystem>,
    /// The delay in words for people.
    pub delay: String,
    /// The entry's effective settings, as JSON. The store does not read them.
    pub settings: Json,
}

/// A subscription as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct SubscriptionRow {
    /// The entry.
    pub subscription: Subscription,
    /// Its place in the file, counted from 0.
    pub position: u32,
    /// Since when the repository subscribes to this migration.
    pub since: Timestamp,
}

#[derive(sqlx::FromRow)]
struct SubscriptionRecord {
    position: i64,
    migration: String,
    ecosystem: Option<String>,
    delay: String,
    settings: String,
    since: i64,
}

#[derive(sqlx::FromRow)]
struct OwnedRecord {
    repo_id: i64,
    #[sqlx(flatten)]
    subscription: SubscriptionRecord,
}

statements! {
    FORGET_SUBSCRIPTIONS = "DELETE FROM subscription WHERE repo_id = $1";
    INSERT_SUBSCRIPTION = "INSERT INTO subscription (repo_id, position, migration, ecosystem, delay, settings, since)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    SUBSCRIPTIONS_SINCE = "SELECT migration, min(since) FROM subscription WHERE repo_id = $1 GROUP BY migration";
    SUBSCRIPTIONS = "SELECT position, migration, ecosystem, delay, settings, since FROM subscription
        WHERE repo_id = $1 ORDER BY position";
    SUBSCRIBED_SINCE = "SELECT repo_id, since FROM subscription WHERE repo_id IN (VALUES (CAST($1 AS BIGINT)))
        ORDER BY repo_id, position";
    FOR_OVERVIEW = concat!(
        "SELECT repo_id, position, migration, ecosystem, delay, settings, since FROM subscription WHERE repo_id IN (",
        in_order_of_interest!("SELECT id FROM repository "),
        ") ORDER BY repo_id, position"
    );
}

impl Store {
    /// What a repository subscribes to, in the order of its file.
    pub async fn subscriptions(&self, repo: RepoId) -> Result<Vec<SubscriptionRow>, StoreError> {
        self.rows(SUBSCRIPTIONS, values![repo]).await?.into_iter().map(SubscriptionRecord::read).collect()
    }

    /// Since when each of several repositories has had its subscriptions, in the order of its file. Those that subscribe
    /// to nothing are left out.
    pub async fn subscribed_since(&self, repos: &[RepoId]) -> Result<HashMap<RepoId, Vec<Timestamp>>, StoreError> {
        let mut found: HashMap<RepoId, Vec<Timestamp>> = HashMap::new();
        for (repo, since) in self.rows_for::<(i64, i64)>(SUBSCRIBED_SINCE, each(repos)).await? {
            found.entry(RepoId(repo)).or_default().push(time(since));
        }
        Ok(found)
    }

    /// What the first repositories of an overview subscribe to, each in the order of its file. Those that subscribe to
    /// nothing are left out.
    pub(super) async fn subscriptions_for_overview(
        &self,
        limit: u32,
    ) -> Result<HashMap<RepoId, Vec<SubscriptionRow>>, StoreError> {
        let mut found: HashMap<RepoId, Vec<SubscriptionRow>> = HashMap::new();
        for record in self.rows::<OwnedRecord>(FOR_OVERVIEW, values![limit]).await? {
            found.entry(RepoId(record.repo_id)).or_default().push(record.subscription.read()?);
        }
        Ok(found)
    }
}

impl Tx {
    /// Replaces what a repository subscribes to. A migration that was there before keeps its `since`. Says whether there
    /// is one that was not.
    pub async fn replace_subscriptions(
        &mut self,
        repo: RepoId,
        subscriptions: &[Subscription],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let before: Vec<(String, i64)> = self.rows(SUBSCRIPTIONS_SINCE, values![repo]).await?;
        let since: HashMap<String, i64> = before.into_iter().collect();
        let rows = subscriptions.iter().enumerate().map(|(position, subscription)| {
            let Subscription { migration, ecosystem, delay, settings } = subscription;
            let since = since.get(migration).copied().unwrap_or_else(|| now.as_millisecond());
            let settings = to_json("subscription.settings", settings)?;
            Ok(values![repo, position as i64, migration, *ecosystem, delay, settings, since])
        });
        let rows = rows.collect::<Result<Vec<_>, StoreError>>()?;
        self.execute(FORGET_SUBSCRIPTIONS, values![repo]).await?;
        self.execute_for(INSERT_SUBSCRIPTION, rows).await?;
        Ok(subscriptions.iter().any(|subscription| !since.contains_key(&subscription.migration)))
    }
}

impl SubscriptionRecord {
    fn read(self) -> Result<SubscriptionRow, StoreError> {
        let ecosystem = self.ecosystem.map(|text| word("subscription.ecosystem", &text, Ecosystem::from_word));
        Ok(SubscriptionRow {
            subscription: Subscription {
                migration: self.migration,
                ecosystem: ecosystem.transpose()?,
                delay: self.delay,
                settings: from_json("subscription.settings", &self.settings)?,
            },
            position: small("subscription.position", self.position)?,
            since: time(self.since),
        })
    }
}

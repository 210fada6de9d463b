//! What is said of releases, once for all repositories, and what waits a moment for it.

use super::sql::{small, statements, time, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{Ecosystem, FoundNotes, InstallationId, NotesState, PackageId};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// A release of which somebody wants to know.
pub type ReleaseKey = (PackageId, String);

/// How far the look at a release has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotesStanding {
    /// How far.
    pub state: NotesState,
    /// When the first look is due, or the last one was.
    pub look_at: Timestamp,
    /// Until when somebody waits for it, as far as is known.
    pub wanted_until: Timestamp,
    /// Since when somebody does; `None` for what was asked for before that was noted.
    pub asked_at: Option<Timestamp>,
    /// How often a look failed in a row.
    pub failures: u32,
}

/// A release to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedNotes {
    /// The package.
    pub package: PackageId,
    /// The version as its registry writes it.
    pub version: String,
    /// When to look.
    pub look_at: Timestamp,
    /// Until when somebody waits for it.
    pub wanted_until: Timestamp,
}

/// What was found of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotesRow {
    /// The package.
    pub package: PackageId,
    /// The version as its registry writes it.
    pub version: String,
    /// What was found.
    pub found: FoundNotes,
    /// The installation whose private repository it was read from: it is for that one's private repositories alone.
    pub private_to: Option<InstallationId>,
}

#[derive(sqlx::FromRow)]
struct StandingRecord {
    ecosystem: String,
    package: String,
    version: String,
    state: String,
    look_at: i64,
    wanted_until: i64,
    asked_at: Option<i64>,
    failures: i64,
}

#[derive(sqlx::FromRow)]
struct NotesRecord {
    ecosystem: String,
    package: String,
    version: String,
    private_to: Option<i64>,
    source: Option<String>,
    homepage: Option<String>,
    changelog: Option<String>,
    page: Option<String>,
    tag: Option<String>,
    title: Option<String>,
    body: Option<String>,
}

statements! {
    NOTES_STANDINGS = "SELECT ecosystem, package, version, state, look_at, wanted_until, asked_at, failures FROM release_notes
        WHERE (ecosystem, package, version) IN (VALUES ($1, $2, $3))";
    NOTED_VERSIONS = "SELECT ecosystem, package, version FROM release_notes
        WHERE (ecosystem, package) IN (VALUES ($1, $2)) AND state <> 'asked'";
    NOTES = "SELECT ecosystem, package, version, private_to, source, homepage, changelog, page, tag, title, body
        FROM release_notes WHERE (ecosystem, package, version) IN (VALUES ($1, $2, $3)) AND state <> 'asked'";
    LAST_TAG = "SELECT version, tag FROM release_notes WHERE ecosystem = $1 AND package = $2 AND tag IS NOT NULL
        AND private_to IS NULL ORDER BY look_at DESC, version DESC LIMIT 1";
    WANT_NOTES = "INSERT INTO release_notes (ecosystem, package, version, look_at, wanted_until, asked_at, state)
        VALUES ($1, $2, $3, $4, $5, $6, 'asked') ON CONFLICT (ecosystem, package, version) DO UPDATE SET
            wanted_until = CASE WHEN excluded.wanted_until > release_notes.wanted_until
                THEN excluded.wanted_until ELSE release_notes.wanted_until END,
            look_at = CASE WHEN release_notes.state = 'asked' AND excluded.look_at < release_notes.look_at
                THEN excluded.look_at ELSE release_notes.look_at END";
    SAVE_NOTES = "UPDATE release_notes SET state = $4, look_at = $5, failures = $6, why = $7, private_to = $8, source = $9,
        homepage = $10, changelog = $11, page = $12, tag = $13, title = $14, body = $15
        WHERE ecosystem = $1 AND package = $2 AND version = $3";
    /// Holds the row, so that the look cannot come to its end before the waiter is there.
    STILL_ASKED = "UPDATE release_notes SET state = 'asked'
        WHERE ecosystem = $1 AND package = $2 AND version = $3 AND state = 'asked'";
    AWAIT_NOTES = "INSERT INTO notes_waiter (ecosystem, package, version, work_key, until) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (ecosystem, package, version, work_key) DO UPDATE SET until = excluded.until";
    /// What waits for just this look; not what waits for others as well.
    NOTES_WAITERS = "SELECT work_key, until FROM notes_waiter WHERE ecosystem = $1 AND package = $2 AND version = $3
        AND NOT EXISTS (SELECT 1 FROM notes_waiter AS other WHERE other.work_key = notes_waiter.work_key
            AND other.until = notes_waiter.until
            AND NOT (other.ecosystem = $1 AND other.package = $2 AND other.version = $3))";
    /// What has gone on by itself waits for something else by now, if it waits.
    WAKE_WAITER = "UPDATE work SET due_at = $3 WHERE unique_key = $1 AND state = 'queued' AND due_at = $2 AND due_at > $3";
    FORGET_WAITERS = "DELETE FROM notes_waiter WHERE ecosystem = $1 AND package = $2 AND version = $3";
    FORGET_NOTES = "DELETE FROM release_notes WHERE (ecosystem, package, version) IN
        (SELECT ecosystem, package, version FROM release_notes WHERE wanted_until < $1 ORDER BY wanted_until LIMIT $2)";
}

impl Store {
    /// How far the looks at these releases have come; those that nobody ever asked for are left out.
    pub async fn notes_standings(
        &self,
        releases: &[ReleaseKey],
    ) -> Result<HashMap<ReleaseKey, NotesStanding>, StoreError> {
        let keys =
            releases.iter().map(|(package, version)| values![package.ecosystem, &package.name, version]).collect();
        let records: Vec<StandingRecord> = self.rows_for(NOTES_STANDINGS, keys).await?;
        records.into_iter().map(StandingRecord::read).collect()
    }

    /// The versions of these packages that were looked at, by package. Their texts are not read.
    pub async fn noted_versions(&self, packages: &[PackageId]) -> Result<BTreeMap<PackageId, Vec<String>>, StoreError> {
        let keys = packages.iter().map(|package| values![package.ecosystem, &package.name]).collect();
        let mut versions: BTreeMap<PackageId, Vec<String>> = BTreeMap::new();
        for (ecosystem, name, version) in self.rows_for::<(String, String, String)>(NOTED_VERSIONS, keys).await? {
            versions.entry(package(&ecosystem, name)?).or_default().push(version);
        }
        Ok(versions)
    }

    /// What was found of these releases, as far as anybody has looked.
    pub async fn notes(&self, releases: &[ReleaseKey]) -> Result<Vec<NotesRow>, StoreError> {
        let keys =
            releases.iter().map(|(package, version)| values![package.ecosystem, &package.name, version]).collect();
        self.rows_for::<NotesRecord>(NOTES, keys).await?.into_iter().map(NotesRecord::read).collect()
    }

    /// A version of a package and the tag it was found by, the one that was looked at last.
    pub async fn last_tag(&self, package: &PackageId) -> Result<Option<(String, String)>, StoreError> {
        self.row(LAST_TAG, values![package.ecosystem, &package.name]).await
    }
}

impl Tx {
    /// Notes that releases are to be looked at, or that those which are known already are wanted for longer, or sooner.
    pub async fn want_notes(&mut self, wanted: &[WantedNotes], now: Timestamp) -> Result<(), StoreError> {
        // Each once, and in one order for everybody: two transactions then wait for each other, and not each for the other.
        let mut rows: BTreeMap<(&str, &str, &str), (Timestamp, Timestamp)> = BTreeMap::new();
        for WantedNotes { package, version, look_at, wanted_until } in wanted {
            let key = (package.ecosystem.as_str(), package.name.as_str(), version.as_str());
            let (sooner, later) = rows.entry(key).or_insert((*look_at, *wanted_until));
            (*sooner, *later) = ((*sooner).min(*look_at), (*later).max(*wanted_until));
        }
        let row =
            |((ecosystem, name, version), (look_at, until))| values![ecosystem, name, version, look_at, until, now];
        self.execute_for(WANT_NOTES, rows.into_iter().map(row).collect()).await
    }

    /// Stores what a look at a release found, or that it failed; whatever waited for it goes on.
    pub async fn save_notes(
        &mut self,
        row: &NotesRow,
        (state, failures, why): (NotesState, u32, Option<&str>),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let NotesRow { package, version, found, private_to } = row;
        let (ecosystem, name) = (package.ecosystem, &package.name);
        let saved = values![
            ecosystem,
            name,
            version,
            state.as_str(),
            now,
            failures,
            why,
            private_to.map(|installation| installation.0),
            found.source.as_ref(),
            found.homepage.as_ref(),
            found.changelog.as_ref(),
            found.page.as_ref(),
            found.tag.as_ref(),
            found.title.as_ref(),
            found.body.as_ref()
        ];
        self.execute(SAVE_NOTES, saved).await?;
        let mut waiters: Vec<(String, i64)> = self.rows(NOTES_WAITERS, values![ecosystem, name, version]).await?;
        // In the order of their keys, as all do who write many rows of the queue. There are few: those of some seconds.
        waiters.sort_unstable();
        for (work_key, until) in waiters {
            self.brings_work(now, now);
            self.execute(WAKE_WAITER, values![work_key, until, now]).await?;
        }
        self.execute(FORGET_WAITERS, values![ecosystem, name, version]).await.map(drop)
    }

    /// Notes that a piece of work, by its key, is put off to a time so that the first look at a release may come to its end;
    /// `false` if it has.
    pub async fn await_notes(
        &mut self,
        (package, version): (&PackageId, &str),
        work_key: &str,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let (ecosystem, name) = (package.ecosystem, &package.name);
        if self.execute(STILL_ASKED, values![ecosystem, name, version]).await? == 0 {
            return Ok(false);
        }
        self.execute(AWAIT_NOTES, values![ecosystem, name, version, work_key, until]).await?;
        Ok(true)
    }

    /// Forgets what nobody has wanted since a time, at most so many, and says how many.
    pub async fn forget_notes(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.execute(FORGET_NOTES, values![before, limit]).await
    }
}

fn package(ecosystem: &str, name: String) -> Result<PackageId, StoreError> {
    Ok(PackageId { ecosystem: word("release_notes.ecosystem", ecosystem, Ecosystem::from_word)?, name })
}

impl StandingRecord {
    fn read(self) -> Result<(ReleaseKey, NotesStanding), StoreError> {
        let standing = NotesStanding {
            state: word("release_notes.state", &self.state, NotesState::from_word)?,
            look_at: time(self.look_at),
            wanted_until: time(self.wanted_until),
            asked_at: self.asked_at.map(time),
            failures: small("release_notes.failures", self.failures)?,
        };
        Ok(((package(&self.ecosystem, self.package)?, self.version), standing))
    }
}

impl NotesRecord {
    fn read(self) -> Result<NotesRow, StoreError> {
        Ok(NotesRow {
            package: package(&self.ecosystem, self.package)?,
            version: self.version,
            found: FoundNotes {
                source: self.source,
                homepage: self.homepage,
                changelog: self.changelog,
                page: self.page,
                tag: self.tag,
                title: self.title,
                body: self.body,
            },
            private_to: self.private_to.map(InstallationId),
        })
    }
}

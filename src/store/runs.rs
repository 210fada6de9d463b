//! Runs of the command line: what was done with which repository, and what came of it.

use super::sql::{from_json, parsed, small, statements, time, to_json, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{
    Delivery, ObjectId, PatchOutcome, Phase, PullNumber, Run, RunId, RunKind, RunPull, RunRepository, RunState,
    Scanned, SourcedRepository,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use uuid::Uuid;

/// That a process works on a run. Once another process has taken the run up, nothing is stored for this one any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunLease {
    run: RunId,
    pub(super) holder: String,
}

impl RunLease {
    fn new(run: RunId) -> Self {
        Self { run, holder: Uuid::new_v4().to_string() }
    }

    /// The run.
    pub fn run(&self) -> RunId {
        self.run
    }

    fn lost(&self, is_kept: bool) -> StoreError {
        let run = self.run;
        let why = if is_kept {
            format!("run {run} was taken up by another process: it goes on there")
        } else {
            format!("run {run} was forgotten while it was under way; what it did so far is done, begin a new one")
        };
        StoreError::InUse { why }
    }
}

/// A run that begins.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Where its Activity file lies.
    pub activity: String,
    /// What the file says.
    pub said: String,
    /// The version of this program.
    pub version: String,
    /// What it is for.
    pub kind: RunKind,
    /// Now.
    pub started_at: Timestamp,
    /// Until when it counts as alive.
    pub alive_until: Timestamp,
}

/// How many repositories of a run stand where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunCount {
    /// The run.
    pub run: RunId,
    /// How they stand.
    pub state: RunState,
    /// What the driver made of them.
    pub outcome: Option<PatchOutcome>,
    /// How many there are.
    pub repositories: u32,
}

#[derive(sqlx::FromRow)]
struct RunRecord {
    id: i64,
    activity: String,
    said: String,
    version: String,
    kind: String,
    started_at: i64,
    ended_at: Option<i64>,
    alive_until: i64,
}

#[derive(sqlx::FromRow)]
struct RepositoryRecord {
    position: i64,
    sourced: String,
    phase: String,
    state: String,
    outcome: Option<String>,
    reason: Option<String>,
    base_branch: Option<String>,
    base_commit: Option<String>,
    branch: Option<String>,
    commit_id: Option<String>,
    folder: Option<String>,
    pushed: Option<String>,
    pull_number: Option<i64>,
    pull_url: Option<String>,
    delivery: Option<String>,
}

#[derive(sqlx::FromRow)]
struct ScanRecord {
    position: i64,
    scanner: String,
    scanned_at: i64,
    commit_id: String,
    facts: Option<String>,
    problem: Option<String>,
}

macro_rules! select_runs {
    ($tail:literal) => {
        concat!("SELECT id, activity, said, version, kind, started_at, ended_at, alive_until FROM run ", $tail)
    };
}

statements! {
    NEXT_RUN = "UPDATE run_counter SET last = last + 1 RETURNING last";
    SAVE_RUN = "INSERT INTO run (id, activity, said, version, kind, started_at, alive_until, holder)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    SAVE_RUN_REPOSITORIES = "INSERT INTO run_repository (run_id, position, name, clone_url, sourced, phase, state)
        VALUES ($1, $2, $3, $4, $5, 'clone', 'waiting')";
    UPDATE_RUN_REPOSITORY = "UPDATE run_repository SET phase = $3, state = $4, outcome = $5, reason = $6, base_branch = $7,
        base_commit = $8, branch = $9, commit_id = $10, folder = $11, pushed = $12, pull_number = $13, pull_url = $14,
        delivery = $15 WHERE run_id = $1 AND position = $2
            AND EXISTS (SELECT 1 FROM run WHERE run.id = $1 AND run.holder = $16)";
    SAVE_RUN_DIFF = "UPDATE run_repository SET diff = NULLIF($3, '') WHERE run_id = $1 AND position = $2
            AND EXISTS (SELECT 1 FROM run WHERE run.id = $1 AND run.holder = $4)";
    SAVE_RUN_SCAN = "INSERT INTO run_scan (run_id, position, scanner, scanned_at, commit_id, facts, problem)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (run_id, position, scanner) DO UPDATE SET scanned_at = excluded.scanned_at,
            commit_id = excluded.commit_id, facts = excluded.facts, problem = excluded.problem";
    KEEP_RUN_ALIVE = "UPDATE run SET alive_until = $3 WHERE id = $1 AND holder = $2";
    /// Only one process takes up a run that was interrupted, or one that has ended to do what failed again.
    TAKE_UP_RUN = "UPDATE run SET alive_until = $2, ended_at = NULL, holder = $4
        WHERE id = $1 AND (ended_at IS NOT NULL OR alive_until < $3)";
    RELEASE_RUN = "UPDATE run SET alive_until = started_at, holder = NULL WHERE id = $1 AND holder = $2";
    END_RUN = "UPDATE run SET ended_at = $3, holder = NULL WHERE id = $1 AND holder = $2";
    HOLDER = "SELECT holder FROM run WHERE id = $1";
    FORGET_RUN = "DELETE FROM run WHERE id = $1 AND (ended_at IS NOT NULL OR alive_until < $2)";
    RUN = select_runs!("WHERE id = $1");
    RUNS = select_runs!("ORDER BY id DESC LIMIT $1");
    LAST_RUN_OF = select_runs!("WHERE activity = $1 AND kind = $2 ORDER BY id DESC LIMIT 1");
    RUN_COUNTS = "SELECT run_id, state, outcome, COUNT(*) FROM run_repository
        WHERE run_id IN (VALUES (CAST($1 AS BIGINT))) GROUP BY run_id, state, outcome";
    RUN_REPOSITORIES = "SELECT position, sourced, phase, state, outcome, reason, base_branch, base_commit, branch, commit_id,
        folder, pushed, pull_number, pull_url, delivery FROM run_repository WHERE run_id = $1 ORDER BY position";
    RUN_SCANS = "SELECT position, scanner, scanned_at, commit_id, facts, problem FROM run_scan
        WHERE run_id = $1 ORDER BY position, scanner";
    RUN_DIFF = "SELECT diff FROM run_repository WHERE run_id = $1 AND position = $2 AND diff IS NOT NULL";
    RUNS_DONE_WITH_PULL = "SELECT COUNT(*) FROM run_repository WHERE pull_url = $1 AND state = 'done'";
}

impl Store {
    /// A run.
    pub async fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        self.row::<RunRecord>(RUN, values![id.0]).await?.map(RunRecord::read).transpose()
    }

    /// That a process works on its run still.
    ///
    /// Errors: [`StoreError::InUse`] once the run was taken up by another process or forgotten.
    pub async fn is_held(&self, lease: &RunLease) -> Result<(), StoreError> {
        match self.row::<(Option<String>,)>(HOLDER, values![lease.run.0]).await? {
            Some((holder,)) if holder.as_ref() == Some(&lease.holder) => Ok(()),
            other => Err(lease.lost(other.is_some())),
        }
    }

    /// The last runs, the latest first.
    pub async fn runs(&self, limit: u32) -> Result<Vec<Run>, StoreError> {
        self.rows::<RunRecord>(RUNS, values![limit]).await?.into_iter().map(RunRecord::read).collect()
    }

    /// The last run of a kind of an Activity file, by its path.
    pub async fn last_run_of(&self, activity: &str, kind: RunKind) -> Result<Option<Run>, StoreError> {
        let row = self.row::<RunRecord>(LAST_RUN_OF, values![activity, kind.as_str()]).await?;
        row.map(RunRecord::read).transpose()
    }

    /// How many repositories of some runs stand where.
    pub async fn run_counts(&self, runs: &[RunId]) -> Result<Vec<RunCount>, StoreError> {
        let keys = runs.iter().map(|run| values![run.0]).collect();
        let rows: Vec<(i64, String, Option<String>, i64)> = self.rows_for(RUN_COUNTS, keys).await?;
        rows.into_iter()
            .map(|(run, state, outcome, repositories)| {
                Ok(RunCount {
                    run: RunId(run),
                    state: word("run_repository.state", &state, RunState::from_word)?,
                    outcome: outcome_of(outcome.as_deref())?,
                    repositories: small("run_repository.count", repositories)?,
                })
            })
            .collect()
    }

    /// The repositories of a run in their order, with what scanners found.
    pub async fn run_repositories(&self, run: RunId) -> Result<Vec<RunRepository>, StoreError> {
        let records: Vec<RepositoryRecord> = self.rows(RUN_REPOSITORIES, values![run.0]).await?;
        let scans: Vec<ScanRecord> = self.rows(RUN_SCANS, values![run.0]).await?;
        let mut found: BTreeMap<i64, BTreeMap<String, Scanned>> = BTreeMap::new();
        for record in scans {
            let (position, scanner, scanned) = record.read()?;
            found.entry(position).or_default().insert(scanner, scanned);
        }
        records
            .into_iter()
            .map(|record| {
                let scans = found.remove(&record.position).unwrap_or_default();
                record.read(scans)
            })
            .collect()
    }

    /// The diff of a repository's change in a run.
    pub async fn run_diff(&self, run: RunId, position: u32) -> Result<Option<String>, StoreError> {
        Ok(self.row::<(String,)>(RUN_DIFF, values![run.0, position]).await?.map(|(diff,)| diff))
    }

    /// Whether a run has come to its end with the pull request at an address.
    pub async fn a_run_is_done_with(&self, pull_url: &str) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = self.row(RUNS_DONE_WITH_PULL, values![pull_url]).await?;
        Ok(row.is_some_and(|(count,)| count > 0))
    }
}

impl Tx {
    /// Begins a run over some repositories, and numbers it. Whoever begins it works on it.
    pub async fn begin_run(&mut self, run: &NewRun, over: &[SourcedRepository]) -> Result<RunLease, StoreError> {
        let last: Vec<(i64,)> = self.rows(NEXT_RUN, values![]).await?;
        let (id,) = last.first().copied().ok_or_else(|| StoreError::corrupt("run_counter", "it has no row"))?;
        let NewRun { activity, said, version, kind, started_at, alive_until } = run;
        let lease = RunLease::new(RunId(id));
        let row = values![id, activity, said, version, kind.as_str(), *started_at, *alive_until, &lease.holder];
        self.execute(SAVE_RUN, row).await?;
        let mut rows = Vec::with_capacity(over.len());
        for (position, one) in (0_i64..).zip(over) {
            rows.push(values![id, position, &one.id, &one.clone_url, to_json("run_repository.sourced", one)?]);
        }
        self.execute_for(SAVE_RUN_REPOSITORIES, rows).await?;
        Ok(lease)
    }

    /// Stores how a repository of a run stands.
    ///
    /// Errors: [`StoreError::InUse`] once the run was taken up by another process or forgotten. The same for all that a lease
    /// is needed for.
    pub async fn save_run_repository(&mut self, lease: &RunLease, one: &RunRepository) -> Result<(), StoreError> {
        let pull = one.pull.as_ref();
        let row = values![
            lease.run.0,
            one.position,
            one.phase.as_str(),
            one.state.as_str(),
            one.outcome.map(PatchOutcome::as_str),
            one.reason.as_ref(),
            one.base_branch.as_ref(),
            one.base.as_ref(),
            one.branch.as_ref(),
            one.commit.as_ref(),
            one.folder.as_ref(),
            one.pushed.as_ref(),
            pull.map(|pull| pull.number),
            pull.map(|pull| &pull.url),
            pull.map(|pull| pull.delivery.as_str()),
            &lease.holder,
        ];
        let changed = self.execute(UPDATE_RUN_REPOSITORY, row).await?;
        self.still_held(lease, changed).await?;
        let mut rows = Vec::new();
        for (scanner, Scanned { at, commit, facts }) in &one.scans {
            let (found, problem) = match facts {
                Ok(facts) => (Some(to_json("run_scan.facts", facts)?), None),
                Err(problem) => (None, Some(problem)),
            };
            rows.push(values![lease.run.0, one.position, scanner, *at, commit, found, problem]);
        }
        self.execute_for(SAVE_RUN_SCAN, rows).await
    }

    /// Stores the diff of a repository's change; an empty one is none.
    pub async fn save_run_diff(&mut self, lease: &RunLease, position: u32, diff: &str) -> Result<(), StoreError> {
        let changed = self.execute(SAVE_RUN_DIFF, values![lease.run.0, position, diff, &lease.holder]).await?;
        self.still_held(lease, changed).await
    }

    /// Says that the process of a run is alive.
    pub async fn keep_run_alive(&mut self, lease: &RunLease, until: Timestamp) -> Result<(), StoreError> {
        let changed = self.execute(KEEP_RUN_ALIVE, values![lease.run.0, &lease.holder, until]).await?;
        self.still_held(lease, changed).await
    }

    /// Takes up a run that has ended or was interrupted. `None` if somebody else works on it.
    pub async fn take_up_run(
        &mut self,
        run: RunId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<RunLease>, StoreError> {
        let lease = RunLease::new(run);
        let changed = self.execute(TAKE_UP_RUN, values![run.0, until, now, &lease.holder]).await?;
        Ok((changed > 0).then_some(lease))
    }

    /// Leaves a run that has not come to its end: nobody works on it from now on.
    pub async fn release_run(&mut self, lease: RunLease) -> Result<(), StoreError> {
        let changed = self.execute(RELEASE_RUN, values![lease.run.0, &lease.holder]).await?;
        self.still_held(&lease, changed).await
    }

    /// Stores that a run came to its end.
    pub async fn end_run(&mut self, lease: RunLease, at: Timestamp) -> Result<(), StoreError> {
        let changed = self.execute(END_RUN, values![lease.run.0, &lease.holder, at]).await?;
        self.still_held(&lease, changed).await
    }

    /// Refuses where a statement changed no row, since the run is another process's now, or was forgotten.
    async fn still_held(&mut self, lease: &RunLease, changed: u64) -> Result<(), StoreError> {
        if changed > 0 {
            return Ok(());
        }
        let holders: Vec<(Option<String>,)> = self.rows(HOLDER, values![lease.run.0]).await?;
        Err(lease.lost(!holders.is_empty()))
    }

    /// Forgets a run and all that was done in it. `false` if there is none, or somebody works on it.
    pub async fn forget_run(&mut self, run: RunId, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.execute(FORGET_RUN, values![run.0, now]).await? > 0)
    }
}

fn outcome_of(text: Option<&str>) -> Result<Option<PatchOutcome>, StoreError> {
    text.map(|text| word("run_repository.outcome", text, PatchOutcome::from_word)).transpose()
}

impl RunRecord {
    fn read(self) -> Result<Run, StoreError> {
        Ok(Run {
            id: RunId(self.id),
            activity: self.activity,
            said: self.said,
            version: self.version,
            kind: word("run.kind", &self.kind, RunKind::from_word)?,
            started_at: time(self.started_at),
            ended_at: self.ended_at.map(time),
            alive_until: time(self.alive_until),
        })
    }
}

impl RepositoryRecord {
    fn read(self, scans: BTreeMap<String, Scanned>) -> Result<RunRepository, StoreError> {
        let object = |text: Option<String>| {
            text.map(|text| parsed("an object of run_repository", &text, ObjectId::parse)).transpose()
        };
        let pull = match (self.pull_number, self.pull_url, self.delivery) {
            (Some(number), Some(url), Some(delivery)) => {
                let delivery = word("run_repository.delivery", &delivery, Delivery::from_word)?;
                Some(RunPull { number: PullNumber(number), url, delivery })
            }
            _ => None,
        };
        Ok(RunRepository {
            position: small("run_repository.position", self.position)?,
            repository: from_json("run_repository.sourced", &self.sourced)?,
            phase: word("run_repository.phase", &self.phase, Phase::from_word)?,
            state: word("run_repository.state", &self.state, RunState::from_word)?,
            outcome: outcome_of(self.outcome.as_deref())?,
            reason: self.reason,
            base_branch: self.base_branch,
            base: object(self.base_commit)?,
            branch: self.branch,
            commit: object(self.commit_id)?,
            folder: self.folder,
            pushed: object(self.pushed)?,
            pull,
            scans,
        })
    }
}

impl ScanRecord {
    fn read(self) -> Result<(i64, String, Scanned), StoreError> {
        let facts = match self.facts {
            Some(facts) => Ok(from_json("run_scan.facts", &facts)?),
            None => Err(self.problem.unwrap_or_default()),
        };
        let commit = parsed("run_scan.commit_id", &self.commit_id, ObjectId::parse)?;
        Ok((self.position, self.scanner, Scanned { at: time(self.scanned_at), commit, facts }))
    }
}

//! Proposals, and the ledger of what happened to each.

use super::sql::{Value, each, from_json, parsed, statements, time, to_json, values, word};
use super::{Store, StoreError, Tx};
use crate::domain::{
    InstallationId, ObjectId, Proposal, ProposalId, ProposalState, PullNumber, PullRequest, RepoId, RepoName,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use uuid::Uuid;

/// One thing that happened to a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// When.
    pub at: Timestamp,
    /// What, in one word: `planned`, `opened`, `merged` …
    pub what: String,
    /// The circumstances, for people.
    pub detail: String,
}

#[derive(sqlx::FromRow)]
pub(super) struct ProposalRecord {
    id: String,
    repo_id: i64,
    group_name: String,
    content: String,
    state: String,
    reason: String,
    due_at: i64,
    title: String,
    branch: String,
    updates: String,
    labels: String,
    pull_number: Option<i64>,
    pull_url: Option<String>,
    pull_head: Option<String>,
    checks: Option<String>,
    created_at: i64,
    opened_at: Option<i64>,
    updated_at: i64,
}

/// A proposal, with the name of its repository.
#[derive(sqlx::FromRow)]
pub(super) struct NamedProposalRecord {
    repository_name: String,
    #[sqlx(flatten)]
    proposal: ProposalRecord,
}

macro_rules! select_proposals {
    ($tail:literal) => {
        select_proposals!("", $tail)
    };
    ($more:literal, $tail:literal) => {
        concat!(
            "SELECT ",
            $more,
            "id, repo_id, group_name, content, state, reason, due_at, title, branch, updates, labels, ",
            "pull_number, pull_url, pull_head, checks, created_at, opened_at, updated_at FROM proposal ",
            $tail
        )
    };
}

pub(super) use select_proposals;

statements! {
    SAVE = "INSERT INTO proposal
            (id, repo_id, group_name, content, state, reason, due_at, title, branch, updates, labels,
            pull_number, pull_url, pull_head, checks, created_at, opened_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        ON CONFLICT (id) DO UPDATE SET group_name = excluded.group_name, content = excluded.content,
            state = excluded.state, reason = excluded.reason, due_at = excluded.due_at, title = excluded.title,
            branch = excluded.branch, updates = excluded.updates, labels = excluded.labels,
            pull_number = excluded.pull_number, pull_url = excluded.pull_url, pull_head = excluded.pull_head,
            checks = excluded.checks, opened_at = excluded.opened_at, updated_at = excluded.updated_at";
    BY_ID = select_proposals!("WHERE id = $1");
    OF_REPOSITORY = select_proposals!("WHERE repo_id = $1 ORDER BY created_at, id");
    OF_REPOSITORIES =
        select_proposals!("WHERE repo_id IN (VALUES (CAST($1 AS BIGINT))) ORDER BY repo_id, created_at, id");
    BY_PULL = select_proposals!("WHERE repo_id = $1 AND pull_number = $2 ORDER BY created_at DESC, id DESC LIMIT 1");
    SEEN_ON_PULL = select_proposals!(
        "WHERE repo_id = $1 AND pull_number = $2 AND opened_at < $3 ORDER BY opened_at DESC, created_at DESC, id DESC LIMIT 1"
    );
    OPEN_BY_HEAD = select_proposals!("WHERE repo_id = $1 AND pull_head = $2 AND state = 'open' ORDER BY id");
    OF_BRANCH = "SELECT id FROM proposal WHERE repo_id = $1 AND branch = $2 LIMIT 1";
    IN_STATE = select_proposals!(
        "(SELECT name FROM repository WHERE repository.id = proposal.repo_id) AS repository_name, ",
        "WHERE state = $1 ORDER BY updated_at DESC, id DESC LIMIT $2"
    );
    OPEN_PULLS = "SELECT pull_number FROM proposal
        WHERE repo_id = $1 AND state = 'open' AND pull_number IS NOT NULL ORDER BY pull_number";
    PULLS_TO_LOOK_AT = "SELECT DISTINCT repo_id, pull_number FROM proposal
        WHERE (state = 'open' OR state = 'closed' AND updated_at >= $2 OR EXISTS (SELECT 1 FROM pull_branch
            WHERE pull_branch.repo_id = proposal.repo_id AND pull_branch.pull_number = proposal.pull_number
            AND pull_branch.closed_at >= $2)) AND pull_number IS NOT NULL
        AND repo_id IN (SELECT id FROM repository WHERE installation_id = $1 AND state = 'active')
        ORDER BY repo_id, pull_number";
    FAILED_OF_INSTALLATION = select_proposals!(
        "WHERE state = 'failed'
        AND repo_id IN (SELECT id FROM repository WHERE installation_id = $1 AND state = 'active') ORDER BY id"
    );
    COUNTS = "SELECT state, count(*) FROM proposal GROUP BY state ORDER BY state";

    RECORD = "INSERT INTO ledger (id, proposal_id, at, what, detail) VALUES ($1, $2, $3, $4, $5)";
    LEDGER = "SELECT at, what, detail FROM ledger WHERE proposal_id = $1 ORDER BY at, id";
    LEDGERS = "SELECT proposal_id, at, what, detail FROM ledger
        WHERE proposal_id IN (SELECT id FROM proposal WHERE repo_id = $1) ORDER BY at, id";
}

impl Store {
    /// One proposal.
    pub async fn proposal(&self, id: &ProposalId) -> Result<Option<Proposal>, StoreError> {
        self.row(BY_ID, values![id]).await?.map(ProposalRecord::read).transpose()
    }

    /// All proposals a repository ever had, oldest first.
    pub async fn proposals(&self, repo: RepoId) -> Result<Vec<Proposal>, StoreError> {
        self.rows(OF_REPOSITORY, values![repo]).await?.into_iter().map(ProposalRecord::read).collect()
    }

    /// All proposals that each of several repositories ever had, oldest first. Those without any are left out.
    pub async fn proposals_of(&self, repos: &[RepoId]) -> Result<HashMap<RepoId, Vec<Proposal>>, StoreError> {
        let mut found: HashMap<RepoId, Vec<Proposal>> = HashMap::new();
        for record in self.rows_for::<ProposalRecord>(OF_REPOSITORIES, each(repos)).await? {
            found.entry(RepoId(record.repo_id)).or_default().push(record.read()?);
        }
        Ok(found)
    }

    /// The proposal of a pull request.
    pub async fn proposal_by_pull(&self, repo: RepoId, number: PullNumber) -> Result<Option<Proposal>, StoreError> {
        self.row(BY_PULL, values![repo, number]).await?.map(ProposalRecord::read).transpose()
    }

    /// The proposal that stood on a pull request at a time, which GitHub tells in whole seconds.
    pub async fn proposal_seen(
        &self,
        repo: RepoId,
        number: PullNumber,
        at: Timestamp,
    ) -> Result<Option<Proposal>, StoreError> {
        let before = at + SignedDuration::from_secs(1);
        self.row(SEEN_ON_PULL, values![repo, number, before]).await?.map(ProposalRecord::read).transpose()
    }

    /// The open proposals whose branch we left at a commit.
    pub async fn proposals_by_head(&self, repo: RepoId, head: &ObjectId) -> Result<Vec<Proposal>, StoreError> {
        self.rows(OPEN_BY_HEAD, values![repo, head]).await?.into_iter().map(ProposalRecord::read).collect()
    }

    /// Whether a branch is one that a proposal has, or had.
    pub async fn is_branch_of_proposal(&self, repo: RepoId, branch: &str) -> Result<bool, StoreError> {
        Ok(self.row::<(String,)>(OF_BRANCH, values![repo, branch]).await?.is_some())
    }

    /// Proposals in any of these states with the names of their repositories, the last changed first.
    pub async fn proposals_in(
        &self,
        states: &[ProposalState],
        limit: u32,
    ) -> Result<Vec<(Proposal, RepoName)>, StoreError> {
        let mut proposals = Vec::new();
        // Each state by its own walk along the index, instead of sorting all rows of all of them.
        for state in ProposalState::ALL.into_iter().filter(|state| states.contains(state)) {
            let rows: Vec<NamedProposalRecord> = self.rows(IN_STATE, values![state.as_str(), limit]).await?;
            for row in rows {
                proposals.push(row.read()?);
            }
        }
        proposals.sort_by(|(a, _), (b, _)| (b.updated_at, &b.id).cmp(&(a.updated_at, &a.id)));
        proposals.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(proposals)
    }

    /// How many proposals there are in each state that has any.
    pub async fn proposal_counts(&self) -> Result<Vec<(ProposalState, i64)>, StoreError> {
        let rows: Vec<(String, i64)> = self.rows(COUNTS, values![]).await?;
        rows.into_iter()
            .map(|(state, count)| Ok((word("proposal.state", &state, ProposalState::from_word)?, count)))
            .collect()
    }

    /// The bot's open pull requests in the repositories of an installation that may be worked on, and those that people or the
    /// bot closed since a time.
    pub async fn pulls_to_look_at(
        &self,
        installation: InstallationId,
        closed_since: Timestamp,
    ) -> Result<Vec<(RepoId, PullNumber)>, StoreError> {
        let rows: Vec<(i64, i64)> = self.rows(PULLS_TO_LOOK_AT, values![installation, closed_since]).await?;
        Ok(rows.into_iter().map(|(repo, number)| (RepoId(repo), PullNumber(number))).collect())
    }

    /// The failed proposals in the repositories of an installation that may be worked on.
    pub async fn failed_proposals_of(&self, installation: InstallationId) -> Result<Vec<Proposal>, StoreError> {
        let rows: Vec<ProposalRecord> = self.rows(FAILED_OF_INSTALLATION, values![installation]).await?;
        rows.into_iter().map(ProposalRecord::read).collect()
    }

    /// What happened to a proposal, in order.
    pub async fn ledger(&self, proposal: &ProposalId) -> Result<Vec<LedgerRow>, StoreError> {
        let rows: Vec<(i64, String, String)> = self.rows(LEDGER, values![proposal]).await?;
        Ok(rows.into_iter().map(|(at, what, detail)| LedgerRow { at: time(at), what, detail }).collect())
    }

    /// What happened to each proposal of a repository, in order.
    pub async fn ledgers(&self, repo: RepoId) -> Result<HashMap<ProposalId, Vec<LedgerRow>>, StoreError> {
        let rows: Vec<(String, i64, String, String)> = self.rows(LEDGERS, values![repo]).await?;
        let mut ledgers: HashMap<ProposalId, Vec<LedgerRow>> = HashMap::new();
        for (proposal, at, what, detail) in rows {
            ledgers.entry(ProposalId(proposal)).or_default().push(LedgerRow { at: time(at), what, detail });
        }
        Ok(ledgers)
    }
}

impl Tx {
    /// Stores a proposal, new or changed (by its id). Its repository has to be stored before, and where it takes the
    /// place of one that waits in the same group, that one first.
    pub async fn save_proposal(&mut self, proposal: &Proposal) -> Result<(), StoreError> {
        self.execute(SAVE, row(proposal)?).await.map(drop)
    }

    /// Stores many proposals, in this order and none twice, as [`Tx::save_proposal`] stores one.
    pub async fn save_proposals<'p>(
        &mut self,
        proposals: impl IntoIterator<Item = &'p Proposal>,
    ) -> Result<(), StoreError> {
        let rows = proposals.into_iter().map(row).collect::<Result<Vec<_>, StoreError>>()?;
        self.execute_for(SAVE, rows).await
    }

    /// The bot's open pull requests in a repository.
    pub async fn open_pulls(&mut self, repo: RepoId) -> Result<Vec<PullNumber>, StoreError> {
        let rows: Vec<(i64,)> = self.rows(OPEN_PULLS, values![repo]).await?;
        Ok(rows.into_iter().map(|(number,)| PullNumber(number)).collect())
    }

    /// Adds a line to a proposal's ledger. Lines are never changed.
    pub async fn record(
        &mut self,
        proposal: &ProposalId,
        at: Timestamp,
        what: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        self.execute(RECORD, line(proposal, at, what, detail)).await.map(drop)
    }

    /// Adds lines of one moment to the ledgers of many proposals: of each, what happened and its circumstances.
    pub async fn record_all<'l>(
        &mut self,
        at: Timestamp,
        lines: impl IntoIterator<Item = (&'l ProposalId, &'l str, &'l str)>,
    ) -> Result<(), StoreError> {
        let rows = lines.into_iter().map(|(proposal, what, detail)| line(proposal, at, what, detail)).collect();
        self.execute_for(RECORD, rows).await
    }
}

/// A line of a ledger as the table takes it.
fn line(proposal: &ProposalId, at: Timestamp, what: &str, detail: &str) -> Vec<Value> {
    values![Uuid::now_v7().to_string(), proposal, at, what, detail]
}

/// A proposal as the table takes it.
fn row(proposal: &Proposal) -> Result<Vec<Value>, StoreError> {
    let pull = proposal.pull.as_ref();
    Ok(values![
        &proposal.id,
        proposal.repo,
        &proposal.group,
        &proposal.content,
        proposal.state.as_str(),
        &proposal.reason,
        proposal.due_at,
        &proposal.title,
        &proposal.branch,
        to_json("proposal.updates", &proposal.updates)?,
        to_json("proposal.labels", &proposal.labels)?,
        pull.map(|pull| pull.number),
        pull.map(|pull| &pull.url),
        pull.map(|pull| &pull.head),
        proposal.checks.as_ref(),
        proposal.created_at,
        proposal.opened_at,
        proposal.updated_at
    ])
}

impl NamedProposalRecord {
    pub(super) fn read(self) -> Result<(Proposal, RepoName), StoreError> {
        let name = parsed("repository.name", &self.repository_name, RepoName::parse)?;
        Ok((self.proposal.read()?, name))
    }
}

impl ProposalRecord {
    fn read(self) -> Result<Proposal, StoreError> {
        let pull = match (self.pull_number, self.pull_url, self.pull_head) {
            (Some(number), Some(url), Some(head)) => Some(PullRequest {
                number: PullNumber(number),
                url,
                head: parsed("proposal.pull_head", &head, ObjectId::parse)?,
            }),
            _ => None,
        };
        Ok(Proposal {
            id: ProposalId(self.id),
            repo: RepoId(self.repo_id),
            group: self.group_name,
            content: self.content,
            state: word("proposal.state", &self.state, ProposalState::from_word)?,
            reason: self.reason,
            due_at: time(self.due_at),
            title: self.title,
            branch: self.branch,
            updates: from_json("proposal.updates", &self.updates)?,
            labels: from_json("proposal.labels", &self.labels)?,
            pull,
            checks: self.checks,
            created_at: time(self.created_at),
            opened_at: self.opened_at.map(time),
            updated_at: time(self.updated_at),
        })
    }
}

//! Looks at the subscription file of a commit, and says in a check run what is wrong with it or what it would do.
//!
//! The file is judged and never obeyed: what counts is read by *sync*, from the default branch alone. A check run is made
//! once for a commit: which one it is, and what it says, is stored; where that is not known for certain, it is looked
//! for before it is made. What takes time, because a repository has to be read or packages to be looked up, comes after the
//! first words.

mod lookups;
mod words;

use self::words::{CHECK, Finding, check_of};
use super::plan::foresee::Ahead;
use super::{Done, StepError, Writing, finished, index, line, sync, target};
use crate::domain::{Examined, ObjectId, ProposalState, RepoId, RepoState};
use crate::forge::{CheckRun, ForgeError, GitHub, OwnCheck, Target};
use crate::planner::preview::{InForce, Place as Standing, Preview, looking, preview, problems, removed, too_large};
use crate::registries::Registries;
use crate::store::{Config, ConfigState, Examination, RepositoryRow, Store, StoreError};
use crate::subscription::{self, SubscriptionFile};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use sync::Found;

/// Examines one commit. `again`: somebody asks for it although nothing may have changed.
pub async fn examine(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
    (repo, commit, again): (RepoId, &ObjectId, bool),
    writing: &Writing<'_>,
) -> Result<Done, StepError> {
    let (Some(row), Some(known)) = (store.repository(repo).await?, store.examination(repo, commit).await?) else {
        return finished(store).await;
    };
    if row.repository.state != RepoState::Active || row.repository.fork {
        return finished(store).await;
    }
    let one = Look { store, forge, registries, row: &row, known: &known, again, writing };
    if !again && one.is_overtaken().await? {
        return finished(store).await;
    }
    let (outcome, blob, said) = match one.take().await {
        Ok(Some(Said { blob, hash })) => (Examined::Said, blob, Some(hash)),
        Ok(None) => (Examined::Nothing, None, None),
        Err(StepError::Forge(error)) => (one.outcome_of(error).await?, None, None),
        Err(error) => return Err(error),
    };
    let mut tx = store.begin().await?;
    tx.end_examination((repo, commit), outcome, (blob.as_ref(), said.as_deref()), writing.clock.now()).await?;
    Ok(Done::Finished(tx))
}

/// One look at one commit.
struct Look<'a> {
    store: &'a Store,
    forge: &'a GitHub,
    registries: &'a Registries,
    row: &'a RepositoryRow,
    known: &'a Examination,
    again: bool,
    writing: &'a Writing<'a>,
}

/// What stands in the check run now.
struct Said {
    blob: Option<ObjectId>,
    hash: String,
}

impl Look<'_> {
    fn target(&self) -> Target {
        target(self.row)
    }

    fn commit(&self) -> &ObjectId {
        &self.known.asked.commit
    }

    /// Whether the commit is the head of the default branch, so that its file counts.
    fn is_default(&self) -> bool {
        self.row.head.as_ref().is_some_and(|head| head.commit == *self.commit())
    }

    /// Whether somebody has pushed on top of the commit: the newer one is looked at instead.
    async fn is_overtaken(&self) -> Result<bool, StoreError> {
        let default = self.row.repository.default_branch.as_deref();
        let was_head = default.is_some_and(|branch| self.known.asked.place.is_branch(branch));
        Ok((was_head && !self.is_default()) || self.store.is_followed(&self.known.asked).await?)
    }

    /// Looks, and says what is to be said; `None` where that is nothing.
    async fn take(&self) -> Result<Option<Said>, StepError> {
        let entries = self.forge.root(&self.target(), self.commit()).await?;
        let found = sync::find_in(self.forge, &self.target(), &entries, &Config::none()).await?;
        let asked = &self.known.asked;
        let said_before = match &asked.follows {
            Some(follows) => {
                let before = self.store.examination(asked.repo, follows).await?;
                before.is_some_and(|before| before.outcome == Some(Examined::Said))
            }
            None => false,
        };
        let insist = self.again || self.is_default() || said_before || self.known.outcome == Some(Examined::Said);
        let config = &self.row.config;
        let is_another = |path: &_, blob: &_| (Some(path), Some(blob)) != (config.path.as_ref(), config.blob.as_ref());
        match found {
            Found::None => {
                let was_there = config.state != ConfigState::None || said_before || (self.is_default() && asked.named);
                match was_there && (asked.named || insist) {
                    true => self.say_removed().await.map(Some),
                    false => Ok(None),
                }
            }
            Found::Unchanged => Ok(None),
            Found::File { path, blob, .. } | Found::Unreadable { path, blob, .. }
                if !insist && !is_another(&path, &blob) =>
            {
                Ok(None)
            }
            Found::Unreadable { path, blob, problem } => {
                self.say_problems(path.as_str(), &[problem], blob).await.map(Some)
            }
            Found::File { path, blob, bytes } => match subscription::parse(&bytes) {
                Err(problems) => self.say_problems(path.as_str(), &problems, blob).await.map(Some),
                Ok(file) => self.say_preview(path.as_str(), &file, blob).await.map(Some),
            },
        }
    }

    /// Whether the file counts already.
    fn standing(&self) -> Standing {
        if self.is_default() { Standing::Default } else { Standing::Proposed }
    }

    async fn say_problems(
        &self,
        path: &str,
        found: &[subscription::Problem],
        blob: ObjectId,
    ) -> Result<Said, StepError> {
        let in_force = match self.row.config.file {
            Some(_) => InForce::Since(self.store.config_commit(self.row.repository.id).await?),
            None => InForce::None,
        };
        let words = problems(path, found, self.standing(), &in_force);
        let hash = self.say(&check_of(words, Finding::Problems(path, found)), None).await?.0;
        Ok(Said { blob: Some(blob), hash })
    }

    async fn say_removed(&self) -> Result<Said, StepError> {
        let all = self.store.proposals(self.row.repository.id).await?;
        let number = |state| all.iter().filter(|proposal| proposal.state == state).count();
        let numbers = (number(ProposalState::Waiting), number(ProposalState::Open));
        let words = removed(self.standing(), numbers);
        let hash = self.say(&check_of(words, Finding::Removed), None).await?.0;
        Ok(Said { blob: None, hash })
    }

    /// Says what a valid file would do; that it is valid comes first, where the rest takes time.
    async fn say_preview(&self, path: &str, file: &SubscriptionFile, blob: ObjectId) -> Result<Said, StepError> {
        let (row, now) = (self.row, self.writing.clock.now());
        let in_force = sync::file_in_force(&row.config)?;
        let is_indexed = in_force.is_some() && row.indexed_commit.is_some();
        let mut check = None;
        let mut looked_up = BTreeMap::new();
        let (mut unread, mut dependencies) = (0, None);
        if !is_indexed {
            check = Some(self.say_looking(path).await?);
            match index::dependencies_at(self.forge, &self.target(), self.commit()).await {
                Ok((found, left_out)) => (dependencies, unread) = (Some(found), left_out),
                // What was begun is to be ended.
                Err(ForgeError::TooLarge { .. }) => {
                    let hash = self.say(&check_of(too_large(path), Finding::Valid), check).await?.0;
                    return Ok(Said { blob: Some(blob), hash });
                }
                Err(error) => return Err(error.into()),
            }
        }
        let mut ahead = Ahead::load(self.store, row, file, dependencies.clone(), now).await?;
        let unknown = ahead.unknown();
        if !unknown.is_empty() {
            if check.is_none() {
                check = Some(self.say_looking(path).await?);
            }
            looked_up = lookups::look_up(self.registries, unknown, now).await;
            ahead.learn(looked_up.clone());
        }
        let foreseen = ahead.foresee(self.registries, now);
        let before = match in_force.filter(|in_force| in_force != file && !self.is_default()) {
            Some(in_force) => {
                let mut stands = Ahead::load(self.store, row, &in_force, dependencies, now).await?;
                stands.learn(looked_up);
                Some(stands.foresee(self.registries, now).plan)
            }
            None => None,
        };
        let words = preview(
            &Preview {
                path,
                place: self.standing(),
                file,
                plan: &foreseen.plan,
                ready: &foreseen.ready,
                before: before.as_ref(),
                unread,
            },
            now,
        );
        let hash = self.say(&check_of(words, Finding::Valid), check).await?.0;
        Ok(Said { blob: Some(blob), hash })
    }

    async fn say_looking(&self, path: &str) -> Result<OwnCheck, StepError> {
        Ok(self.say(&check_of(looking(path), Finding::Unknown), None).await?.1)
    }

    /// Makes the check run say this, unless it does; returns a hash of the words. `known` is the run that was made just now.
    async fn say(&self, run: &CheckRun, known: Option<OwnCheck>) -> Result<(String, OwnCheck), StepError> {
        let (target, commit) = (self.target(), self.commit());
        let hash = hash_of(run)?;
        if let (false, Some(id), Some(said)) = (self.again, self.known.check_run, &self.known.said)
            && *said == hash
        {
            return Ok((hash, OwnCheck { id, annotations: run.annotations.len() }));
        }
        let may_be_there = self.known.check_run.is_some() || self.writing.lease.work.claims > 1;
        let mut there = match known {
            None if may_be_there => self.forge.own_check(&target, commit, (CHECK, &run.reference)).await?,
            known => known,
        };
        loop {
            self.cut_in().await?;
            let updated = match there {
                Some(known) => Some(self.forge.update_check(&target, known, run).await?),
                None => None,
            };
            let check = match updated {
                Some(check) => check,
                None => self.forge.start_check(&target, commit, run).await?,
            };
            if there.is_none() {
                let mut tx = self.store.begin().await?;
                tx.still_ours(self.writing.lease).await?;
                tx.save_check_run(self.row.repository.id, commit, check.id).await?;
                tx.commit().await?;
            }
            if check.annotations >= run.annotations.len() {
                return Ok((hash, check));
            }
            there = Some(check);
        }
    }

    /// People wait for this one: it goes in front of the line of writes, which then begins a little later.
    async fn cut_in(&self) -> Result<(), StoreError> {
        let Writing { lease, pace, clock } = *self.writing;
        line::cut_in(self.store, lease, self.row.repository.installation, clock.now(), pace).await
    }

    /// What an error of GitHub's makes of a look; those that pass by themselves are errors.
    async fn outcome_of(&self, error: ForgeError) -> Result<Examined, StepError> {
        let (repository, commit) = (&self.row.repository.name, self.commit());
        match error {
            ForgeError::Forbidden { .. } => {
                // Said once for a repository, not with every push.
                if !self.store.is_refused(self.row.repository.id).await? {
                    tracing::warn!(%repository, %commit, %error, "nothing can be said of subscription files in check runs");
                }
                Ok(Examined::Refused)
            }
            // The commit or the repository is gone, or cannot be read: there is nobody to tell.
            ForgeError::Gone { .. }
            | ForgeError::Invalid { .. }
            | ForgeError::Empty { .. }
            | ForgeError::Archived { .. }
            | ForgeError::StaleBase { .. }
            | ForgeError::TooLarge { .. } => {
                tracing::info!(%repository, %commit, %error, "a subscription file was not examined");
                Ok(Examined::Nothing)
            }
            error => Err(error.into()),
        }
    }
}

fn hash_of(run: &CheckRun) -> Result<String, StepError> {
    let text = serde_json::to_vec(run).map_err(|error| StepError::Corrupt(format!("a check run: {error}")))?;
    Ok(hex::encode(&Sha256::digest(text)[..16]))
}

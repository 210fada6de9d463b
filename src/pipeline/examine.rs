//! Looks at the subscription file of a commit, and says in a check run what is wrong with it or what it would do.
//!
//! The file is judged and never obeyed: what counts is read by *sync*, from the default branch alone. A check run is made
//! once for a commit: which one it is, and what it says, is stored; where that is not known for certain, it is looked
//! for before it is made. What takes time, because a repository has to be read or packages to be looked up, comes after the
//! first words.

pub mod lookups;
mod words;

use self::words::{CHECK, Finding, Organisation, check_of};
use super::follow::is_final;
use super::plan::foresee::{Ahead, closing};
use super::plan::partings::NO_FILE;
use super::retry::next_attempt;
use super::{Done, StepError, Writing, finished, index, line, sync, target};
use crate::domain::{Examined, ObjectId, Place, ProposalState, RepoId, RepoState};
use crate::forge::{CheckRun, ForgeError, GitHub, OwnCheck, Target, TreeEntry};
use crate::planner::preview::{
    Closing, InForce, Place as Standing, Preview, Words, looking, preview, problems, removed, too_large, unreadable,
};
use crate::registries::Registries;
use crate::store::{Config, ConfigState, Examination, RepositoryRow, Store, StoreError};
use crate::subscription::{Problem, SubscriptionFile};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

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
    let mut one = Look { store, forge, registries, row: &row, known: &known, again, organisation: None, writing };
    // What was begun is to be ended.
    let is_begun = known.check_run.is_some() && known.said.is_none();
    if !again && !is_begun && store.is_followed(&known.asked).await? {
        // Somebody has pushed on top of it: the newer commit is looked at instead.
        return finished(store).await;
    }
    let (outcome, blob, said) = match one.take().await {
        Ok(Some(Said { blob, hash })) => (Examined::Said, blob, Some(hash)),
        Ok(None) => (Examined::Nothing, None, None),
        Err(error) => {
            let outcome = match error {
                StepError::Forge(error) => one.outcome_of(error).await,
                error => Err(error),
            };
            let work = &writing.lease.work;
            let is_given_up =
                |error| next_attempt(error, (work.attempts, work.refusals), writing.clock.now()).is_none();
            if outcome.as_ref().err().is_none_or(is_given_up) {
                one.end_what_was_begun().await?;
            }
            (outcome?, None, None)
        }
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
    /// What there is to say of the organisation's file in the same commit.
    organisation: Option<Organisation>,
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

    /// Whether the commit is or was the head of the default branch.
    fn was_head(&self) -> bool {
        let default = self.row.repository.default_branch.as_deref();
        default.is_some_and(|branch| self.known.asked.place.is_branch(branch))
    }

    fn is_head(&self) -> bool {
        self.row.head.as_ref().is_some_and(|head| head.commit == *self.commit())
    }

    /// Looks, and says what is to be said; `None` where that is nothing.
    async fn take(&mut self) -> Result<Option<Said>, StepError> {
        let entries = self.forge.root(&self.target(), self.commit()).await?;
        self.organisation = self.read_organisation(&entries).await?;
        if let Some(said) = self.say_of_repository(&entries).await? {
            return Ok(Some(said));
        }
        let Some(organisation) = &self.organisation else { return Ok(None) };
        let hash = self.say(organisation.words(), Finding::Valid, None).await?.0;
        Ok(Some(Said { blob: organisation.blob.clone(), hash }))
    }

    /// The organisation's file, where the commit is in the repository that holds it and there is news of it.
    async fn read_organisation(&self, entries: &[TreeEntry]) -> Result<Option<Organisation>, StepError> {
        let repo = self.row.repository.id;
        if !sync::is_for_all(&self.row.repository.name) {
            return Ok(None);
        }
        let stored = self.store.organisation(repo).await?.unwrap_or_else(Config::none);
        let found = sync::find_in(&sync::ORGANISATION, self.forge, &self.target(), entries, &stored).await?;
        let judged = sync::config_after(&sync::ORGANISATION, &stored, found, self.writing.clock.now());
        let insist =
            self.again || self.known.asked.named || self.known.outcome == Some(Examined::Said) || self.is_head();
        let Some(path) = judged.path.as_ref().filter(|_| insist || judged != stored) else { return Ok(None) };
        let problems = sync::problems(&judged)?;
        let asks = sync::organisation_in_force(&judged)?.map(|file| file.in_words());
        Ok(Some(Organisation { path: path.to_string(), blob: judged.blob.clone(), problems, asks }))
    }

    /// Says what is to be said of the repository's own file, if anything is.
    async fn say_of_repository(&self, entries: &[TreeEntry]) -> Result<Option<Said>, StepError> {
        let found = sync::find_in(&sync::SUBSCRIPTIONS, self.forge, &self.target(), entries, &Config::none()).await?;
        let asked = &self.known.asked;
        let said_before = match &asked.follows {
            Some(follows) => {
                let before = self.store.examination(asked.repo, follows).await?;
                before.is_some_and(|before| before.outcome == Some(Examined::Said))
            }
            None => false,
        };
        let config = &self.row.config;
        // The same judgement as on the default branch.
        let judged = sync::config_after(&sync::SUBSCRIPTIONS, &Config::none(), found, self.writing.clock.now());
        let essence = |of: &Config| (of.path.clone(), of.blob.clone(), of.state, of.problems.clone());
        let is_known = essence(&judged) == essence(config);
        // Later pushes to the default branch may have left the file alone.
        let counts = self.is_head() || (self.was_head() && is_known);
        let insist = self.again || counts || said_before || self.known.outcome == Some(Examined::Said);
        if !insist && (is_known || self.was_head()) {
            return Ok(None);
        }
        let standing = if counts { Standing::Default } else { Standing::Proposed };
        let (Some(path), Some(blob)) = (&judged.path, &judged.blob) else {
            if sync::is_for_all(&self.row.repository.name) && config.state == ConfigState::None {
                // What was said and named there is the organisation's file.
                return Ok(None);
            }
            let was_there = config.state != ConfigState::None || said_before || (counts && asked.named);
            return match was_there && (asked.named || insist) {
                true => self.say_removed(standing).await.map(Some),
                false => Ok(None),
            };
        };
        let hash = match sync::file_in_force(&judged)? {
            Some(file) => self.say_preview(path.as_str(), &file, standing).await?,
            None => self.say_problems(path.as_str(), &sync::problems(&judged)?, standing).await?,
        };
        Ok(Some(Said { blob: Some(blob.clone()), hash }))
    }

    async fn say_problems(&self, path: &str, found: &[Problem], standing: Standing) -> Result<String, StepError> {
        let in_force = match self.row.config.file {
            Some(_) => InForce::Since(self.store.config_commit(self.row.repository.id).await?),
            None => InForce::None,
        };
        let words = problems(path, found, standing, &in_force);
        Ok(self.say(words, Finding::Problems(path, found), None).await?.0)
    }

    async fn say_removed(&self, standing: Standing) -> Result<Said, StepError> {
        let all = self.store.proposals(self.row.repository.id).await?;
        let of = |state| all.iter().filter(move |proposal| proposal.state == state);
        let closings: Vec<Closing> =
            of(ProposalState::Open).filter_map(|proposal| closing(proposal, NO_FILE)).collect();
        let words = removed(standing, of(ProposalState::Waiting).count(), &closings);
        let hash = self.say(words, Finding::Removed, None).await?.0;
        Ok(Said { blob: None, hash })
    }

    /// Says what a valid file would do; that it is valid comes first, where the rest takes time.
    async fn say_preview(&self, path: &str, file: &SubscriptionFile, standing: Standing) -> Result<String, StepError> {
        let (row, now) = (self.row, self.writing.clock.now());
        let in_force = sync::file_in_force(&row.config)?;
        let is_indexed = in_force.is_some() && row.indexed_commit.is_some();
        let mut check = None;
        let mut looked_up = BTreeMap::new();
        let (mut unread, mut dependencies) = (0, None);
        if !is_indexed {
            check = self.say_looking(path).await?;
            // Everybody may propose something from a fork, as often as they like.
            let share =
                if matches!(self.known.asked.place, Place::Pull(_)) { index::SMALL_SHARE } else { index::SHARE };
            match index::dependencies_at(self.forge, &self.target(), self.commit(), share).await {
                Ok((found, left_out)) => (dependencies, unread) = (Some(found), left_out),
                Err(ForgeError::TooLarge { .. }) => {
                    return Ok(self.say(too_large(path), Finding::Valid, check).await?.0);
                }
                Err(error) => return Err(error.into()),
            }
        }
        let mut ahead = Ahead::load(self.store, row, file, dependencies.clone(), now).await?;
        let unknown = ahead.unknown();
        if !unknown.is_empty() {
            if check.is_none() {
                check = self.say_looking(path).await?;
            }
            looked_up = lookups::look_up(self.registries, unknown, (lookups::PATIENCE, now)).await;
            ahead.learn(looked_up.clone());
        }
        let foreseen = ahead.foresee(self.registries, now);
        let before = match in_force.filter(|in_force| in_force != file && standing == Standing::Proposed) {
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
                place: standing,
                file,
                plan: &foreseen.plan,
                ready: &foreseen.ready,
                // What uses are in a file that was not read is not known.
                closings: if unread == 0 { &foreseen.closings } else { &[] },
                before: before.as_ref(),
                unread,
            },
            now,
        );
        Ok(self.say(words, Finding::Valid, check).await?.0)
    }

    /// Says that there is more to come, unless all of it stands there and may stay the same.
    async fn say_looking(&self, path: &str) -> Result<Option<OwnCheck>, StepError> {
        if self.known.said.is_some() && !self.again {
            return Ok(None);
        }
        Ok(Some(self.say(looking(path), Finding::Unknown, None).await?.1))
    }

    /// Makes the check run say this, unless it does; returns a hash of the words. `known` is the run that was made just now.
    async fn say(
        &self,
        words: Words,
        finding: Finding<'_>,
        known: Option<OwnCheck>,
    ) -> Result<(String, OwnCheck), StepError> {
        let run = &check_of(words, finding, self.organisation.as_ref());
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
        let mut noted = known.map(|known| known.id).or(self.known.check_run);
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
            // Also one that was found: whoever made it may have died before it was noted.
            if noted != Some(check.id) {
                let mut tx = self.store.begin().await?;
                tx.still_ours(self.writing.lease).await?;
                tx.save_check_run(self.row.repository.id, commit, check.id).await?;
                tx.commit().await?;
                noted = Some(check.id);
            }
            if check.annotations >= run.annotations.len() {
                return Ok((hash, check));
            }
            there = Some(check);
        }
    }

    /// Nothing more can be found out. A check run that says otherwise would do so for ever.
    async fn end_what_was_begun(&self) -> Result<(), StepError> {
        let noted = self.store.examination(self.row.repository.id, self.commit()).await?;
        let begun = noted.filter(|noted| noted.said.is_none() || self.again).and_then(|noted| noted.check_run);
        let Some(id) = begun else { return Ok(()) };
        self.cut_in().await?;
        let run = check_of(unreadable(), Finding::Unread, self.organisation.as_ref());
        match self.forge.update_check(&self.target(), OwnCheck { id, annotations: 0 }, &run).await {
            Err(error) if is_final(&error) => Ok(()),
            outcome => Ok(outcome.map(drop)?),
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

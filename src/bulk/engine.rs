//! The run itself: many repositories side by side, each on its own. What goes wrong with one is that one's outcome.
//!
//! Whatever is known of a repository is stored as soon as it is known. A run that was interrupted goes on from there, and what
//! was sent already is found again: the same change on the same base is the same commit.

use super::deliver::{Deliverer, DeliveryError, Place, name_of};
use super::git::{BareClone, Commit, ForgeCredential, Git, GitError, GitSettings};
use super::workshop::{Bench, Workshop};
use crate::activity::{Activity, ForRepository, ForgeKind};
use crate::domain::{Clock, PatchOutcome, Phase, RunId, RunRepository, RunState, SourcedRepository};
use crate::store::{Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

/// The most of a diff that is kept. Unit: bytes.
const DIFF_BYTES: usize = 1 << 20;
/// How long a run counts as alive after it last said so, and how often it does.
pub const ALIVE_FOR: SignedDuration = SignedDuration::from_secs(60);
const SAYS_SO_EVERY: std::time::Duration = std::time::Duration::from_secs(15);
/// Results that are stored in one transaction at most.
const SAVED_AT_ONCE: usize = 200;

/// How far repositories are taken in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// Up to the commit in the clone.
    Prepare,
    /// From the commit to the pull request.
    Deliver,
    /// All of it.
    Whole,
}

/// Who watches a run.
pub trait Watch: Send + Sync {
    /// Work on a repository begins.
    fn begins(&self, one: &RunRepository);
    /// Work on it ended for now.
    fn ended(&self, one: &RunRepository);
    /// Something people should know meanwhile.
    fn says(&self, what: &str);
}

/// What a run is given.
pub struct Engine {
    /// What work in clones needs.
    pub workshop: Workshop,
    /// How git is set up, for those repositories that need a token of their own.
    pub git: GitSettings,
    /// What is done.
    pub activity: Activity,
    /// Where pull requests go; `None` where none are opened.
    pub deliverer: Option<Deliverer>,
    /// Whether each repository has a token of its own.
    pub own_tokens: bool,
    /// Whether nothing leaves this machine.
    pub dry: bool,
    /// How many repositories are worked on at a time.
    pub parallel: usize,
    /// The run, and when it began: commits carry that time, so that a repeat makes the same ones.
    pub run: (RunId, Timestamp),
    /// Where what is known is stored.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who watches.
    pub watch: Arc<dyn Watch>,
}

/// A repository of a run, with what is to be done with it.
#[derive(Clone, Debug)]
pub struct Errand {
    /// How it stands.
    pub one: RunRepository,
    /// What is to be done.
    pub order: ForRepository,
}

/// What went wrong, and in which phase.
struct Failure {
    phase: Phase,
    why: String,
}

impl Failure {
    fn of(phase: Phase) -> impl Fn(DeliveryError) -> Self {
        move |error| Self { phase, why: error.to_string() }
    }

    fn git(phase: Phase) -> impl Fn(GitError) -> Self {
        move |error| Self { phase, why: error.to_string() }
    }
}

/// What is stored of a repository.
struct Saved {
    one: RunRepository,
    diff: Option<String>,
}

type Savings = mpsc::UnboundedSender<Saved>;

impl Engine {
    /// Takes repositories along a stretch, several at a time, and returns how they stand then, in their order. When `stop` says
    /// so, no other is begun, and those under way come to their end.
    ///
    /// Errors: [`StoreError`] where what is known cannot be stored; then no other is begun either.
    pub async fn go(
        self: &Arc<Self>,
        errands: Vec<Errand>,
        stretch: Stretch,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Vec<Errand>, StoreError> {
        let (savings, saver) = self.saver();
        let places = Arc::new(Semaphore::new(self.parallel.max(1)));
        let mut done: Vec<Errand> = Vec::with_capacity(errands.len());
        let mut under_way = JoinSet::new();
        let mut known: HashMap<tokio::task::Id, Errand> = HashMap::new();
        let mut errands = errands.into_iter();
        loop {
            let next = tokio::select! {
                // A stop counts before whatever else could be begun.
                biased;
                () = async { drop(stop.wait_for(|stop| *stop).await) } => None,
                Some(ended) = under_way.join_next_with_id(), if !under_way.is_empty() => {
                    done.push(self.ended(ended, &mut known, &savings));
                    continue;
                }
                place = Arc::clone(&places).acquire_owned() => place.ok().and_then(|place| Some((place, errands.next()?))),
            };
            let Some((place, errand)) = next.filter(|_| !savings.is_closed()) else { break };
            if errand.one.state != RunState::Waiting {
                done.push(errand);
                continue;
            }
            let (engine, savings, kept) = (Arc::clone(self), savings.clone(), errand.clone());
            let task = under_way.spawn(async move {
                let errand = engine.errand(errand, stretch, &savings).await;
                drop(place);
                errand
            });
            known.insert(task.id(), kept);
        }
        while let Some(ended) = under_way.join_next_with_id().await {
            done.push(self.ended(ended, &mut known, &savings));
        }
        done.extend(errands);
        drop(savings);
        match saver.await {
            Ok(saved) => saved?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
        done.sort_by_key(|errand| errand.one.position);
        Ok(done)
    }

    /// Takes in what a task came to. One that panicked is a failure of its repository, and of no other.
    fn ended(
        &self,
        ended: Result<(tokio::task::Id, Errand), tokio::task::JoinError>,
        known: &mut HashMap<tokio::task::Id, Errand>,
        savings: &Savings,
    ) -> Errand {
        let (id, errand) = match ended {
            Ok((id, errand)) => (id, Some(errand)),
            Err(error) => (error.id(), None),
        };
        let before = known.remove(&id);
        let mut errand = match (errand, before) {
            (Some(errand), _) => errand,
            (None, Some(mut errand)) => {
                let why = "mass-driver itself failed at this repository; that is a fault of it, please report it";
                (errand.one.state, errand.one.reason) = (RunState::Failed, Some(why.into()));
                self.save(&errand.one, None, savings);
                errand
            }
            // Each task is in the table before it can end.
            (None, None) => unreachable!("a task that nobody began"),
        };
        errand.one.reason = errand.one.reason.take().filter(|reason| !reason.is_empty());
        self.watch.ended(&errand.one);
        errand
    }

    async fn errand(&self, mut errand: Errand, stretch: Stretch, savings: &Savings) -> Errand {
        self.watch.begins(&errand.one);
        if let Err(Failure { phase, why }) = self.attempt(&mut errand, stretch, savings).await {
            (errand.one.phase, errand.one.state, errand.one.reason) = (phase, RunState::Failed, Some(why));
        }
        self.save(&errand.one, None, savings);
        errand
    }

    async fn attempt(&self, errand: &mut Errand, stretch: Stretch, savings: &Savings) -> Result<(), Failure> {
        let Errand { one, order } = errand;
        let repository = one.repository.clone();
        let place = match &self.deliverer {
            Some(deliverer) if self.own_tokens => Some((deliverer, self.place(deliverer, &repository).await?)),
            _ => None,
        };
        let own;
        let git = match &place {
            Some((deliverer, place)) => {
                own = self.git_of(deliverer, place).await?;
                &own
            }
            None => &self.workshop.git,
        };
        let folder = match (stretch, &order.migration) {
            (Stretch::Deliver, Some(_)) => one.folder.clone(),
            (_, None) if self.pushes() => {
                let known = self.store.last_change_of(&repository.clone_url).await;
                let known = known.map_err(|error| Failure { phase: Phase::Clone, why: error.to_string() })?;
                known.and_then(|(commit, folder)| {
                    one.commit = Some(commit);
                    folder
                })
            }
            _ => None,
        };
        let mut bench = None;
        if let Some(folder) = folder {
            let again = git.reopen(&repository, Path::new(&folder)).await.map_err(Failure::git(Phase::Clone))?;
            bench = again.map(|clone| Bench::new(&self.workshop, &repository, clone));
        }
        let mut commit = None;
        if let (Some(bench), Some(id)) = (&mut bench, &one.commit) {
            commit = bench.clone.made(id).await.map_err(Failure::git(Phase::Push))?;
        }
        let kept = bench.filter(|_| commit.is_some());
        let mut bench = match kept {
            Some(bench) => bench,
            // What was prepared is gone, or nothing was: the same change on the same base is the same commit.
            None => {
                let clone = git.clone(&repository).await.map_err(Failure::git(Phase::Clone))?;
                one.base_branch = clone.branch().map(str::to_owned);
                one.base = Some(clone.base().clone());
                one.folder = Some(clone.folder().display().to_string());
                if clone.leaves_out_uncommitted() {
                    self.watch.says(&format!("{}: what is not committed there stays out of it", repository.id));
                }
                let mut bench = Bench::new(&self.workshop, &repository, clone);
                commit = self.prepare(&mut bench, one, order, savings).await?;
                bench
            }
        };
        if stretch == Stretch::Prepare && self.goes_on(one) {
            return Ok(());
        }
        self.deliver(&mut bench.clone, place.map(|(_, place)| place), one, order, commit, savings).await?;
        one.state = RunState::Done;
        Ok(())
    }

    /// Whether something of a repository is still to be delivered after it was prepared.
    fn goes_on(&self, one: &RunRepository) -> bool {
        let changed = one.outcome.is_none_or(|outcome| outcome == PatchOutcome::Patched);
        !self.dry && self.activity.forge.is_some() && changed
    }

    /// Whether commits are pushed at all.
    fn pushes(&self) -> bool {
        !self.dry
            && self.activity.forge.as_ref().is_some_and(|forge| forge.git_push_first && forge.kind != ForgeKind::Dummy)
    }

    async fn place(&self, deliverer: &Deliverer, repository: &SourcedRepository) -> Result<Place, Failure> {
        let name = name_of(&repository.clone_url).map_err(Failure::of(Phase::Propose))?;
        deliverer.place(&name).await.map_err(Failure::of(Phase::Propose))
    }

    /// git with a token for one repository.
    async fn git_of(&self, deliverer: &Deliverer, place: &Place) -> Result<Git, Failure> {
        // Whether workflows change is known only later; where the App may not change any, the token is refused as a whole.
        let token = match deliverer.git_token(place, true).await {
            Ok(token) => Ok(token),
            Err(_) => deliverer.git_token(place, false).await,
        };
        let token = token.map_err(|error| Failure { phase: Phase::Clone, why: error.to_string() })?;
        let credential = Some(ForgeCredential { host: place.host(), token });
        Ok(Git::new(GitSettings { credential, ..self.git.clone() }))
    }

    /// Scans and patches. Returns the commit, where there is one.
    async fn prepare(
        &self,
        bench: &mut Bench<'_, '_>,
        one: &mut RunRepository,
        order: &ForRepository,
        savings: &Savings,
    ) -> Result<Option<Commit>, Failure> {
        if let Some(scan) = &self.activity.scan {
            one.phase = Phase::Scan;
            one.scans = bench.scan(scan, self.clock.now()).await.map_err(Failure::git(Phase::Scan))?;
            let failed: Vec<String> = (one.scans.iter())
                .filter_map(|(name, scanned)| Some(format!("{name}: {}", scanned.facts.as_ref().err()?)))
                .collect();
            if !failed.is_empty() && order.migration.is_none() {
                return Err(Failure { phase: Phase::Scan, why: failed.join("; ") });
            }
        }
        let (Some(migration), Some(section)) = (&order.migration, &self.activity.migration) else { return Ok(None) };
        one.phase = Phase::Patch;
        one.branch = Some(migration.branch.clone());
        let made = bench.patch(migration, &section.allow, self.run.1).await.map_err(Failure::git(Phase::Patch))?;
        (one.outcome, one.reason) = (Some(made.outcome), made.note.clone());
        if made.outcome == PatchOutcome::Error {
            return Err(Failure { phase: Phase::Patch, why: made.note.unwrap_or_default() });
        }
        let Some(commit) = made.commit else { return Ok(None) };
        one.commit = Some(commit.id.clone());
        let diff = bench.clone.diff(&commit, DIFF_BYTES).await.map_err(Failure::git(Phase::Patch))?;
        let diff = if diff.1 { diff.0 } else { diff.0 + "\n… the rest is not kept\n" };
        self.save(one, Some(diff), savings);
        Ok(Some(commit))
    }

    async fn deliver(
        &self,
        clone: &mut BareClone<'_>,
        place: Option<Place>,
        one: &mut RunRepository,
        order: &ForRepository,
        commit: Option<Commit>,
        savings: &Savings,
    ) -> Result<(), Failure> {
        let (Some(forge), Some(words)) = (&self.activity.forge, &order.forge) else { return Ok(()) };
        if !self.goes_on(one) {
            return Ok(());
        }
        if forge.kind == ForgeKind::Dummy {
            let said = format!("a pull request would be opened: {}", words.title);
            one.reason = Some(one.reason.take().map_or(said.clone(), |reason| format!("{reason}; {said}")));
            return Ok(());
        }
        let Some(deliverer) = &self.deliverer else { return Ok(()) };
        let place = match place {
            Some(place) => place,
            None => self.place(deliverer, &one.repository).await?,
        };
        one.branch = Some(words.head_branch.clone());
        let mut moved = false;
        if forge.git_push_first {
            one.phase = Phase::Push;
            let Some(commit) = commit else {
                let why = format!(
                    "no run has made a change here that could be pushed as {}: run an Activity with a `migration` first, or \
                     put both sections into one",
                    words.head_branch
                );
                return Err(Failure { phase: Phase::Push, why });
            };
            one.commit = Some(commit.id.clone());
            let url = &one.repository.clone_url;
            let earlier = self.store.pushed_by_runs(url, &words.head_branch).await;
            let earlier = earlier.map_err(|error| Failure { phase: Phase::Push, why: error.to_string() })?;
            let push = deliverer.push(&place, clone, &commit, &words.head_branch, &earlier);
            let (there, has_moved) = push.await.map_err(Failure::of(Phase::Push))?;
            (one.pushed, moved) = (Some(there), has_moved);
            self.save(one, None, savings);
        }
        one.phase = Phase::Propose;
        let proposed = deliverer.propose(&place, forge, words, one.base_branch.as_deref(), moved).await;
        let (pull, note) = proposed.map_err(Failure::of(Phase::Propose))?;
        one.pull = Some(pull);
        if let Some(note) = note {
            one.reason = Some(one.reason.take().map_or(note.clone(), |reason| format!("{reason}; {note}")));
        }
        Ok(())
    }

    fn save(&self, one: &RunRepository, diff: Option<String>, savings: &Savings) {
        // If nobody stores anything any more, the run ends with what the saver met.
        let _ = savings.send(Saved { one: one.clone(), diff });
    }

    /// Stores what comes in, many at a time, and says meanwhile that the run is alive.
    fn saver(self: &Arc<Self>) -> (Savings, tokio::task::JoinHandle<Result<(), StoreError>>) {
        let (savings, mut come_in) = mpsc::unbounded_channel::<Saved>();
        let engine = Arc::clone(self);
        let saver = tokio::spawn(async move {
            let mut alive = tokio::time::interval(SAYS_SO_EVERY);
            let mut some = Vec::new();
            loop {
                let is_over = tokio::select! {
                    count = come_in.recv_many(&mut some, SAVED_AT_ONCE) => count == 0,
                    _ = alive.tick() => false,
                };
                let run = engine.run.0;
                let mut tx = engine.store.begin().await?;
                for Saved { one, diff } in some.drain(..) {
                    tx.save_run_repository(run, &one).await?;
                    if let Some(diff) = diff {
                        tx.save_run_diff(run, one.position, &diff).await?;
                    }
                }
                tx.keep_run_alive(run, engine.clock.now() + ALIVE_FOR).await?;
                tx.commit().await?;
                if is_over {
                    return Ok(());
                }
            }
        });
        (savings, saver)
    }
}

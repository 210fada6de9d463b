//! Brings repositories without a subscription file the one pull request that adds it, where their organisation asks for that.
//!
//! What an organisation asks for stands in a file of its own, in its repository `.github`, which *sync* reads. A repository is
//! asked once: its row stays, whatever became of the pull request, and a person's no is a no for good.
//!
//! One step does it all, since each time it looks how far things have come: it begins, goes on with what is being sent, follows
//! the pull request, or lets it go. What is sent is written down before its first request, and goes the way of every other
//! change: see [`execute`](super::execute). Organisations are large, and many new pull requests at once are no welcome: an
//! installation gets a few a day.

mod before;
mod begin;
mod follow;
mod send;

use super::{Done, Step, StepError, Writing, finished, sync};
use crate::domain::{
    Head, InstallationId, Onboarding, OnboardingState, PullRequest, RepoId, RepoName, RepoState, Repository,
};
use crate::forge::GitHub;
use crate::registries::Registries;
use crate::store::{Config, ConfigState, OrganisationRow, RepositoryRow, Store, StoreError, Tx};
use crate::subscription::OrganisationFile;
use jiff::{SignedDuration, Timestamp};

/// So many repositories of an installation are asked in a day.
pub const A_DAY_MAX: u32 = 20;
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// So many are looked at together: those in which nothing is found take up none of the day's number.
const PORTION: usize = 100;
/// What failed was seen by nobody: it is tried anew when so much time has passed, or when the App's permissions change.
const FAILED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long to wait before the next ones are.
const BETWEEN_PORTIONS: SignedDuration = SignedDuration::from_mins(15);

/// What an organisation asks for.
pub(super) struct Wish {
    file: OrganisationFile,
    /// The account.
    account: String,
    /// Where its file can be read.
    link: String,
}

impl Wish {
    fn of(row: &OrganisationRow) -> Result<Self, StepError> {
        let file = sync::organisation_in_force(&row.config)?.unwrap_or_default();
        let path = row.config.path.as_ref().map_or("", |path| path.as_str());
        let link = format!("{}/blob/HEAD/{path}", row.web_url);
        Ok(Self { file, account: row.repository.owner().to_owned(), link })
    }

    fn asks(&self, repository: &RepoName) -> bool {
        self.file.asks_onboarding_of(repository.name())
    }
}

/// What the owner of an installation asks for; `None` where nobody can know, because the App may not read it.
pub(super) async fn wish(store: &Store, installation: InstallationId) -> Result<Option<Wish>, StepError> {
    store.organisation_of(installation).await?.as_ref().map(Wish::of).transpose()
}

/// Whether a repository could be asked, as far as its row tells. Pure.
fn may_be_asked(repository: &Repository, config: &Config, head: Option<&Head>) -> bool {
    repository.state == RepoState::Active
        && !repository.fork
        && repository.default_branch.is_some()
        && head.is_some()
        && config.state == ConfigState::None
}

/// Whether people had a file there, or have pull requests of ours: they know what they do.
async fn is_acquainted(store: &Store, repo: RepoId) -> Result<bool, StoreError> {
    Ok(store.config_commit(repo).await?.is_some() || !store.proposals(repo).await?.is_empty())
}

/// Whether there is anything to be done about a repository that was just read, or pushed to.
pub(super) async fn is_due(
    store: &Store,
    (repository, config, head): (&Repository, &Config, Option<&Head>),
) -> Result<bool, StepError> {
    Ok(match store.onboarding(repository.id).await? {
        Some(Onboarding { state: OnboardingState::Opening, .. } | Onboarding { farewell: Some(_), .. }) => true,
        Some(Onboarding { state: OnboardingState::Open, base_branch, .. }) => {
            config.state != ConfigState::None || base_branch.is_some_and(|base| repository.default_branch != Some(base))
        }
        Some(one) if one.state != OnboardingState::Nothing => false,
        Some(one) if head.is_some_and(|head| head.commit == one.commit) => false,
        _ if !may_be_asked(repository, config, head) => false,
        _ => wish(store, repository.installation).await?.is_some_and(|wish| wish.asks(&repository.name)),
    })
}

/// Does what is next about the onboarding of a repository.
pub async fn onboard(
    store: &Store,
    (forge, registries): (&GitHub, &Registries),
    repo: RepoId,
    writing: &Writing<'_>,
) -> Result<Done, StepError> {
    let Some(row) = store.repository(repo).await? else { return finished(store).await };
    let wish = wish(store, row.repository.installation).await?;
    let onboarding = store.onboarding(repo).await?;
    let before = onboarding.as_ref().and_then(|one| one.pull.clone());
    let case = Case { store, forge, row: &row, wish: wish.as_ref(), writing, before, now: writing.clock.now() };
    match onboarding {
        None => begin::begin(&case, registries).await,
        Some(one) => match one.state {
            OnboardingState::Nothing => begin::begin(&case, registries).await,
            OnboardingState::Failed if one.updated_at < case.now - FAILED_FOR => begin::begin(&case, registries).await,
            OnboardingState::Opening => send::go_on(&case, one).await,
            OnboardingState::Open
            | OnboardingState::Merged
            | OnboardingState::Closed
            | OnboardingState::Withdrawn
            | OnboardingState::Failed => follow::follow(&case, one).await,
        },
    }
}

/// What everybody here needs to know.
struct Case<'a> {
    store: &'a Store,
    forge: &'a GitHub,
    row: &'a RepositoryRow,
    wish: Option<&'a Wish>,
    writing: &'a Writing<'a>,
    /// The pull request of which is known what became of it.
    before: Option<PullRequest>,
    now: Timestamp,
}

impl Case<'_> {
    fn installation(&self) -> InstallationId {
        self.row.repository.installation
    }

    /// The repository may be asked, and its organisation wants that.
    fn wish_for_it(&self) -> Option<&Wish> {
        let is_possible = may_be_asked(&self.row.repository, &self.row.config, self.row.head.as_ref());
        self.wish.filter(|wish| is_possible && wish.asks(&self.row.repository.name))
    }

    /// A transaction of whoever still holds the claim.
    async fn tx(&self) -> Result<Tx, StepError> {
        let mut tx = self.store.begin().await?;
        tx.still_ours(self.writing.lease).await?;
        Ok(tx)
    }
}

/// When the day's number leaves room for another one again; `None` if it does now. `begun` are the last ones, latest first. Pure.
fn room_again(begun: &[Timestamp]) -> Option<Timestamp> {
    let is_full = begun.len() >= usize::try_from(A_DAY_MAX).unwrap_or(usize::MAX);
    begun.last().filter(|_| is_full).map(|oldest| *oldest + DAY)
}

/// Has the repositories of an installation looked at whose onboarding is under way, but for where only `more` are to be asked,
/// and a portion of those that its organisation asks for.
pub async fn all(store: &Store, installation: InstallationId, more: bool, now: Timestamp) -> Result<Done, StepError> {
    let under_way = match more {
        false => store.onboardings_to_look_at(installation, now - sync::REOPENED_WITHIN).await?,
        true => Vec::new(),
    };
    let wanted = wanted(store, installation, now).await?;
    let begun = store.onboardings_begun(installation, now - DAY, A_DAY_MAX).await?;
    let (now_due, again) = match room_again(&begun) {
        Some(until) => (0, (!wanted.is_empty()).then_some(until)),
        None => (PORTION, (wanted.len() > PORTION).then_some(now + BETWEEN_PORTIONS)),
    };
    let mut tx = store.begin().await?;
    for repo in under_way {
        Step::Onboard { repo }.queue_unless_queued(&mut tx, Some(installation), now).await?;
    }
    for repo in wanted.into_iter().take(now_due) {
        Step::Onboard { repo }.queue_last(&mut tx, Some(installation), now).await?;
    }
    if let Some(again) = again {
        Step::OnboardAll { installation, more: true }.queue_at(&mut tx, Some(installation), again, now).await?;
    }
    Ok(Done::Finished(tx))
}

/// The repositories of an installation that nobody was asked about, and that its organisation asks for.
async fn wanted(store: &Store, installation: InstallationId, now: Timestamp) -> Result<Vec<RepoId>, StepError> {
    let Some(wish) = wish(store, installation).await? else { return Ok(Vec::new()) };
    let candidates = store.onboarding_candidates(installation, now - FAILED_FOR).await?;
    Ok(candidates.into_iter().filter(|(_, name)| wish.asks(name)).map(|(repo, _)| repo).collect())
}

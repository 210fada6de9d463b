//! Asking GitHub, several pull requests at a time, and no more than makes a difference.

use super::Around;
use super::standing::{Seen, Word, at_once, by_word};
use super::wanted::Wanted;
use crate::forge::direct::{Direct, PullAddress};
use crate::forge::{ForgeError, GitHub, PullStatus, Target};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::time::Duration;
use tokio::sync::OnceCell;

/// How many pull requests are asked for at once. GitHub allows a hundred requests, and others may be at work for the same person.
const AT_ONCE: usize = 8;

/// In whose name GitHub is asked.
pub(super) enum AsWhom {
    /// A person, or one installation.
    One(Direct),
    /// An App: each repository's installation.
    App(GitHub),
}

/// What was found out of repositories stays here while pull requests are looked at again and again.
pub(super) struct Looker {
    whom: AsWhom,
    /// By owner: an account has one installation of an App.
    installations: HashMap<String, OnceCell<Direct>>,
    repositories: HashMap<String, OnceCell<(Direct, Target)>>,
}

impl Looker {
    pub(super) fn new(whom: AsWhom, wanted: &[Wanted]) -> Self {
        let addresses = || wanted.iter().filter_map(|one| one.address.as_ref().ok());
        let installations = addresses().map(|address| (owner(address), OnceCell::new())).collect();
        let repositories = addresses().map(|address| (name(address), OnceCell::new())).collect();
        Self { whom, installations, repositories }
    }

    /// Looks at some of those that are wanted. A pause that GitHub asks for is made, with a word.
    pub(super) async fn look_at_all(
        &self,
        wanted: &[Wanted],
        places: &[usize],
        around: &Around<'_>,
        notes: &mut dyn Write,
    ) -> std::io::Result<BTreeMap<usize, Seen>> {
        let mut seen = BTreeMap::new();
        let mut left = places.to_vec();
        while !left.is_empty() {
            let looks = left.iter().map(|place| async move { (*place, self.look_at(&wanted[*place]).await) });
            let answers: Vec<_> = stream::iter(looks).buffer_unordered(AT_ONCE).collect().await;
            let mut limited = Vec::new();
            let mut until = Timestamp::MIN;
            for (place, answer) in answers {
                match answer {
                    Ok(one) => drop(seen.insert(place, one)),
                    Err(asked) => {
                        limited.push(place);
                        until = until.max(asked);
                    }
                }
            }
            if !limited.is_empty() {
                let time = until.to_zoned(TimeZone::UTC).strftime("%H:%M:%S UTC");
                let (some, all) = (limited.len(), places.len());
                writeln!(
                    notes,
                    "note: GitHub's rate limit is reached; {some} of {all} pull requests are asked for after {time}"
                )?;
                let wait = until.duration_since(around.clock.now());
                (around.pause)(Duration::try_from(wait).unwrap_or_default() + Duration::from_secs(1)).await;
            }
            left = limited;
        }
        Ok(seen)
    }

    /// Looks at one. `Err` is when GitHub may be asked again.
    async fn look_at(&self, wanted: &Wanted) -> Result<Seen, Timestamp> {
        let address = match &wanted.address {
            Ok(address) => address,
            Err(why) => return Ok(Seen::unreadable(why, true)),
        };
        match self.ask(address).await {
            Ok(seen) => Ok(seen),
            Err(ForgeError::RateLimited { until, .. }) => Err(until),
            Err(ForgeError::Gone { .. }) => {
                Ok(Seen::unreadable("GitHub does not show it: it is not there, or whoever asks may not see it", true))
            }
            Err(error) => {
                let passing = matches!(error, ForgeError::Unavailable { .. } | ForgeError::Protocol { .. });
                Ok(Seen::unreadable(error.to_string(), !passing))
            }
        }
    }

    async fn ask(&self, address: &PullAddress) -> Result<Seen, ForgeError> {
        let host = self.host();
        if let Some(other) = address.host.as_deref().filter(|other| other.strip_prefix("www.").unwrap_or(other) != host)
        {
            let why = format!("it is at {other}, and {host} is asked; set GITHUB_API_URL to that host's API");
            return Ok(Seen::unreadable(why, true));
        }
        let (direct, target) = self.repository(address).await?;
        let pull = direct.github().pull(target, address.number).await?;
        let is_over = pull.status != PullStatus::Open;
        let url = Some(pull.url.clone()).filter(|url| !url.is_empty());
        if let Some(standing) = at_once(pull.status, pull.draft, pull.mergeable) {
            return Ok(Seen { standing, url, word: None, why: None, is_over });
        }
        let (approvals, changes_requested) = direct.reviews(target, address.number).await?;
        let checks = direct.checks_of(target, &pull.head).await?;
        // GitHub begins to work it out when it is first asked.
        let again = match pull.mergeable {
            None => Some(direct.github().pull(target, address.number).await?),
            Some(_) => None,
        };
        if let Some(pull) = again
            && let Some(standing) = at_once(pull.status, pull.draft, pull.mergeable)
        {
            return Ok(Seen { standing, url, word: None, why: None, is_over: pull.status != PullStatus::Open });
        }
        let word = Word { approvals, changes_requested, checks };
        Ok(Seen { standing: by_word(word), url, word: Some(word), why: None, is_over })
    }

    fn host(&self) -> String {
        match &self.whom {
            AsWhom::One(direct) => direct.web_host(),
            AsWhom::App(github) => github.web_host(),
        }
    }

    /// The repository, asked for once however many pull requests it has.
    async fn repository(&self, address: &PullAddress) -> Result<&(Direct, Target), ForgeError> {
        let find = async || {
            let direct = match &self.whom {
                AsWhom::One(direct) => direct,
                AsWhom::App(github) => self.installation(github, address).await?,
            };
            let target = direct.repository(&address.repository).await?.target;
            Ok((direct.clone(), target))
        };
        match self.repositories.get(&name(address)) {
            Some(cell) => cell.get_or_try_init(find).await,
            None => Err(ForgeError::Gone { endpoint: address.repository.to_string(), message: String::new() }),
        }
    }

    async fn installation(&self, github: &GitHub, address: &PullAddress) -> Result<&Direct, ForgeError> {
        let find = async || {
            let installation = github.installation_on(&address.repository).await?;
            Ok(Direct::of_installation(github.clone(), installation))
        };
        match self.installations.get(&owner(address)) {
            Some(cell) => cell.get_or_try_init(find).await,
            None => Err(ForgeError::Gone { endpoint: address.repository.to_string(), message: String::new() }),
        }
    }
}

fn owner(address: &PullAddress) -> String {
    address.repository.owner().to_lowercase()
}

fn name(address: &PullAddress) -> String {
    address.repository.to_string().to_lowercase()
}

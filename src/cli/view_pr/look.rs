//! Asking GitHub, several pull requests at a time, and no more than makes a difference.

use super::Around;
use super::standing::{Seen, Word, at_once, by_word};
use super::wanted::Wanted;
use crate::bulk::retry::Retry;
use crate::cli::bar;
use crate::forge::session::{GitHubCaller, GitHubSession, PullAddress};
use crate::forge::{ForgeError, PullStatus, Target};
use futures_util::{StreamExt as _, stream};
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::Arc;
use tokio::sync::OnceCell;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// How many pull requests are asked for at once. GitHub allows a hundred requests, and others may be at work for the same person.
const AT_ONCE: usize = 8;

/// Looks at pull requests again and again.
pub(super) struct PullRequestPoller<'a> {
    asks: Asks<'a>,
    /// What there is to say while GitHub is waited for.
    words: UnboundedReceiver<String>,
}

/// Who asks, and what was found out of repositories.
struct Asks<'a> {
    caller: GitHubCaller,
    retry: Retry<'a>,
    repositories: HashMap<String, OnceCell<(GitHubSession, Target)>>,
}

impl<'a> PullRequestPoller<'a> {
    pub(super) fn new(caller: GitHubCaller, wanted: &[Wanted], around: &Around<'a>) -> Self {
        let (says, words) = unbounded_channel();
        let pause = around.pause;
        // Nobody listens where nobody looks any more.
        let retry = Retry::new(Arc::clone(&around.clock), move |word| drop(says.send(word.to_owned())));
        let addresses = wanted.iter().filter_map(|one| one.address.as_ref().ok());
        let repositories = addresses.map(|address| (name(address), OnceCell::new())).collect();
        Self { asks: Asks { caller, retry: retry.pausing(pause), repositories }, words }
    }

    /// Looks at some of those that are wanted. A pause that GitHub asks for is made, with a word.
    pub(super) async fn look_at_all(
        &mut self,
        wanted: &[Wanted],
        places: &[usize],
        notes: &mut dyn Write,
    ) -> std::io::Result<BTreeMap<usize, Seen>> {
        let Self { asks, words } = self;
        let asks = &*asks;
        let bar = bar::counting(places.len(), "looked at");
        let looks = places.iter().map(|place| async move { (*place, asks.look_at(&wanted[*place]).await) });
        let mut looks = stream::iter(looks).buffer_unordered(AT_ONCE);
        let mut seen = BTreeMap::new();
        loop {
            tokio::select! {
                // What is said is heard while it is waited.
                biased;
                Some(word) = words.recv() => bar.suspend(|| writeln!(notes, "note: {word}"))?,
                look = looks.next() => match look {
                    Some((place, one)) => {
                        seen.insert(place, one);
                        bar.inc(1);
                    }
                    None => break,
                },
            }
        }
        bar.finish_and_clear();
        Ok(seen)
    }
}

impl Asks<'_> {
    async fn look_at(&self, wanted: &Wanted) -> Seen {
        let address = match &wanted.address {
            Ok(address) => address,
            Err(why) => return Seen::unreadable(why, true),
        };
        match self.retry.run(|error| Some(error), || self.ask(address)).await {
            Ok(seen) => seen,
            Err(ForgeError::Gone { .. }) => {
                Seen::unreadable("GitHub does not show it: it is not there, or whoever asks may not see it", true)
            }
            Err(error) => {
                let passing = matches!(
                    error,
                    ForgeError::RateLimited { .. } | ForgeError::Unavailable { .. } | ForgeError::Protocol { .. }
                );
                Seen::unreadable(error.to_string(), !passing)
            }
        }
    }

    async fn ask(&self, address: &PullAddress) -> Result<Seen, ForgeError> {
        let host = self.caller.web_host();
        if let Some(other) = address.host.as_deref().filter(|other| other.strip_prefix("www.").unwrap_or(other) != host)
        {
            let why = format!("it is at {other}, and {host} is asked; set GITHUB_API_URL to that host's API");
            return Ok(Seen::unreadable(why, true));
        }
        let (session, target) = self.repository(address).await?;
        let pull = session.github().pull(target, address.number).await?;
        let is_over = pull.status != PullStatus::Open;
        let url = Some(pull.url.clone()).filter(|url| !url.is_empty());
        if let Some(standing) = at_once(pull.status, pull.draft, pull.mergeable) {
            return Ok(Seen { standing, url, word: None, why: None, is_over });
        }
        let (approvals, changes_requested) = session.reviews(target, address.number).await?;
        let checks = session.checks_of(target, &pull.head).await?;
        // GitHub begins to work it out when it is first asked.
        let again = match pull.mergeable {
            None => Some(session.github().pull(target, address.number).await?),
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

    /// The repository, asked for once however many pull requests it has.
    async fn repository(&self, address: &PullAddress) -> Result<&(GitHubSession, Target), ForgeError> {
        let find = async || {
            let session = self.caller.for_repository(&address.repository).await?;
            let target = session.repository(&address.repository).await?.target;
            Ok((session, target))
        };
        match self.repositories.get(&name(address)) {
            Some(cell) => cell.get_or_try_init(find).await,
            None => Err(ForgeError::Gone { endpoint: address.repository.to_string(), message: String::new() }),
        }
    }
}

fn name(address: &PullAddress) -> String {
    address.repository.to_string().to_lowercase()
}

//! Lists of repositories: what a search finds, what an organisation or an installation has.

use super::super::client::{encode, path};
use super::super::pages::read_while;
use super::{ForgeError, GitHubSession, NamedBody, NamedRepository};
use serde::Deserialize;
use std::collections::HashSet;

/// GitHub shows no more of a search, however many it finds.
const SEARCH_MAX: usize = 1_000;
/// No organisation is read further.
const LIST_MAX: usize = 100_000;

/// A list of repositories, and what it lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The repositories, each once, in GitHub's order.
    pub repositories: Vec<NamedRepository>,
    /// Why some are missing, for people; `None` if none is.
    pub cut: Option<String>,
}

#[derive(Deserialize)]
struct SearchPage {
    total_count: usize,
    incomplete_results: bool,
    items: Vec<NamedBody>,
}

#[derive(Deserialize)]
struct InstallationPage {
    repositories: Vec<NamedBody>,
}

/// What was read so far. What moves from one page to the next while they are read comes twice.
#[derive(Default)]
struct Gathered {
    repositories: Vec<NamedRepository>,
    seen: HashSet<i64>,
    odd: usize,
}

impl GitHubSession {
    /// The repositories that GitHub's search finds. GitHub shows the first 1,000 of them.
    ///
    /// Errors: [`ForgeError::Invalid`] for a query that it does not understand.
    pub async fn search(&self, query: &str) -> Result<Listing, ForgeError> {
        let first = path(&["search", "repositories"]) + "?q=" + &encode(query) + "&per_page=100";
        let (mut gathered, mut total, mut incomplete) = (Gathered::default(), 0, false);
        let mut read = 0;
        read_while(&self.github.client, self.everywhere().into(), first, |page: SearchPage| {
            total = total.max(page.total_count);
            incomplete |= page.incomplete_results;
            read += page.items.len();
            gathered.add(page.items, self);
            // GitHub refuses the page behind the last one that it shows.
            read < SEARCH_MAX
        })
        .await?;
        let cut = if total > read {
            Some(format!(
                "GitHub finds {total} repositories for this query and shows the first {read}; \
                 divide it, for example by `language:` or `created:`"
            ))
        } else {
            incomplete
                .then(|| "GitHub ran out of time for this query, so that repositories may be missing; narrow it".into())
        };
        Ok(gathered.listing(cut))
    }

    /// The repositories of an organisation, as far as whoever asks may see them.
    ///
    /// Errors: [`ForgeError::Gone`] where there is none of that name.
    pub async fn organisation(&self, login: &str) -> Result<Listing, ForgeError> {
        let first = path(&["orgs", login, "repos"]) + "?type=all&sort=full_name&per_page=100";
        let mut gathered = Gathered::default();
        read_while(&self.github.client, self.everywhere().into(), first, |page: Vec<NamedBody>| {
            gathered.add(page, self);
            gathered.repositories.len() < LIST_MAX
        })
        .await?;
        let cut = gathered.too_many();
        Ok(gathered.listing(cut))
    }

    /// The repositories of the installation that this asks for. A person has none: GitHub refuses.
    pub async fn installation(&self) -> Result<Listing, ForgeError> {
        let first = path(&["installation", "repositories"]) + "?per_page=100";
        let mut gathered = Gathered::default();
        read_while(&self.github.client, self.everywhere().into(), first, |page: InstallationPage| {
            gathered.add(page.repositories, self);
            gathered.repositories.len() < LIST_MAX
        })
        .await?;
        let cut = gathered.too_many();
        Ok(gathered.listing(cut))
    }
}

impl Gathered {
    fn add(&mut self, page: Vec<NamedBody>, session: &GitHubSession) {
        for body in page {
            let id = body.id;
            match body.into_repository(session.installation) {
                Ok(repository) if self.seen.insert(id.0) => self.repositories.push(repository),
                Ok(_) => {}
                // One odd name must not hide the others.
                Err(_) => self.odd += 1,
            }
        }
    }

    fn too_many(&self) -> Option<String> {
        (self.repositories.len() >= LIST_MAX).then(|| format!("no more than {LIST_MAX} repositories are read"))
    }

    fn listing(self, cut: Option<String>) -> Listing {
        let odd = (self.odd > 0)
            .then(|| format!("{} repositories with a name that is not understood are left out", self.odd));
        let cut = match (cut, odd) {
            (Some(cut), Some(odd)) => Some(format!("{cut}; {odd}")),
            (cut, odd) => cut.or(odd),
        };
        Listing { repositories: self.repositories, cut }
    }
}

//! A pull request as people name it.

use crate::domain::{PullNumber, RepoName};

/// A pull request by its address, or as `owner/name#12`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullAddress {
    /// The host of the address, in lower case and with its port where it names one; `None` without an address.
    pub host: Option<String>,
    /// The repository.
    pub repository: RepoName,
    /// The pull request.
    pub number: PullNumber,
}

impl PullAddress {
    /// Reads an address. What follows the number (`/files`, `?…`, `#…`) is left out.
    ///
    /// Errors: what is wrong with it, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let shown: String = text.chars().take(120).collect();
        let bad = || {
            format!(
                "`{shown}` is not the address of a pull request; expected one like https://github.com/acme/api/pull/12"
            )
        };
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0).map(PullNumber).ok_or_else(bad);
        let Some((scheme, rest)) = text.split_once("://") else {
            let (name, count) = text.split_once('#').ok_or_else(bad)?;
            let repository = RepoName::parse(name).map_err(|_| bad())?;
            return Ok(Self { host: None, repository, number: number(count)? });
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let parts: Vec<&str> = rest.split('/').collect();
        let [host, owner, name, "pull" | "pulls", count, ..] = parts.as_slice() else { return Err(bad()) };
        if !matches!(scheme, "https" | "http") || host.is_empty() || host.contains('@') {
            return Err(bad());
        }
        let repository = RepoName::parse(&format!("{owner}/{name}")).map_err(|_| bad())?;
        Ok(Self { host: Some(host.to_ascii_lowercase()), repository, number: number(count)? })
    }
}

//! Which branches a repository has: for whoever wants one that is not there, or is in the way.

use super::{BareClone, Bounds, Git, GitError};
use crate::bulk::address::Address;
use crate::bulk::words::one_line;

/// So many are named.
const NAMED: usize = 5;
/// What is listed beyond this is not worth reading for a word by the way. Unit: bytes.
const LIST_BYTES: usize = 1 << 20;

impl Git {
    /// Why there is nothing to clone at a branch, or at the default one, of a repository that was reached. `what` was done;
    /// `default` is the branch that the repository's head names, where that is known.
    pub(super) async fn nothing_there(
        &self,
        address: &Address,
        what: &str,
        branch: Option<&str>,
        default: Option<String>,
    ) -> GitError {
        // It is a word by the way: what was found already is told in any case.
        let has = self.branches(address).await.unwrap_or_default();
        match branch {
            Some(branch) => GitError::NoBranch { what: what.to_owned(), branch: branch.to_owned(), has },
            None if has.is_empty() => GitError::Empty,
            None => GitError::NoDefaultBranch { what: what.to_owned(), branch: default, has },
        }
    }

    /// The names of some branches, as people may see them; one more than are told.
    async fn branches(&self, address: &Address) -> Result<Vec<String>, GitError> {
        let (command, bounds) = match address.folder() {
            Some(folder) => {
                let most = format!("--count={}", NAMED + 1);
                (
                    self.command(folder, ["for-each-ref", most.as_str(), "--format=%(refname)", "refs/heads/"]),
                    self.local(),
                )
            }
            None => {
                let listing = ["ls-remote", "--quiet", "--", &address.to_string(), "refs/heads/*"];
                (self.command_to(address, &self.settings.cache_folder, listing).await?, self.remote())
            }
        };
        let bounds = Bounds { output_bytes: LIST_BYTES, cut: true, ..bounds };
        let listed = self.answer("listing branches", command, b"", bounds).await?;
        Ok(names(&listed).take(NAMED + 1).map(|name| one_line(&name)).collect())
    }
}

impl BareClone<'_> {
    /// A branch of the repository which `branch` cannot be beside: git keeps them as files in folders.
    pub async fn in_the_way_of(&self, branch: &str) -> Result<Option<String>, GitError> {
        let above = branch.match_indices('/').map(|(at, _)| format!("refs/heads/{}", &branch[..at]));
        let mut listing = vec!["ls-remote".to_owned(), "--quiet".into(), "--".into(), self.address.to_string()];
        listing.extend(above);
        listing.push(format!("refs/heads/{branch}/*"));
        let command = self.git.command_to(&self.address, self.folder(), listing).await?;
        let bounds = Bounds { output_bytes: LIST_BYTES, cut: true, ..self.git.remote() };
        let listed = self.git.answer("listing branches", command, b"", bounds).await?;
        let is_within = |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
        let mut clashing = names(&listed).filter(|name| is_within(name, branch) || is_within(branch, name));
        Ok(clashing.next().map(|name| one_line(&name)))
    }
}

/// The branches of a listing, with ids before them or without.
fn names(listed: &[u8]) -> impl Iterator<Item = String> {
    let text = String::from_utf8_lossy(listed).into_owned();
    let lines: Vec<String> = text.lines().map(|line| line.rsplit('\t').next().unwrap_or_default().to_owned()).collect();
    lines.into_iter().filter_map(|name| name.strip_prefix("refs/heads/").map(str::to_owned))
}

/// ` (it has: main, dev)`; nothing of what has none.
pub(super) fn it_has(branches: &[String]) -> String {
    if branches.is_empty() {
        return String::new();
    }
    let more = if branches.len() > NAMED { " and others" } else { "" };
    format!(" (it has: {}{more})", branches[..branches.len().min(NAMED)].join(", "))
}

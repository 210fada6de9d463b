//! Which of the repositories that GitHub lists are taken, and how they are cloned.

use super::Discovery;
use crate::activity::{CloneBy, RepositoryFilter};
use crate::domain::SourcedRepository;
use crate::forge::session::{Listing, NamedRepository};

/// The repositories of a list, as somebody wants them.
pub(super) fn picked(listing: Listing, filter: RepositoryFilter) -> Discovery {
    let mut found = Discovery { remarks: listing.cut.into_iter().collect(), ..Discovery::default() };
    let (mut archived, mut forks, mut disabled) = (0, 0, 0);
    for repository in listing.repositories {
        match (&repository, filter) {
            (NamedRepository { disabled: true, .. }, _) => disabled += 1,
            (NamedRepository { archived: true, .. }, RepositoryFilter { archived: false, .. }) => archived += 1,
            (NamedRepository { fork: true, .. }, RepositoryFilter { forks: false, .. }) => forks += 1,
            _ => found.repositories.push(sourced(repository, filter.clone_by)),
        }
    }
    let left_out = [
        (archived, "archived", " (`archived` of the source takes them as well)"),
        (forks, "forks", ""),
        (disabled, "blocked by GitHub", ""),
    ];
    for (count, what, hint) in left_out.into_iter().filter(|(count, ..)| *count > 0) {
        found.remarks.push(format!("{count} left out: {what}{hint}"));
    }
    if found.repositories.is_empty() {
        found.remarks.push("GitHub lists no repository that is taken".into());
    }
    found
}

fn sourced(repository: NamedRepository, by: CloneBy) -> SourcedRepository {
    let name = repository.target.name;
    let clone_url = match by {
        CloneBy::Https => repository.clone_url,
        CloneBy::Ssh => repository.ssh_url,
    };
    let known = [
        ("name", name.name().to_owned()),
        ("owner", name.owner().to_owned()),
        ("default_branch", repository.default_branch.unwrap_or_default()),
        ("visibility", if repository.private { "private" } else { "public" }.to_owned()),
    ];
    let patch_data = known.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    SourcedRepository { id: name.to_string(), clone_url, upstream_branch: None, patch_data }
}

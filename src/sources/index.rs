//! The repositories that the server knows to use a package.

use super::{Discovery, SourceError};
use crate::activity::CloneBy;
use crate::domain::{Dependency, Ecosystem, Repository, SourcedRepository};
use crate::managers::package_named;
use crate::store::Store;
use crate::versioning::scheme;
use std::collections::BTreeSet;

/// Repositories that are read at a time.
const AT_ONCE: u32 = 500;

/// The active repositories that use a package, in any version or in those of a range.
pub(super) async fn using(
    store: &Store,
    (ecosystem, name): (Ecosystem, &str),
    versions: Option<&str>,
    by: CloneBy,
) -> Result<Discovery, SourceError> {
    let mut found = Discovery::default();
    // Judged when the file was read.
    let Some(package) = package_named(ecosystem, name) else {
        found.remarks.push(format!("{name} is not the name of a package of {ecosystem}"));
        return Ok(found);
    };
    let (mut after, mut unversioned) = (None, 0);
    loop {
        let ids = store.repositories_using(&package, after, AT_ONCE).await?;
        let Some(last) = ids.last().copied() else { break };
        let rows = store.repositories_by_id(&ids).await?;
        let mut uses = store.dependencies_of(&ids).await?;
        for row in rows {
            let repository = row.repository;
            let of_it = uses.remove(&repository.id).unwrap_or_default();
            let of_it: Vec<Dependency> =
                of_it.into_iter().map(|row| row.dependency).filter(|one| one.package == package).collect();
            if versions.is_some() && of_it.iter().all(|one| one.current.is_none()) {
                unversioned += 1;
            }
            let meant = of_it.into_iter().filter(|one| is_meant(ecosystem, versions, one)).collect::<Vec<_>>();
            if !meant.is_empty() {
                found.repositories.push(sourced(&repository, &meant, by));
            }
        }
        after = Some(last);
    }
    if unversioned > 0 {
        found.remarks.push(format!("{unversioned} left out: they use {name} and do not say in which version"));
    }
    if found.repositories.is_empty() {
        let such = if versions.is_some() { " in such a version" } else { "" };
        found.remarks.push(format!("no repository that the server knows uses {name} of {ecosystem}{such}"));
    }
    Ok(found)
}

fn is_meant(ecosystem: Ecosystem, versions: Option<&str>, dependency: &Dependency) -> bool {
    match (versions, &dependency.current) {
        (None, _) => true,
        // The range was judged when the file was read.
        (Some(range), Some(current)) => scheme(ecosystem).matches(range, current).unwrap_or(false),
        (Some(_), None) => false,
    }
}

fn sourced(repository: &Repository, uses: &[Dependency], by: CloneBy) -> SourcedRepository {
    let list = |texts: BTreeSet<&str>| texts.into_iter().collect::<Vec<_>>().join(", ");
    let versions = list(uses.iter().filter_map(|one| one.current.as_deref()).collect());
    let files = list(uses.iter().map(|one| one.path.as_str()).collect());
    let known = [("version", versions), ("files", files)];
    SourcedRepository {
        id: repository.name.to_string(),
        clone_url: address(repository, by),
        upstream_branch: None,
        patch_data: known.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
    }
}

/// Where git clones it from, by where people look at it: GitHub's two are alike but for the ending.
fn address(repository: &Repository, by: CloneBy) -> String {
    let page = repository.web_url.trim_end_matches('/');
    let host = page.split_once("://").map_or("github.com", |(_, rest)| rest.split('/').next().unwrap_or_default());
    match by {
        CloneBy::Https => format!("{page}.git"),
        CloneBy::Ssh => format!("git@{}:{}.git", host.split(':').next().unwrap_or_default(), repository.name),
    }
}

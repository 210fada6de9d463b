//! What a pull request is told of its releases, out of what is stored of them.

use super::super::StepError;
use crate::domain::{FoundNotes, InstallationId, PackageId, PackageLinks, ReleaseNotes, Repository, Update};
use crate::planner::tags::{compare_page, release_page};
use crate::store::{NotesRow, ReleaseKey, Store};
use crate::versioning::scheme;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The texts of so many releases are read for one package: the one it moves to, and those before it.
const RELEASES_MAX: usize = 4;
/// … and for one pull request. Unit: releases.
const ALL_MAX: usize = 100;

/// The release notes and links of updates, as far as they are known and this repository may be told.
pub(in crate::pipeline) async fn told(
    store: &Store,
    repository: &Repository,
    updates: &[Update],
) -> Result<(Vec<ReleaseNotes>, Vec<PackageLinks>), StepError> {
    let packages: BTreeSet<&PackageId> = updates.iter().map(|update| &update.package).collect();
    let packages: Vec<PackageId> = packages.into_iter().cloned().collect();
    let noted = store.noted_versions(&packages).await?;
    let mut releases: BTreeSet<ReleaseKey> = BTreeSet::new();
    for update in updates {
        let versions = noted.get(&update.package).map(Vec::as_slice).unwrap_or_default();
        releases
            .extend(passed(update, versions).into_iter().map(|version| (update.package.clone(), version.to_owned())));
        if releases.len() >= ALL_MAX {
            break;
        }
    }
    let releases: Vec<ReleaseKey> = releases.into_iter().collect();
    let rows = store.notes(&releases).await?;
    let rows: Vec<&NotesRow> = rows.iter().filter(|row| may_know(repository, row.private_to)).collect();
    Ok((rows.iter().filter_map(|row| notes_of(row)).collect(), links(updates, &rows)))
}

/// What a private repository says is for private repositories of its own installation. Pure.
fn may_know(repository: &Repository, private_to: Option<InstallationId>) -> bool {
    private_to.is_none_or(|owner| owner == repository.installation && repository.private)
}

/// The versions that an update moves over, with the one it moves to: the newest ones, if they are many. Pure.
fn passed<'a>(update: &Update, versions: &'a [String]) -> Vec<&'a str> {
    let scheme = scheme(update.package.ecosystem);
    let is_newer = |from: &str, version: &str| scheme.compare(from, version) == Some(Ordering::Less);
    let is_passed = |version: &str| {
        scheme.compare(version, &update.to).is_some_and(Ordering::is_le)
            && update.sites.iter().any(|site| is_newer(&site.from, version))
    };
    let mut passed: Vec<&str> =
        versions.iter().map(String::as_str).filter(|version| *version == update.to || is_passed(version)).collect();
    // The target first, whatever compares.
    passed.sort_by(|a, b| {
        (*b == update.to).cmp(&(*a == update.to)).then_with(|| scheme.compare(b, a).unwrap_or(Ordering::Equal))
    });
    passed.truncate(RELEASES_MAX);
    passed
}

/// What is written about a release. Pure.
fn notes_of(row: &NotesRow) -> Option<ReleaseNotes> {
    let FoundNotes { page, tag, title, body, .. } = &row.found;
    let text = body.clone()?;
    // Most are called by their tag, which stands beside it.
    let title = title.clone().filter(|title| Some(title) != tag.as_ref());
    Some(ReleaseNotes {
        package: row.package.clone(),
        version: row.version.clone(),
        title: title.unwrap_or_default(),
        text,
        url: page.as_deref().zip(tag.as_deref()).map(|(page, tag)| release_page(page, tag)),
    })
}

/// Where to read about each package, as its proposed release says. Pure.
fn links(updates: &[Update], rows: &[&NotesRow]) -> Vec<PackageLinks> {
    let mut all: Vec<PackageLinks> = Vec::new();
    for update in updates {
        let row = rows.iter().find(|row| row.package == update.package && row.version == update.to);
        let Some(NotesRow { package, version, found, .. }) = row else { continue };
        if all.iter().any(|links| links.package == *package) {
            continue;
        }
        // From the oldest version in use.
        let scheme = scheme(package.ecosystem);
        let froms = update.sites.iter().map(|site| site.from.as_str());
        let from = froms.min_by(|a, b| scheme.compare(a, b).unwrap_or(Ordering::Equal));
        let compare = from.and_then(|from| {
            let (page, tag) = found.page.as_deref().zip(found.tag.as_deref())?;
            compare_page(package, page, (from, version), tag)
        });
        let links = PackageLinks {
            package: package.clone(),
            source: found.source.clone().or_else(|| found.page.clone()),
            changelog: found.changelog.clone(),
            homepage: found.homepage.clone(),
            compare: compare.filter(|_| update.refresh.is_none()),
        };
        all.push(links);
    }
    all
}

//! From updates to the new texts of the files they touch.

use super::contents::Contents;
use crate::domain::{FileChange, PackageId, RepoPath, Site, Update};
use crate::managers::{self, Edit};
use crate::registries::{Registries, RegistryError, digest_of};
use crate::store::ManifestRow;
use std::collections::BTreeMap;

/// The hashes of files, by package and version.
pub(super) type Hashes = BTreeMap<(PackageId, String), Vec<String>>;

/// The hashes that updates of pinned requirements need; in words, why they are not to be had. What is `known` is not
/// asked for again, as long as the release has just these files by its content.
pub(super) async fn hashes(
    registries: &Registries,
    updates: &[Update],
    contents: &Contents,
    known: &[&Hashes],
) -> Result<Result<Hashes, String>, RegistryError> {
    let mut hashes = Hashes::new();
    for update in updates.iter().filter(|update| update.sites.iter().any(|site| site.hashed)) {
        let Update { package, to, .. } = update;
        let release = (package.clone(), to.clone());
        let mut known = known.iter().filter_map(|known| known.get(&release));
        if let Some(files) = known.find(|files| contents.get(&release) == Some(&digest_of(*files))) {
            hashes.insert(release, files.clone());
            continue;
        }
        match registries.hashes(package, to).await {
            Ok(Some(found)) => hashes.insert(release, found),
            Ok(None) => {
                return Ok(Err(no_hashes(registries, package, to)));
            }
            Err(error) if !error.may_pass() => return Ok(Err(error.to_string())),
            Err(error) => return Err(error),
        };
    }
    Ok(Ok(hashes))
}

/// Why the hashes of a release are not to be had, for people.
pub(super) fn no_hashes(registries: &Registries, package: &PackageId, version: &str) -> String {
    let why = registries.why_no_hashes(package.ecosystem).unwrap_or("the registry does not tell them all");
    format!("{} {version} is pinned to hashes, and {why}", package.name)
}

/// The new texts of all files the updates touch. Pure.
pub(super) fn edited(
    manifests: &[ManifestRow],
    updates: &[Update],
    (contents, hashes): (&Contents, &Hashes),
) -> Result<Vec<FileChange>, String> {
    let mut edits: BTreeMap<(&RepoPath, &str), Vec<Edit>> = BTreeMap::new();
    for update in updates {
        for site in &update.sites {
            let edits = edits.entry((&site.path, &site.manager)).or_default();
            let edit = edit_of(update, site, (contents, hashes));
            if !edits.contains(&edit) {
                edits.push(edit);
            }
        }
    }
    let mut changes: BTreeMap<&RepoPath, FileChange> = BTreeMap::new();
    for ((path, manager_name), edits) in edits {
        let row = manifests.iter().find(|m| m.manifest.path == *path && m.manifest.manager == manager_name);
        let (Some(row), Some(manager)) = (row, managers::by_name(manager_name)) else {
            return Err(format!("{path} is not among the files that were read"));
        };
        // Two managers may read one file: the second edits what the first one made.
        let before = changes.get(path).map_or(row.manifest.text.as_str(), |change| change.text.as_str());
        let text = manager.edit(path, before, &edits).map_err(|error| format!("{path}: {error}"))?;
        changes.insert(path, FileChange { path: path.clone(), mode: row.manifest.mode, text });
    }
    Ok(changes.into_values().collect())
}

fn edit_of(update: &Update, site: &Site, (contents, hashes): (&Contents, &Hashes)) -> Edit {
    let key = (update.package.clone(), update.to.clone());
    Edit {
        package: update.package.clone(),
        from: site.from.clone(),
        constraint: site.constraint.clone(),
        python: site.python.clone(),
        // A refresh leaves the version as the file writes it, with `v` or without.
        to: if update.refresh.is_some() { site.from.clone() } else { update.to.clone() },
        digest_from: site.digest.clone(),
        digest_to: contents.get(&key).filter(|_| site.digest.is_some()).cloned(),
        hashes_to: hashes.get(&key).filter(|_| site.hashed).cloned().unwrap_or_default(),
    }
}

//! From updates to the new texts of the files they touch.

use crate::domain::{FileChange, RepoPath, Site, Update};
use crate::managers::{self, Edit};
use crate::registries::{Registries, RegistryError};
use crate::store::ManifestRow;
use std::collections::BTreeMap;

/// The digests that updates of pinned images need, by package and version.
pub(super) type Digests = BTreeMap<(String, String), String>;

/// Asks for the digests of the images that are pinned.
pub(super) async fn digests(registries: &Registries, updates: &[Update]) -> Result<Digests, RegistryError> {
    let mut digests = Digests::new();
    for update in updates.iter().filter(|update| update.sites.iter().any(|site| site.digest.is_some())) {
        let digest = registries.digest(&update.package, &update.to).await?;
        digests.insert((update.package.to_string(), update.to.clone()), digest);
    }
    Ok(digests)
}

/// The new texts of all files the updates touch. Pure.
pub(super) fn edited(
    manifests: &[ManifestRow],
    updates: &[Update],
    digests: &Digests,
) -> Result<Vec<FileChange>, String> {
    let mut edits: BTreeMap<(&RepoPath, &str), Vec<Edit>> = BTreeMap::new();
    for update in updates {
        for site in &update.sites {
            let edits = edits.entry((&site.path, &site.manager)).or_default();
            let edit = edit_of(update, site, digests);
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

fn edit_of(update: &Update, site: &Site, digests: &Digests) -> Edit {
    let digest = digests.get(&(update.package.to_string(), update.to.clone()));
    Edit {
        package: update.package.clone(),
        from: site.from.clone(),
        constraint: site.constraint.clone(),
        to: update.to.clone(),
        digest_from: site.digest.clone(),
        digest_to: digest.filter(|_| site.digest.is_some()).cloned(),
        hashes_to: Vec::new(),
    }
}

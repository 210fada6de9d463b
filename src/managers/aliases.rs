//! Two things that files call an alias, and that keep what they are of from being updated.
//!
//! Another name for a package is how one file gets two versions of it at once. Moved to the newest one, both would be the
//! same: Cargo refuses that, and npm would install what nobody asked for. An alias of YAML puts one text into several places,
//! perhaps as the version of several packages.

use super::edit::Find;
use crate::domain::{PackageId, Skip};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

const ON_PURPOSE: &str = "another version of it is used here under another name on purpose";

/// Leaves the uses under another name alone of each package that stands in the file under several keys and with several
/// constraints. `keys` has the keys of the finds that count, by their place among `finds`.
pub(super) fn leave_alone<'f>(finds: impl Iterator<Item = &'f mut Find>, keys: &BTreeMap<usize, String>) {
    let mut uses: Vec<(&str, &mut Find)> =
        finds.enumerate().filter_map(|(at, find)| Some((keys.get(&at)?.as_str(), find))).collect();
    let mut by_package: HashMap<PackageId, (HashSet<&str>, HashSet<String>)> = HashMap::new();
    for (key, find) in &uses {
        let (keys, constraints) = by_package.entry(find.dependency.package.clone()).or_default();
        keys.insert(key);
        constraints.insert(find.dependency.constraint.clone());
    }
    for (key, find) in &mut uses {
        let dependency = &mut find.dependency;
        let several = by_package
            .get(&dependency.package)
            .is_some_and(|(keys, constraints)| keys.len() > 1 && constraints.len() > 1);
        if several && dependency.package.name != *key && dependency.skip.is_none() {
            dependency.skip = Some(Skip::LeftAlone(ON_PURPOSE.into()));
            dependency.current = None;
        }
    }
}

/// Leaves those alone whose version is the text of another package's version, too: each find comes with the byte of the file
/// at which its version stands.
pub(super) fn leave_shared_alone<'f>(finds: impl Iterator<Item = (usize, &'f mut Find)>) {
    let mut finds: Vec<(usize, &mut Find)> = finds.collect();
    let mut users: HashMap<usize, BTreeSet<String>> = HashMap::new();
    for (version, find) in &finds {
        users.entry(*version).or_default().insert(find.dependency.package.name.clone());
    }
    for (version, find) in &mut finds {
        find.leave_alone_if_shared(users.get(version).into_iter().flatten());
    }
}

//! Two things that files call an alias, and that keep what they are of from being updated.
//!
//! Another name for a package is how one file gets two versions of it at once. Moved to the newest one, both would be the
//! same: Cargo refuses that, and npm would install what nobody asked for. An alias of YAML puts one text into several places,
//! perhaps as the version of several packages.

use super::edit::Find;
use crate::domain::{PackageId, Skip};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

const ON_PURPOSE: &str = "another version of it is used here under another name on purpose";
const STAYS: &str = "it is used here under another name as well, and left alone there";

/// The uses of one package.
#[derive(Default)]
struct Uses<'k> {
    keys: HashSet<&'k str>,
    constraints: HashSet<String>,
    /// Whether one of them is not updated.
    stays: bool,
}

impl Uses<'_> {
    /// Why those under another name are left alone. Moved without the use that stays, they would be another version.
    fn why(&self) -> Option<&'static str> {
        match (self.keys.len(), self.constraints.len()) {
            (0 | 1, _) => None,
            (_, 0 | 1) => self.stays.then_some(STAYS),
            _ => Some(ON_PURPOSE),
        }
    }
}

/// Leaves the uses under another name alone of each package that stands in the file under several keys, and with several
/// constraints or soon with several. `keys` has the keys of the finds that count, by their place among `finds`.
pub(super) fn leave_alone<'f>(finds: impl Iterator<Item = &'f mut Find>, keys: &BTreeMap<usize, String>) {
    let mut uses: Vec<(&str, &mut Find)> =
        finds.enumerate().filter_map(|(at, find)| Some((keys.get(&at)?.as_str(), find))).collect();
    let mut by_package: HashMap<PackageId, Uses<'_>> = HashMap::new();
    for (key, find) in &uses {
        let package = by_package.entry(find.dependency.package.clone()).or_default();
        package.keys.insert(key);
        package.constraints.insert(find.dependency.constraint.clone());
        package.stays |= find.dependency.skip.is_some();
    }
    for (key, find) in &mut uses {
        let dependency = &mut find.dependency;
        let why = by_package.get(&dependency.package).and_then(Uses::why);
        if let Some(why) = why.filter(|_| dependency.package.name != *key && dependency.skip.is_none()) {
            dependency.skip = Some(Skip::LeftAlone(why.into()));
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

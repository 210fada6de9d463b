//! Tables of packages, a key for each: those of Poetry in pyproject.toml, and Pipfiles.
//!
//! Sources: Poetry's documentation, "Dependency specification"; Pipenv's documentation, "Pipfile". A package is a string,
//! a table, or a list of these for several platforms.

use super::edit::Find;
use super::python;
use super::requirement::{self, Place, Understand};
use super::toml_file::TomlFile;
use super::written::Written;
use super::{MOST_DEPENDENCIES, cut};
use crate::domain::Skip;
use crate::versioning::Pythons;
use std::ops::Range;
use toml_edit::{Item, TableLike, Value};

/// Reads each package of a table; each is remembered with where it begins.
pub(super) fn read(
    file: &TomlFile<'_>,
    table: &dyn TableLike,
    understand: Understand,
    place: &Place<'_>,
    finds: &mut Vec<(usize, Find)>,
) {
    for (name, item) in table.iter() {
        let key = table.get_key_value(name).and_then(|(key, _)| key.span());
        for (value, table, span) in variants(item, key) {
            // The caller refuses a file with so many.
            if finds.len() > MOST_DEPENDENCIES {
                return;
            }
            let at = file.start_of(span);
            let mut find = requirement::named(name, constraint(file, value, table), at, understand, place);
            if let Some(table) = table {
                mark(&mut find, table);
            }
            finds.push((at, find));
        }
    }
}

/// One way in which a package is asked for, as a value or a table or as what is both, and where it stands.
type Variant<'a> = (Option<&'a Value>, Option<&'a dyn TableLike>, Option<Range<usize>>);

fn as_variant(value: &Value) -> Variant<'_> {
    (Some(value), value.as_inline_table().map(|table| table as &dyn TableLike), value.span())
}

fn variants(item: &Item, key: Option<Range<usize>>) -> Vec<Variant<'_>> {
    match item {
        Item::Value(Value::Array(list)) => list.iter().map(as_variant).collect(),
        Item::ArrayOfTables(tables) => {
            tables.iter().map(|table| (None, Some(table as &dyn TableLike), table.span())).collect()
        }
        item => vec![(item.as_value(), item.as_table_like(), key)],
    }
}

/// Takes in for which versions of Python a table is: Poetry's `python`, a marker, or one of those that Pipenv takes as keys.
fn mark(find: &mut Find, table: &dyn TableLike) {
    let text = |key: &str| table.get(key).and_then(Item::as_str);
    let keys = ["python_version", "python_full_version"];
    let mut parts: Vec<String> =
        keys.into_iter().filter_map(|key| Some(format!("{key} {}", text(key)?.trim()))).collect();
    parts.extend(text("markers").filter(|marker| !marker.trim().is_empty()).map(|marker| format!("({marker})")));
    python::mark(find, &parts.join(" and "));
    let range = text("python").filter(|_| find.dependency.skip.is_none());
    let Some(range) = range else { return };
    match Pythons::of_range(range) {
        Some(pythons) => python::narrow(find, pythons),
        None => find.leave_alone(Skip::NotUnderstood(format!("for which versions of Python it is: `{}`", cut(range)))),
    }
}

/// The constraint of a package, or why there is none to change.
fn constraint(file: &TomlFile<'_>, value: Option<&Value>, table: Option<&dyn TableLike>) -> Result<Written, Skip> {
    let not_understood = || Skip::NotUnderstood("it is neither a version nor a table with one".into());
    let Some(table) = table else { return value.and_then(|v| file.string(v)).ok_or_else(not_understood) };
    if let Some(skip) = origin(table) {
        return Err(skip);
    }
    match table.get("version") {
        None => Err(Skip::Unpinned),
        Some(version) => version.as_value().and_then(|v| file.string(v)).ok_or_else(not_understood),
    }
}

/// Why the package of a table does not come from the index that is asked, where it says so.
pub(super) fn origin(table: &dyn TableLike) -> Option<Skip> {
    const LOCATIONS: [&str; 7] = ["git", "hg", "svn", "bzr", "path", "file", "url"];
    const INDEXES: [&str; 2] = ["index", "source"];
    if LOCATIONS.iter().any(|key| table.contains_key(key)) {
        return Some(Skip::NotFromRegistry);
    }
    if table.get("workspace").and_then(Item::as_bool) == Some(true) {
        return Some(Skip::LeftAlone("it is a member of the workspace".into()));
    }
    if ["hash", "hashes"].iter().any(|key| table.contains_key(key)) {
        return Some(Skip::LeftAlone("hashes are pinned in its table, which a new version would break".into()));
    }
    // A version that the usual index has need not be there, and what has this name in the usual index may be another package.
    let index = INDEXES.iter().find_map(|key| table.get(key)?.as_str())?;
    let usual = index.eq_ignore_ascii_case("pypi");
    (!usual).then(|| Skip::LeftAlone(format!("it comes from the index `{}`, which is not asked", cut(index))))
}

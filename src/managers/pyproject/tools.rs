//! The tables of tools: where Poetry, uv, PDM, Hatch and setuptools keep dependencies beside the standard ones.
//!
//! Sources: Poetry's documentation, "The pyproject.toml file" and "Managing dependencies"; uv's documentation, "Settings" and
//! "Managing dependencies"; PDM's documentation, "Manage dependencies"; Hatch's documentation, "Environment configuration";
//! setuptools' documentation, "Configuring setuptools using pyproject.toml files", dynamic metadata.

use super::super::edit::Find;
use super::super::package_table;
use super::super::requirement::{Place, normal_name};
use super::super::toml_file::TomlFile;
use super::{table_in, tables, value_in, values};
use crate::domain::Skip;
use crate::versioning::{Pep440, Pythons};
use std::collections::BTreeMap;
use toml_edit::{Item, TableLike, Value};

/// The lists of requirements in the tables of tools.
pub(super) fn lists(tools: &dyn TableLike) -> Vec<&Value> {
    const UV: [&str; 4] =
        ["dev-dependencies", "constraint-dependencies", "override-dependencies", "build-constraint-dependencies"];
    let mut found = Vec::new();
    if let Some(uv) = table_in(tools, "uv") {
        found.extend(UV.iter().filter_map(|key| value_in(uv, key)));
    }
    if let Some(groups) = table_in(tools, "pdm").and_then(|pdm| table_in(pdm, "dev-dependencies")) {
        found.extend(values(groups));
    }
    found.extend(table_in(tools, "hatch").into_iter().flat_map(hatch_lists));
    found
}

/// The lists of requirements of Hatch's environments, in `tool.hatch` or hatch.toml.
pub(super) fn hatch_lists(hatch: &dyn TableLike) -> Vec<&Value> {
    let environments = table_in(hatch, "envs").into_iter().flat_map(tables);
    environments
        .flat_map(|environment| ["dependencies", "extra-dependencies"].map(|key| value_in(environment, key)))
        .flatten()
        .collect()
}

/// The groups of the standard for which uv is told versions of Python beside those of the project.
pub(super) fn groups_with_pythons<'a>(root: &'a dyn TableLike, tools: &'a dyn TableLike) -> Vec<(&'a Value, Pythons)> {
    let ranges = table_in(tools, "uv").and_then(|uv| table_in(uv, "dependency-groups"));
    let (Some(ranges), Some(groups)) = (ranges, table_in(root, "dependency-groups")) else { return Vec::new() };
    let with_pythons = ranges.iter().filter_map(|(group, settings)| {
        let range = settings.as_table_like()?.get("requires-python")?.as_str()?;
        Some((value_in(groups, group)?, Pythons::of_range(range)?))
    });
    with_pythons.collect()
}

/// The packages, by their normal names, of which a tool's table says that they come from elsewhere than the usual index, whatever
/// the lists of the standards say: `tool.uv.sources`, and Poetry's tables beside `project.dependencies`.
pub(super) fn elsewhere(tools: &dyn TableLike) -> BTreeMap<String, Skip> {
    let sources = table_in(tools, "uv").and_then(|uv| table_in(uv, "sources"));
    let poetry = table_in(tools, "poetry").and_then(|poetry| table_in(poetry, "dependencies"));
    let mut found = BTreeMap::new();
    for (name, item) in sources.into_iter().chain(poetry).flat_map(TableLike::iter) {
        let skip = match item {
            // One of several platforms is enough: the versions for all of them belong together.
            Item::Value(Value::Array(list)) => list.iter().find_map(|v| package_table::origin(v.as_inline_table()?)),
            Item::ArrayOfTables(list) => list.iter().find_map(|table| package_table::origin(table)),
            item => item.as_table_like().and_then(package_table::origin),
        };
        found.extend(skip.map(|skip| (normal_name(name), skip)));
    }
    found
}

/// Reads the tables of Poetry.
pub(super) fn read_poetry(
    file: &TomlFile<'_>,
    tools: &dyn TableLike,
    place: &Place<'_>,
    finds: &mut Vec<(usize, Find)>,
) {
    let Some(poetry) = table_in(tools, "poetry") else { return };
    let groups = table_in(poetry, "group").into_iter().flat_map(tables);
    let own = ["dependencies", "dev-dependencies", "requires-plugins"].map(|key| table_in(poetry, key));
    let first = finds.len();
    for packages in own.into_iter().flatten().chain(groups.filter_map(|group| table_in(group, "dependencies"))) {
        package_table::read(file, packages, Pep440::understand_poetry, place, finds);
    }
    for (_, find) in finds[first..].iter_mut().filter(|(_, find)| find.dependency.package.name == "python") {
        find.dependency.skip = Some(Skip::LeftAlone("it says which versions of Python the project runs on".into()));
        find.dependency.current = None;
    }
}

/// The requirements files from which setuptools takes dependencies.
pub(super) fn included_files(tools: &dyn TableLike) -> Vec<&str> {
    let dynamic = table_in(tools, "setuptools").and_then(|setuptools| table_in(setuptools, "dynamic"));
    let Some(dynamic) = dynamic else { return Vec::new() };
    let optional = table_in(dynamic, "optional-dependencies").into_iter().flat_map(tables);
    let lists = table_in(dynamic, "dependencies").into_iter().chain(optional);
    let files = lists.filter_map(|list| value_in(list, "file"));
    files
        .flat_map(|file| file.as_array().map_or_else(|| vec![file], |list| list.iter().collect()))
        .filter_map(Value::as_str)
        .collect()
}

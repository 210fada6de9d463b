//! The dependencies of a JavaScript package in package.json.
//!
//! Sources: npm's documentation, "package.json" (dependencies, overrides, workspaces, engines); Yarn's, "Manifest fields"
//! (`resolutions`); pnpm's, "Settings" (`overrides`) and "Catalogs"; Bun's, "Catalogs"; Node's, "Corepack" (`packageManager`).
//!
//! The file is JSON without comments, as npm reads it. Of a key that stands twice in an object, the last one counts.

pub(super) mod selector;
pub(super) mod specifier;

use super::aliases;
use super::edit::Find;
use super::format::Format;
use super::json_string;
use super::requirement::Place;
use super::written::Written;
use super::{Found, MOST_DEPENDENCIES, cut, readable, without_mark};
use crate::domain::{Ecosystem, PackageId, RepoPath, Skip};
use crate::versioning::{Node, Scheme};
use jsonc_parser::ast::{Object, ObjectProp, StringLit, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use specifier::Specifier;
use std::collections::{BTreeMap, HashMap};

/// The manager of package.json.
#[derive(Debug)]
pub struct PackageJson;

const OVERRULED: &str = "the same key stands further down in this object again, and the later one counts";
const PEER: &str = "it states which versions the package works with, which only a test of them can tell";
const ENGINE: &str = "it states what the package supports";
const NARROW: &str = "its key says for which versions or parents it is meant";
const HASHED: &str = "it is pinned to the hash of its archive; `corepack use` writes both";

impl Format for PackageJson {
    const NAME: &'static str = "package-json";

    const ECOSYSTEM: Ecosystem = Ecosystem::Npm;

    /// Packages that were installed and committed are not the repository's own.
    fn claims(path: &RepoPath) -> bool {
        path.file_name() == "package.json" && !path.folder().split('/').any(|folder| folder == "node_modules")
    }

    fn find(path: &RepoPath, text: &str) -> Result<Found, String> {
        readable(text)?;
        let (mark, json) = without_mark(text);
        let line_starts = super::line_starts(text);
        let line_of = |at| super::line_of(&line_starts, at);
        let place = Place { manager: Self::NAME, path, line_of: &line_of };
        let mut reader = Reader { place, json, mark, finds: Vec::new(), keys: BTreeMap::new() };
        // The parser follows 512 levels at most.
        let parsed = parse_to_ast(json, &CollectOptions::default(), &STRICT).map_err(|error| {
            format!("line {}: {}", line_of(mark + error.range().start), cut(&error.kind().to_string()))
        })?;
        let Some(Value::Object(root)) = &parsed.value else { return Err("line 1: it is not a JSON object".into()) };
        reader.package(root);
        if reader.finds.len() > MOST_DEPENDENCIES {
            return Err(format!("there are more than {MOST_DEPENDENCIES} dependencies in it"));
        }
        aliases::leave_alone(reader.finds.iter_mut(), &reader.keys);
        Ok(Found { develops: own_name(root), ..Found::of(reader.finds) })
    }
}

/// JSON as RFC 8259 has it.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// The package that the file is about.
fn own_name(root: &Object<'_>) -> Option<PackageId> {
    let name = properties(root)
        .filter(|(property, overruled)| !overruled && property.name.as_str() == "name")
        .find_map(|(property, _)| property.value.as_string_lit().map(|name| name.value.to_string()))?;
    selector::is_name(&name).then_some(PackageId { ecosystem: Ecosystem::Npm, name })
}

/// The properties of an object in their order, each with whether a later one of the same name overrules it.
fn properties<'o, 'j>(object: &'o Object<'j>) -> impl Iterator<Item = (&'o ObjectProp<'j>, bool)> {
    let names = object.properties.iter().map(|property| property.name.as_str());
    let last: HashMap<&str, usize> = names.enumerate().map(|(at, name)| (name, at)).collect();
    object.properties.iter().enumerate().map(move |(at, property)| {
        let counts = last.get(property.name.as_str()).is_none_or(|&last| last == at);
        (property, !counts)
    })
}

/// Collects what a file holds.
struct Reader<'a> {
    place: Place<'a>,
    /// The text without its byte order mark.
    json: &'a str,
    mark: usize,
    finds: Vec<Find>,
    /// The keys of the dependencies in their tables, by their place among the finds.
    keys: BTreeMap<usize, String>,
}

/// Why an entry is left alone although it could be read.
type Reason = Option<&'static str>;

impl Reader<'_> {
    fn package(&mut self, root: &Object<'_>) {
        for (property, overruled) in properties(root) {
            let reason = overruled.then_some(OVERRULED);
            match (property.name.as_str(), &property.value) {
                ("dependencies" | "devDependencies" | "optionalDependencies", Value::Object(table)) => {
                    self.table(table, reason);
                }
                ("peerDependencies", Value::Object(table)) => self.table(table, reason.or(Some(PEER))),
                ("engines", Value::Object(table)) => self.table(table, reason.or(Some(ENGINE))),
                ("overrides", Value::Object(table)) => self.overrides(table, None, reason),
                ("resolutions", Value::Object(table)) => self.flat_overrides(table, selector::yarn, reason),
                ("pnpm", Value::Object(settings)) => self.pnpm(settings, reason),
                ("workspaces", Value::Object(settings)) => {
                    properties(settings)
                        .for_each(|(inner, again)| self.catalogs(inner, reason.or(again.then_some(OVERRULED))));
                }
                ("catalog" | "catalogs", _) => self.catalogs(property, reason),
                ("packageManager", Value::StringLit(literal)) => self.package_manager(literal, reason),
                _ => {}
            }
        }
    }

    /// Names and what is asked of them.
    fn table(&mut self, table: &Object<'_>, reason: Reason) {
        for (property, overruled) in properties(table) {
            let (key, reason) = (property.name.as_str(), reason.or(overruled.then_some(OVERRULED)));
            if matches!(reason, None | Some(PEER)) {
                self.keys.insert(self.finds.len(), key.into());
            }
            self.entry(key, &property.value, reason);
        }
    }

    /// `catalog`, a table, or `catalogs`, which holds tables.
    fn catalogs(&mut self, property: &ObjectProp<'_>, reason: Reason) {
        let Value::Object(inner) = &property.value else { return };
        match property.name.as_str() {
            "catalog" => self.table(inner, reason),
            "catalogs" => {
                for (catalog, overruled) in properties(inner) {
                    if let Value::Object(table) = &catalog.value {
                        self.table(table, reason.or(overruled.then_some(OVERRULED)));
                    }
                }
            }
            _ => {}
        }
    }

    fn pnpm(&mut self, settings: &Object<'_>, reason: Reason) {
        for (property, overruled) in properties(settings) {
            if let ("overrides", Value::Object(table)) = (property.name.as_str(), &property.value) {
                self.flat_overrides(table, selector::pnpm, reason.or(overruled.then_some(OVERRULED)));
            }
        }
    }

    /// The overrides of npm, which are nested: `.` is the package that the object is about. As deep as the parser goes.
    fn overrides(&mut self, table: &Object<'_>, about: Option<&str>, reason: Reason) {
        for (property, overruled) in properties(table) {
            let reason = reason.or(overruled.then_some(OVERRULED));
            let (name, narrow) = match (property.name.as_str(), about) {
                (".", Some(about)) => (about, false),
                (key, _) => {
                    let name = selector::npm(key);
                    (name, about.is_some() || !selector::means_all(key, name))
                }
            };
            let reason = reason.or(narrow.then_some(NARROW));
            match &property.value {
                Value::Object(inner) => self.overrides(inner, Some(name), reason),
                value => self.replacement(name, value, reason),
            }
        }
    }

    /// Overrides whose keys say all: `a/b`, `a>b@1`.
    fn flat_overrides(&mut self, table: &Object<'_>, name_of: fn(&str) -> &str, reason: Reason) {
        for (property, overruled) in properties(table) {
            let reason = reason.or(overruled.then_some(OVERRULED));
            let key = property.name.as_str();
            let name = name_of(key);
            let narrow = !selector::means_all(key, name);
            self.replacement(name, &property.value, reason.or(narrow.then_some(NARROW)));
        }
    }

    /// What an override puts in the place of a package.
    fn replacement(&mut self, name: &str, value: &Value<'_>, reason: Reason) {
        let Value::StringLit(literal) = value else { return self.entry(name, value, reason) };
        let left_alone = match literal.value.strip_prefix('$') {
            Some(other) => format!("it follows what this file asks of `{}`", cut(other)),
            None if literal.value == "-" => "it takes the package out".into(),
            None => return self.entry(name, value, reason),
        };
        let constraint = Written::default();
        let skip = Some(Skip::LeftAlone(left_alone));
        self.push(Asked { name, written_name: name, constraint, skip, at: literal.range().start });
    }

    fn entry(&mut self, name: &str, value: &Value<'_>, reason: Reason) {
        if self.finds.len() > MOST_DEPENDENCIES {
            return;
        }
        let at = value.range().start;
        let not_understood = |why: &str| Some(Skip::NotUnderstood(why.into()));
        let Some(written) = self.decoded(value) else {
            let skip = not_understood("its value is not a string");
            return self.push(Asked { name, written_name: name, constraint: Written::default(), skip, at });
        };
        let Specifier { package, constraint, skip } = specifier::read(&written);
        let package = package.as_deref().unwrap_or(name);
        let skip = if selector::is_name(package) {
            skip.or(reason.map(|reason| Skip::LeftAlone(reason.into())))
        } else {
            not_understood("that is no name of a package")
        };
        self.push(Asked { name: package, written_name: package, constraint, skip, at });
    }

    /// `name@1.2.3`, perhaps with `+sha512.…` after it.
    fn package_manager(&mut self, literal: &StringLit<'_>, reason: Reason) {
        let value = Value::StringLit(literal.clone());
        let at = literal.range().start;
        let written = self.decoded(&value).map(|written| written.trimmed()).unwrap_or_default();
        let Some((name, version)) = written.text().split_once('@') else {
            let skip = Some(Skip::NotUnderstood("it is not `name@version`".into()));
            let name = cut(written.text());
            return self.push(Asked { name: &name, written_name: &name, constraint: Written::default(), skip, at });
        };
        let mut constraint = written.slice(name.len() + 1..written.text().len());
        let skip = if !selector::is_name(name) {
            Some(Skip::NotUnderstood("that is no name of a package".into()))
        } else if version.contains(['/', ':']) {
            constraint = Written::default();
            Some(Skip::NotFromRegistry)
        } else if version.contains('+') {
            Some(Skip::LeftAlone(HASHED.into()))
        } else if nodejs_semver::Version::parse(version).is_err() || Node.current(version).is_none() {
            Some(Skip::NotUnderstood("Corepack wants one version here, with three numbers".into()))
        } else {
            reason.map(|reason| Skip::LeftAlone(reason.into()))
        };
        // Yarn is released under this name since its second version, which `yarn` itself never got to.
        let is_modern_yarn = name == "yarn" && !(version.starts_with("1.") || version.starts_with("0."));
        let package = if is_modern_yarn { "@yarnpkg/cli-dist" } else { name };
        self.push(Asked { name: package, written_name: name, constraint, skip, at });
    }

    /// The text of a string. It is read again to know where each character stands; both readings must agree.
    fn decoded(&self, value: &Value<'_>) -> Option<Written> {
        let literal = value.as_string_lit()?;
        let range = literal.range();
        let decoded = json_string::decode(self.json.get(range.start..range.end)?, self.mark + range.start)?;
        (decoded.text() == literal.value).then_some(decoded)
    }

    fn push(&mut self, asked: Asked<'_>) {
        let Asked { name, written_name, constraint, skip, at } = asked;
        let mut find = Find::by_constraint(&self.place, (Ecosystem::Npm, &cut(name)), constraint, skip, self.mark + at);
        find.dependency.written_name = cut(written_name);
        self.finds.push(find);
    }
}

/// What a file asks of one package.
struct Asked<'a> {
    name: &'a str,
    written_name: &'a str,
    constraint: Written,
    skip: Option<Skip>,
    /// The byte of the JSON where the value begins.
    at: usize,
}

//! The section `scan`: which facts are read from each repository.

use super::PlugIns;
use super::grants::{self, Grants, granted};
use super::reading::unknown;
use crate::document::{Field, Mapping, Node, Problems, Spot, Value, one_or_many, read_fields, text};
use crate::scanners;
use schemars::{Schema, SchemaGenerator, json_schema};
use std::fmt;

/// What to scan for.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The scanners, in the order of the file; never empty.
    pub scanners: Vec<ScannerChoice>,
    /// What plug-ins among them may do.
    pub allow: Grants,
}

/// A scanner that a file asks for.
#[derive(Clone)]
pub enum ScannerChoice {
    /// One that is built in.
    BuiltIn(&'static dyn scanners::Scanner),
    /// The plug-in of that name.
    PlugIn(String),
}

impl ScannerChoice {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::BuiltIn(scanner) => scanner.name(),
            Self::PlugIn(name) => name,
        }
    }
}

impl fmt::Debug for ScannerChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScannerChoice").field(&self.name()).finish()
    }
}

#[derive(Default)]
pub(super) struct Written {
    names: Option<(Spot, Vec<(Spot, String)>)>,
    allow: Option<grants::Written>,
}

pub(super) const FIELDS: &[Field<Written>] = &[
    Field {
        name: "scanner_names",
        about: "the scanners to run, such as `[root-files, dockerfile-from]`",
        required: true,
        schema: names_schema,
        read: |scan, node, problems| {
            let mut names: Vec<(Spot, String)> = Vec::new();
            for item in one_or_many(node) {
                let Some(name) = text(item, "a scanner's name", "`root-files`", problems) else { continue };
                if !names.iter().any(|(_, known)| known == name.trim()) {
                    names.push((item.at, name.trim().into()));
                }
            }
            scan.names = Some((node.at, names));
        },
    },
    Field {
        name: "allow",
        about: "what plug-ins among the scanners may do besides reading their clone",
        required: false,
        schema: grants::schema,
        read: |scan, node, problems| scan.allow = Some(grants::Written::read(node, problems)),
    },
];

fn names_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [
        { "type": "string", "minLength": 1 },
        { "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 },
    ] })
}

impl Scan {
    pub(super) fn read(node: &Node, plugins: &PlugIns, problems: &mut Problems) -> Option<Self> {
        let Value::Map(map) = &node.value else { return None };
        let mut written = Written::default();
        read_fields(&mut written, map, node.at, &Mapping { what: "`scan`", fields: FIELDS, elsewhere: &[] }, problems);
        let (at, names) = written.names?;
        if names.is_empty() && problems.is_empty() {
            problems.add(at, "there are no scanners", "name at least one: `[\"root-files\"]`");
        }
        let (asked, mut scanners) = (names.len(), Vec::new());
        for (at, name) in names {
            match (scanners::by_name(&name), plugins.scanners.contains(&name)) {
                (Some(scanner), _) => scanners.push(ScannerChoice::BuiltIn(scanner)),
                (None, true) => scanners.push(ScannerChoice::PlugIn(name)),
                (None, false) => {
                    let known = || {
                        let built_in = scanners::TABLE.iter().map(|scanner| scanner.name());
                        built_in.chain(plugins.scanners.iter().map(String::as_str))
                    };
                    unknown(("scanner", at, &name), known, problems);
                }
            }
        }
        let plug_in = scanners.iter().any(|scanner| matches!(scanner, ScannerChoice::PlugIn(_)));
        // One that is not there may be a plug-in.
        if let (Some(allow), false, true) = (&written.allow, plug_in, scanners.len() == asked && asked > 0) {
            allow.refuse("a scanner that is built in", problems);
        }
        Some(Self { scanners, allow: granted(written.allow) })
    }
}

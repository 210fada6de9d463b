//! The section `source`: where repositories are found. What a source does with its keys is not for this room.

mod keys;
mod spelled;

pub use keys::KINDS;

use super::Surroundings;
use super::filling::to_json;
use super::grants::{self, Grants, granted};
use super::reading::{mapping_of, mapping_schema, plain, text_schema, unknown};
use super::variables::read_with_variables;
use crate::document::{Field, Map, Mapping, Node, Problems, Spot, Value, read_fields};
use crate::domain::Ecosystem;
use schemars::{Schema, SchemaGenerator};

/// Where repositories are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name that the file uses.
    pub name: String,
    /// What it needs to know.
    pub config: SourceConfig,
    /// What a plug-in may do.
    pub allow: Grants,
}

/// A source with its keys. Paths of files are as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceConfig {
    /// The repositories that the Activity itself lists.
    RepoList {
        /// Addresses or paths.
        repos: Vec<String>,
    },
    /// A file with an address in each line.
    RepoFilelist {
        /// The file.
        repo_file: String,
    },
    /// A file with an id in each line, and how an id becomes an address.
    TemplateFilelist {
        /// The file.
        repo_file: String,
        /// The address, with `{id}` in it.
        clone_url_template: String,
    },
    /// A table; its further columns are known of the repositories.
    CsvFilelist {
        /// The file.
        csv_file: String,
        /// How it is written.
        shape: CsvShape,
    },
    /// What GitHub's search finds for a person's token.
    GitHubSearch {
        /// The query.
        search_query: String,
        /// Which of them.
        filter: RepositoryFilter,
    },
    /// What GitHub's search finds for an installation of an App.
    GitHubAppSearch {
        /// The query.
        search_query: String,
        /// Which of them.
        filter: RepositoryFilter,
        /// Who asks.
        app: AppAccess,
    },
    /// All repositories of an organisation.
    GitHubOrganisation {
        /// Its login.
        organisation: String,
        /// Which of them.
        filter: RepositoryFilter,
    },
    /// All repositories of an installation of an App.
    GitHubInstallation {
        /// Which of them.
        filter: RepositoryFilter,
        /// The installation.
        app: AppAccess,
    },
    /// The repositories that the server knows to use a package.
    Index {
        /// Whose package.
        ecosystem: Ecosystem,
        /// Its name.
        package: String,
        /// The versions in use, as a range; all when absent.
        versions: Option<String>,
        /// How they are cloned.
        clone_by: CloneBy,
    },
    /// What a plug-in says.
    PlugIn {
        /// The plug-in.
        name: String,
        /// Its keys.
        config: serde_json::Value,
    },
}

/// Which of the repositories that GitHub names are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepositoryFilter {
    /// How they are cloned.
    pub clone_by: CloneBy,
    /// Whether read-only ones are among them.
    pub archived: bool,
    /// Whether forks are among them.
    pub forks: bool,
}

/// Which address a repository of GitHub is cloned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloneBy {
    /// `https://…`, with the token of the environment.
    Https,
    /// `git@…`, with the keys of whoever runs it.
    Ssh,
}

/// An installation of an App. Its private key is in the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppAccess {
    /// The App; `None` for the one that the environment names.
    pub app_id: Option<i64>,
    /// GitHub's number of the installation.
    pub installation: i64,
}

/// How a table is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvShape {
    /// What stands between two cells.
    pub delimiter: u8,
    /// What stands around a cell.
    pub quote: u8,
    /// What stands before a quote that belongs to the cell.
    pub escape: Option<u8>,
    /// Whether two quotes within quotes are one of the cell.
    pub double_quote: bool,
    /// The columns, where the table's first line does not name them.
    pub columns: Option<Vec<String>>,
}

impl Default for CsvShape {
    fn default() -> Self {
        let (delimiter, quote) = (b',', b'"');
        Self { delimiter, quote, escape: None, double_quote: true, columns: None }
    }
}

/// One kind of source.
pub struct SourceKind {
    /// The name that Activity files use.
    pub name: &'static str,
    /// What it finds, in a sentence or two of Markdown.
    pub about: &'static str,
    fields: &'static [Field<keys::Written>],
    make: fn(keys::Written) -> Option<SourceConfig>,
}

impl SourceKind {
    /// The keys of `source_config`, each with what it means and whether it has to be there.
    pub fn keys(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        self.fields.iter().map(|field| (field.name, field.about, field.required))
    }

    pub(super) fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        crate::document::fields_schema(self.about, self.fields, generator)
    }
}

#[derive(Default)]
pub(super) struct Written {
    name: Option<(Spot, String)>,
    config: Option<Node>,
    allow: Option<grants::Written>,
}

pub(super) const FIELDS: &[Field<Written>] = &[
    Field {
        name: "source_name",
        about: "which source finds the repositories, such as `repo-list`",
        required: true,
        schema: text_schema,
        read: |source, node, problems| {
            source.name = plain(node, "a source's name", "`repo-list`", problems).map(|name| (node.at, name));
        },
    },
    Field {
        name: "source_config",
        about: "the keys of the source; those that are missing are looked for in the variables `SOURCE_…`",
        required: false,
        schema: mapping_schema,
        read: |source, node, problems| source.config = mapping_of("source_config", node, problems),
    },
    Field {
        name: "allow",
        about: "what a plug-in may do besides running",
        required: false,
        schema: grants::schema,
        read: |source, node, problems| source.allow = Some(grants::Written::read(node, problems)),
    },
];

impl Source {
    pub(super) fn read(node: &Node, around: &Surroundings, problems: &mut Problems) -> Option<Self> {
        let Value::Map(map) = &node.value else { return None };
        let mut written = Written::default();
        read_fields(
            &mut written,
            map,
            node.at,
            &Mapping { what: "`source`", fields: FIELDS, elsewhere: &[] },
            problems,
        );
        let (at, name) = written.name?;
        let config = written.config.unwrap_or(Node { at: node.at, value: Value::Map(nothing()) });
        let config = match (by_name(&name), around.plugins.sources.contains(&name)) {
            (Some(kind), _) => {
                if let Some(allow) = &written.allow {
                    allow.refuse(&format!("the source `{name}`"), problems);
                }
                kind.read(&config, around, problems)?
            }
            (None, true) => SourceConfig::PlugIn { config: to_json(&config), name: name.clone() },
            (None, false) => {
                let known = || {
                    let built_in = KINDS.iter().map(|kind| kind.name);
                    built_in.chain(around.plugins.sources.iter().map(String::as_str))
                };
                unknown(("source", at, &name), known, problems);
                return None;
            }
        };
        Some(Self { name, config, allow: granted(written.allow) })
    }
}

impl SourceKind {
    fn read(&self, node: &Node, around: &Surroundings, problems: &mut Problems) -> Option<SourceConfig> {
        let Value::Map(map) = &node.value else { return None };
        let mapping = Mapping { what: "`source_config`", fields: self.fields, elsewhere: keys::SECRETS };
        let mut written = keys::Written::default();
        read_with_variables(&mut written, (map, node.at), &mapping, ("SOURCE_", &around.variables), problems);
        (self.make)(written)
    }
}

fn by_name(name: &str) -> Option<&'static SourceKind> {
    KINDS.iter().find(|kind| kind.name == name)
}

fn nothing() -> Map {
    Map { entries: Vec::new(), cut_short: false }
}

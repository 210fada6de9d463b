//! The table of sources, and the keys of each.

use super::{AppAccess, CloneBy, CsvShape, RepositoryFilter, SourceConfig, SourceKind};
use crate::activity::reading::{all_texts, count, count_schema, mapping_of, plain, text_schema, texts_schema};
use crate::activity::secrets::{WHERE_KEYS_BELONG, WHERE_TOKENS_BELONG};
use crate::document::{
    Field, Mapping, Node, Problems, Spot, Value, fields_schema, one_or_many, quoted, read_fields, truth, truth_schema,
};
use crate::domain::Ecosystem;
use crate::managers::{ecosystem_schema, read_ecosystem, read_package};
use crate::versioning::scheme;
use schemars::{Schema, SchemaGenerator, json_schema};

/// Keys of the Python tool that hold secrets.
pub(super) const SECRETS: &[(&str, &str)] =
    &[("token", WHERE_TOKENS_BELONG), ("app_private_key", WHERE_KEYS_BELONG), ("private_key", WHERE_KEYS_BELONG)];

/// The keys of all sources, as far as they were written.
#[derive(Default)]
pub(in crate::activity) struct Written {
    repos: Vec<String>,
    repo_file: Option<String>,
    clone_url_template: Option<String>,
    csv_file: Option<String>,
    shape: CsvShape,
    search_query: Option<String>,
    organisation: Option<String>,
    app_id: Option<i64>,
    installation: Option<i64>,
    clone_by: Option<CloneBy>,
    archived: Option<bool>,
    forks: Option<bool>,
    ecosystem: Option<Ecosystem>,
    package: Option<(Spot, String)>,
    versions: Option<(Spot, String)>,
}

impl Written {
    fn filter(&self, usual: CloneBy) -> RepositoryFilter {
        RepositoryFilter {
            clone_by: self.clone_by.unwrap_or(usual),
            archived: self.archived.unwrap_or(false),
            forks: self.forks.unwrap_or(true),
        }
    }

    fn app(&self) -> Option<AppAccess> {
        Some(AppAccess { app_id: self.app_id, installation: self.installation? })
    }
}

/// Every source that is built in.
pub const KINDS: &[SourceKind] = &[
    SourceKind {
        name: "repo-list",
        about: "The repositories that the Activity itself lists.",
        fields: &[REPOS],
        make: |keys| (!keys.repos.is_empty()).then_some(SourceConfig::RepoList { repos: keys.repos }),
    },
    SourceKind {
        name: "repo-filelist",
        about: "A file with an address or a path in each line. Empty lines and what follows a `#` are left out.",
        fields: &[REPO_FILE],
        make: |keys| Some(SourceConfig::RepoFilelist { repo_file: keys.repo_file? }),
    },
    SourceKind {
        name: "template-filelist",
        about: "A file with an id in each line, such as `acme/api`, and an address with `{id}` in it.",
        fields: &[REPO_FILE, CLONE_URL_TEMPLATE],
        make: |keys| {
            let (repo_file, clone_url_template) = (keys.repo_file?, keys.clone_url_template?);
            Some(SourceConfig::TemplateFilelist { repo_file, clone_url_template })
        },
    },
    SourceKind {
        name: "csv-filelist",
        about: "A table with the columns `repo_id`, `clone_url` and, if wanted, `upstream_branch`. Every further column can be used as \
                `{{ patch_data.COLUMN }}`.",
        fields: &[CSV_FILE, READER_ARGS],
        make: |keys| Some(SourceConfig::CsvFilelist { csv_file: keys.csv_file?, shape: keys.shape }),
    },
    SourceKind {
        name: "github-search",
        about: "What GitHub's search for repositories finds for your token; GitHub shows the first 1,000.",
        fields: &[SEARCH_QUERY, CLONE_WITH, ARCHIVED, FORKS],
        make: |keys| {
            let filter = keys.filter(CloneBy::Ssh);
            Some(SourceConfig::GitHubSearch { search_query: keys.search_query?, filter })
        },
    },
    SourceKind {
        name: "github-app-search",
        about: "What GitHub's search for repositories finds for an installation of a GitHub App; GitHub shows the first 1,000.",
        fields: &[SEARCH_QUERY, APP_ID, APP_INSTALLATION_ID, CLONE_WITH, ARCHIVED, FORKS],
        make: |keys| {
            let (filter, app) = (keys.filter(CloneBy::Https), keys.app()?);
            Some(SourceConfig::GitHubAppSearch { search_query: keys.search_query?, filter, app })
        },
    },
    SourceKind {
        name: "github-organisation",
        about: "All repositories of a GitHub organisation that your token may see.",
        fields: &[ORGANISATION, CLONE_WITH, ARCHIVED, FORKS],
        make: |keys| {
            let filter = keys.filter(CloneBy::Https);
            Some(SourceConfig::GitHubOrganisation { organisation: keys.organisation?, filter })
        },
    },
    SourceKind {
        name: "github-installation",
        about: "All repositories of an installation of a GitHub App.",
        fields: &[APP_ID, APP_INSTALLATION_ID, CLONE_WITH, ARCHIVED, FORKS],
        make: |keys| {
            let (filter, app) = (keys.filter(CloneBy::Https), keys.app()?);
            Some(SourceConfig::GitHubInstallation { filter, app })
        },
    },
    SourceKind {
        name: "index",
        about: "The repositories that the server's store knows to use a package, in any version or in those of a range. \
                `{{ patch_data.version }}` is the version in use, `{{ patch_data.files }}` the files that name it.",
        fields: &[ECOSYSTEM, PACKAGE, VERSIONS, CLONE_WITH],
        make: |keys| {
            let clone_by = keys.clone_by.unwrap_or(CloneBy::Https);
            let (versions, (_, package)) = (keys.versions.map(|(_, range)| range), keys.package?);
            Some(SourceConfig::Index { ecosystem: keys.ecosystem?, package, versions, clone_by })
        },
    },
];

const REPOS: Field<Written> = Field {
    name: "repos",
    about: "addresses that git clones, or paths",
    required: true,
    schema: texts_schema,
    read: |keys, node, problems| {
        // What is named twice is for whoever looks for them to tell.
        keys.repos = all_texts(node, "a repository", "`https://github.com/acme/api.git`", problems);
        // A variable has one in each line.
        keys.repos = keys.repos.iter().flat_map(|one| one.lines()).map(|line| line.trim().to_owned()).collect();
        keys.repos.retain(|one| !one.is_empty());
        if matches!(&node.value, Value::List(items) if items.is_empty()) {
            problems.add(node.at, "there are no repositories", "list at least one");
        }
    },
};

const REPO_FILE: Field<Written> = Field {
    name: "repo_file",
    about: "the file that lists the repositories, a line for each",
    required: true,
    schema: text_schema,
    read: |keys, node, problems| keys.repo_file = plain(node, "a file's path", "`repos.txt`", problems),
};

const CLONE_URL_TEMPLATE: Field<Written> = Field {
    name: "clone_url_template",
    about: "the address that git clones, with `{id}` where the id belongs",
    required: true,
    schema: |_| json_schema!({ "type": "string", "pattern": "\\{id\\}" }),
    read: |keys, node, problems| {
        let example = "`https://github.com/{id}.git`";
        let template = plain(node, "an address", example, problems);
        if template.as_ref().is_some_and(|template| !template.contains("{id}")) {
            let what = "there is no `{id}` in it, so that every repository would have the same address";
            problems.add(node.at, what, format!("write for example {example}"));
            return;
        }
        keys.clone_url_template = template;
    },
};

const CSV_FILE: Field<Written> = Field {
    name: "csv_file",
    about: "the table of the repositories",
    required: true,
    schema: text_schema,
    read: |keys, node, problems| keys.csv_file = plain(node, "a file's path", "`repos.csv`", problems),
};

const READER_ARGS: Field<Written> = Field {
    name: "reader_args",
    about: "how the table is written, where it is not with commas and double quotes",
    required: false,
    schema: |generator| fields_schema("how the table is written", SHAPE, generator),
    read: |keys, node, problems| {
        if let Some(Node { value: Value::Map(map), .. }) = mapping_of("reader_args", node, problems) {
            let mapping = Mapping { what: "`reader_args`", fields: SHAPE, elsewhere: &[] };
            read_fields(&mut keys.shape, &map, node.at, &mapping, problems);
            if keys.shape.delimiter == keys.shape.quote {
                problems.add(node.at, "delimiter and quote are the same", "they must differ");
            }
        }
    },
};

const SEARCH_QUERY: Field<Written> = Field {
    name: "search_query",
    about: "what to search for, such as `org:acme language:python`",
    required: true,
    schema: |_| json_schema!({ "type": "string", "minLength": 1, "maxLength": 1000 }),
    read: |keys, node, problems| keys.search_query = plain(node, "a query", "`org:acme language:python`", problems),
};

const ORGANISATION: Field<Written> = Field {
    name: "organisation",
    about: "the organisation's name in addresses, such as `acme`",
    required: true,
    schema: text_schema,
    read: |keys, node, problems| {
        let name = plain(node, "an organisation", "`acme`", problems);
        let sound = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if let Some(bad) = name.as_ref().filter(|name| !sound(name)) {
            let what = format!("{} is not the name of an organisation", quoted(bad));
            problems.add(node.at, what, "write the part of its address after `github.com/`, such as `acme`");
            return;
        }
        keys.organisation = name;
    },
};

const APP_ID: Field<Written> = Field {
    name: "app_id",
    about: "the App's number (default GITHUB_APP_ID of the environment)",
    required: false,
    schema: count_schema,
    read: |keys, node, problems| keys.app_id = count(node, "an App's id", problems),
};

const APP_INSTALLATION_ID: Field<Written> = Field {
    name: "app_installation_id",
    about: "the number of the App's installation, from the address of its settings page",
    required: true,
    schema: count_schema,
    read: |keys, node, problems| keys.installation = count(node, "an installation's id", problems),
};

const CLONE_WITH: Field<Written> = Field {
    name: "clone_with",
    about: "`https`, with the token of the environment, or `ssh`, with your own keys (default `ssh` for `github-search`, else `https`)",
    required: false,
    schema: |_| json_schema!({ "enum": ["https", "ssh"] }),
    read: |keys, node, problems| {
        keys.clone_by = match plain(node, "`clone_with`", "`https`", problems).as_deref() {
            Some("https") => Some(CloneBy::Https),
            Some("ssh") => Some(CloneBy::Ssh),
            Some(other) => {
                problems.add(node.at, format!("{} is no way to clone", quoted(other)), "write `https` or `ssh`");
                None
            }
            None => None,
        };
    },
};

const ARCHIVED: Field<Written> = Field {
    name: "archived",
    about: "whether archived repositories, which are read-only, are taken as well (default false)",
    required: false,
    schema: truth_schema,
    read: |keys, node, problems| keys.archived = truth(node, "`archived`", problems),
};

const FORKS: Field<Written> = Field {
    name: "forks",
    about: "whether forks are taken as well (default true)",
    required: false,
    schema: truth_schema,
    read: |keys, node, problems| keys.forks = truth(node, "`forks`", problems),
};

const ECOSYSTEM: Field<Written> = Field {
    name: "ecosystem",
    about: "whose package it is, such as `pypi`",
    required: true,
    schema: ecosystem_schema,
    read: |keys, node, problems| {
        keys.ecosystem = read_ecosystem(node, problems);
        check_package(keys, problems);
        check_versions(keys, problems);
    },
};

const PACKAGE: Field<Written> = Field {
    name: "package",
    about: "the package's name as manifests write it: `httpx`, `python` for the image, `actions/checkout`",
    required: true,
    schema: text_schema,
    read: |keys, node, problems| {
        keys.package = plain(node, "a package", "`httpx`", problems).map(|name| (node.at, name));
        check_package(keys, problems);
    },
};

const VERSIONS: Field<Written> = Field {
    name: "versions",
    about: "which versions of it are in use, as the ecosystem writes ranges: `<2.17` (default all)",
    required: false,
    schema: text_schema,
    read: |keys, node, problems| {
        keys.versions = plain(node, "a range of versions", "`\"<2.17\"`", problems).map(|range| (node.at, range));
        check_versions(keys, problems);
    },
};

// Whichever of two keys comes last knows both.

fn check_package(keys: &Written, problems: &mut Problems) {
    if let (Some(ecosystem), Some((at, name))) = (keys.ecosystem, &keys.package) {
        read_package(ecosystem, (*at, name), problems);
    }
}

fn check_versions(keys: &Written, problems: &mut Problems) {
    let (Some(ecosystem), Some((at, range))) = (keys.ecosystem, &keys.versions) else { return };
    if let Err(bad) = scheme(ecosystem).matches(range, "1") {
        let what = format!("{} is not a range of versions for `{ecosystem}`: {}", quoted(range), bad.why);
        problems.add(*at, what, "write for example `<2.17` or `>=5,<6`");
    }
}

const SHAPE: &[Field<CsvShape>] = &[
    Field {
        name: "delimiter",
        about: "the character between two cells (default `,`)",
        required: false,
        schema: character_schema,
        read: |shape, node, problems| shape.delimiter = character(node, problems).unwrap_or(shape.delimiter),
    },
    Field {
        name: "quotechar",
        about: "the character around a cell (default `\"`)",
        required: false,
        schema: character_schema,
        read: |shape, node, problems| shape.quote = character(node, problems).unwrap_or(shape.quote),
    },
    Field {
        name: "escapechar",
        about: "the character before a quote that belongs to the cell (default none)",
        required: false,
        schema: character_schema,
        read: |shape, node, problems| shape.escape = character(node, problems),
    },
    Field {
        name: "doublequote",
        about: "whether two quotes within quotes are one of the cell (default true)",
        required: false,
        schema: truth_schema,
        read: |shape, node, problems| shape.double_quote = truth(node, "`doublequote`", problems).unwrap_or(true),
    },
    Field {
        name: "fieldnames",
        about: "the names of the columns, where the table's first line does not say them",
        required: false,
        schema: |_| json_schema!({ "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 }),
        read: |shape, node, problems| {
            let names: Vec<String> = one_or_many(node)
                .iter()
                .filter_map(|item| plain(item, "a column's name", "`repo_id`", problems))
                .collect();
            shape.columns = Some(names);
        },
    },
];

fn character_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "minLength": 1, "maxLength": 1 })
}

fn character(node: &Node, problems: &mut Problems) -> Option<u8> {
    match &node.value {
        Value::Text(text) if text.len() == 1 && !matches!(text.as_str(), "\n" | "\r" | "\0") => text.bytes().next(),
        Value::Unreadable => None,
        _ => {
            problems.add(
                node.at,
                format!("one character was expected, this is {}", node.kind()),
                "write for example `;` in quotes",
            );
            None
        }
    }
}

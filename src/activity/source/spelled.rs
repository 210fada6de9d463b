//! A source's keys, written as a file would write them.

use super::{AppAccess, CloneBy, CsvShape, RepositoryFilter, SourceConfig};
use serde_json::{Map, Value, json};

impl SourceConfig {
    /// The keys of `source_config` that mean this, those with usual values as well. The names are those of files and no others:
    /// what is stored under them outlives this program's own.
    pub fn spelled_out(&self) -> Value {
        match self {
            Self::RepoList { repos } => json!({ "repos": repos }),
            Self::RepoFilelist { repo_file } => json!({ "repo_file": repo_file }),
            Self::TemplateFilelist { repo_file, clone_url_template } => {
                json!({ "repo_file": repo_file, "clone_url_template": clone_url_template })
            }
            Self::CsvFilelist { csv_file, shape } => json!({ "csv_file": csv_file, "reader_args": table(shape) }),
            Self::GitHubSearch { search_query, filter } => {
                keys([("search_query", Some(json!(search_query)))].into_iter().chain(picked(*filter)))
            }
            Self::GitHubAppSearch { search_query, filter, app } => {
                let query = [("search_query", Some(json!(search_query)))];
                keys(query.into_iter().chain(picked(*filter)).chain(access(*app)))
            }
            Self::GitHubOrganisation { organisation, filter } => {
                keys([("organisation", Some(json!(organisation)))].into_iter().chain(picked(*filter)))
            }
            Self::GitHubInstallation { filter, app } => keys(picked(*filter).into_iter().chain(access(*app))),
            Self::Index { ecosystem, package, versions, clone_by } => keys([
                ("ecosystem", Some(json!(ecosystem.as_str()))),
                ("package", Some(json!(package))),
                ("versions", versions.as_ref().map(|range| json!(range))),
                ("clone_with", Some(json!(way(*clone_by)))),
            ]),
            Self::PlugIn { name: _, config } => config.clone(),
        }
    }
}

/// A mapping without the keys that have no value.
fn keys(all: impl IntoIterator<Item = (&'static str, Option<Value>)>) -> Value {
    let there = all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}

fn picked(RepositoryFilter { clone_by, archived, forks }: RepositoryFilter) -> [(&'static str, Option<Value>); 3] {
    [("clone_with", Some(json!(way(clone_by)))), ("archived", Some(json!(archived))), ("forks", Some(json!(forks)))]
}

fn access(AppAccess { app_id, installation }: AppAccess) -> [(&'static str, Option<Value>); 2] {
    [("app_id", app_id.map(|id| json!(id))), ("app_installation_id", Some(json!(installation)))]
}

const fn way(by: CloneBy) -> &'static str {
    match by {
        CloneBy::Https => "https",
        CloneBy::Ssh => "ssh",
    }
}

fn table(CsvShape { delimiter, quote, escape, double_quote, columns }: &CsvShape) -> Value {
    let character = |byte: u8| Some(json!(char::from(byte)));
    keys([
        ("delimiter", character(*delimiter)),
        ("quotechar", character(*quote)),
        ("escapechar", escape.and_then(character)),
        ("doublequote", Some(json!(double_quote))),
        ("fieldnames", columns.as_ref().map(|columns| json!(columns))),
    ])
}

#[cfg(test)]
mod tests {
    use crate::activity::{Format, Source, Surroundings, parse};
    use serde_json::{Value, json};

    fn source(name: &str, config: &Value) -> Source {
        let text = json!({ "source": { "source_name": name, "source_config": config } }).to_string();
        let activity = parse(text.as_bytes(), Format::Yaml, &Surroundings::default());
        activity.unwrap_or_else(|problems| panic!("{text}: {problems:?}")).source.unwrap()
    }

    #[test]
    fn what_is_spelled_out_is_read_as_the_same() {
        let shape = json!({ "delimiter": ";", "quotechar": "'", "escapechar": "\\", "doublequote": false,
            "fieldnames": ["repo_id", "clone_url"] });
        for (name, written) in [
            ("repo-list", json!({ "repos": ["a", "b"] })),
            ("repo-filelist", json!({ "repo_file": "r.txt" })),
            ("template-filelist", json!({ "repo_file": "r.txt", "clone_url_template": "https://x.example/{id}" })),
            ("csv-filelist", json!({ "csv_file": "r.csv" })),
            ("csv-filelist", json!({ "csv_file": "r.csv", "reader_args": shape })),
            ("github-search", json!({ "search_query": "org:acme" })),
            ("github-search", json!({ "search_query": "org:acme", "clone_with": "https", "forks": false })),
            ("github-app-search", json!({ "search_query": "q", "app_installation_id": 3 })),
            ("github-organisation", json!({ "organisation": "acme", "archived": true })),
            ("github-installation", json!({ "app_installation_id": 3, "app_id": 4, "clone_with": "ssh" })),
            ("index", json!({ "ecosystem": "pypi", "package": "urllib3" })),
            ("index", json!({ "ecosystem": "pypi", "package": "urllib3", "versions": "<2", "clone_with": "ssh" })),
        ] {
            let meant = source(name, &written);
            let spelled = meant.config.spelled_out();
            assert_eq!(source(name, &spelled).config, meant.config, "{spelled}");
            for (key, value) in written.as_object().unwrap() {
                assert_eq!(&spelled[key], value, "{name}");
            }
        }
    }
}

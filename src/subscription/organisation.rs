//! The organisation's own file: what it asks for in all its repositories. Today that is one thing, onboarding.

use super::LIMITS;
use crate::document::{
    Field, Mapping, NameGlob, Node, Problem, Problems, Spot, Value, did_you_mean, fields_schema, one_or_many, quoted,
    read_fields, text, yaml,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The names the file may have, at the root of the organisation's `.github` repository. Half of the world spells it with a `z`.
pub const ORGANISATION_FILE_NAMES: [&str; 4] = [
    ".mass-driver-organisation.yaml",
    ".mass-driver-organisation.yml",
    ".mass-driver-organization.yaml",
    ".mass-driver-organization.yml",
];

/// Globs of one key that are worth writing down.
const GLOBS_MAX: usize = 200;

/// What a valid file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganisationFile {
    /// Which repositories get a pull request that adds a subscription file.
    pub onboarding: WhichRepositories,
    /// Which of those do not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<NameGlob>,
}

/// Which repositories of an organisation are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhichRepositories {
    /// None of them.
    #[default]
    None,
    /// All of them.
    All,
    /// Those with a name that matches one of these.
    Named(Vec<NameGlob>),
}

impl OrganisationFile {
    /// Whether a repository is to get a pull request that adds a subscription file. `name` is without the owner.
    pub fn asks_onboarding_of(&self, name: &str) -> bool {
        let any = |globs: &[NameGlob]| globs.iter().any(|glob| glob.matches(name));
        let is_meant = match &self.onboarding {
            WhichRepositories::None => false,
            WhichRepositories::All => true,
            WhichRepositories::Named(globs) => any(globs),
        };
        is_meant && !any(&self.exclude)
    }

    /// What it asks for, in a few words.
    pub fn in_words(&self) -> String {
        let globs = |globs: &[NameGlob]| globs.iter().map(NameGlob::as_str).collect::<Vec<_>>().join(", ");
        let which = match &self.onboarding {
            WhichRepositories::None => return "onboarding of no repository".into(),
            WhichRepositories::All => "every repository".to_owned(),
            WhichRepositories::Named(named) => format!("the repositories {}", globs(named)),
        };
        let but = if self.exclude.is_empty() { String::new() } else { format!(", without {}", globs(&self.exclude)) };
        format!("onboarding of {which}{but}")
    }
}

/// What is written, before it is known to be good.
#[derive(Debug, Default)]
struct Written {
    onboarding: Option<WhichRepositories>,
    exclude: Vec<NameGlob>,
}

const FILE: [Field<Written>; 2] = [
    Field {
        name: "onboarding",
        about: "which repositories without a `.mass-driver.yaml` get one pull request that adds it: `all`, `none`, or globs of their names",
        required: true,
        schema: |_| {
            let glob = glob_schema();
            json_schema!({ "anyOf": [
                { "enum": ["all", "none"] }, glob, { "type": "array", "items": glob, "minItems": 1, "maxItems": GLOBS_MAX },
            ] })
        },
        read: |file, node, problems| file.onboarding = read_which(node, problems),
    },
    Field {
        name: "exclude",
        about: "globs of the names of repositories that get none (default none)",
        required: false,
        schema: |_| {
            let glob = glob_schema();
            json_schema!({ "anyOf": [glob, { "type": "array", "items": glob, "maxItems": GLOBS_MAX }] })
        },
        read: |file, node, problems| {
            file.exclude = read_globs(node, problems);
        },
    },
];

/// What belongs into a repository's own file.
const OF_A_REPOSITORY: &[(&str, &str)] = &[
    ("subscriptions", "each repository says that itself, in its `.mass-driver.yaml`"),
    ("delay", "each repository says that itself, in its `.mass-driver.yaml`"),
    ("min_age", "each repository says that itself, in its `.mass-driver.yaml`"),
    ("limit", "each repository says that itself, in its `.mass-driver.yaml`"),
    ("timezone", "each repository says that itself, in its `.mass-driver.yaml`"),
];

/// Names of repositories have letters, digits, `.`, `_` and `-`. Source: GitHub refuses others.
const GLOB: &str = r"^(?![Aa][Ll][Ll]$)(?![Nn][Oo][Nn][Ee]$)[A-Za-z0-9._*?\[\]{},!-]+$";

fn glob_schema() -> Schema {
    json_schema!({ "type": "string", "pattern": GLOB, "maxLength": 200 })
}

fn read_which(node: &Node, problems: &mut Problems) -> Option<WhichRepositories> {
    match &node.value {
        Value::Text(word) if word == "all" => return Some(WhichRepositories::All),
        Value::Text(word) if word == "none" => return Some(WhichRepositories::None),
        Value::Bool(value) => {
            let word = if *value { "all" } else { "none" };
            problems.add(node.at, format!("`onboarding` is {}", node.kind()), format!("write `{word}`"));
            return None;
        }
        Value::List(items) if items.is_empty() => {
            problems.add(node.at, "no repositories are named", "name at least one, or write `none`");
            return None;
        }
        _ => {}
    }
    Some(WhichRepositories::Named(read_globs(node, problems)))
}

fn read_globs(node: &Node, problems: &mut Problems) -> Vec<NameGlob> {
    let items = one_or_many(node);
    if items.len() > GLOBS_MAX {
        let what = format!("{} globs are more than the {GLOBS_MAX} that are taken", items.len());
        problems.add(node.at, what, "use globs that stand for more names");
        return Vec::new();
    }
    items.iter().filter_map(|item| read_glob(item, problems)).collect()
}

fn read_glob(node: &Node, problems: &mut Problems) -> Option<NameGlob> {
    let written = text(node, "the name of a repository", "`api` or `service-*`", problems)?;
    let mut refuse = |why: String, fix: String| {
        problems.add(node.at, why, fix);
        None
    };
    if let Some(word) = ["all", "none"].into_iter().find(|word| written.eq_ignore_ascii_case(word)) {
        let what = format!("{} stands where the name of a repository belongs", quoted(written));
        return refuse(
            what,
            format!(
                "as a word of its own it is written `onboarding: {word}`; a repository of that name is meant by `\"{}\"`",
                first_in_brackets(written)
            ),
        );
    }
    if let Some((_, name)) = written.split_once('/') {
        let what = format!("{} names an owner", quoted(written));
        return refuse(what, format!("all repositories here have the same one: write {}", quoted(name)));
    }
    if !written.chars().all(|c| c.is_ascii_alphanumeric() || "._*?[]{},!-".contains(c)) {
        let what = format!(
            "{} cannot match the name of a repository{}",
            quoted(written),
            did_you_mean(written, ["all", "none"])
        );
        return refuse(what, "such a name has letters, digits, `.`, `_` and `-`; `*` stands for any of them".into());
    }
    match NameGlob::parse(written) {
        Ok(glob) => Some(glob),
        Err(why) => refuse(
            format!("{} is not a glob: {why}", quoted(written)),
            "`*` stands for any characters: `service-*`".into(),
        ),
    }
}

/// A glob that matches just this name, and is not the word itself.
fn first_in_brackets(name: &str) -> String {
    let mut rest = name.chars();
    rest.next().map(|first| format!("[{first}]{}", rest.as_str())).unwrap_or_default()
}

/// Reads an organisation's file from its raw bytes.
///
/// Errors: every problem of the file, sorted by position; never empty.
pub fn parse_organisation(bytes: &[u8]) -> Result<OrganisationFile, Vec<Problem>> {
    let mut problems = Problems::default();
    let mut file = Written::default();
    let begin = "say which repositories are onboarded: `onboarding: all`";
    if let Some(root) = yaml::read(bytes, LIMITS, begin, &mut problems) {
        match &root.value {
            Value::Map(map) => {
                let mapping = Mapping { what: "the organisation's file", fields: &FILE, elsewhere: OF_A_REPOSITORY };
                read_fields(&mut file, map, Spot::START, &mapping, &mut problems);
            }
            Value::Unreadable => {}
            Value::Null => problems.add(root.at, "the file is empty", begin),
            _ => problems.add(root.at, format!("the file must be a mapping, this is {}", root.kind()), begin),
        }
    }
    match file.onboarding {
        Some(onboarding) if problems.is_empty() => Ok(OrganisationFile { onboarding, exclude: file.exclude }),
        _ => Err(problems.sorted()),
    }
}

/// The problem of a repository that has the file under several names.
pub fn several_organisation_files() -> Problem {
    let [first, ..] = ORGANISATION_FILE_NAMES;
    Problem::whole_file(
        "the organisation's file is here under several names, so it is unclear which one counts",
        format!("keep `{first}` and remove the others"),
    )
}

impl JsonSchema for OrganisationFile {
    fn schema_name() -> Cow<'static, str> {
        "What an organisation asks for".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        fields_schema("what `.mass-driver-organisation.yaml` may say", &FILE, generator)
    }
}

/// The JSON Schema (draft 2020-12) of the organisation's file as people write it.
pub fn organisation_schema() -> serde_json::Value {
    SchemaGenerator::default().into_root_schema_for::<OrganisationFile>().to_value()
}

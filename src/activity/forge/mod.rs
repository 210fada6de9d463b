//! The section `forge`: where the branch is pushed, and the pull request that is opened for it.

mod keys;

pub(super) use keys::FIELDS;

use super::Surroundings;
use super::migration::RepositoryMigration;
use super::reading::{branch_template, count, count_schema, filled_branch, text_schema};
use super::secrets::{WHERE_KEYS_BELONG, WHERE_TOKENS_BELONG};
use super::template::Template;
use super::variables::read_with_variables;
use crate::document::{
    Field, Map, Mapping, Node, Problem, Problems, Spot, Value, did_you_mean, fields_schema, one_of, quoted,
    read_fields, text,
};
use crate::domain::SourcedRepository;
use keys::Written;
use schemars::{Schema, SchemaGenerator};

/// GitHub takes no more. Unit: characters.
const TITLE_MAX: usize = 256;
const BODY_MAX: usize = 65_536;

/// Pull requests, as the file writes them for all repositories.
#[derive(Clone, Debug)]
pub struct Forge {
    /// Which forge, and as whom.
    pub kind: ForgeKind,
    /// The branch pull requests go to; `None` for the one a repository's change begins from.
    pub base_branch: Option<String>,
    /// Whether the branch is pushed first, rather than there already.
    pub git_push_first: bool,
    /// How many pull requests are opened between two questions on a terminal, the first of which comes before all; `None` for
    /// that one alone.
    pub interactive_pause_every: Option<u32>,
    /// Whether they are opened as drafts.
    pub draft: bool,
    /// The labels they get.
    pub labels: Vec<String>,
    /// The logins that are asked to review them.
    pub reviewers: Vec<String>,
    /// The teams that are asked to: the part of their name after the `/`.
    pub team_reviewers: Vec<String>,
    /// The logins they are assigned to.
    pub assignees: Vec<String>,
    head_branch: Template,
    title: Option<Template>,
    body: Option<Template>,
}

/// Where pull requests are opened, and as whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeKind {
    /// GitHub, by a person's token.
    GitHub,
    /// GitHub, as an installation of an App; `None` for the App that the environment names, and for the installation that a
    /// repository belongs to.
    GitHubApp {
        /// The App.
        app_id: Option<i64>,
        /// The installation.
        installation: Option<i64>,
    },
    /// Nowhere: what would be opened is told.
    Dummy,
}

/// A forge by name, for lists.
pub struct ForgeName {
    /// The name that Activity files use.
    pub name: &'static str,
    /// What it does, in a sentence or two of Markdown.
    pub about: &'static str,
    fields: &'static [Field<Access>],
}

impl ForgeName {
    /// The keys of `forge_config`, each with what it means and whether it has to be there.
    pub fn keys(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        self.fields.iter().map(|field| (field.name, field.about, field.required))
    }

    pub(super) fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        fields_schema(self.about, self.fields, generator)
    }
}

/// The pull request for one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestSpec {
    /// The branch it goes to; `None` for the repository's default branch.
    pub base_branch: Option<String>,
    /// The name of its branch there: what is committed is pushed under this name.
    pub head_branch: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
}

/// What forges take as `forge_config`.
#[derive(Default)]
struct Access {
    app_id: Option<i64>,
    installation: Option<i64>,
}

/// Every forge.
pub const FORGES: &[ForgeName] = &[
    ForgeName {
        name: "github",
        about: "Pull requests on GitHub, opened by the person whose token is in FORGE_TOKEN, GITHUB_TOKEN or GH_TOKEN, or in the \
                configuration of `gh`.",
        fields: &[],
    },
    ForgeName {
        name: "github-app",
        about: "Pull requests on GitHub, opened by a GitHub App. Its private key is in FORGE_APP_PRIVATE_KEY, \
                GITHUB_APP_PRIVATE_KEY or GITHUB_APP_PRIVATE_KEY_FILE.",
        fields: &[
            Field {
                name: "app_id",
                about: "the App's number (default GITHUB_APP_ID of the environment)",
                required: false,
                schema: count_schema,
                read: |access, node, problems| access.app_id = count(node, "an App's id", problems),
            },
            Field {
                name: "app_installation_id",
                about: "the number of the App's installation (default the one each repository belongs to)",
                required: false,
                schema: count_schema,
                read: |access, node, problems| access.installation = count(node, "an installation's id", problems),
            },
        ],
    },
    ForgeName {
        name: "dummy",
        about: "Opens nothing, and tells what would be opened.",
        fields: &[
            Field {
                name: "some_param_for_forgeconfig",
                about: "any text; nothing is done with it",
                required: false,
                schema: text_schema,
                read: |_, node, problems| {
                    text(node, "the parameter", "`x`", problems);
                },
            },
            Field {
                name: "pr_url",
                about: "any text; nothing is done with it",
                required: false,
                schema: text_schema,
                read: |_, node, problems| {
                    text(node, "the address", "`x`", problems);
                },
            },
        ],
    },
];

const SECRETS: &[(&str, &str)] =
    &[("token", WHERE_TOKENS_BELONG), ("app_private_key", WHERE_KEYS_BELONG), ("private_key", WHERE_KEYS_BELONG)];

impl Forge {
    /// The head branch that the section gives, for the migration to take over. What is wrong with it is told when the section
    /// is read.
    pub(super) fn head_branch_of(node: &Node) -> Option<Template> {
        let Value::Map(map) = &node.value else { return None };
        let (_, node) = map.entries.iter().find(|(key, _)| key.name == "head_branch")?;
        branch_template(node, &mut Problems::default())
    }

    /// Reads the section. `branch` is that of the migration, if there is one.
    pub(super) fn read(
        node: &Node,
        branch: Option<&Template>,
        has_migration: bool,
        around: &Surroundings,
        problems: &mut Problems,
    ) -> Option<Self> {
        let Value::Map(map) = &node.value else { return None };
        let mut written = Written::default();
        let mapping = Mapping { what: "`forge`", fields: FIELDS, elsewhere: super::file::OF_THE_MIGRATION };
        read_fields(&mut written, map, node.at, &mapping, problems);
        let has = |name| map.entries.iter().any(|(key, _)| key.name == name);
        if !has_migration && !map.cut_short {
            if !has("head_branch") {
                let fix = "add it: the name of the branch that is there already";
                problems.add(
                    node.at,
                    "`head_branch` is missing in `forge`, and there is no `migration` to take it from",
                    fix,
                );
            }
            if !has("pr_title") {
                let fix = "add it: the title of the pull requests";
                problems.add(
                    node.at,
                    "`pr_title` is missing in `forge`, and there is no `migration` to take it from",
                    fix,
                );
            }
        }
        let nothing = Map { entries: Vec::new(), cut_short: false };
        let config = written.config.unwrap_or(Node { at: node.at, value: Value::Map(nothing) });
        let kind = read_kind(written.name?, &config, around, problems)?;
        let head_branch = written.head_branch.or_else(|| branch.cloned())?;
        Some(Self {
            kind,
            base_branch: written.base_branch,
            git_push_first: written.git_push_first.unwrap_or(true),
            interactive_pause_every: written.pause,
            draft: written.draft.unwrap_or(false),
            labels: written.labels,
            reviewers: written.reviewers,
            team_reviewers: written.teams,
            assignees: written.assignees,
            head_branch,
            title: written.title,
            body: written.body,
        })
    }

    /// What the repository lacks that the section speaks of, whatever becomes of the change.
    pub(super) fn missing(&self, repository: &SourcedRepository) -> Vec<Problem> {
        let mut problems = Problems::default();
        for template in [Some(&self.head_branch), self.title.as_ref(), self.body.as_ref()].into_iter().flatten() {
            template.fill(repository, &mut problems);
        }
        problems.sorted()
    }

    /// The pull request for one repository; `migration` is the change that is pushed, if there is one.
    ///
    /// Errors: what the repository lacks that the file speaks of, or what its values make wrong; never empty.
    pub fn for_repository(
        &self,
        repository: &SourcedRepository,
        migration: Option<&RepositoryMigration>,
    ) -> Result<PullRequestSpec, Vec<Problem>> {
        let mut problems = Problems::default();
        let head_branch = filled_branch(&self.head_branch, repository, &mut problems);
        let message = migration.map_or("", |migration| migration.commit_message.trim());
        let (first, rest) = message.split_once('\n').unwrap_or((message, ""));
        let title = match &self.title {
            Some(title) => title.fill(repository, &mut problems),
            None => Some(first.trim().to_owned()),
        };
        let body = match &self.body {
            Some(body) => body.fill(repository, &mut problems),
            None => Some(rest.trim().to_owned()),
        };
        let base_branch = self.base_branch.clone().or_else(|| repository.upstream_branch.clone());
        let id = quoted(&repository.id);
        if let Some(why) = title.as_deref().and_then(title_complaint) {
            let at = self.title.as_ref().map_or(self.head_branch.at(), Template::at);
            problems.add(
                at,
                format!("the title of the pull request {why}, for {id}"),
                "shorten `pr_title` to one line",
            );
        }
        if body.as_ref().is_some_and(|body| body.chars().nth(BODY_MAX).is_some()) {
            let at = self.body.as_ref().map_or(self.head_branch.at(), Template::at);
            problems.add(
                at,
                format!("the text of the pull request is longer than 65,536 characters, for {id}"),
                "shorten `pr_body`",
            );
        }
        if head_branch.is_some() && head_branch == base_branch {
            let what = format!("the pull request of {id} would go from a branch to itself");
            problems.add(self.head_branch.at(), what, "name two branches: `head_branch` is the one with the change");
        }
        match (head_branch, title, body) {
            (Some(head_branch), Some(title), Some(body)) if problems.is_empty() => {
                Ok(PullRequestSpec { base_branch, head_branch, title, body })
            }
            _ => Err(problems.sorted()),
        }
    }
}

fn title_complaint(title: &str) -> Option<&'static str> {
    if title.trim().is_empty() {
        return Some("is empty");
    }
    if title.contains(['\n', '\r']) {
        return Some("has more than one line");
    }
    title.chars().nth(TITLE_MAX).is_some().then_some("is longer than 256 characters")
}

fn read_kind(
    (at, name): (Spot, String),
    config: &Node,
    around: &Surroundings,
    problems: &mut Problems,
) -> Option<ForgeKind> {
    let Some(forge) = FORGES.iter().find(|forge| forge.name == name) else {
        let known = || FORGES.iter().map(|forge| forge.name);
        let what = format!("there is no forge {}{}", quoted(&name), did_you_mean(&name, known()));
        problems.add(at, what, format!("use {}", one_of(known())));
        return None;
    };
    let Value::Map(map) = &config.value else { return None };
    // The Python tool's forge spells this key of its own in capitals.
    let entries = map.entries.iter().filter(|(key, _)| !(name == "dummy" && key.name == "PR_URL")).cloned().collect();
    let map = Map { entries, cut_short: map.cut_short };
    let what = "`forge_config`";
    let mut access = Access::default();
    if forge.fields.is_empty() {
        for (key, _) in &map.entries {
            let secret = SECRETS.iter().find(|(name, _)| *name == key.name).map(|(_, fix)| *fix);
            let fix = secret.unwrap_or("remove it; this forge takes no keys");
            problems.add(key.at, format!("{} is not a key of {what}", quoted(&key.name)), fix);
        }
    } else {
        let mapping = Mapping { what, fields: forge.fields, elsewhere: SECRETS };
        read_with_variables(&mut access, (&map, config.at), &mapping, ("FORGE_", &around.variables), problems);
    }
    Some(match forge.name {
        "github-app" => ForgeKind::GitHubApp { app_id: access.app_id, installation: access.installation },
        "dummy" => ForgeKind::Dummy,
        _ => ForgeKind::GitHub,
    })
}

//! The keys of the section.

use crate::activity::reading::{
    branch, branch_template, count, mapping_of, mapping_schema, plain, text_schema, texts, texts_schema,
};
use crate::activity::template::Template;
use crate::document::{Field, Node, Problems, Spot, Value, quoted, text, truth, truth_schema};

#[derive(Default)]
pub(in crate::activity) struct Written {
    pub(super) name: Option<(Spot, String)>,
    pub(super) config: Option<Node>,
    pub(super) base_branch: Option<String>,
    pub(super) head_branch: Option<Template>,
    pub(super) git_push_first: Option<bool>,
    pub(super) pause: Option<u32>,
    pub(super) draft: Option<bool>,
    pub(super) title: Option<Template>,
    pub(super) body: Option<Template>,
    pub(super) labels: Vec<String>,
    pub(super) reviewers: Vec<String>,
    pub(super) teams: Vec<String>,
    pub(super) assignees: Vec<String>,
}

pub(in crate::activity) const FIELDS: &[Field<Written>] = &[
    Field {
        name: "forge_name",
        about: "where pull requests are opened, and as whom: `github`, `github-app` or `dummy`",
        required: true,
        schema: text_schema,
        read: |forge, node, problems| {
            forge.name = plain(node, "a forge's name", "`github`", problems).map(|name| (node.at, name));
        },
    },
    Field {
        name: "forge_config",
        about: "the keys of the forge; those that are missing are looked for in the variables `FORGE_…`",
        required: false,
        schema: mapping_schema,
        read: |forge, node, problems| forge.config = mapping_of("forge_config", node, problems),
    },
    Field {
        name: "base_branch",
        about: "the branch pull requests go to (default the repository's `upstream_branch`, or else its default branch)",
        required: false,
        schema: text_schema,
        read: |forge, node, problems| forge.base_branch = branch(node, "the name of a branch", problems),
    },
    Field {
        name: "head_branch",
        about: "the name of the branch on the forge (default the migration's `branch_name`)",
        required: false,
        schema: text_schema,
        read: |forge, node, problems| forge.head_branch = branch_template(node, problems),
    },
    Field {
        name: "git_push_first",
        about: "whether the branch is pushed, rather than there already (default true)",
        required: false,
        schema: truth_schema,
        read: |forge, node, problems| forge.git_push_first = truth(node, "`git_push_first`", problems),
    },
    Field {
        name: "interactive_pause_every",
        about: "how many pull requests are opened between two questions on a terminal (default one question before all of them)",
        required: false,
        schema: |_| schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 1_000_000 }),
        read: |forge, node, problems| {
            let number = count(node, "`interactive_pause_every`", problems);
            forge.pause = number.map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        },
    },
    Field {
        name: "draft_pr",
        about: "whether pull requests are opened as drafts (default false)",
        required: false,
        schema: truth_schema,
        read: |forge, node, problems| forge.draft = truth(node, "`draft_pr`", problems),
    },
    Field {
        name: "pr_title",
        about: "their title (default the first line of the commit message)",
        required: false,
        schema: text_schema,
        read: |forge, node, problems| {
            let title = plain(node, "a title", "`Change the team's name`", problems);
            forge.title = title.map(|title| Template::read(&title, node.at, problems));
        },
    },
    Field {
        name: "pr_body",
        about: "their text (default the commit message below its first line)",
        required: false,
        schema: |_| schemars::json_schema!({ "type": "string" }),
        read: |forge, node, problems| {
            let empty = matches!(&node.value, Value::Text(text) if text.trim().is_empty());
            let body = if empty { Some("") } else { text(node, "a text", "`See the ticket.`", problems) };
            forge.body = body.map(|body| Template::read(body, node.at, problems));
        },
    },
    Field {
        name: "labels",
        about: "the labels they get; GitHub makes those that a repository lacks",
        required: false,
        schema: texts_schema,
        read: |forge, node, problems| forge.labels = texts(node, "a label", "`team-name`", problems),
    },
    Field {
        name: "reviewers",
        about: "who is asked to review them: logins, and teams such as `acme/platform`",
        required: false,
        schema: texts_schema,
        read: |forge, node, problems| {
            let names = people(node, true, problems);
            let team = |name: &String| name.split_once('/').map(|(_, team)| team.to_owned());
            forge.teams = names.iter().filter_map(team).collect();
            forge.reviewers = names.into_iter().filter(|name| !name.contains('/')).collect();
        },
    },
    Field {
        name: "assignees",
        about: "who they are assigned to: logins",
        required: false,
        schema: texts_schema,
        read: |forge, node, problems| forge.assignees = people(node, false, problems),
    },
];

fn people(node: &Node, teams: bool, problems: &mut Problems) -> Vec<String> {
    let names = texts(node, "a login", "`jo`", problems);
    let names = names.into_iter().map(|name| name.trim_start_matches('@').to_owned());
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let sound = |name: &String| match name.split_once('/') {
        Some((owner, team)) => teams && word(owner) && word(team),
        None => word(name),
    };
    let mut sound_ones = Vec::new();
    for name in names {
        if sound(&name) {
            sound_ones.push(name);
            continue;
        }
        let (what, fix) = if teams { (" or a team's name", " or `acme/platform`") } else { ("", "") };
        problems.add(
            node.at,
            format!("{} is not a login{what}", quoted(&name)),
            format!("write for example `jo`{fix}"),
        );
    }
    sound_ones
}

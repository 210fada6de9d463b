//! The section `migration`: which change is made, and how it is committed.

use super::PlugIns;
use super::filling;
use super::grants::{self, Grants, granted};
use super::reading::{branch_template, filled_branch, mapping_of, mapping_schema, plain, text_schema, unknown};
use super::template::Template;
use crate::document::{Field, Map, Mapping, Node, Problem, Problems, Spot, Value, quoted, read_fields, text};
use crate::domain::SourcedRepository;
use crate::drivers::{self, Prepared};
use std::sync::Arc;

/// A change, as the file writes it for all repositories.
#[derive(Clone, Debug)]
pub struct Migration {
    /// The driver that makes it.
    pub driver_name: String,
    /// Who the commits are by.
    pub author: Author,
    /// What commands and plug-ins may do.
    pub allow: Grants,
    driver: DriverConfig,
    commit_message: Template,
    branch: Template,
}

/// Who a commit is by, as far as that is not left to git's own settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: Option<String>,
    /// The address.
    pub email: Option<String>,
}

/// A change to one repository.
#[derive(Clone, Debug)]
pub struct RepositoryMigration {
    /// What makes it. Repositories share it where the file says the same for all.
    pub work: Arc<Work>,
    /// The message of the commit.
    pub commit_message: String,
    /// Who it is by.
    pub author: Author,
    /// The branch it is committed to.
    pub branch: String,
}

/// What makes a change.
#[derive(Debug)]
pub enum Work {
    /// A driver that is built in.
    BuiltIn(Prepared),
    /// A plug-in with its keys.
    PlugIn {
        /// The plug-in.
        name: String,
        /// Its keys.
        config: serde_json::Value,
    },
}

#[derive(Clone, Debug)]
enum DriverConfig {
    Same(Arc<Work>),
    Varying { kind: DriverKind, config: Node },
}

#[derive(Clone, Debug)]
enum DriverKind {
    BuiltIn(fn(&Node, &mut Problems) -> Option<Prepared>),
    PlugIn(String),
}

#[derive(Default)]
pub(super) struct Written {
    driver: Option<(Spot, String)>,
    config: Option<Node>,
    commit_message: Option<Template>,
    author: Author,
    branch: Option<Template>,
    allow: Option<grants::Written>,
}

pub(super) const FIELDS: &[Field<Written>] = &[
    Field {
        name: "commit_message",
        about: "the message of the commit: a line, an empty line, and whatever more there is to say",
        required: true,
        schema: text_schema,
        read: |migration, node, problems| {
            let text = text(node, "a commit message", "`Change the team's name`", problems);
            migration.commit_message = text.map(|text| Template::read(text, node.at, problems));
        },
    },
    Field {
        name: "commit_author_name",
        about: "who the commit is by (default git's `user.name`)",
        required: false,
        schema: text_schema,
        read: |migration, node, problems| migration.author.name = person(node, "a name", "`Jo Doe`", problems),
    },
    Field {
        name: "commit_author_email",
        about: "their address (default git's `user.email`)",
        required: false,
        schema: text_schema,
        read: |migration, node, problems| {
            migration.author.email = person(node, "an address", "`jo@example.com`", problems);
        },
    },
    Field {
        name: "branch_name",
        about: "the branch the commit is made on (default `head_branch` of the forge, or else the driver's name)",
        required: false,
        schema: text_schema,
        read: |migration, node, problems| migration.branch = branch_template(node, problems),
    },
    Field {
        name: "driver_name",
        about: "which driver makes the change, such as `replace`",
        required: true,
        schema: text_schema,
        read: |migration, node, problems| {
            migration.driver = plain(node, "a driver's name", "`counter`", problems).map(|name| (node.at, name));
        },
    },
    Field {
        name: "driver_config",
        about: "the keys of the driver",
        required: false,
        schema: mapping_schema,
        read: |migration, node, problems| migration.config = mapping_of("driver_config", node, problems),
    },
    Field {
        name: "allow",
        about: "what a command or plug-in may do besides working in its clone",
        required: false,
        schema: grants::schema,
        read: |migration, node, problems| migration.allow = Some(grants::Written::read(node, problems)),
    },
];

fn person(node: &Node, what: &str, example: &str, problems: &mut Problems) -> Option<String> {
    let text = plain(node, what, example, problems)?;
    // What git itself takes out of names and addresses.
    if text.contains(['<', '>']) || text.chars().any(char::is_control) {
        problems.add(
            node.at,
            format!("{what} of a commit has no `<`, `>` or line ends in it"),
            format!("write for example {example}"),
        );
        return None;
    }
    Some(text)
}

impl Migration {
    /// Reads the section. `head_branch` is that of the forge, if there is one.
    pub(super) fn read(
        node: &Node,
        head_branch: Option<&Template>,
        plugins: &PlugIns,
        problems: &mut Problems,
    ) -> Option<Self> {
        let Value::Map(map) = &node.value else { return None };
        let mut written = Written::default();
        let mapping = Mapping { what: "`migration`", fields: FIELDS, elsewhere: super::file::OF_THE_FORGE };
        read_fields(&mut written, map, node.at, &mapping, problems);
        let nothing = Map { entries: Vec::new(), cut_short: false };
        let config = written.config.unwrap_or(Node { at: node.at, value: Value::Map(nothing) });
        filling::check(&config, problems);
        let (name_at, driver_name) = written.driver?;
        let driver = read_driver((name_at, &driver_name), config, written.allow.as_ref(), plugins, problems)?;
        let usual = || Template::read(&driver_name, name_at, &mut Problems::default());
        let branch = written.branch.or_else(|| head_branch.cloned()).unwrap_or_else(usual);
        let commit_message = written.commit_message?;
        Some(Self {
            driver_name,
            author: written.author,
            allow: granted(written.allow),
            driver,
            commit_message,
            branch,
        })
    }

    /// The branch, as the file writes it.
    pub(super) fn branch(&self) -> &Template {
        &self.branch
    }

    /// The change to one repository.
    ///
    /// Errors: what the repository lacks that the file speaks of, or what its values make wrong; never empty.
    pub fn for_repository(&self, repository: &SourcedRepository) -> Result<RepositoryMigration, Vec<Problem>> {
        let mut problems = Problems::default();
        let work = self.driver.for_repository(repository, &mut problems);
        let commit_message = self.commit_message.fill(repository, &mut problems);
        let branch = filled_branch(&self.branch, repository, &mut problems);
        if commit_message.as_ref().is_some_and(|message| message.trim().is_empty() || message.contains('\0')) {
            let what = format!("the commit message is empty for {}, or has a zero byte in it", quoted(&repository.id));
            problems.add(self.commit_message.at(), what, "write what the change is for");
        }
        match (work, commit_message, branch) {
            (Some(work), Some(commit_message), Some(branch)) if problems.is_empty() => {
                Ok(RepositoryMigration { work, commit_message, author: self.author.clone(), branch })
            }
            _ => Err(problems.sorted()),
        }
    }
}

fn read_driver(
    (at, name): (Spot, &str),
    config: Node,
    allow: Option<&grants::Written>,
    plugins: &PlugIns,
    problems: &mut Problems,
) -> Option<DriverConfig> {
    let varies = filling::varies(&config);
    match (drivers::by_name(name), plugins.drivers.iter().any(|plugin| plugin == name)) {
        (Some(kind), _) => {
            let prepared = (kind.read)(&filling::without_placeholders(&config), problems);
            if let (Some(Prepared::Texts(_)), Some(allow)) = (&prepared, allow) {
                allow.refuse(&format!("the driver `{name}`"), problems);
            }
            if varies {
                return Some(DriverConfig::Varying { kind: DriverKind::BuiltIn(kind.read), config });
            }
            Some(DriverConfig::Same(Arc::new(Work::BuiltIn(prepared?))))
        }
        (None, true) if varies => Some(DriverConfig::Varying { kind: DriverKind::PlugIn(name.into()), config }),
        (None, true) => {
            let config = filling::to_json(&filling::without_placeholders(&config));
            Some(DriverConfig::Same(Arc::new(Work::PlugIn { name: name.into(), config })))
        }
        (None, false) => {
            let known = || {
                let built_in = drivers::TABLE.iter().map(|kind| kind.name);
                built_in.chain(plugins.drivers.iter().map(String::as_str))
            };
            unknown(("driver", at, name), known, problems);
            None
        }
    }
}

impl DriverConfig {
    fn for_repository(&self, repository: &SourcedRepository, problems: &mut Problems) -> Option<Arc<Work>> {
        let (kind, config) = match self {
            Self::Same(work) => return Some(work.clone()),
            Self::Varying { kind, config } => (kind, config),
        };
        let missing = problems.count();
        let texts = filling::filled(config, repository, |_| false, problems);
        if problems.count() > missing {
            return None;
        }
        let read = match kind {
            DriverKind::BuiltIn(read) => read,
            DriverKind::PlugIn(name) => {
                return Some(Arc::new(Work::PlugIn { name: name.clone(), config: filling::to_json(&texts) }));
            }
        };
        let mut found = Problems::default();
        let mut prepared = read(&texts, &mut found);
        let first = found.sorted();
        if !first.is_empty() {
            // `"{{ patch_data.count }}"` where a number belongs: what was complained about is read as one.
            let numbers = |at| first.iter().any(|problem| filling::is_at(problem, at));
            let node = filling::filled(config, repository, numbers, &mut Problems::default());
            let mut found = Problems::default();
            prepared = read(&node, &mut found);
            let (id, places) = (quoted(&repository.id), found.sorted());
            for Problem { line, column, length, what, fix } in places {
                problems.add(Spot { line, column, length }, format!("{what}, for {id}"), fix);
            }
        }
        let prepared = prepared.filter(|_| problems.count() == missing)?;
        if let Prepared::Command(command) = &prepared
            && command.shell
            && !obeys_nothing(config, repository, problems)
        {
            return None;
        }
        Some(Arc::new(Work::BuiltIn(prepared)))
    }
}

/// Whether no value that is put into a shell's command line holds a character that the shell would act upon: such a value
/// comes from a table or a search, and must not become a command.
fn obeys_nothing(config: &Node, repository: &SourcedRepository, problems: &mut Problems) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "_-./:@%+=,".contains(c);
    let before = problems.count();
    for (at, name, value) in filling::values(config, repository) {
        if let Some(bad) = value.chars().find(|c| !plain(*c)) {
            let what = format!(
                "the value of {} for {} holds {}, which a shell would act upon",
                quoted(&name),
                quoted(&repository.id),
                quoted(&bad.to_string())
            );
            problems.add(at, what, "set `shell` to false and give the program and its arguments as a list");
        }
    }
    problems.count() == before
}

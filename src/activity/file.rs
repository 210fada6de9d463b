//! The file as a whole.

use super::forge::{Forge, PullRequestSpec};
use super::migration::{Migration, RepositoryMigration};
use super::reading::mapping_of;
use super::scan::{self, Scan};
use super::secrets::without_secrets;
use super::source::Source;
use super::{LIMITS, Surroundings};
use crate::document::{
    Field, Mapping, Node, Problem, Problems, Spot, Value, fields_schema, quoted, read_fields, toml, yaml,
};
use crate::domain::SourcedRepository;
use schemars::{Schema, SchemaGenerator};

/// What is to be done with many repositories, once.
#[derive(Clone, Debug)]
pub struct Activity {
    /// Where they are found; `None` leaves that to the command line.
    pub source: Option<Source>,
    /// What is read from each.
    pub scan: Option<Scan>,
    /// What is changed in each.
    pub migration: Option<Migration>,
    /// The pull request that is opened for each.
    pub forge: Option<Forge>,
}

/// What is to be done with one repository.
#[derive(Clone, Debug)]
pub struct RepositoryPlan {
    /// The change.
    pub migration: Option<RepositoryMigration>,
    /// The pull request.
    pub forge: Option<PullRequestSpec>,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As the Python tool's files are.
    Toml,
    /// YAML, and so JSON too.
    Yaml,
}

impl Format {
    /// The format by the file's ending, or else by what stands in it.
    pub fn of(file_name: &str, bytes: &[u8]) -> Self {
        let ending = file_name.rsplit(['/', '\\']).next().and_then(|name| name.rsplit_once('.'));
        match ending.map(|(_, ending)| ending.to_ascii_lowercase()).as_deref() {
            Some("toml") => Self::Toml,
            Some("yaml" | "yml" | "json") => Self::Yaml,
            _ => Self::by_content(bytes),
        }
    }

    /// TOML begins with `[table]` or `key =`; in YAML, a colon follows the first key.
    fn by_content(bytes: &[u8]) -> Self {
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]).into_owned();
        let said = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let first = start.trim_start_matches('\u{feff}').lines().map(str::trim).find(said).unwrap_or_default();
        let (equals, colon) = (first.find('='), first.find(':'));
        match (first.starts_with('['), equals, colon) {
            (true, ..) => Self::Toml,
            (_, Some(equals), Some(colon)) if equals < colon => Self::Toml,
            (_, Some(_), None) => Self::Toml,
            _ => Self::Yaml,
        }
    }
}

/// Keys of the forge that are looked for in the migration.
pub(super) const OF_THE_FORGE: &[(&str, &str)] = &[
    ("base_branch", IN_FORGE),
    ("head_branch", IN_FORGE),
    ("pr_title", IN_FORGE),
    ("pr_body", IN_FORGE),
    ("draft_pr", IN_FORGE),
    ("labels", IN_FORGE),
    ("reviewers", IN_FORGE),
    ("assignees", IN_FORGE),
    ("forge_name", IN_FORGE),
];
const IN_FORGE: &str = "move it to the section `forge`";

/// Keys of the migration that are looked for in the forge.
pub(super) const OF_THE_MIGRATION: &[(&str, &str)] = &[
    ("branch_name", "use `head_branch`, or move it to the section `migration`"),
    ("commit_message", IN_MIGRATION),
    ("driver_name", IN_MIGRATION),
    ("driver_config", IN_MIGRATION),
    ("allow", IN_MIGRATION),
];
const IN_MIGRATION: &str = "move it to the section `migration`";

/// The sections as they were written: what each says depends on the others.
#[derive(Default)]
pub(super) struct Written {
    sections: Sections,
    under: Option<(Spot, Sections)>,
}

#[derive(Default)]
pub(super) struct Sections {
    source: Option<Node>,
    scan: Option<Node>,
    migration: Option<Node>,
    forge: Option<Node>,
}

/// What holds the sections: the file itself, or what stands below [`ON_TOP`].
trait HoldsSections {
    fn sections(&mut self) -> &mut Sections;
}

impl HoldsSections for Sections {
    fn sections(&mut self) -> &mut Sections {
        self
    }
}

impl HoldsSections for Written {
    fn sections(&mut self) -> &mut Sections {
        &mut self.sections
    }
}

const fn section_fields<T: HoldsSections>() -> [Field<T>; 4] {
    [
        Field {
            name: "source",
            about: "where repositories are found",
            required: false,
            schema: super::schema::source,
            read: |file, node, problems| file.sections().source = mapping_of("source", node, problems),
        },
        Field {
            name: "scan",
            about: "what is read from each of them",
            required: false,
            schema: |generator| fields_schema("what is read from each repository", scan::FIELDS, generator),
            read: |file, node, problems| file.sections().scan = mapping_of("scan", node, problems),
        },
        Field {
            name: "migration",
            about: "what is changed in each of them, and how it is committed",
            required: false,
            schema: super::schema::migration,
            read: |file, node, problems| file.sections().migration = mapping_of("migration", node, problems),
        },
        Field {
            name: "forge",
            about: "the pull requests that are opened for the changes",
            required: false,
            schema: super::schema::forge,
            read: |file, node, problems| file.sections().forge = mapping_of("forge", node, problems),
        },
    ]
}

const SECTIONS: &[Field<Sections>] = &section_fields();

const ON_TOP: &str = "mass-driver";

const ROOT: &[Field<Written>] = &{
    let [source, scan, migration, forge] = section_fields();
    [BELOW, source, scan, migration, forge]
};

const BELOW: Field<Written> = Field {
    name: ON_TOP,
    about: "the sections of the Activity",
    required: false,
    schema: sections_schema,
    read: |file, node, problems| {
        let Some(Node { at, value: Value::Map(map) }) = mapping_of(ON_TOP, node, problems) else { return };
        let mut sections = Sections::default();
        let mapping = Mapping { what: "an Activity", fields: SECTIONS, elsewhere: OF_A_SECTION };
        read_fields(&mut sections, &map, at, &mapping, problems);
        file.under = Some((at, sections));
    },
};

const OF_A_SECTION: &[(&str, &str)] = &[
    ("source_name", "move it into the section `source`"),
    ("source_config", "move it into the section `source`"),
    ("scanner_names", "move it into the section `scan`"),
    ("driver_name", "move it into the section `migration`"),
    ("driver_config", "move it into the section `migration`"),
    ("commit_message", "move it into the section `migration`"),
    ("branch_name", "move it into the section `migration`"),
    ("forge_name", "move it into the section `forge`"),
    (
        "subscriptions",
        "this is a subscription file, which the bot reads; an Activity has `source`, `scan`, `migration` and `forge`",
    ),
];

fn sections_schema(generator: &mut SchemaGenerator) -> Schema {
    fields_schema("what is done with many repositories", SECTIONS, generator)
}

/// The schema of the whole.
pub(super) fn schema(generator: &mut SchemaGenerator) -> Schema {
    fields_schema(
        "what an Activity file may say; the sections stand below `mass-driver`, or by themselves",
        ROOT,
        generator,
    )
}

/// What whoever has an empty file is told.
const BEGIN: &str = "begin with a section, such as `[mass-driver.migration]` in TOML or `migration:` in YAML";

/// Reads an Activity file.
///
/// Errors: every problem of the file, sorted by position; never empty.
pub fn parse(bytes: &[u8], format: Format, around: &Surroundings) -> Result<Activity, Vec<Problem>> {
    let mut problems = Problems::default();
    let root = match format {
        Format::Toml => toml::read(bytes, LIMITS, BEGIN, &mut problems),
        Format::Yaml => yaml::read(bytes, LIMITS, BEGIN, &mut problems),
    };
    let root = root.map(|root| without_secrets(root, &mut problems));
    let activity = root.and_then(|root| Activity::read(&root, around, &mut problems));
    match activity {
        Some(activity) if problems.is_empty() => Ok(activity),
        _ if problems.is_empty() => Err(vec![Problem::whole_file("the file says nothing that can be done", BEGIN)]),
        _ => Err(problems.sorted()),
    }
}

impl Activity {
    fn read(root: &Node, around: &Surroundings, problems: &mut Problems) -> Option<Self> {
        let map = match &root.value {
            Value::Map(map) => map,
            Value::Unreadable => return None,
            _ => {
                problems.add(root.at, format!("the file must be a mapping, this is {}", root.kind()), BEGIN);
                return None;
            }
        };
        let mut written = Written::default();
        let mapping = Mapping { what: "an Activity file", fields: ROOT, elsewhere: OF_A_SECTION };
        read_fields(&mut written, map, Spot::START, &mapping, problems);
        let sections = match written.under {
            None => written.sections,
            Some((_, below)) => {
                // Whoever has both means one of them to win, and nobody could tell which.
                for (key, _) in map.entries.iter().filter(|(key, _)| SECTIONS.iter().any(|one| one.name == key.name)) {
                    let what = format!("{} stands beside `{ON_TOP}`", quoted(&key.name));
                    problems.add(key.at, what, format!("move it below `{ON_TOP}`"));
                }
                below
            }
        };
        Self::of(&sections, around, problems)
    }

    fn of(sections: &Sections, around: &Surroundings, problems: &mut Problems) -> Option<Self> {
        let head_branch = sections.forge.as_ref().and_then(Forge::head_branch_of);
        let source = sections.source.as_ref().and_then(|node| Source::read(node, around, problems));
        let scan = sections.scan.as_ref().and_then(|node| Scan::read(node, &around.plugins, problems));
        let migration = sections
            .migration
            .as_ref()
            .and_then(|node| Migration::read(node, head_branch.as_ref(), &around.plugins, problems));
        let forge = sections.forge.as_ref().and_then(|node| {
            let branch = migration.as_ref().map(Migration::branch);
            Forge::read(node, branch, sections.migration.is_some(), around, problems)
        });
        let nothing = source.is_none() && scan.is_none() && migration.is_none() && forge.is_none();
        (!nothing).then_some(Self { source, scan, migration, forge })
    }

    /// What is to be done with one repository, its values filled in.
    ///
    /// Errors: what the repository lacks that the file speaks of, or what its values make wrong; never empty.
    pub fn for_repository(&self, repository: &SourcedRepository) -> Result<RepositoryPlan, Vec<Problem>> {
        let migration = match self.migration.as_ref().map(|migration| migration.for_repository(repository)).transpose()
        {
            Ok(migration) => migration,
            Err(mut problems) => {
                problems.extend(self.forge.iter().flat_map(|forge| forge.missing(repository)));
                problems.sort();
                problems.dedup();
                return Err(problems);
            }
        };
        let forge =
            self.forge.as_ref().map(|forge| forge.for_repository(repository, migration.as_ref())).transpose()?;
        Ok(RepositoryPlan { migration, forge })
    }
}

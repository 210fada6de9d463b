//! From the text of an Activity file to what is to be done with many repositories, once; or to problems with line and column.
//!
//! Pure: bytes in, values out. It knows the keys of every source and forge, and neither files nor GitHub. What a repository
//! is known by when it was found (`{{ patch_data.NAME }}`) is filled in here as well, so that whatever is wrong with it is told
//! before anything is cloned.
//!
//! | file | holds |
//! | --- | --- |
//! | `file.rs` | the file as a whole, and what it says for one repository |
//! | `source/` | where repositories are found: a table of sources with their keys |
//! | `scan.rs`, `migration.rs`, `forge/` | the other sections |
//! | `template.rs`, `filling.rs` | `{{ … }}` in a text, and in all texts of a driver's keys |
//! | `grants.rs` | what commands and plug-ins may do besides working in their clone |
//! | `variables.rs`, `secrets.rs` | keys that the environment has, and what belongs nowhere else |
//! | `reading.rs` | values of several sections |
//! | `schema.rs` | the JSON Schema |

mod file;
mod filling;
mod forge;
mod grants;
mod migration;
mod reading;
mod scan;
mod schema;
mod secrets;
mod source;
mod template;
mod variables;

pub use file::{Activity, Format, RepositoryPlan, parse};
pub use forge::{FORGES, Forge, ForgeKind, ForgeName, PullRequestSpec};
pub use grants::Grants;
pub use migration::{Author, Migration, RepositoryMigration, Work};
pub use scan::{Scan, ScannerChoice};
pub use schema::json_schema;
pub use secrets::{address_complaint, names_secret};
pub use source::{AppAccess, CloneBy, CsvShape, KINDS as SOURCES, RepositoryFilter, Source, SourceConfig, SourceKind};

use crate::document::Limits;
use std::collections::BTreeMap;

/// What of the machine an Activity file may refer to.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The names of the plug-ins that are there, by what they are.
    pub plugins: PlugIns,
    /// The variables `SOURCE_…` and `FORGE_…` of the environment. They stand for keys that the file leaves out; tokens and keys
    /// among them are not looked at.
    pub variables: BTreeMap<String, String>,
}

/// The names of plug-ins: `NAME` of `mass-driver-driver-NAME`.
#[derive(Clone, Debug, Default)]
pub struct PlugIns {
    /// Drivers.
    pub drivers: Vec<String>,
    /// Scanners.
    pub scanners: Vec<String>,
    /// Sources.
    pub sources: Vec<String>,
}

/// No Activity file is longer. Unit: bytes.
pub const BYTES_MAX: usize = 1 << 20;

/// A list of ten thousand repositories fits in; more of them belong in a file of their own.
const LIMITS: Limits = Limits {
    bytes: BYTES_MAX,
    nodes: 50_000,
    shorter: "put a long list of repositories in a file and name it: `repo-filelist`",
};

//! A repository as a source of the command line found it, before anything of it was read.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A repository that was discovered, with what its source knows of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcedRepository {
    /// What tells it from the others of a run, as people wrote it: an address, a path, `owner/name`.
    pub id: String,
    /// What git clones it from: `https://…`, `file://…`, `git@host:owner/name.git`, a path.
    pub clone_url: String,
    /// The branch to begin from; `None` for its default branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_branch: Option<String>,
    /// What the source knows besides: the further columns of a CSV file, say. `{{ patch_data.NAME }}` stands for it in an Activity.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub patch_data: BTreeMap<String, String>,
}

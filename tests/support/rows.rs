//! Rows that many tests begin with.

use mass_driver::domain::{InstallationId, RepoId, RepoName, RepoState, Repository};

/// A private repository of installation 7, with nothing odd about it.
pub fn repository(id: i64, name: &str) -> Repository {
    Repository {
        id: RepoId(id),
        installation: InstallationId(7),
        name: RepoName::parse(name).unwrap(),
        default_branch: Some("main".into()),
        private: true,
        fork: false,
        state: RepoState::Active,
        web_url: format!("https://github.example.com/{name}"),
    }
}

//! Where the command line finds repositories: files, tables, GitHub, plug-ins, the server's index.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "support"]
mod support {
    #[expect(dead_code, unused_imports, reason = "not all of it is needed here")]
    pub mod contract;
}
#[path = "support/databases.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod databases;
#[path = "support/rows.rs"]
mod rows;

#[path = "sources/files.rs"]
mod files;
#[path = "sources/github.rs"]
mod github;
#[path = "sources/index.rs"]
mod index;
#[path = "sources/session.rs"]
mod session;
#[path = "sources/world.rs"]
mod world;

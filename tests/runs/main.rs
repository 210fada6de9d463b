//! Stories of the executable over many repositories: what a person types, what they read, what is on GitHub afterwards.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "../support"]
mod support {
    #[expect(dead_code, unused_imports, reason = "not all of it is needed here")]
    pub mod contract;
}
mod edges;
mod identities;
mod interrupted;
mod large_files;
mod lists;
mod outcomes;
mod plug_ins;
mod pulls;
#[cfg(target_os = "linux")]
mod readme;
mod sandboxed;
mod scans;
mod sent;
mod shown;
mod world;

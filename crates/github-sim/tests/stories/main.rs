//! Stories told over HTTP: what a bot meets on GitHub, it must meet here.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on should stop")]

mod apps;
mod checks;
mod faults;
mod git_data;
mod over_git;
mod pulls;
mod repositories;
mod webhooks;
mod world;

//! Stories told over HTTP: what a bot meets on GitHub, it must meet here.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on should stop")]

mod apps;
mod branches;
mod checks;
mod conversations;
mod elsewhere;
mod faults;
mod git_data;
mod mergeability;
mod over_git;
mod people;
mod pulls;
mod repositories;
mod webhooks;
mod world;

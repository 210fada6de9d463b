//! Stories told over HTTP: what a bot meets on GitHub, it must meet here.

mod apps;
mod checks;
mod faults;
mod git_data;
mod over_git;
mod pulls;
mod repositories;
mod webhooks;
mod world;

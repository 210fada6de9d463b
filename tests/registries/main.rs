//! The room of registries, held against the registry stand-in and against hostile servers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod cargo_index;
mod deps_dev;
mod faults;
mod hostile_addresses;
mod hostile_answers;
mod hostile_indexes;
mod images;
mod npm;
mod scene;
mod simple_index;

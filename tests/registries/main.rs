//! The room of registries, held against the registry stand-in and against hostile servers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod deps_dev;
mod hostile_addresses;
mod hostile_answers;
mod images;
mod scene;
mod simple_index;

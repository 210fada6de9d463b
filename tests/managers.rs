//! Manifests in, dependencies and edited manifests out: every fixture in every encoding a repository may hold,
//! and laws over generated files.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

#[path = "managers/aliases.rs"]
mod aliases;
#[path = "managers/comments.rs"]
mod comments;
#[path = "managers/fixtures.rs"]
mod fixtures;
#[path = "managers/hostile.rs"]
mod hostile;
#[path = "managers/laws.rs"]
mod laws;
#[path = "managers/python.rs"]
mod python;
#[path = "managers/yaml_laws.rs"]
mod yaml_laws;

//! Manifests in, dependencies and edited manifests out: every fixture in every encoding a repository may hold,
//! and laws over generated files.

#[path = "managers/fixtures.rs"]
mod fixtures;
#[path = "managers/laws.rs"]
mod laws;

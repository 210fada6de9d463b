//! Manifests in, dependencies and edited manifests out: every fixture in every encoding a repository may hold,
//! and laws over generated files.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

#[path = "support/edits.rs"]
mod edits;

#[path = "managers/aliases.rs"]
mod aliases;
#[path = "managers/claims.rs"]
mod claims;
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
#[path = "managers/pythons.rs"]
mod pythons;
#[path = "managers/refusals.rs"]
mod refusals;
#[path = "managers/soup.rs"]
mod soup;
#[path = "managers/to_the_letter.rs"]
mod to_the_letter;
#[path = "managers/yaml_laws.rs"]
mod yaml_laws;

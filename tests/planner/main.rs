//! The planner: what is proposed, when, in which words, and why not.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod ecosystems;
mod farewells;
mod groups;
mod laws;
mod people;
mod refused;
mod scene;
mod steps;
mod tags;
mod waiting;
mod words;

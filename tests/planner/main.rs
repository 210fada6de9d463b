//! The planner: what is proposed, when, in which words, and why not.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

#[path = "../support"]
mod support {
    pub mod harmless;
}

mod audit;
mod documented;
mod ecosystems;
mod farewells;
mod groups;
mod hostile;
mod latest;
mod laws;
mod notes;
mod onboarding;
mod overtaken;
mod people;
mod pins;
mod preview;
mod pythons;
mod refused;
mod releases;
mod scene;
mod steps;
mod tags;
mod waiting;
mod words;

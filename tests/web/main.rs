//! The server over real HTTP, on loopback: webhooks, pages, probes, and who may see what.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "../support"]
mod support {
    #[expect(dead_code, unused_imports, reason = "of the contract, only the examples of webhooks are needed here")]
    pub mod contract;
    #[expect(dead_code, reason = "not all of it is needed here")]
    pub mod databases;
    pub mod markdown;
    pub mod openmetrics;
    pub mod rows;
}
use support::{databases, openmetrics, rows};

mod access;
mod accounts;
mod bodies;
mod branches;
mod decisions;
mod events;
mod examples;
mod intake;
mod metrics;
mod pages;
mod retry;
mod scene;
mod signatures;
mod silence;
mod sweeps;

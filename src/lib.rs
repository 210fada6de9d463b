//! mass-driver: pull requests that keep repositories up to date, at the pace each repository asks for.
//!
//! The rooms of the house and who may import whom are drawn in `ARCHITECTURE.md`.

#![warn(clippy::unwrap_used)]

pub mod activity;
pub mod app;
pub mod bulk;
pub mod checkout;
pub mod cli;
pub mod commands;
pub mod document;
pub mod domain;
pub mod drivers;
pub mod forge;
pub mod managers;
pub mod metrics;
pub mod pipeline;
pub mod planner;
pub mod registries;
pub mod safeguards;
pub mod scanners;
pub mod settings;
pub mod sources;
pub mod store;
pub mod subscription;
pub mod telemetry;
pub mod versioning;
pub mod web;

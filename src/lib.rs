//! mass-driver: pull requests that keep repositories up to date, at the pace each repository asks for.
//!
//! The rooms of the house and who may import whom are drawn in `ARCHITECTURE.md`.

pub mod cli;
pub mod domain;
pub mod planner;
pub mod subscription;

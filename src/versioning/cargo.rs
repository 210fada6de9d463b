//! Versions and requirements of Cargo.

use super::{BadRange, Scheme};
use crate::domain::VersionStep;
use std::cmp::Ordering;

/// Versions and requirements of Cargo.
#[derive(Debug)]
pub struct Cargo;

impl Scheme for Cargo {
    fn name(&self) -> &'static str {
        "cargo"
    }
    fn compare(&self, _: &str, _: &str) -> Option<Ordering> {
        None
    }
    fn line<'v>(&self, _: &'v str) -> Option<&'v str> {
        None
    }
    fn is_prerelease(&self, _: &str) -> bool {
        false
    }
    fn step(&self, _: &str, _: &str) -> Option<VersionStep> {
        None
    }
    fn current(&self, _: &str) -> Option<String> {
        None
    }
    fn is_candidate(&self, _: &str, _: &str, _: &str) -> bool {
        false
    }
    fn matches(&self, _: &str, _: &str) -> Result<bool, BadRange> {
        Ok(false)
    }
    fn rewrite(&self, _: &str, _: &str) -> Option<String> {
        None
    }
}

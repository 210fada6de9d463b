//! One change over many repositories, from the command line: clone, scan, patch, commit, push, open pull requests.
//!
//! git, the commands of people and their plug-ins are processes. What they are given is bounded in time and size, they are
//! ended with everything they started, and what they say reaches people without secrets and without what steers a terminal.

pub mod address;
mod cleaning;
mod delivery;
pub mod engine;
pub mod git;
pub mod github;
pub mod plug_in;
mod process;
mod results;
pub mod retry;
pub mod sandbox;
pub mod scratch;
mod words;
pub mod working_clone;

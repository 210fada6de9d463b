//! Kill it anywhere: the real executable, killed with SIGKILL at named points and at random moments, put to sleep, and
//! stopped, while GitHub and the registry live on.
//!
//! After each of these lives the promises are checked in the database that was left and at the GitHub stand-in: see
//! `World::the_end` and `promises`. Nothing here is timed: a process is killed when something happens, and waited for
//! until nothing happens any more.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

#[path = "../support"]
mod support {
    #[expect(dead_code, reason = "a killed process' database is only looked into")]
    pub mod databases;
    pub mod dice;
    pub mod promises;
}

use std::time::Duration;
use support::{databases, dice, promises};

mod bot;
mod line;
mod world;

mod commits;
mod merging;
mod moments;
mod points;
mod replicas;
mod starts;

/// Far more than a loaded machine needs; it only ends a test that hangs.
const PATIENCE: Duration = Duration::from_secs(250);

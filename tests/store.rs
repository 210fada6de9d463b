//! One suite of behaviour for the store, run on SQLite and on Postgres.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

#[path = "support/databases.rs"]
#[expect(dead_code, reason = "not all of it is needed here")]
mod databases;
#[path = "support/rows.rs"]
mod rows;

#[path = "store/budgets.rs"]
mod budgets;
#[path = "store/connect.rs"]
mod connect;
#[path = "store/deliveries.rs"]
mod deliveries;
#[path = "store/duties.rs"]
mod duties;
#[path = "store/examinations.rs"]
mod examinations;
#[path = "store/figures.rs"]
mod figures;
#[path = "store/locks.rs"]
mod locks;
#[path = "store/manifests.rs"]
mod manifests;
#[path = "store/onboardings.rs"]
mod onboardings;
#[path = "store/outlooks.rs"]
mod outlooks;
#[path = "store/packages.rs"]
mod packages;
#[path = "store/proposals.rs"]
mod proposals;
#[path = "store/release_notes.rs"]
mod release_notes;
#[path = "store/repositories.rs"]
mod repositories;
#[path = "store/runs.rs"]
mod runs;
#[path = "store/samples.rs"]
mod samples;
#[path = "store/statements.rs"]
mod statements;
#[path = "store/strangers.rs"]
mod strangers;
#[path = "store/work.rs"]
mod work;

//! Whatever strangers write: each manager, each version scheme and the reader of release notes are fed texts that nobody would write, and mutations of
//! those that people do. None may panic, take a text apart wrongly or change in it what was not asked for.
//!
//! `FUZZ_INPUTS` is how many each of them is fed, `FUZZ_SEED` with which chance, `FUZZ_ONLY` a part of the name of those to be
//! fed. An input is a function of the seed and its number alone, so the same seed finds the same again, on any number of
//! processors, and `FUZZ_FROM` is the number of the first. What is wrong is printed and kept in `target/fuzz/`, made as small as it stays wrong. `FUZZ_TRACE=1` keeps
//! each input before it is tried, for the case that the whole process dies of it.
//!
//! Of each manager it is told, too, how much longer it takes for a text twice as long.
//!
//! `make fuzz` feeds a million, with the optimiser on; `make test` a small share of it, the same each time.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

#[path = "../support"]
mod support {
    pub mod dice;
    pub mod edits;
    pub mod harmless;
}

mod corpus;
mod growth;
mod manifests;
mod mutation;
mod notes;
mod real;
mod run;
mod versions;

use support::{dice, edits};

#[test]
fn every_manager_bears_every_text() {
    run::feed_all(&manifests::targets());
}

#[test]
fn every_manager_moves_places_of_real_files() {
    let counts = real::move_places();
    for (manager, (files, places)) in &counts {
        println!("manager {manager}: {places} places in {files} real files");
    }
    assert!(counts["cargo"].1 > 10, "this repository has a Cargo.toml: {counts:?}");
}

#[test]
fn crates_are_read_as_cargo_reads_them() {
    println!("{} requirements are those that Cargo found", real::compare_with_cargo());
}

#[test]
fn every_manager_reads_a_text_twice_as_long_in_twice_the_time() {
    let (targets, growths): (Vec<_>, Vec<_>) = growth::targets().into_iter().unzip();
    run::feed_some(&targets, 1_000, |at| println!("{}", growths[at].lock().unwrap()));
}

#[test]
fn the_notes_of_a_release_bear_every_text() {
    run::feed_all(&notes::targets());
}

#[test]
fn every_scheme_bears_every_version() {
    run::feed_all(&versions::targets());
}

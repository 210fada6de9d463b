//! The product as its users see it: each story builds a world, acts, and reads what a person would see.
//!
//! A story runs twice, on SQLite and on Postgres, against the GitHub stand-in and the registry stand-in over HTTP. When it
//! ends, every request and answer of it is held against GitHub's own API description, and the promises that hold always
//! are checked (see `World::the_end` and `promises`).
#![expect(clippy::unwrap_used, reason = "a story that cannot go on says so by a panic")]

#[path = "../support"]
mod support {
    #[expect(dead_code, unused_imports, reason = "the stories use a part of it")]
    pub mod contract;
    pub mod databases;
    #[expect(dead_code, reason = "the stories roll numbers only")]
    pub mod dice;
    pub mod harmless;
    pub mod openmetrics;
    pub mod promises;
}

use support::{contract, databases, dice, harmless, openmetrics, promises};

mod world;

mod announcements;
mod answers;
mod archives;
mod audits;
mod automerge;
mod branches;
mod checks;
mod checks_to_the_end;
mod clocks;
mod commands;
mod crashes;
mod crowds;
mod deliveries;
mod ecosystems;
mod farewells;
mod figures;
mod files;
mod groups;
mod hashes;
mod holds;
mod inputs;
mod invitations;
mod leases;
mod leaving;
mod limits;
mod looks;
mod merges;
mod missed;
mod moved_tags;
mod notes;
mod onboarding;
mod orders;
mod outages;
mod panics;
mod parked;
mod partings;
mod places;
mod pull_requests;
mod races;
mod recreations;
mod repositories;
mod requests;
mod restored;
mod revisions;
mod reworks;
mod shares;
mod tags;
mod timing;
mod together;

use world::World;

/// Makes two tests of each story, one on each database.
macro_rules! stories {
    ($($(#[doc = $doc:literal])* async fn $name:ident($world:ident: World) $body:block)+) => {
        crate::databases::both_databases! {$(
            $(#[doc = $doc])*
            async fn $name(url: String) {
                let $world = World::begin(&url, crate::world::at_once()).await;
                $body
                $world.the_end().await;
            }
        )+}
    };
}
pub(crate) use stories;

/// The same, with writes sent a second apart: the world's clock moves on to each of them.
macro_rules! paced_stories {
    ($($(#[doc = $doc:literal])* async fn $name:ident($world:ident: World) $body:block)+) => {
        crate::databases::both_databases! {$(
            $(#[doc = $doc])*
            async fn $name(url: String) {
                let $world = World::begin(&url, crate::world::paced()).await;
                $body
                $world.the_end().await;
            }
        )+}
    };
}
pub(crate) use paced_stories;

/// Makes four tests of each story: on each database, and with writes sent at once as well as a second apart.
macro_rules! stories_at_any_pace {
    ($($(#[doc = $doc:literal])* async fn $name:ident($world:ident: World) $body:block)+) => {
        crate::stories! {$($(#[doc = $doc])* async fn $name($world: World) $body)+}

        mod paced {
            use super::*;

            crate::paced_stories! {$($(#[doc = $doc])* async fn $name($world: World) $body)+}
        }
    };
}
pub(crate) use stories_at_any_pace;

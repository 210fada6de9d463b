//! The product as its users see it: each story builds a world, acts, and reads what a person would see.
//!
//! A story runs twice, on SQLite and on Postgres, against the GitHub stand-in and the registry stand-in over HTTP. When it
//! ends, every request and answer of it is held against GitHub's own API description, and the promises that hold always
//! are checked (see `World::the_end`).
#![expect(clippy::unwrap_used, reason = "a story that cannot go on says so by a panic")]

#[path = "../support/databases.rs"]
mod databases;

#[path = "../support/contract.rs"]
#[expect(dead_code, reason = "the stories use a part of it")]
mod contract;

mod world;

mod deliveries;
mod files;
mod groups;
mod pull_requests;
mod repositories;
mod requests;
mod timing;

use world::World;

/// Makes two tests of each story, one on each database.
macro_rules! stories {
    ($($(#[doc = $doc:literal])* async fn $name:ident($world:ident: World) $body:block)+) => {$(
        $(#[doc = $doc])*
        mod $name {
            use super::*;

            async fn story(url: String) {
                let $world = World::begin(&url).await;
                $body
                $world.the_end().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                crate::databases::on_sqlite(story).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                crate::databases::on_postgres(story).await;
            }
        }
    )+};
}
pub(crate) use stories;

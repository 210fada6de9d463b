//! The adapters of `src/registries/` against real package indexes, and the stand-ins against real clients.
//!
//! The stand-ins of the other tests are written by the same hands as the adapters. Here other hands have written one
//! side: devpi, pypiserver, bandersnatch, verdaccio, docker-registry and express, which `scripts/indexes` installs and
//! these tests start, each on a port of its own; and git, pip, npm and cargo, which read what the stand-ins say. What they
//! hold is made here.
//!
//! The names of tests that need what `scripts/indexes` installs begin with `real_`: `make test` leaves those out by request.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod cargo;
mod clients;
mod images;
mod npm;
mod python;
mod server;
mod wheel;

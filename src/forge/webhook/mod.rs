//! What GitHub sends us: whether a delivery is genuine, and what it means. Pure: bytes in, values out.
//!
//! A delivery holds far more than we need, and GitHub adds to it all the time. So the models are small and every
//! field is optional until an event that we act on cannot be understood without it; then the error names the field.

mod event;
mod facts;
mod json;
mod payload;
mod push;
mod signature;

pub use event::{KNOWN_EVENTS, known_event, parse_event};
pub use facts::{CommentFacts, Event, EventKind, PullFacts, Push, RepoFacts};
pub use json::PayloadError;
pub use push::ChangedPaths;
pub use signature::{SignatureError, verify};

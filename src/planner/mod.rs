//! From facts and `now` to what should be proposed, when, and why not yet.
//!
//! Pure: no async, no SQL, no HTTP, no clock; every instant comes in as an argument.

pub mod timing;

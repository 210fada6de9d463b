//! Where the command line finds repositories.

pub mod checkout;
mod git;
mod walk;

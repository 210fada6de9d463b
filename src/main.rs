//! The `mass-driver` executable.

fn main() {}

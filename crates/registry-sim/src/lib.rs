//! Package registries that fit in a process.

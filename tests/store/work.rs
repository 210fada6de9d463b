//! The queue.

#[path = "work/scene.rs"]
mod scene;
#[path = "work/setbacks.rs"]
mod setbacks;
#[path = "work/turns.rs"]
mod turns;

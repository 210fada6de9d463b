//! The workshop of bulk runs, with what it works with: the git that is installed, processes in their cage, plug-ins, and the
//! templates of plug-ins. Over HTTP it meets the GitHub stand-in.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod caged;
mod commits;
mod local;
mod over_http;
mod plug_ins;
mod scene;
mod templates;
mod work_trees;

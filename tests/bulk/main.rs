//! The tools of bulk runs, with what it works with: the git that is installed, processes in their sandbox, plug-ins, and the
//! templates of plug-ins. Over HTTP it meets the GitHub stand-in.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod cached;
mod commits;
mod large_files;
mod leftovers;
mod local;
mod over_http;
mod plug_ins;
mod sandboxed;
mod scene;
mod templates;
mod work_trees;

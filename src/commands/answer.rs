//! The answer to `/mass-driver help`. Markdown.

use super::{PREFIX, USAGE};
use std::fmt::Write as _;

/// The table of commands.
pub fn help() -> String {
    let mut text =
        "These commands are understood, each on a line of its own:\n\n| Command | What it does |\n| --- | --- |\n"
            .to_string();
    for (command, about) in USAGE {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{PREFIX} {command}` | {about} |");
    }
    text
}

//! What is answered to a comment. Markdown; names and versions come from strangers, so they stand in code spans.

use super::{PREFIX, USAGE};
use crate::domain::Unclear;
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

/// The answer to a line that is no command.
pub fn unclear(unclear: &Unclear) -> String {
    format!(
        "{} was not understood: {}; {} lists all commands.",
        code(&unclear.said),
        unclear.why,
        code(&format!("{PREFIX} help"))
    )
}

/// A code span with somebody's words in it, on one line. Backticks in them become apostrophes: what is quoted here is
/// short, and need not be copied.
pub fn code(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| {
            if c.is_control() {
                ' '
            } else if c == '`' {
                '\''
            } else {
                c
            }
        })
        .collect();
    let line = line.trim();
    format!("`{}`", if line.is_empty() { "–" } else { line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_stay_in_their_span() {
        let said = Unclear { said: "`@octocat` <b>\nfixes #1".into(), why: "there is no such command".into() };
        assert_eq!(
            unclear(&said),
            "`'@octocat' <b> fixes #1` was not understood: there is no such command; `/mass-driver help` lists all commands."
        );
    }
}

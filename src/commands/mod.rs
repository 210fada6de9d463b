//! What people write to the bot on a pull request: `/mass-driver rebase`.
//!
//! Pure: the Markdown of a comment in, commands out. Whether their author may give them, and what becomes of them, is
//! `pipeline/obey.rs`'s to say. A comment may hold anything, quoted mail and logs included, so a command counts only
//! where a person plainly says it: as the first words of a line, in a paragraph of its own standing, neither quoted nor
//! in code nor in a list.

pub mod answer;
mod grammar;
mod lines;

pub use grammar::USAGE;

use crate::domain::{Command, Unclear};

/// What a line addressed to the bot begins with.
pub const PREFIX: &str = "/mass-driver";
/// Longer comments are not read; GitHub takes none. Unit: bytes.
const COMMENT_MAX_BYTES: usize = 4 * 65_536;
/// Who writes more commands in one comment has the first of them obeyed.
pub const COMMANDS_MAX: usize = 10;

/// The commands of a comment, in its order, at most [`COMMANDS_MAX`]; those that nobody can obey with what would be
/// right. Empty for almost every comment.
pub fn read(comment: &str) -> Vec<Result<Command, Unclear>> {
    if comment.len() > COMMENT_MAX_BYTES || !mentions(comment) {
        return Vec::new();
    }
    let addressed = lines::spoken(comment).into_iter().filter_map(|line| arguments(&line).map(grammar::command));
    addressed.take(COMMANDS_MAX).collect()
}

/// Whether a comment may hold a command at all: what keeps other comments from being stored and parsed.
pub fn mentions(comment: &str) -> bool {
    let prefix = PREFIX.as_bytes();
    comment.as_bytes().windows(prefix.len()).any(|window| window.eq_ignore_ascii_case(prefix))
}

/// What follows the prefix on a line that begins with it as a word.
fn arguments(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let (head, rest) = line.split_at_checked(PREFIX.len())?;
    let is_word = rest.chars().next().is_none_or(char::is_whitespace);
    (head.eq_ignore_ascii_case(PREFIX) && is_word).then_some(rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::IgnoreScope;
    use rstest::rstest;

    #[rstest]
    #[case::alone("/mass-driver rebase")]
    #[case::after_a_blank_line("Thank you.\n\n/mass-driver rebase\n")]
    #[case::after_words("Conflicts again …\n/mass-driver rebase")]
    #[case::in_capitals("/Mass-Driver REBASE")]
    #[case::with_white_space("   /mass-driver   rebase  ")]
    #[case::with_a_full_stop("/mass-driver rebase.")]
    #[case::with_windows_line_ends("Please:\r\n/mass-driver rebase\r\n")]
    #[case::beneath_a_quotation("> it conflicts\n\n/mass-driver rebase")]
    #[case::beneath_code("```\nlog\n```\n/mass-driver rebase")]
    #[case::after_a_hard_break("Conflicts.  \n/mass-driver rebase")]
    fn said(#[case] comment: &str) {
        assert_eq!(read(comment), [Ok(Command::Rebase)]);
    }

    #[rstest]
    #[case::quoted("> /mass-driver rebase")]
    #[case::quoted_lazily("> somebody wrote\n/mass-driver rebase")]
    #[case::in_a_fence("```\n/mass-driver rebase\n```")]
    #[case::in_an_open_fence("```\n/mass-driver rebase")]
    #[case::in_a_fence_of_tildes("~~~ text\n/mass-driver rebase\n~~~")]
    #[case::indented("    /mass-driver rebase")]
    #[case::indented_by_a_tab("\t/mass-driver rebase")]
    #[case::in_a_span("`/mass-driver rebase`")]
    #[case::in_a_span_over_lines("`see\n/mass-driver rebase`")]
    #[case::in_a_comment("<!-- \n/mass-driver rebase\n-->")]
    #[case::in_html("<div>\n/mass-driver rebase\n</div>")]
    #[case::in_details("<details><summary>log</summary>\n/mass-driver rebase\n</details>")]
    #[case::in_a_list("- /mass-driver rebase")]
    #[case::in_a_heading("# /mass-driver rebase")]
    #[case::in_a_table("| a |\n| - |\n| /mass-driver rebase |")]
    #[case::in_the_middle("I said /mass-driver rebase")]
    #[case::part_of_a_word("/mass-driver-bot rebase")]
    #[case::a_path("/mass-driver/rebase")]
    #[case::emphasised("**/mass-driver rebase**")]
    #[case::in_a_link("[/mass-driver rebase](https://example.com)")]
    #[case::in_an_image("![\n/mass-driver rebase](https://example.com)")]
    #[case::escaped("\\/mass-driver rebase")]
    #[case::of_another_bot("@dependabot rebase")]
    #[case::none("Looks good to me.")]
    #[case::empty("")]
    fn not_said(#[case] comment: &str) {
        assert_eq!(read(comment), []);
    }

    #[test]
    fn a_name_may_stand_in_code() {
        let expected = Command::Ignore { scope: IgnoreScope::Major, of: Some("@types/node".into()) };
        assert_eq!(read("/mass-driver ignore this major of `@types/node`"), [Ok(expected.clone())]);
        assert_eq!(read("/mass-driver ignore this major of @types/node"), [Ok(expected)]);
    }

    #[test]
    fn a_comment_may_hold_several_but_not_many() {
        let found = read("/mass-driver why\n/mass-driver rebase\nand\n/mass-driver fly");
        assert_eq!(found[..2], [Ok(Command::Why), Ok(Command::Rebase)]);
        assert!(found[2].is_err());
        assert_eq!(read(&"/mass-driver why\n".repeat(60_000 / 17)).len(), COMMANDS_MAX);
    }

    #[test]
    fn sixty_kilobytes_of_nothing_are_read_quickly_and_say_nothing() {
        for filler in ["> ", "`", "[", "*a ", "<", "- ", "![", "\\"] {
            let comment = format!("{}\n> /mass-driver rebase", filler.repeat(60_000 / filler.len()));
            assert_eq!(read(&comment), [], "{filler}");
        }
    }
}

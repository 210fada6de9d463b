//! Says what the YAML parser could not read, in the words of who wrote the file.

use super::node::small;
use super::problem::{Problems, Spot, nth_line};
use super::yaml::{MAX_DEPTH, spot_at};
use serde_saphyr::granit_parser::{ErrorKind as Kind, ScanError};

/// Globs and cron lines begin with `*` far more often than anyone means an alias.
pub(super) const QUOTE_STAR: &str = "put it in quotes if it is meant as text, or write the value out";

/// Nesting beyond [`MAX_DEPTH`], whoever noticed it.
pub(super) fn too_deep(at: Spot, problems: &mut Problems) {
    problems.add(
        at,
        format!("lists and mappings are nested deeper than {MAX_DEPTH} levels; the rest is not read"),
        "see the documentation of the file for its shape, which is not that deep",
    );
}

/// Reports where and why the parser stopped.
pub(super) fn report(error: &ScanError, text: &str, problems: &mut Problems) {
    let at = spot_at(*error.marker());
    let line = nth_line(text, at.line).unwrap_or_default();
    let indentation = line.len() - line.trim_start().len();
    if let Some(tab) = line[..indentation].find('\t') {
        let at = Spot { column: small(tab + 1), ..at };
        problems.add(at, "a tab indents this line", "indent with spaces; YAML does not allow tabs there");
        return;
    }
    if problems.any_on(at.line) && line.contains('*') {
        // `*/5 * * * *` without quotes: the alias is reported, the rest of the line is its consequence.
        return;
    }
    if let Kind::UnexpectedCharacter { character } = error.kind()
        && !is_printable(*character)
    {
        let at = first_from(*character, at, text);
        let what = format!("the control character `{}` stands here", character.escape_unicode());
        problems.add(at, what, "remove it; it may be invisible in your editor");
        return;
    }
    let (what, fix) = match error.kind() {
        Kind::RecursionLimitExceeded => return too_deep(at, problems),
        Kind::TabNotAllowed
        | Kind::TabInBlockIndentation
        | Kind::TabInIndentation
        | Kind::TabAtBlockScalarStart
        | Kind::TabInPlainScalar => ("a tab stands where YAML allows only spaces", "replace it with spaces"),
        Kind::UnclosedQuotedScalar | Kind::DocumentIndicatorInQuotedScalar => {
            ("a quote is opened but never closed", "close it with the same kind of quote")
        }
        Kind::UnclosedFlowCollection { open: '[' } | Kind::UnexpectedEofFlowSequence => {
            ("a `[` is opened but never closed", "close it with `]`")
        }
        Kind::UnclosedFlowCollection { .. } | Kind::UnexpectedEofFlowMapping => {
            ("a `{` is opened but never closed", "close it with `}`")
        }
        Kind::ExpectedFlowSequenceSeparator => {
            ("a `,` or `]` is missing", "separate the items of a `[…]` list with commas and close it")
        }
        Kind::ExpectedFlowMappingSeparator => {
            ("a `,` or `}` is missing", "separate the entries of a `{…}` mapping with commas and close it")
        }
        Kind::MismatchedFlowCollectionEnd { .. } | Kind::MisplacedFlowCollectionEnd => {
            ("this bracket closes nothing that was opened with its like", "close `[` with `]` and `{` with `}`")
        }
        Kind::SimpleKeyExpected => ("a `:` is missing after this key", "write `key: value`"),
        Kind::MappingValueNotAllowed => (
            "a `key: value` stands where none can be",
            "indent it like its neighbours, add a `:` that is missing above, or quote a text that contains `: `",
        ),
        Kind::ExpectedBlockMappingKey
        | Kind::ExpectedBlockSequenceEntry
        | Kind::InvalidIndentation
        | Kind::BlockSequenceEntryNotAllowed => (
            "this line is not indented like the lines it belongs to",
            "align it with its neighbours; a list's items all start with `- `",
        ),
        Kind::UnexpectedCharacter { .. }
        | Kind::UnexpectedEndOfPlainScalar
        | Kind::PlainScalarStartsWithDashFlowIndicator => {
            ("a value cannot begin with this character", "put the value in quotes")
        }
        Kind::UnknownQuotedScalarEscape | Kind::InvalidQuotedScalarHexEscape => (
            "an escape (`\\`) in this text is none that YAML knows",
            "put the text in single quotes, where `\\` is an ordinary character, or write `\\\\`",
        ),
        Kind::MissingAnchorOrAliasName => {
            ("`*` and `&` at the beginning of a value have a meaning of their own in YAML", QUOTE_STAR)
        }
        Kind::DirectiveDisallowed | Kind::MissingDirectiveName | Kind::InvalidDirectiveName => {
            ("directives (`%…`) are not supported", "remove the line, or quote the value")
        }
        kind => {
            problems.add(
                at,
                format!("this is not YAML: {kind}"),
                "write `key: value` lines and `- item` lists, indented with spaces",
            );
            return;
        }
    };
    problems.add(at, what, fix);
}

/// Whether YAML allows a character in a text. Source: YAML 1.2.2, "Character Set".
fn is_printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{85}') || !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')
}

/// Where a character stands first, from a place on: the parser may know only where the text begins that it is in.
fn first_from(wanted: char, at: Spot, text: &str) -> Spot {
    let (mut line, mut column) = (1, 1);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == wanted && (line, column) >= (at.line, at.column) {
            return Spot { line, column, length: 1 };
        }
        let ends_line = character == '\n' || character == '\r' && characters.peek() != Some(&'\n');
        (line, column) = if ends_line { (line + 1, 1) } else { (line, column + 1) };
    }
    at
}

//! A TOML file and where its strings stand.

use super::toml_string;
use super::written::Written;
use super::{cut, line_of, line_starts, readable, without_mark};
use std::ops::Range;
use toml_edit::{Document, TableLike, Value};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Each part of a dotted key is a table in the one before. Neither these nor brackets within brackets are bounded where a file is
/// parsed or given back, and some thousands of them take more stack than a thread has (seen). Keys that people write have seven parts
/// at most …
const KEY_PARTS_MAX: usize = 32;
/// … and their brackets stand four deep.
const DEPTH_MAX: usize = 64;

/// A file that was parsed.
pub(super) struct TomlFile<'a> {
    /// The text without its byte order mark.
    toml: &'a str,
    /// The length of the mark: spans count from the file's first byte.
    mark: usize,
    line_starts: Vec<usize>,
    document: Document<&'a str>,
}

impl<'a> TomlFile<'a> {
    /// Parses a file.
    ///
    /// Errors: what is wrong with it and in which line, for people.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        readable(text)?;
        let (mark, toml) = without_mark(text);
        let line_starts = line_starts(text);
        if let Some((at, what)) = too_deep(toml) {
            return Err(format!("line {}: {what}", line_of(&line_starts, mark + at)));
        }
        let document = Document::parse(toml).map_err(|error| {
            let line = line_of(&line_starts, mark + error.span().map_or(0, |span| span.start));
            format!("line {line}: {}", cut(error.message().lines().next().unwrap_or("not TOML")))
        })?;
        Ok(Self { toml, mark, line_starts, document })
    }

    pub(super) fn root(&self) -> &dyn TableLike {
        self.document.as_table()
    }

    /// The line of a byte of the file.
    pub(super) fn line_of(&self, at: usize) -> u32 {
        line_of(&self.line_starts, at)
    }

    /// The text of a string without white space around it. `None` when the value is none.
    pub(super) fn string(&self, value: &Value) -> Option<Written> {
        let (string, span) = (value.as_str()?, value.span()?);
        // The string is read again to know where each character stands; both readings must agree.
        let decoded = toml_string::decode(self.toml.get(span.clone())?, self.mark + span.start)?;
        let agrees = decoded.text().replace("\r\n", "\n") == string.replace("\r\n", "\n");
        agrees.then(|| decoded.trimmed())
    }

    /// The byte of the file at which a span of the parsed text begins.
    pub(super) fn start_of(&self, span: Option<Range<usize>>) -> usize {
        self.mark + span.map_or(0, |span| span.start)
    }
}

/// Where something goes deeper than is read, and what.
fn too_deep(toml: &str) -> Option<(usize, String)> {
    let (mut dots, mut open) = (0, Vec::new());
    for token in Source::new(toml).lex() {
        let kind = token.kind();
        match kind {
            TokenKind::Dot => dots += 1,
            TokenKind::LeftSquareBracket => open.push(TokenKind::RightSquareBracket),
            TokenKind::LeftCurlyBracket => open.push(TokenKind::RightCurlyBracket),
            // A bracket that closes nothing is passed over, as the parser may do.
            _ if open.last() == Some(&kind) => drop(open.pop()),
            _ => {}
        }
        if !matches!(kind, TokenKind::Dot | TokenKind::Whitespace | TokenKind::Atom) && !is_quoted(kind) {
            dots = 0;
        }
        let at = token.span().start();
        if dots >= KEY_PARTS_MAX {
            return Some((at, format!("a key of more than {KEY_PARTS_MAX} parts")));
        }
        if open.len() > DEPTH_MAX {
            return Some((at, format!("brackets more than {DEPTH_MAX} deep")));
        }
    }
    None
}

fn is_quoted(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::LiteralString | TokenKind::BasicString)
}

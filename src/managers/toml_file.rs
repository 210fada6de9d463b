//! A TOML file and where its strings stand.

use super::toml_string;
use super::written::Written;
use super::{cut, line_of, line_starts, readable, without_mark};
use std::ops::Range;
use toml_edit::{Document, TableLike, Value};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Each part of a dotted key is a table in the one before, and nothing bounds them while a file is parsed and given back: a
/// key of some thousand parts takes more stack than a thread has (seen). Keys that people write have seven at most.
const KEY_PARTS_MAX: usize = 32;

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
        if let Some(at) = too_deep(toml) {
            let line = line_of(&line_starts, mark + at);
            return Err(format!("line {line}: a key of more than {KEY_PARTS_MAX} parts"));
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

/// Where a key stands that has too many parts.
fn too_deep(toml: &str) -> Option<usize> {
    let mut dots = 0;
    for token in Source::new(toml).lex() {
        match token.kind() {
            TokenKind::Dot => dots += 1,
            TokenKind::Newline
            | TokenKind::Equals
            | TokenKind::Comma
            | TokenKind::LeftSquareBracket
            | TokenKind::RightSquareBracket
            | TokenKind::LeftCurlyBracket
            | TokenKind::RightCurlyBracket => dots = 0,
            _ => {}
        }
        if dots >= KEY_PARTS_MAX {
            return Some(token.span().start());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    /// The stack of a thread that the bot's steps run on.
    const STACK_BYTES: usize = 2 * 1024 * 1024;

    #[test]
    fn a_key_of_very_many_parts_is_a_problem_of_its_line() {
        let deep = |parts: usize| format!("{}b = 1\n", "a.".repeat(parts));
        assert!(TomlFile::parse(&deep(KEY_PARTS_MAX - 1)).is_ok());
        let why = TomlFile::parse(&format!("[x]\n{}", deep(50_000))).err();
        assert_eq!(why.as_deref(), Some("line 2: a key of more than 32 parts"));
        for header in ["[", "[["] {
            assert!(TomlFile::parse(&format!("{header}{}b]", "a . ".repeat(50_000))).is_err());
        }
        assert!(TomlFile::parse(&format!("a = {{ {} }}", deep(50_000).trim())).is_err());
        let harmless = format!("# {0}\na = \"{0}\" # {0}\nb = \"\"\"\n{0}\n\"\"\"\n\"{0}\" = 1.5\n", ".".repeat(1_000));
        assert!(TomlFile::parse(&harmless).is_ok());
    }

    /// Keys as deep as they may be, in values as deep as the parser lets them be.
    #[test]
    fn the_deepest_that_is_read_fits_on_the_stack() {
        let key = format!("{}b", "a.".repeat(KEY_PARTS_MAX - 1));
        let text = move |depth: usize| {
            format!("[{key}]\n{key} = {}1{}\n", format!("{{ {key} = ").repeat(depth), " }".repeat(depth))
        };
        let read = move || (1..200).filter(|depth| TomlFile::parse(&text(*depth)).is_ok()).max();
        let deepest = thread::Builder::new().stack_size(STACK_BYTES).spawn(read).unwrap().join().unwrap();
        assert!(deepest.is_some_and(|deepest| deepest > 10), "{deepest:?}");
    }
}

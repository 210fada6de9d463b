//! A TOML file and where its strings stand.

use super::toml_string;
use super::written::Written;
use super::{cut, line_of, line_starts, readable, without_mark};
use crate::document::toml::too_deep;
use std::ops::Range;
use toml_edit::{Document, TableLike, Value};

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

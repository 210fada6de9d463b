//! The lines of a comment that a person says in their own voice.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The lines of a comment's paragraphs, as far as they are plain text from their beginning on. Names in code spans are
/// part of them.
pub fn spoken(comment: &str) -> Vec<String> {
    let mut said = Lines::default();
    let (mut in_block, mut in_span) = (0_usize, 0_usize);
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_GFM;
    let mut in_paragraph = false;
    for (event, place) in Parser::new_ext(comment, options).into_offset_iter() {
        match event {
            Event::Start(Tag::Paragraph) if in_block == 0 => in_paragraph = true,
            Event::End(TagEnd::Paragraph) if in_block == 0 => {
                in_paragraph = false;
                said.end_line();
            }
            Event::Start(tag) if is_inline(&tag) => {
                said.not_plain();
                in_span += 1;
            }
            Event::End(end) if is_inline_end(end) => in_span = in_span.saturating_sub(1),
            Event::Start(_) => in_block += 1,
            Event::End(_) => in_block = in_block.saturating_sub(1),
            _ if !in_paragraph || in_block > 0 => {}
            // A line that begins within emphasis or a link is not said plainly.
            Event::SoftBreak | Event::HardBreak => {
                said.end_line();
                if in_span > 0 {
                    said.not_plain();
                }
            }
            // Whoever escapes its beginning talks about a command.
            Event::Text(_) if said.is_empty() && comment[..place.start].ends_with('\\') => said.not_plain(),
            Event::Text(text) => said.push(&text),
            Event::Code(text) if !said.is_empty() => said.push(&text),
            _ => said.not_plain(),
        }
    }
    said.lines
}

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    line: String,
    /// The present line has something else before its plain text.
    spoilt: bool,
}

impl Lines {
    fn push(&mut self, text: &str) {
        if !self.spoilt {
            self.line.push_str(text);
        }
    }

    fn is_empty(&self) -> bool {
        self.line.trim().is_empty()
    }

    fn not_plain(&mut self) {
        self.spoilt |= self.is_empty();
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.lines.push(line);
        }
        self.spoilt = false;
    }
}

fn is_inline(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
            | Tag::Link { .. }
            | Tag::Image { .. }
    )
}

fn is_inline_end(end: TagEnd) -> bool {
    matches!(
        end,
        TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::Link
            | TagEnd::Image
    )
}

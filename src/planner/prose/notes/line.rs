//! What stands in a paragraph, a heading or a cell: words, emphasis, code and links, up to a number of characters.

use super::words::{Word, escaped, is_skip, span, words};
use crate::planner::prose::text::visible;

/// What is shown of a code span. Unit: characters.
const CODE_MAX_CHARS: usize = 1_000;

/// What goes around words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// `**bold**`
    Strong,
    /// `*italic*`
    Emphasis,
    /// `~~struck~~`
    Struck,
    /// A link, or an image that became one.
    Link,
}

/// A mark that was begun; without an end where nothing was written for it.
struct Begun {
    mark: Mark,
    end: Option<String>,
    /// The length of the text before it, and after what begins it.
    before: usize,
    after: usize,
}

/// How a line may be written.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Characters there is room for.
    pub room: usize,
    /// What each line after the first costs beside its own text. Unit: characters.
    pub break_costs: usize,
    /// Breaks become spaces.
    pub one_line: bool,
    /// It is a cell of a table.
    pub in_cell: bool,
    /// A box to tick may stand at its beginning.
    pub in_item: bool,
}

/// A line being written. A paragraph can have several.
pub struct Line {
    form: Form,
    text: String,
    chars: usize,
    /// Text of which the last word may still go on.
    pending: String,
    begun: Vec<Begun>,
    /// Those of them that were written, each once, with the length of the text after what begins them.
    open: Vec<(Mark, usize)>,
    /// What the marks that are open need for their ends. Unit: characters.
    ends_chars: usize,
    /// What to write before the next word.
    space: bool,
    newline: bool,
    /// A mark has just ended.
    ended: bool,
    full: bool,
}

impl Line {
    /// An empty one.
    pub fn new(form: Form) -> Self {
        Self {
            form,
            text: String::new(),
            chars: 0,
            pending: String::new(),
            begun: Vec::new(),
            open: Vec::new(),
            ends_chars: 0,
            space: false,
            newline: false,
            ended: false,
            full: false,
        }
    }

    /// Adds text that may go on with the word before it.
    pub fn text(&mut self, text: &str) {
        if !self.full {
            self.pending.push_str(&visible(text));
        }
    }

    /// Adds a code span.
    pub fn code(&mut self, text: &str) {
        self.flush();
        let shown: String = text.chars().take(CODE_MAX_CHARS * 2).collect();
        self.push(&span(&visible(&shown), CODE_MAX_CHARS, self.form.in_cell));
    }

    /// Ends the line, and goes on with the next.
    pub fn line_break(&mut self) {
        self.flush();
        self.newline |= !self.form.one_line;
        self.space = true;
    }

    /// Begins bold, italic or struck words.
    pub fn begin(&mut self, mark: Mark) {
        let sign = match mark {
            Mark::Strong => "**",
            Mark::Emphasis => "*",
            Mark::Struck => "~~",
            Mark::Link => "",
        };
        self.open(mark, sign, Some(sign.to_string()));
    }

    /// Begins a link. Without an address, in another link, and where there is no room for it, its words stand alone.
    pub fn begin_link(&mut self, url: Option<&str>) {
        self.open(Mark::Link, "[", url.map(|url| format!("]({url})")));
    }

    /// Ends what was begun last.
    pub fn end(&mut self) {
        if self.begun.last().is_some_and(|begun| begun.end.is_some()) {
            self.flush();
        }
        let Some(Begun { mark, end: Some(end), before, after }) = self.begun.pop() else { return };
        self.open.retain(|(open, _)| *open != mark);
        self.ends_chars -= end.chars().count();
        if self.text.len() == after {
            self.chars -= self.text[before..].chars().count();
            self.text.truncate(before);
            if self.text.ends_with(' ') {
                self.text.pop();
                self.chars -= 1;
            }
            // What was apart stays apart.
            self.space = true;
            return;
        }
        if mark == Mark::Link && is_skip(&format!("[{}]", &self.text[after..])) {
            self.text.replace_range(before..after, "(");
            self.append(")");
            return;
        }
        self.append(&end);
        self.ended = true;
    }

    /// Whether anything was written since the last mark was begun.
    pub fn has_words(&self) -> bool {
        !self.pending.trim().is_empty() || self.text.len() > self.begun.last().map_or(0, |begun| begun.after)
    }

    /// The line with all marks ended, and whether something was left out for want of room.
    pub fn finish(mut self) -> (String, bool) {
        self.flush();
        while !self.begun.is_empty() {
            self.end();
        }
        (self.text, self.full)
    }

    fn append(&mut self, text: &str) {
        self.chars += text.chars().count();
        self.text.push_str(text);
    }

    fn open(&mut self, mark: Mark, sign: &str, end: Option<String>) {
        // Bold in bold is bold, and links have no links in them. A word goes on over a mark that is not written: what is found
        // in it is found in all of it.
        let end = end.filter(|_| !self.is_open(mark));
        if end.is_some() {
            self.flush();
        }
        let end = end.filter(|_| !self.full);
        let costs = end.as_ref().map_or(0, |end| sign.len() + end.chars().count());
        self.full |= self.chars + self.ends_chars + costs + self.form.break_costs + 2 > self.form.room;
        let end = end.filter(|_| !self.full);
        let mut before = self.text.len();
        if let Some(end) = &end {
            // Two marks side by side would be read as one.
            self.space |= self.ended;
            self.gap();
            self.no_image(sign);
            before = self.text.len();
            self.append(sign);
            self.open.push((mark, self.text.len()));
            self.ends_chars += end.chars().count();
            self.ended = false;
        }
        self.begun.push(Begun { mark, end, before, after: self.text.len() });
    }

    /// Keeps a link from becoming an image because of the text before it.
    fn no_image(&mut self, next: &str) {
        if next.starts_with('[') && self.text.ends_with('!') {
            self.text.insert(self.text.len() - 1, '\\');
            self.chars += 1;
        }
    }

    fn is_open(&self, mark: Mark) -> bool {
        self.open.iter().any(|(open, _)| *open == mark)
    }

    /// Writes the space or the break that is due: none at the beginning, or right within a mark.
    fn gap(&mut self) {
        let begins = self.text.is_empty() || self.open.iter().any(|(_, after)| *after == self.text.len());
        let (newline, space) = (std::mem::take(&mut self.newline), std::mem::take(&mut self.space));
        if begins {
            return;
        }
        if newline {
            self.chars += self.form.break_costs;
            self.append("\n");
        } else if space {
            self.append(" ");
        }
    }

    /// Writes a word, if there is room.
    fn push(&mut self, word: &str) {
        // Two code spans side by side would be read as one.
        self.space |= word.starts_with('`') && self.text.ends_with('`');
        let gap = if self.newline { 1 + self.form.break_costs } else { usize::from(self.space) };
        if self.full || self.chars + self.ends_chars + gap + word.chars().count() > self.form.room {
            self.full = true;
            return;
        }
        self.gap();
        self.no_image(word);
        self.append(word);
        self.ended = false;
    }

    /// Writes the words that came.
    fn flush(&mut self) {
        let mut text = std::mem::take(&mut self.pending);
        if self.form.in_item && self.text.is_empty() {
            text = boxed(text);
        }
        for word in words(&text) {
            if self.full {
                return;
            }
            match word {
                Word::Space => self.space = true,
                Word::Plain(text) => {
                    let starts = self.newline || self.text.is_empty() || self.text.ends_with('\n');
                    self.push(&escaped(&text, starts));
                }
                Word::Code(text) => self.push(&span(&text, CODE_MAX_CHARS, self.form.in_cell)),
                Word::Link { url, shown } => self.link(&url, &shown),
            }
        }
    }

    fn link(&mut self, url: &str, shown: &str) {
        let shown = span(shown, CODE_MAX_CHARS, self.form.in_cell);
        match self.is_open(Mark::Link) {
            true => self.push(&shown),
            false => self.push(&format!("[{shown}]({url})")),
        }
    }
}

/// A box to tick is one that nobody can tick: GitHub may look for them after Markdown was read.
fn boxed(text: String) -> String {
    let trimmed = text.trim_start();
    for (written, shown) in [("[ ]", "☐"), ("[x]", "☑"), ("[X]", "☑")] {
        if let Some(rest) = trimmed.strip_prefix(written) {
            return format!("{shown}{rest}");
        }
    }
    text
}

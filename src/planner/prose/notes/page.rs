//! The blocks of notes: what the parser finds is written anew, block by block, while there is room.

use super::html;
use super::line::{Form, Line, Mark};
use super::links::Link;
use super::words::{self, literal};
use crate::planner::prose::text::visible;
use pulldown_cmark::{BlockQuoteKind, CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// Lists, their items and quotes within each other. What is deeper stands at this depth.
const DEPTH_MAX: usize = 12;
/// Longer lines of code are cut. Unit: characters.
const CODE_LINE_MAX_CHARS: usize = 1_000;
/// Tables of more columns are not shown: nobody could read them.
const COLUMNS_MAX: usize = 24;
/// Numbers of items that Markdown knows have 9 digits.
const NUMBER_MAX: u64 = 999_999_999;
/// The languages whose code is coloured. GitHub draws diagrams, maps and formulas of some others.
const LANGUAGES: [&str; 34] = [
    "bash",
    "c",
    "console",
    "cpp",
    "csharp",
    "css",
    "diff",
    "dockerfile",
    "go",
    "html",
    "ini",
    "java",
    "javascript",
    "js",
    "json",
    "jsx",
    "kotlin",
    "php",
    "powershell",
    "py",
    "python",
    "rb",
    "rs",
    "ruby",
    "rust",
    "sh",
    "shell",
    "sql",
    "swift",
    "toml",
    "ts",
    "tsx",
    "typescript",
    "yaml",
];

/// What blocks stand in.
enum Around {
    /// A list: the number of its next item, if they have numbers.
    List {
        next: Option<u64>,
    },
    /// An item: what it begins with, and whether that was written.
    Item {
        begins: String,
        begun: bool,
    },
    Quote,
}

/// The text so far.
struct Page {
    text: String,
    chars: usize,
    room: usize,
    /// What the next block stands in, each with its own number.
    around: Vec<(u32, Around)>,
    /// How many more it stands in than are told.
    deeper: usize,
    next_id: u32,
    /// What the last block stood in, and whether it was the bare text of an item.
    last: Option<(Vec<u32>, bool)>,
    line: Option<Line>,
    /// The line is the bare text of an item.
    bare: bool,
    cells: Option<Vec<String>>,
    /// The table has no room for its head, or too many columns.
    table_lost: bool,
    code: Option<(String, String)>,
    html: Option<String>,
    /// Something is left out.
    cut: bool,
}

/// Notes as Markdown, at most `max_chars` of it; `more` stands at the end if something is left out.
pub fn page(notes: &str, cut: bool, more: &str, max_chars: usize) -> String {
    let more_chars = more.chars().count() + 2;
    let mut page = Page::new(max_chars.saturating_sub(more_chars));
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_GFM;
    for event in Parser::new_ext(notes, options) {
        page.take(event);
        if page.cut {
            break;
        }
    }
    page.end_line();
    if (page.cut || cut) && max_chars >= more_chars {
        if !page.text.is_empty() {
            page.text.push_str("\n\n");
        }
        page.text.push_str(more);
    }
    page.text
}

impl Page {
    fn new(room: usize) -> Self {
        Self {
            text: String::new(),
            chars: 0,
            room,
            around: Vec::new(),
            deeper: 0,
            next_id: 0,
            last: None,
            line: None,
            bare: false,
            cells: None,
            table_lost: false,
            code: None,
            html: None,
            cut: false,
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match (&mut self.code, &mut self.html) {
                (Some((_, code)), _) => code.push_str(&text),
                (None, Some(html)) => html.push_str(&text),
                (None, None) => self.line().text(&text),
            },
            Event::Code(text) => self.line().code(&text),
            Event::Html(text) => match &mut self.html {
                Some(html) => html.push_str(&text),
                None => self.line().text(&html::text(&text)),
            },
            Event::InlineHtml(text) => match html::tag(&text) {
                html::Tag::Break => self.line().line_break(),
                html::Tag::Nothing => {}
                html::Tag::Text => self.line().text(&text),
            },
            Event::SoftBreak | Event::HardBreak => self.line().line_break(),
            Event::TaskListMarker(done) => self.line().text(if done { "☑ " } else { "☐ " }),
            Event::Rule => self.end_line(),
            // Not asked of the parser. If it found them all the same, they are text.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.line().text(&text)
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Strong => return self.line().begin(Mark::Strong),
            Tag::Emphasis => return self.line().begin(Mark::Emphasis),
            Tag::Strikethrough => return self.line().begin(Mark::Struck),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                let url = Link::read(&dest_url).and_then(|link| link.url);
                return self.line().begin_link(url.as_deref());
            }
            _ => {}
        }
        // What follows is a block.
        if !matches!(tag, Tag::TableCell) {
            self.end_line();
        }
        match tag {
            Tag::List(next) => self.enter(Around::List { next: next.map(|next| next.min(NUMBER_MAX - 1)) }),
            Tag::Item => {
                let item = self.item();
                self.enter(item);
            }
            Tag::BlockQuote(kind) => {
                self.enter(Around::Quote);
                if let Some(kind) = kind {
                    self.alert(kind);
                }
            }
            Tag::Heading { .. } => {
                let form = Form { one_line: true, ..self.form() };
                self.line.insert(Line::new(form)).begin(Mark::Strong);
            }
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(info) => language(&info),
                    CodeBlockKind::Indented => "",
                };
                self.code = Some((language.to_string(), String::new()));
            }
            Tag::HtmlBlock => self.html = Some(String::new()),
            Tag::Table(columns) => self.table_lost = columns.len() > COLUMNS_MAX,
            Tag::TableHead | Tag::TableRow => self.cells = Some(Vec::new()),
            Tag::TableCell => {
                let form = Form { one_line: true, in_cell: true, in_item: false, break_costs: 0, ..self.form() };
                self.line = Some(Line::new(form));
            }
            Tag::Paragraph => self.line = Some(Line::new(self.form())),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strong | TagEnd::Emphasis | TagEnd::Strikethrough => self.line().end(),
            TagEnd::Link => self.line().end(),
            TagEnd::Image => {
                // An image without words is one all the same.
                if !self.line().has_words() {
                    self.line().text("image");
                }
                self.line().end();
            }
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::HtmlBlock => self.end_html(),
            TagEnd::TableCell => {
                let (cell, full) = self.line.take().map(Line::finish).unwrap_or_default();
                self.cut |= full;
                self.cells.get_or_insert_default().push(cell);
            }
            TagEnd::TableHead => self.end_row(true),
            TagEnd::TableRow => self.end_row(false),
            TagEnd::List(_) | TagEnd::Item | TagEnd::BlockQuote(_) => {
                self.end_line();
                match self.deeper.checked_sub(1) {
                    Some(deeper) => self.deeper = deeper,
                    None => drop(self.around.pop()),
                }
            }
            _ => self.end_line(),
        }
    }

    fn enter(&mut self, around: Around) {
        if self.around.len() == DEPTH_MAX {
            self.deeper += 1;
        } else {
            self.next_id += 1;
            self.around.push((self.next_id, around));
        }
    }

    /// The next item of the list.
    fn item(&mut self) -> Around {
        let begins = match self.around.last_mut() {
            Some((_, Around::List { next: Some(number) })) => {
                *number = (*number + 1).min(NUMBER_MAX);
                format!("{}. ", *number - 1)
            }
            _ => "- ".into(),
        };
        Around::Item { begins, begun: false }
    }

    /// `> [!NOTE]`, as its word.
    fn alert(&mut self, kind: BlockQuoteKind) {
        let word = match kind {
            BlockQuoteKind::Note => "Note",
            BlockQuoteKind::Tip => "Tip",
            BlockQuoteKind::Important => "Important",
            BlockQuoteKind::Warning => "Warning",
            BlockQuoteKind::Caution => "Caution",
        };
        self.emit(&format!("**{word}**"), false);
    }

    /// How a line may be written here.
    fn form(&self) -> Form {
        let margin: usize = self.around.iter().map(|(_, around)| around.margin().len()).sum();
        let room = self.room.saturating_sub(self.chars + 2 * margin + 2);
        let in_item = self.around.iter().any(|(_, around)| matches!(around, Around::Item { begun: false, .. }));
        Form { room, break_costs: margin, one_line: false, in_cell: false, in_item }
    }

    /// The line that words belong to: where no block was begun, they are the bare text of an item.
    fn line(&mut self) -> &mut Line {
        if self.line.is_none() {
            self.bare = self.around.iter().any(|(_, around)| matches!(around, Around::Item { .. }));
        }
        let form = self.form();
        self.line.get_or_insert_with(|| Line::new(form))
    }

    fn end_line(&mut self) {
        let bare = std::mem::take(&mut self.bare);
        let Some((text, full)) = self.line.take().map(Line::finish) else { return };
        // A cut is between blocks, but for a first one that is too long by itself.
        if !text.is_empty() && (!full || self.text.is_empty()) {
            self.emit(&text, bare);
        }
        self.cut |= full;
    }

    fn end_html(&mut self) {
        let Some(html) = self.html.take() else { return };
        let mut line = Line::new(self.form());
        for text in html::text(&html).lines() {
            line.text(text);
            line.line_break();
        }
        self.line = Some(line);
        self.end_line();
    }

    fn end_code(&mut self) {
        let Some((language, code)) = self.code.take() else { return };
        let mut lines: Vec<String> = code.lines().map(line_of_code).collect();
        let mut is_due = false;
        // A keyword reaches over empty lines.
        for line in lines.iter_mut().filter(|line| !line.is_empty()) {
            let ends = words::ends_with_keyword(line);
            if std::mem::replace(&mut is_due, ends) {
                line.insert_str(0, "– ");
            }
        }
        if lines.iter().all(String::is_empty) {
            return;
        }
        let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(3.max(longest + 1));
        let Form { room, break_costs, .. } = self.form();
        let mut costs = 2 * (fence.len() + break_costs + 1) + language.len();
        let mut text = format!("{fence}{language}\n");
        let mut shown = 0;
        for line in &lines {
            costs += line.chars().count() + break_costs + 1;
            if costs > room {
                break;
            }
            text.push_str(line);
            text.push('\n');
            shown += 1;
        }
        if shown > 0 {
            text.push_str(&fence);
            self.emit(&text, false);
        }
        self.cut |= shown < lines.len();
    }

    fn end_row(&mut self, is_head: bool) {
        let Some(cells) = self.cells.take().filter(|_| !self.table_lost && !self.cut) else { return };
        let mut row = String::from("|");
        for cell in &cells {
            row.push_str(if cell.is_empty() { " " } else { cell });
            row.insert(row.len() - if cell.is_empty() { 1 } else { cell.len() }, ' ');
            row.push_str(" |");
        }
        if is_head {
            row.push_str("\n|");
            row.push_str(&" --- |".repeat(cells.len()));
            self.emit(&row, false);
            return;
        }
        let margin = self.margin(self.around.len());
        let costs = 1 + margin.len() + row.chars().count();
        if self.chars + costs > self.room {
            self.cut = true;
            return;
        }
        self.text.push('\n');
        self.text.push_str(&margin);
        self.text.push_str(&row);
        self.chars += costs;
    }

    /// What a line after the first begins with, in the outermost `depth` of what is around it.
    fn margin(&self, depth: usize) -> String {
        self.around[..depth].iter().map(|(_, around)| around.margin()).collect()
    }

    /// Whether an item may begin on the next line, after the bare text of another one: the first `common` of what is around it were
    /// around that too.
    fn may_follow(&self, common: usize) -> bool {
        let unbegun = |(_, around): &(u32, Around)| matches!(around, Around::Item { begun: false, .. });
        let Some(at) = self.around.iter().position(unbegun) else { return false };
        match &self.around[at].1 {
            // The next of its list.
            _ if common >= at => true,
            // The first of a list in an item. No number but 1 begins one right below a line of text.
            Around::Item { begins, .. } => {
                let in_item = at >= 2 && common >= at - 1 && matches!(self.around[at - 2].1, Around::Item { .. });
                in_item && matches!(begins.as_str(), "- " | "1. ")
            }
            _ => false,
        }
    }

    /// Writes a block; `bare` if it is the bare text of an item, which needs no blank line before it.
    fn emit(&mut self, block: &str, bare: bool) {
        let mut text = String::new();
        if let Some((last, last_bare)) = &self.last {
            let common = self.around.iter().zip(last).take_while(|((id, _), last)| id == *last).count();
            if !(bare && *last_bare && self.may_follow(common)) {
                text.push('\n');
                text.push_str(self.margin(common).trim_end());
            }
            text.push('\n');
        }
        let mut first = String::new();
        for (_, around) in &mut self.around {
            let margin = around.margin();
            match around {
                Around::Item { begins, begun: begun @ false } => {
                    *begun = true;
                    first.push_str(begins);
                }
                _ => first.push_str(&margin),
            }
        }
        let margin = self.margin(self.around.len());
        for (n, line) in block.lines().enumerate() {
            if n > 0 {
                text.push('\n');
            }
            let margin = if n == 0 { &first } else { &margin };
            text.push_str(if line.is_empty() { margin.trim_end() } else { margin });
            text.push_str(line);
        }
        let chars = text.chars().count();
        if self.chars + chars > self.room {
            self.cut = true;
            return;
        }
        self.chars += chars;
        self.text.push_str(&text);
        self.last = Some((self.around.iter().map(|(id, _)| *id).collect(), bare));
    }
}

impl Around {
    /// What each line in it begins with, after the first.
    fn margin(&self) -> String {
        match self {
            Self::List { .. } => String::new(),
            Self::Item { begins, .. } => " ".repeat(begins.len()),
            Self::Quote => "> ".into(),
        }
    }
}

/// The language of a code block, if it is only coloured.
fn language(info: &str) -> &'static str {
    let word = info.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
    LANGUAGES.iter().find(|language| **language == word).copied().unwrap_or_default()
}

/// A line of code: it stays on one line, and begins with no command that a bot would take.
fn line_of_code(line: &str) -> String {
    let short: String = line.chars().take(CODE_LINE_MAX_CHARS).collect();
    let tabs = short.replace('\t', "    ");
    let line = literal(visible(&tabs).trim_end());
    let command = line.strip_prefix('/').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    if command { format!(" {line}") } else { line }
}

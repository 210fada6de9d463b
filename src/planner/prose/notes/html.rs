//! HTML of strangers: its text is kept, its tags and comments are not.

use std::borrow::Cow;

/// The tags that people write in Markdown. Others, as in `Vec<String>`, are text.
const TAGS: [&str; 74] = [
    "a",
    "abbr",
    "article",
    "audio",
    "b",
    "base",
    "big",
    "blockquote",
    "body",
    "br",
    "button",
    "center",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "figcaption",
    "figure",
    "font",
    "footer",
    "form",
    "frame",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "ins",
    "kbd",
    "li",
    "link",
    "main",
    "mark",
    "meta",
    "object",
    "ol",
    "p",
    "picture",
    "pre",
    "q",
    "s",
    "samp",
    "script",
    "section",
    "small",
    "source",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "ul",
    "var",
    "video",
];
/// The tags of tables and others that end a piece of text.
const BREAKS: [&str; 19] = [
    "br", "p", "div", "li", "tr", "td", "th", "tbody", "thead", "summary", "details", "h1", "h2", "h3", "h4", "h5",
    "h6", "dt", "dd",
];

/// What a tag within a text stands for.
pub enum Tag {
    /// The end of a line.
    Break,
    /// Nothing that is shown.
    Nothing,
    /// No tag, but text.
    Text,
}

/// What `<this>` stands for, as the parser found it.
pub fn tag(html: &str) -> Tag {
    let name = name(html);
    if name == "br" {
        return Tag::Break;
    }
    let known = name.is_empty() || TAGS.contains(&name.as_str()) || BREAKS.contains(&name.as_str());
    if known { Tag::Nothing } else { Tag::Text }
}

fn name(html: &str) -> String {
    let name = html.trim_start_matches('<').trim_start_matches('/');
    name.chars().take(20).take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// The text of a block of HTML, a line for each piece of it.
pub fn text(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if !rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
            text.push('<');
            rest = &rest[1..];
            continue;
        }
        let name = name(rest);
        let end = match name.as_str() {
            _ if rest.starts_with("<!--") => "-->",
            "script" if !rest.starts_with("</") => "</script",
            "style" if !rest.starts_with("</") => "</style",
            _ => ">",
        };
        // What is not ended hides the rest, as it does in a browser.
        rest = rest.find(end).map_or("", |at| &rest[at + end.len()..]);
        if end.starts_with("</") {
            rest = rest.find('>').map_or("", |at| &rest[at + 1..]);
        }
        if BREAKS.contains(&name.as_str()) {
            text.push('\n');
        }
    }
    text.push_str(rest);
    resolved(&text).into_owned()
}

/// The entities people write. What others stand for is shown as they are written.
fn resolved(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let pairs = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    Cow::Owned(pairs.iter().fold(text.to_string(), |text, (entity, shown)| text.replace(entity, shown)))
}

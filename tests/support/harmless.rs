//! What must not be in the Markdown that is made of a stranger's notes, looked for as GitHub would find it: in the raw text, which
//! a squash merge may make a commit's message (there, what makes GitHub act), and in the text between the tags after Markdown was read.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

const INVISIBLE: [char; 8] =
    ['\u{200b}', '\u{202e}', '\u{2066}', '\u{200d}', '\u{feff}', '\u{ad}', '\u{e0041}', '\u{200f}'];

/// What is wrong with a text, if anything is.
pub fn fault(markdown: &str) -> Option<String> {
    raw(markdown).or_else(|| closed(markdown)).or_else(|| read(markdown))
}

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_MATH
}

fn raw(markdown: &str) -> Option<String> {
    if let Some(c) = markdown.chars().find(|c| INVISIBLE.contains(c) || (c.is_control() && *c != '\n')) {
        return Some(format!("{c:?} is hidden in it"));
    }
    let lower = markdown.to_ascii_lowercase();
    if let Some(skip) = ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"]
        .into_iter()
        .find(|skip| lower.contains(skip))
    {
        return Some(format!("{skip} is in it"));
    }
    let command =
        |line: &&str| line.strip_prefix('/').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    if let Some(line) = lower.lines().find(command) {
        return Some(format!("a command: {line}"));
    }
    let words: Vec<&str> = lower.split_whitespace().collect();
    let keywords = ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"];
    for pair in words.windows(2) {
        let word = pair[0].trim_end_matches(':').rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
        let ends = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
        let name = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/'));
        let issue = pair[1].split_once('#').is_some_and(|(repository, number)| ends(number) && name(repository))
            || pair[1].strip_prefix("gh-").is_some_and(ends);
        if issue && word.is_some_and(|word| keywords.contains(&word)) {
            return Some(format!("{} closes something", pair.join(" ")));
        }
    }
    None
}

/// Whether what follows the text is outside of all that is in it.
fn closed(markdown: &str) -> Option<String> {
    let text = format!("<details><summary>x</summary>\n\n{markdown}\n\n</details>\n\nEND");
    let events: Vec<Event<'_>> = Parser::new_ext(&text, options()).collect();
    let html = |event: &Event<'_>| matches!(event, Event::Html(text) if text.trim() == "</details>");
    let [
        ..,
        fold,
        Event::End(TagEnd::HtmlBlock),
        Event::Start(Tag::Paragraph),
        Event::Text(end),
        Event::End(TagEnd::Paragraph),
    ] = events.as_slice()
    else {
        return Some("what follows it is inside of it".into());
    };
    let depth: isize = events[..events.len() - 3]
        .iter()
        .map(|event| isize::from(matches!(event, Event::Start(_))) - isize::from(matches!(event, Event::End(_))))
        .sum();
    (depth != 0 || !html(fold) || end.as_ref() != "END").then(|| "what follows it is inside of it".into())
}

fn read(markdown: &str) -> Option<String> {
    let mut text = String::new();
    let mut in_code = false;
    for event in Parser::new_ext(markdown, options()) {
        match &event {
            Event::Text(part) if !in_code => {
                text.push_str(part);
                continue;
            }
            Event::Text(_) | Event::Code(_) | Event::SoftBreak | Event::HardBreak => {}
            Event::Start(Tag::CodeBlock(kind)) => {
                in_code = true;
                if let CodeBlockKind::Fenced(info) = kind
                    && ["mermaid", "math", "geojson", "topojson", "stl", "suggestion"].contains(&info.as_ref())
                {
                    return Some(format!("{info} is drawn"));
                }
            }
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Start(Tag::Link { dest_url, .. }) => {
                if let Some(what) = address(dest_url) {
                    return Some(what);
                }
            }
            Event::Start(
                Tag::Heading { .. }
                | Tag::Image { .. }
                | Tag::HtmlBlock
                | Tag::FootnoteDefinition(_)
                | Tag::BlockQuote(Some(_)),
            )
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_)
            | Event::Rule => return Some(format!("{event:?}")),
            Event::Start(_) | Event::End(_) => {}
        }
        if let Some(what) = seen(&std::mem::take(&mut text)) {
            return Some(what);
        }
    }
    seen(&text)
}

fn address(url: &str) -> Option<String> {
    let lower = url.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let Some(rest) = rest else { return Some(format!("a link to {url}")) };
    let (host, _) = rest.split_once(['/', '?', '#']).unwrap_or((rest, ""));
    let path = rest[host.len()..].split(['?', '#']).next().unwrap_or_default();
    let odd = host.is_empty() || host.contains('@') || !host.is_ascii();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let told = match parts.as_slice() {
        _ if host == "redirect.github.com" => false,
        [_, _, "issues" | "pull" | "pulls" | "discussions", id, ..] => id.starts_with(|c: char| c.is_ascii_digit()),
        [_, _, "commit" | "commits", id, ..] => id.len() >= 7 && id.bytes().take(7).all(|b| b.is_ascii_hexdigit()),
        _ => false,
    };
    (odd || told).then(|| format!("a link to {url}"))
}

/// What GitHub would see in the text of one node.
fn seen(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let bytes = lower.as_bytes();
    let followed = |mark: &str, by: fn(&u8) -> bool| {
        lower.match_indices(mark).any(|(at, _)| bytes.get(at + mark.len()).is_some_and(by))
    };
    let what = if followed("@", u8::is_ascii_alphanumeric) {
        "somebody is named"
    } else if followed("#", u8::is_ascii_digit) || followed("gh-", u8::is_ascii_digit) {
        "an issue is named"
    } else if lower.contains("://") || lower.contains("www.") {
        "an address is linked"
    } else if lower.contains('$') || lower.contains("{{") || lower.contains("[!") {
        "it means something"
    } else if lower
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|run| (7..=40).contains(&run.len()) && run.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        "a commit is named"
    } else {
        return None;
    };
    Some(format!("{what}: {text:?}"))
}

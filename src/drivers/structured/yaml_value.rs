//! Values as YAML writes them. Texts that some reader could take for something else stand in quotes.

use super::data::Data;
use super::json;
use crate::document::Value;
use crate::document::yaml::plain_scalar;

/// Words that YAML 1.1 takes for truth values.
const OLD_TRUTH: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];

/// A value without parts; `between` brackets some more texts need quotes.
pub(super) fn scalar(data: &Data, between: bool) -> Result<String, String> {
    Ok(match data {
        Data::Null => "null".into(),
        Data::Bool(truth) => truth.to_string(),
        Data::Number(number) => match plain_scalar(number) {
            // Readers of older YAML take `0o755` for a text.
            Value::Number(_) if !number.contains("0o") => number.clone(),
            _ => data.whole().or_else(|| special(number)).ok_or_else(|| format!("YAML has no number {number}"))?,
        },
        Data::Text(text) if is_plain(text, between) => text.clone(),
        Data::Text(text) => quoted(text),
        Data::List(items) if items.is_empty() => "[]".into(),
        Data::Map(entries) if entries.is_empty() => "{}".into(),
        Data::Other(_) => return Err("YAML has no dates of its own; put it in quotes".into()),
        Data::List(_) | Data::Map(_) => return Err("there is no such value".into()),
    })
}

/// A text in double quotes: a string of JSON is one of YAML, but for some characters that YAML does not let stand.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for c in json::string(text).chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => quoted.push(c),
        }
    }
    quoted
}

fn special(number: &str) -> Option<String> {
    let plain = number.to_ascii_lowercase();
    let (sign, plain) = plain.strip_prefix('-').map_or(("", plain.trim_start_matches('+')), |plain| ("-", plain));
    matches!(plain, "inf" | "nan").then(|| format!("{}.{plain}", if plain == "nan" { "" } else { sign }))
}

fn is_plain(text: &str, between: bool) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let dotted =
        text.matches('.').count() >= 2 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    // `--fix` is a text, `- fix` and `---` are none.
    let option = text.trim_start_matches('-').starts_with(char::is_alphabetic);
    let begins = first.is_alphabetic() || option || matches!(first, '_' | '/') || (first.is_ascii_digit() && dotted);
    let allowed = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                '_' | '.' | '/' | '@' | '+' | '-' | '=' | '(' | ')' | ' ' | '~' | '^' | '$' | '%' | '<' | '>' | '*'
            )
            || (c == ':' && !between)
    };
    begins
        && text.chars().all(allowed)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !OLD_TRUTH.iter().any(|word| word.eq_ignore_ascii_case(text))
        && matches!(plain_scalar(text), Value::Text(_))
}

/// A value between brackets, on one line.
pub(super) fn flow(data: &Data) -> Result<String, String> {
    Ok(match data {
        Data::List(items) => format!("[{}]", items.iter().map(flow).collect::<Result<Vec<_>, _>>()?.join(", ")),
        Data::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| Ok(format!("{}: {}", key_of(key, true)?, flow(value)?)));
            format!("{{{}}}", entries.collect::<Result<Vec<_>, String>>()?.join(", "))
        }
        leaf => scalar(leaf, true)?,
    })
}

/// A key.
pub(super) fn key_of(name: &str, between: bool) -> Result<String, String> {
    scalar(&Data::Text(name.into()), between)
}

/// Whether a value is written over several lines.
pub(super) fn is_block(data: &Data) -> bool {
    match data {
        Data::List(items) => !items.is_empty(),
        Data::Map(entries) => !entries.is_empty(),
        _ => false,
    }
}

/// A value without parts, in the quotes that the one has which stood there, or without.
pub(super) fn like(written: &str, data: &Data, between: bool) -> Result<String, String> {
    Ok(match data {
        Data::Text(new) if written.starts_with('\'') && !new.contains(|c: char| c.is_control() || c == '\'') => {
            format!("'{new}'")
        }
        Data::Text(new) if written.starts_with('"') => quoted(new),
        data if between => flow(data)?,
        data => scalar(data, false)?,
    })
}

/// How far a file indents what stands below a key. Unit: columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Indents {
    pub(super) map: usize,
    pub(super) list: usize,
}

impl Indents {
    /// The blanks before the lines of a value below a key.
    pub(super) fn of(self, value: &Data) -> String {
        " ".repeat(if matches!(value, Data::List(_)) { self.list } else { self.map })
    }
}

/// The lines of a list or mapping in block style, from the column that they are put at.
pub(super) fn lines(data: &Data, indents: Indents) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    match data {
        Data::List(items) if !items.is_empty() => {
            for item in items {
                let inner = self::lines(item, indents)?;
                lines.extend(
                    inner
                        .into_iter()
                        .enumerate()
                        .map(|(at, line)| format!("{}{line}", if at == 0 { "- " } else { "  " })),
                );
            }
        }
        Data::Map(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                lines.extend(entry(key, value, indents)?);
            }
        }
        leaf => lines.push(scalar(leaf, false)?),
    }
    Ok(lines)
}

/// The lines of a key with its value.
pub(super) fn entry(key: &str, value: &Data, indents: Indents) -> Result<Vec<String>, String> {
    let key = key_of(key, false)?;
    if !is_block(value) {
        return Ok(vec![format!("{key}: {}", scalar(value, false)?)]);
    }
    let mut lines = vec![format!("{key}:")];
    let margin = indents.of(value);
    lines.extend(self::lines(value, indents)?.into_iter().map(|line| format!("{margin}{line}")));
    Ok(lines)
}

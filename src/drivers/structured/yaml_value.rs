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
            Value::Number(_) => number.clone(),
            _ => data.whole().or_else(|| special(number)).ok_or_else(|| format!("YAML has no number {number}"))?,
        },
        Data::Text(text) if is_plain(text, between) => text.clone(),
        Data::Text(text) => quoted(text),
        Data::List(items) if items.is_empty() => "[]".into(),
        Data::Map(entries) if entries.is_empty() => "{}".into(),
        Data::Other(_) | Data::List(_) | Data::Map(_) => return Err("there is no such value".into()),
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

/// The lines of a list or mapping in block style, from the column that they are put at.
pub(super) fn lines(data: &Data) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    match data {
        Data::List(items) if !items.is_empty() => {
            for item in items {
                let inner = self::lines(item)?;
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
                lines.extend(entry(key, value)?);
            }
        }
        leaf => lines.push(scalar(leaf, false)?),
    }
    Ok(lines)
}

/// The lines of a key with its value.
pub(super) fn entry(key: &str, value: &Data) -> Result<Vec<String>, String> {
    let key = key_of(key, false)?;
    if !is_block(value) {
        return Ok(vec![format!("{key}: {}", scalar(value, false)?)]);
    }
    let mut lines = vec![format!("{key}:")];
    lines.extend(self::lines(value)?.into_iter().map(|line| format!("  {line}")));
    Ok(lines)
}

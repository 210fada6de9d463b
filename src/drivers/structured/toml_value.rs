//! Values as TOML writes them.

use super::data::Data;

/// A key, in quotes where it has to be.
pub(super) fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if bare { name.into() } else { string(name) }
}

fn string(text: &str) -> String {
    if text.contains(['"', '\\']) && !text.contains('\'') && !text.chars().any(char::is_control) {
        return format!("'{text}'");
    }
    quoted(text)
}

/// A text in double quotes. One of several lines would else be written over several, which does not go everywhere.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

/// A value in the quotes of what stood there, where it can stand in them on one line.
pub(super) fn like(written: &str, data: &Data) -> Result<String, String> {
    match data {
        Data::Text(new)
            if written.starts_with('\'') && !new.contains(|c: char| c == '\'' || c.is_control() && c != '\t') =>
        {
            Ok(format!("'{new}'"))
        }
        Data::Text(new) if written.starts_with('"') => Ok(quoted(new)),
        data => inline(data),
    }
}

/// A value on one line.
pub(super) fn inline(data: &Data) -> Result<String, String> {
    Ok(match data {
        Data::Null => return Err("TOML has no word for nothing; delete the key instead".into()),
        // A date, which only TOML has and only a TOML Activity can ask for.
        Data::Other(date) => match date.parse::<toml_edit::Value>() {
            Ok(value) if value.is_datetime() => date.clone(),
            _ => return Err("TOML has no such value".into()),
        },
        Data::Bool(truth) => truth.to_string(),
        Data::Text(text) => string(text),
        Data::Number(number) => number_of(number, data)?,
        Data::List(items) => format!("[{}]", items.iter().map(inline).collect::<Result<Vec<_>, _>>()?.join(", ")),
        Data::Map(entries) if entries.is_empty() => "{}".into(),
        Data::Map(entries) => {
            let entries = entries.iter().map(|(name, value)| Ok(format!("{} = {}", key(name), inline(value)?)));
            format!("{{ {} }}", entries.collect::<Result<Vec<_>, String>>()?.join(", "))
        }
    })
}

fn number_of(number: &str, data: &Data) -> Result<String, String> {
    let plain = number.replace(".inf", "inf").replace(".nan", "nan").to_ascii_lowercase();
    [number, plain.as_str()]
        .into_iter()
        .find(|text| text.parse::<toml_edit::Value>().is_ok_and(|value| value.is_integer() || value.is_float()))
        .map(str::to_owned)
        .or_else(|| data.whole())
        .ok_or_else(|| format!("TOML has no number {number}"))
}

//! The way to a key: `tool.ruff."line-length"`, `jobs.0.name`, or a list of its parts.

use crate::document::{Node, Problems, Value};
use std::cmp::Ordering;
use std::fmt;

/// The most steps of a path.
const MOST_STEPS: usize = 32;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The key.
    pub(super) name: String,
    /// The place in a list, counted from 0, where it may be one.
    pub(super) index: Option<usize>,
}

/// The way from the top of a file to a key; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyPath {
    pub(super) steps: Vec<Step>,
}

impl Step {
    fn plain(name: &str) -> Self {
        let digits = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
        Self { name: name.into(), index: if digits { name.parse().ok() } else { None } }
    }

    fn quoted(name: String) -> Self {
        Self { name, index: None }
    }
}

impl KeyPath {
    /// Reads a path from a text, or from a list of its parts.
    pub(super) fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let path = match &node.value {
            Value::Unreadable => return None,
            Value::Text(text) => Self::parse(text),
            Value::Number(number) => Ok(Self { steps: vec![Step::plain(number)] }),
            Value::List(parts) => {
                let mut steps = Vec::new();
                for part in parts {
                    match &part.value {
                        Value::Text(text) => steps.push(Step::quoted(text.clone())),
                        Value::Number(number) => steps.push(Step::plain(number)),
                        Value::Unreadable => return None,
                        _ => {
                            problems.add(
                                part.at,
                                format!("a part of a key is a text or a number, this is {}", part.kind()),
                                "write for example `[tool, ruff]`",
                            );
                            return None;
                        }
                    }
                }
                if steps.is_empty() { Err("it is empty".into()) } else { Ok(Self { steps }) }
            }
            _ => Err(format!("it is {}", node.kind())),
        };
        let path = path.and_then(|path| {
            if path.steps.len() > MOST_STEPS { Err(format!("it has more than {MOST_STEPS} parts")) } else { Ok(path) }
        });
        path.map_err(|why| {
            problems.add(
                node.at,
                format!("this is not the way to a key: {why}"),
                "write for example `tool.ruff.line-length`, with quotes around a part that has a dot in it",
            );
        })
        .ok()
    }

    /// Reads a dotted text; parts with dots or other odd characters stand in quotes.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = text.trim();
        loop {
            let (step, after) = match rest.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let inner = &rest[1..];
                    let end = inner.find(quote).ok_or("a quote is opened and never closed")?;
                    (Step::quoted(inner[..end].into()), &inner[end + 1..])
                }
                _ => {
                    let end = rest.find('.').unwrap_or(rest.len());
                    let name = rest[..end].trim();
                    if name.is_empty() {
                        return Err("a part of it is empty".into());
                    }
                    (Step::plain(name), &rest[end..])
                }
            };
            steps.push(step);
            let after = after.trim_start();
            match after.strip_prefix('.') {
                Some(more) => rest = more.trim_start(),
                None if after.is_empty() => return Ok(Self { steps }),
                None => return Err("a dot is missing behind a quote".into()),
            }
        }
    }
}

/// The order in which keys go: what is taken out of a list moves all places behind it, so the last one goes first, and what
/// lies in an item goes before it. Then each place is that of the file as it is written.
pub(super) fn last_place_first(a: &KeyPath, b: &KeyPath) -> Ordering {
    let of_steps = a.steps.iter().zip(&b.steps).map(|(a, b)| b.index.cmp(&a.index).then_with(|| a.name.cmp(&b.name)));
    of_steps.fold(Ordering::Equal, Ordering::then).then_with(|| b.steps.len().cmp(&a.steps.len()))
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            return f.write_str("the top of the file");
        }
        for (at, step) in self.steps.iter().enumerate() {
            let dot = if at > 0 { "." } else { "" };
            let odd = step.name.is_empty() || step.name.contains(['.', '"', '\'', ' ']);
            let quote = if odd { "\"" } else { "" };
            write!(f, "{dot}{quote}{}{quote}", step.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_place_goes_first() {
        let mut paths: Vec<KeyPath> =
            ["a.2", "a.10", "b", "a.2.x", "a.0", "b.c", "a.2"].map(|text| KeyPath::parse(text).unwrap()).into();
        paths.sort_by(last_place_first);
        let order: Vec<String> = paths.iter().map(ToString::to_string).collect();
        assert_eq!(order, ["a.10", "a.2.x", "a.2", "a.2", "a.0", "b.c", "b"]);
    }

    #[test]
    fn dotted_texts() {
        let names = |text: &str| {
            KeyPath::parse(text).map(|path| path.steps.into_iter().map(|step| step.name).collect::<Vec<_>>())
        };
        assert_eq!(names("tool.ruff.line-length").unwrap(), ["tool", "ruff", "line-length"]);
        assert_eq!(names("a.\"b.c\" . 'd e'").unwrap(), ["a", "b.c", "d e"]);
        assert_eq!(KeyPath::parse("a.0.\"0\"").unwrap().steps[1].index, Some(0));
        assert_eq!(KeyPath::parse("a.0.\"0\"").unwrap().steps[2].index, None);
        for bad in ["", ".", "a.", ".a", "a..b", "\"a", "\"a\"b"] {
            assert!(names(bad).is_err(), "{bad}");
        }
    }
}

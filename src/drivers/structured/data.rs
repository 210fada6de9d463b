//! What a file says, whatever format it is written in, and the changes to it that are asked for.

use super::path::{KeyPath, Step};
use crate::document::{Node, Value};

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Null,
    Bool(bool),
    /// A number as it is written.
    Number(String),
    Text(String),
    /// What only one format has, as it is written: a date of TOML, an alias or a tagged value of YAML.
    Other(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

/// One change.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// A key has this value.
    Set(KeyPath, Data),
    /// A key is not there.
    Delete(KeyPath),
    /// A key is called otherwise.
    Rename(KeyPath, String),
}

/// What a change comes to.
#[derive(Debug)]
pub(super) enum Effect {
    /// The file says this afterwards.
    Changes(Data),
    /// It says so already.
    None,
    /// There is nothing to change.
    NotThere,
    /// It cannot be made, and why.
    Cannot(String),
}

impl Change {
    /// Which key.
    pub(super) const fn path(&self) -> &KeyPath {
        match self {
            Self::Set(path, _) | Self::Delete(path) | Self::Rename(path, _) => path,
        }
    }
}

impl Data {
    /// A value of an Activity; `None` where it was not readable.
    pub(super) fn of(node: &Node) -> Option<Self> {
        Some(match &node.value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::Text(text) => Self::Text(text.clone()),
            Value::Date(text) => Self::Other(text.clone()),
            Value::List(items) => Self::List(items.iter().map(Self::of).collect::<Option<_>>()?),
            Value::Map(map) => {
                let entries = map.entries.iter().map(|(key, node)| Some((key.name.clone(), Self::of(node)?)));
                Self::Map(entries.collect::<Option<_>>()?)
            }
            Value::Unreadable => return None,
        })
    }

    /// What it is, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Other(_) => "a value of its own kind",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }

    /// A whole number in decimal digits.
    pub(super) fn whole(&self) -> Option<String> {
        match self {
            Self::Number(text) => match number(text) {
                Number::Whole(whole) => Some(whole.to_string()),
                _ => None,
            },
            _ => None,
        }
    }

    /// What a step leads to.
    pub(super) fn at(&self, step: &Step) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(key, _)| *key == step.name).map(|(_, value)| value),
            Self::List(items) => items.get(step.index?),
            _ => None,
        }
    }

    fn at_mut(&mut self, step: &Step) -> Option<&mut Self> {
        match self {
            Self::Map(entries) => entries.iter_mut().find(|(key, _)| *key == step.name).map(|(_, value)| value),
            Self::List(items) => items.get_mut(step.index?),
            _ => None,
        }
    }

    /// What a path leads to.
    pub(super) fn get(&self, steps: &[Step]) -> Option<&Self> {
        steps.iter().try_fold(self, |data, step| data.at(step))
    }

    fn get_mut(&mut self, steps: &[Step]) -> Option<&mut Self> {
        steps.iter().try_fold(self, |data, step| data.at_mut(step))
    }

    /// Whether both say the same; the order of keys says nothing, nor how a number is written.
    pub(super) fn says(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b || number(a) == number(b),
            (Self::Text(a), Self::Text(b)) | (Self::Other(a), Self::Other(b)) => a == b,
            (Self::List(a), Self::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.says(b)),
            (Self::Map(a), Self::Map(b)) => {
                let sorted = |map: &[(String, Self)]| {
                    let mut order: Vec<usize> = (0..map.len()).collect();
                    order.sort_by(|x, y| map[*x].0.cmp(&map[*y].0));
                    order
                };
                a.len() == b.len()
                    && sorted(a).into_iter().zip(sorted(b)).all(|(x, y)| a[x].0 == b[y].0 && a[x].1.says(&b[y].1))
            }
            _ => false,
        }
    }

    /// The keys below a mapping that would be gone if another took its place.
    fn lost_by(&self, new: &Self) -> Vec<KeyPath> {
        let (Self::Map(old), Self::Map(new)) = (self, new) else { return Vec::new() };
        let mut lost = Vec::new();
        for (name, value) in old {
            let step = Step { name: name.clone(), index: None };
            match new.iter().find(|(key, _)| key == name) {
                None => lost.push(KeyPath { steps: vec![step] }),
                Some((_, new)) => lost.extend(value.lost_by(new).into_iter().map(|mut below| {
                    below.steps.insert(0, step.clone());
                    below
                })),
            }
        }
        lost
    }

    /// Without mappings that hold nothing, however deep: TOML has no word for a table that only others are in.
    pub(super) fn without_empty(self) -> Self {
        match self {
            Self::Map(entries) => {
                let entries = entries.into_iter().map(|(key, value)| (key, value.without_empty()));
                Self::Map(entries.filter(|(_, value)| !matches!(value, Self::Map(map) if map.is_empty())).collect())
            }
            Self::List(items) => Self::List(items.into_iter().map(Self::without_empty).collect()),
            other => other,
        }
    }

    /// What a change would make of it; keys that are not there are made if `create`.
    pub(super) fn changed(&self, change: &Change, create: bool) -> Effect {
        let mut data = self.clone();
        match change {
            Change::Set(path, value) => match self.get(&path.steps) {
                Some(there) if there.says(value) => Effect::None,
                None if !create => Effect::NotThere,
                Some(there) if !there.lost_by(value).is_empty() => Effect::Cannot(would_lose(path, there, value)),
                _ => match data.set(&path.steps, value) {
                    Ok(()) => Effect::Changes(data),
                    Err(why) => Effect::Cannot(why),
                },
            },
            Change::Delete(path) => {
                let Some((last, above)) = path.steps.split_last() else { return Effect::NotThere };
                match data.get_mut(above) {
                    Some(Self::Map(entries)) => {
                        let before = entries.len();
                        entries.retain(|(key, _)| *key != last.name);
                        if entries.len() == before { Effect::None } else { Effect::Changes(data) }
                    }
                    Some(Self::List(items)) => match last.index.filter(|index| *index < items.len()) {
                        Some(index) => {
                            items.remove(index);
                            Effect::Changes(data)
                        }
                        None => Effect::None,
                    },
                    _ => Effect::None,
                }
            }
            Change::Rename(path, to) => {
                let Some((last, above)) = path.steps.split_last() else { return Effect::NotThere };
                let Some(Self::Map(entries)) = data.get_mut(above) else { return Effect::NotThere };
                let has_new = entries.iter().any(|(key, _)| key == to);
                match entries.iter_mut().find(|(key, _)| *key == last.name) {
                    Some(_) if *to == last.name => Effect::None,
                    Some(_) if has_new => Effect::Cannot(format!("there is a key `{to}` beside `{path}` already")),
                    Some((key, _)) => {
                        key.clone_from(to);
                        Effect::Changes(data)
                    }
                    None if has_new => Effect::None,
                    None => Effect::NotThere,
                }
            }
        }
    }

    fn set(&mut self, steps: &[Step], value: &Self) -> Result<(), String> {
        let mut here = self;
        for (at, step) in steps.iter().enumerate() {
            if here.at(step).is_none() {
                return here.add(step, nested(&steps[at + 1..], value)?, &steps[..at]);
            }
            // It was found a moment ago.
            here = here.at_mut(step).ok_or("the key is not there")?;
        }
        *here = value.clone();
        Ok(())
    }

    fn add(&mut self, step: &Step, value: Self, above: &[Step]) -> Result<(), String> {
        match self {
            Self::Null => *self = Self::Map(vec![(step.name.clone(), value)]),
            Self::Map(entries) => entries.push((step.name.clone(), value)),
            Self::List(items) if step.index == Some(items.len()) => items.push(value),
            Self::List(items) => {
                let place = KeyPath { steps: above.to_vec() };
                return Err(format!("`{place}` is a list of {}, and `{}` is no place in it", items.len(), step.name));
            }
            other => {
                let place = KeyPath { steps: above.to_vec() };
                return Err(format!("`{place}` is {}, so nothing can be set in it", other.kind()));
            }
        }
        Ok(())
    }
}

/// That a mapping would lose keys, which nobody wants who forgot the quotes of a path in TOML.
fn would_lose(path: &KeyPath, old: &Data, new: &Data) -> String {
    const SHOWN: usize = 5;
    let lost = old.lost_by(new);
    let shown: Vec<String> = lost.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = if lost.len() > SHOWN { format!(" and {} more", lost.len() - SHOWN) } else { String::new() };
    let mut one = path.clone();
    let mut value = new;
    while let Data::Map(entries) = value
        && let Some((name, below)) = entries.first()
    {
        one.steps.push(Step { name: name.clone(), index: None });
        value = below;
    }
    let set_by_path =
        if one == *path { String::new() } else { format!("name the path `{one}`, in TOML in quotes as a whole, or ") };
    format!("it has more keys, which would be lost ({}{more}); {set_by_path}`delete` it first", shown.join(", "))
}

/// A value below the steps that lead to it.
pub(super) fn nested(steps: &[Step], value: &Data) -> Result<Data, String> {
    steps.iter().rev().try_fold(value.clone(), |value, step| match step.index {
        Some(_) => Err(format!("there is no list yet in which `{}` could be a place; set the whole list", step.name)),
        None => Ok(Data::Map(vec![(step.name.clone(), value)])),
    })
}

/// What a number means; a whole one is not the same as one with a point.
#[derive(PartialEq)]
enum Number {
    Whole(i128),
    Float(f64),
    Nan,
    Unknown(String),
}

fn number(text: &str) -> Number {
    let plain = text.replace('_', "").to_ascii_lowercase();
    let (sign, digits) = match plain.strip_prefix(['-', '+']) {
        Some(digits) => (if plain.starts_with('-') { "-" } else { "" }, digits),
        None => ("", plain.as_str()),
    };
    let based = [("0x", 16), ("0o", 8), ("0b", 2)];
    let based = based.iter().find_map(|(prefix, base)| i128::from_str_radix(digits.strip_prefix(prefix)?, *base).ok());
    if let Some(whole) = based.or_else(|| digits.parse::<i128>().ok()) {
        return Number::Whole(if sign == "-" { -whole } else { whole });
    }
    match digits {
        ".inf" | "inf" => Number::Float(if sign == "-" { f64::NEG_INFINITY } else { f64::INFINITY }),
        ".nan" | "nan" => Number::Nan,
        _ => format!("{sign}{digits}").parse().map_or(Number::Unknown(plain), Number::Float),
    }
}

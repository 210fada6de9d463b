//! One change to one file: by splices, and checked. What is read from the new text must be what the change was to come to; a
//! place where it is not is left alone, and said.

use super::data::{Change, Data, Effect, nested};
use super::flow::{self, Syntax};
use super::toml::Toml;
use super::tree::{Kind, Splices, Tree, line_end};
use super::{block, json, shared, yaml, yaml_value};

/// The formats that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Toml,
    Yaml,
}

/// In how many places a key may be written whose name changes.
const MOST_PLACES: usize = 100;

impl Format {
    pub(super) const ALL: [(&'static str, Self); 3] =
        [("json", Self::Json), ("toml", Self::Toml), ("yaml", Self::Yaml)];

    /// The format of a file by the end of its name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1 {
            "json" | "jsonc" | "code-workspace" | "webmanifest" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }

    /// What a text says.
    pub(super) fn data(self, text: &str) -> Result<Data, String> {
        match self {
            Self::Json => json::read(text).map(|tree| tree.data()),
            Self::Yaml => yaml::read(text).map(|tree| tree.data()),
            Self::Toml => Toml::read(text).map(|toml| toml.data()),
        }
    }

    /// The new text and what it says; `None` with the effect where nothing changes.
    pub(super) fn change(self, text: &str, data: &Data, change: &Change, create: bool) -> Result<Made, String> {
        if self == Self::Yaml {
            shared::refuse_referred(data, change, create)?;
        }
        let expected = match data.changed(change, create) {
            Effect::Changes(expected) => expected,
            Effect::None => return Ok(Made::There),
            Effect::NotThere => return Ok(Made::NotThere),
            Effect::Cannot(why) => return Err(why),
        };
        let new = match self {
            Self::Toml => change_toml(text, change)?,
            Self::Json => {
                let splices = splices(text, &json::read(text)?, change, Syntax::Json)?;
                splices.make(text).ok_or("its places overlap")?
            }
            Self::Yaml => {
                let splices = splices(text, &yaml::read(text)?, change, Syntax::Yaml)?;
                splices.make(text).ok_or("its places overlap")?
            }
        };
        let odd = "it is written in a way that cannot be edited";
        let said = self.data(&new).map_err(|_| odd)?;
        let same = match self {
            Self::Toml => said.clone().without_empty().says(&expected.without_empty()),
            Self::Json | Self::Yaml => said.says(&expected),
        };
        if same { Ok(Made::Text(new, said)) } else { Err(odd.into()) }
    }
}

/// What became of a change.
#[derive(Debug)]
pub(super) enum Made {
    /// The new text, and what it says.
    Text(String, Data),
    /// The text says so already.
    There,
    /// There is no such key.
    NotThere,
}

fn change_toml(text: &str, change: &Change) -> Result<String, String> {
    match change {
        Change::Set(path, value) => Toml::read(text)?.set(&path.steps, value),
        Change::Delete(path) => Toml::read(text)?.delete(&path.steps),
        Change::Rename(path, to) => {
            // A table's name stands in the header of each table below it, and in each of its dotted keys.
            let mut text = text.to_owned();
            for _ in 0..MOST_PLACES {
                let toml =
                    Toml::read(&text).map_err(|_| "its name is written at several places that depend on each other")?;
                if toml.data().get(&path.steps).is_none() {
                    return Ok(text);
                }
                text = toml.rename_once(&path.steps, to)?;
            }
            Err(format!("its name is written at more than {MOST_PLACES} places"))
        }
    }
}

fn splices(text: &str, root: &Tree, change: &Change, syntax: Syntax) -> Result<Splices, String> {
    match change {
        Change::Set(path, value) => {
            let (places, here) = root.deepest(&path.steps);
            let Some((step, below)) = path.steps[places.len()..].split_first() else {
                return replace(text, root, &places, value, syntax);
            };
            let value = nested(below, value)?;
            shared::refuse_anchored(root, &places)?;
            match here.kind {
                Kind::Leaf(_) => replace(text, root, &places, &Data::Map(vec![(step.name.clone(), value)]), syntax),
                Kind::Map { block: true, .. } | Kind::List { block: true, .. } => {
                    block::insert(text, here, &step.name, &value, block::indents(text, root))
                }
                Kind::Map { .. } => flow::insert(text, here, Some(&step.name), &value, syntax),
                Kind::List { .. } => flow::insert(text, here, None, &value, syntax),
            }
        }
        Change::Delete(path) => {
            let (places, here) = root.deepest(&path.steps);
            let Some((last, above)) = places.split_last().filter(|_| places.len() == path.steps.len()) else {
                return Err("it is not there".into());
            };
            unmarked(here)?;
            shared::refuse_anchored(root, above)?;
            let container = root.at(above).ok_or("it is not there")?;
            match (&container.kind, container.len()) {
                (Kind::Map { block: true, .. }, 1) => empty(text, root, above, &Data::Map(Vec::new())),
                (Kind::List { block: true, .. }, 1) => empty(text, root, above, &Data::List(Vec::new())),
                (Kind::Map { block: true, .. } | Kind::List { block: true, .. }, _) => {
                    block::delete(text, container, *last)
                }
                _ => flow::delete(text, container, *last, syntax),
            }
        }
        Change::Rename(path, to) => {
            let (last, above) = path.steps.split_last().ok_or("it is not there")?;
            let (places, here) = root.deepest(above);
            let entry = match &here.kind {
                Kind::Map { entries, .. } if places.len() == above.len() => {
                    entries.iter().find(|entry| entry.name == last.name)
                }
                _ => None,
            };
            let entry = entry.ok_or("it is not there")?;
            shared::refuse_anchored(root, &places)?;
            if entry.anchored {
                return Err(MARKED.into());
            }
            let new = match (syntax, here.is_block()) {
                (Syntax::Yaml, true) => yaml_value::key_of(to, false)?,
                _ => syntax.key(to),
            };
            Ok(Splices::of(entry.key.clone(), new))
        }
    }
}

/// Gives what stands at places another value.
fn replace(text: &str, root: &Tree, places: &[usize], value: &Data, syntax: Syntax) -> Result<Splices, String> {
    let old = root.at(places).ok_or("it is not there")?;
    unmarked(old)?;
    let Some((last, above)) = places.split_last() else { return replace_root(text, root, value, syntax) };
    shared::refuse_anchored(root, above)?;
    let container = root.at(above).ok_or("it is not there")?;
    if container.is_block() {
        return block::replace(text, container, *last, value, block::indents(text, root));
    }
    let new = match syntax {
        Syntax::Json if text[root.span.clone()].contains('\n') => {
            let margin = super::tree::indentation(text, old.span.start);
            let own_line = text[super::tree::line_start(text, container.span.start)..old.span.start].contains('\n');
            if own_line { json::pretty(value, flow::unit(text), margin, line_end(text))? } else { json::inline(value)? }
        }
        _ => syntax.like(text.get(old.span.clone()).unwrap_or_default(), value)?,
    };
    // In `{a}` there is no colon to put it behind.
    let bare = syntax == Syntax::Yaml && old.span.is_empty();
    let lead = match text[..old.span.start].chars().next_back() {
        Some(':') if bare => " ",
        Some(_) if bare => ": ",
        _ => "",
    };
    Ok(Splices::of(old.span.clone(), format!("{lead}{new}")))
}

/// Takes out all that a list or mapping in block style holds.
fn empty(text: &str, root: &Tree, places: &[usize], value: &Data) -> Result<Splices, String> {
    let Some((last, above)) = places.split_last() else { return replace_root(text, root, value, Syntax::Yaml) };
    unmarked(root.at(places).ok_or("it is not there")?)?;
    block::empty(text, root.at(above).ok_or("it is not there")?, *last, value, block::indents(text, root))
}

fn replace_root(text: &str, root: &Tree, value: &Data, syntax: Syntax) -> Result<Splices, String> {
    if syntax != Syntax::Yaml {
        return Ok(Splices::of(root.span.clone(), json::pretty(value, flow::unit(text), "", line_end(text))?));
    }
    let end = line_end(text);
    if root.is_block() {
        return Ok(Splices::of(root.span.clone(), yaml_value::scalar(value, false)?));
    }
    // The file is empty but for comments.
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { end };
    let lines = yaml_value::lines(value, block::indents(text, root))?.join(end);
    Ok(Splices::of(text.len()..text.len(), format!("{gap}{lines}{end}")))
}

const MARKED: &str = "it has an anchor, to which other places may refer, or a tag; change it by hand";

fn unmarked(tree: &Tree) -> Result<(), String> {
    if tree.is_marked_anywhere() {
        return Err(MARKED.into());
    }
    Ok(())
}

//! Globs over names and over paths, as the file writes them.

use super::fields::{one_or_many, text};
use super::node::Node;
use super::problem::{Problems, quoted};
use crate::domain::RepoPath;
use crate::domain::text::as_text;
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Long enough for any name or path worth a pattern. Unit: characters.
const LONGEST: usize = 200;

/// A glob over names, in which `*` stands for any characters and letters match in either case.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NameGlob {
    text: String,
    compiled: GlobSet,
    /// The same with every run of `-`, `_` and `.` as one `-`, where that differs.
    normalised: Option<GlobSet>,
}

impl NameGlob {
    /// Reads a glob; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let compiled = |text: &str| set([build(GlobBuilder::new(text).case_insensitive(true), text)?]);
        // In a class of characters these stand for themselves.
        let normalised = if text.contains('[') { text.to_owned() } else { one_dash(text) };
        let normalised = if normalised == text { None } else { Some(compiled(&normalised)?) };
        Ok(Self { text: text.into(), compiled: compiled(text)?, normalised })
    }

    /// Whether it matches a name.
    pub fn matches(&self, name: &str) -> bool {
        self.compiled.is_match(name)
    }

    /// Whether it matches a name in which `-`, `_` and `.` mean the same and the normal form has one `-`
    /// (PEP 503), however the glob itself is spelled.
    pub fn matches_normalised(&self, name: &str) -> bool {
        self.matches(name) || self.normalised.as_ref().is_some_and(|glob| glob.is_match(name))
    }

    /// The glob as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches whatever the other matches; "no" may also mean that it cannot be told.
    pub fn covers(&self, other: &Self) -> bool {
        self == other || self.text == "*" || (is_literal(&other.text) && self.matches(&other.text))
    }
}

/// Globs over the paths of a repository. Without any, every path is meant.
///
/// `*` and `?` stay within one part of the path, `**` spans parts; letters match in their own case.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct PathGlobs {
    texts: Vec<String>,
    compiled: GlobSet,
}

impl PathGlobs {
    /// Whether a path is meant.
    pub fn matches(&self, path: &RepoPath) -> bool {
        self.texts.is_empty() || self.compiled.is_match(path.as_str())
    }

    /// The paths among them that are written in full, without a `*` or the like.
    pub fn in_full(&self) -> impl Iterator<Item = RepoPath> {
        self.texts.iter().filter(|text| is_literal(text)).filter_map(|text| RepoPath::parse(text).ok())
    }

    /// The globs as written; empty when every path is meant.
    pub fn as_slice(&self) -> &[String] {
        &self.texts
    }

    /// Whether they match whatever the others match; "no" may also mean that it cannot be told.
    pub fn cover(&self, others: &Self) -> bool {
        let any = |glob: &str| matches!(glob, "**" | "**/*");
        let one_covers = |glob: &String, other: &String| {
            let folder = glob.strip_suffix("**").filter(|folder| folder.ends_with('/') && is_literal(folder));
            glob == other
                || any(glob)
                || folder.is_some_and(|folder| other.len() > folder.len() && other.starts_with(folder))
        };
        self.texts.is_empty()
            || (!others.texts.is_empty()
                && others.texts.iter().all(|other| {
                    (is_literal(other) && self.compiled.is_match(other))
                        || self.texts.iter().any(|glob| one_covers(glob, other))
                }))
            || (others.texts.is_empty() && self.texts.iter().any(|glob| any(glob)))
    }
}

/// Checks one path glob; the error says what is wrong with it, the second text what would be right.
fn check_path_glob(text: &str) -> Result<(), (String, String)> {
    let relative = |why: &str, right: String| Err((why.to_owned(), right));
    if let Some(rest) = text.strip_prefix('/') {
        return relative("begins with `/`", format!("paths start at the repository's root: write `{rest}`"));
    }
    if let Some(rest) = text.strip_prefix("./") {
        return relative("begins with `./`", format!("paths start at the repository's root: write `{rest}`"));
    }
    if text.starts_with('!') {
        return relative("begins with `!`", "there is no negation; list the paths that are meant".into());
    }
    if text.split('/').any(|part| part == "..") {
        return relative("leaves the repository by `..`", "write the path from the repository's root".into());
    }
    if text.contains('\\') {
        return relative(
            "contains a backslash",
            format!("separate folders by `/`: write `{}`", text.replace('\\', "/")),
        );
    }
    if text.ends_with('/') {
        return relative("names a folder", format!("write `{text}**` for the files below it"));
    }
    let checked = path_glob(text).and_then(|glob| set([glob]));
    checked.map(|_| ()).map_err(|why| {
        (
            format!("is not a glob: {why}"),
            "`*` stands for a part of a name, `**` for folders: `services/**/requirements.txt`".into(),
        )
    })
}

/// How a path glob looks, for the schema; [`check_path_glob`] says more.
const PATH: &str = r"^(?=.*\S)(?!\.?/|!)(?!.*(^|/)\.\.(/|$))[^\\]*[^\\/]$";

/// Reads one or more globs over paths; `None` where there is none, which is a problem.
pub fn read_paths(node: &Node, problems: &mut Problems) -> Option<PathGlobs> {
    let items = one_or_many(node);
    if items.is_empty() {
        problems.add(node.at, "`paths` is empty, so nothing would match", "name at least one path, or remove the key");
        return None;
    }
    let mut globs = Vec::new();
    for item in items {
        let Some(glob) = text(item, "a path", "`services/**`", problems) else { continue };
        match check_path_glob(glob) {
            Ok(()) => globs.push(glob.to_owned()),
            Err((why, fix)) => problems.add(item.at, format!("the path {} {why}", quoted(glob)), fix),
        }
    }
    match PathGlobs::try_from(globs) {
        Ok(globs) => Some(globs),
        Err(why) => {
            problems.add(node.at, format!("these paths cannot be used together: {why}"), "use fewer or simpler globs");
            None
        }
    }
}

/// What they may look like.
pub fn paths_schema(_: &mut SchemaGenerator) -> Schema {
    let item = json_schema!({ "type": "string", "pattern": PATH, "maxLength": 200 });
    json_schema!({ "anyOf": [item, { "type": "array", "items": item, "minItems": 1 }] })
}

impl TryFrom<Vec<String>> for PathGlobs {
    type Error = String;
    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        let compiled = set(texts.iter().map(|text| path_glob(text)).collect::<Result<Vec<_>, _>>()?)?;
        Ok(Self { texts, compiled })
    }
}

impl From<PathGlobs> for Vec<String> {
    fn from(globs: PathGlobs) -> Self {
        globs.texts
    }
}

fn path_glob(text: &str) -> Result<Glob, String> {
    build(GlobBuilder::new(text).literal_separator(true), text)
}

fn build(builder: &mut GlobBuilder<'_>, text: &str) -> Result<Glob, String> {
    if text.is_empty() {
        return Err("it is empty".into());
    }
    if text.chars().count() > LONGEST {
        return Err(format!("it is longer than {LONGEST} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err("it contains a control character".into());
    }
    builder.backslash_escape(false).build().map_err(|error| error.kind().to_string())
}

fn set(globs: impl IntoIterator<Item = Glob>) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(glob);
    }
    set.build().map_err(|error| error.kind().to_string())
}

fn is_literal(glob: &str) -> bool {
    !glob.contains(['*', '?', '[', ']', '{', '}'])
}

fn one_dash(text: &str) -> String {
    let mut dashed = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '-' | '_' | '.' if dashed.ends_with('-') => {}
            '-' | '_' | '.' => dashed.push('-'),
            other => dashed.push(other),
        }
    }
    dashed
}

impl PartialEq for NameGlob {
    fn eq(&self, other: &Self) -> bool {
        self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl Eq for NameGlob {}

impl fmt::Debug for NameGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NameGlob({:?})", self.text)
    }
}

impl fmt::Display for NameGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

as_text!(NameGlob, String);

impl PartialEq for PathGlobs {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl Eq for PathGlobs {}

impl fmt::Debug for PathGlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathGlobs({:?})", self.texts)
    }
}

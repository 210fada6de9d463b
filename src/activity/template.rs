//! `{{ patch_data.NAME }}` and its like in a text.
//!
//! Everything else in double braces is text: commit messages and files speak of Jinja, Helm and GitHub's own expressions. What
//! was nearly one of ours is a problem; a backslash before the braces says that it is meant as text.

use crate::document::{Problems, Spot, did_you_mean, nearest, one_of, quoted};
use crate::domain::SourcedRepository;

/// The longest text between braces that is looked at. Unit: bytes.
const INNER_MAX: usize = 200;
const HOW: &str = "write `{{ patch_data.NAME }}`, `{{ repo.id }}` or `{{ repo.clone_url }}`, or a backslash before it if it is meant as text";

/// A text with places to be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    at: Spot,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Variable),
}

/// What stands for a value of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Variable {
    PatchData(String),
    RepoId,
    CloneUrl,
}

impl Template {
    /// Reads a text; what is nearly a placeholder is a problem.
    pub(super) fn read(text: &str, at: Spot, problems: &mut Problems) -> Self {
        let mut pieces = Vec::new();
        // Where the text begins that is in no piece yet, and where the search goes on.
        let (mut from, mut look) = (0, 0);
        while let Some(open) = text[look..].find("{{").map(|found| look + found) {
            // Of three braces the first one is text.
            let open = open + text[open + 2..].bytes().take_while(|byte| *byte == b'{').count();
            look = open + 2;
            let (inner, end) = inner(text, look);
            let meaning = if end.is_some() { meaning(inner) } else { unclosed(inner) };
            let escaped = text[from..open].ends_with('\\');
            match (meaning, end) {
                (Meaning::Text, _) => continue,
                (_, _) if escaped => {
                    pieces.push(Piece::Text(text[from..open - 1].into()));
                    from = open;
                    continue;
                }
                (Meaning::Value(variable), Some(end)) => {
                    pieces.push(Piece::Text(text[from..open].into()));
                    pieces.push(Piece::Value(variable));
                    (from, look) = (end, end);
                }
                (Meaning::Wrong(what), _) => problems.add(at, what, HOW),
                (Meaning::Value(_), None) => {}
            }
        }
        pieces.push(Piece::Text(text[from..].into()));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Self { at, pieces }
    }

    /// Whether it says something else for each repository.
    pub(super) fn varies(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Value(_)))
    }

    /// Whether it is one placeholder and nothing else, so that it may stand for a number or a truth value as well.
    pub(super) fn is_bare(&self) -> bool {
        matches!(self.pieces.as_slice(), [Piece::Value(_)])
    }

    /// Where it stands.
    pub(super) fn at(&self) -> Spot {
        self.at
    }

    /// The text for a repository. `None` when a problem says what it lacks.
    pub(super) fn fill(&self, repository: &SourcedRepository, problems: &mut Problems) -> Option<String> {
        let mut text = String::new();
        let mut whole = true;
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Value(variable) => match variable.value(repository) {
                    Some(value) => text.push_str(value),
                    None => {
                        whole = false;
                        variable.report_missing(self.at, repository, problems);
                    }
                },
            }
        }
        whole.then_some(text)
    }

    /// What is filled in for a repository, each with its name; those it lacks are left out.
    pub(super) fn values<'a>(
        &'a self,
        repository: &'a SourcedRepository,
    ) -> impl Iterator<Item = (String, &'a str)> + use<'a> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Value(variable) => Some((variable.name(), variable.value(repository)?)),
        })
    }
}

impl Variable {
    fn name(&self) -> String {
        match self {
            Self::PatchData(name) => format!("patch_data.{name}"),
            Self::RepoId => "repo.id".into(),
            Self::CloneUrl => "repo.clone_url".into(),
        }
    }

    fn value<'a>(&self, repository: &'a SourcedRepository) -> Option<&'a str> {
        match self {
            Self::PatchData(name) => repository.patch_data.get(name).map(String::as_str),
            Self::RepoId => Some(&repository.id),
            Self::CloneUrl => Some(&repository.clone_url),
        }
    }

    fn report_missing(&self, at: Spot, repository: &SourcedRepository, problems: &mut Problems) {
        const SHOWN: usize = 10;
        let Self::PatchData(name) = self else { return };
        let known = || repository.patch_data.keys().map(String::as_str);
        let what = format!(
            "{} has no value for {}{}",
            quoted(&self.name()),
            quoted(&repository.id),
            did_you_mean(name, known())
        );
        let shown: Vec<String> = known().take(SHOWN).map(quoted).collect();
        let fix = if shown.is_empty() {
            "its source knows nothing but its address; a `csv-filelist` gives further columns".into()
        } else {
            let more = if known().nth(SHOWN).is_some() { " and more" } else { "" };
            format!("its source gives {}{more}; correct the name, or add the column", shown.join(", "))
        };
        problems.add(at, what, fix);
    }
}

enum Meaning {
    Text,
    Value(Variable),
    /// Nearly a placeholder, and what is wrong.
    Wrong(String),
}

/// What stands between the braces that open before `from`, and where those that close it end.
fn inner(text: &str, from: usize) -> (&str, Option<usize>) {
    let mut until = text.len().min(from + INNER_MAX);
    while !text.is_char_boundary(until) {
        until -= 1;
    }
    let near = &text[from..until];
    match near.find("}}") {
        Some(length) => (&near[..length], Some(from + length + 2)),
        None => (near, None),
    }
}

fn meaning(inner: &str) -> Meaning {
    let inner = inner.trim();
    let (head, rest) = head_of(inner);
    let written = quoted(&format!("{{{{ {inner} }}}}"));
    match (head, rest) {
        ("repo", ".id") => Meaning::Value(Variable::RepoId),
        ("repo", ".clone_url") => Meaning::Value(Variable::CloneUrl),
        ("repo", _) if goes_on(rest) => {
            let known = ["id", "clone_url"];
            let (name, _) = head_of(rest.trim_start_matches('.'));
            let what = format!("{written} is not known, a repository has {}", one_of(known));
            Meaning::Wrong(what + &did_you_mean(name, known))
        }
        ("patch_data", _) => match rest.strip_prefix('.').map(str::trim).filter(|name| is_column(name)) {
            Some(name) => Meaning::Value(Variable::PatchData(name.into())),
            None => Meaning::Wrong(format!("{written} does not name one column; filters and brackets are not read")),
        },
        (_, ".id" | ".clone_url") if nearest(head, ["repo"]).is_some() => {
            Meaning::Wrong(format!("{written} is not known, did you mean `{{{{ repo{rest} }}}}`?"))
        }
        (_, _) if goes_on(rest) && nearest(head, ["patch_data"]).is_some() => {
            Meaning::Wrong(format!("{written} is not known, did you mean `{{{{ patch_data{} }}}}`?", rest.trim_end()))
        }
        _ => Meaning::Text,
    }
}

fn unclosed(inner: &str) -> Meaning {
    match head_of(inner.trim_start()) {
        ("patch_data" | "repo", rest) if goes_on(rest) => {
            let line = inner.lines().next().unwrap_or_default().trim();
            Meaning::Wrong(format!("{} is never closed by `}}}}`", quoted(&format!("{{{{ {line}"))))
        }
        _ => Meaning::Text,
    }
}

fn head_of(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(text.len());
    text.split_at(end)
}

fn goes_on(rest: &str) -> bool {
    rest.starts_with(['.', '['])
}

fn is_column(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_control() || "|(){}[]\"'".contains(c))
}

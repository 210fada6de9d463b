//! The rules of the house as a pure function of source text: which room may import which, and what stays where.

use super::source::{Token, imports, tokens};

/// A row of the table of rooms: a folder or a file directly under `src/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room<'a> {
    /// Its module's name.
    pub name: &'a str,
    /// Whether it holds values only: no async, no SQL, no HTTP, no files, no environment.
    pub pure: bool,
    /// The rooms it may import, besides itself.
    pub may_import: Vec<&'a str>,
}

/// The longest a file may grow.
pub const MOST_LINES: usize = 600;

/// Names that say nothing of what is inside.
const VAGUE: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "misc"];

/// Crates through which the world outside is reached.
const OUTSIDE: [&str; 8] = ["tokio", "sqlx", "reqwest", "octocrab", "axum", "tower", "futures_util", "hyper"];

/// Modules of `std` through which it is.
const OUTSIDE_STD: [&str; 5] = ["fs", "net", "env", "process", "thread"];

/// The module path of a file below `src/`: `forge/client.rs` is `["forge", "client"]`, `lib.rs` the root, `[]`.
pub fn module_of(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs");
    if matches!(path, "lib" | "main") {
        return Vec::new();
    }
    path.split('/').filter(|part| *part != "mod").map(str::to_owned).collect()
}

/// Everything in which a file breaks the rules, each with its line. `path` is relative to `src/`.
pub fn faults(path: &str, source: &str, rooms: &[Room<'_>]) -> Vec<String> {
    let module = module_of(path);
    // `main.rs` is a room of its own; `lib.rs` declares the rooms and imports none.
    let own = match path {
        "lib.rs" => "lib",
        "main.rs" => "main",
        _ => module.first().map_or("", String::as_str),
    };
    let Some(room) = rooms.iter().find(|room| room.name == own) else {
        return vec![format!("src/{path}: `{own}` is no room of the table")];
    };
    let tokens = tokens(source);
    let mut found: Vec<(usize, String)> = Vec::new();
    for import in imports(&module, &tokens) {
        if import.name != own && !room.may_import.contains(&import.name.as_str()) {
            found.push((import.line, format!("`{own}` may not import `{}`", import.name)));
        }
    }
    for at in 0..tokens.len() {
        let said = (outside(&tokens, at).filter(|_| room.pure).map(|what| format!("`{own}` is pure, but has {what}")))
            .or_else(|| sql(&tokens, at).filter(|_| own != "store").map(|what| format!("SQL stays in `store`: {what}")))
            .or_else(|| vague_module(&tokens, at))
            .or_else(|| hidden_path(&tokens, at))
            .or_else(|| test_plumbing(&tokens, at));
        found.extend(said.map(|what| (tokens[at].0, what)));
    }
    let lines = source.lines().count();
    if lines > MOST_LINES {
        found.push((lines, format!("{lines} lines are too many to read at a sitting; {MOST_LINES} is the most")));
    }
    found.into_iter().map(|(line, what)| format!("src/{path}:{line}: {what}")).collect()
}

fn word_at(tokens: &[(usize, Token)], at: usize) -> Option<&str> {
    match tokens.get(at) {
        Some((_, Token::Word(name))) => Some(name),
        _ => None,
    }
}

fn sign_at(tokens: &[(usize, Token)], at: usize, sign: char) -> bool {
    matches!(tokens.get(at), Some((_, Token::Sign(each))) if *each == sign)
}

/// A path's first segment: not after `::`, and before one (or the whole of a `use`).
fn starts_path(tokens: &[(usize, Token)], at: usize) -> bool {
    let separator = |at: usize| tokens.get(at).is_some_and(|(_, token)| *token == Token::PathSeparator);
    (at == 0 || !separator(at - 1)) && (separator(at + 1) || at > 0 && word_at(tokens, at - 1) == Some("use"))
}

fn outside(tokens: &[(usize, Token)], at: usize) -> Option<String> {
    let name = word_at(tokens, at)?;
    match name {
        "async" | "await" => Some(format!("`{name}`")),
        "std" if starts_path(tokens, at) => {
            let inside = word_at(tokens, at + 2).filter(|inside| OUTSIDE_STD.contains(inside))?;
            Some(format!("`std::{inside}`"))
        }
        _ if OUTSIDE.contains(&name) && starts_path(tokens, at) => Some(format!("`{name}`")),
        _ => None,
    }
}

fn sql(tokens: &[(usize, Token)], at: usize) -> Option<String> {
    match &tokens[at].1 {
        Token::Word(name) if name == "sqlx" && starts_path(tokens, at) => Some("`sqlx`".to_owned()),
        Token::Text(text) => {
            let text = text.trim_start();
            let statement = ["SELECT ", "INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "ALTER TABLE "]
                .iter()
                .any(|start| text.starts_with(start))
                || text.starts_with("UPDATE ") && text.contains(" SET ");
            statement.then(|| format!("\"{}…\"", text.chars().take(30).collect::<String>()))
        }
        _ => None,
    }
}

fn vague_module(tokens: &[(usize, Token)], at: usize) -> Option<String> {
    let name = word_at(tokens, at).filter(|name| VAGUE.contains(name))?;
    (at > 0 && word_at(tokens, at - 1) == Some("mod"))
        .then(|| format!("a module `{name}` says nothing of what it holds"))
}

/// `#[path = …]` and `include!` would let a file live under another room's name.
fn hidden_path(tokens: &[(usize, Token)], at: usize) -> Option<String> {
    let attribute = word_at(tokens, at) == Some("path") && at > 1 && sign_at(tokens, at - 1, '[');
    let include = word_at(tokens, at) == Some("include") && sign_at(tokens, at + 1, '!');
    (attribute || include).then(|| "a module's file lies where its name says".to_owned())
}

/// `cfg(test)` is for `mod tests`; anything else would make the tested program another one than the shipped.
fn test_plumbing(tokens: &[(usize, Token)], at: usize) -> Option<String> {
    if !matches!(word_at(tokens, at), Some("cfg" | "cfg_attr")) || !sign_at(tokens, at + 1, '(') {
        return None;
    }
    let closing = (at..tokens.len()).find(|each| sign_at(tokens, *each, ']') || sign_at(tokens, *each, ';'))?;
    let mentions_test = (at..closing).any(|each| word_at(tokens, each) == Some("test"));
    let of_tests = word_at(tokens, closing + 1) == Some("mod") && word_at(tokens, closing + 2) == Some("tests");
    (mentions_test && !of_tests).then(|| "`cfg(test)` belongs on `mod tests` alone".to_owned())
}

//! `additional_dependencies` of hooks: packages that are installed into a hook's environment.
//!
//! Which language a hook is written in stands in the hook's own repository, and only for local hooks in this file. Where it
//! does not, the entries tell: `types-requests>=2` is read by Python's installer alone, `eslint@8.57.0` by Node's alone.
//!
//! Source: pre-commit's documentation, "Supported languages".

use super::super::cut;
use super::super::edit::Find;
use super::super::requirement::{self, Place};
use super::super::written::Written;
use super::super::yaml::Value;
use super::Finds;
use crate::domain::{Dependency, Ecosystem, Skip};
use crate::versioning::{Node, Scheme};

/// Whose installer reads an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Installer {
    Python,
    Node,
    /// One of a language whose packages are not looked up.
    Other,
}

/// Takes in the packages of a hook by the place of their text.
pub(super) fn read(hook: Value<'_>, place: &Place<'_>, finds: &mut Finds) {
    let Some(entries) = hook.get("additional_dependencies") else { return };
    let language = hook.get("language").and_then(Value::text);
    let of_hook = language.map(|language| match language {
        "python" | "python_venv" => Installer::Python,
        "node" => Installer::Node,
        _ => Installer::Other,
    });
    let texts = || entries.items().filter_map(Value::text);
    // A bare name says nothing; its neighbours may, and most hooks are Python's.
    let of_neighbours = || texts().find_map(looks_like).unwrap_or(Installer::Python);
    let fallback = of_hook.unwrap_or_else(of_neighbours);
    for entry in entries.items() {
        let Some(text) = entry.text() else { continue };
        let installer = of_hook.or_else(|| looks_like(text)).unwrap_or(fallback);
        finds.entry((entry.start(), entry.start())).or_insert_with(|| package(entry, installer, language, place));
    }
}

/// The installer that an entry is written for, if it is written as for one alone.
fn looks_like(entry: &str) -> Option<Installer> {
    const OPERATORS: [&str; 6] = ["==", "~=", "!=", ">", "<", ";"];
    let entry = entry.trim();
    if entry.starts_with('@') {
        return Some(Installer::Node);
    }
    if let Some((name, version)) = entry.split_once('@') {
        return match () {
            () if name.ends_with([' ', ']']) || version.starts_with(' ') => Some(Installer::Python),
            // Both read `name@git+https://…`.
            () if version.contains("://") => None,
            // As Go's modules are written: `example.com/module@v1.2.3`.
            () if name.contains('/') => Some(Installer::Other),
            () => Some(Installer::Node),
        };
    }
    if OPERATORS.iter().any(|operator| entry.contains(operator)) || entry.contains('[') {
        return Some(Installer::Python);
    }
    // As Ruby's (`gem:1.2`) and Rust's (`cli:crate:1.2`) are.
    entry.contains(':').then_some(Installer::Other)
}

fn package(entry: Value<'_>, installer: Installer, language: Option<&str>, place: &Place<'_>) -> Find {
    let ecosystem = match installer {
        Installer::Python => Ecosystem::Pypi,
        Installer::Node => Ecosystem::Npm,
        Installer::Other => Ecosystem::PreCommit,
    };
    let written = match entry.written() {
        Ok(written) => written,
        Err((written, skip)) => return listed(&written, ecosystem, skip, place),
    };
    match installer {
        Installer::Python => requirement::read(&written, None, place),
        Installer::Node => node_package(&written, place),
        Installer::Other => {
            let whose =
                language.map_or_else(|| "of its language".into(), |language| format!("of `{}` hooks", cut(language)));
            listed(&written, ecosystem, Skip::LeftAlone(format!("packages {whose} are not looked up")), place)
        }
    }
}

/// `name`, `name@version`, `@scope/name@range`. Source: npm's documentation, "npm install".
fn node_package(entry: &Written, place: &Place<'_>) -> Find {
    let text = entry.text();
    let scope = usize::from(text.starts_with('@'));
    let at = text[scope..].find('@').map_or(text.len(), |at| scope + at);
    let (name, constraint) = (&text[..at], entry.slice((at + 1).min(text.len())..text.len()));
    // Paths and repositories: `./tool`, `owner/repository`, `name@git+https://…`.
    if constraint.text().contains([':', '/']) || (scope == 0 && name.contains(['/', ':'])) || name.starts_with('.') {
        let named = if is_name(name) { entry.slice(0..at) } else { entry.clone() };
        return listed(&named, Ecosystem::Npm, Skip::NotFromRegistry, place);
    }
    if !is_name(name) {
        return listed(
            entry,
            Ecosystem::Npm,
            Skip::NotUnderstood("it does not begin with a package's name".into()),
            place,
        );
    }
    let skip = Node.current(constraint.text()).is_none().then_some(Skip::Unpinned);
    let at = entry.origin(0).map_or(0, |span| span.start);
    Find::by_constraint(place, (Ecosystem::Npm, name), constraint, skip, at)
}

/// Whether a text is a package's name. Source: npm's documentation, "package.json", name.
fn is_name(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~'))
    };
    name.len() <= 214
        && match name.strip_prefix('@') {
            Some(scoped) => scoped.split_once('/').is_some_and(|(scope, name)| is_part(scope) && is_part(name)),
            None => is_part(name),
        }
}

fn listed(entry: &Written, ecosystem: Ecosystem, skip: Skip, place: &Place<'_>) -> Find {
    let name = cut(&requirement::without_credentials(entry.text()));
    let at = entry.origin(0).map_or(0, |span| span.start);
    Find::left_alone(Dependency { skip: Some(skip), ..place.dependency(ecosystem, &name, at) })
}

//! One requirement, as requirements files and pyproject.toml write it: `name[extra] >=1,<2 ; marker`.
//!
//! Source: PEP 508, "Dependency specification for Python Software Packages". The parser of pep508_rs is not used
//! on these texts: it panics on `name- ==1`, reads environment variables, and recurses as deep as a marker's parentheses.
//! Names are judged by its [`PackageName`], constraints by [`Pep440`]; markers are nothing we change and stay unread.

use super::cut;
use super::edit::Find;
use super::hashes::Hashes;
use super::python;
use super::written::Written;
use crate::domain::{Dependency, Ecosystem, PackageId, RepoPath, Skip};
use crate::versioning::{Pep440, Scheme};
use pep508_rs::PackageName;
use std::str::FromStr;

/// Where a requirement stands: what its dependency carries beside the requirement itself.
pub(super) struct Place<'a> {
    pub(super) manager: &'static str,
    pub(super) path: &'a RepoPath,
    /// The line of a byte of the file.
    pub(super) line_of: &'a dyn Fn(usize) -> u32,
}

impl Place<'_> {
    /// A dependency of which no more than its name is known, at a byte of the file.
    pub(super) fn dependency(&self, ecosystem: Ecosystem, name: &str, at: usize) -> Dependency {
        Dependency {
            manager: self.manager.into(),
            path: self.path.clone(),
            line: (self.line_of)(at),
            package: PackageId { ecosystem, name: name.into() },
            written_name: name.into(),
            current: None,
            constraint: String::new(),
            digest: None,
            hashed: false,
            python: None,
            left_behind: false,
            skip: None,
        }
    }
}

/// Reads one requirement, with the hashes that are pinned beside it.
pub(super) fn read(requirement: &Written, hashes: Option<Hashes>, place: &Place<'_>) -> Find {
    let (name, constraint, skip) = match parts(requirement) {
        Ok((name, constraint)) => {
            let skip = skip(constraint.text(), hashes.as_ref());
            (name, constraint, skip)
        }
        Err((name, skip)) => (name, Written::default(), Some(skip)),
    };
    let mut find = find(&name, constraint, skip, requirement.span().map_or(0, |span| span.start), place);
    find.dependency.hashed = hashes.is_some();
    find.hashes = hashes;
    if let Some((_, marker)) = requirement.text().split_once(';') {
        python::mark(&mut find, marker);
    }
    find
}

/// Reads a requirement that is installed in place (`-e`): a path, a URL or a repository, whatever it looks like.
pub(super) fn editable(location: &Written, place: &Place<'_>) -> Find {
    let mut find = read(location, None, place);
    find.dependency.skip = Some(Skip::NotFromRegistry);
    find.dependency.current = None;
    find
}

/// Whether a constraint is one, for the tool whose file it is. An error says for people what is wrong.
pub(super) type Understand = fn(&str) -> Result<(), String>;

/// A package whose name and constraint stand apart, as in the tables of Poetry and Pipenv; `understand` knows the tool's
/// operators. `at` is where its name stands.
pub(super) fn named(
    name: &str,
    constraint: Result<Written, Skip>,
    at: usize,
    understand: Understand,
    place: &Place<'_>,
) -> Find {
    let (constraint, skip) = match constraint {
        Ok(constraint) if matches!(constraint.text(), "" | "*") => (constraint, Some(Skip::Unpinned)),
        Ok(constraint) => {
            let skip = understood(constraint.text(), understand).err();
            (constraint, skip)
        }
        Err(skip) => (Written::default(), Some(skip)),
    };
    let not_a_name = || Skip::NotUnderstood("it is not the name of a package".into());
    let skip = if is_name(name) { skip } else { Some(not_a_name()) };
    find(&cut(name), constraint, skip, at, place)
}

/// `at` is the place to name where there is no constraint.
fn find(name: &str, constraint: Written, skip: Option<Skip>, at: usize, place: &Place<'_>) -> Find {
    let at = constraint.origin(0).map_or(at, |span| span.start);
    Find {
        dependency: Dependency {
            manager: place.manager.into(),
            path: place.path.clone(),
            line: (place.line_of)(at),
            package: PackageId { ecosystem: Ecosystem::Pypi, name: normal_name(name) },
            written_name: name.into(),
            current: if skip.is_none() { Pep440.current(constraint.text()) } else { None },
            constraint: constraint.text().into(),
            digest: None,
            hashed: false,
            python: None,
            left_behind: false,
            skip,
        },
        constraint,
        version_at: None,
        digest: None,
        hashes: None,
    }
}

/// The name in the form by which names are compared; a text that is no name stays as it is.
pub(super) fn normal_name(name: &str) -> String {
    PackageName::from_str(name).map_or_else(|_| name.into(), |normal| normal.to_string())
}

/// Whether a text is a package's name.
pub(super) fn is_name(text: &str) -> bool {
    // An empty name is one to pep508_rs.
    !text.is_empty() && PackageName::from_str(text).is_ok()
}

/// The name and the constraint, or the name and why there is no constraint to read.
fn parts(requirement: &Written) -> Result<(String, Written), (String, Skip)> {
    let text = requirement.text();
    let name = name_at_start(text);
    let rest = text[name.len()..].trim_start();
    if is_location(text, name, rest) {
        return Err((located_name(text, name), Skip::NotFromRegistry));
    }
    // A marker may hold a variable: its text is not read, and not changed.
    let before_marker = rest.split(';').next().unwrap_or(rest);
    if let Some(variable) = variable(&text[..text.len() - rest.len() + before_marker.len()]) {
        return Err((if name.is_empty() { cut(text) } else { name.into() }, Skip::Variable(variable)));
    }
    if !is_name(name) {
        return Err((cut(text), Skip::NotUnderstood("it does not begin with a package's name".into())));
    }
    let not_understood = |why: &str| (name.to_string(), Skip::NotUnderstood(why.into()));
    let after_extras = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']').ok_or_else(|| not_understood("`[` without `]`"))?.1,
        None => rest,
    };
    let start = text.len() - after_extras.len();
    let end = after_extras.find(';').map_or(text.len(), |marker| start + marker);
    let mut constraint = requirement.slice(start..end).trimmed();
    if constraint.text().starts_with('(') {
        if !constraint.text().ends_with(')') {
            return Err(not_understood("`(` without `)`"));
        }
        constraint = constraint.slice(1..constraint.text().len() - 1).trimmed();
    }
    Ok((name.into(), constraint))
}

fn skip(constraint: &str, hashes: Option<&Hashes>) -> Option<Skip> {
    if constraint.is_empty() {
        return Some(Skip::Unpinned);
    }
    if let Err(skip) = understood(constraint, Pep440::understand) {
        return Some(skip);
    }
    let hashes = hashes?;
    if !hashes.can_be_replaced() {
        return Some(Skip::NotUnderstood("its hashes are not written as `--hash=sha256:…`".into()));
    }
    let pin = constraint.starts_with("==") && !constraint.contains([',', '*']);
    (!pin).then(|| Skip::LeftAlone("hashes stand beside a range, where pip asks for one version (`==`)".into()))
}

/// Whether versions can be read from a constraint, or why not.
fn understood(constraint: &str, understand: Understand) -> Result<(), Skip> {
    understand(constraint).map_err(Skip::NotUnderstood)?;
    // `!=1.5` alone names no version that is in use.
    Pep440.current(constraint).map(drop).ok_or(Skip::Unpinned)
}

/// The longest beginning that may be a package's name; empty when there is none.
fn name_at_start(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')).unwrap_or(text.len());
    &text[..end]
}

/// Whether the requirement names a URL, a repository, a path or an archive instead of a released version.
fn is_location(text: &str, name: &str, rest: &str) -> bool {
    const ARCHIVES: [&str; 7] = [".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".egg"];
    let before_marker = text.split(';').next().unwrap_or(text).trim_end();
    let after_extras =
        rest.strip_prefix('[').and_then(|r| r.split_once(']')).map_or(rest, |(_, after)| after.trim_start());
    after_extras.starts_with('@')
        || before_marker.contains("://")
        || before_marker.contains(['/', '\\'])
        || matches!(before_marker, "." | "..")
        || before_marker.starts_with(".[")
        || (name.len() == before_marker.len()
            && ARCHIVES.iter().any(|end| before_marker.to_ascii_lowercase().ends_with(end)))
}

/// What to call a requirement that is a location: its name if it says one (`name @ …`, `#egg=name`), else the location.
fn located_name(text: &str, name: &str) -> String {
    let egg = text.split_once("egg=").map(|(_, egg)| name_at_start(egg));
    let says_name = PackageName::from_str(name).is_ok() && text[name.len()..].trim_start().starts_with(['@', '[']);
    match egg.filter(|egg| !egg.is_empty() && PackageName::from_str(egg).is_ok()) {
        Some(egg) => egg.into(),
        None if says_name => name.into(),
        None => cut(&without_credentials(text)),
    }
}

/// A URL without user name and password: it is shown to people and logged.
pub(super) fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.into() };
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host_start = rest[..host_end].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}://{}", &rest[host_start..])
}

/// The first environment variable, as pip expands them: `${NAME}` in capitals.
fn variable(text: &str) -> Option<String> {
    let (_, after) = text.split_once("${")?;
    let (name, _) = after.split_once('}')?;
    let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    (!name.is_empty() && name.bytes().all(allowed)).then(|| name.to_string())
}

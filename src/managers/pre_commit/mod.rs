//! The repositories of hooks that pre-commit installs, and the packages it installs beside them.
//!
//! Source: pre-commit's documentation, "Adding pre-commit plugins to your project", ".pre-commit-config.yaml - repos",
//! "repository local hooks", "meta hooks", "pre-commit autoupdate".

mod packages;

use super::aliases;
use super::edit::Find;
use super::format::Format;
use super::git_ref;
use super::requirement::{Place, without_credentials};
use super::yaml::{self, Value};
use super::{Found, MOST_DEPENDENCIES, cut};
use crate::domain::{Dependency, Ecosystem, RepoPath, Skip};
use std::collections::BTreeMap;

/// The manager of pre-commit's configuration.
#[derive(Debug)]
pub struct PreCommit;

impl Format for PreCommit {
    const NAME: &'static str = "pre-commit";

    const ECOSYSTEM: Ecosystem = Ecosystem::PreCommit;

    fn claims(path: &RepoPath) -> bool {
        matches!(path.file_name(), ".pre-commit-config.yaml" | ".pre-commit-config.yml")
    }

    fn find(path: &RepoPath, text: &str) -> Result<Found, String> {
        let yaml = yaml::read(text)?;
        let line_of = |at| yaml.line_of(at);
        let place = Place { manager: Self::NAME, path, line_of: &line_of };
        let mut finds = Finds::new();
        for document in yaml.documents() {
            // Before version 1 the list stood at the top of the file.
            let repositories = document.get("repos").unwrap_or(document);
            for repository in repositories.items() {
                let Some(source) = repository.get("repo").filter(|source| source.text().is_some()) else { continue };
                let rev = repository.get("rev").filter(|rev| rev.text().is_some());
                let at = (rev.unwrap_or(source).start(), source.start());
                finds.entry(at).or_insert_with(|| hooks(source, rev, &place));
                for hook in repository.get("hooks").into_iter().flat_map(Value::items) {
                    packages::read(hook, &place, &mut finds);
                }
                if finds.len() > MOST_DEPENDENCIES {
                    return Err(format!("there are more than {MOST_DEPENDENCIES} hooks and packages in it"));
                }
            }
        }
        yaml.all_seen()?;
        aliases::leave_shared_alone(finds.iter_mut().map(|((version, _), find)| (*version, find)));
        Ok(Found::of(finds.into_values()))
    }
}

/// Finds by the place of the version and of what it is a version of: what aliases lead to counts once.
type Finds = BTreeMap<(usize, usize), Find>;

/// A repository of hooks and the revision of it that is used.
fn hooks(source: Value<'_>, rev: Option<Value<'_>>, place: &Place<'_>) -> Find {
    let url = source.text().unwrap_or_default().trim();
    let shown = cut(&without_credentials(url));
    let dependency = |name: &str| Dependency {
        written_name: shown.clone(),
        ..place.dependency(Ecosystem::PreCommit, name, rev.unwrap_or(source).start())
    };
    let listed = |skip| Find::left_alone(Dependency { skip: Some(skip), ..dependency(&shown) });
    match url {
        "local" => return listed(Skip::LeftAlone("its hooks are written in this file".into())),
        "meta" | "builtin" => return listed(Skip::LeftAlone("its hooks come with pre-commit itself".into())),
        _ => {}
    }
    let Some(name) = repository(url) else { return listed(Skip::NotFromRegistry) };
    let Some(rev) = rev else {
        return Find::left_alone(Dependency { skip: Some(Skip::Unpinned), ..dependency(&name) });
    };
    match rev.written() {
        Ok(reference) => git_ref::find(&reference, rev.comment().as_ref(), dependency(&name), place),
        Err((_, skip)) => Find::left_alone(Dependency { skip: Some(skip), ..dependency(&name) }),
    }
}

/// Host and path of a repository in lower case, of `https://host/path.git` as of `git@host:path`. `None` for what
/// lies on a disk, or names none.
pub(super) fn repository(url: &str) -> Option<String> {
    let (rest, separator) = match url.split_once("://") {
        Some((scheme, rest)) if ["https", "http", "ssh", "git", "git+ssh"].contains(&scheme) => (rest, '/'),
        Some(_) => return None,
        None => (url, ':'),
    };
    let (authority, path) = rest.split_once(separator)?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
    let path = path.trim_matches('/').to_ascii_lowercase();
    let path = path.strip_suffix(".git").unwrap_or(&path);
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    let is_part = |part: &str| !part.is_empty() && !part.bytes().all(|b| b == b'.') && part.bytes().all(allowed);
    let is_host = host.contains(['.', ':']) || host == "localhost";
    let parts = path.split('/').all(is_part) && host.split(':').all(is_part);
    (is_host && parts).then(|| format!("{host}/{path}"))
}

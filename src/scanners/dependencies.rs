//! `dependencies`: what the managers find in all manifests of a repository.

use super::Scanner;
use crate::domain::{Dependency, Ecosystem, PackageId, RepoPath, Snapshot};
use crate::managers::Manifests;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The scanner.
#[derive(Debug)]
pub struct Dependencies;

impl Scanner for Dependencies {
    fn name(&self) -> &'static str {
        "dependencies"
    }

    fn about(&self) -> &'static str {
        "Every use of a package that the managers find, with the files that manifests include: the rows of `mass-driver deps --format json`, \
and what could not be read."
    }

    fn wants(&self, files: &Snapshot) -> Vec<RepoPath> {
        Manifests::of(files).unread.into_iter().collect()
    }

    fn scan(&self, files: &Snapshot) -> Result<Map<String, Value>, String> {
        let manifests = Manifests::of(files);
        let rows: Vec<DependencyRow<'_>> = manifests.dependencies().map(DependencyRow::of).collect();
        let rows = serde_json::to_value(rows).map_err(|error| error.to_string())?;
        Ok(Map::from_iter([("dependencies".to_owned(), rows), ("unread".to_owned(), json!(manifests.problems))]))
    }
}

/// One dependency as it is printed and stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DependencyRow<'a> {
    /// The manager that found it.
    pub manager: &'a str,
    /// The file it stands in.
    pub file: &'a str,
    /// Its line, counted from 1.
    pub line: u32,
    /// The package's name in normal form.
    pub name: &'a str,
    /// The version in use.
    pub current: Option<&'a str>,
    /// The constraint as written.
    pub constraint: &'a str,
    /// Where its releases are looked up: the ecosystem's registry, the host that an image or a repository of hooks names, or `github`.
    pub registry: &'a str,
    /// Why it is left alone, where it is.
    pub skipped: Option<String>,
}

impl<'a> DependencyRow<'a> {
    /// The row of a dependency.
    pub fn of(dependency: &'a Dependency) -> Self {
        Self {
            manager: &dependency.manager,
            file: dependency.path.as_str(),
            line: dependency.line,
            name: &dependency.package.name,
            current: dependency.current.as_deref(),
            constraint: &dependency.constraint,
            registry: registry(dependency),
            skipped: dependency.skip.as_ref().map(ToString::to_string),
        }
    }
}

/// Images and repositories of hooks may name their host; a name that was not understood may hold anything.
fn registry(dependency: &Dependency) -> &str {
    let PackageId { ecosystem, name } = &dependency.package;
    let is_host = |host: &&str| {
        let (name, port) = host.split_once(':').unwrap_or((host, "0"));
        (host.contains(['.', ':']) || *host == "localhost")
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
            && port.bytes().all(|b| b.is_ascii_digit())
    };
    let host = name.split_once('/').map(|(host, _)| host).filter(is_host);
    match ecosystem {
        Ecosystem::Docker | Ecosystem::PreCommit => host.unwrap_or(ecosystem.as_str()),
        Ecosystem::GithubActions => "github",
        Ecosystem::Pypi | Ecosystem::Npm | Ecosystem::Cargo => ecosystem.as_str(),
    }
}

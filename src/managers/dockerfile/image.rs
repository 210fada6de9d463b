//! References to images: which package, which tag, which digest.

use super::super::edit::Find;
use super::super::written::Written;
use super::super::{cut, line_of, line_starts};
use super::NAME;
use crate::domain::{Dependency, Ecosystem, PackageId, RepoPath, Skip};
use crate::versioning::DockerTag;
use oci_spec::distribution::Reference;
use std::collections::{BTreeMap, BTreeSet};

/// The images found so far in one file.
pub(super) struct Images<'a> {
    path: &'a RepoPath,
    line_starts: Vec<usize>,
    finds: Vec<Find>,
    /// Which images use a byte of the file, for bytes that more than one may use: those of a variable's default.
    users: BTreeMap<usize, BTreeSet<String>>,
}

impl<'a> Images<'a> {
    pub(super) fn new(path: &'a RepoPath, text: &str) -> Self {
        Self { path, line_starts: line_starts(text), finds: Vec::new(), users: BTreeMap::new() }
    }

    /// Takes in a reference, or a text that cannot become one and why. `scratch` is no image.
    pub(super) fn push(&mut self, reference: Option<Result<Written, (Written, Skip)>>) {
        let find = match reference {
            Some(Ok(reference)) if reference.text() != "scratch" => {
                let find = self.read(&reference);
                for origin in (0..reference.text().len()).filter_map(|at| reference.origin(at)) {
                    self.users.entry(origin.start).or_default().insert(find.dependency.package.name.clone());
                }
                find
            }
            Some(Err((written, skip))) => self.skipped(&written, skip),
            _ => return,
        };
        self.finds.push(find);
    }

    pub(super) fn count(&self) -> usize {
        self.finds.len()
    }

    /// All that was found. Where one place in the file gives the version of several packages, none of
    /// them is updated: the new version of one need not exist for the other.
    pub(super) fn finds(mut self) -> Vec<Find> {
        for find in self.finds.iter_mut().filter(|find| find.dependency.skip.is_none()) {
            let place = find.version_at.and_then(|at| find.constraint.origin(at));
            let mut users = place.and_then(|place| self.users.get(&place.start)).into_iter().flatten();
            if let Some(other) = users.find(|user| **user != find.dependency.package.name) {
                find.dependency.skip = Some(Skip::NotUnderstood(format!("its version is used for `{other}` too")));
                find.dependency.current = None;
            }
        }
        self.finds
    }

    fn read(&self, reference: &Written) -> Find {
        let text = reference.text();
        let Ok(parsed) = Reference::try_from(text) else {
            return self.skipped(reference, Skip::NotUnderstood("it is not the name of an image".into()));
        };
        let name_and_tag = text.find('@').unwrap_or(text.len());
        let last_part = text[..name_and_tag].rfind('/').map_or(0, |slash| slash + 1);
        let name_end = text[last_part..name_and_tag].find(':').map_or(name_and_tag, |colon| last_part + colon);
        let tag = reference.slice((name_end + 1).min(name_and_tag)..name_and_tag);
        let digest = (name_and_tag < text.len()).then(|| reference.slice(name_and_tag + 1..text.len()));
        let host =
            text[..name_end].split_once('/').filter(|(host, _)| host.contains(['.', ':']) || *host == "localhost");
        let name = match host {
            Some(_) => format!("{}/{}", parsed.registry(), parsed.repository()),
            None => parsed.repository().to_string(),
        };
        let skip = skip(&tag);
        let version = DockerTag::version_range(tag.text());
        let at = version.as_ref().and_then(|range| tag.origin(range.start)).or_else(|| reference.origin(0));
        Find {
            dependency: Dependency {
                package: PackageId { ecosystem: Ecosystem::Docker, name },
                written_name: text[..name_end].into(),
                current: skip.is_none().then(|| tag.text().to_string()),
                constraint: tag.text().into(),
                digest: digest.as_ref().map(|digest| digest.text().to_string()),
                hashed: false,
                skip,
                ..self.dependency(at.map_or(0, |span| span.start))
            },
            version_at: version.map(|range| range.start),
            constraint: tag,
            digest,
            hashes: None,
        }
    }

    fn skipped(&self, written: &Written, skip: Skip) -> Find {
        let name = cut(written.text());
        let dependency = Dependency {
            package: PackageId { ecosystem: Ecosystem::Docker, name: name.clone() },
            written_name: name,
            skip: Some(skip),
            ..self.dependency(written.origin(0).map_or(0, |span| span.start))
        };
        Find { dependency, constraint: Written::default(), version_at: None, digest: None, hashes: None }
    }

    fn dependency(&self, at: usize) -> Dependency {
        Dependency {
            manager: NAME.into(),
            path: self.path.clone(),
            line: line_of(&self.line_starts, at),
            package: PackageId { ecosystem: Ecosystem::Docker, name: String::new() },
            written_name: String::new(),
            current: None,
            constraint: String::new(),
            hashed: false,
            digest: None,
            skip: None,
        }
    }
}

fn skip(tag: &Written) -> Option<Skip> {
    let Some(version) = DockerTag::version_range(tag.text()) else {
        let numbered = tag.text().bytes().any(|b| b.is_ascii_digit());
        let why = || Skip::NotUnderstood("the tag is not a version with a variant behind it".into());
        return Some(if numbered { why() } else { Skip::Unpinned });
    };
    let scattered = !tag.in_one_piece(version);
    scattered.then(|| Skip::NotUnderstood("its version is put together from several places".into()))
}

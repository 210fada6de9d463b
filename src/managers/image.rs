//! References to images, wherever they stand: which package, which tag, which digest.

use super::cut;
use super::edit::Find;
use super::requirement::Place;
use super::written::Written;
use crate::domain::{Dependency, Ecosystem, PackageId, Skip};
use crate::versioning::DockerTag;
use oci_spec::distribution::Reference;
use std::collections::{BTreeMap, BTreeSet};

/// The longest reference: a name has at most 255 bytes, a tag 128, a digest 135, and a host stands before them.
const LONGEST_BYTES: usize = 1_024;

/// The images found so far in one file whose variables several of them may share.
pub(super) struct Images<'a> {
    place: Place<'a>,
    finds: Vec<Find>,
    /// Which images use a byte of the file, two at most, for bytes that more than one may use: those of a variable's default.
    users: BTreeMap<usize, BTreeSet<String>>,
}

impl<'a> Images<'a> {
    pub(super) fn new(place: Place<'a>) -> Self {
        Self { place, finds: Vec::new(), users: BTreeMap::new() }
    }

    /// Takes in a reference, or a text that cannot become one and why.
    pub(super) fn push(&mut self, reference: Result<Written, (Written, Skip)>) {
        if let Ok(reference) = &reference {
            let find = read(reference, &self.place);
            let name = &find.dependency.package.name;
            for origin in (0..reference.text().len()).filter_map(|at| reference.origin(at)) {
                let users = self.users.entry(origin.start).or_default();
                // Two say that it is shared, and thousands of images may share one long default.
                if users.len() < 2 && !users.contains(name) {
                    users.insert(name.clone());
                }
            }
        }
        self.finds.push(find(reference, &self.place));
    }

    /// Takes in an image that is seen and left alone.
    pub(super) fn push_left_alone(&mut self, reference: &Written, why: String) {
        let mut find = read(reference, &self.place);
        find.dependency.skip = Some(Skip::LeftAlone(why));
        find.dependency.current = None;
        self.finds.push(find);
    }

    pub(super) fn count(&self) -> usize {
        self.finds.len()
    }

    /// All that was found, without an update for those of which one place in the file gives the version of several packages.
    pub(super) fn finds(mut self) -> Vec<Find> {
        for find in &mut self.finds {
            let place = find.version_at.and_then(|at| find.constraint.origin(at));
            find.leave_alone_if_shared(place.and_then(|place| self.users.get(&place.start)).into_iter().flatten());
        }
        self.finds
    }
}

/// The find of a reference, or of a text that cannot become one and why.
pub(super) fn find(reference: Result<Written, (Written, Skip)>, place: &Place<'_>) -> Find {
    match reference {
        Ok(reference) => read(&reference, place),
        Err((written, skip)) => skipped(&written, skip, place),
    }
}

fn read(reference: &Written, place: &Place<'_>) -> Find {
    let text = reference.text();
    let parsed = if text.len() > LONGEST_BYTES { None } else { Reference::try_from(text).ok() };
    let Some(parsed) = parsed else {
        return skipped(reference, Skip::NotUnderstood("it is not the name of an image".into()), place);
    };
    let name_and_tag = text.find('@').unwrap_or(text.len());
    let last_part = text[..name_and_tag].rfind('/').map_or(0, |slash| slash + 1);
    let name_end = text[last_part..name_and_tag].find(':').map_or(name_and_tag, |colon| last_part + colon);
    let tag = reference.slice((name_end + 1).min(name_and_tag)..name_and_tag);
    let digest = (name_and_tag < text.len()).then(|| reference.slice(name_and_tag + 1..text.len()));
    let name = package_name(&text[..name_end], &parsed);
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
            skip,
            ..place.dependency(Ecosystem::Docker, "", at.map_or(0, |span| span.start))
        },
        version_at: version.map(|range| range.start),
        constraint: tag,
        digest,
        hashes: None,
    }
}

/// The image's name as a package: `written` is how it is written, without tag and digest.
fn package_name(written: &str, parsed: &Reference) -> String {
    match written.split_once('/').filter(|(host, _)| host.contains(['.', ':']) || *host == "localhost") {
        Some(_) => format!("{}/{}", parsed.registry(), parsed.repository()),
        None => parsed.repository().to_string(),
    }
}

/// The package that the name of an image means, as people write it; `None` for a text that is none.
pub(super) fn named(text: &str) -> Option<String> {
    let parsed = if text.len() > LONGEST_BYTES || text.contains('@') { None } else { Reference::try_from(text).ok() };
    parsed.map(|parsed| package_name(text, &parsed))
}

fn skipped(written: &Written, skip: Skip, place: &Place<'_>) -> Find {
    let at = written.origin(0).map_or(0, |span| span.start);
    Find::left_alone(Dependency { skip: Some(skip), ..place.dependency(Ecosystem::Docker, &cut(written.text()), at) })
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

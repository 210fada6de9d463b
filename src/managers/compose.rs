//! The images that the services of a compose file run.
//!
//! Source: Docker's documentation, "Compose file reference": services (`image`, `build`, `extends`), Interpolation,
//! Fragments, Extensions, Merge, Include.

use super::format::Format;
use super::image::Images;
use super::requirement::Place;
use super::variables::{Syntax, Variables};
use super::written::Written;
use super::yaml::{self, Value, Yaml};
use super::{Found, MOST_DEPENDENCIES, cut};
use crate::domain::{Ecosystem, RepoPath, Skip};
use std::collections::{BTreeMap, HashMap};

/// The manager of compose files.
#[derive(Debug)]
pub struct Compose;

/// The most files one file may include.
const MOST_INCLUDES: usize = 100;

impl Format for Compose {
    const NAME: &'static str = "compose";

    const ECOSYSTEM: Ecosystem = Ecosystem::Docker;

    /// `compose.yaml`, `compose.prod.yaml`, `docker-compose-dev.yml` and the like, in any case.
    fn claims(path: &RepoPath) -> bool {
        let name = path.file_name().to_ascii_lowercase();
        let Some(stem) = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")) else { return false };
        let rest = stem.strip_prefix("docker-").unwrap_or(stem).strip_prefix("compose");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '_']))
    }

    fn find(path: &RepoPath, text: &str) -> Result<Found, String> {
        let yaml = yaml::read(text)?;
        let uses = uses(&yaml);
        let includes = includes(&yaml, path);
        if uses.len() > MOST_DEPENDENCIES {
            return Err(format!("there are more than {MOST_DEPENDENCIES} images in it"));
        }
        // What one service builds, another may run under the same name.
        let built: HashMap<&str, &str> =
            uses.values().filter_map(|used| Some((used.image.text()?, used.built_by?))).collect();
        let line_of = |at| yaml.line_of(at);
        let mut images = Images::new(Place { manager: Self::NAME, path, line_of: &line_of });
        for used in uses.values() {
            let written = used.image.written();
            match (used.image.text().and_then(|text| built.get(text)), written) {
                (Some(service), Ok(written) | Err((written, _))) => {
                    images.push_left_alone(&written, format!("it is what the service `{}` builds", cut(service)));
                }
                (None, written) => images.push(written.and_then(expanded)),
            }
        }
        yaml.all_seen()?;
        Ok(Found { includes, ..Found::of(images.finds()) })
    }
}

/// Variables come from outside the file; where one has a default, the default is what the file says.
fn expanded(image: Written) -> Result<Written, (Written, Skip)> {
    match Variables::default().expand(&image, Syntax::Compose) {
        Ok(text) if text.text().is_empty() => Err((image, Skip::Unpinned)),
        expanded => expanded.map_err(|skip| (image, skip)),
    }
}

/// An image that services run.
struct Use<'y> {
    image: Value<'y>,
    /// The service that builds it.
    built_by: Option<&'y str>,
}

/// The images of all services by the place of their text: each counts once, however many aliases lead to it.
fn uses<'y>(yaml: &'y Yaml<'_>) -> BTreeMap<usize, Use<'y>> {
    let mut found: BTreeMap<usize, Use<'y>> = BTreeMap::new();
    for document in yaml.documents() {
        for (name, service) in document.get("services").into_iter().flat_map(Value::entries) {
            let Some(image) = service.get("image").filter(|image| image.text().is_some()) else { continue };
            let used = found.entry(image.start()).or_insert(Use { image, built_by: None });
            let builds = service.get("build").is_some_and(|build| build.is_map() || build.text().is_some());
            used.built_by = used.built_by.or(builds.then_some(name));
        }
    }
    found
}

/// The files that `include` and `extends` name, inside the repository.
fn includes(yaml: &Yaml<'_>, path: &RepoPath) -> Vec<RepoPath> {
    let mut found = Vec::new();
    let mut add = |file: Value<'_>| {
        let file = file.text().filter(|text| !text.contains("://") && !text.contains('$'));
        if let Some(file) = file.and_then(|text| path.join_sibling(text).ok())
            && file != *path
            && found.len() < MOST_INCLUDES
            && !found.contains(&file)
        {
            found.push(file);
        }
    };
    for document in yaml.documents() {
        for entry in document.get("include").into_iter().flat_map(Value::items) {
            let files = if entry.is_map() { entry.get("path") } else { Some(entry) };
            for file in files.into_iter().flat_map(|files| files.items().chain([files])) {
                add(file);
            }
        }
        for (_, service) in document.get("services").into_iter().flat_map(Value::entries) {
            if let Some(file) = service.get("extends").and_then(|extends| extends.get("file")) {
                add(file);
            }
        }
    }
    found
}

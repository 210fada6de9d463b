//! What workflows and actions of GitHub use: other actions, reusable workflows, and images to run in.
//!
//! Sources: GitHub's documentation, "Workflow syntax for GitHub Actions" (`jobs.<id>.uses`, `jobs.<id>.steps[*].uses`,
//! `jobs.<id>.container`, `jobs.<id>.services`) and "Metadata syntax for GitHub Actions" (`runs.steps[*].uses`, `runs.image`).

use super::edit::Find;
use super::format::Format;
use super::git_ref;
use super::image;
use super::requirement::Place;
use super::written::Written;
use super::yaml::{self, Value, Yaml};
use super::{Found, MOST_DEPENDENCIES, cut};
use crate::domain::{Ecosystem, RepoPath, Skip};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The manager of workflows and actions.
#[derive(Debug)]
pub struct GithubActions;

impl Format for GithubActions {
    const NAME: &'static str = "github-actions";

    const ECOSYSTEM: Ecosystem = Ecosystem::GithubActions;

    /// Files right in `.github/workflows`, from where alone GitHub runs them; the templates of an organisation's `.github`
    /// repository; and `action.yml` in any folder. Each also as `.yaml`.
    fn claims(path: &RepoPath) -> bool {
        let name = path.file_name();
        let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
        matches!(name, "action.yml" | "action.yaml")
            || (yaml && matches!(path.folder(), ".github/workflows" | "workflow-templates"))
    }

    fn find(path: &RepoPath, text: &str) -> Result<Found, String> {
        let yaml = yaml::read(text)?;
        let line_of = |at| yaml.line_of(at);
        let place = Place { manager: Self::NAME, path, line_of: &line_of };
        let uses = uses(&yaml);
        if uses.len() > MOST_DEPENDENCIES {
            return Err(format!("there are more than {MOST_DEPENDENCIES} actions and images in it"));
        }
        let shared = shared_comments(&uses);
        let finds = uses.into_values().map(|used| match used {
            Use::Action(value) => action(value, &shared, &place),
            Use::Image(value) => image(value.written(), &place),
        });
        let found = Found::of(finds);
        yaml.all_seen()?;
        Ok(found)
    }
}

/// A text of the file that names something.
#[derive(Clone, Copy)]
enum Use<'y> {
    Action(Value<'y>),
    Image(Value<'y>),
}

/// All uses by the place of their text: each counts once, however many aliases lead to it.
fn uses<'y>(yaml: &'y Yaml<'_>) -> BTreeMap<usize, Use<'y>> {
    let mut found = BTreeMap::new();
    let mut add = |value: Option<Value<'y>>, kind: fn(Value<'y>) -> Use<'y>| {
        if let Some(value) = value.filter(|value| value.text().is_some()) {
            found.insert(value.start(), kind(value));
        }
    };
    let mut steps_seen = HashSet::new();
    for document in yaml.documents() {
        let runs = document.get("runs");
        let jobs: Vec<Value<'y>> =
            document.get("jobs").into_iter().flat_map(Value::entries).map(|(_, job)| job).collect();
        for holder in jobs.iter().copied().chain(runs) {
            let steps = holder.get("steps").filter(|steps| steps_seen.insert(steps.id()));
            for step in steps.into_iter().flat_map(Value::items) {
                add(step.get("uses"), Use::Action);
            }
        }
        for job in jobs {
            add(job.get("uses"), Use::Action);
            let services = job.get("services").into_iter().flat_map(Value::entries).map(|(_, service)| service);
            for container in job.get("container").into_iter().chain(services) {
                add(if container.is_map() { container.get("image") } else { Some(container) }, Use::Image);
            }
        }
        // An action's own image is one to pull only with `docker://`; else it is a Dockerfile beside it.
        let pulled = |value: &Value<'_>| value.text().is_some_and(|text| text.trim().starts_with(DOCKER));
        add(runs.and_then(|runs| runs.get("image")).filter(pulled), Use::Action);
    }
    found
}

const DOCKER: &str = "docker://";

/// The comments that stand behind more than one action of a line: nobody can tell whose version they say.
fn shared_comments(uses: &BTreeMap<usize, Use<'_>>) -> HashSet<usize> {
    let mut times: HashMap<usize, usize> = HashMap::new();
    for used in uses.values() {
        if let Use::Action(value) = used
            && value.text().is_some_and(|text| text.contains('@'))
            && let Some(at) = value.comment_at()
        {
            *times.entry(at.start).or_default() += 1;
        }
    }
    times.into_iter().filter(|(_, times)| *times > 1).map(|(at, _)| at).collect()
}

/// What `uses:` names: an action or a reusable workflow, of this repository or another, or an image.
fn action(value: Value<'_>, shared: &HashSet<usize>, place: &Place<'_>) -> Find {
    let (written, unclear) = match value.written() {
        Ok(written) => (written, None),
        Err((written, skip)) => (written, Some(skip)),
    };
    let text = written.text();
    if text.starts_with(DOCKER) {
        let reference = written.slice(DOCKER.len()..text.len());
        return image(unclear.map_or(Ok(reference.clone()), |skip| Err((reference, skip))), place);
    }
    let dependency =
        |name: &str| place.dependency(Ecosystem::GithubActions, name, written.origin(0).map_or(0, |span| span.start));
    let listed = |skip| {
        let mut dependency = dependency(&cut(text));
        dependency.skip = Some(skip);
        Find::left_alone(dependency)
    };
    if let Some(skip) = unclear.or_else(|| variable(text)) {
        return listed(skip);
    }
    if text.starts_with("./") || text.starts_with(".\\") {
        return listed(Skip::LeftAlone("it is part of this repository".into()));
    }
    let Some((repository, at)) = parts(text) else {
        return listed(Skip::NotUnderstood("it is not `owner/repository@version`".into()));
    };
    let own = value.comment_at().is_some_and(|at| !shared.contains(&at.start));
    let comment = if own { value.comment() } else { None };
    let mut dependency = dependency(&repository.to_ascii_lowercase());
    dependency.written_name = cut(&text[..at]);
    git_ref::find(&written.slice(at + 1..text.len()), comment.as_ref(), dependency, place)
}

/// The repository that an action or reusable workflow is in, and where the `@` before its version stands.
fn parts(text: &str) -> Option<(&str, usize)> {
    let (path, reference) = text.split_once('@').filter(|(_, reference)| !reference.contains('@'))?;
    let mut parts = path.splitn(3, '/');
    let (owner, repository) = (parts.next()?, parts.next()?);
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let is_name = |name: &str| !name.is_empty() && !name.bytes().all(|b| b == b'.') && name.bytes().all(allowed);
    let written = !reference.is_empty() && !reference.contains(char::is_whitespace);
    (is_name(owner) && is_name(repository) && written)
        .then(|| (&path[..owner.len() + 1 + repository.len()], path.len()))
}

fn image(reference: Result<Written, (Written, Skip)>, place: &Place<'_>) -> Find {
    let reference = reference.and_then(|text| match variable(text.text()) {
        Some(skip) => Err((text, skip)),
        None => Ok(text),
    });
    // The runner takes images of a job with the prefix as well.
    let bare = |text: Written| match text.text().strip_prefix(DOCKER) {
        Some(_) => text.slice(DOCKER.len()..text.text().len()),
        None => text,
    };
    image::find(reference.map(bare), place)
}

/// The first expression of a text, which is known only when the workflow runs.
fn variable(text: &str) -> Option<Skip> {
    let (_, after) = text.split_once("${{")?;
    Some(Skip::Variable(cut(after.split("}}").next().unwrap_or(after).trim())))
}

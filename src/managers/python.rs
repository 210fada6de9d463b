//! For which versions of Python a requirement is: by its own marker, and by what its file says the project runs on.
//!
//! Sources: packaging specifications, "Dependency specifiers" (markers) and "pyproject.toml" (`requires-python`); Poetry's documentation,
//! "Managing dependencies"; setuptools', "Keywords" (`python_requires`); Pipenv's, "Specifiers" (`[requires]`, markers as keys).

use super::cut;
use super::edit::Find;
use crate::domain::Skip;
use crate::versioning::Pythons;
use std::collections::HashMap;

/// Takes in the marker of a requirement.
pub(super) fn mark(find: &mut Find, marker: &str) {
    if marker.trim().is_empty() {
        return;
    }
    match Pythons::of_marker(marker) {
        Some(pythons) if pythons.is_none() => {
            find.leave_alone(Skip::LeftAlone("its marker holds for no version of Python".into()));
        }
        Some(pythons) => set(find, pythons),
        None if ["python_version", "python_full_version"].iter().any(|name| marker.contains(name)) => find.leave_alone(
            Skip::NotUnderstood(format!("for which versions of Python its marker asks: `{}`", cut(marker.trim()))),
        ),
        // Nothing that tells of Python: it may hold for all of them.
        None => {}
    }
}

/// Takes in that a requirement is for some versions alone, beside what its marker says.
pub(super) fn narrow(find: &mut Find, own: Pythons) {
    let marked = find.dependency.python.take();
    set(find, marked.and_then(|marked| Pythons::of_range(&marked)).map_or(own, |marked| marked.and(own)));
}

/// Narrows requirements down to what the project of their file runs on, if the file says so, and finds those of them that were left
/// behind for older versions.
///
/// Where nobody tells what the project runs on, it is as new as the newest of the requirements that begin somewhere: an exported
/// file repeats the range of its project on each line.
pub(super) fn limit<'f>(finds: impl IntoIterator<Item = &'f mut Find>, project: Option<Pythons>) {
    let mut finds: Vec<&mut Find> = finds.into_iter().collect();
    let project = project.filter(|project| !project.is_none());
    // There are few markers, and many requirements.
    let mut read: HashMap<String, Pythons> = HashMap::new();
    let mut marked = |find: &Find| match &find.dependency.python {
        None => Pythons::ALL,
        Some(text) => match read.get(text) {
            Some(pythons) => *pythons,
            None => *read.entry(text.clone()).or_insert(Pythons::of_range(text).unwrap_or(Pythons::ALL)),
        },
    };
    let runs_on = project.unwrap_or_else(|| {
        let with_beginning = finds.iter().map(|find| marked(find)).filter(|marked| marked.begin_somewhere());
        with_beginning.fold(Pythons::NONE, Pythons::or)
    });
    for find in &mut finds {
        let (marked, project) = (marked(find), project.unwrap_or(Pythons::ALL));
        let together = marked.and(project);
        if together.is_none() {
            let why = format!("its marker holds for no version of Python that the project runs on (`{project}`)");
            find.leave_alone(Skip::LeftAlone(why));
            find.dependency.python = None;
        } else if together != marked {
            set(find, together);
        }
        let is_as_new = together.newest() == runs_on.newest();
        find.dependency.left_behind = together.end_somewhere() && !together.is_none() && !is_as_new;
    }
}

fn set(find: &mut Find, pythons: Pythons) {
    if pythons.is_none() {
        find.leave_alone(Skip::LeftAlone("its marker holds for no version of Python that it is for (`python`)".into()));
    } else if pythons != Pythons::ALL {
        find.dependency.python = Some(pythons.to_string());
    }
}

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
        Some(pythons) => set(find, pythons),
        None if marker.contains("python") => find.leave_alone(Skip::NotUnderstood(format!(
            "for which versions of Python its marker asks: `{}`",
            cut(marker.trim())
        ))),
        // Nothing that tells of Python: it may hold for all of them.
        None => {}
    }
}

/// Narrows requirements down to what the project of their file runs on.
pub(super) fn limit<'f>(finds: impl Iterator<Item = &'f mut Find>, project: Option<Pythons>) {
    let Some(project) = project.filter(|project| *project != Pythons::ALL && !project.is_none()) else { return };
    // There are few markers, and many requirements.
    let mut both: HashMap<String, Pythons> = HashMap::new();
    for find in finds {
        let marked = find.dependency.python.take().unwrap_or_default();
        let together = *both
            .entry(marked)
            .or_insert_with_key(|marked| Pythons::of_range(marked).map_or(project, |marked| marked.and(project)));
        if together.is_none() {
            let why = format!("its marker holds for no version of Python that the project runs on (`{project}`)");
            find.leave_alone(Skip::LeftAlone(why));
        } else {
            set(find, together);
        }
    }
}

fn set(find: &mut Find, pythons: Pythons) {
    if pythons.is_none() {
        find.leave_alone(Skip::LeftAlone("its marker holds for no version of Python".into()));
    } else if pythons != Pythons::ALL {
        find.dependency.python = Some(pythons.to_string());
    }
}

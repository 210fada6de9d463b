//! Edits as the laws of managers ask for them, and what they are to make of a constraint.

use mass_driver::domain::{Dependency, Ecosystem};
use mass_driver::managers::Edit;
use mass_driver::versioning::{GitTag, scheme};

/// The edit that moves a dependency to a version; what else is pinned is moved to what no file has.
pub fn edit_of(dependency: &Dependency, to: &str) -> Edit {
    let digest = match dependency.package.ecosystem {
        Ecosystem::Docker => format!("sha256:{}", "e".repeat(64)),
        _ => "e".repeat(40),
    };
    let hashes = ["c", "f"].map(|digit| format!("sha256:{}", digit.repeat(64)));
    Edit {
        package: dependency.package.clone(),
        from: dependency.current.clone().unwrap_or_default(),
        constraint: dependency.constraint.clone(),
        to: to.into(),
        python: dependency.python.clone(),
        digest_from: dependency.digest.clone(),
        digest_to: dependency.digest.as_ref().map(|_| digest),
        hashes_to: if dependency.hashed { hashes.to_vec() } else { Vec::new() },
    }
}

/// The constraint that an edit leads to. The comment behind an action's commit is nothing that is looked up: it keeps its
/// style, with `v` or without.
pub fn constraint_after(edit: &Edit) -> Option<String> {
    match (edit.package.ecosystem, &edit.digest_from) {
        (Ecosystem::GithubActions, Some(_)) => GitTag::rewrite_comment(&edit.constraint, &edit.to),
        (ecosystem, _) => scheme(ecosystem).rewrite(&edit.constraint, &edit.to),
    }
}

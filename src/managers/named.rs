//! The package that people mean by a name, in the form the managers give it.

use super::image;
use super::package_json::selector;
use super::pre_commit;
use super::requirement;
use crate::document::{Node, Problems, Spot, did_you_mean, one_of, quoted, text};
use crate::domain::{Ecosystem, PackageId};
use schemars::{Schema, SchemaGenerator, json_schema};

/// The package of a name as people write it: `Django`, `python` for the image `library/python`, `psf/black` or
/// `https://github.com/psf/black` for hooks, `Actions/Checkout`.
///
/// `None` for a text that names none.
pub fn package_named(ecosystem: Ecosystem, written: &str) -> Option<PackageId> {
    let written = written.trim();
    let name = match ecosystem {
        Ecosystem::Pypi => requirement::is_name(written).then(|| requirement::normal_name(written)),
        Ecosystem::Docker => image::named(written),
        Ecosystem::GithubActions => Some(written.to_ascii_lowercase()).filter(|name| is_repository(name)),
        Ecosystem::PreCommit => hooks(written),
        Ecosystem::Npm => selector::is_name(written).then(|| written.to_owned()),
        Ecosystem::Cargo => {
            written.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).then(|| written.to_owned())
        }
    };
    name.filter(|name| !name.is_empty()).map(|name| PackageId { ecosystem, name })
}

/// The ecosystem that a key names, by any of its names, or a problem.
pub fn read_ecosystem(node: &Node, problems: &mut Problems) -> Option<Ecosystem> {
    let word = text(node, "an ecosystem", "`pypi`", problems)?;
    let ecosystem = Ecosystem::from_word(word.trim());
    if ecosystem.is_none() {
        let names = || Ecosystem::ALL.into_iter().map(Ecosystem::as_str);
        let what = format!("there is no ecosystem {}{}", quoted(word), did_you_mean(word, names()));
        problems.add(node.at, what, format!("use {}", one_of(names())));
    }
    ecosystem
}

/// What a key that [`read_ecosystem`] reads looks like.
pub fn ecosystem_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": Ecosystem::WORDS.map(|(word, _)| word) })
}

/// The package of a name that stands at `at`, once its ecosystem is known too, or a problem.
pub fn read_package(ecosystem: Ecosystem, (at, name): (Spot, &str), problems: &mut Problems) -> Option<PackageId> {
    let package = package_named(ecosystem, name);
    if package.is_none() {
        let what = format!("{} is not the name of a package of {ecosystem}", quoted(name));
        problems.add(at, what, "write it as manifests do, without its version");
    }
    package
}

/// A repository of hooks: by its address, by host and path, or by owner and name where it lies on GitHub.
fn hooks(written: &str) -> Option<String> {
    let plain = written.trim_end_matches('/');
    pre_commit::repository(plain).or_else(|| {
        let host = plain.split('/').next().filter(|host| host.contains('.') && plain.matches('/').count() >= 2);
        let host = if host.is_some() { "" } else { "github.com/" };
        pre_commit::repository(&format!("https://{host}{plain}"))
    })
}

fn is_repository(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    name.split('/').count() == 2 && name.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_people_write_them() {
        for (ecosystem, written, name) in [
            (Ecosystem::Pypi, "Zope.Interface", Some("zope-interface")),
            (Ecosystem::Pypi, "a b", None),
            (Ecosystem::Docker, "python", Some("library/python")),
            (Ecosystem::Docker, "ghcr.io/acme/base", Some("ghcr.io/acme/base")),
            (Ecosystem::Docker, "acme/base", Some("acme/base")),
            (Ecosystem::Docker, "a b", None),
            (Ecosystem::GithubActions, "Actions/Checkout", Some("actions/checkout")),
            (Ecosystem::GithubActions, "checkout", None),
            (Ecosystem::PreCommit, "psf/black", Some("github.com/psf/black")),
            (Ecosystem::PreCommit, "https://github.com/PSF/black.git", Some("github.com/psf/black")),
            (Ecosystem::PreCommit, "gitlab.com/a/b", Some("gitlab.com/a/b")),
            (Ecosystem::Npm, "@acme/ui", Some("@acme/ui")),
            (Ecosystem::Cargo, "serde_json", Some("serde_json")),
            (Ecosystem::Cargo, "", None),
        ] {
            let found = package_named(ecosystem, written).map(|package| package.name);
            assert_eq!(found.as_deref(), name, "{ecosystem} {written}");
        }
    }
}

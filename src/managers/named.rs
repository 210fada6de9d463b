//! The package that people mean by a name, in the form the managers give it.

use super::image;
use super::package_json::selector;
use super::pre_commit;
use super::requirement;
use crate::domain::{Ecosystem, PackageId};

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

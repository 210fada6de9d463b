//! Where an image is: which registry, and what it is called there.

use crate::domain::PackageId;
use crate::registries::error::RegistryError;
use crate::registries::fetch::{Origin, origin, under};
use crate::registries::json::ascii_line;
use crate::registries::settings::{Base, DOCKER_URL, host_root};
use http::HeaderValue;
use reqwest::Url;

/// The longest image name that is asked for, host included.
const MAX_NAME_BYTES: usize = 255 + 1 + 255;

/// Finds the registry of an image.
pub(super) struct Places {
    docker: Option<Base>,
    private: Vec<Url>,
}

/// An image at its registry.
pub(super) struct Place {
    /// The registry's root: scheme, host, port.
    pub(super) root: Url,
    /// What the registry calls the image.
    pub(super) repository: String,
    /// The operator's credentials for the registry.
    pub(super) credentials: Option<HeaderValue>,
    /// Whether the registry's address is the operator's own rather than a file's.
    pub(super) is_operators: bool,
    /// Where a token for it may be asked for, apart from public hosts.
    pub(super) token_origins: Vec<Origin>,
}

impl Place {
    /// The address of something of the image.
    pub(super) fn url(&self, parts: &[&str]) -> Option<Url> {
        let name = self.repository.split('/');
        under(&self.root, &["v2"].into_iter().chain(name).chain(parts.iter().copied()).collect::<Vec<_>>())
    }

    /// The origins vouched for when the registry is asked.
    pub(super) fn trusted(&self) -> Vec<Origin> {
        if self.is_operators { vec![origin(&self.root)] } else { Vec::new() }
    }
}

impl Places {
    pub(super) fn new(docker: Option<Base>, private: Vec<Url>) -> Self {
        Self { docker, private }
    }

    /// The place of an image.
    ///
    /// Errors: `NotConfigured` if its name carries no host and none is set; `Refused` if the name is none.
    pub(super) fn of(&self, image: &PackageId) -> Result<Place, RegistryError> {
        let refused = |why: &str| RegistryError::Refused { address: ascii_line(&image.name), why: why.to_owned() };
        if image.name.len() > MAX_NAME_BYTES {
            return Err(refused("it is too long for an image's name"));
        }
        let (root, repository, docker) = match image.name.split_once('/').filter(|(first, _)| is_host(first)) {
            None => {
                let Some(docker) = &self.docker else {
                    return Err(RegistryError::NotConfigured {
                        package: ascii_line(&image.to_string()),
                        setting: DOCKER_URL,
                    });
                };
                let prefix = docker.url.path().trim_matches('/');
                let slash = if prefix.is_empty() { "" } else { "/" };
                (root_of(&docker.url), format!("{prefix}{slash}{}", image.name), Some(docker))
            }
            Some((first, repository)) => {
                let root = host_root("https", first).ok_or_else(|| refused("it does not begin with a host"))?;
                let of_docker = self.docker.as_ref().filter(|docker| is_named_by(&docker.url, first));
                let private = self.private.iter().find(|private| is_named_by(private, first));
                let root = of_docker.map(|docker| root_of(&docker.url)).or_else(|| private.cloned()).unwrap_or(root);
                (root, repository.to_owned(), of_docker)
            }
        };
        if !is_repository(&repository) {
            return Err(refused("it is not an image's name"));
        }
        let is_operators = docker.is_some() || self.private.iter().any(|private| origin(private) == origin(&root));
        // A public registry must not be able to send us to the operator's private hosts for a token.
        let token_origins = match is_operators {
            true => self.private.iter().map(origin).chain([origin(&root)]).collect(),
            false => Vec::new(),
        };
        let credentials = docker.and_then(|docker| docker.credentials.clone());
        Ok(Place { root, repository, credentials, is_operators, token_origins })
    }
}

/// Whether the first part of an image's name is a registry's host. Source: the image reference grammar.
fn is_host(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

/// Whether a file's `host:port` means this root.
fn is_named_by(root: &Url, authority: &str) -> bool {
    host_root(root.scheme(), authority).is_some_and(|named| origin(&named) == origin(root))
}

fn root_of(url: &Url) -> Url {
    let mut root = url.clone();
    root.set_path("/");
    root
}

/// Whether a text is a repository's name: parts of lower-case letters and digits with separators between.
fn is_repository(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let part = |part: &str| {
        let bytes = part.as_bytes();
        let ends = [bytes.first(), bytes.last()];
        ends.iter().all(|end| end.is_some_and(|byte| inner(*byte)))
            && bytes.iter().all(|byte| inner(*byte) || b"._-".contains(byte))
    };
    name.len() <= 255 && name.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Ecosystem;
    use crate::registries::settings::RegistrySettings;

    fn place(docker: &str, private: &[&str], name: &str) -> Result<Place, RegistryError> {
        let settings = RegistrySettings {
            docker_url: (!docker.is_empty()).then(|| docker.into()),
            private_hosts: private.iter().map(|host| (*host).into()).collect(),
            ..RegistrySettings::default()
        };
        let places = Places::new(settings.docker().unwrap(), settings.private().unwrap());
        places.of(&PackageId { ecosystem: Ecosystem::Docker, name: name.into() })
    }

    fn url(docker: &str, private: &[&str], name: &str) -> (String, bool) {
        let place = place(docker, private, name).unwrap();
        (place.url(&["tags", "list"]).unwrap().into(), place.is_operators)
    }

    #[test]
    fn names_lead_to_their_registry() {
        let own = |url: &str| (url.to_owned(), true);
        let public = |url: &str| (url.to_owned(), false);
        let hub = "https://hub.example.com";
        assert_eq!(url(hub, &[], "library/python"), own("https://hub.example.com/v2/library/python/tags/list"));
        assert_eq!(
            url("http://10.0.0.1/proxy/", &[], "acme/base"),
            own("http://10.0.0.1/v2/proxy/acme/base/tags/list"),
            "a path of the setting stands before the name"
        );
        assert_eq!(
            url(hub, &[], "images.example.com/acme/base"),
            public("https://images.example.com/v2/acme/base/tags/list")
        );
        assert_eq!(
            url("http://127.0.0.1:9/x", &[], "127.0.0.1:9/acme/base"),
            own("http://127.0.0.1:9/v2/acme/base/tags/list"),
            "a name with the operator's own host is complete"
        );
        assert_eq!(url(hub, &[], "localhost:5000/x"), public("https://localhost:5000/v2/x/tags/list"));
        assert_eq!(url(hub, &["localhost:5000"], "localhost:5000/x"), own("http://localhost:5000/v2/x/tags/list"));
        assert_eq!(url("", &["10.0.0.5:5000"], "10.0.0.5:5000/x"), own("https://10.0.0.5:5000/v2/x/tags/list"));
        assert_eq!(url("", &["[::1]:5000"], "[::1]:5000/x"), own("http://[::1]:5000/v2/x/tags/list"));
        assert_eq!(url("", &["localhost:5000"], "localhost:5001/x"), public("https://localhost:5001/v2/x/tags/list"));
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let hosts = ["a.example@evil.example/x", "a.example?/x", "a.example%2f/x", "a.example:99999/x", ".:/x"];
        let repositories =
            ["library/../x", "library//x", "Library/x", "library/x?", "x/-y", "host.example/", "host.example/é"];
        for name in hosts.iter().chain(&repositories) {
            let answer = place("https://hub.example.com", &[], name).map(|place| place.repository);
            assert!(matches!(answer, Err(RegistryError::Refused { .. })), "{name}: {answer:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_name_leads_out_of_the_registry(name in "[a-zA-Z0-9./:@%?#_-]{0,40}|\\PC{0,20}") {
            for docker in ["https://hub.example.com", "https://hub.example.com/proxy"] {
                let Ok(place) = place(docker, &[], &name) else { continue };
                let url = place.url(&["tags", "list"]).unwrap();
                let segments: Vec<&str> = url.path().split('/').collect();
                proptest::prop_assert!(url.path().starts_with("/v2/") && url.path().ends_with("/tags/list"), "{url}");
                proptest::prop_assert!(!segments.iter().any(|part| matches!(*part, "." | "..")), "{url}");
                proptest::prop_assert!(url.query().is_none() && url.fragment().is_none() && url.username().is_empty());
                let of_docker = url.host_str() == Some("hub.example.com");
                let in_name = name.to_ascii_lowercase().split('/').next().is_some_and(|first| first.contains(['.', ':']));
                proptest::prop_assert!(of_docker || in_name || name.starts_with("localhost/"), "{url}");
                proptest::prop_assert_eq!(place.is_operators, of_docker);
            }
        }
    }

    #[test]
    fn without_a_setting_the_error_names_it() {
        let answer = place("", &[], "library/python").map(|place| place.repository);
        assert!(answer.unwrap_err().to_string().contains("MASS_DRIVER_DOCKER_URL"));
    }
}

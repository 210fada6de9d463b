//! Images, as docker-registry (the CNCF project Distribution) holds them.

use crate::server::{Server, client, installed, listing, package, versions};
use mass_driver::domain::{Ecosystem, PackageId};
use mass_driver::registries::{Registries, RegistryError, RegistrySettings};
use reqwest::{RequestBuilder, Url};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::path::Path;
use tempfile::tempdir;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Who may do what: everybody everything, or one user whose name and password the registry invents at its start.
#[derive(PartialEq)]
enum Access {
    Everybody,
    OneUser,
}

struct Hub {
    server: Server,
    login: Option<(String, String)>,
}

impl Hub {
    /// A registry over what is in `storage` of its folder, which `prepare` may fill.
    fn start(access: Access, prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempdir().unwrap();
        let storage = folder.path().join("storage");
        prepare(&storage);
        let mut config = json!({
            "version": 0.1,
            "storage": { "filesystem": { "rootdirectory": storage } },
            "http": { "addr": "127.0.0.1:0", "secret": "for a test" },
        });
        if access == Access::OneUser {
            let users = folder.path().join("htpasswd");
            config["auth"] = json!({ "htpasswd": { "realm": "test", "path": users } });
        }
        // JSON is YAML.
        let file = folder.path().join("config.yml");
        fs::write(&file, config.to_string()).unwrap();
        let arguments = ["serve".into(), file.into_os_string()];
        let server = Server::start(folder, &installed("docker-registry"), arguments, "listening on ");
        let login = (access == Access::OneUser).then(|| invented(&server.printed()));
        Self { server, login }
    }

    fn url(&self, path: &str) -> String {
        format!("{}v2/{path}", self.server.url())
    }

    async fn send(&self, request: RequestBuilder) -> reqwest::Response {
        let request = match &self.login {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        };
        request.send().await.unwrap().error_for_status().unwrap()
    }

    /// Source: OCI distribution specification, "Pushing a blob monolithically", "POST then PUT".
    async fn blob(&self, image: &str, kind: &str, bytes: &[u8]) -> Value {
        let digest = sha256(bytes);
        let begun = self.send(client().post(self.url(&format!("{image}/blobs/uploads/")))).await;
        let place = begun.headers()["location"].to_str().unwrap();
        let mut place = Url::parse(&self.server.url()).unwrap().join(place).unwrap();
        place.query_pairs_mut().append_pair("digest", &digest);
        let put = client().put(place).header("content-type", "application/octet-stream").body(bytes.to_vec());
        self.send(put).await;
        json!({ "mediaType": kind, "digest": digest, "size": bytes.len() })
    }

    /// Puts a manifest under a tag or digest. Returns its descriptor.
    async fn manifest(&self, image: &str, kind: &str, content: &Value, name: Option<&str>) -> Value {
        let bytes = content.to_string().into_bytes();
        let digest = sha256(&bytes);
        let url = self.url(&format!("{image}/manifests/{}", name.unwrap_or(&digest)));
        let size = bytes.len();
        self.send(client().put(url).header("content-type", kind).body(bytes)).await;
        json!({ "mediaType": kind, "digest": digest, "size": size })
    }

    /// An image for one platform, under a tag or its digest alone.
    async fn image(&self, image: &str, architecture: &str, content: &str, tag: Option<&str>) -> Value {
        let config = json!({ "architecture": architecture, "os": "linux", "created": "1970-01-01T00:00:00Z",
            "rootfs": { "type": "layers", "diff_ids": [sha256(content.as_bytes())] } });
        let kind = "application/vnd.oci.image.config.v1+json";
        let config = self.blob(image, kind, config.to_string().as_bytes()).await;
        let layer = self.blob(image, "application/vnd.oci.image.layer.v1.tar", content.as_bytes()).await;
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer] });
        self.manifest(image, MANIFEST, &manifest, tag).await
    }

    /// An image for two platforms under a tag. Returns the digest of its index.
    async fn index(&self, image: &str, content: &str, tag: &str) -> String {
        let mut manifests = Vec::new();
        for architecture in ["amd64", "arm64"] {
            let mut one = self.image(image, architecture, content, None).await;
            one["platform"] = json!({ "architecture": architecture, "os": "linux" });
            manifests.push(one);
        }
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        text(&self.manifest(image, INDEX, &index, Some(tag)).await["digest"])
    }

    fn settings(&self, login: Option<&(String, String)>) -> RegistrySettings {
        let login = login.map(|(user, password)| format!("{user}:{password}@")).unwrap_or_default();
        let url = format!("http://{login}{}/", self.server.address);
        RegistrySettings { docker_url: Some(url), ..RegistrySettings::default() }
    }

    fn registries(&self) -> Registries {
        Registries::new(&self.settings(self.login.as_ref())).unwrap()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The user and password of a line `… password=p user=u`.
fn invented(printed: &str) -> (String, String) {
    let word = |key: &str| {
        let (_, rest) = printed.split_once(key).unwrap_or_else(|| panic!("no {key} in {printed}"));
        rest.split_whitespace().next().unwrap().to_owned()
    };
    (word(" user="), word(" password="))
}

fn image(name: &str) -> PackageId {
    package(Ecosystem::Docker, name)
}

#[tokio::test]
async fn real_docker_registry_gives_tags_and_the_digest_of_the_index() {
    let hub = Hub::start(Access::Everybody, |_| {});
    let registries = hub.registries();
    let single = hub.image("acme/base", "amd64", "one", Some("1.0")).await;
    let first = hub.index("acme/base", "two", "1.1-slim").await;

    let found = listing(registries.releases(&image("acme/base"), None).await);
    assert_eq!(versions(&found.releases), ["1.0", "1.1-slim"]);
    assert!(found.releases.iter().all(|release| release.published_at.is_none()), "an image's own date is not believed");
    assert_eq!(registries.digest(&image("acme/base"), "1.0").await.unwrap(), text(&single["digest"]));
    assert_eq!(registries.digest(&image("acme/base"), "1.1-slim").await.unwrap(), first, "the index, not a platform");

    let moved = hub.index("acme/base", "three", "1.1-slim").await;
    assert_ne!(moved, first);
    assert_eq!(registries.digest(&image("acme/base"), "1.1-slim").await.unwrap(), moved);

    for error in [
        registries.digest(&image("acme/base"), "9.9").await.unwrap_err(),
        registries.digest(&image("acme/absent"), "1.0").await.unwrap_err(),
        registries.releases(&image("acme/absent"), None).await.unwrap_err(),
    ] {
        assert!(matches!(error, RegistryError::NotFound { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn real_docker_registry_is_asked_by_the_host_in_a_name_only_where_the_operator_says_so() {
    let hub = Hub::start(Access::Everybody, |_| {});
    let digest = hub.index("acme/base", "x", "1.0").await;
    let host = hub.server.address.to_string();
    let named = image(&format!("{host}/acme/base"));
    let allowed = RegistrySettings { private_hosts: vec![host], ..RegistrySettings::default() };
    let allowed = Registries::new(&allowed).unwrap();
    assert_eq!(versions(&listing(allowed.releases(&named, None).await).releases), ["1.0"]);
    assert_eq!(allowed.digest(&named, "1.0").await.unwrap(), digest);
    let error = Registries::new(&RegistrySettings::default()).unwrap().releases(&named, None).await.unwrap_err();
    assert!(matches!(error, RegistryError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn real_docker_registry_with_a_password_is_shown_it_and_hides_without() {
    let hub = Hub::start(Access::OneUser, |_| {});
    let digest = hub.index("acme/base", "x", "1.0").await;
    let registries = hub.registries();
    assert_eq!(versions(&listing(registries.releases(&image("acme/base"), None).await).releases), ["1.0"]);
    assert_eq!(registries.digest(&image("acme/base"), "1.0").await.unwrap(), digest);

    let wrong = ("docker".to_owned(), "wrong".to_owned());
    for login in [None, Some(&wrong)] {
        let registries = Registries::new(&hub.settings(login)).unwrap();
        let error = registries.releases(&image("acme/base"), None).await.unwrap_err();
        assert!(matches!(error, RegistryError::Denied { .. }), "{error:?}");
    }
}

/// More than anybody gets on one page, where the registry has pages (version 3 does; version 2 gives all at once).
#[tokio::test]
async fn real_docker_registry_lists_every_one_of_thousands_of_tags() {
    let names: Vec<String> = (0..2_500).map(|n| format!("1.{n}.0")).collect();
    // As the registry would have written it: pushing them takes longer than everything else here.
    let hub = Hub::start(Access::Everybody, |storage| {
        let tags = storage.join("docker/registry/v2/repositories/acme/many/_manifests/tags");
        for name in &names {
            let current = tags.join(name).join("current");
            fs::create_dir_all(&current).unwrap();
            fs::write(current.join("link"), sha256(name.as_bytes())).unwrap();
        }
    });
    let found = listing(hub.registries().releases(&image("acme/many"), None).await);
    let mut expected: Vec<&str> = names.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(versions(&found.releases), expected);
}

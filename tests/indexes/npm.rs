//! Packuments, as verdaccio gives them.

use crate::server::{Server, client, here, installed, listing, output, package, release, versions};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use mass_driver::domain::Ecosystem;
use mass_driver::registries::{Answer, Registries, RegistryError, RegistrySettings};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::tempdir;

struct Verdaccio {
    server: Server,
}

impl Verdaccio {
    fn start() -> Self {
        let folder = tempdir().unwrap();
        let script = here("tests/indexes/servers/verdaccio.cjs");
        let arguments = [script.into(), installed("node_modules").into_os_string(), folder.path().into()];
        Self { server: Server::start(folder, Path::new("node"), arguments, "Serving on http://") }
    }

    fn url(&self, name: &str) -> String {
        format!("{}{}", self.server.url(), name.replace('/', "%2f"))
    }

    async fn document(&self, name: &str) -> Value {
        client().get(self.url(name)).send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    async fn put(&self, name: &str, document: &Value) {
        client().put(self.url(name)).json(document).send().await.unwrap().error_for_status().unwrap();
    }

    /// As `npm publish` does it, with a tarball that nobody will open.
    async fn publish(&self, name: &str, version: &str) {
        let tarball = format!("{name}-{version}.tgz");
        let manifest = json!({ "name": name, "version": version, "dist": { "tarball": format!("http://files.example/{tarball}") } });
        let attachment =
            json!({ "content_type": "application/octet-stream", "data": STANDARD.encode("x"), "length": 1 });
        let document = json!({
            "_id": name, "name": name, "dist-tags": { "latest": version },
            "versions": { version: manifest }, "_attachments": { tarball: attachment },
        });
        self.put(name, &document).await;
    }

    /// As `npm deprecate` does it.
    async fn deprecate(&self, name: &str, version: &str) {
        let mut document = self.document(name).await;
        document["versions"][version]["deprecated"] = json!("broken");
        self.put(name, &document).await;
    }

    fn registries(&self) -> Registries {
        let settings = RegistrySettings { npm_url: Some(self.server.url()), ..RegistrySettings::default() };
        Registries::new(&settings).unwrap()
    }
}

#[tokio::test]
async fn real_verdaccio_gives_times_deprecations_and_etags() {
    let verdaccio = Verdaccio::start();
    let registries = verdaccio.registries();
    let demo = package(Ecosystem::Npm, "demo-pkg");
    verdaccio.publish("demo-pkg", "1.0.0").await;
    verdaccio.publish("demo-pkg", "1.1.0").await;

    let first = listing(registries.releases(&demo, None).await);
    assert_eq!(versions(&first.releases), ["1.0.0", "1.1.0"]);
    let document = verdaccio.document("demo-pkg").await;
    for release in &first.releases {
        let time: Timestamp = document["time"][&release.version].as_str().unwrap().parse().unwrap();
        assert_eq!((release.published_at, release.yanked), (Some(time), false), "{}", release.version);
    }
    let etag = first.etag.expect("verdaccio gives one");
    assert_eq!(registries.releases(&demo, Some(&etag)).await.unwrap(), Answer::NotModified);

    verdaccio.deprecate("demo-pkg", "1.1.0").await;
    let second = listing(registries.releases(&demo, Some(&etag)).await);
    let yanked = |version| release(&second.releases, version).yanked;
    assert_eq!(["1.0.0", "1.1.0"].map(yanked), [false, true]);
    assert_eq!(registries.releases(&demo, second.etag.as_deref()).await.unwrap(), Answer::NotModified);

    let error = registries.releases(&package(Ecosystem::Npm, "absent"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error:?}");
}

/// npm itself publishes here, so that document and tarball are what it sends.
#[tokio::test]
async fn real_verdaccio_has_the_scoped_package_that_npm_published() {
    let verdaccio = Verdaccio::start();
    let folder = tempdir().unwrap();
    let manifest = json!({ "name": "@acme/thing", "version": "0.1.0-rc.1", "license": "MIT" });
    fs::write(folder.path().join("package.json"), manifest.to_string()).unwrap();
    // npm publishes nothing without credentials, which this registry does not ask for.
    let login = format!("//{}/:_authToken=none\n", verdaccio.server.address);
    fs::write(folder.path().join(".npmrc"), login).unwrap();
    let mut npm = Command::new("npm");
    npm.args(["publish", "--silent", "--tag=next", "--registry", &verdaccio.server.url()]).current_dir(folder.path());
    output(&mut npm, b"");
    let found = listing(verdaccio.registries().releases(&package(Ecosystem::Npm, "@acme/thing"), None).await);
    assert_eq!(versions(&found.releases), ["0.1.0-rc.1"]);
    assert!(found.releases[0].published_at.is_some());
}

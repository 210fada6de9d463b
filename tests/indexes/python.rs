//! Simple indexes, as devpi, a mirror of bandersnatch and pypiserver give them.

use crate::server::{Server, client, files, here, installed, listing, output, package, python, release, versions};
use crate::wheel::Wheel;
use mass_driver::domain::Ecosystem;
use mass_driver::registries::{Answer, Registries, RegistryError, RegistrySettings};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::{TempDir, tempdir};

const PASSWORD: &str = "not a secret";

fn registries(index: &str) -> Registries {
    let settings = RegistrySettings { pypi_url: Some(index.to_owned()), ..RegistrySettings::default() };
    Registries::new(&settings).unwrap()
}

/// devpi with an index `root/dev` that has nothing above it, and the token of its owner.
struct Devpi {
    server: Server,
    token: String,
}

impl Devpi {
    async fn start() -> Self {
        let folder = tempdir().unwrap();
        let data = folder.path().join("data");
        let run = |program: &str| installed("python/bin").join(program);
        let init = ["--no-root-pypi", "--root-passwd", PASSWORD, "--serverdir"];
        output(Command::new(run("devpi-init")).args(init).arg(&data), b"");
        // Without a secret of ours it makes one up, by arithmetic that takes most of a minute and half a gigabyte.
        let secret = folder.path().join("secret");
        fs::write(&secret, "for a test: 0123456789 abcdefghijklmnopqrstuvwxyz").unwrap();
        output(Command::new("chmod").arg("600").arg(&secret), b"");
        let (secret, data) = (format!("--secretfile={}", secret.display()), format!("--serverdir={}", data.display()));
        let cheap = ["--argon2-memory-cost=8", "--argon2-time-cost=1", "--argon2-parallelism=1"];
        let arguments = ["--host=127.0.0.1", "--port=0", &secret, &data].into_iter().chain(cheap);
        let server = Server::start(folder, &run("devpi-server"), arguments, "Serving on http://");

        let login = json!({ "user": "root", "password": PASSWORD });
        let url = format!("{}+login", server.url());
        let answer = client().post(url).header("accept", "application/json").json(&login).send().await.unwrap();
        let answer: Value = answer.error_for_status().unwrap().json().await.unwrap();
        let devpi = Self { token: answer["result"]["password"].as_str().unwrap().to_owned(), server };
        let index = json!({ "type": "stage", "bases": [], "volatile": true });
        devpi.send(Method::PUT, "root/dev", "application/json", index.to_string().into_bytes()).await;
        devpi
    }

    async fn send(&self, method: Method, path: &str, kind: &str, body: Vec<u8>) {
        let request = client().request(method, format!("{}{path}", self.server.url()));
        let request = request.basic_auth("root", Some(&self.token)).header("x-devpi-auth", self.token_header());
        let headed = request.header("content-type", kind).header("accept", "application/json");
        headed.body(body).send().await.unwrap().error_for_status().unwrap();
    }

    fn token_header(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("root:{}", self.token))
    }

    /// As twine uploads.
    async fn upload(&self, wheel: &Wheel) {
        let mut form = Vec::new();
        let fields = [(":action", "file_upload"), ("name", "demo-pkg"), ("version", wheel.version)];
        for (name, value) in fields.into_iter().chain([("filetype", "bdist_wheel"), ("pyversion", "py3")]) {
            let part = format!("--part\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            form.extend(part.into_bytes());
        }
        let file = format!(
            "--part\r\nContent-Disposition: form-data; name=\"content\"; filename=\"{}\"\r\n\r\n",
            wheel.filename
        );
        form.extend(file.into_bytes());
        form.extend(&wheel.bytes);
        form.extend(b"\r\n--part--\r\n");
        self.send(Method::POST, "root/dev/", "multipart/form-data; boundary=part", form).await;
    }

    fn simple(&self) -> String {
        format!("{}root/dev/+simple/", self.server.url())
    }
}

/// devpi speaks version 1.0 of the JSON form: hashes, and neither times nor a list of versions, nor an ETag.
#[tokio::test]
async fn real_devpi_lists_releases_with_hashes_that_pip_takes() {
    let devpi = Devpi::start().await;
    let wheels = ["1.0", "1.1", "2.0rc1"].map(Wheel::new);
    for wheel in &wheels {
        devpi.upload(wheel).await;
    }
    let registries = registries(&devpi.simple());
    let demo = package(Ecosystem::Pypi, "demo-pkg");

    let found = listing(registries.releases(&demo, None).await);
    assert_eq!(versions(&found.releases), ["1.0", "1.1", "2.0rc1"]);
    assert!(found.releases.iter().all(|release| release.published_at.is_none() && !release.yanked), "{found:?}");
    assert_eq!(found.etag, None);

    let hashes = registries.hashes(&demo, "1.1").await.unwrap().unwrap();
    assert_eq!(hashes, [wheels[1].hash()]);
    let error = registries.hashes(&demo, "1.2").await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error:?}");
    let error = registries.releases(&package(Ecosystem::Pypi, "absent"), None).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{} does not have pypi/absent", devpi.server.address));

    // The hash is one that pip installs by.
    let requirements = devpi.server.folder.path().join("requirements.txt");
    fs::write(&requirements, format!("demo-pkg==1.1 --hash={}\n", hashes[0])).unwrap();
    let install =
        ["-m", "pip", "--isolated", "install", "--dry-run", "--no-deps", "--no-cache-dir", "--require-hashes"];
    let mut pip = Command::new(python());
    pip.args(install).args(["--disable-pip-version-check", "--index-url", &devpi.simple(), "-r"]).arg(&requirements);
    let said = output(&mut pip, b"");
    assert!(said.contains("Would install demo-pkg-1.1") || said.contains("Would install demo_pkg-1.1"), "{said}");
}

/// The page of a mirror: a folder with it, made by bandersnatch from metadata as indexes publish them.
fn mirror(root: &Path, releases: &[(&Wheel, &str, bool)]) {
    let file = |(wheel, uploaded, yanked): &(&Wheel, &str, bool)| {
        let file = json!({
            "filename": wheel.filename, "url": format!("https://files.example/packages/{}", wheel.filename),
            "digests": { "sha256": wheel.hash().trim_start_matches("sha256:") }, "size": wheel.bytes.len(),
            "requires_python": null, "upload_time_iso_8601": uploaded, "yanked": yanked, "yanked_reason": null,
        });
        (wheel.version.to_owned(), json!([file]))
    };
    let mut files: serde_json::Map<String, Value> = releases.iter().map(file).collect();
    files.insert("0.1".into(), json!([]));
    let metadata = json!({ "info": { "name": "Demo.Pkg" }, "last_serial": 1, "releases": files });
    let script = here("tests/indexes/servers/mirror_page.py");
    let page = output(Command::new(python()).arg(script), metadata.to_string().as_bytes());
    let folder = root.join("simple/demo-pkg");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("index.v1_json"), page).unwrap();
}

/// bandersnatch writes version 1.1: hashes, times, yanked files and versions; a file server adds ETags.
#[tokio::test]
async fn real_bandersnatch_mirrors_have_times_hashes_and_yanks_and_are_read_once() {
    let folder = tempdir().unwrap();
    let root = folder.path().to_owned();
    let [old, bad, new] = ["1.0", "1.1", "2.0"].map(Wheel::new);
    let first = "2026-01-02T03:04:05.123456Z";
    mirror(&root, &[(&old, first, false), (&bad, "2026-02-02T00:00:00Z", true)]);
    let server = files(folder);
    let registries = registries(&format!("{}simple/", server.url()));
    let demo = package(Ecosystem::Pypi, "demo-pkg");

    let found = listing(registries.releases(&demo, None).await);
    assert_eq!(versions(&found.releases), ["0.1", "1.0", "1.1"]);
    assert_eq!(release(&found.releases, "1.0").published_at, Some(first.parse().unwrap()));
    let yanked = |version: &str| release(&found.releases, version).yanked;
    assert_eq!(["0.1", "1.0", "1.1"].map(yanked), [true, false, true], "a version without files cannot be installed");
    assert_eq!(registries.hashes(&demo, "1.0").await.unwrap().unwrap(), [old.hash()]);

    let etag = found.etag.expect("the file server gives one");
    assert_eq!(registries.releases(&demo, Some(&etag)).await.unwrap(), Answer::NotModified);
    mirror(&root, &[(&old, first, false), (&bad, "2026-02-02T00:00:00Z", true), (&new, "2026-03-03T00:00:00Z", false)]);
    let found = listing(registries.releases(&demo, Some(&etag)).await);
    assert_eq!(versions(&found.releases), ["0.1", "1.0", "1.1", "2.0"]);
    assert_ne!(found.etag, Some(etag));
}

/// pypiserver has web pages alone.
#[tokio::test]
async fn real_pypiserver_has_no_json_and_the_error_says_so() {
    let folder: TempDir = tempdir().unwrap();
    let wheel = Wheel::new("1.0");
    fs::write(folder.path().join(&wheel.filename), &wheel.bytes).unwrap();
    let script = here("tests/indexes/servers/pypi_pages.py");
    let arguments = [script.into_os_string(), folder.path().into()];
    let server = Server::start(folder, &python(), arguments, "Serving on http://");
    let registries = registries(&format!("{}simple/", server.url()));
    let error = registries.releases(&package(Ecosystem::Pypi, "demo-pkg"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::Protocol { .. }), "{error:?}");
    let said = format!(
        "{} gave an answer that is not understood: `text/html; charset=UTF-8` came where JSON (PEP 691) was asked for",
        server.address
    );
    assert_eq!(error.to_string(), said);
}

//! The stand-in, met over HTTP as a client meets it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use jiff::{SignedDuration, Timestamp};
use registry_sim::{FaultKind, RegistrySim};
use reqwest::{Client, Method, Response, redirect};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const SIMPLE: &str = "application/vnd.pypi.simple.v1+json";

/// A registry whose clock starts at 2026-01-01 and stands still until moved.
struct Scene {
    registry: RegistrySim,
    seconds: Arc<AtomicI64>,
    client: Client,
}

fn scene() -> Scene {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let seconds = Arc::new(AtomicI64::new(0));
    let read = Arc::clone(&seconds);
    let clock = move || start + SignedDuration::from_secs(read.load(Ordering::SeqCst));
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
    Scene { registry: RegistrySim::start(Arc::new(clock)).unwrap(), seconds, client }
}

impl Scene {
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        self.send(Method::GET, path, headers).await
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        let url = if path.starts_with("http") { path.into() } else { format!("{}{path}", self.registry.oci_url()) };
        let mut request = self.client.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    async fn json(&self, path: &str, headers: &[(&str, &str)]) -> Value {
        let response = self.get(path, headers).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    /// The value of `Authorization` for pulling an image.
    async fn bearer(&self, image: &str) -> String {
        let path = format!("/token?service=registry-sim&scope=repository:{image}:pull");
        format!("Bearer {}", self.json(&path, &[]).await["token"].as_str().unwrap())
    }
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn deps_dev_answers_as_documented() {
    let scene = scene();
    scene.registry.release("HTTPX", "0.27.0");
    scene.registry.release_undated("httpx", "0.28.0");
    scene.registry.release_at("httpx", "0.29.0", "2025-06-01T12:00:00Z".parse().unwrap());
    scene.registry.yank("httpx", "0.29.0");
    let key = |version: &str| json!({"system": "PYPI", "name": "httpx", "version": version});
    assert_eq!(
        scene.json("/v3/systems/pypi/packages/httpx", &[]).await,
        json!({
            "packageKey": {"system": "PYPI", "name": "httpx"},
            "versions": [
                {"versionKey": key("0.27.0"), "publishedAt": "2026-01-01T00:00:00Z", "isDefault": false, "isDeprecated": false},
                {"versionKey": key("0.28.0"), "isDefault": true, "isDeprecated": false},
                {"versionKey": key("0.29.0"), "publishedAt": "2025-06-01T12:00:00Z", "isDefault": false, "isDeprecated": true},
            ],
        })
    );
    scene.registry.delete_release("httpx", "0.28.0");
    assert_eq!(scene.json("/v3/systems/PYPI/packages/httpx", &[]).await["versions"].as_array().unwrap().len(), 2);
    assert_eq!(scene.get("/v3/systems/pypi/packages/absent", &[]).await.status(), 404);
    assert_eq!(scene.get("/v3/systems/npm/packages/httpx", &[]).await.status(), 404);
    assert_eq!(scene.get("/v3/systems/nonsense/packages/httpx", &[]).await.status(), 400);
}

#[tokio::test]
async fn simple_pages_carry_what_the_standards_ask_for() {
    let scene = scene();
    scene.registry.release("zope.interface", "6.0");
    scene.registry.release_undated("zope.interface", "6.1");
    scene.registry.yank("zope.interface", "6.0");

    let moved = scene.get("/simple/Zope.Interface/", &[("accept", SIMPLE)]).await;
    assert_eq!((moved.status().as_u16(), header(&moved, "location")), (301, "/simple/zope-interface/"));
    let page = scene.get("/simple/zope-interface/", &[("accept", SIMPLE)]).await;
    assert_eq!(header(&page, "content-type"), SIMPLE);
    let etag = header(&page, "etag").to_owned();
    let page: Value = page.json().await.unwrap();
    assert_eq!(page["meta"]["api-version"], "1.1");
    assert_eq!(page["name"], "zope-interface");
    assert_eq!(page["versions"], json!(["6.0", "6.1"]));
    let files = page["files"].as_array().unwrap();
    assert_eq!(files.len(), 4);
    assert_eq!(files[0]["filename"], "zope_interface-6.0.tar.gz");
    assert_eq!(files[0]["upload-time"], "2026-01-01T00:00:00Z");
    assert_eq!(files[0]["yanked"], "taken back");
    assert_eq!(files[2]["yanked"], false);
    assert!(files[2].get("upload-time").is_none());
    let bytes = scene.get(files[0]["url"].as_str().unwrap(), &[]).await.bytes().await.unwrap();
    assert_eq!(files[0]["hashes"]["sha256"], hex::encode(Sha256::digest(&bytes)));
    assert_eq!(files[0]["size"], bytes.len());

    let again = [("accept", SIMPLE), ("if-none-match", etag.as_str())];
    let unchanged = scene.get("/simple/zope-interface/", &again).await;
    assert_eq!((unchanged.status().as_u16(), header(&unchanged, "etag")), (304, etag.as_str()));
    scene.registry.release("zope.interface", "6.2");
    assert_eq!(scene.get("/simple/zope-interface/", &again).await.status(), 200);
    assert_eq!(scene.get("/simple/absent/", &[("accept", SIMPLE)]).await.status(), 404);
    assert_eq!(scene.get("/simple/zope-interface/", &[("accept", "text/html")]).await.status(), 406);
}

#[tokio::test]
async fn images_are_shown_only_to_the_bearer_of_a_fresh_token_for_them() {
    let scene = scene();
    scene.registry.tag("acme/base", "1.0");
    let list = "/v2/acme/base/tags/list";

    let refused = scene.get(list, &[]).await;
    assert_eq!(refused.status(), 401);
    assert_eq!(
        header(&refused, "www-authenticate"),
        format!(
            r#"Bearer realm="{}/token",service="registry-sim",scope="repository:acme/base:pull""#,
            scene.registry.oci_url()
        )
    );
    let bearer = scene.bearer("acme/base").await;
    let tags = scene.json(list, &[("authorization", &bearer)]).await;
    assert_eq!(tags, json!({"name": "acme/base", "tags": ["1.0"]}));

    let other = scene.bearer("acme/other").await;
    let refused = scene.get(list, &[("authorization", &other)]).await;
    assert_eq!(refused.status(), 401);
    assert!(header(&refused, "www-authenticate").contains("insufficient_scope"));
    let missing = scene.get("/v2/acme/other/tags/list", &[("authorization", &other)]).await;
    assert_eq!(missing.status(), 404);
    assert_eq!(missing.json::<Value>().await.unwrap()["errors"][0]["code"], "NAME_UNKNOWN");

    scene.seconds.store(300, Ordering::SeqCst);
    let expired = scene.get(list, &[("authorization", &bearer)]).await;
    assert_eq!(expired.status(), 401);
    assert!(header(&expired, "www-authenticate").contains("invalid_token"));
}

#[tokio::test]
async fn tags_come_in_pages_and_in_order() {
    let scene = scene();
    for tag in ["b", "a", "d", "c", "e"] {
        scene.registry.tag("acme/base", tag);
    }
    let bearer = scene.bearer("acme/base").await;
    let auth = [("authorization", bearer.as_str())];
    let first = scene.get("/v2/acme/base/tags/list?n=2", &auth).await;
    assert_eq!(header(&first, "link"), r#"</v2/acme/base/tags/list?last=b&n=2>; rel="next""#);
    assert_eq!(first.json::<Value>().await.unwrap()["tags"], json!(["a", "b"]));
    let last = scene.get("/v2/acme/base/tags/list?n=2&last=d", &auth).await;
    assert_eq!(header(&last, "link"), "");
    assert_eq!(last.json::<Value>().await.unwrap()["tags"], json!(["e"]));
    scene.registry.tags_per_page(3);
    let capped = scene.get("/v2/acme/base/tags/list?n=100", &auth).await;
    assert_eq!(header(&capped, "link"), r#"</v2/acme/base/tags/list?last=c&n=3>; rel="next""#);
    assert_eq!(scene.get("/v2/acme/base/tags/list?n=x", &auth).await.status(), 400);
}

#[tokio::test]
async fn a_digest_is_the_hash_of_what_is_served() {
    let scene = scene();
    let digest = scene.registry.tag("library/python", "3.12");
    assert_eq!(scene.registry.tag("library/python", "3.12"), digest, "a tag that exists stays where it is");
    let bearer = scene.bearer("library/python").await;
    let with_index = [("authorization", bearer.as_str()), ("accept", INDEX)];
    let path = "/v2/library/python/manifests/3.12";

    let head = scene.send(Method::HEAD, path, &with_index).await;
    assert_eq!((head.status().as_u16(), header(&head, "docker-content-digest")), (200, digest.as_str()));
    assert!(header(&head, "content-length").parse::<usize>().unwrap() > 0);
    assert_eq!(head.bytes().await.unwrap().len(), 0);
    let full = scene.get(path, &with_index).await;
    assert_eq!(header(&full, "content-type"), INDEX);
    let bytes = full.bytes().await.unwrap();
    assert_eq!(format!("sha256:{}", hex::encode(Sha256::digest(&bytes))), digest);
    let index: Value = serde_json::from_slice(&bytes).unwrap();
    for platform in index["manifests"].as_array().unwrap() {
        let named = platform["digest"].as_str().unwrap();
        let manifest = scene.get(&format!("/v2/library/python/manifests/{named}"), &with_index).await;
        let bytes = manifest.bytes().await.unwrap();
        assert_eq!(format!("sha256:{}", hex::encode(Sha256::digest(&bytes))), named);
    }

    let plain = scene.send(Method::HEAD, path, &with_index[..1]).await;
    assert_eq!(
        header(&plain, "docker-content-digest"),
        index["manifests"][0]["digest"],
        "a client that knows no index gets one platform"
    );
    let moved = scene.registry.move_tag("library/python", "3.12");
    assert_ne!(moved, digest);
    let head = scene.send(Method::HEAD, path, &with_index).await;
    assert_eq!(header(&head, "docker-content-digest"), moved);
    let old = format!("/v2/library/python/manifests/{digest}");
    assert_eq!(scene.get(&old, &with_index).await.status(), 200, "the old image is still there by digest");
    assert_eq!(scene.get("/v2/library/python/manifests/none", &with_index).await.status(), 404);
}

#[tokio::test]
async fn faults_take_the_place_of_answers_and_requests_are_noted() {
    let scene = scene();
    scene.registry.release("httpx", "0.28.0");
    let page = "/v3/systems/pypi/packages/httpx";

    scene.registry.fault("/v3/*", FaultKind::Status(500), 1);
    scene.registry.fault("/v3/*", FaultKind::RateLimited { retry_after_seconds: 7 }, 1);
    assert_eq!(scene.get(page, &[]).await.status(), 500);
    let limited = scene.get(page, &[]).await;
    assert_eq!((limited.status().as_u16(), header(&limited, "retry-after")), (429, "7"));
    assert_eq!(scene.get(page, &[("if-none-match", "\"x\"")]).await.status(), 200);
    let seen: Vec<_> = scene.registry.requests().into_iter().map(|seen| (seen.conditional, seen.status)).collect();
    assert_eq!(seen, [(false, Some(500)), (false, Some(429)), (true, Some(200))]);
    assert_eq!(scene.registry.requests()[0].path, page);
    scene.registry.clear_requests();
    assert!(scene.registry.requests().is_empty());

    scene.registry.fault(page, FaultKind::CutBody, 1);
    assert!(scene.get(page, &[]).await.bytes().await.is_err());
    scene.registry.fault(page, FaultKind::GarbageJson, 1);
    assert!(scene.get(page, &[]).await.json::<Value>().await.is_err());
    scene.registry.fault(page, FaultKind::HugeBody { bytes: 1_000_000 }, 1);
    assert!(scene.get(page, &[]).await.bytes().await.unwrap().len() >= 1_000_000);
    scene.registry.fault(page, FaultKind::Hang, 1);
    let url = format!("{}{page}", scene.registry.deps_dev_url());
    let hung = tokio::spawn(scene.client.get(url).send());
    while scene.registry.requests().last().is_none_or(|seen| seen.status.is_some()) {
        tokio::task::yield_now().await;
    }
    assert!(!hung.is_finished());
    hung.abort();
    assert_eq!(scene.get(page, &[]).await.status(), 200);
}

#[tokio::test]
async fn publishers_say_where_to_read_more() {
    let scene = scene();
    scene.registry.pypi().release("HTTPX", "0.28.0");
    scene.registry.pypi().source("httpx", "https://example.com/encode/httpx");
    let one = scene.json("/v3/systems/PyPI/packages/httpx/versions/0.28.0", &[]).await;
    assert_eq!(one["links"], json!([{"label": "SOURCE_REPO", "url": "https://example.com/encode/httpx"}]));
    assert_eq!(one["versionKey"]["version"], "0.28.0");
    assert_eq!(scene.get("/v3/systems/pypi/packages/httpx/versions/1.0.0", &[]).await.status(), 404);
    assert_eq!(scene.get("/v3/systems/go/packages/httpx/versions/0.28.0", &[]).await.status(), 404);
    assert_eq!(scene.get("/v3/systems/none/packages/httpx/versions/0.28.0", &[]).await.status(), 400);

    scene.registry.npm().release("@a/b", "1.0.0");
    scene.registry.npm().source("@a/b", "git+https://example.com/a/b.git");
    scene.registry.npm().homepage("@a/b", "https://b.example");
    for path in ["/npm/@a%2Fb/1.0.0", "/npm/@a%2Fb"] {
        let document = scene.json(path, &[]).await;
        assert_eq!(document["repository"]["url"], "git+https://example.com/a/b.git", "{path}");
        assert_eq!(document["homepage"], "https://b.example");
    }
    let abbreviated = [("accept", "application/vnd.npm.install-v1+json")];
    assert_eq!(scene.json("/npm/@a%2Fb", &abbreviated).await["homepage"], Value::Null);
    assert_eq!(scene.get("/npm/@a%2Fb/2.0.0", &[]).await.status(), 404);
}

//! Python packages by way of the deps.dev API.

use crate::scene::{Scene, javascript, krate, listing, python, release, start, versions};
use mass_driver::domain::{Ecosystem, PackageId};
use mass_driver::registries::{FoundRelease, Links, RegistryError};
use registry_sim::FaultKind;

#[tokio::test]
async fn releases_come_with_their_times_and_yanks() {
    let scene = Scene::new();
    scene.sim.release("httpx", "0.27.0");
    scene.sim.release_undated("httpx", "0.27.1");
    scene.sim.release("httpx", "0.28.0");
    scene.sim.yank("httpx", "0.28.0");
    let found = listing(scene.registries().releases(&python("httpx"), None).await);
    let yanked = FoundRelease { yanked: true, ..release("0.28.0", Some(start())) };
    assert_eq!(found.releases, [release("0.27.0", Some(start())), release("0.27.1", None), yanked]);
    assert_eq!(found.etag, None, "this registry gives none");
    assert_eq!(scene.seen(), ["GET /v3/systems/pypi/packages/httpx 200"]);
    assert_eq!(scene.registries().registry(Ecosystem::Pypi).unwrap().name(), "deps.dev");
}

#[tokio::test]
async fn an_unknown_package_is_not_found() {
    let scene = Scene::new();
    let registries = scene.registries();
    let error = registries.releases(&python("absent"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }) && !error.may_pass(), "{error:?}");
    assert_eq!(error.to_string(), format!("{} does not have pypi/absent", scene.sim.authority()));
    for odd in ["..", "../../secrets", "a/b", "a?b", "a#b", "", "é"] {
        let error = registries.releases(&python(odd), None).await.unwrap_err();
        assert!(matches!(error, RegistryError::NotFound { .. } | RegistryError::Protocol { .. }), "{odd}: {error:?}");
    }
    assert!(scene.sim.requests().iter().all(|seen| seen.path.starts_with("/v3/systems/pypi/packages/")));
}

#[tokio::test]
async fn packages_of_other_ecosystems_are_asked_for_by_their_own_names() {
    let scene = Scene::new();
    let node = scene.sim.npm();
    node.release("@types/node", "24.1.0");
    node.release("@types/node", "24.1.1");
    node.yank("@types/node", "24.1.1");
    scene.sim.cargo().release("cargo_metadata", "0.23.0");
    scene.sim.release("cargo-metadata", "9.9.9");
    let registries = scene.registries();
    let found = listing(registries.releases(&javascript("@types/node"), None).await).releases;
    let deprecated = FoundRelease { yanked: true, ..release("24.1.1", Some(start())) };
    assert_eq!(found, [release("24.1.0", Some(start())), deprecated]);
    assert_eq!(versions(registries.releases(&krate("cargo_metadata"), None).await), ["0.23.0"]);
    assert_eq!(
        scene.seen(),
        ["GET /v3/systems/npm/packages/@types%2Fnode 200", "GET /v3/systems/cargo/packages/cargo_metadata 200"]
    );
}

#[tokio::test]
async fn what_is_tagged_at_a_forge_is_not_asked_for_here() {
    let scene = Scene::new();
    let registries = scene.registries_with_indexes();
    for ecosystem in [Ecosystem::GithubActions, Ecosystem::PreCommit] {
        assert!(registries.registry(ecosystem).is_none());
        let package = PackageId { ecosystem, name: "actions/cache".into() };
        let error = registries.releases(&package, None).await.unwrap_err();
        assert!(matches!(error, RegistryError::OfTheForge { .. }) && !error.may_pass(), "{error:?}");
        assert!(error.to_string().contains("the tags of its repository"), "{error}");
    }
    assert_eq!(scene.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn a_release_says_where_to_read_more() {
    let scene = Scene::new();
    scene.sim.release("httpx", "0.28.0");
    scene.sim.pypi().source("httpx", "git+https://example.com/encode/httpx.git");
    scene.sim.pypi().homepage("httpx", "https://httpx.example");
    let registries = scene.registries();
    let links = registries.links(&python("httpx"), "0.28.0").await.unwrap();
    assert_eq!(links.source.as_deref(), Some("git+https://example.com/encode/httpx.git"));
    assert_eq!(links.homepage.as_deref(), Some("https://httpx.example"));
    assert_eq!(scene.seen(), ["GET /v3/systems/pypi/packages/httpx/versions/0.28.0 200"]);
    let unknown = registries.links(&python("httpx"), "0.29.0").await.unwrap_err();
    assert!(matches!(unknown, RegistryError::NotFound { .. }), "{unknown:?}");
    for odd in ["..", "../0.28.0", "0.28.0/../..", "a?b", "a#b", ""] {
        registries.links(&python("httpx"), odd).await.unwrap_err();
    }
    assert!(scene.sim.requests().iter().all(|seen| seen.path.starts_with("/v3/systems/pypi/packages/httpx/versions/")));
    scene.sim.npm().release("@types/node", "24.1.0");
    assert_eq!(registries.links(&javascript("@types/node"), "24.1.0").await.unwrap(), Links::default());
}

#[tokio::test]
async fn what_is_no_release_says_nothing() {
    let scene = Scene::new();
    scene.sim.release("httpx", "0.28.0");
    let registries = scene.registries();
    for (kind, may_pass) in [
        (FaultKind::GarbageJson, false),
        (FaultKind::HugeBody { bytes: 2 << 20 }, false),
        (FaultKind::Status(503), true),
        (FaultKind::CutBody, true),
    ] {
        scene.sim.fault("*/versions/*", kind, 1);
        let error = registries.links(&python("httpx"), "0.28.0").await.unwrap_err();
        assert_eq!(error.may_pass(), may_pass, "{kind:?}: {error:?}");
    }
}

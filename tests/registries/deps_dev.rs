//! Python packages by way of the deps.dev API.

use crate::scene::{Scene, javascript, krate, listing, python, release, start, versions};
use mass_driver::domain::{Ecosystem, PackageId};
use mass_driver::registries::{FoundRelease, RegistryError};

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

//! Python packages by way of the deps.dev API.

use crate::scene::{Scene, impatient, javascript, krate, listing, python, release, start, versions};
use mass_driver::domain::{Ecosystem, PackageId};
use mass_driver::registries::{FoundRelease, RegistryError};
use registry_sim::FaultKind;
use std::time::Duration;

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
async fn faults_become_what_the_caller_does_about_them() {
    let scene = Scene::new();
    scene.sim.release("httpx", "0.28.0");
    let registries = scene.registries();
    let ask = async |fault: FaultKind| {
        scene.sim.fault("/v3/*", fault, 1);
        registries.releases(&python("httpx"), None).await.unwrap_err()
    };
    let limited = ask(FaultKind::RateLimited { retry_after_seconds: 17 }).await;
    assert!(matches!(limited, RegistryError::RateLimited { .. }), "{limited:?}");
    assert_eq!(limited.retry_after(), Some(Duration::from_secs(17)));
    let far = ask(FaultKind::RateLimited { retry_after_seconds: u32::MAX }).await;
    assert_eq!(far.retry_after(), Some(Duration::from_secs(86_400)), "nobody waits for longer than a day");
    for fault in [FaultKind::Status(500), FaultKind::Status(503), FaultKind::CutBody] {
        let error = ask(fault).await;
        assert!(matches!(error, RegistryError::Unavailable { .. }) && error.may_pass(), "{fault:?}: {error:?}");
    }
    scene.sim.fault("/v3/*", FaultKind::Hang, 1);
    let hung = impatient(scene.settings()).releases(&python("httpx"), None).await.unwrap_err();
    assert!(matches!(hung, RegistryError::Unavailable { .. }), "{hung:?}");
    let denied = ask(FaultKind::Status(403)).await;
    assert!(matches!(denied, RegistryError::Denied { .. }), "{denied:?}");
    for fault in [FaultKind::GarbageJson, FaultKind::HugeBody { bytes: 1 << 30 }, FaultKind::Status(418)] {
        let error = ask(fault).await;
        assert!(matches!(error, RegistryError::Protocol { .. }), "{fault:?}: {error:?}");
    }
    assert_eq!(
        versions(registries.releases(&python("httpx"), None).await),
        ["0.28.0"],
        "nothing is left of the faults"
    );
    assert_eq!(scene.sim.requests().len(), 11, "one request each: repeating is the caller's business");
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

//! Images by way of the OCI distribution API.

use crate::scene::{Scene, image, impatient, listing, release, versions};
use mass_driver::registries::{Registries, RegistryError, RegistrySettings};
use registry_sim::FaultKind;

#[tokio::test]
async fn tags_are_listed_after_the_token_dance_and_carry_no_time() {
    let scene = Scene::new();
    scene.sim.tag("library/python", "3.12-slim");
    scene.sim.tag("library/python", "3.13-slim");
    let registries = scene.registries();
    let found = listing(registries.releases(&image("library/python"), None).await);
    assert_eq!(found.releases, [release("3.12-slim", None), release("3.13-slim", None)]);
    let list = "GET /v2/library/python/tags/list";
    assert_eq!(scene.seen(), [format!("{list} 401"), "GET /token 200".into(), format!("{list} 200")]);

    scene.sim.clear_requests();
    listing(registries.releases(&image("library/python"), None).await);
    assert_eq!(scene.seen(), [format!("{list} 200")], "the token is kept");
}

#[tokio::test]
async fn every_page_of_tags_is_read() {
    let scene = Scene::new();
    scene.sim.tags_per_page(3);
    let tags: Vec<String> = (0..10).map(|n| format!("1.{n}")).collect();
    for tag in &tags {
        scene.sim.tag("acme/base", tag);
    }
    assert_eq!(versions(scene.registries().releases(&image("acme/base"), None).await), tags);
    assert_eq!(scene.sim.requests().len(), 2 + 4);
}

#[tokio::test]
async fn a_digest_is_that_of_the_index_and_moves_with_the_tag() {
    let scene = Scene::new();
    let digest = scene.sim.tag("library/python", "3.12");
    let registries = scene.registries();
    assert_eq!(registries.digest(&image("library/python"), "3.12").await.unwrap(), digest);
    let moved = scene.sim.move_tag("library/python", "3.12");
    assert_eq!(registries.digest(&image("library/python"), "3.12").await.unwrap(), moved);
    let manifest = "HEAD /v2/library/python/manifests/3.12";
    assert_eq!(
        scene.seen(),
        [format!("{manifest} 401"), "GET /token 200".into(), format!("{manifest} 200"), format!("{manifest} 200"),]
    );
    for absent in ["3.99", "../../x", "", "a b"] {
        let error = registries.digest(&image("library/python"), absent).await.unwrap_err();
        assert!(matches!(error, RegistryError::NotFound { .. }), "{absent}: {error:?}");
    }
}

#[tokio::test]
async fn without_head_the_manifest_itself_gives_the_digest() {
    let scene = Scene::new();
    let digest = scene.sim.tag("acme/base", "1.0");
    let registries = scene.registries();
    listing(registries.releases(&image("acme/base"), None).await);
    scene.sim.fault("*/manifests/*", FaultKind::Status(405), 1);
    assert_eq!(registries.digest(&image("acme/base"), "1.0").await.unwrap(), digest);
}

#[tokio::test]
async fn a_token_serves_one_image_until_it_expires() {
    let scene = Scene::new();
    scene.sim.tag("acme/one", "1");
    scene.sim.tag("acme/two", "1");
    let registries = scene.registries();
    let tokens = || scene.seen().iter().filter(|line| line.starts_with("GET /token")).count();
    listing(registries.releases(&image("acme/one"), None).await);
    listing(registries.releases(&image("acme/two"), None).await);
    assert_eq!(tokens(), 2, "a token for one image is not sent for another");
    scene.advance(301);
    assert_eq!(versions(registries.releases(&image("acme/one"), None).await), ["1"]);
    assert_eq!(tokens(), 3, "an expired one is replaced, once");
}

#[tokio::test]
async fn a_hundred_cold_calls_ask_for_one_token() {
    let scene = Scene::new();
    scene.sim.tag("acme/base", "1.0");
    let registries = scene.registries();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let registries = registries.clone();
            tokio::spawn(async move { registries.digest(&image("acme/base"), "1.0").await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(scene.seen().iter().filter(|line| line.starts_with("GET /token")).count(), 1);
}

#[tokio::test]
async fn an_image_named_with_a_private_host_is_asked_there_where_the_operator_says_so() {
    let scene = Scene::new();
    scene.sim.tag("acme/base", "1.0");
    let named = image(&format!("{}/acme/base", scene.sim.authority()));
    let allowed = RegistrySettings { private_hosts: vec![scene.sim.authority()], ..RegistrySettings::default() };
    assert_eq!(versions(Registries::new(&allowed).unwrap().releases(&named, None).await), ["1.0"]);
    assert_eq!(
        versions(scene.registries().releases(&named, None).await),
        ["1.0"],
        "it is the docker setting's own host"
    );

    scene.sim.clear_requests();
    let registries = Registries::new(&RegistrySettings::default()).unwrap();
    let error = registries.releases(&named, None).await.unwrap_err();
    assert!(matches!(error, RegistryError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("MASS_DRIVER_PRIVATE_REGISTRIES"), "{error}");
    assert_eq!(scene.seen(), Vec::<String>::new());
}

#[tokio::test]
async fn an_image_without_a_host_needs_the_setting() {
    let registries = Registries::new(&RegistrySettings::default()).unwrap();
    let error = registries.digest(&image("library/python"), "3.12").await.unwrap_err();
    assert!(matches!(error, RegistryError::NotConfigured { setting: "MASS_DRIVER_DOCKER_URL", .. }), "{error:?}");
}

#[tokio::test]
async fn faults_at_the_token_service_are_told() {
    let scene = Scene::new();
    scene.sim.tag("acme/base", "1.0");
    let registries = scene.registries();
    scene.sim.fault("/token*", FaultKind::RateLimited { retry_after_seconds: 5 }, 1);
    let error = registries.releases(&image("acme/base"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::RateLimited { .. }), "{error:?}");
    scene.sim.fault("/token*", FaultKind::Hang, 1);
    let error = impatient(scene.settings()).releases(&image("acme/base"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error:?}");
    scene.sim.fault("/token*", FaultKind::GarbageJson, 1);
    let error = registries.releases(&image("acme/base"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::Protocol { .. }), "{error:?}");
    scene.sim.fault("/v2/*", FaultKind::Status(401), 1);
    let error = registries.releases(&image("acme/base"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::Denied { .. }), "no way to authenticate was offered: {error:?}");
    assert_eq!(versions(registries.releases(&image("acme/base"), None).await), ["1.0"]);
}

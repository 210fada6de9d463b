//! Rust crates by way of a sparse index.

use crate::scene::{Scene, krate, listing, release, start, versions};
use mass_driver::domain::Ecosystem;
use mass_driver::registries::{Answer, FoundRelease, RegistryError};
use registry_sim::FaultKind;

#[tokio::test]
async fn a_file_gives_versions_with_their_times_and_yanks_and_an_etag_that_saves_the_next() {
    let scene = Scene::new();
    let cargo = scene.sim.cargo();
    cargo.release("serde", "1.0.0");
    cargo.release_undated("serde", "1.0.1+build.5");
    cargo.release("serde", "1.0.2");
    cargo.yank("serde", "1.0.2");
    let registries = scene.registries_with_indexes();
    let package = krate("serde");
    assert_eq!(registries.registry(Ecosystem::Cargo).unwrap().name(), "sparse index");

    let first = listing(registries.releases(&package, None).await);
    let yanked = FoundRelease { yanked: true, ..release("1.0.2", Some(start())) };
    assert_eq!(first.releases, [release("1.0.0", Some(start())), release("1.0.1+build.5", None), yanked]);
    let etag = first.etag.unwrap();
    assert_eq!(registries.releases(&package, Some(&etag)).await.unwrap(), Answer::NotModified);
    cargo.release("serde", "1.0.3");
    assert_eq!(listing(registries.releases(&package, Some(&etag)).await).releases.len(), 4);
    let file = "GET /index/se/rd/serde";
    assert_eq!(scene.seen(), [format!("{file} 200"), format!("{file} 304"), format!("{file} 200")]);
}

#[tokio::test]
async fn a_crate_is_found_where_the_length_of_its_name_says_in_lower_case() {
    let scene = Scene::new();
    let registries = scene.registries_with_indexes();
    for name in ["a", "ab", "abc", "Inflector", "cargo_metadata"] {
        scene.sim.cargo().release(name, "1.0.0");
        assert_eq!(versions(registries.releases(&krate(name), None).await), ["1.0.0"], "{name}");
    }
    let paths = ["1/a", "2/ab", "3/a/abc", "in/fl/inflector", "ca/rg/cargo_metadata"];
    assert_eq!(scene.seen(), paths.map(|path| format!("GET /index/{path} 200")));
}

#[tokio::test]
async fn what_no_index_can_have_is_not_asked_for() {
    let scene = Scene::new();
    let registries = scene.registries_with_indexes();
    for odd in ["..", "../../secrets", "a/b", "a?b", "a b", "", "é"] {
        let error = registries.releases(&krate(odd), None).await.unwrap_err();
        assert!(matches!(error, RegistryError::NotFound { .. }), "{odd}: {error:?}");
    }
    assert_eq!(scene.seen(), Vec::<String>::new());
    let error = registries.releases(&krate("absent"), None).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{} does not have cargo/absent", scene.sim.authority()));
    scene.sim.fault("/index/*", FaultKind::Status(451), 1);
    let error = registries.releases(&krate("absent"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "indexes may say it so: {error:?}");
}

//! JavaScript packages by way of an npm registry.

use crate::scene::{Scene, javascript, listing, release, start, versions};
use mass_driver::domain::{Ecosystem, PackageId};
use mass_driver::registries::{Answer, FoundRelease, Links, Listing, RegistryError};

#[tokio::test]
async fn a_packument_gives_times_and_deprecations_and_an_etag_that_saves_the_next() {
    let scene = Scene::new();
    let npm = scene.sim.npm();
    npm.release("left-pad", "1.2.0");
    npm.release_undated("left-pad", "1.2.1");
    npm.release("left-pad", "1.3.0");
    npm.yank("left-pad", "1.3.0");
    let registries = scene.registries_with_indexes();
    let package = javascript("left-pad");
    assert_eq!(registries.registry(Ecosystem::Npm).unwrap().name(), "npm registry");

    let first = listing(registries.releases(&package, None).await);
    let deprecated = FoundRelease { yanked: true, ..release("1.3.0", Some(start())) };
    // A JSON object has no order of its own.
    let mut found = first.releases;
    found.sort_by(|a, b| a.version.cmp(&b.version));
    assert_eq!(found, [release("1.2.0", Some(start())), release("1.2.1", None), deprecated]);
    let etag = first.etag.unwrap();
    assert_eq!(registries.releases(&package, Some(&etag)).await.unwrap(), Answer::NotModified);
    npm.release("left-pad", "1.4.0");
    assert_eq!(listing(registries.releases(&package, Some(&etag)).await).releases.len(), 4);
    let page = "GET /npm/left-pad";
    assert_eq!(scene.seen(), [format!("{page} 200"), format!("{page} 304"), format!("{page} 200")]);
}

#[tokio::test]
async fn what_is_above_the_tag_latest_is_marked_until_the_tag_gets_there() {
    let scene = Scene::new();
    let npm = scene.sim.npm();
    for version in ["1.3.0", "2.0.0-rc.1", "2.0.0", "2.0.1"] {
        npm.release("left-pad", version);
    }
    scene.sim.point_latest("left-pad", "1.3.0");
    let registries = scene.registries_with_indexes();
    let package = javascript("left-pad");
    let above = |found: &Listing| {
        assert_eq!(found.releases.len(), 4);
        let above = found.releases.iter().filter(|release| release.above_latest);
        let mut versions: Vec<String> = above.map(|release| release.version.clone()).collect();
        versions.sort();
        versions
    };
    let under_next = listing(registries.releases(&package, None).await);
    assert_eq!(above(&under_next), ["2.0.0", "2.0.0-rc.1", "2.0.1"]);
    scene.sim.point_latest("left-pad", "2.0.1");
    let promoted = listing(registries.releases(&package, under_next.etag.as_deref()).await);
    assert_eq!(above(&promoted), [] as [&str; 0]);
    scene.sim.point_latest("left-pad", "2.0.0");
    let taken_back = listing(registries.releases(&package, promoted.etag.as_deref()).await);
    assert_eq!(above(&taken_back), ["2.0.1"], "the publisher pointed back");
}

/// A list that an older version read with fewer facts would stay as it is for as long as the registry has no news.
#[tokio::test]
async fn what_another_reader_made_of_the_same_answer_is_read_anew() {
    let scene = Scene::new();
    scene.sim.npm().release("left-pad", "1.3.0");
    let registries = scene.registries_with_indexes();
    let package = javascript("left-pad");
    let etag = listing(registries.releases(&package, None).await).etag.unwrap();
    let (reader, of_the_answer) = etag.split_once(' ').unwrap();
    assert_eq!(registries.releases(&package, Some(&etag)).await.unwrap(), Answer::NotModified);
    let older = [of_the_answer.to_owned(), format!("npm/1 {of_the_answer}"), format!("{reader}0 {of_the_answer}")];
    for other in older.into_iter().chain([format!("deps-dev/1 {of_the_answer}"), reader.into(), String::new()]) {
        let again = listing(registries.releases(&package, Some(&other)).await);
        assert_eq!(again.etag.as_ref(), Some(&etag), "{other}");
    }
}

#[tokio::test]
async fn a_scope_is_one_part_of_the_address_with_its_name() {
    let scene = Scene::new();
    scene.sim.npm().release("@types/node", "24.1.0");
    assert_eq!(versions(scene.registries_with_indexes().releases(&javascript("@types/node"), None).await), ["24.1.0"]);
    assert_eq!(scene.seen(), ["GET /npm/@types%2Fnode 200"]);
}

#[tokio::test]
async fn an_unpublished_package_has_no_releases_any_more() {
    let scene = Scene::new();
    scene.sim.npm().release("left-pad", "1.3.0");
    scene.sim.npm().delete_release("left-pad", "1.3.0");
    assert!(listing(scene.registries_with_indexes().releases(&javascript("left-pad"), None).await).releases.is_empty());
}

#[tokio::test]
async fn what_no_registry_can_have_is_not_asked_for() {
    let scene = Scene::new();
    let registries = scene.registries_with_indexes();
    for odd in ["..", "../../secrets", "a/b", "@a/b/c", "@../x", "a?b", "a#b", "", "é"] {
        let error = registries.releases(&javascript(odd), None).await.unwrap_err();
        assert!(matches!(error, RegistryError::NotFound { .. }), "{odd}: {error:?}");
    }
    assert_eq!(scene.seen(), Vec::<String>::new());
    let error = registries.releases(&javascript("absent"), None).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{} does not have npm/absent", scene.sim.authority()));
}

#[tokio::test]
async fn the_document_of_a_version_says_where_to_read_more() {
    let scene = Scene::new();
    let npm = scene.sim.npm();
    npm.release("@babel/core", "7.1.0");
    npm.source("@babel/core", "git+ssh://git@example.com/babel/babel.git");
    let registries = scene.registries_with_indexes();
    let links = registries.links(&javascript("@babel/core"), "7.1.0").await.unwrap();
    assert_eq!(links.source.as_deref(), Some("git+ssh://git@example.com/babel/babel.git"));
    assert_eq!(links.homepage, None);
    assert_eq!(scene.seen(), ["GET /npm/@babel%2Fcore/7.1.0 200"]);
    let unknown = registries.links(&javascript("@babel/core"), "7.2.0").await.unwrap_err();
    assert!(matches!(unknown, RegistryError::NotFound { .. }), "{unknown:?}");
}

#[tokio::test]
async fn indexes_that_know_no_addresses_are_not_asked_for_them() {
    let scene = Scene::new();
    let registries = scene.registries_with_indexes();
    for ecosystem in [Ecosystem::Pypi, Ecosystem::Cargo, Ecosystem::Docker] {
        let package = PackageId { ecosystem, name: "x".into() };
        assert_eq!(registries.links(&package, "1.0.0").await.unwrap(), Links::default());
    }
    let action = PackageId { ecosystem: Ecosystem::GithubActions, name: "a/b".into() };
    registries.links(&action, "v1").await.unwrap_err();
    assert!(scene.seen().is_empty());
}

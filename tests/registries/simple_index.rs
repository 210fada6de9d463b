//! Python packages by way of a simple index.

use crate::scene::{Scene, listing, python, release, start, versions};
use mass_driver::registries::{Answer, FoundRelease, RegistryError};
use registry_sim::FaultKind;

#[tokio::test]
async fn a_page_gives_releases_and_an_etag_that_saves_the_next() {
    let scene = Scene::new();
    scene.sim.release("zope.interface", "6.0");
    scene.sim.release_undated("zope.interface", "6.1");
    scene.sim.yank("zope.interface", "6.1");
    let registries = scene.registries_with_index();
    let package = python("zope-interface");

    let first = listing(registries.releases(&package, None).await);
    let yanked = FoundRelease { yanked: true, ..release("6.1", None) };
    assert_eq!(first.releases, [release("6.0", Some(start())), yanked]);
    let etag = first.etag.unwrap();
    assert_eq!(registries.releases(&package, Some(&etag)).await.unwrap(), Answer::NotModified);
    scene.advance(60);
    scene.sim.release("zope.interface", "6.2");
    let third = listing(registries.releases(&package, Some(&etag)).await);
    assert_eq!(third.releases.len(), 3);
    assert_ne!(third.etag, Some(etag));
    let page = "GET /simple/zope-interface/";
    assert_eq!(scene.seen(), [format!("{page} 200"), format!("{page} 304"), format!("{page} 200")]);
    assert_eq!(scene.sim.requests().iter().filter(|seen| seen.conditional).count(), 2);
}

#[tokio::test]
async fn a_redirect_within_the_index_is_followed() {
    let scene = Scene::new();
    scene.sim.release("zope.interface", "6.0");
    let found = scene.registries_with_index().releases(&python("zope.interface"), None).await;
    assert_eq!(versions(found), ["6.0"]);
    assert_eq!(scene.seen(), ["GET /simple/zope.interface/ 301", "GET /simple/zope-interface/ 200"]);
}

#[tokio::test]
async fn an_index_that_does_not_answer_is_told_from_one_that_has_nothing() {
    let scene = Scene::new();
    let registries = scene.registries_with_index();
    let error = registries.releases(&python("absent"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error:?}");
    scene.sim.fault("/simple/*", FaultKind::Status(502), 1);
    let error = registries.releases(&python("absent"), None).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error:?}");
}

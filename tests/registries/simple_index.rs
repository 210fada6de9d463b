//! Python packages by way of a simple index.

use crate::scene::{Scene, listing, python, release, start, versions};
use mass_driver::domain::Ecosystem;
use mass_driver::registries::{Answer, FoundRelease, RegistryError};
use registry_sim::FaultKind;
use sha2::{Digest as _, Sha256};

#[tokio::test]
async fn a_page_gives_releases_and_an_etag_that_saves_the_next() {
    let scene = Scene::new();
    scene.sim.release("zope.interface", "6.0");
    scene.sim.release_undated("zope.interface", "6.1");
    scene.sim.yank("zope.interface", "6.1");
    let registries = scene.registries_with_index();
    let package = python("zope-interface");

    let first = listing(registries.releases(&package, None).await);
    // What was taken back has nothing to say.
    let of_python = |requires: &str, found| FoundRelease { requires_python: Some(requires.into()), ..found };
    let yanked = of_python("", FoundRelease { yanked: true, ..release("6.1", None) });
    // Over the hashes of their files.
    assert!(first.releases.iter().all(|release| release.digest.is_some()));
    let without_digest = first.releases.iter().map(|release| FoundRelease { digest: None, ..release.clone() });
    assert_eq!(without_digest.collect::<Vec<_>>(), [of_python(">=3.9", release("6.0", Some(start()))), yanked]);
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

#[tokio::test]
async fn a_release_has_the_hashes_of_the_files_that_can_be_fetched() {
    let scene = Scene::new();
    scene.sim.release("zope.interface", "6.0");
    scene.sim.release("zope.interface", "6.1");
    let registries = scene.registries_with_index();
    let hashes = registries.hashes(&python("zope-interface"), "6.1").await.unwrap().unwrap();
    let mut fetched = Vec::new();
    for file in ["zope_interface-6.1.tar.gz", "zope_interface-6.1-py3-none-any.whl"] {
        let url = format!("http://{}/files/zope-interface/{file}", scene.sim.authority());
        let bytes = reqwest::get(url).await.unwrap().bytes().await.unwrap();
        fetched.push(format!("sha256:{}", hex::encode(Sha256::digest(&bytes))));
    }
    fetched.sort();
    assert_eq!(hashes, fetched);
    for (package, version) in [("zope-interface", "7.0"), ("absent", "1.0")] {
        let error = registries.hashes(&python(package), version).await.unwrap_err();
        assert!(matches!(error, RegistryError::NotFound { .. }), "{package} {version}: {error:?}");
    }
}

#[tokio::test]
async fn it_is_known_beforehand_who_gives_no_hashes() {
    let scene = Scene::new();
    scene.sim.release("httpx", "0.28.0");
    assert_eq!(scene.registries_with_index().why_no_hashes(Ecosystem::Pypi), None);
    let registries = scene.registries();
    let why = registries.why_no_hashes(Ecosystem::Pypi).unwrap();
    assert!(why.contains("MASS_DRIVER_PYPI_URL"), "{why}");
    assert_eq!(registries.hashes(&python("httpx"), "0.28.0").await.unwrap(), None);
    assert_eq!(scene.seen(), Vec::<String>::new(), "what nobody can answer is not asked");
    for other in Ecosystem::ALL.into_iter().filter(|ecosystem| *ecosystem != Ecosystem::Pypi) {
        assert!(scene.registries_with_index().why_no_hashes(other).is_some(), "{other}");
    }
}

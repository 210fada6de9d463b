//! What each kind of registry makes of what goes wrong on the way: what the caller does about it, whoever was asked.

use crate::scene::{Scene, image, impatient, javascript, krate, python, start, versions};
use mass_driver::domain::{Ecosystem, PackageId};
use mass_driver::pipeline::examine::lookups::look_up;
use mass_driver::planner::Known;
use mass_driver::registries::{Limits, Registries, RegistryError, RegistrySettings};
use registry_sim::FaultKind;
use rstest::rstest;
use std::collections::BTreeSet;
use std::time::Duration;

fn publish(scene: &Scene, package: &PackageId) {
    let name = &package.name;
    match package.ecosystem {
        Ecosystem::Npm => scene.sim.npm().release(name, "1.0.0"),
        Ecosystem::Cargo => scene.sim.cargo().release(name, "1.0.0"),
        Ecosystem::Docker => drop(scene.sim.tag(name, "1.0.0")),
        _ => scene.sim.release(name, "1.0.0"),
    }
}

/// There are more of them than are asked for at a time.
#[tokio::test]
async fn registries_that_hang_do_not_hold_a_preview_up() {
    let scene = Scene::new();
    scene.sim.fault("*", FaultKind::Hang, 1_000);
    let packages: BTreeSet<PackageId> = (0..40).map(|n| python(&format!("httpx{n}"))).collect();
    let known = look_up(&scene.registries(), packages, (Duration::from_millis(20), start())).await;
    assert_eq!(known.len(), 40);
    let later = Known::Elsewhere("it is looked up once the file is merged".into());
    assert!(known.values().all(|one| *one == later), "{known:?}");
}

#[rstest]
#[case::deps_dev("/v3/*", python("httpx"), Scene::settings)]
#[case::simple_index("/simple/*", python("httpx"), Scene::settings_with_indexes)]
#[case::npm("/npm/*", javascript("left-pad"), Scene::settings_with_indexes)]
#[case::cargo_index("/index/*", krate("serde"), Scene::settings_with_indexes)]
#[case::images("/v2/*", image("acme/base"), Scene::settings_with_indexes)]
#[tokio::test]
async fn faults_become_what_the_caller_does_about_them(
    #[case] pages: &str,
    #[case] package: PackageId,
    #[case] settings: fn(&Scene) -> RegistrySettings,
) {
    let scene = Scene::new();
    publish(&scene, &package);
    // What is allowed in life is much to send on a busy machine.
    let limits = Limits { body_bytes: 4 << 20, packument_bytes: 4 << 20, ..Limits::default() };
    let registries = Registries::new(&RegistrySettings { limits, ..settings(&scene) }).unwrap();
    // An image's first answer is where to get a token, which serves from then on.
    assert_eq!(versions(registries.releases(&package, None).await), ["1.0.0"]);
    let before = scene.sim.requests().len();
    let ask = async |fault: FaultKind| {
        scene.sim.fault(pages, fault, 1);
        registries.releases(&package, None).await.unwrap_err()
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
    scene.sim.fault(pages, FaultKind::Hang, 1);
    let hung = impatient(settings(&scene)).releases(&package, None).await.unwrap_err();
    assert!(matches!(hung, RegistryError::Unavailable { .. }), "{hung:?}");
    let denied = ask(FaultKind::Status(403)).await;
    assert!(matches!(denied, RegistryError::Denied { .. }), "{denied:?}");
    for fault in [FaultKind::GarbageJson, FaultKind::HugeBody { bytes: 1 << 40 }, FaultKind::Status(418)] {
        let error = ask(fault).await;
        assert!(matches!(error, RegistryError::Protocol { .. }), "{fault:?}: {error:?}");
    }
    assert_eq!(scene.sim.requests().len(), before + 10, "one request each: repeating is the caller's business");
    let found = versions(registries.releases(&package, None).await);
    assert_eq!(found, ["1.0.0"], "nothing is left of the faults");
}

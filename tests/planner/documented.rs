//! Rules that the documentation tells people to copy, tried as they are written there.

use crate::scene::{Scene, drafts, outlook};

/// The one subscription file in a page.
fn rules(page: &str) -> String {
    let text = std::fs::read_to_string(format!("{}/docs/ecosystems/{page}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut files = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    files.find(|file| file.starts_with("subscriptions:")).unwrap().to_owned()
}

fn scene(file: &str, image: &str, tags: &[&str]) -> Scene {
    let scene = Scene::subscribed(&rules("docker.md")).manifest("Dockerfile", &format!("FROM {file}\n"));
    tags.iter().fold(scene, |scene, tag| scene.release(image, tag, "2026-03-01"))
}

const UBUNTU: [&str; 15] = [
    "20.04", "20.10", "21.04", "21.10", "22.04", "22.10", "23.04", "23.10", "24.04", "24.10", "25.04", "25.10",
    "26.04", "26.10", "27.04",
];

#[test]
fn ubuntu_moves_to_long_term_releases_alone() {
    for (from, to) in [("22.04", "26.04"), ("24.04", "26.04"), ("24.10", "26.04")] {
        let plan = scene(&format!("ubuntu:{from}"), "library/ubuntu", &UBUNTU).plan("2026-03-05");
        assert_eq!(drafts(&plan, "2026-03-05"), [format!("Bump ubuntu from {from} to {to}, now")]);
    }
    let plan = scene("ubuntu:26.04", "library/ubuntu", &UBUNTU).plan("2026-03-05");
    assert!(plan.drafts.is_empty());
    assert!(outlook(&plan)[0].contains("of the subscription file ignores `ubuntu`"), "{:?}", outlook(&plan));
}

#[test]
fn node_moves_to_even_majors_alone() {
    let tags: Vec<String> = (18..=31).flat_map(|major| [format!("{major}-slim"), format!("{major}.3-slim")]).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    for (from, to) in [("18-slim", "30-slim"), ("20.1-slim", "30.3-slim"), ("19-slim", "30-slim")] {
        let plan = scene(&format!("node:{from}"), "library/node", &tags).plan("2026-03-05");
        let last = drafts(&plan, "2026-03-05").pop().unwrap();
        assert_eq!(last, format!("Bump node from {from} to {to}, now"));
    }
    let plan = scene("node:20.1-slim", "library/node", &tags).plan("2026-03-05");
    assert_eq!(drafts(&plan, "2026-03-05")[0], "Bump node from 20.1-slim to 20.3-slim, now", "within an even one");
}

//! Releases that are not for the versions of Python that a place is for.

use crate::scene::{Scene, drafts, outlook, package};
use mass_driver::domain::{Ecosystem, ProposalState};
use mass_driver::planner::Known;
use rstest::rstest;

const NOW: &str = "2026-03-05";

/// Releases of numpy and their `requires-python`.
fn scene(path: &str, text: &str, releases: &[(&str, Option<&str>)]) -> Scene {
    let mut scene = Scene::subscribed("subscriptions: [pypi]\n").manifest(path, text);
    for (version, _) in releases {
        scene = scene.release("numpy", version, "2026-03-01");
    }
    let Some(Known::Releases(known)) = scene.packages.get_mut(&package(Ecosystem::Pypi, "numpy")) else {
        panic!("no numpy")
    };
    for (release, (_, requires)) in known.iter_mut().zip(releases) {
        release.requires_python = requires.map(Into::into);
    }
    scene
}

const NUMPY: [(&str, Option<&str>); 6] = [
    ("1.26.4", Some(">=3.9")),
    ("1.26.5", Some(">=3.9")),
    ("2.0.2", Some(">=3.9")),
    ("2.1", Some(">=3.10")),
    ("2.2", Some(">=3.10")),
    ("2.3", Some(">=3.11")),
];
const SPLIT: &str = "numpy==1.26.4; python_version < \"3.12\"\nnumpy==2.1; python_version >= \"3.12\"\n";

/// Each line is for some Pythons, and gets what all of these can have that could install the one in use.
#[test]
fn lines_that_split_a_package_by_python_move_each_on_their_own() {
    let plan = scene("requirements.txt", SPLIT, &NUMPY).plan(NOW);
    let moves: Vec<String> =
        plan.drafts.iter().flat_map(|d| &d.updates).map(|u| format!("{} to {}", u.sites[0].from, u.to)).collect();
    assert_eq!(moves, ["1.26.4 to 1.26.5", "2.1 to 2.3", "1.26.4 to 2.0.2"]);
    let refused = outlook(&plan);
    let why = "numpy 1.26.4 -> 2.3: refused, it is for Python >=3.11, and this place for <3.12: on Python 3.9 nothing could be installed";
    assert!(refused.contains(&why.to_string()), "{refused:#?}");
}

/// An index that says nothing of Python leaves the lines alone that were split off for older ones.
#[test]
fn without_a_word_of_the_index_what_is_for_older_pythons_stays() {
    let silent = NUMPY.map(|(version, _)| (version, None));
    let plan = scene("requirements.txt", SPLIT, &silent).plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump numpy from 2.1 to 2.3, now"]);
    let why = "numpy 1.26.4 -> 1.26.5: refused, this place is for Python <3.12 and none later, and its index does not tell for which versions of Python a release is";
    assert_eq!(outlook(&plan)[0], why);
}

#[test]
fn the_oldest_python_of_a_project_is_not_dropped() {
    let text = "[project]\nrequires-python = \">=3.10\"\ndependencies = [\"numpy==2.1\"]\n";
    let plan = scene("pyproject.toml", text, &NUMPY).plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump numpy from 2.1 to 2.2, now"]);
    let text = text.replace("3.10", "3.11");
    let plan = scene("pyproject.toml", &text, &NUMPY).plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump numpy from 2.1 to 2.3, now"]);
    let setup = "[options]\npython_requires = >=3.10\ninstall_requires = numpy==2.1\n";
    assert_eq!(drafts(&scene("setup.cfg", setup, &NUMPY).plan(NOW), NOW), ["Bump numpy from 2.1 to 2.2, now"]);
    let poetry = "[tool.poetry.dependencies]\npython = \"^3.10\"\nnumpy = \"2.1\"\n";
    assert_eq!(drafts(&scene("pyproject.toml", poetry, &NUMPY).plan(NOW), NOW), ["Bump numpy from 2.1 to 2.2, now"]);
}

/// Who has no word for the oldest Python is not asked for one.
#[test]
fn without_a_word_of_the_project_any_release_will_do() {
    let plan = scene("requirements.txt", "numpy==2.1\n", &NUMPY).plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump numpy from 2.1 to 2.3, now"]);
}

/// Installers take an older release where the new one is not for them, as long as the text allows both.
#[test]
fn a_bound_that_only_widens_drops_nobody() {
    let text = "[project]\nrequires-python = \">=3.9\"\ndependencies = [\"numpy>=1.26,<2\"]\n";
    let plan = scene("pyproject.toml", text, &NUMPY).plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump numpy from 1.26 to 2.3, now"]);
    let plan = scene("pyproject.toml", &text.replace(">=1.26,<2", "~=1.26"), &NUMPY).plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump numpy from 1.26 to 2.0.2, now"]);
}

/// What was merged for one of the lines is no word on the other.
#[test]
fn lines_that_split_a_package_are_remembered_apart() {
    let group = "subscriptions: [{ migration: pypi, group: all }]\n";
    let scene = scene("requirements.txt", SPLIT, &NUMPY).now_says(group);
    let merged = scene.opened(NOW).then(ProposalState::Merged, NOW);
    assert_eq!(merged.proposals[0].updates.len(), 2, "both lines");
    // The project has given 3.9 up since, so 2.1 and 2.2 would do for the older line, too.
    let text = "numpy==2.0.2; python_version >= \"3.10\" and python_version < \"3.12\"\nnumpy==2.3; python_version >= \"3.12\"\n";
    let plan = merged.manifest_since("requirements.txt", text, "2026-01-01").plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump numpy from 2.0.2 to 2.2, now"]);
}

/// A line for all versions is a place of its own, too, beside one for some.
#[test]
fn a_line_for_all_pythons_is_remembered_apart_from_one_for_some() {
    let project = "[project]\ndependencies = [\"numpy==2.1\"]\noptional-dependencies.old = [\"numpy==1.26.4; python_version < '3.12'\"]\n";
    let group = "subscriptions: [{ migration: pypi, group: all }]\n";
    let merged = scene("pyproject.toml", project, &NUMPY).now_says(group).opened(NOW).then(ProposalState::Merged, NOW);
    assert_eq!(merged.proposals[0].updates.len(), 2, "both lines");
    for (pythons, title) in [
        (">= '3.10' and python_version < '3.12'", "Bump numpy from 2.0.2 to 2.2, now"),
        ("== '3.11'", "Bump numpy from 2.0.2 to 2.3, now"),
    ] {
        let text = project
            .replace("2.1", "2.3")
            .replace("1.26.4; python_version < '3.12'", &format!("2.0.2; python_version {pythons}"));
        let plan = merged.clone().manifest_since("pyproject.toml", &text, "2026-01-01").plan(NOW);
        assert_eq!(drafts(&plan, NOW), [title], "{:#?}", outlook(&plan));
    }
    assert!(merged.plan(NOW).drafts.is_empty(), "what is put back as it was stays so");
}

/// What is no range is not believed, and says as little as no word at all.
#[test]
fn what_is_no_range_says_nothing() {
    let odd = [("1.26.4", Some(">=3.9")), ("2.2", Some("banana"))];
    let plan = scene("requirements.txt", SPLIT, &odd).plan(NOW);
    let why = "numpy 1.26.4 -> 2.2: refused, this place is for Python <3.12 and none later, and it is not understood for which versions of Python the release is: `banana`";
    assert_eq!(outlook(&plan)[0], why);
}

/// An index that says nothing of Python holds nobody back who has a newest Python, as everybody has.
#[rstest]
#[case::pipfile("Pipfile", "[packages]\nnumpy = '==2.1'\n[requires]\npython_version = '3.12'\n")]
#[case::poetry("pyproject.toml", "[tool.poetry.dependencies]\npython = '>=3.9,<3.13'\nnumpy = '2.1'\n")]
#[case::one_python("pyproject.toml", "[tool.poetry.dependencies]\npython = '3.11.9'\nnumpy = '2.1'\n")]
#[case::standard("pyproject.toml", "[project]\nrequires-python = '>=3.10,<3.13'\ndependencies = ['numpy==2.1']\n")]
#[case::no_beginning("pyproject.toml", "[project]\nrequires-python = '<3.13'\ndependencies = ['numpy==2.1']\n")]
#[case::own_marker(
    "pyproject.toml",
    "[project]\nrequires-python = '>=3.9,<3.13'\ndependencies = ['numpy==2.1; python_version < \"3.13\"']\n"
)]
#[case::setup_cfg("setup.cfg", "[options]\npython_requires = >=3.9,<3.13\ninstall_requires = numpy==2.1\n")]
#[case::exported("requirements.txt", "numpy==2.1 ; python_version >= '3.9' and python_version < '3.13'\n")]
fn without_a_word_of_the_index_a_project_with_an_end_is_updated(#[case] path: &str, #[case] text: &str) {
    let silent = NUMPY.map(|(version, _)| (version, None));
    assert_eq!(drafts(&scene(path, text, &silent).plan(NOW), NOW), ["Bump numpy from 2.1 to 2.3, now"]);
}

/// What ends before the project does was left behind, whether it says where it begins or not.
#[rstest]
#[case::project(
    "pyproject.toml",
    "[project]\nrequires-python = '>=3.9,<3.13'\ndependencies = ['numpy==2.1; python_version < \"3.12\"']\n",
    ">=3.9,<3.12"
)]
#[case::exported(
    "requirements.txt",
    "numpy==2.1 ; python_version >= '3.9' and python_version < '3.12'\nx==1 ; python_version >= '3.9' and python_version < '3.13'\n",
    ">=3.9,<3.12"
)]
#[case::alone("requirements.txt", "numpy==2.1; python_version < '3.12'\n", "<3.12")]
fn without_a_word_of_the_index_what_was_left_behind_stays(#[case] path: &str, #[case] text: &str, #[case] place: &str) {
    let silent = NUMPY.map(|(version, _)| (version, None));
    let plan = scene(path, text, &silent).plan(NOW);
    let why = format!("numpy 2.1 -> 2.3: refused, this place is for Python {place} and none later, ");
    assert!(plan.drafts.is_empty());
    assert!(outlook(&plan).iter().any(|line| line.starts_with(&why)), "{:#?}", outlook(&plan));
}

/// The end of a project counts where the index tells for which versions of Python a release is.
#[test]
fn the_newest_python_of_a_project_is_not_dropped() {
    let text = "[project]\nrequires-python = \">=3.9,<3.13\"\ndependencies = [\"numpy==2.1\"]\n";
    let releases = [("2.1", Some(">=3.9")), ("2.2", Some(">=3.9,<3.13")), ("2.3", Some(">=3.9,<3.12"))];
    let plan = scene("pyproject.toml", text, &releases).plan(NOW);
    assert_eq!(drafts(&plan, NOW), ["Bump numpy from 2.1 to 2.2, now"]);
}

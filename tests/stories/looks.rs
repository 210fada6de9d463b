//! How often registries are asked, and about what.

use crate::{World, stories};
use jiff::{SignedDuration, Timestamp};
use mass_driver::domain::{Dependency, Ecosystem, FileMode, ObjectId, PackageId, RepoPath};
use mass_driver::store::Manifest;

const NODE: &str = "@types/node";
const CRATE: &str = "cargo_metadata";

/// The repository is found to use a JavaScript package and a crate, whatever reads such files.
async fn uses_both(world: &World, repo: &str) {
    let (repo, now) = (world.repo_id(repo).await, world.clock_now());
    let mut tx = world.store.begin().await.unwrap();
    for (ecosystem, path, name) in [(Ecosystem::Npm, "a/package.json", NODE), (Ecosystem::Cargo, "a/Cargo.toml", CRATE)]
    {
        let path = RepoPath::parse(path).unwrap();
        let package = PackageId { ecosystem, name: name.into() };
        let manager = ecosystem.as_str().to_owned();
        let manifest = Manifest {
            path: path.clone(),
            manager: manager.clone(),
            blob: ObjectId::parse(&"0".repeat(40)).unwrap(),
            mode: FileMode::Regular,
            text: String::new(),
            problem: None,
            includes: Vec::new(),
        };
        let dependency = Dependency {
            manager: manager.clone(),
            path: path.clone(),
            line: 1,
            package: package.clone(),
            written_name: name.into(),
            current: Some("1.0.0".into()),
            constraint: "1.0.0".into(),
            digest: None,
            hashed: false,
            python: None,
            left_behind: false,
            skip: None,
        };
        tx.save_manifest(repo, &manifest, now).await.unwrap();
        tx.replace_dependencies(repo, &path, &manager, &[dependency], now).await.unwrap();
        tx.ensure_packages([&package], now).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// How often each of two packages is asked about in half a day.
async fn looks_in_half_a_day(world: &World, packages: [&str; 2]) -> [usize; 2] {
    world.registry.clear_requests();
    for _ in 0..72 {
        world.time_passes(SignedDuration::from_mins(10)).await;
    }
    let requests = world.registry.requests();
    packages.map(|package| requests.iter().filter(|seen| seen.path.ends_with(package)).count())
}

stories! {
    async fn a_package_of_any_ecosystem_is_asked_about_once_however_many_repositories_use_it(world: World) {
        world.registry.npm().release(NODE, "1.0.0");
        world.registry.cargo().release(CRATE, "1.0.0");
        // A Python package of the same name is another one.
        world.registry.release(CRATE, "9.0.0");
        for n in 0..5 {
            let repo = format!("acme/r{n}");
            world.repository(&repo, &[(".mass-driver.yaml", "subscriptions: [npm, cargo]\n")]).await;
            uses_both(&world, &repo).await;
        }
        world.bot_looks().await;
        world.registry.npm().release(NODE, "2.0.0");
        world.registry.npm().yank(NODE, "2.0.0");
        world.registry.clear_requests();
        world.bot_looks().await;
        let mut paths: Vec<String> = world.registry.requests().into_iter().map(|seen| seen.path).collect();
        paths.sort();
        assert_eq!(paths, ["/v3/systems/cargo/packages/cargo_metadata", "/v3/systems/npm/packages/@types%2Fnode"]);
        let package = PackageId { ecosystem: Ecosystem::Npm, name: NODE.into() };
        let known = world.store.releases_of(std::slice::from_ref(&package)).await.unwrap().remove(&package).unwrap();
        let mut versions: Vec<(&str, bool)> = known.iter().map(|r| (r.version.as_str(), r.yanked)).collect();
        versions.sort_unstable();
        assert_eq!(versions, [("1.0.0", false), ("2.0.0", true)], "what is deprecated is kept as taken back");
    }

    async fn a_silent_package_is_asked_about_less_often_until_it_is_released_again(world: World) {
        let years_ago: Timestamp = "2021-02-21T00:00:00Z".parse().unwrap();
        world.registry.release_at("silent", "1.0", years_ago);
        world.registry.release_at("busy", "1.0", years_ago);
        world.registry.release("busy", "1.1");
        world.repository("acme/api", &[
            ("requirements.txt", "silent==1.0\nbusy==1.1\n"),
            (".mass-driver.yaml", "subscriptions: [pypi]\n"),
        ]).await;
        let both = ["silent", "busy"];
        let [silent, busy] = looks_in_half_a_day(&world, both).await;
        assert!((71..=73).contains(&busy), "every ten minutes: {busy}");
        assert!((2..=4).contains(&silent), "every five hours: {silent}");

        world.registry.release("silent", "1.1");
        world.time_passes(SignedDuration::from_hours(6)).await;
        assert_eq!(world.open("acme/api"), ["Bump silent from 1.0 to 1.1"], "six hours at most, as the documentation says");
        let [silent, _] = looks_in_half_a_day(&world, both).await;
        assert!((71..=73).contains(&silent), "what was released lately is likely to be released again: {silent}");
    }

    /// Meanwhile it was thought of once an hour at most, and each time put off for another.
    async fn a_package_that_nobody_used_is_asked_about_at_once_for_who_begins_to(world: World) {
        let files = [("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", "subscriptions: [pypi]\n")];
        world.registry.release("httpx", "0.27.0");
        world.repository("acme/api", &files).await;
        world.remove("acme/api", ".mass-driver.yaml").await;
        world.time_passes(SignedDuration::from_hours(2)).await;
        world.registry.release("httpx", "0.28.0");
        world.time_passes(SignedDuration::from_mins(5)).await;
        world.repository("acme/web", &files).await;
        assert_eq!(world.open("acme/web"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }
}

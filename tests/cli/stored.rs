//! What the commands tell of a server's database, and what they change in it.

use crate::executable::{FILE, GOOD, at, folder, run};
use crate::rows::repository;
use jiff::Timestamp;
use mass_driver::app;
use mass_driver::domain::{Ecosystem, FileMode, Head, InstallationId, ObjectId, Release, RepoId, RepoPath};
use mass_driver::managers;
use mass_driver::pipeline::{Done, plan};
use mass_driver::registries::{Registries, RegistrySettings};
use mass_driver::store::{Config, ConfigState, Manifest, NewWork, Store, Subscription};
use mass_driver::subscription;
use std::path::Path;

/// A server's database with one repository, as the server would leave it at `now`.
pub async fn seeded(folder: &Path, now: Timestamp) {
    let store = Store::connect(&format!("sqlite://{}", folder.join("mass-driver.db").display())).await.unwrap();
    let repo = RepoId(1);
    let object = |digit: &str| ObjectId::parse(&digit.repeat(40)).unwrap();
    let repository = repository(repo.0, "acme/api");
    let file = subscription::parse(GOOD.as_bytes()).unwrap();
    let config = Config {
        path: Some(RepoPath::parse(FILE).unwrap()),
        blob: Some(object("a")),
        state: ConfigState::Valid,
        problems: serde_json::json!([]),
        file: Some(serde_json::to_value(&file).unwrap()),
        text: Some(GOOD.into()),
        since: Some(at("2026-02-01T00:00:00Z")),
    };
    let path = RepoPath::parse("requirements.txt").unwrap();
    let text = "httpx==0.27.0\nflask==3.0.0\nrich==13.0.0\n-e .\n";
    let found = managers::by_name("requirements").unwrap().extract(&path, text);
    let manifest = Manifest {
        path: path.clone(),
        manager: "requirements".into(),
        blob: object("b"),
        mode: FileMode::Regular,
        text: text.into(),
        problem: None,
        includes: Vec::new(),
    };
    let subscriptions = [Subscription {
        migration: "pypi".into(),
        ecosystem: Some(Ecosystem::Pypi),
        delay: "every Monday at 06:00".into(),
        settings: serde_json::json!({}),
    }];
    let since = at("2026-02-01T00:00:00Z");
    let head = Head { commit: object("c"), tree: object("d") };
    let mut tx = store.begin().await.unwrap();
    tx.save_repository(&repository, since).await.unwrap();
    tx.set_head(repo, Some(&head), since).await.unwrap();
    tx.save_config(repo, &config, since).await.unwrap();
    tx.replace_subscriptions(repo, &subscriptions, since).await.unwrap();
    tx.save_manifest(repo, &manifest, since).await.unwrap();
    tx.replace_dependencies(repo, &path, "requirements", &found.dependencies, since).await.unwrap();
    tx.set_indexed(repo, &head.commit, since).await.unwrap();
    let releases = [("httpx", "0.28.0", "2026-03-04T09:00:00Z"), ("flask", "3.0.0", "2026-01-01T00:00:00Z")];
    for dependency in found.dependencies.iter().filter(|d| d.skip.is_none()) {
        let package = &dependency.package;
        tx.ensure_packages([package], since).await.unwrap();
        let listed: Vec<Release> = releases
            .iter()
            .filter(|(name, ..)| package.name == *name)
            .map(|(_, version, published)| Release {
                version: (*version).into(),
                published_at: Some(at(published)),
                first_seen_at: at(published),
                counts_from: at(published),
                yanked: false,
                above_latest: false,
                content: None,
                requires_python: None,
            })
            .collect();
        if package.name == "rich" {
            tx.package_failed(package, "packages.example.com does not have pypi/rich", now).await.unwrap();
        } else {
            tx.save_releases(package, &listed, &[]).await.unwrap();
            tx.package_checked(package, None, now, now).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
    let registries = Registries::new(&RegistrySettings::default()).unwrap();
    let Done::Finished(tx) = plan::plan(&store, &registries, repo, now).await.unwrap() else {
        panic!("planning ends at once")
    };
    tx.commit().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn why_tells_the_reason_and_the_date_of_everything_held_back() {
    let folder = folder(&[]);
    seeded(folder.path(), at("2026-03-05T12:00:00Z")).await;
    let (code, out, err) = run(folder.path(), &["why", "ACME/api"]);
    assert_eq!((code, err.as_str()), (0, ""));
    insta::assert_snapshot!(out, @r"
    Proposal                          State    Pull request  Why
    Bump httpx from 0.27.0 to 0.28.0  waiting                0.28.0 is 1 day old, 3 days are asked for; then it waits for Monday 2026-03-09 06:00 Europe/Paris (weekly)

    Dependency  Where               Now     Next    Standing    Until                 Why
    httpx       requirements.txt:1  0.27.0  0.28.0  waiting     2026-03-09 05:00 UTC  0.28.0 is 1 day old, 3 days are asked for; then it waits for Monday 2026-03-09 06:00 Europe/Paris (weekly)
    flask       requirements.txt:2  3.0.0           up to date                        there is nothing newer
    rich        requirements.txt:3  13.0.0          failed                            packages.example.com does not have pypi/rich; looked up again within minutes
    .           requirements.txt:4                  refused                           it comes from a path, a URL or a repository, not from a registry
    ");

    let (code, out, _) = run(folder.path(), &["why", "acme/api", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["file"], &answer["state"]), (0, &"valid".into(), &"active".into()));
    assert_eq!(answer["proposals"][0]["due_at"], "2026-03-09T05:00:00Z");

    for name in ["httpx", "HTTPX", "pypi/httpx"] {
        let (code, out, _) = run(folder.path(), &["why", "acme/api", name]);
        assert!(code == 0 && out.contains("httpx") && !out.contains("flask"), "{out}");
    }
    let (_, out, _) = run(folder.path(), &["why", "acme/api", "rich", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (&answer["dependencies"][0]["standing"], &answer["dependencies"][1]),
        (&"failed".into(), &serde_json::Value::Null)
    );
    let (code, out, err) = run(folder.path(), &["why", "acme/api", "numpy"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("acme/api does not use `numpy`; `mass-driver why acme/api` lists what it uses"), "{err}");

    let (code, out, err) = run(folder.path(), &["why", "acme/other"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("the server does not know acme/other; is the App installed there"), "{err}");
}

/// Parks a step for each of these subjects, as a worker does.
pub async fn park(store: &Store, subjects: &[&str], now: Timestamp) {
    for subject in subjects {
        let new = NewWork {
            step: "index".into(),
            subject: (*subject).into(),
            unique_key: format!("index:{subject}"),
            installation: Some(InstallationId(7)),
            args: serde_json::json!({}),
            // Before what planning queued.
            asks_github: false,
            patience: std::time::Duration::ZERO,
            due_at: now,
        };
        let mut tx = store.begin().await.unwrap();
        tx.enqueue(&new, now).await.unwrap();
        tx.commit().await.unwrap();
        let claimed = store.claim(now, std::time::Duration::from_secs(60), 1).await.unwrap().remove(0);
        let mut tx = store.begin().await.unwrap();
        tx.park(&claimed, "GitHub refused \u{1b}[31mit", now).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_shows_what_is_parked_and_releases_it_beside_a_server() {
    let folder = folder(&[]);
    let now = at("2026-03-05T12:00:00Z");
    seeded(folder.path(), now).await;
    // The server has its database open all the time.
    let server = Store::connect(&format!("sqlite://{}", folder.path().join("mass-driver.db").display())).await.unwrap();
    let parked = async || server.parked(10).await.unwrap().len();
    park(&server, &["repo:1", "repo:2", "package:pypi/httpx"], now).await;

    let (code, out, err) = run(folder.path(), &["retry", "--list"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out.lines().count(), 4, "{out}");
    for shown in ["acme/api", "repo:2", "package:pypi/httpx", "2026-03-05 12:00 UTC", "GitHub refused \u{fffd}[31mit"] {
        assert!(out.contains(shown), "{shown} is missing from\n{out}");
    }
    let (code, out, _) = run(folder.path(), &["retry", "acme/api", "--list", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, listed.as_array().unwrap().len()), (0, 1), "{out}");
    assert_eq!((&listed[0]["repository"], &listed[0]["step"]), (&"acme/api".into(), &"index".into()));
    assert_eq!((&listed[0]["attempts"], &listed[0]["parked_at"]), (&1.into(), &"2026-03-05T12:00:00Z".into()));
    assert_eq!(parked().await, 3, "a list changes nothing");

    let (_, out, _) = run(folder.path(), &["why", "acme/api"]);
    let told =
        "The step `index` is parked since 2026-03-05 12:00 UTC, after 1 attempt: GitHub refused \u{fffd}[31mit\n";
    assert!(out.contains(told) && out.contains("`mass-driver retry acme/api` tries again"), "{out}");

    let (code, out, err) = run(folder.path(), &["retry", "acme/other"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("the server does not know acme/other"), "{err}");
    assert_eq!(parked().await, 3);

    let (code, out, err) = run(folder.path(), &["retry", "ACME/api"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("acme/api") && out.ends_with("1 step is queued again.\n"), "{out}");
    assert_eq!(parked().await, 2);
    assert_eq!(run(folder.path(), &["retry", "acme/api"]), (0, "Nothing is parked.\n".into(), String::new()));

    let (code, out, _) = run(folder.path(), &["retry", "--all", "--format", "json"]);
    let released: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, released.as_array().unwrap().len(), parked().await), (0, 2, 0), "{out}");
    assert_eq!(run(folder.path(), &["retry", "--all", "--format", "json"]), (0, "[]\n".into(), String::new()));
    let due = server.claim(app::now(), std::time::Duration::from_secs(60), 10).await.unwrap();
    let again = due.iter().filter(|one| one.work.step == "index" && one.work.attempts == 1).count();
    assert_eq!(again, 2, "they are due at once, but for the one whose repository is being planned: {due:?}");
    server.close().await;
}

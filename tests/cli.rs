//! The executable as people and scripts meet it: what it prints where, and the code it ends with.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use github_sim::{GitHubSim, RepoOptions};
use jiff::Timestamp;
use mass_driver::app;
use mass_driver::domain::{
    Ecosystem, FileMode, Head, InstallationId, ObjectId, Release, RepoId, RepoName, RepoPath, RepoState, Repository,
};
use mass_driver::managers;
use mass_driver::pipeline::{Done, plan};
use mass_driver::store::{Config, ConfigState, Manifest, NewWork, Store, Subscription};
use mass_driver::subscription;
use registry_sim::RegistrySim;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

const FILE: &str = ".mass-driver.yaml";
const FIVE_MISTAKES: &str = "delay: weakly\nlabls: [dependencies]\nsubscriptions:\n  - migration: pipy\n    min_age: 3x\n  - migration: docker\n    delay: 0 0 31 2 *\n";
const GOOD: &str = "timezone: Europe/Paris\nsubscriptions:\n  - { migration: pypi, delay: weekly, min_age: 3d }\n";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        std::fs::write(root.path().join(path), text).unwrap();
    }
    root
}

/// The command in a folder, with no settings of the machine it runs on.
fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mass-driver"));
    command.args(arguments).current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

/// The exit code, standard output and standard error of a run.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    told(command(folder, arguments).output().unwrap())
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn five_mistakes_are_five_problems_with_line_and_column() {
    let folder = folder(&[(FILE, FIVE_MISTAKES)]);
    let (code, out, err) = run(folder.path(), &["check"]);
    assert_eq!((code, err.as_str()), (1, ""));
    let places: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix(FILE)?.strip_prefix(':')).collect();
    let places: Vec<String> =
        places.iter().map(|place| place.splitn(3, ':').take(2).collect::<Vec<_>>().join(":")).collect();
    assert_eq!(places, ["1:8", "2:1", "4:16", "5:14", "7:12"]);
    assert!(out.ends_with("5 problems in .mass-driver.yaml\n"), "{out}");
    assert!(!out.contains('\u{1b}'), "colours are for terminals");
}

#[test]
fn a_command_that_cannot_begin_ends_with_2_and_says_what_to_do() {
    let root = folder(&[("Dockerfile", "FROM scratch\n"), ("store.db", "not a database")]);
    let cases: [(&[&str], &str); 15] = [
        (&[], "Usage: mass-driver <COMMAND>"),
        (&["chek"], "'check'"),
        (&["check"], "there is no `.mass-driver.yaml` in `.`. Give the path of a file, or write one"),
        (&["check", "nowhere"], "there is no file or folder `nowhere`"),
        (&["deps", "nowhere"], "there is no folder `nowhere`"),
        (&["deps", "Dockerfile"], "`Dockerfile` is not a folder; name the folder of a repository"),
        (&["plan"], "there is no `.mass-driver.yaml` in `.`"),
        (&["why", "acme"], "`acme` is not a repository name (OWNER/NAME)"),
        (&["why", "acme/api"], "there is no database at `mass-driver.db`; point DATABASE_URL or --database-url at"),
        (
            &["why", "acme/api", "--database-url", "mysql://user:secret@db"],
            "it has to begin with sqlite:// or postgres://",
        ),
        (&["why", "acme/api", "--database-url", "sqlite://store.db"], "store.db cannot be opened"),
        (&["retry"], "<OWNER/REPO>"),
        (&["retry", "acme/api", "--all"], "cannot be used with"),
        (&["retry", "acme"], "`acme` is not a repository name (OWNER/NAME)"),
        (&["retry", "--all"], "there is no database at `mass-driver.db`; point DATABASE_URL or --database-url at"),
    ];
    for (arguments, expected) in cases {
        let (code, out, err) = run(root.path(), arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(expected) && !err.contains("secret"), "{arguments:?}: {err}");
    }
    assert!(!root.path().join("mass-driver.db").exists(), "asking why makes no database");
}

#[test]
fn the_server_does_not_start_without_the_secret_of_its_webhooks() {
    for secret in [None, Some(""), Some("  ")] {
        let folder = folder(&[]);
        let mut command = command(folder.path(), &["serve"]);
        if let Some(secret) = secret {
            command.env("GITHUB_WEBHOOK_SECRET", secret);
        }
        let (code, _, err) = told(command.output().unwrap());
        assert_eq!(code, 1);
        assert!(err.starts_with("mass-driver: GITHUB_WEBHOOK_SECRET is not set;"), "{err}");
    }
}

#[test]
fn problems_of_the_file_are_told_by_plan_as_by_check() {
    let folder = folder(&[(FILE, FIVE_MISTAKES)]);
    for format in ["table", "json"] {
        let checked = run(folder.path(), &["check", "--format", if format == "json" { "json" } else { "text" }]);
        assert_eq!(run(folder.path(), &["plan", "--format", format]), checked);
        assert_eq!(checked.0, 1);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    // More than a pipe holds, so that the command must notice.
    let lines: String = (0..5_000).map(|n| format!("package-{n}==1.0.{n}\n")).collect();
    let folder = folder(&[("requirements.txt", &lines)]);
    for format in ["table", "json"] {
        let mut child = command(folder.path(), &["deps", "--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 16];
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut first).unwrap();
        drop(out);
        let (code, _, err) = told(child.wait_with_output().unwrap());
        assert_eq!((code, err.as_str()), (0, ""), "{format}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plan_says_what_would_be_opened_and_when() {
    // The command reads the clock of the machine, so only facts that no clock changes are asked for.
    let registry = RegistrySim::start(Arc::new(|| at("2026-03-01T00:00:00Z"))).unwrap();
    for version in ["0.27.0", "0.28.0"] {
        registry.release_at("httpx", version, at("2020-01-01T00:00:00Z"));
    }
    registry.release_at("flask", "3.0.0", at("2020-01-01T00:00:00Z"));
    registry.tag("library/python", "3.12-slim");
    registry.tag("library/python", "3.13-slim");
    let file = "subscriptions:\n  - pypi\n  - migration: docker\n    min_age: 9d\n";
    let folder = folder(&[
        (FILE, file),
        ("requirements.txt", "httpx==0.27.0\nflask==3.0.0\nmissing==1.0\n-e .\n"),
        ("Dockerfile", "FROM python:3.12-slim\n"),
    ]);
    let (pypi, docker) = (registry.simple_url(), registry.oci_url());
    let arguments = ["plan", "--pypi-url", &pypi, "--docker-url", &docker];
    let (code, out, err) = run(folder.path(), &arguments);
    assert_eq!(code, 1, "{out}{err}");
    assert_eq!(err, "mass-driver: 1 package could not be looked up, so the plan is not complete\n");
    let row = |start: &str| {
        out.lines().find(|line| line.trim_start().starts_with(start)).unwrap_or_else(|| panic!("{start}\n{out}"))
    };
    assert!(row("now").contains("Bump httpx from 0.27.0 to 0.28.0"), "{out}");
    let image = out.lines().find(|line| line.contains("Bump python")).unwrap();
    assert!(image.contains("to 3.13-slim") && image.contains("3.13-slim is 0 days old, 9 days are asked for"), "{out}");
    assert!(row("missing").contains("does not have pypi/missing"), "{out}");
    assert!(row(". ").contains("it comes from a path, a URL or a repository"), "{out}");
    assert!(out.ends_with("1 of 5 dependencies are up to date; of 1 it is not known.\n"), "{out}");

    let nowhere = ["plan", "--pypi-url", "http://127.0.0.1:9/", "--docker-url", "http://127.0.0.1:9/"];
    std::fs::write(folder.path().join("requirements.txt"), "httpx==0.27.0\n").unwrap();
    let (code, out, _) = run(folder.path(), &nowhere);
    assert_eq!(code, 1, "{out}");
    assert!(out.ends_with("Whether the 2 dependencies are up to date is not known.\n"), "{out}");

    std::fs::write(folder.path().join("requirements.txt"), "httpx==0.27.0\n").unwrap();
    let (code, out, err) = run(folder.path(), &[&arguments[..], &["--format", "json"]].concat());
    assert_eq!((code, err.as_str()), (0, ""));
    let plan: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(plan["pull_requests"][0]["title"], "Bump python from 3.12-slim to 3.13-slim");
    assert_eq!(plan["pull_requests"][1]["branch"], "mass-driver/pypi/httpx-0.28.0");
    assert_eq!(plan["dependencies"].as_array().unwrap().len(), 2);
}

/// A server's database with one repository, as the server would leave it at `now`.
async fn seeded(folder: &Path, now: Timestamp) {
    let store = Store::connect(&format!("sqlite://{}", folder.join("mass-driver.db").display())).await.unwrap();
    let repo = RepoId(1);
    let object = |digit: &str| ObjectId::parse(&digit.repeat(40)).unwrap();
    let repository = Repository {
        id: repo,
        installation: InstallationId(7),
        name: RepoName::parse("acme/api").unwrap(),
        default_branch: Some("main".into()),
        private: true,
        fork: false,
        state: RepoState::Active,
        web_url: "https://github.example.com/acme/api".into(),
    };
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
                content: None,
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
    let Done::Finished(tx) = plan::plan(&store, repo, now).await.unwrap() else { panic!("planning ends at once") };
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
    rich        requirements.txt:3  13.0.0          failed                            packages.example.com does not have pypi/rich
    .           requirements.txt:4                  refused                           it comes from a path, a URL or a repository, not from a registry
    ");

    let (code, out, _) = run(folder.path(), &["why", "acme/api", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["file"], &answer["state"]), (0, &"valid".into(), &"active".into()));
    assert_eq!(answer["proposals"][0]["due_at"], "2026-03-09T05:00:00Z");

    let (code, out, err) = run(folder.path(), &["why", "acme/other"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("the server does not know acme/other; is the App installed there"), "{err}");
}

/// Parks a step for each of these subjects, as a worker does.
async fn park(store: &Store, subjects: &[&str], now: Timestamp) {
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

/// A server that is ended with the test, however that ends.
struct Server(std::process::Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_starts_answers_and_stops_when_it_is_told_to() {
    let github = GitHubSim::start(Arc::new(app::now)).unwrap();
    github.organization("acme");
    github.install("acme").unwrap();
    github.create_repo("acme/api", RepoOptions::default().file(FILE, GOOD)).unwrap();
    let credentials = github.app();
    let folder = folder(&[("key.pem", &credentials.private_key_pem)]);
    let child = command(folder.path(), &["serve", "--listen", "127.0.0.1:0"])
        .env("GITHUB_API_URL", github.url())
        .env("GITHUB_APP_ID", credentials.app_id.to_string())
        .env("GITHUB_APP_PRIVATE_KEY_FILE", "key.pem")
        .env("GITHUB_WEBHOOK_SECRET", &credentials.webhook_secret)
        .env("MASS_DRIVER_ADMIN_TOKEN", "open-sesame")
        .env("MASS_DRIVER_LOG_FORMAT", "json")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut server = Server(child);
    let mut log = BufReader::new(server.0.stderr.take().unwrap()).lines();
    let ready: serde_json::Value = loop {
        let line = log.next().expect("the server says that it is ready before it ends").unwrap();
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        if line["message"] == "ready" {
            break line;
        }
    };
    let address = ready["address"].as_str().unwrap();
    assert_eq!(ready["webhooks"], format!("http://{address}/webhooks/github"));

    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: &str, headers: &[(&str, &str)]| {
        let request = headers.iter().fold(client.get(format!("http://{address}{path}")), |r, (k, v)| r.header(*k, *v));
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(get("/healthz", &[]).await, (200, "ok\n".into()));
    assert_eq!(get("/readyz", &[]).await, (200, "ready\n".into()));
    assert_eq!(get("/", &[]).await.0, 200, "a person on this machine");
    let passed_on = ("x-forwarded-for", "192.0.2.7");
    let (status, words) = get("/", &[passed_on]).await;
    assert!(status == 401 && words.contains("MASS_DRIVER_ADMIN_TOKEN"), "{status} {words}");
    assert_eq!(get("/", &[passed_on, ("authorization", "Bearer open-sesame")]).await.0, 200);

    let kill = Command::new("kill").args(["-TERM", &server.0.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(server.0.wait().unwrap().code(), Some(0));
    let rest: Vec<String> = log.map(Result::unwrap).collect();
    assert!(rest.iter().any(|line| line.contains("the steps under way are finished first")), "{rest:#?}");
    assert!(!rest.iter().any(|line| line.contains("\"level\":\"ERROR\"")), "{rest:#?}");
}

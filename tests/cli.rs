//! The executable as people and scripts meet it: what it prints where, and the code it ends with.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "cli/audited.rs"]
mod audited;
#[path = "cli/checkout.rs"]
mod checkout;
#[path = "cli/documented.rs"]
mod documented;
#[path = "cli/executable.rs"]
mod executable;
#[path = "cli/exits.rs"]
mod exits;
#[path = "cli/ignored.rs"]
mod ignored;
#[path = "cli/plug_ins.rs"]
mod plug_ins;
#[cfg(unix)]
#[path = "cli/rights.rs"]
mod rights;
#[path = "support/rows.rs"]
mod rows;
#[path = "cli/stored.rs"]
mod stored;
#[path = "cli/view_pr.rs"]
mod view_pr;

use executable::{FILE, GOOD, at, command, folder, run, told};
use github_sim::{GitHubSim, RepoOptions};
use mass_driver::app;
use registry_sim::RegistrySim;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

const FIVE_MISTAKES: &str = "delay: weakly\nlabls: [dependencies]\nsubscriptions:\n  - migration: pipy\n    min_age: 3x\n  - migration: docker\n    delay: 0 0 31 2 *\n";

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
    let cases: [(&[&str], &str); 17] = [
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
        (&["audit", "acme"], "`acme` is not a repository name (OWNER/NAME)"),
        (&["audit"], "there is no database at `mass-driver.db`; point DATABASE_URL or --database-url at"),
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

/// Whoever set the variable knows nothing of the flag.
#[test]
fn a_setting_that_cannot_be_read_is_named_by_its_variable_with_an_example() {
    for (variable, value, hint) in [
        (
            "MASS_DRIVER_WORKERS",
            "many",
            "the variable MASS_DRIVER_WORKERS or by --workers, which wins, as in MASS_DRIVER_WORKERS=4.",
        ),
        ("MASS_DRIVER_LISTEN", "localhost:8080", "an IP address, and no name: 127.0.0.1 (as 127.0.0.1:8080) for this"),
        ("MASS_DRIVER_LISTEN", "127.0.0.1:http", "behind the last `:` stands a port from 0 to 65535"),
        ("MASS_DRIVER_LISTEN", "localhost", "or by --listen, which wins, as in MASS_DRIVER_LISTEN=127.0.0.1:8080."),
        ("MASS_DRIVER_ROLE", "both", "or by --role, which wins, as in MASS_DRIVER_ROLE=all."),
        ("MASS_DRIVER_LOG_FORMAT", "xml", "as in MASS_DRIVER_LOG_FORMAT=text."),
    ] {
        let (code, out, err) = told(command(folder(&[]).path(), &["serve"]).env(variable, value).output().unwrap());
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains(&format!("invalid value '{value}'")) && err.contains(hint), "{err}");
    }
    let (code, _, err) = run(folder(&[]).path(), &["serve", "--log", ""]);
    assert!(code == 2 && err.contains("as in MASS_DRIVER_LOG=info"), "{err}");
    let (_, help, _) = run(folder(&[]).path(), &["serve", "--help"]);
    assert!(help.contains("[env: MASS_DRIVER_WORKERS=]"), "{help}");
}

/// As `.env` files leave them.
#[test]
fn an_empty_variable_is_as_if_unset() {
    let folder = folder(&[(FILE, GOOD)]);
    let (_, _, help) = told(command(folder.path(), &["serve", "--nothing"]).output().unwrap());
    assert!(help.contains("--nothing"), "{help}");
    for value in ["", "  "] {
        let mut command = command(folder.path(), &["serve"]);
        for variable in [
            "MASS_DRIVER_LISTEN",
            "MASS_DRIVER_PUBLIC_URL",
            "MASS_DRIVER_ADMIN_TOKEN",
            "GITHUB_WEBHOOK_SECRET",
            "GITHUB_WEBHOOK_SECRET_PREVIOUS",
            "GITHUB_APP_ID",
            "GITHUB_APP_PRIVATE_KEY",
            "GITHUB_APP_PRIVATE_KEY_FILE",
            "MASS_DRIVER_DEPS_DEV_URL",
            "MASS_DRIVER_PYPI_URL",
            "MASS_DRIVER_NPM_URL",
            "MASS_DRIVER_CARGO_URL",
            "MASS_DRIVER_DOCKER_URL",
            "MASS_DRIVER_PRIVATE_REGISTRIES",
            "MASS_DRIVER_ROLE",
            "MASS_DRIVER_WORKERS",
            "MASS_DRIVER_WATCH_MINUTES",
            "MASS_DRIVER_LEASE_SECONDS",
            "MASS_DRIVER_STOP_SECONDS",
            "MASS_DRIVER_WRITE_SPACING_MS",
            "MASS_DRIVER_KEEP_PAYLOADS_DAYS",
            "MASS_DRIVER_LOG",
            "MASS_DRIVER_LOG_FORMAT",
        ] {
            command.env(variable, value);
        }
        let (code, out, err) = told(command.output().unwrap());
        // The same as without any: what is missing is named, and nothing else is wrong.
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        let lines: Vec<&str> = err.lines().collect();
        let missing =
            ["GITHUB_WEBHOOK_SECRET is not set", "GITHUB_APP_ID is not set", "neither GITHUB_APP_PRIVATE_KEY nor"];
        assert_eq!(lines.len(), missing.len(), "{err}");
        assert!(lines.iter().zip(missing).all(|(line, words)| line.contains(words)), "{err}");
    }
}

/// A secret that was not filled in: the default would be a new database in the folder, or GitHub itself in place of the
/// company's own.
#[test]
fn an_empty_variable_that_names_a_place_is_refused() {
    let folder = folder(&[]);
    for (variable, example) in
        [("DATABASE_URL", "sqlite://mass-driver.db"), ("GITHUB_API_URL", "https://api.github.com")]
    {
        for value in ["", " \t"] {
            let (code, out, err) = told(command(folder.path(), &["serve"]).env(variable, value).output().unwrap());
            assert_eq!((code, out.as_str()), (2, ""), "{err}");
            assert!(err.contains("it is set to nothing; write where it is, or leave it out altogether"), "{err}");
            assert!(err.contains(&format!("as in {variable}={example}.")), "{err}");
        }
    }
    for arguments in [&["why", "acme/api"][..], &["retry", "--all"]] {
        let (code, _, err) = told(command(folder.path(), arguments).env("DATABASE_URL", "").output().unwrap());
        assert!(code == 2 && err.contains("set by the variable DATABASE_URL or by --database-url"), "{err}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn the_usage_of_retry_names_its_three_ways() {
    let (code, help, _) = run(folder(&[]).path(), &["retry", "--help"]);
    assert_eq!(code, 0);
    for way in ["retry [OPTIONS] <OWNER/REPO>", "retry [OPTIONS] --all", "retry [OPTIONS] --list [OWNER/REPO]"] {
        assert!(help.contains(way), "{help}");
    }
}

/// Marks of direction, colours and the like, in every place of a checkout that is printed.
#[test]
fn nothing_of_a_checkout_steers_the_terminal() {
    const ODD: &str = "\u{202e}\u{9b}31m\u{2066}\u{200b}";
    let root = folder(&[]);
    for (path, text) in [
        (format!("a{ODD}/requirements.txt"), format!("httpx{ODD}==0.27.0\nrich=={ODD}1.0\n-r gone{ODD}.txt\n")),
        (format!("b{ODD}/package.json"), format!("{{\"dependencies\": {{\"x{ODD}\": \"^{ODD}1\"}}}}")),
        (format!("c{ODD}/package.json"), format!("{{{ODD}")),
        (FILE.into(), format!("subscriptions:\n  - migration: pypi{ODD}\n    {ODD}: 1 # {ODD}\n")),
    ] {
        let place = root.path().join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, text).unwrap();
    }
    let nowhere = format!("nowhere{ODD}");
    let mut seen = 0;
    for arguments in [
        &["deps"][..],
        &["deps", "--format", "json"],
        &["check"],
        &["check", "--format", "json"],
        &["check", "--format", "github"],
        &["plan"],
        &["plan", "--format", "json"],
        &["check", &nowhere],
        &["deps", &nowhere],
        &["why", &nowhere],
        &["retry", &nowhere],
        &[&nowhere],
        &["schema", &nowhere],
        &["check", "--format", &nowhere],
        &["serve", "--workers", &nowhere],
        &["serve", "--log", &nowhere],
    ] {
        let (_, out, err) = run(root.path(), arguments);
        let odd = |c: &char| (c.is_control() && *c != '\n') || ODD.replace("31m", "").contains(*c);
        let shown: Vec<char> = out.chars().chain(err.chars()).filter(odd).collect();
        assert_eq!(shown, [] as [char; 0], "{arguments:?}\n{out}\n{err}");
        seen += out.len() + err.len();
    }
    assert!(seen > 1_000, "they say something");
}

/// A folder is read in whatever order the file system likes.
#[test]
fn what_is_passed_over_is_told_in_order() {
    let names: Vec<String> = (0..30).map(|n| format!("r{:02}-requirements.txt", (n * 7) % 30)).collect();
    let texts: Vec<String> = names.iter().map(|name| format!("-r gone-{name}\n")).collect();
    let files: Vec<(&str, &str)> =
        names.iter().zip(&texts).map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (_, _, err) = run(folder(&files).path(), &["deps"]);
    let lines: Vec<&str> = err.lines().collect();
    assert!(lines.len() == 30 && lines.is_sorted(), "{err}");
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
        assert_eq!(code, 2);
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
    let first = "Whether a pull request would be opened is not known: none of the 2 dependencies was looked up.\n";
    assert!(out.starts_with(first) && !out.contains("No pull request"), "{out}");

    std::fs::write(folder.path().join("requirements.txt"), "httpx==0.27.0\n").unwrap();
    let (code, out, err) = run(folder.path(), &[&arguments[..], &["--format", "json"]].concat());
    assert_eq!((code, err.as_str()), (0, ""));
    let plan: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(plan["pull_requests"][0]["title"], "Bump python from 3.12-slim to 3.13-slim");
    assert_eq!(plan["pull_requests"][1]["branch"], "mass-driver/pypi/httpx-0.28.0");
    assert_eq!(plan["dependencies"].as_array().unwrap().len(), 2);
}

#[test]
fn plan_says_who_looks_tags_up() {
    let action = "runs:\n  using: composite\n  steps:\n    - uses: actions/checkout@v4\n";
    let folder = folder(&[(FILE, "subscriptions: [github-actions]\n"), ("action.yml", action)]);
    let (code, out, err) = run(folder.path(), &["plan"]);
    let first = "Whether a pull request would be opened is not known: its only dependency was not looked up.";
    assert_eq!((code, out.lines().next()), (0, Some(first)), "{err}");
    let words = "tags are looked up by the server, in its App's name; this command asks no forge";
    assert_eq!(err, format!("note: 1 action or hook is not planned: {words}\n"));
    let (_, out, _) = run(folder.path(), &["plan", "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(plan["dependencies"][0]["reason"], words);
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
        .env("MASS_DRIVER_ADMIN_TOKEN", "open-sesame-and-close-it\n")
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
    assert_eq!(get("/", &[passed_on, ("authorization", "Bearer open-sesame-and-close-it")]).await.0, 200);

    let kill = Command::new("kill").args(["-TERM", &server.0.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(server.0.wait().unwrap().code(), Some(0));
    let rest: Vec<String> = log.map(Result::unwrap).collect();
    assert!(rest.iter().any(|line| line.contains("the steps under way are finished first")), "{rest:#?}");
    assert!(!rest.iter().any(|line| line.contains("\"level\":\"ERROR\"")), "{rest:#?}");
}

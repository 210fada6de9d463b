//! How pull requests are doing: groups, counts, what may not be seen, and looking again until all are over.

use crate::documented::{explained, keys};
use crate::executable::{command, folder, told};
use clap::Parser;
use futures_util::FutureExt as _;
use github_sim::{Colour, Fault, FaultKind, FileChangeInput, GitHubSim, RepoOptions, ReviewVerdict, Role};
use jiff::{SignedDuration, Timestamp};
use mass_driver::cli::Exit;
use mass_driver::cli::view_pr::{self, Around, ViewPrArgs};
use mass_driver::domain::{
    Clock, Delivery, PatchOutcome, Phase, PullNumber, RunId, RunKind, RunPull, RunRepository, RunState,
    SourcedRepository,
};
use mass_driver::settings::Environment;
use mass_driver::store::{NewRun, Store};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A clock that goes on when somebody waits.
#[derive(Clone)]
struct Still(Arc<Mutex<Timestamp>>);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// `acme/api` with a pull request for each way one can stand.
struct World {
    sim: GitHubSim,
    clock: Still,
    folder: tempfile::TempDir,
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: ViewPrArgs,
}

struct Told {
    exit: Exit,
    out: String,
    notes: String,
    /// How long was waited each time. Unit: seconds.
    waited: Vec<u64>,
}

impl World {
    fn new() -> Self {
        let clock = Still(Arc::new(Mutex::new("2026-03-02T09:00:00Z".parse().unwrap())));
        let sims = clock.clone();
        let sim = GitHubSim::start(Arc::new(move || sims.now())).unwrap();
        sim.organization("acme");
        for login in ["jo", "al", "bo"] {
            sim.person(login);
        }
        for name in ["acme/api", "acme/secret"] {
            sim.create_repo(name, RepoOptions::default().file("a.txt", "1\n")).unwrap();
        }
        for login in ["jo", "al", "bo"] {
            sim.set_role("acme/api", login, Role::Write).unwrap();
        }
        Self { sim, clock, folder: folder(&[]) }
    }

    /// A pull request of a branch of its own; its number and its commit.
    fn pull(&self, branch: &str, path: &str) -> (i64, String) {
        let files = [FileChangeInput::put(path, format!("{branch}\n"))];
        self.sim.push_as("jo", "acme/api", branch, &files, branch).unwrap();
        let number = self.sim.open_pull_request("acme/api", branch, "main", branch).unwrap();
        (number, self.sim.head("acme/api", branch).unwrap().unwrap())
    }

    fn approve(&self, number: i64) {
        self.sim.review("acme/api", number, "al", ReviewVerdict::Approve).unwrap();
    }

    /// One of each: their numbers, by the word of JSON.
    fn one_of_each(&self) -> Vec<(&'static str, i64)> {
        let (conflicts, _) = self.pull("conflicts", "a.txt");
        let (merged, _) = self.pull("merged", "a.txt");
        self.sim.merge("acme/api", merged).unwrap();
        let (closed, _) = self.pull("closed", "c.txt");
        self.sim.close("acme/api", closed).unwrap();
        let (ready, commit) = self.pull("ready", "d.txt");
        self.approve(ready);
        self.sim.set_check("acme/api", &commit, "tests", Colour::Green).unwrap();
        let (waiting, _) = self.pull("waiting", "e.txt");
        let (pending, commit) = self.pull("pending", "f.txt");
        self.sim.set_check("acme/api", &commit, "tests", Colour::Pending).unwrap();
        let (red, commit) = self.pull("red", "g.txt");
        self.sim.set_check("acme/api", &commit, "tests", Colour::Red).unwrap();
        let (changes, _) = self.pull("changes", "h.txt");
        self.approve(changes);
        self.sim.review("acme/api", changes, "bo", ReviewVerdict::RequestChanges).unwrap();
        let (draft, _) = self.pull("draft", "i.txt");
        self.sim.set_draft("acme/api", draft, true).unwrap();
        let groups = [merged, closed, ready, waiting, pending, red, changes, conflicts, draft];
        let words = [
            "merged",
            "closed",
            "ready",
            "waiting_for_review",
            "checks_pending",
            "checks_red",
            "changes_requested",
            "conflicts",
            "draft",
        ];
        words.into_iter().zip(groups).collect()
    }

    fn environment(&self) -> Environment {
        Environment::of([("FORGE_TOKEN", self.sim.personal_token("jo"))])
    }

    async fn view(&self, line: &[&str]) -> Told {
        self.view_while(line, &self.environment(), false, |_| {}).await
    }

    /// Looks while time stands still, but for the waiting; `meanwhile` is what others do during each wait.
    async fn view_while(
        &self,
        line: &[&str],
        environment: &Environment,
        on_screen: bool,
        meanwhile: impl Fn(usize) + Sync,
    ) -> Told {
        let store = format!("sqlite://{}", self.folder.path().join("mass-driver.db").display());
        let url = self.sim.url();
        let usual = ["view-pr", "--github-api-url", &url, "--database-url", &store];
        let args = Line::try_parse_from(usual.iter().chain(line)).unwrap_or_else(|error| panic!("{error}")).args;
        let waited = Mutex::new(Vec::new());
        let pause = |time: Duration| {
            let mut waited = waited.lock().unwrap();
            *self.clock.0.lock().unwrap() += SignedDuration::try_from(time).unwrap();
            meanwhile(waited.len());
            waited.push(time.as_secs());
            std::future::ready(()).boxed()
        };
        let around = Around { environment, clock: Arc::new(self.clock.clone()), pause: &pause, on_screen };
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let exit = view_pr::run(&args, &around, &mut out, &mut notes).await;
        let exit = exit.unwrap_or_else(|error| panic!("{error:#}"));
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Told { exit, out: text(out), notes: text(notes), waited: waited.into_inner().unwrap() }
    }

    fn url(&self, number: i64) -> String {
        self.sim.url().replace("/api/v3", "") + &format!("/acme/api/pull/{number}")
    }
}

fn words(numbers: &[(&str, i64)]) -> Vec<String> {
    numbers.iter().map(|(_, number)| format!("acme/api#{number}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pull_requests_are_grouped_by_state_with_counts_and_shares_of_all() {
    let world = World::new();
    let each = world.one_of_each();
    let mut line = words(&each);
    line.extend(["acme/secret#1".into(), "https://elsewhere.example.com/acme/api/pull/1".into()]);
    let line: Vec<&str> = line.iter().rev().map(String::as_str).collect();
    let told = world.view(&line).await;
    assert_eq!(told.exit, Exit::Failed, "two cannot be read");
    assert!(told.notes.ends_with("is asked with the token in FORGE_TOKEN\n"), "{}", told.notes);
    let counts: Vec<&str> = told.out.lines().take(11).collect();
    assert_eq!(counts[0], "11 pull requests:");
    let groups = [
        "merged",
        "closed, not merged",
        "open, ready to merge",
        "open, waiting for review",
        "open, checks pending",
        "open, checks red",
        "open, changes requested",
        "open, conflicts with its base",
        "open, draft",
        "cannot be read",
    ];
    for (line, words) in counts[1..].iter().zip(groups) {
        let share = if words == "cannot be read" { ["2", "18.2", "%"] } else { ["1", "9.1", "%"] };
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!((&cells[..3], cells[3..].join(" ").as_str()), (&share[..], words), "{}", told.out);
    }
    assert!(
        told.out.contains("GitHub does not show it: it is not there, or whoever asks may not see it"),
        "{}",
        told.out
    );
    assert!(told.out.contains("it is at elsewhere.example.com, and "), "{}", told.out);
    assert!(told.out.contains("1 approval, 1 asks for changes, no checks"), "{}", told.out);
    assert!(!told.out.contains('\u{1b}'));
    let asked = world.sim.exchanges();
    assert!(asked.iter().all(|exchange| !exchange.path.contains("elsewhere")));

    let told = world.view(&[&line[..], &["--format", "json"]].concat()).await;
    let json: Value = serde_json::from_str(&told.out).unwrap();
    let mut printed = BTreeSet::new();
    keys(&json, &mut printed);
    assert_eq!(explained("docs/view-pr.md", "## JSON"), printed, "docs/view-pr.md left, the command right");
    let groups = json["counts"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap().to_owned());
    let groups: BTreeSet<String> = groups.chain(["checks_unseen".to_owned()]).collect();
    let mut named = explained("docs/view-pr.md", "## Groups");
    assert!(named.remove("state"), "the head of its table");
    assert_eq!(named, groups, "docs/view-pr.md left, the command right");
    assert_eq!((&json["total"], json["counts"].as_array().unwrap().len()), (&11.into(), 10));
    for (state, number) in each {
        let one = json["pull_requests"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["asked_for"] == format!("acme/api#{number}"))
            .unwrap();
        assert_eq!((one["state"].as_str(), one["url"].as_str()), (Some(state), Some(world.url(number).as_str())));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lines_of_the_python_tool_work_as_they_are_written() {
    let world = World::new();
    let (one, _) = world.pull("one", "b.txt");
    let (two, _) = world.pull("two", "c.txt");
    let (first, second) = (world.url(one), world.url(two));
    let told = world.view(&["github", "--pr", &first, &second, &first]).await;
    assert_eq!(told.exit, Exit::Done);
    assert!(told.out.starts_with("2 pull requests:\n     2  100.0 %  open, waiting for review\n"), "{}", told.out);
    assert!(told.notes.starts_with("note: 1 named more than once, and looked at once\n"), "{}", told.notes);
    let file = world.folder.path().join("pulls.txt");
    std::fs::write(&file, format!("\u{feff}# ours\r\n\r\n{first}/files # the first\r\n  acme/api#{two}\n")).unwrap();
    let again = world.view(&["github", "--pr-filelist", file.to_str().unwrap()]).await;
    assert_eq!(again.out, told.out);
    std::fs::write(&file, "# none\n").unwrap();
    let told = world.view(&["github", "--pr-filelist", file.to_str().unwrap()]).await;
    assert_eq!((told.exit, told.out.as_str()), (Exit::Done, "No pull requests.\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pull_requests_of_a_run_are_those_the_store_knows() {
    let world = World::new();
    let (number, _) = world.pull("one", "b.txt");
    let url = format!("sqlite://{}", world.folder.path().join("mass-driver.db").display());
    let store = Store::connect(&url).await.unwrap();
    let sourced = |id: &str| SourcedRepository {
        id: id.into(),
        clone_url: format!("https://example.com/{id}.git"),
        upstream_branch: None,
        patch_data: Default::default(),
    };
    let now = world.clock.now();
    let new = NewRun {
        activity: "a.toml".into(),
        said: String::new(),
        version: "0".into(),
        kind: RunKind::Run,
        started_at: now,
        alive_until: now,
    };
    let mut tx = store.begin().await.unwrap();
    let over = ["acme/api", "acme/web", "acme/odd"].map(sourced);
    let lease = tx.begin_run(&new, &over).await.unwrap();
    for (position, url) in [(0, world.url(number)), (2, "not an address".to_owned())] {
        let one = RunRepository {
            phase: Phase::Propose,
            state: RunState::Done,
            outcome: Some(PatchOutcome::Patched),
            pull: Some(RunPull { number: PullNumber(number), url, delivery: Delivery::Opened }),
            ..RunRepository::new(position, over[position as usize].clone())
        };
        tx.save_run_repository(&lease, &one).await.unwrap();
    }
    tx.commit().await.unwrap();
    store.close().await;
    assert_eq!(lease.run(), RunId(1));
    let told = world.view(&["--run", "1"]).await;
    assert_eq!(told.exit, Exit::Failed);
    assert!(told.out.starts_with("2 pull requests:\n     1   50.0 %  open, waiting for review\n"), "{}", told.out);
    assert!(told.out.contains("is not the address of a pull request"), "{}", told.out);
    let told = world.view(&["--run", "2"]).await;
    assert_eq!((told.exit, told.out.as_str()), (Exit::Failed, ""));
    assert!(told.notes.contains("there is no such run here; `mass-driver runs` lists"), "{}", told.notes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watching_asks_only_for_what_is_open_and_tells_only_what_changed() {
    let world = World::new();
    let (merged, _) = world.pull("merged", "b.txt");
    world.sim.merge("acme/api", merged).unwrap();
    let (open, commit) = world.pull("open", "c.txt");
    let line = [format!("acme/api#{merged}"), format!("acme/api#{open}")];
    let line = [line[0].as_str(), &line[1], "--watch", "30"];
    let marks = Mutex::new(Vec::new());
    let environment = world.environment();
    let told = world
        .view_while(&line, &environment, false, |wait| {
            marks.lock().unwrap().push(world.sim.mark());
            match wait {
                0 => {}
                1 => drop(world.sim.set_check("acme/api", &commit, "tests", Colour::Red).unwrap()),
                2 => world.sim.fault(Fault::once("GET", "/repos/acme/api/pulls/*", FaultKind::BadGateway).times(5)),
                3..=7 => {}
                _ => drop(world.sim.merge("acme/api", open).unwrap()),
            }
        })
        .await;
    assert_eq!(told.exit, Exit::Done, "{}", told.out);
    assert_eq!(told.waited, [30, 30, 30, 1, 2, 4, 8, 30, 30], "it is asked again before it is given up");
    let asked_first = world.sim.requests_since(marks.lock().unwrap()[0]);
    assert!(asked_first.iter().all(|exchange| !exchange.path.contains(&format!("pulls/{merged}"))), "it is over");
    assert!(asked_first.iter().all(|exchange| exchange.path != "/repos/acme/api"), "a repository is asked for once");
    let changes: Vec<&str> = told.out.lines().filter(|line| line.contains(" UTC  ")).collect();
    let url = world.url(open);
    assert_eq!(changes.len(), 4, "{}", told.out);
    assert_eq!(changes[0], format!("09:01:00 UTC  {url}  open, waiting for review -> open, checks red"));
    assert!(changes[1].starts_with("09:01:45 UTC") && changes[1].contains("-> cannot be read (GitHub did not answer"));
    assert_eq!(changes[2], format!("09:02:15 UTC  {url}  cannot be read -> open, checks red"));
    assert_eq!(changes[3], format!("09:02:45 UTC  {url}  open, checks red -> merged"));
    assert!(told.out.ends_with("\n\n2 pull requests:\n     2  100.0 %  merged\n"), "{}", told.out);
    assert!(!told.out.contains('\u{1b}'), "{}", told.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_screen_the_table_is_drawn_anew_and_scripts_get_a_document_for_each_change() {
    let world = World::new();
    let (open, _) = world.pull("open", "c.txt");
    let name = format!("acme/api#{open}");
    let environment = world.environment();
    let end = |wait| {
        if wait == 1 {
            world.sim.close("acme/api", open).unwrap();
        }
    };
    let told = world.view_while(&["--watch", &name], &environment, true, end).await;
    let drawn: Vec<&str> = told.out.split("\u{1b}[2J\u{1b}[H").collect();
    assert_eq!((drawn.len(), &told.waited[..]), (4, &[60, 60][..]), "{}", told.out);
    assert!(drawn[1].ends_with("1 to be looked at again, every 60 s. Ctrl-C ends this.\n"), "{}", drawn[1]);
    assert!(drawn[3].contains("closed, not merged") && drawn[3].ends_with(": all are over.\n"), "{}", drawn[3]);

    world.sim.reopen("acme/api", open).unwrap();
    let told = world.view_while(&["--watch", "15", &name, "--format", "json"], &environment, true, end).await;
    let documents = serde_json::Deserializer::from_str(&told.out).into_iter::<Value>();
    let states: Vec<Value> = documents.map(|one| one.unwrap()["pull_requests"][0]["state"].clone()).collect();
    assert_eq!(states, ["waiting_for_review", "closed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_limit_is_waited_for_with_a_word() {
    let world = World::new();
    let (one, _) = world.pull("one", "b.txt");
    world.sim.set_limits(|limits| limits.requests_per_hour = 2);
    let free = |_| world.sim.set_limits(|limits| limits.requests_per_hour = 5_000);
    let told = world.view_while(&[&format!("acme/api#{one}")], &world.environment(), false, free).await;
    assert_eq!(told.exit, Exit::Done, "{}", told.out);
    assert_eq!(told.waited.len(), 1);
    assert!(told.waited[0] > 3_000, "until the window ends: {:?}", told.waited);
    assert!(told.notes.ends_with("note: GitHub asks to wait until 10:00:01 UTC; going on then\n"), "{}", told.notes);
    assert!(told.out.starts_with("1 pull request:\n     1  100.0 %  open, waiting for review\n"), "{}", told.out);
}

/// As with a run: a second, and it is asked again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_answer_that_fails_to_come_fails_nothing() {
    let world = World::new();
    let (one, _) = world.pull("one", "b.txt");
    let name = format!("acme/api#{one}");
    for path in ["/repos/acme/api", "/repos/acme/api/pulls/*", "/repos/acme/api/pulls/*/reviews"] {
        world.sim.fault(Fault::once("GET", path, FaultKind::BadGateway));
        let told = world.view(&[&name]).await;
        assert_eq!(world.sim.clear_faults(), 0, "{path} was met");
        assert_eq!((told.exit, told.waited.as_slice()), (Exit::Done, &[1][..]), "{path}: {}", told.out);
        assert!(told.out.contains("100.0 %  open, waiting for review"), "{path}: {}", told.out);
    }
    world.sim.fault(Fault::once("GET", "/repos/acme/api/pulls/*", FaultKind::BadGateway).times(usize::MAX));
    let told = world.view(&[&name]).await;
    assert_eq!((told.exit, told.waited.as_slice()), (Exit::Failed, &[1, 2, 4, 8][..]), "{}", told.out);
    assert!(told.out.contains("GitHub did not answer GET /repos/acme/api/pulls/"), "{}", told.out);
    assert!(
        told.notes.contains("note: GitHub does not answer (") && told.notes.contains("trying again at 09:00:"),
        "{}",
        told.notes
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_asks_as_the_installation_of_each_repository() {
    let world = World::new();
    let (one, _) = world.pull("one", "b.txt");
    let installation = world.sim.install("acme").unwrap().to_string();
    let app = world.sim.app();
    let variables = [("FORGE_APP_ID", app.app_id.to_string()), ("FORGE_APP_PRIVATE_KEY", app.private_key_pem)];
    let environment = Environment::of(variables);
    let name = format!("acme/api#{one}");
    world.sim.clear_exchanges();
    for line in [&["github-app", &name][..], &["--app", &name], &[&name, "--app-installation", &installation]] {
        let told = world.view_while(line, &environment, false, |_| {}).await;
        assert!(told.out.contains("100.0 %  open, waiting for review"), "{}{}", told.out, told.notes);
        assert!(told.notes.ends_with("with the key in FORGE_APP_PRIVATE_KEY\n"), "{}", told.notes);
    }
    let looked_up = world.sim.exchanges().iter().filter(|e| e.path.ends_with("/acme/api/installation")).count();
    assert_eq!(looked_up, 2, "not where it is named");
    world.sim.create_repo("jo/own", RepoOptions::default().file("a", "b")).unwrap();
    let told = world.view_while(&["--app", "jo/own#1"], &environment, false, |_| {}).await;
    assert_eq!(told.exit, Exit::Failed);
}

/// What is wrong before anything is asked for ends with 2, and no token is ever shown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_begin_says_what_to_do() {
    let world = World::new();
    let gh = world.folder.path().join("gh");
    std::fs::create_dir(&gh).unwrap();
    let token = world.sim.personal_token("jo");
    let host = world.sim.url().replace("http://", "").replace("/api/v3", "");
    std::fs::write(gh.join("hosts.yml"), format!("\"{host}\":\n  oauth_token: {token}\n")).unwrap();
    let (one, _) = world.pull("one", "b.txt");
    let name = format!("acme/api#{one}");
    let run = |line: &[&str], variables: &[(&str, &Path)]| {
        let mut command = command(world.folder.path(), &[&["view-pr"], line].concat());
        command.env("GITHUB_API_URL", world.sim.url()).envs(variables.iter().copied());
        told(command.output().unwrap())
    };
    for (line, words) in [
        (&[][..], "no pull request is named: write addresses, or use --run ID or --pr-filelist FILE"),
        (&["github"], "no pull request is named"),
        (&["--pr"], "a value is required for '--pr"),
        (&["acme/api"], "`acme/api` is not the address of a pull request; expected one like https://"),
        (&["--pr-filelist", "nowhere.txt"], "nowhere.txt cannot be read"),
        (&["dummy", &name], "the forge `dummy` opens no pull requests"),
        (&[&name], "set FORGE_TOKEN, GITHUB_TOKEN or GH_TOKEN, or log in with `gh auth login --hostname 127.0.0.1:"),
        (&["--app", &name], "no App is named: set GITHUB_APP_ID or FORGE_APP_ID"),
        (&[&name, "--watch", "14"], "`--watch 14`: expected seconds from 15 to 86400"),
        (&["--run", "1"], "it is not known where runs are kept: set HOME, or DATABASE_URL or --database-url"),
    ] {
        let (code, out, err) = run(line, &[]);
        assert_eq!((code, out.as_str()), (2, ""), "{line:?}: {err}");
        assert!(err.contains(words), "{line:?}: {err}");
    }
    let (code, out, err) = run(&[&name], &[("GH_CONFIG_DIR", &gh)]);
    assert_eq!(code, 0, "{err}");
    assert!(
        err.contains("hosts.yml (`gh`'s token for 127.0.0.1:") && out.contains("open, waiting for review"),
        "{err}"
    );
    assert!(!format!("{out}{err}").contains(&token));
    let (code, out, err) = run(&[&name], &[("FORGE_TOKEN", Path::new("ghp_wrong"))]);
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("GitHub does not accept our credentials") && !out.contains("ghp_wrong"), "{out}");
}

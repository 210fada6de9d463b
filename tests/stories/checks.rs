//! What people read beside a commit that touches the subscription file.

use crate::{World, paced_stories, stories, stories_at_any_pace};
use github_sim::{CheckRunView, Fault, FaultKind, FileChangeInput, RepoOptions};
use jiff::SignedDuration;
use mass_driver::domain::Pace;

pub const FILE: &str = ".mass-driver.yaml";

/// The check runs of ours on a commit, oldest first.
pub fn ours(world: &World, repo: &str, commit: &str) -> Vec<CheckRunView> {
    world.github.check_runs(repo).unwrap().into_iter().filter(|run| run.own && run.head_sha == commit).collect()
}

/// The one check run of ours on a commit.
pub fn check(world: &World, repo: &str, commit: &str) -> CheckRunView {
    let mut runs = ours(world, repo, commit);
    assert_eq!(runs.len(), 1, "{runs:#?}");
    runs.remove(0)
}

/// A check run as a person reads it.
pub fn shown(run: &CheckRunView) -> String {
    let annotations: Vec<String> = run
        .annotations
        .iter()
        .map(|a| {
            format!(
                "{}:{}:{}-{} {}: {}",
                a["path"].as_str().unwrap(),
                a["start_line"],
                a["start_column"],
                a["end_column"],
                a["title"].as_str().unwrap(),
                a["message"].as_str().unwrap()
            )
        })
        .collect();
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    format!(
        "{}: {}\n\n# {}\n\n{}\n\n{}\n\n{}",
        run.name,
        run.conclusion.clone().unwrap_or_else(|| run.status.clone()),
        part(&run.title),
        part(&run.summary),
        part(&run.text),
        annotations.join("\n")
    )
}

/// What a person reads is this, at any pace.
pub fn reads(name: &str, run: &CheckRunView) {
    insta::with_settings!({ prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(format!("check_{name}"), shown(run));
    });
}

/// A person pushes a file to a branch that they make from the default branch, if it is not there yet. Returns the commit.
pub fn pushes(world: &World, branch: &str, path: &str, text: Option<&str>) -> String {
    let change = (path, text.map(str::as_bytes));
    world.github.push("acme/api", branch, &[change], "a person's change").unwrap()
}

/// A repository that pins three packages, of which one is asked for.
async fn api(world: &World, file: &str) {
    for (name, version) in [("httpx", "0.27.0"), ("flask", "3.0.0"), ("django", "4.2.0")] {
        world.registry.release(name, version);
    }
    let pins = "httpx==0.27.0\nflask==3.0.0\ndjango==4.2.0\n";
    world.repository("acme/api", &[("requirements.txt", pins), (FILE, file)]).await;
    world.clock_moves(SignedDuration::from_hours(24 * 30));
    for (name, version) in [("httpx", "0.28.0"), ("django", "5.0.0")] {
        world.registry.release(name, version);
    }
    world.bot_looks().await;
    world.registry.release("flask", "3.1.0");
    world.time_passes(SignedDuration::from_hours(24)).await;
}

const MONDAYS: &str = "timezone: Europe/Paris\ndelay: weekly\nsubscriptions:\n  - migration: pypi\n    min_age: 3d\n";
const AT_ONCE: &str = "timezone: Europe/Paris\nsubscriptions:\n  - migration: pypi\n    min_age: 12h\n    ignore:\n      - name: django\n        versions: \">=5\"\n";
pub const BROKEN: &str = "limit: many\nsubscriptions:\n  - migration: pipy\n    delay: wekly\n";

stories_at_any_pace! {
    async fn a_change_of_the_file_on_a_branch_is_previewed(world: World) {
        api(&world, MONDAYS).await;
        let mark = world.github.mark();
        let commit = pushes(&world, "faster", FILE, Some(AT_ONCE));
        let before = world.clock_now();
        world.settle().await;
        assert_eq!(world.clock_now(), before, "it waits for nothing");
        let run = check(&world, "acme/api", &commit);
        reads("preview_on_a_branch", &run);
        let requests: Vec<String> = world.requests_since(mark).into_iter().filter(|r| !r.contains("/access_tokens")).collect();
        assert_eq!(requests.len(), 3, "the root, the file and the check: {requests:#?}");
        assert!(world.open("acme/api").is_empty(), "the file of a branch is not obeyed");
    }

    async fn problems_stand_on_their_lines(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions: [pypi]\n").await;
        let commit = pushes(&world, "broken", FILE, Some(BROKEN));
        world.settle().await;
        let run = check(&world, "acme/api", &commit);
        assert_eq!(run.conclusion.as_deref(), Some("failure"));
        reads("problems_on_a_branch", &run);
    }

    async fn the_first_file_of_a_repository_is_previewed_from_its_own_commit(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        let mark = world.github.mark();
        let commit = pushes(&world, "begin", FILE, Some("delay: weekly\nsubscriptions: [pypi, github-actions]\n"));
        world.settle().await;
        reads("preview_of_a_first_file", &check(&world, "acme/api", &commit));
        let writes: Vec<String> = world.requests_since(mark).into_iter().filter(|r| r.contains("/check-runs")).collect();
        assert_eq!(writes.len(), 2, "at once that it is valid, then what it does: {writes:#?}");
        assert!(writes[0].starts_with("POST") && writes[1].starts_with("PATCH"), "{writes:#?}");
        assert!(world.outlook("acme/api").await.is_empty(), "nothing of it is stored");
    }

    async fn a_broken_file_on_the_default_branch_names_the_one_in_force(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions: [pypi]\n").await;
        let good = world.github.head("acme/api", "main").unwrap().unwrap();
        world.push("acme/api", &[(FILE, BROKEN)]).await;
        let bad = world.github.head("acme/api", "main").unwrap().unwrap();
        let run = check(&world, "acme/api", &bad);
        assert_eq!(run.conclusion.as_deref(), Some("failure"));
        let summary = run.summary.unwrap();
        assert!(summary.contains(&format!("the one from commit {}.", &good[..12])), "{summary}");

        world.push("acme/api", &[(FILE, "delay: daily\nsubscriptions: [pypi]\n")]).await;
        let mended = world.github.head("acme/api", "main").unwrap().unwrap();
        let run = check(&world, "acme/api", &mended);
        assert_eq!(run.conclusion.as_deref(), Some("success"));
        assert!(run.summary.unwrap().contains("is valid and in force"));
    }

    async fn a_file_that_is_removed_is_told_what_that_means(world: World) {
        world.api_waits_for_monday().await;
        let commit = pushes(&world, "without", FILE, None);
        world.settle().await;
        let run = check(&world, "acme/api", &commit);
        assert_eq!(run.conclusion.as_deref(), Some("neutral"));
        reads("removed_on_a_branch", &run);
        world.remove("acme/api", FILE).await;
        let head = world.github.head("acme/api", "main").unwrap().unwrap();
        assert_eq!(check(&world, "acme/api", &head).conclusion.as_deref(), Some("neutral"));
    }

    async fn the_file_of_a_fork_is_judged_and_not_obeyed(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions: [docker]\n").await;
        world.registry.release("httpx", "0.28.0");
        world.github.fork("acme/api", "mallory").unwrap();
        world.settle().await;
        let number = world.github.propose_as("mallory", "acme/api", "patch", &[(FILE, Some(b"subscriptions: [pypi]\n"))]).unwrap();
        world.settle().await;
        let head = world.github.pull_request("acme/api", number).unwrap().head_sha;
        let run = check(&world, "acme/api", &head);
        assert_eq!((run.conclusion.as_deref(), run.title.as_deref()), (Some("success"), Some("1 pull request now")));
        world.bot_looks().await;
        assert!(world.open("acme/api").iter().all(|title| !title.contains("httpx")), "{:?}", world.open("acme/api"));
        world.github.propose_as("mallory", "acme/api", "other", &[("README.md", Some(b"hello\n"))]).unwrap();
        let runs = world.github.check_runs("acme/api").unwrap().len();
        world.settle().await;
        assert_eq!(world.github.check_runs("acme/api").unwrap().len(), runs, "it leaves the file alone");
    }

    async fn bad_input_24_more_problems_than_one_request_takes_are_all_there_in_order(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions: [pypi]\n").await;
        let mark = world.github.mark();
        let many: String = (0..150).map(|n| format!("  - migration: nobody{n}\n")).collect();
        let commit = pushes(&world, "many", FILE, Some(&format!("subscriptions:\n{many}")));
        world.settle().await;
        let run = check(&world, "acme/api", &commit);
        let lines: Vec<u64> = run.annotations.iter().map(|a| a["start_line"].as_u64().unwrap()).collect();
        assert_eq!(lines.len(), 101, "a hundred, and how many more there are");
        assert!(lines.is_sorted());
        assert_eq!((run.status.as_str(), run.conclusion.as_deref()), ("completed", Some("failure")));
        let writes = world.requests_since(mark).into_iter().filter(|r| r.contains("/check-runs")).count();
        assert_eq!(writes, 3);
    }

    /// Each request may be the one whose answer is lost.
    async fn what_was_said_already_is_found_and_not_said_twice(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions: [pypi]\n").await;
        let many: String = (0..60).map(|n| format!("  - migration: nobody{n}\n")).collect();
        for (n, method) in ["POST", "PATCH"].into_iter().enumerate() {
            world.github.fault(Fault::once(method, "/repos/acme/api/check-runs**", FaultKind::BadGatewayAfter));
            let commit = pushes(&world, &format!("many-{n}"), FILE, Some(&format!("subscriptions:\n{many}")));
            world.settle().await;
            world.time_passes(SignedDuration::from_mins(2)).await;
            let run = check(&world, "acme/api", &commit);
            assert_eq!((run.annotations.len(), run.conclusion.as_deref()), (60, Some("failure")), "{method}");
            world.github.rerequest_checks("acme/api", &commit).unwrap();
            world.settle().await;
            assert_eq!(check(&world, "acme/api", &commit).id, run.id, "{method}: what was found is known from then on");
        }
    }
}

stories! {
    async fn the_check_stands_on_the_newest_commit_and_costs_nobody_else_a_request(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions: [pypi]\n").await;
        world.repository("acme/docs", &[("README.md", "no file here\n")]).await;
        pushes(&world, "weekly", FILE, Some("delay: weekly\nsubscriptions: [pypi]\n"));
        world.settle().await;
        let commit = pushes(&world, "weekly", "README.md", Some("hello\n"));
        world.settle().await;
        assert_eq!(check(&world, "acme/api", &commit).conclusion.as_deref(), Some("success"));

        let other = pushes(&world, "other", "README.md", Some("hello\n"));
        world.settle().await;
        assert!(ours(&world, "acme/api", &other).is_empty(), "it leaves the file as it is in force");
        let mark = world.github.mark();
        for n in 0..3 {
            pushes(&world, "other", "README.md", Some(&n.to_string()));
            world.github.push("acme/docs", "topic", &[("README.md", Some(n.to_string().as_bytes()))], "words").unwrap();
            world.settle().await;
        }
        assert_eq!(world.requests_since(mark), Vec::<String>::new());
    }

    async fn of_a_burst_of_pushes_the_newest_is_looked_at(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions: [pypi]\n").await;
        let commits: Vec<String> = (0..5)
            .map(|n| pushes(&world, "burst", FILE, Some(&format!("limit: {}\nsubscriptions: [pypi]\n", n + 1))))
            .collect();
        let mark = world.github.mark();
        world.settle().await;
        let looks = world.requests_since(mark).into_iter().filter(|r| r.contains("/git/trees/")).count();
        assert_eq!(looks, 1);
        for commit in &commits[..4] {
            assert!(ours(&world, "acme/api", commit).is_empty());
        }
        assert_eq!(check(&world, "acme/api", &commits[4]).conclusion.as_deref(), Some("success"));
    }

    async fn a_person_has_it_said_again(world: World) {
        api(&world, MONDAYS).await;
        let commit = pushes(&world, "faster", FILE, Some(AT_ONCE));
        world.settle().await;
        let first = check(&world, "acme/api", &commit);
        world.registry.release("flask", "3.1.1");
        world.time_passes(SignedDuration::from_hours(24)).await;
        let mark = world.github.mark();
        world.github.rerequest_check_run("acme/api", first.id).unwrap();
        world.settle().await;
        let second = check(&world, "acme/api", &commit);
        assert_ne!(second.text, first.text);
        world.github.rerequest_checks("acme/api", &commit).unwrap();
        world.settle().await;
        assert_eq!(check(&world, "acme/api", &commit).text, second.text);
        let updates = world.requests_since(mark).into_iter().filter(|r| r.starts_with("PATCH")).count();
        assert_eq!(updates, 2, "a person who asks again gets an answer");
    }

    async fn the_same_words_are_not_sent_again(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions: [pypi]\n").await;
        let commit = pushes(&world, "broken", FILE, Some(BROKEN));
        world.settle().await;
        world.github.force_push("acme/api", "copy", &commit).unwrap();
        let mark = world.github.mark();
        world.settle().await;
        let writes = world.requests_since(mark).into_iter().filter(|r| r.contains("/check-runs")).count();
        assert_eq!(writes, 0);
        check(&world, "acme/api", &commit);
    }

    async fn without_the_permission_nothing_is_said_and_the_rest_goes_on(world: World) {
        let permissions = [("contents", "write"), ("pull_requests", "write"), ("metadata", "read")];
        let permissions = permissions.map(|(name, level)| (name.to_owned(), level.to_owned())).into();
        world.github.accept_permissions(world.installation, permissions).unwrap();
        world.repository_using_httpx("acme/api", "subscriptions: [pypi]\n").await;
        let commit = pushes(&world, "broken", FILE, Some(BROKEN));
        world.settle().await;
        assert!(ours(&world, "acme/api", &commit).is_empty());
        let mark = world.github.mark();
        world.time_passes(SignedDuration::from_hours(48)).await;
        assert!(world.requests_since(mark).iter().all(|r| !r.contains("check-runs") && !r.contains("/git/")));
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    async fn what_is_no_file_is_a_problem_on_its_first_line(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions: [pypi]\n").await;
        let cases = [
            ("link", FileChangeInput::symlink(FILE, "elsewhere.yaml"), "it is a symbolic link"),
            ("submodule", FileChangeInput::submodule(FILE, "1234567890123456789012345678901234567890"), "it is a submodule"),
            ("both", FileChangeInput::put(".mass-driver.yml", "subscriptions: [pypi]\n"), "both `.mass-driver.yaml` and"),
            ("large", FileChangeInput::put(FILE, "#".repeat(256 * 1024 + 1)), "it is larger than 262144 bytes"),
        ];
        for (branch, change, what) in cases {
            let commit = world.github.push_as("somebody", "acme/api", branch, &[change], "odd").unwrap();
            world.settle().await;
            let run = check(&world, "acme/api", &commit);
            assert_eq!((run.conclusion.as_deref(), run.annotations.len()), (Some("failure"), 1), "{branch}");
            let message = run.annotations[0]["message"].as_str().unwrap().to_owned();
            assert!(message.starts_with(what) && run.annotations[0]["start_line"] == 1, "{branch}: {message}");
        }
    }

    async fn bad_input_14_files_of_every_size_and_of_no_text_get_one_check(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions: [pypi]\n").await;
        let binary: Vec<u8> = (0..4096_u32).map(|n| (n * 31 % 256) as u8).collect();
        for (branch, bytes) in [("empty", Vec::new()), ("mega", vec![b'#'; 1 << 20]), ("ten", vec![b'a'; 10 << 20]), ("binary", binary)] {
            let commit = world.github.push_as("somebody", "acme/api", branch, &[FileChangeInput::put(FILE, bytes)], "odd").unwrap();
            world.settle().await;
            let run = check(&world, "acme/api", &commit);
            assert_eq!(run.conclusion.as_deref(), Some("failure"), "{branch}: {run:?}");
        }
        assert_eq!(world.row("acme/api").await.config.state, mass_driver::store::ConfigState::Valid);
    }

    async fn bad_input_14_manifests_of_every_size_and_of_no_text_are_listed_and_hold_nothing_up(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        let binary: Vec<u8> = (0..4096_u32).map(|n| (n * 31 % 256) as u8).collect();
        let files = vec![
            FileChangeInput::put("requirements.txt", "httpx==0.27.0\n"),
            FileChangeInput::put("empty/requirements.txt", ""),
            FileChangeInput::put("one/requirements.txt", vec![b'#'; 1 << 20]),
            FileChangeInput::put("ten/requirements.txt", vec![b'#'; 10 << 20]),
            FileChangeInput::put("hundred/requirements.txt", vec![b'#'; 100 << 20]),
            FileChangeInput::put("binary/requirements.txt", binary),
            FileChangeInput::put(FILE, "subscriptions: [pypi]\n"),
        ];
        world.github.create_repo("acme/api", RepoOptions { files, ..RepoOptions::default() }).unwrap();
        world.settle().await;
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
        let sizes = world.github.exchanges().into_iter().filter_map(|e| e.response_body.map(|body| body.to_string().len()));
        let largest = sizes.max().unwrap_or_default();
        assert!(largest < 4 << 20, "what is too large is not asked for: {largest} bytes");
    }

    /// GitHub cuts the list of a repository's files: a file that is not on it is not gone.
    async fn bad_input_13_a_tree_that_is_cut_off_is_walked(world: World) {
        world.registry.release("httpx", "0.27.0");
        let folders: Vec<FileChangeInput> = (0..30).map(|n| FileChangeInput::put(&format!("a{n:02}/README.md"), "words\n")).collect();
        let pinned = FileChangeInput::put("z/requirements.txt", "httpx==0.27.0\n");
        let files = folders.into_iter().chain([pinned, FileChangeInput::put(FILE, "delay: weekly\nsubscriptions: [pypi]\n")]).collect();
        world.github.create_repo("acme/api", RepoOptions { files, ..RepoOptions::default() }).unwrap();
        world.settle().await;
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        world.github.set_limits(|limits| limits.tree_entries = 5);
        let commit = pushes(&world, "daily", FILE, Some("delay: daily\nsubscriptions: [pypi]\n"));
        world.settle().await;
        assert_eq!(check(&world, "acme/api", &commit).title.as_deref(), Some("1 pull request later"));
        world.push("acme/api", &[(FILE, "delay: daily\nlimit: 2\nsubscriptions: [pypi]\n")]).await;
        world.push("acme/api", &[("a00/requirements.txt", "httpx==0.27.0\n")]).await;
        let places: Vec<String> = world.outlook("acme/api").await.into_iter().map(|row| row.path.to_string()).collect();
        assert_eq!(places, ["a00/requirements.txt", "z/requirements.txt"]);
        assert_eq!(world.waiting("acme/api").await.len(), 1);
    }
}

paced_stories! {
    /// The line of writes is long; who waits for a check does not stand in it, and is counted all the same.
    async fn a_check_does_not_wait_in_the_line_of_pull_requests(world: World) {
        world.repository_using_httpx("acme/api", "subscriptions: [docker]\n").await;
        let installation = Some(mass_driver::domain::InstallationId(world.installation));
        let far = world.clock_now() + SignedDuration::from_mins(20);
        let mut tx = world.store.begin().await.unwrap();
        let line = tx.lock_budget(installation).await.unwrap().pace;
        tx.save_pace(installation, &Pace { next_write_at: far, ..line }).await.unwrap();
        tx.commit().await.unwrap();
        let before = world.clock_now();
        let commit = pushes(&world, "broken", FILE, Some(BROKEN));
        world.settle().await;
        assert_eq!(world.clock_now(), before, "at once");
        assert_eq!(check(&world, "acme/api", &commit).conclusion.as_deref(), Some("failure"));
        let pace = world.store.budget(installation).await.unwrap().pace;
        assert_eq!(pace.next_write_at, far + SignedDuration::from_secs(1));
        assert!(pace.used_to > line.used_to);
    }
}

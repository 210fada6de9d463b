//! What people see.

use crate::databases::both_databases;
use crate::rows::repository;
use crate::scene::{Server, now};
use jiff::{SignedDuration, Timestamp};
use mass_driver::domain::{
    Ecosystem, FileMode, InstallationId, ObjectId, Outlook, PackageId, Proposal, ProposalId, ProposalState, PullNumber,
    PullRequest, RepoId, RepoPath, RepoState, Repository, Site, Standing, Update, VersionStep,
};
use mass_driver::store::{Config, ConfigState, Manifest, OutlookChange, Store, Subscription, Tx};
use mass_driver::subscription::{Problem, parse};
use reqwest::Method;
use serde_json::json;

const HOSTILE: &str = "<script>alert(1)</script> \"quoted\" 'single' &amp; <img src=x onerror=y>";

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

fn object(digit: char) -> ObjectId {
    ObjectId::parse(&digit.to_string().repeat(40)).unwrap()
}

fn in_hours(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

fn package(name: &str) -> PackageId {
    PackageId { ecosystem: Ecosystem::Pypi, name: name.into() }
}

fn update(name: &str, from: &str, to: &str) -> Update {
    Update {
        package: package(name),
        to: to.into(),
        refresh: None,
        step: VersionStep::Minor,
        sites: vec![Site {
            path: path("requirements.txt"),
            manager: "requirements".into(),
            line: 3,
            from: from.into(),
            constraint: format!("=={from}"),
            digest: None,
            hashed: false,
            python: None,
        }],
        released_at: in_hours(-72),
        eligible_at: in_hours(-24),
        due_at: in_hours(114),
        terms: Vec::new(),
    }
}

fn proposal(id: &str, repo: i64, state: ProposalState) -> Proposal {
    Proposal {
        id: ProposalId(id.into()),
        repo: RepoId(repo),
        group: format!("pypi/{id}"),
        content: "c0ffee".into(),
        state,
        reason: "weekly: every Monday at 06:00 (Europe/Paris)".into(),
        due_at: in_hours(114),
        title: "Bump httpx from 0.27.0 to 0.28.0".into(),
        branch: format!("mass-driver/pypi/{id}"),
        updates: vec![update("httpx", "0.27.0", "0.28.0")],
        labels: vec![],
        pull: None,
        checks: None,
        created_at: in_hours(-30),
        opened_at: None,
        updated_at: in_hours(-3),
    }
}

fn pull(number: i64, url: &str) -> Option<PullRequest> {
    Some(PullRequest { number: PullNumber(number), url: url.into(), head: object('e') })
}

async fn write(store: &Store, what: impl AsyncFnOnce(&mut Tx)) {
    let mut tx = store.begin().await.unwrap();
    what(&mut tx).await;
    tx.commit().await.unwrap();
}

fn config(state: ConfigState, problems: &[Problem], last_good: bool) -> Config {
    Config {
        path: Some(path(".mass-driver.yaml")),
        blob: Some(object('b')),
        state,
        problems: serde_json::to_value(problems).unwrap(),
        file: last_good.then(|| json!({})),
        text: None,
        since: None,
    }
}

fn problem(line: u32, column: u32, what: &str, fix: &str) -> Problem {
    Problem { line, column, length: 4, what: what.into(), fix: fix.into() }
}

fn subscription(migration: &str, delay: &str) -> Subscription {
    let ecosystem = Ecosystem::from_word(migration);
    let text = format!(
        "subscriptions:\n  - migration: {migration}\n    min_age: {{ major: 14d, patch: 0h }}\n    group: web\n"
    );
    let settings = parse(text.as_bytes()).map_or(json!({}), |file| json!(file.subscriptions[0]));
    Subscription { migration: migration.into(), ecosystem, delay: delay.into(), settings }
}

/// An organisation: `acme/api` with proposals of every kind, `acme/broken` with a broken file, `acme/new` without one.
pub async fn organisation(store: &Store) {
    write(store, async |tx| {
        for (id, name) in [(1, "acme/api"), (2, "acme/broken"), (3, "acme/new")] {
            tx.save_repository(&repository(id, name), in_hours(-100)).await.unwrap();
        }
        let subscriptions = [subscription("pypi", "weekly, Monday 06:00"), subscription("docker", "at once")];
        tx.replace_subscriptions(RepoId(1), &subscriptions, in_hours(-100)).await.unwrap();
        tx.save_config(RepoId(1), &config(ConfigState::Valid, &[], true), in_hours(-100)).await.unwrap();
        let problems = [
            problem(3, 16, "unknown migration `pipy`", "did you mean `pypi`?"),
            problem(7, 5, "unknown key `dealy`", "did you mean `delay`?"),
        ];
        tx.save_config(RepoId(2), &config(ConfigState::Broken, &problems, true), now()).await.unwrap();

        tx.save_proposal(&proposal("waits", 1, ProposalState::Waiting)).await.unwrap();
        tx.record(&ProposalId("waits".into()), in_hours(-30), "planned", "0.28.0 is old enough").await.unwrap();
        let mut open = proposal("opened", 1, ProposalState::Open);
        open.title = "Bump 3 packages: the minor-and-patch group".into();
        open.updates = vec![update("attrs", "1.0", "1.1"), update("rich", "2.0", "2.1"), update("tox", "3.0", "3.1")];
        open.reason = "opened as planned".into();
        open.pull = pull(17, "https://github.example.com/acme/api/pull/17");
        open.checks = Some("failure".into());
        open.opened_at = Some(in_hours(-3));
        tx.save_proposal(&open).await.unwrap();
        let mut failed = proposal("failed", 1, ProposalState::Failed);
        failed.reason = "the default branch is protected from the bot".into();
        tx.save_proposal(&failed).await.unwrap();
        let mut merged = proposal("merged", 1, ProposalState::Merged);
        merged.pull = pull(9, "https://github.example.com/acme/api/pull/9");
        tx.save_proposal(&merged).await.unwrap();

        let entry = |name: &str, standing, reason: &str, until| Outlook {
            package: package(name),
            path: path("requirements.txt"),
            line: 3,
            current: Some("0.27.0".into()),
            target: Some("0.28.0".into()),
            standing,
            reason: reason.into(),
            until,
        };
        let outlook = [
            entry("httpx", Standing::Waiting, "0.28.0 is 2 days old, 3 days are asked for", Some(in_hours(24))),
            entry("django", Standing::Refused, "the file ignores django >=5", None),
            entry("rich", Standing::UpToDate, "there is nothing newer", None),
        ];
        let outlook = OutlookChange { repo: RepoId(1), before: Vec::new(), after: outlook.into() };
        tx.replace_outlooks([&outlook]).await.unwrap();
        let unread = Manifest {
            path: path("old/requirements.txt"),
            manager: "requirements".into(),
            blob: object('b'),
            mode: FileMode::Regular,
            text: String::new(),
            problem: Some("it is not UTF-8".into()),
            includes: vec![],
        };
        tx.save_manifest(RepoId(1), &unread, now()).await.unwrap();
    })
    .await;
}

fn has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part:?} is missing from\n{page}");
    }
}

both_databases! {
    async fn the_overview_tells_what_waits_and_why(store: Store) {
        organisation(&store).await;
        let server = Server::start(&store).await;
        let page = server.page("/").await;
        has(&page, &[
            "as of <time datetime=\"2026-03-04T12:00:00Z\">Wed 2026-03-04 12:00 UTC</time>",
            r#"<a href="/repositories/acme/api">acme/api</a>"#,
            r#"<a href="/repositories/acme/broken">acme/broken</a>"#,
            r#"<a href="/repositories/acme/new">acme/new</a>"#,
            "Bump httpx from 0.27.0 to 0.28.0",
            "weekly: every Monday at 06:00 (Europe/Paris)",
            r#"due <time datetime="2026-03-09T06:00:00Z">Mon 2026-03-09 06:00 UTC</time>"#,
            "in 4 days 18 hours",
            r##"<a href="https://github.example.com/acme/api/pull/17" rel="noreferrer">#17</a>"##,
            "attrs 1.0 → 1.1",
            "checks: failure",
            "the default branch is protected from the bot",
            r##"<a href="https://github.example.com/acme/api/pull/9" rel="noreferrer">#9</a>"##,
            "<b>pypi</b> weekly, Monday 06:00",
            "<b>docker</b> at once",
            "<code>.mass-driver.yaml</code> cannot be used.",
            "The last good version stays in force.",
            "3:16</code> <span>unknown migration `pipy`; did you mean `pypi`?",
            "7:5</code> <span>unknown key `dealy`; did you mean `delay`?",
            "<b>1</b> broken file",
        ]);
        assert!(page.find("acme/broken").unwrap() > page.find("acme/api").unwrap(), "proposals come first");
        let list = &page[page.find(r#"aria-label="Repositories""#).unwrap()..];
        let place = |name: &str| list.find(&format!(">{name}</a>")).unwrap();
        assert!(place("acme/broken") < place("acme/api") && place("acme/api") < place("acme/new"));
        assert!(!page.contains("<script"), "no JavaScript");
    }

    async fn a_repository_tells_all_about_itself(store: Store) {
        organisation(&store).await;
        let server = Server::start(&store).await;
        for path in ["/repositories/acme/api", "/repositories/ACME/Api"] {
            has(&server.page(path).await, &[
                "<title>acme/api · mass-driver</title>",
                r#"<a href="https://github.example.com/acme/api" rel="noreferrer">"#,
                r#"<td data-label="Minimum age">major 14 days, minor none, patch none</td><td data-label="Group">web</td>"#,
                "Bump httpx from 0.27.0 to 0.28.0",
                "planned</strong> 0.28.0 is old enough",
                "0.28.0 is 2 days old, 3 days are asked for",
                r#"<time datetime="2026-03-05T12:00:00Z">Thu 2026-03-05 12:00 UTC</time>"#,
                "the file ignores django &#62;=5",
                "there is nothing newer",
                "<code>old/requirements.txt</code> it is not UTF-8",
            ]);
        }
        has(&server.page("/repositories/acme/broken").await, &["3:16", "7:5", "The last good version stays in force."]);
        has(&server.page("/repositories/acme/new").await, &["There is no subscription file."]);
        write(&store, async |tx| {
            let broken = config(ConfigState::Broken, &[problem(1, 1, "it is empty", "list a subscription")], false);
            tx.save_config(RepoId(3), &broken, now()).await.unwrap();
            tx.set_listed_state((InstallationId(7), RepoId(3)), RepoState::Archived, now()).await.unwrap();
            tx.set_note(RepoId(3), Some("it is a fork"), now()).await.unwrap();
        }).await;
        has(&server.page("/repositories/acme/new").await, &[
            "Nothing is proposed until it is mended.", "None is in force.", "archived", "it is a fork", "1:1",
        ]);
    }

    async fn what_strangers_wrote_stays_text(store: Store) {
        organisation(&store).await;
        write(&store, async |tx| {
            let mut hostile = proposal("hostile", 1, ProposalState::Open);
            hostile.title = format!("{HOSTILE} title");
            hostile.reason = format!("{HOSTILE} reason");
            hostile.checks = Some(HOSTILE.into());
            hostile.pull = pull(66, "javascript:alert(1)//https://github.example.com");
            hostile.updates = vec![update(HOSTILE, HOSTILE, HOSTILE), update("b", "1", "2")];
            tx.save_proposal(&hostile).await.unwrap();
            tx.record(&hostile.id, now(), HOSTILE, HOSTILE).await.unwrap();
            let mut quoted = proposal("quoted", 1, ProposalState::Open);
            quoted.pull = pull(67, "https://x.example.com/\" onclick=\"alert(1)");
            tx.save_proposal(&quoted).await.unwrap();
            let problems = [problem(1, 1, HOSTILE, HOSTILE)];
            tx.save_config(RepoId(1), &config(ConfigState::Broken, &problems, false), now()).await.unwrap();
            tx.replace_subscriptions(RepoId(1), &[subscription(HOSTILE, HOSTILE)], now()).await.unwrap();
            tx.set_note(RepoId(1), Some(HOSTILE), now()).await.unwrap();
            let web_url = "JavaScript:alert(1)".into();
            tx.save_repository(&Repository { web_url, ..repository(1, "acme/api") }, now()).await.unwrap();
            let outlook = Outlook {
                package: package(HOSTILE),
                path: path("<b>/requirements.txt"),
                line: 1,
                current: Some(HOSTILE.into()),
                target: Some(HOSTILE.into()),
                standing: Standing::Failed,
                reason: HOSTILE.into(),
                until: None,
            };
            let outlook = OutlookChange { repo: RepoId(1), before: Vec::new(), after: vec![outlook] };
            tx.replace_outlooks([&outlook]).await.unwrap();
        }).await;
        let server = Server::start(&store).await;
        for path in ["/", "/repositories/acme/api"] {
            let page = server.page(path).await;
            let lower = page.to_lowercase();
            for wrong in ["<script", "<img", "javascript:", "onclick=\"", "<b>/req"] {
                assert!(!lower.contains(wrong), "{wrong} in {path}\n{page}");
            }
            has(&page, &["&#60;script&#62;alert(1)", "#66", "https://x.example.com/&#34; onclick=&#34;alert(1)"]);
        }
    }

    async fn rows_that_are_left_out_are_counted(store: Store) {
        write(&store, async |tx| {
            for id in 1..=203 {
                tx.save_repository(&repository(id, &format!("acme/r{id:03}")), now()).await.unwrap();
            }
            for number in 0..201 {
                tx.save_proposal(&proposal(&format!("p{number}"), 1, ProposalState::Waiting)).await.unwrap();
            }
            // The last by name has a file, and so is listed before those that have none.
            tx.save_config(RepoId(203), &config(ConfigState::Valid, &[], true), now()).await.unwrap();
        }).await;
        let server = Server::start(&store).await;
        let page = server.page("/").await;
        has(&page, &["<b>203</b> repositories", "<b>201</b> waiting", "3 more are not shown", "1 more are not shown"]);
        has(&page, &["acme/r203", "acme/r001"]);
        assert!(!page.contains("acme/r201"));
        has(&server.page("/repositories/acme/r001").await, &["1 more are not shown"]);
    }

    async fn an_empty_server_says_what_to_do(store: Store) {
        let server = Server::start(&store).await;
        has(&server.page("/").await, &["Nothing waits.", "Install the App", "No pull request of the bot is open."]);
    }

    async fn every_answer_is_cautious(store: Store) {
        organisation(&store).await;
        let server = Server::start(&store).await;
        for (path, status, kind) in [
            ("/", 200, "text/html; charset=utf-8"),
            ("/repositories/acme/api", 200, "text/html; charset=utf-8"),
            ("/repositories/acme/unknown", 404, "text/html; charset=utf-8"),
            ("/repositories/acme/..%2Fapi", 404, "text/html; charset=utf-8"),
            ("/repositories/acme/%FF", 400, "text/plain; charset=utf-8"),
            ("/repositories/acme", 404, "text/html; charset=utf-8"),
            ("/favicon.ico", 404, "text/html; charset=utf-8"),
            ("/assets/style.css", 200, "text/css; charset=utf-8"),
            ("/healthz", 200, "text/plain; charset=utf-8"),
            ("/readyz", 200, "text/plain; charset=utf-8"),
        ] {
            for method in [Method::GET, Method::HEAD] {
                let response = server.client.request(method.clone(), server.url(path)).send().await.unwrap();
                assert_eq!(response.status(), status, "{method} {path}");
                let headers = response.headers().clone();
                assert_eq!(headers["content-type"], kind, "{path}");
                assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
                assert_eq!(headers["referrer-policy"], "same-origin", "{path}");
                let policy = headers["content-security-policy"].to_str().unwrap();
                assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{path}: {policy}");
                assert!(headers["cache-control"].to_str().unwrap().starts_with("no-"), "{path}");
                let body = response.text().await.unwrap();
                assert_eq!(body.is_empty(), method == Method::HEAD, "{method} {path}");
            }
        }
        let posted = server.client.post(server.url("/")).send().await.unwrap();
        assert_eq!(posted.status(), 405);
    }
}

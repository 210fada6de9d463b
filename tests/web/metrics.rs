//! The figures for Prometheus: what `docs/running.md` names is there, and nothing else; and they are true.

use crate::databases::{both_databases, open};
use crate::events::push;
use crate::openmetrics::{parse, sum};
use crate::scene::{ADMIN_TOKEN, Server, now};
use crate::support::markdown::{code_spans, table};
use jiff::SignedDuration;
use mass_driver::domain::{Ecosystem, InstallationId};
use mass_driver::forge::webhook::{Event, EventKind, KNOWN_EVENTS, parse_event};
use mass_driver::metrics::{AnswerClass, Ending, Metrics, RequestKind};
use mass_driver::store::{NewWork, Store};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use std::collections::BTreeSet;
use std::time::Duration;

const INSTALLATION: InstallationId = InstallationId(7);

/// Counts one of everything.
fn count_everything(metrics: &Metrics) {
    metrics.webhook_answered("push", "new", 202);
    for ending in Ending::ALL {
        metrics.step_ended("plan", ending, Duration::from_millis(20));
    }
    for kind in [RequestKind::Read, RequestKind::Write] {
        metrics.github_request(Some(INSTALLATION), kind, AnswerClass::Status(200));
    }
    metrics.token_requested(INSTALLATION, true);
    metrics.pull_request_opened(INSTALLATION);
    metrics.registry_asked(Ecosystem::Pypi, "found");
}

async fn run(url: &str, sql: &str) {
    let sql = AssertSqlSafe(sql.to_owned());
    if url.starts_with("sqlite") {
        SqliteConnection::connect(url).await.unwrap().execute(sql).await.map(drop).unwrap();
    } else {
        PgConnection::connect(url).await.unwrap().execute(sql).await.map(drop).unwrap();
    }
}

/// One piece of work that is due, one for later, one that runs, one that is parked.
async fn fill_the_queue(store: &Store) {
    let queue = async |key: &str, due_in: i64| {
        let new = NewWork {
            step: "index".into(),
            subject: key.into(),
            unique_key: key.into(),
            installation: Some(INSTALLATION),
            args: json!({}),
            asks_github: false,
            patience: Duration::ZERO,
            due_at: now() + SignedDuration::from_secs(due_in),
        };
        let mut tx = store.begin().await.unwrap();
        tx.enqueue(&new, now()).await.unwrap();
        tx.commit().await.unwrap();
    };
    queue("parked", -500).await;
    let claimed = store.claim(now(), Duration::from_secs(60), 1).await.unwrap().remove(0);
    let mut tx = store.begin().await.unwrap();
    tx.park(&claimed, "refused", now()).await.unwrap();
    tx.commit().await.unwrap();
    queue("running", -400).await;
    store.claim(now(), Duration::from_secs(60), 1).await.unwrap().remove(0);
    queue("ready", -90).await;
    queue("ready too", -30).await;
    queue("waiting", 60).await;
}

async fn scraped(server: &Server) -> String {
    let response = server.get("/metrics").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    response.text().await.unwrap()
}

both_databases! {
    async fn the_table_of_the_page_is_what_is_there(url: String) {
        let store = open(&url).await;
        fill_the_queue(&store).await;
        run(&url, "INSERT INTO budget (installation_id, request_limit, remaining, resets_at) VALUES (7, 5000, 4000, 1)").await;
        let server = Server::start_with(&store, |state| count_everything(&state.metrics)).await;
        let families = parse(&scraped(&server).await);
        let page = include_str!("../../docs/running.md");
        let rows = table(page, "### Figures");
        let documented: BTreeSet<(String, String, BTreeSet<String>)> = rows
            .iter()
            .map(|cells| {
                let labels = code_spans(cells[2]).into_iter().map(str::to_owned).collect();
                (code_spans(cells[0])[0].to_owned(), cells[1].to_owned(), labels)
            })
            .collect();
        let there: BTreeSet<(String, String, BTreeSet<String>)> = families
            .iter()
            .map(|family| {
                let name = if family.kind == "counter" { format!("{}_total", family.name) } else { family.name.clone() };
                let labels = family.samples[0].labels.keys().filter(|key| *key != "le").cloned().collect();
                (name, family.kind.clone(), labels)
            })
            .collect();
        assert_eq!(documented, there, "the page left, the answer right");
        let lost = [("step", "plan"), ("outcome", "lease_lost")];
        assert_eq!(sum(&families, "mass_driver_steps_total", &lost), 1.0);
        assert_eq!(sum(&families, "mass_driver_step_duration_seconds_count", &[]), Ending::ALL.len() as f64);
        for family in &families {
            assert!(family.name.starts_with("mass_driver_"), "{}", family.name);
            assert!(family.help.len() > 20, "{} is not explained: {}", family.name, family.help);
            assert_eq!(family.unit.is_some(), family.name.ends_with("_seconds"), "{}", family.name);
        }
    }

    async fn the_queue_is_told_as_it_stands(url: String) {
        let store = open(&url).await;
        fill_the_queue(&store).await;
        let server = Server::start(&store).await;
        let text = scraped(&server).await;
        let families = parse(&text);
        let depth = |state: &str| sum(&families, "mass_driver_queue_depth", &[("step", "index"), ("state", state)]);
        assert_eq!(["ready", "waiting", "running", "parked"].map(depth), [2.0, 1.0, 1.0, 1.0], "{text}");
        assert_eq!(sum(&families, "mass_driver_queue_oldest_ready_age_seconds", &[("step", "index")]), 90.0);
    }

    async fn budgets_are_told_by_installation(url: String) {
        let store = open(&url).await;
        let soon = (now() + SignedDuration::from_secs(45)).as_millisecond();
        let past = now().as_millisecond();
        for (id, remaining, resets_at, paused_until) in [(0, 10, soon, 0), (7, 0, soon, soon), (8, 3, past, past)] {
            let row = format!("{id}, 5000, {remaining}, {resets_at}, {paused_until}, 'hourly'");
            let columns = "installation_id, request_limit, remaining, resets_at, paused_until, pause_reason";
            run(&url, &format!("INSERT INTO budget ({columns}) VALUES ({row})")).await;
        }
        let server = Server::start(&store).await;
        let families = parse(&scraped(&server).await);
        let told = |name: &str| {
            let name = format!("mass_driver_github_{name}");
            ["app", "7", "8"].map(|id| sum(&families, &name, &[("installation", id)]))
        };
        assert_eq!(told("budget_limit_requests"), [5000.0; 3]);
        // The window of the last is over: it has all of its requests again.
        assert_eq!(told("budget_remaining_requests"), [10.0, 0.0, 5000.0]);
        assert_eq!(told("pause_seconds"), [0.0, 45.0, 0.0]);
    }

    async fn webhooks_are_counted_by_what_became_of_them(store: Store) {
        let server = Server::start(&store).await;
        let push = &push().to_string();
        for (event, guid, body) in [
            ("push", "1", push.as_str()),
            ("push", "1", push),
            ("push", "2", push),
            ("star", "3", "{}"),
            ("ping", "4", "{}"),
            ("push", "5", "{}"),
            ("<b>,\"", "6", "{}"),
        ] {
            server.deliver(event, guid, body.to_owned()).await;
        }
        server.unsigned("push", "7", push.clone()).send().await.unwrap();
        server.client.post(server.url("/webhooks/github")).send().await.unwrap();
        let text = scraped(&server).await;
        let families = parse(&text);
        let count = |event: &str, outcome: &str, status: &str| {
            let labels = [("event", event), ("outcome", outcome), ("status", status)];
            sum(&families, "mass_driver_webhook_deliveries_total", &labels)
        };
        assert_eq!(count("push", "new", "202"), 2.0, "{text}");
        assert_eq!(count("push", "duplicate", "202"), 1.0, "{text}");
        assert_eq!(count("ping", "ignored", "202"), 1.0, "{text}");
        assert_eq!(count("push", "refused", "400"), 1.0, "{text}");
        assert_eq!(count("push", "refused", "401"), 1.0, "{text}");
        // Whatever somebody calls an event makes no new series.
        assert_eq!(count("other", "ignored", "202"), 2.0, "{text}");
        assert_eq!(count("other", "refused", "400"), 1.0, "{text}");
        assert_eq!(sum(&families, "mass_driver_webhook_deliveries_total", &[]), 9.0, "{text}");
    }

    async fn they_are_for_those_who_may_see_the_pages(store: Store) {
        let server = Server::start(&store).await;
        let far = || server.get("/metrics").header("x-forwarded-for", "192.0.2.7");
        assert_eq!(far().send().await.unwrap().status(), 401);
        assert_eq!(far().bearer_auth(ADMIN_TOKEN).send().await.unwrap().status(), 200);
    }
}

/// An event that is acted on has its name in the figures, and no other has.
#[test]
fn the_events_with_a_name_are_those_that_are_acted_on() {
    let acted_on = |event: &str| {
        ["created", "added", "opened", "submitted", "rerequested"].iter().any(|action| {
            let body = json!({ "action": action, "installation": { "id": 1 } }).to_string();
            // Where fields are missing, it wants to know what it says.
            !matches!(parse_event(event, body.as_bytes()), Ok(Event { kind: EventKind::Other { .. }, .. }))
        })
    };
    for event in KNOWN_EVENTS {
        assert!(acted_on(event), "{event}");
    }
    for event in ["star", "issues", "check_suites", "Push", ""] {
        assert!(!acted_on(event) && !KNOWN_EVENTS.contains(&event), "{event}");
    }
}

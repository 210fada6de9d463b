//! Parked steps: seen on the pages, and tried again by whoever may.

use crate::databases::both_databases;
use crate::rows::repository;
use crate::scene::{ADMIN_TOKEN, Server, now};
use jiff::SignedDuration;
use mass_driver::domain::InstallationId;
use mass_driver::store::{NewWork, Store, WorkState};
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde_json::json;
use std::time::Duration;

const HOSTILE: &str = "<script>alert(1)</script>";

/// A step of `acme/api` that was parked an hour ago, another one that is tried again in an hour, and a parked look at a
/// package.
async fn setbacks(store: &Store) {
    let hour_ago = now() - SignedDuration::from_hours(1);
    let mut tx = store.begin().await.unwrap();
    tx.save_repository(&repository(1, "acme/api"), hour_ago).await.unwrap();
    tx.commit().await.unwrap();
    for (step, subject) in [("index", "repo:1"), ("plan", "repo:1"), ("watch", "package:pypi/httpx")] {
        let new = NewWork {
            step: step.into(),
            subject: subject.into(),
            unique_key: format!("{step}:{subject}"),
            installation: Some(InstallationId(7)),
            args: json!({}),
            asks_github: false,
            patience: Duration::ZERO,
            due_at: hour_ago,
        };
        let mut tx = store.begin().await.unwrap();
        tx.enqueue(&new, hour_ago).await.unwrap();
        tx.commit().await.unwrap();
        let claimed = store.claim(hour_ago, Duration::from_secs(60), 1).await.unwrap().remove(0);
        let mut tx = store.begin().await.unwrap();
        let why = format!("GitHub refused {HOSTILE}");
        match step {
            "plan" => tx.retry(&claimed, now() + SignedDuration::from_hours(1), &why, true).await.unwrap(),
            _ => tx.park(&claimed, &why, hour_ago).await.unwrap(),
        }
        tx.commit().await.unwrap();
    }
}

/// The ids of what is parked, by step.
async fn parked(store: &Store) -> Vec<(String, String)> {
    let mut parked: Vec<_> =
        store.parked(10).await.unwrap().into_iter().map(|work| (work.step, work.id.to_string())).collect();
    parked.sort();
    parked
}

async fn queued(store: &Store) -> i64 {
    let depth = store.queue_depth().await.unwrap();
    depth.iter().filter(|depth| depth.state == WorkState::Queued).map(|depth| depth.count).sum()
}

/// Presses the button as a browser does that stands on one of our pages.
fn press(server: &Server, path: &str) -> RequestBuilder {
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
    let origin = server.url("");
    client
        .post(server.url(path))
        .header("accept", "text/html,application/xhtml+xml")
        .header("sec-fetch-site", "same-origin")
        .header("origin", origin.trim_end_matches('/'))
}

fn leads_to(response: &Response) -> (u16, &str) {
    let location = response.headers().get("location").map_or("", |location| location.to_str().unwrap());
    (response.status().as_u16(), location)
}

both_databases! {
    async fn the_pages_show_what_is_parked_with_a_button(store: Store) {
        setbacks(&store).await;
        let server = Server::start(&store).await;
        let ids = parked(&store).await;
        let [(_, index), (_, watch)] = &ids[..] else { panic!("{ids:?}") };
        let page = server.page("/").await;
        for shown in [
            "<b>2</b> parked steps",
            r#"<td data-label="About"><a href="/repositories/acme/api">acme/api</a></td>"#,
            r#"<td data-label="About"><code>package:pypi/httpx</code></td>"#,
            r#"<td data-label="Attempts">1</td>"#,
            "Wed 2026-03-04 11:00 UTC</time> <span class=\"distance\">1 hour ago</span>",
            "GitHub refused &#60;script&#62;",
            &format!(r#"<form method="post" action="/work/{index}/retry?from=overview"><button>Retry</button></form>"#),
            &format!(r#"action="/work/{watch}/retry?from=overview""#),
        ] {
            assert!(page.contains(shown), "{shown} is missing from\n{page}");
        }
        let page = server.page("/repositories/acme/api").await;
        for shown in [
            "The step `index` is parked since 2026-03-04 11:00 UTC, after 1 attempt: GitHub refused &#60;script&#62;",
            "The step `plan` was put back after 1 attempt and goes on at 2026-03-04 13:00 UTC: GitHub refused",
            &format!(r#"action="/work/{index}/retry?from=repository""#),
        ] {
            assert!(page.contains(shown), "{shown} is missing from\n{page}");
        }
        assert_eq!(page.matches("<button>").count(), 1, "what goes on by itself has none");
        assert!(!page.contains(watch.as_str()) && !page.contains("<script"), "{page}");
        let policy = server.get("/").send().await.unwrap().headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("form-action 'self'"), "or the button does nothing: {policy}");
    }

    async fn a_button_leads_back_to_its_page(store: Store) {
        setbacks(&store).await;
        let server = Server::start(&store).await;
        let ids = parked(&store).await;
        let before = queued(&store).await;
        let first = format!("/work/{}/retry?from=repository", ids[0].1);
        assert_eq!(leads_to(&press(&server, &first).send().await.unwrap()), (303, "/repositories/acme/api"));
        assert_eq!((parked(&store).await.len(), queued(&store).await), (1, before + 1));
        let again = press(&server, &first).send().await.unwrap();
        assert_eq!(leads_to(&again), (303, "/"), "somebody was faster");
        let second = format!("/work/{}/retry?from=overview", ids[1].1);
        assert_eq!(leads_to(&press(&server, &second).send().await.unwrap()), (303, "/"));
        assert!(parked(&store).await.is_empty());
        let due = store.claim(now(), Duration::from_secs(60), 1).await.unwrap().pop().expect("it is due at once");
        assert_eq!((due.work.step.as_str(), due.work.attempts), ("index", 1));
        for nonsense in ["/work/x/retry?from=https://evil.example.com", "/work/x/retry?from=//evil.example.com"] {
            assert_eq!(press(&server, nonsense).send().await.unwrap().status(), 400, "{nonsense}");
        }
        assert_eq!(leads_to(&press(&server, "/work/%00x/retry").send().await.unwrap()), (303, "/"));
        assert_eq!(server.get("/work/x/retry").send().await.unwrap().status(), 405, "looking at it changes nothing");
    }

    async fn a_program_is_told(store: Store) {
        setbacks(&store).await;
        let server = Server::start(&store).await;
        let path = format!("/work/{}/retry", parked(&store).await[0].1);
        let posted = || server.client.post(server.url(&path)).header("x-forwarded-for", "192.0.2.7");
        assert_eq!(posted().send().await.unwrap().status(), 401, "it is for those who may see the pages");
        assert_eq!(posted().bearer_auth("wrong").send().await.unwrap().status(), 401);
        assert_eq!(parked(&store).await.len(), 2);
        let told = posted().bearer_auth(ADMIN_TOKEN).send().await.unwrap();
        assert_eq!((told.status().as_u16(), told.text().await.unwrap().as_str()), (200, "queued again: index of acme/api\n"));
        let told = posted().bearer_auth(ADMIN_TOKEN).send().await.unwrap();
        assert_eq!(told.status(), 404);
        assert!(told.text().await.unwrap().contains("may have been retried already"));
    }

    /// A page of another site can have the browser of somebody on this machine post whatever it likes.
    async fn a_page_of_another_site_changes_nothing(store: Store) {
        setbacks(&store).await;
        let server = Server::start(&store).await;
        let path = format!("/work/{}/retry?from=overview", parked(&store).await[0].1);
        let evil = "https://evil.example.com";
        for headers in [
            vec![("sec-fetch-site", "cross-site"), ("origin", evil)],
            vec![("sec-fetch-site", "cross-site")],
            vec![("sec-fetch-site", "same-site")],
            vec![("origin", evil)],
            vec![("origin", "null")],
            vec![("origin", "http://127.0.0.1:1")],
            vec![("sec-fetch-site", "cross-site"), ("authorization", "Bearer let-me-see")],
        ] {
            let request = server.client.post(server.url(&path)).header("accept", "text/html");
            let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
            assert_eq!(request.send().await.unwrap().status(), 403, "{headers:?}");
        }
        assert_eq!(parked(&store).await.len(), 2);
    }
}

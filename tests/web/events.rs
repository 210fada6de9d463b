//! What is stored of which event, and what is not.

use crate::databases::both_databases;
use crate::scene::{SECRET, Server, answer, sign};
use mass_driver::domain::{InstallationId, RepoId};
use mass_driver::store::{EventCount, Outcome};
use reqwest::Method;
use serde_json::{Value, json};

pub fn push() -> Value {
    json!({
        "ref": "refs/heads/main",
        "before": "1".repeat(40),
        "after": "2".repeat(40),
        "repository": { "id": 42, "full_name": "acme/api", "default_branch": "main" },
        "installation": { "id": 7 },
    })
}

both_databases! {
    async fn an_event_of_ours_is_stored_with_the_step_that_reads_it(store: Store) {
        let server = Server::start(&store).await;
        let body = push().to_string();
        assert_eq!(answer(server.deliver("push", "g", body.clone()).await).await, (202, "stored\n".into()));
        let stored = server.deliveries().await.remove(0);
        assert_eq!((stored.event.as_str(), stored.outcome), ("push", None));
        assert_eq!((stored.repo, stored.installation), (Some(RepoId(42)), Some(InstallationId(7))));
        assert_eq!(store.payload(&stored.guid).await.unwrap(), Some(body), "to the letter");
        let claimed = store.claim(crate::scene::now(), std::time::Duration::from_secs(60), 1).await.unwrap().remove(0);
        assert_eq!((claimed.work.step.as_str(), claimed.work.subject.as_str()), ("inbox", "repo:42"));
    }

    async fn fault_09_one_delivery_a_hundred_times_at_once_is_one_row_and_one_step(store: Store) {
        let server = Server::start(&store).await;
        let body = push().to_string();
        let answers = (0..100).map(|_| async { answer(server.deliver("push", "same", body.clone()).await).await });
        let answers = futures_util::future::join_all(answers).await;
        assert!(answers.iter().all(|(status, _)| *status == 202), "{answers:?}");
        assert_eq!(answers.iter().filter(|(_, said)| said == "stored\n").count(), 1);
        assert_eq!((server.deliveries().await.len(), server.queued().await), (1, 1));
    }

    async fn bad_input_04_what_is_not_ours_is_acknowledged_and_counted(store: Store) {
        let server = Server::start(&store).await;
        let deliveries = [
            ("ping", json!({ "zen": "Design for failure.", "hook_id": 1 })),
            ("star", json!({ "action": "created" })),
            ("star", json!({ "action": "created", "new": { "fields": [1, 2.5, null] } })),
            ("event_of_next_year", json!({ "action": "imagined" })),
            ("pull_request", json!({ "action": "action_of_next_year" })),
            ("check_run", json!({})),
            ("issues", json!([])),
        ];
        for (index, (event, body)) in deliveries.iter().enumerate() {
            let (status, said) = answer(server.deliver(event, &format!("g{index}"), body.to_string()).await).await;
            assert_eq!(status, 202, "{event}: {said}");
        }
        assert_eq!(server.queued().await, 0);
        // What is new in an event of ours does not keep it from being ours.
        let mut extended = push();
        extended["field_of_next_year"] = json!({ "deep": [{ "action": 7 }] });
        extended["repository"]["field_of_next_year"] = Value::Null;
        let (status, said) = answer(server.deliver("push", "extended", extended.to_string()).await).await;
        assert_eq!((status, said.as_str()), (202, "stored\n"));
        assert_eq!(server.queued().await, 1);
        let page = server.page("/").await;
        for shown in ["<code>star</code>", "<code>event_of_next_year</code>", "imagined"] {
            assert!(page.contains(shown), "{shown} is counted on the page");
        }
        let count = |event: &str, action: Option<&str>, count| EventCount {
            event: event.into(),
            action: action.map(str::to_owned),
            outcome: Some(Outcome::Ignored),
            count,
        };
        let mut counted = store.event_counts().await.unwrap();
        counted.retain(|count| count.event != "push");
        counted.sort_by(|a, b| a.event.cmp(&b.event));
        assert_eq!(counted, [
            count("check_run", None, 1),
            count("event_of_next_year", Some("imagined"), 1),
            count("issues", None, 1),
            count("ping", None, 1),
            count("pull_request", Some("action_of_next_year"), 1),
            count("star", Some("created"), 2),
        ]);
        let guid = mass_driver::domain::DeliveryId("g0".into());
        assert_eq!(store.payload(&guid).await.unwrap().as_deref(), Some(""), "what nobody reads is not kept");
    }

    async fn bad_input_05_ghosts_and_missing_installations_are_borne(store: Store) {
        let server = Server::start(&store).await;
        let without = |field: &str, value: Option<Value>| {
            let mut body = push();
            match value {
                Some(value) => body[field] = value,
                None => drop(body.as_object_mut().unwrap().remove(field)),
            }
            body
        };
        let bodies = [
            without("installation", None),
            without("installation", Some(Value::Null)),
            without("installation", Some(json!({ "id": "seven" }))),
            without("sender", Some(Value::Null)),
            without("sender", Some(json!({ "login": "ghost", "id": null }))),
            without("pusher", Some(json!({ "name": null, "email": null }))),
        ];
        for (index, body) in bodies.iter().enumerate() {
            let (status, said) = answer(server.deliver("push", &format!("g{index}"), body.to_string()).await).await;
            assert_eq!(status, 202, "{body}: {said}");
        }
        // An installation's event without the installation cannot be acted on: it is said, not guessed.
        let (status, said) = answer(server.deliver("installation", "i", r#"{"action":"deleted"}"#).await).await;
        assert_eq!((status, said.as_str()), (400, "the `installation` payload lacks a usable `installation.id`\n"));
    }

    async fn the_headers_must_say_what_it_is(store: Store) {
        let server = Server::start(&store).await;
        let body = push().to_string();
        let signature = sign(SECRET, body.as_bytes());
        let long = "x".repeat(201);
        for (event, guid, missing) in [
            (None, Some("g"), "x-github-event"),
            (Some(""), Some("g"), "x-github-event"),
            (Some(long.as_str()), Some("g"), "x-github-event"),
            (Some("push"), None, "x-github-delivery"),
            (Some("push"), Some(""), "x-github-delivery"),
            (Some("push"), Some(long.as_str()), "x-github-delivery"),
        ] {
            let mut request = server.client.post(server.url("/webhooks/github")).body(body.clone());
            request = request.header("x-hub-signature-256", &signature);
            for (name, value) in [("x-github-event", event), ("x-github-delivery", guid)] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let (status, said) = answer(request.send().await.unwrap()).await;
            assert_eq!(status, 400, "{said}");
            assert!(said.contains(missing), "{said}");
        }
        assert_eq!(server.deliveries().await, []);
    }

    async fn only_post_is_for_webhooks(store: Store) {
        let server = Server::start(&store).await;
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            let response = server.client.request(method.clone(), server.url("/webhooks/github")).send().await.unwrap();
            assert_eq!(response.status(), 405, "{method}");
            assert_eq!(response.headers()["allow"], "POST", "{method}");
        }
    }

    async fn fault_07_without_its_database_the_server_acknowledges_nothing(store: Store) {
        let server = Server::start(&store).await;
        store.close().await;
        for (event, body) in [("push", push()), ("ping", json!({})), ("star", json!({ "action": "created" }))] {
            let (status, said) = answer(server.deliver(event, "g", body.to_string()).await).await;
            assert_eq!(status, 503, "{event}: {said}");
            assert!(said.contains("deliver it again"), "{said}");
        }
        assert_eq!(server.get("/readyz").send().await.unwrap().status(), 503);
        assert_eq!(server.get("/healthz").send().await.unwrap().status(), 200);
        for path in ["/", "/repositories/acme/api"] {
            let response = server.get(path).send().await.unwrap();
            assert_eq!(response.status(), 503, "{path}");
            assert!(response.text().await.unwrap().contains("The database does not answer"), "{path}");
        }
    }
}

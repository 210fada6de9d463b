//! Every payload that GitHub gives as an example, from the wire to the queue's end.

use crate::databases::both_databases;
use crate::scene::{Server, Stopped, answer, now};
use crate::support::contract::webhook_examples;
use mass_driver::forge::{GitHub, GitHubSettings};
use mass_driver::pipeline::Worker;
use mass_driver::pipeline::worker::WorkPolicy;
use mass_driver::registries::{Registries, RegistrySettings};
use mass_driver::store::{Outcome, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use wiremock::{MockServer, ResponseTemplate, matchers::any};

/// The events that ask for something.
const OURS: [&str; 9] = [
    "check_run",
    "check_suite",
    "installation",
    "installation_repositories",
    "pull_request",
    "pull_request_review",
    "push",
    "repository",
    "status",
];

/// A worker whose GitHub knows of nothing.
fn worker(store: &Store, github: &MockServer) -> Worker {
    let clock = Arc::new(Stopped(now()));
    let key = include_str!("../forge/keys/pkcs8.pem").to_string().into();
    let forge = GitHub::new(GitHubSettings::new(github.uri(), 1, key), clock.clone()).unwrap();
    let settings = RegistrySettings { deps_dev_url: Some("http://127.0.0.1:9".into()), ..Default::default() };
    let registries = Arc::new(Registries::new(&settings).unwrap());
    Worker::new(store.clone(), forge, registries, clock, WorkPolicy::default())
}

both_databases! {
    async fn every_example_is_answered_and_worked_off(store: Store) {
        let github = MockServer::start().await;
        let not_found = ResponseTemplate::new(404).set_body_json(serde_json::json!({ "message": "Not Found" }));
        wiremock::Mock::given(any()).respond_with(not_found).mount(&github).await;
        let server = Server::start(&store).await;

        let examples = webhook_examples();
        let mut refused = Vec::new();
        for example in &examples {
            let guid = format!("{}-{}", example.event, example.index);
            let (status, said) = answer(server.deliver(&example.event, &guid, example.payload.to_string()).await).await;
            match status {
                202 => assert_eq!(said, "stored\n", "{guid}"),
                400..=499 => refused.push(format!("{guid}: {status} {said}")),
                _ => panic!("{guid}: {status} {said}"),
            }
        }
        assert_eq!(refused, [] as [&str; 0]);

        let steps = server.queued().await;
        worker(&store, &github).run_until_idle().await.unwrap();
        assert_eq!(store.parked(100).await.unwrap(), []);
        let left: Vec<_> = store.queue_depth().await.unwrap();
        assert_eq!(left, [], "everything is done");

        let mut outcomes: BTreeMap<Outcome, usize> = BTreeMap::new();
        let mut kept = BTreeSet::new();
        for delivery in server.deliveries().await {
            let outcome = delivery.outcome.unwrap_or_else(|| panic!("{delivery:?} was forgotten"));
            *outcomes.entry(outcome).or_default() += 1;
            // Those that were read again by the inbox say what came of it.
            if delivery.note.is_some() {
                kept.insert(delivery.event);
            }
        }
        assert_eq!(kept.iter().map(String::as_str).collect::<Vec<_>>(), OURS);
        assert_eq!(outcomes.values().sum::<usize>(), examples.len());
        assert_eq!(outcomes.get(&Outcome::Refused), None, "what is stored is understood");
        assert!(outcomes[&Outcome::Handled] >= 15, "{outcomes:?}");
        assert!(steps >= 30, "only {steps} asked for a look");
    }
}

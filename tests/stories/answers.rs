//! Answers that look like success and are none, and refusals that mean: look again.

use crate::{World, stories};
use github_sim::{Fault, FaultKind, Gate};
use jiff::SignedDuration;
use mass_driver::domain::ProposalState;

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");
/// What is asked on the way from a push to a pull request, in order.
const REQUESTS: [(&str, &str); 8] = [
    ("POST", "/app/installations/*/access_tokens"),
    ("GET", "/repos/*/*/branches/*"),
    ("GET", "/repos/*/*/git/trees/*"),
    ("GET", "/repos/*/*/git/blobs/*"),
    ("POST", "/repos/*/*/git/trees"),
    ("POST", "/repos/*/*/git/commits"),
    ("POST", "/repos/*/*/git/refs"),
    ("POST", "/repos/*/*/pulls"),
];

fn releases(world: &World) {
    world.registry.release("httpx", "0.27.0");
    world.registry.release("httpx", "0.28.0");
}

async fn one_pull_request(world: &World) {
    let pull = world.pull("acme/api");
    assert_eq!(pull.title, "Bump httpx from 0.27.0 to 0.28.0");
    assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==0.28.0\n");
    assert_eq!(world.github.pull_requests("acme/api").unwrap().len(), 1);
}

/// A push becomes a pull request although each of these requests meets the fault once.
async fn comes_through(world: &World, requests: impl IntoIterator<Item = (&str, &str)>, fault: FaultKind) {
    releases(world);
    for (method, path) in requests {
        world.github.fault(Fault::once(method, path, fault.clone()));
    }
    world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
    for _ in 0..12 {
        world.bot_looks().await;
    }
    assert_eq!(world.github.clear_faults(), 0);
    one_pull_request(world).await;
}

fn refused(message: &str) -> FaultKind {
    FaultKind::Status { status: 422, message: message.into() }
}

stories! {
    /// 200, and the body is an error: nothing was done.
    async fn fault_13_a_success_that_is_an_error(world: World) {
        let message = "Something went wrong while executing your query".into();
        comes_through(&world, REQUESTS, FaultKind::Status { status: 200, message }).await;
    }

    /// 200, and the connection ends in the middle of the body: it was done, and nobody knows what came of it.
    async fn fault_13_a_success_of_which_half_arrives(world: World) {
        comes_through(&world, REQUESTS, FaultKind::CutBody).await;
    }

    /// The connection ends without an answer although the write was done.
    async fn fault_14_a_cut_connection_after_each_write(world: World) {
        let writes = REQUESTS.into_iter().filter(|(method, _)| *method == "POST");
        comes_through(&world, writes, FaultKind::DropAfter).await;
    }

    async fn fault_17_what_github_has_forgotten_is_read_again(world: World) {
        releases(&world);
        let forgotten = [
            ("git/trees", "Tree SHA does not exist"),
            ("git/commits", "Parent SHA does not exist or is not a commit object"),
            ("git/refs", "Object does not exist"),
        ];
        for (path, message) in forgotten {
            world.github.fault(Fault::once("POST", &format!("/repos/*/*/{path}"), refused(message)));
        }
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        for _ in 0..6 {
            world.bot_looks().await;
        }
        assert_eq!(world.github.clear_faults(), 0);
        one_pull_request(&world).await;
    }

    async fn fault_17_what_github_forgets_for_ever_is_tried_a_few_times(world: World) {
        releases(&world);
        let message = "Tree SHA does not exist";
        world.github.fault(Fault::once("POST", "/repos/*/*/git/trees", refused(message)).times(1_000));
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        for _ in 0..20 {
            world.bot_looks().await;
        }
        let tries = 1_000 - world.github.clear_faults();
        assert!((2..=6).contains(&tries), "{tries} tries");
        let failed = world.proposals("acme/api", ProposalState::Failed).await;
        assert!(failed[0].reason.contains(message), "{}", failed[0].reason);
    }

    /// The name of our branch is taken, by a commit of a person's.
    async fn fault_17_a_branch_of_our_name_that_is_not_ours(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), (FILE.0, "delay: weekly\nsubscriptions: [pypi]\n")]).await;
        let branch = world.proposals("acme/api", ProposalState::Waiting).await.remove(0).branch;
        world.github.push("acme/api", &branch, &[("notes.txt", Some(b"mine".as_slice()))], "a person's").unwrap();
        world.time_comes("2026-03-09T06:00:00Z").await;
        world.bot_looks().await;
        let pull = world.pull("acme/api");
        assert_ne!(pull.head_branch, branch);
        assert_eq!(world.file("acme/api", &branch, "notes.txt"), "mine", "a person's branch is left alone");
        world.github.delete_branch("acme/api", &branch).unwrap();
        world.settle().await;
        one_pull_request(&world).await;
    }

    /// The default branch moves while the pull request is made: it stands on what was there when it was begun.
    async fn fault_17_the_base_moves_in_the_middle(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        let gate = Gate::default();
        world.github.fault(Fault::once("POST", "/repos/*/*/git/refs", FaultKind::Wait(gate.clone())));
        world.push_quietly("acme/api", &[FILE]);
        let moves = async {
            gate.reached_by(1).await;
            world.push_quietly("acme/api", &[("README.md", "hello\n")]);
            gate.open();
        };
        tokio::join!(world.settle(), moves);
        one_pull_request(&world).await;
        assert_eq!(world.github.branches("acme/api").unwrap().len(), 2);
    }

    /// 200, and a body that is no error and not what was promised either: nothing was done.
    async fn fault_13_a_success_that_proves_nothing(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        let labelled = (FILE.0, "labels: [dependencies]\nsubscriptions: [pypi]\n");
        let writes = [
            ("POST", "/repos/*/*/git/trees"),
            ("POST", "/repos/*/*/git/commits"),
            ("POST", "/repos/*/*/git/refs"),
            ("POST", "/repos/*/*/pulls"),
            ("POST", "/repos/*/*/issues/*/labels"),
            ("POST", "/repos/*/*/issues/*/comments"),
            ("PATCH", "/repos/*/*/git/refs/**"),
            ("PATCH", "/repos/*/*/pulls/*"),
            ("DELETE", "/repos/*/*/git/refs/**"),
        ];
        for body in [serde_json::json!({}), serde_json::json!([]), serde_json::json!({ "id": null, "number": 0, "state": "open" })] {
            for (method, path) in writes {
                world.github.fault(Fault::once(method, path, FaultKind::Answer { status: 200, body: body.clone() }));
            }
        }
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), labelled]).await;
        for _ in 0..24 {
            world.time_passes(SignedDuration::from_hours(1)).await;
        }
        let first = world.pull("acme/api");
        assert_eq!(first.labels, ["dependencies"]);
        world.registry.release("httpx", "0.29.0");
        for _ in 0..24 {
            world.time_passes(SignedDuration::from_hours(1)).await;
        }
        let second = world.pull("acme/api");
        assert_eq!((second.number, second.title.as_str()), (first.number, "Bump httpx from 0.27.0 to 0.29.0"));
        let ignoring = "subscriptions:\n  - migration: pypi\n    ignore: [{ name: httpx }]\n";
        world.push("acme/api", &[(FILE.0, ignoring)]).await;
        for _ in 0..24 {
            world.time_passes(SignedDuration::from_hours(1)).await;
        }
        assert_eq!(world.github.clear_faults(), 0);
        let first = world.github.pull_request("acme/api", first.number).unwrap();
        assert_eq!((first.state.as_str(), first.comments.len()), ("closed", 2));
        assert_eq!(world.github.branches("acme/api").unwrap().len(), 1, "its branch is gone");
    }
}

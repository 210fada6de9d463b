//! A process is killed, or a person is faster, while a newer version goes onto the branch of an open pull request.

use crate::revisions::{api, comments};
use crate::{World, stories_at_any_pace};
use github_sim::{Fault, FaultKind, Gate};
use mass_driver::domain::{ProposalState, PullNumber};

/// The five writes of a revision, its word included.
const WRITES: [(&str, &str); 5] = [
    ("POST", "/repos/*/*/git/trees"),
    ("POST", "/repos/*/*/git/commits"),
    ("PATCH", "/repos/*/*/git/refs/**"),
    ("PATCH", "/repos/*/*/pulls/*"),
    ("POST", "/repos/*/*/issues/*/comments"),
];

/// A newer version that is due, and nobody has seen yet.
async fn about_to_be_revised(world: &World) -> i64 {
    let number = api(world).await;
    world.push("acme/api", &[("README.md", "hello\n")]).await;
    world.registry.release("httpx", "0.28.1");
    world.clock_moves(jiff::SignedDuration::from_mins(11));
    number
}

async fn revised_once(world: &World, number: i64) {
    let pull = world.pull("acme/api");
    assert_eq!((pull.number, pull.title.as_str()), (number, "Bump httpx from 0.27.0 to 0.28.1"));
    assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==0.28.1\n");
    assert_eq!(comments(world, number).len(), 1);
    let commits = world.github.commits("acme/api", &pull.head_branch).unwrap();
    assert_eq!(commits.iter().filter(|commit| commit.message.contains("0.28.1")).count(), 1);
    let open = world.proposals("acme/api", ProposalState::Open).await;
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].pull.as_ref().unwrap().head.as_str(), pull.head_sha);
    let branch = world.store.pull_branch(world.repo_id("acme/api").await, PullNumber(number)).await.unwrap();
    let base = world.github.head("acme/api", "main").unwrap();
    assert_eq!((branch.base.map(|base| base.to_string()), branch.shared), (base, false));
}

/// Who was overtaken on a branch pauses before the next look.
async fn it_is_looked_at_anew(world: &World) {
    world.time_passes(jiff::SignedDuration::from_secs(31)).await;
}

stories_at_any_pace! {
    async fn killed_before_each_write_of_a_revision(world: World) {
        let number = about_to_be_revised(&world).await;
        for (method, path) in WRITES {
            world.dies_at(method, path, FaultKind::Hang).await;
        }
        world.settle().await;
        revised_once(&world, number).await;
    }

    async fn killed_after_each_write_of_a_revision(world: World) {
        let number = about_to_be_revised(&world).await;
        for (method, path) in WRITES {
            world.dies_at(method, path, FaultKind::HangAfter).await;
        }
        world.settle().await;
        revised_once(&world, number).await;
    }

    async fn each_write_of_a_revision_is_answered_with_502_although_it_was_done(world: World) {
        let number = about_to_be_revised(&world).await;
        for (method, path) in WRITES {
            world.github.fault(Fault::once(method, path, FaultKind::BadGatewayAfter));
        }
        world.settle().await;
        for _ in 0..WRITES.len() {
            world.bot_looks().await;
        }
        assert_eq!(world.github.clear_faults(), 0);
        revised_once(&world, number).await;
    }

    /// The branch is moved, the process dies, and a person pushes before the next one starts.
    async fn killed_after_the_branch_was_moved_and_then_a_person_pushes(world: World) {
        let number = about_to_be_revised(&world).await;
        world.dies_at("PATCH", "/repos/*/*/git/refs/**", FaultKind::HangAfter).await;
        let branch = world.pull("acme/api").head_branch;
        world.github.push("acme/api", &branch, &[("notes.txt", Some(b"mine".as_slice()))], "a person's commit").unwrap();
        world.settle().await;
        it_is_looked_at_anew(&world).await;
        let pull = world.pull("acme/api");
        assert_eq!((pull.number, pull.title.as_str()), (number, "Bump httpx from 0.27.0 to 0.28.1"));
        assert_eq!(world.file("acme/api", &branch, "notes.txt"), "mine");
        assert_eq!(world.file("acme/api", &branch, "requirements.txt"), "httpx==0.28.1\n");
        world.registry.release("httpx", "0.29.0");
        world.bot_looks().await;
        assert_eq!(world.pull("acme/api").title, "Bump httpx from 0.27.0 to 0.29.0");
        assert_eq!(world.file("acme/api", &branch, "notes.txt"), "mine");
    }

    /// A person is faster by a moment: GitHub refuses ours, and everything is looked at anew.
    async fn a_person_pushes_while_it_is_revised(world: World) {
        let number = about_to_be_revised(&world).await;
        let gate = Gate::default();
        world.github.fault(Fault::once("PATCH", "/repos/*/*/git/refs/**", FaultKind::Wait(gate.clone())));
        let branch = world.pull("acme/api").head_branch;
        let pushes = async {
            gate.reached_by(1).await;
            world.github.push("acme/api", &branch, &[("notes.txt", Some(b"mine".as_slice()))], "a person's commit").unwrap();
            gate.open();
        };
        tokio::join!(world.settle(), pushes);
        it_is_looked_at_anew(&world).await;
        let pull = world.pull("acme/api");
        assert_eq!((pull.number, pull.title.as_str()), (number, "Bump httpx from 0.27.0 to 0.28.1"));
        assert_eq!(world.file("acme/api", &branch, "notes.txt"), "mine");
        assert_eq!(world.file("acme/api", &branch, "requirements.txt"), "httpx==0.28.1\n");
    }

    async fn closed_while_it_is_revised(world: World) {
        let number = about_to_be_revised(&world).await;
        let gate = Gate::default();
        world.github.fault(Fault::once("PATCH", "/repos/*/*/git/refs/**", FaultKind::Wait(gate.clone())));
        let closes = async {
            gate.reached_by(1).await;
            world.github.close("acme/api", number).unwrap();
            gate.open();
        };
        tokio::join!(world.settle(), closes);
        it_is_looked_at_anew(&world).await;
        let old = world.github.pull_request("acme/api", number).unwrap();
        assert_eq!((old.state.as_str(), old.title.as_str()), ("closed", "Bump httpx from 0.27.0 to 0.28.0"));
        // What was closed was the older version: the newer one comes as a pull request of its own.
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.1"]);
        assert_ne!(world.pull("acme/api").head_branch, old.head_branch);
    }

    async fn merged_while_it_is_revised(world: World) {
        let number = about_to_be_revised(&world).await;
        let gate = Gate::default();
        world.github.fault(Fault::once("PATCH", "/repos/*/*/git/refs/**", FaultKind::Wait(gate.clone())));
        let merges = async {
            gate.reached_by(1).await;
            world.github.merge("acme/api", number).unwrap();
            gate.open();
        };
        tokio::join!(world.settle(), merges);
        assert!(world.github.pull_request("acme/api", number).unwrap().merged);
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.28.0 to 0.28.1"]);
    }

    async fn merged_with_its_branch_deleted_while_it_is_revised(world: World) {
        let number = about_to_be_revised(&world).await;
        let gate = Gate::default();
        world.github.fault(Fault::once("PATCH", "/repos/*/*/git/refs/**", FaultKind::Wait(gate.clone())));
        let branch = world.pull("acme/api").head_branch;
        let merges = async {
            gate.reached_by(1).await;
            world.github.merge("acme/api", number).unwrap();
            world.github.delete_branch("acme/api", &branch).unwrap();
            gate.open();
        };
        tokio::join!(world.settle(), merges);
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.28.0 to 0.28.1"]);
        assert_ne!(world.pull("acme/api").head_branch, branch);
    }
}

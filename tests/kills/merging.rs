//! Killed while people are asked for a review, and while a pull request is merged without them.

use crate::bot::Bot;
use crate::databases::both_databases;
use crate::world::World;
use github_sim::{Colour, Fault, FaultKind};
use jiff::SignedDuration;
use mass_driver::domain::{Merging, ProposalState, RepoName};
use std::time::Duration;

const API: &str = "acme/api";
const FILE: (&str, &str) =
    (".mass-driver.yaml", "automerge: minor\nreviewers: alice\nassignees: bob\nsubscriptions: [pypi]\n");

/// Its head has stood long enough that no other check is waited for: a test in real time has no minutes for that.
async fn has_stood_for_a_while(world: &World) {
    world
        .look(async |store| {
            let row = store.repository_by_name(&RepoName::parse(API).unwrap()).await.unwrap().unwrap();
            let proposals = store.proposals(row.repository.id).await.unwrap();
            let open = proposals.into_iter().find(|one| one.state == ProposalState::Open).unwrap();
            let merging = store.merging(&open.id).await.unwrap().expect("it was looked at when it was opened");
            let mut tx = store.begin().await.unwrap();
            let since = merging.since - SignedDuration::from_mins(10);
            tx.save_merging(&open.id, &Merging { since, ..merging }).await.unwrap();
            tx.commit().await.unwrap();
        })
        .await;
}

/// A pull request is opened, two people are asked to look at it, its check turns green, it is merged and its branch removed.
/// The bot is killed whenever `doom` says so.
async fn course(world: &World, bot: Bot, doom: &mut dyn FnMut() -> Option<Duration>) -> Bot {
    world.releases("httpx", &["0.27.0", "0.28.0"]);
    world.organization("acme");
    for login in ["alice", "bob"] {
        world.github.person(login);
    }
    world.repository(API, &[("requirements.txt", "httpx==0.27.0\n"), FILE]);
    let bot = world.settle(bot, doom).await;
    has_stood_for_a_while(world).await;
    world.github.set_limits(|limits| limits.unknown_mergeability = 0);
    let head = world.github.pull_request(API, 1).unwrap().head_sha;
    world.github.set_check(API, &head, "build", Colour::Green).unwrap();
    world.settle(bot, doom).await
}

async fn killed_at(database: &str, faults: &[Fault]) {
    let world = World::begin(database).await;
    let bot = world.start().await;
    for fault in faults {
        world.github.fault(fault.clone());
    }
    let mut doom = || {
        let struck = world.new_requests().iter().any(|request| request.fault.is_some());
        struck.then_some(Duration::ZERO)
    };
    let bot = course(&world, bot, &mut doom).await;
    assert_eq!(world.github.clear_faults(), 0, "requests that were never sent");
    let pull = world.github.pull_request(API, 1).unwrap();
    assert!(pull.merged);
    assert_eq!((pull.reviewers, pull.assignees), (vec!["alice".into()], vec!["bob".into()]));
    assert_eq!(world.github.branches(API).unwrap().len(), 1, "its branch is gone");
    let reasons: Vec<String> = world
        .look(async |store| {
            let row = store.repository_by_name(&RepoName::parse(API).unwrap()).await.unwrap().unwrap();
            let proposals = store.proposals(row.repository.id).await.unwrap();
            proposals.into_iter().map(|one| one.reason).collect()
        })
        .await;
    assert_eq!(reasons, ["pull request #1 was merged by the bot, as `automerge` asks for"]);
    world.the_end(bot).await;
}

both_databases! {
    async fn killed_while_people_are_asked(url: String) {
        let both = |path: &str| [FaultKind::Hang, FaultKind::HangAfter].map(|kind| Fault::once("POST", path, kind));
        let faults = [both("/repos/*/*/pulls/*/requested_reviewers"), both("/repos/*/*/issues/*/assignees")];
        killed_at(&url, faults.as_flattened()).await;
    }

    /// One that GitHub never heard of is sent again a minute later: for a test that is told of with a clock of its own.
    async fn killed_just_after_the_merge(url: String) {
        let merge = Fault::once("PUT", "/repos/*/*/pulls/*/merge", FaultKind::HangAfter);
        let branch = [FaultKind::Hang, FaultKind::HangAfter].map(|kind| Fault::once("DELETE", "/repos/*/*/git/refs/**", kind));
        killed_at(&url, &[&[merge][..], &branch].concat()).await;
    }
}

//! Killed while people are asked for a review, and while a pull request is merged without them.

use crate::bot::Bot;
use crate::databases::both_databases;
use crate::world::{World, until};
use github_sim::{Colour, Fault, FaultKind};
use jiff::SignedDuration;
use mass_driver::domain::{Merging, PullNumber, RepoName};
use mass_driver::pipeline::Step;
use mass_driver::store::Store;
use std::time::Duration;

const API: &str = "acme/api";
const ASKS: (&str, &str) = (".mass-driver.yaml", "reviewers: alice\nassignees: bob\nsubscriptions: [pypi]\n");
const MERGES: (&str, &str) =
    (".mass-driver.yaml", "automerge: minor\nreviewers: alice\nassignees: bob\nsubscriptions: [pypi]\n");

/// Its head has stood long enough that no other check is waited for: a test in real time has no minutes for that.
async fn has_stood_for_a_while(world: &World) {
    let settings = world.settings();
    let (_, url) = settings.iter().find(|(name, _)| *name == "DATABASE_URL").unwrap();
    let shift = async || {
        let store = Store::connect_with(url, 1).await.unwrap();
        let row = store.repository_by_name(&RepoName::parse(API).unwrap()).await.unwrap().unwrap();
        let proposal = store.proposal_by_pull(row.repository.id, PullNumber(1)).await.unwrap().unwrap();
        let Some(merging) = store.merging(&proposal.id).await.unwrap() else {
            store.close().await;
            return false;
        };
        let mut tx = store.begin().await.unwrap();
        let since = merging.since - SignedDuration::from_mins(10);
        tx.save_merging(&proposal.id, &Merging { since, ..merging }).await.unwrap();
        let step = Step::Merge { repo: row.repository.id, number: PullNumber(1) };
        step.queue(&mut tx, Some(row.repository.installation), mass_driver::app::now()).await.unwrap();
        tx.commit().await.unwrap();
        store.close().await;
        true
    };
    until("it is looked at whether to merge", shift).await;
}

/// A pull request is opened and two people are asked to look at it; then its file wants it merged, its check turns green, it
/// is merged and its branch removed. The bot is killed whenever `doom` says so.
async fn course(world: &World, bot: Bot, doom: &mut dyn FnMut() -> Option<Duration>) -> Bot {
    world.releases("httpx", &["0.27.0", "0.28.0"]);
    world.organization("acme");
    for login in ["alice", "bob"] {
        world.github.person(login);
    }
    world.repository(API, &[("requirements.txt", "httpx==0.27.0\n"), ASKS]);
    let bot = world.settle(bot, doom).await;
    world.github.set_limits(|limits| limits.unknown_mergeability = 0);
    let head = world.github.pull_request(API, 1).unwrap().head_sha;
    world.github.set_check(API, &head, "build", Colour::Green).unwrap();
    world.push(API, &[MERGES]);
    has_stood_for_a_while(world).await;
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

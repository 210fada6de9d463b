//! `automerge`: what is merged without a person, and what never is.

use crate::{World, stories, stories_at_any_pace};
use github_sim::{Colour, FaultKind, MergeMethod, Protection, ReviewVerdict};
use jiff::SignedDuration;
use mass_driver::domain::ProposalState;

const FILE: &str = "automerge: minor\nsubscriptions: [pypi]\n";
const API: &str = "acme/api";

/// A pull request of ours from httpx 0.27.0 to 0.28.0, which is old enough that no other check is waited for.
async fn open(world: &World, file: &str) -> (i64, String) {
    world.repository_using_httpx(API, file).await;
    world.registry.release("httpx", "0.28.0");
    world.bot_looks().await;
    let pull = world.pull(API);
    world.time_passes(SignedDuration::from_mins(3)).await;
    (pull.number, world.pull(API).head_sha)
}

/// Why it is not merged, as people are told.
async fn why(world: &World) -> String {
    let open = world.proposals(API, ProposalState::Open).await;
    assert_eq!(open.len(), 1, "{open:#?}");
    open[0].reason.clone()
}

fn merges(world: &World) -> usize {
    world.github.requests_since(0).iter().filter(|e| e.method == "PUT" && e.path.ends_with("/merge")).count()
}

stories_at_any_pace! {
    async fn what_is_green_is_merged(world: World) {
        let (number, head) = open(&world, FILE).await;
        assert_eq!(why(&world).await, format!("pull request #{number} is open; it is not merged yet: no check has reported on it"));
        world.github.set_check(API, &head, "build", Colour::Green).unwrap();
        world.settle().await;
        let merged = world.proposals(API, ProposalState::Merged).await;
        assert_eq!(merged[0].reason, format!("pull request #{number} was merged by the bot, as `automerge` asks for"));
        assert_eq!(world.file(API, "main", "requirements.txt"), "httpx==0.28.0\n");
        assert_eq!(world.github.branches(API).unwrap().len(), 1, "its branch is gone");
        assert_eq!(merges(&world), 1);
    }
}

//! A worker that was too slow: another one has its step by now. Whatever it comes to know after that, it writes nothing.

use crate::{World, stories};
use github_sim::{Fault, FaultKind, Gate};
use mass_driver::domain::ProposalState;
use mass_driver::pipeline::{Done, StepError};
use mass_driver::store::StoreError;

const API: &str = "acme/api";
const MONDAY: &str = "2026-03-09T06:00:00Z";

fn is_lost(outcome: Result<Done, StepError>) -> bool {
    matches!(outcome, Err(StepError::Store(StoreError::LeaseLost)))
}

/// A proposal that waits for Monday.
async fn waiting_api(world: &World) {
    world.registry.release("httpx", "0.27.0");
    let file = (".mass-driver.yaml", "delay: weekly\nlabels: [dependencies]\nsubscriptions: [pypi]\n");
    world.repository(API, &[("requirements.txt", "httpx==0.27.0\n"), file]).await;
    world.registry.release("httpx", "0.28.0");
    world.bot_looks().await;
}

stories! {
    /// GitHub refuses the pull request, and the branch is recognised, which takes long. Its removal comes after that.
    async fn a_branch_is_not_removed_by_who_has_lost_its_step(world: World) {
        waiting_api(&world).await;
        let refused = FaultKind::Status { status: 422, message: "Validation Failed".into() };
        world.github.fault(Fault::once("POST", "/repos/*/*/pulls", refused));
        let (at_once, slow) = (Gate::default(), Gate::default());
        at_once.open();
        for gate in [&at_once, &slow] {
            world.github.fault(Fault::once("POST", "/repos/*/*/git/trees", FaultKind::Wait(gate.clone())));
        }
        world.clock_comes(MONDAY);
        let claimed = world.claims("execute").await;
        let mark = world.github.mark();
        let taken_over = async {
            slow.reached_by(1).await;
            world.is_taken_over(&claimed).await;
            slow.open();
        };
        let (outcome, ()) = tokio::join!(world.walks(&claimed), taken_over);
        assert!(is_lost(outcome));
        let removed = world.requests_since(mark).into_iter().filter(|request| request.starts_with("DELETE"));
        assert_eq!(removed.collect::<Vec<_>>(), [] as [&str; 0]);
        // Who has it by now does so.
        world.settle().await;
        assert_eq!(world.github.branches(API).unwrap().len(), 1, "nothing is left of it");
        assert_eq!(world.proposals(API, ProposalState::Failed).await.len(), 1);
    }

    async fn a_check_is_not_begun_by_who_has_lost_its_step(world: World) {
        waiting_api(&world).await;
        world.push_quietly(API, &[(".mass-driver.yaml", "delay: daily\nsubscriptions: [pypi]\n")]);
        world.github.deliver_pending().await;
        let claimed = world.claims("examine").await;
        world.is_taken_over(&claimed).await;
        let mark = world.github.mark();
        assert!(is_lost(world.walks(&claimed).await));
        let written = world.requests_since(mark).into_iter().filter(|request| request.contains("/check-runs"));
        assert_eq!(written.collect::<Vec<_>>(), [] as [&str; 0]);
        world.settle().await;
    }

    async fn a_label_is_not_put_on_by_who_has_lost_its_step(world: World) {
        waiting_api(&world).await;
        world.clock_comes(MONDAY);
        let claimed = world.claims("label").await;
        world.is_taken_over(&claimed).await;
        let mark = world.github.mark();
        assert!(is_lost(world.walks(&claimed).await));
        assert_eq!(world.requests_since(mark), [] as [&str; 0]);
        world.settle().await;
        assert_eq!(world.pull(API).labels, ["dependencies"]);
    }
}

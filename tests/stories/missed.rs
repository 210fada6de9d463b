//! What nobody told the bot of: events that were lost, came to another address, or were overtaken.

use crate::{World, stories};
use github_sim::{Fault, FaultKind, Gate};
use mass_driver::domain::RepoState;

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");

stories! {
    /// A step reads the branch while the installation's list tells of the archive.
    async fn a_slow_look_does_not_undo_what_the_list_told(world: World) {
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        let gate = Gate::default();
        world.github.fault(Fault::once("GET", "**/branches/main", FaultKind::Wait(gate.clone())));
        world.push_quietly("acme/api", &[(FILE.0, "limit: 4\nsubscriptions: [pypi]\n")]);
        world.github.deliver_pending().await;
        let other = world.another_process();
        let slow = tokio::spawn(async move { other.worker().run_until_idle().await.unwrap() });
        gate.reached_by(1).await;
        world.github.archive("acme/api").unwrap();
        world.github.drop_pending();
        world.looks_at_installations().await;
        assert_eq!(world.row("acme/api").await.repository.state, RepoState::Archived);
        gate.open();
        slow.await.unwrap();
        assert_eq!(world.row("acme/api").await.repository.state, RepoState::Archived, "after the slow step ended");
        world.settle().await;
        assert_eq!(world.row("acme/api").await.repository.state, RepoState::Archived);
    }
}

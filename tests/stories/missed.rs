//! What nobody told the bot of: events that were lost, came to another address, or were overtaken.

use crate::{World, stories};
use github_sim::{Fault, FaultKind, Gate};
use jiff::SignedDuration;
use mass_driver::domain::{ProposalState, RepoState};

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");

/// Two packages of which each has an older and a newer version.
fn releases(world: &World) {
    for (name, version) in [("httpx", "0.27.0"), ("httpx", "0.28.0"), ("idna", "3.6"), ("idna", "3.7")] {
        world.registry.release(name, version);
    }
}

stories! {
    /// One pull request is merged, another closed, and a third dependency comes with a push. The closed one held the only
    /// place of its repository.
    async fn fault_08_what_people_did_while_the_bot_was_down_is_noticed_when_it_starts(world: World) {
        releases(&world);
        world.repository("acme/merged", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        let limited = (FILE.0, "limit: 1\nsubscriptions: [pypi]\n");
        world.repository("acme/closed", &[("requirements.txt", "httpx==0.27.0\n"), limited]).await;
        world.repository("acme/pushed", &[("README.md", "hello\n"), FILE]).await;
        world.github.merge("acme/merged", world.pull("acme/merged").number).unwrap();
        world.github.close("acme/closed", world.pull("acme/closed").number).unwrap();
        world.push_quietly("acme/closed", &[("requirements.txt", "httpx==0.27.0\nidna==3.6\n")]);
        world.push_quietly("acme/pushed", &[("requirements.txt", "idna==3.6\n")]);
        world.github.drop_pending();
        world.restart().await;
        assert_eq!(world.proposals("acme/merged", ProposalState::Merged).await.len(), 1);
        assert!(world.open("acme/merged").is_empty());
        assert_eq!(world.proposals("acme/closed", ProposalState::Closed).await.len(), 1);
        assert_eq!(world.open("acme/closed"), ["Bump idna from 3.6 to 3.7"]);
        assert_eq!(world.open("acme/pushed"), ["Bump idna from 3.6 to 3.7"]);
    }

    /// The bot closed it, as the file was gone. The branch comes back, somebody presses "Reopen", and nobody tells: it is looked
    /// at, and closed with that reason once more.
    async fn one_that_the_bot_closed_and_a_person_reopened_is_noticed_at_a_start(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        let pull = world.pull("acme/api");
        world.remove("acme/api", FILE.0).await;
        assert!(world.open("acme/api").is_empty());
        world.time_passes(SignedDuration::from_mins(2)).await;
        world.github.force_push("acme/api", &pull.head_branch, &pull.head_sha).unwrap();
        world.github.reopen("acme/api", pull.number).unwrap();
        world.github.drop_pending();
        world.restart().await;
        assert!(world.open("acme/api").is_empty(), "it is not open for ever");
    }

    /// GitHub delivers nothing while an installation is suspended.
    async fn what_people_did_during_a_suspension_is_noticed_when_it_ends(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        let pull = world.pull("acme/api").number;
        world.github.suspend(world.installation).unwrap();
        world.settle().await;
        world.github.close("acme/api", pull).unwrap();
        world.github.drop_pending();
        world.github.unsuspend(world.installation).unwrap();
        world.settle().await;
        assert_eq!(world.proposals("acme/api", ProposalState::Closed).await.len(), 1);
    }

    /// A start looks again at what it knows, once, and asks nothing about repositories that nobody subscribed.
    async fn a_start_costs_one_look_at_each_subscribed_repository(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.28.0\n"), FILE]).await;
        world.repository("acme/docs", &[("README.md", "no file here\n")]).await;
        // Once more it was read than pushed to: in the second of a push there may have been another.
        world.time_passes(SignedDuration::from_hours(1)).await;
        world.restart().await;
        let mark = world.github.mark();
        world.restart().await;
        let asked: Vec<String> = world.requests_since(mark).into_iter().filter(|r| r.contains("/repos/")).collect();
        assert!(asked.iter().all(|r| r.contains("acme/api")), "{asked:?}");
        assert!((1..=3).contains(&asked.len()), "the head, its tree and the tree's manifests: {asked:?}");
    }

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

    /// The repository's own events name the new installation; those of the installations are lost.
    async fn a_transfer_is_followed_without_the_lists_event(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.github.organization("other");
        let other = world.github.install("other").unwrap();
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\n"), FILE]).await;
        world.github.transfer("acme/api", "other").unwrap();
        while world.github.hold("installation_repositories").is_some() {}
        world.settle().await;
        assert_eq!(world.row("other/api").await.repository.installation.0, other);
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        assert_eq!(world.open("other/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// All events of the transfer are lost, and a push is the first thing that is heard of the repository's new owner.
    async fn a_push_under_a_new_owner_is_enough(world: World) {
        releases(&world);
        world.github.organization("other");
        world.github.install("other").unwrap();
        world.repository("acme/api", &[("requirements.txt", "httpx==0.28.0\n"), FILE]).await;
        world.github.transfer("acme/api", "other").unwrap();
        world.github.drop_pending();
        world.push("other/api", &[("requirements.txt", "httpx==0.28.0\nidna==3.6\n")]).await;
        assert_eq!(world.open("other/api"), ["Bump idna from 3.6 to 3.7"]);
    }

    /// Every look at a registry brings a release that nobody waits for, so the repository is planned again and again.
    async fn a_plan_does_not_shorten_the_pause_after_a_failure(world: World) {
        releases(&world);
        world.repository("acme/api", &[("requirements.txt", "httpx==0.27.0\nidna==3.7\n")]).await;
        world.github.fault(Fault::once("POST", "/repos/*/*/git/trees", FaultKind::BadGateway).times(100_000));
        world.push("acme/api", &[FILE]).await;
        let mark = world.github.mark();
        for n in 0..48 {
            world.registry.release("idna", &format!("3.6.{n}"));
            world.time_passes(SignedDuration::from_mins(10)).await;
        }
        let sent = world.requests_since(mark).iter().filter(|r| r.ends_with("/git/trees")).count();
        assert!((4..=24).contains(&sent), "eight hours with at most an hour between two attempts: {sent}");
        world.github.clear_faults();
        world.time_passes(SignedDuration::from_hours(2)).await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }
}

//! GitHub says no for good, or for now, in the middle of making a pull request: people suspended the App, uninstalled it, or
//! took the repository away.

use crate::{World, stories};
use github_sim::{Fault, FaultKind, Gate};
use jiff::SignedDuration;
use mass_driver::domain::RepoState;

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");
/// The writes that make a pull request, in order.
const WRITES: [&str; 4] = ["git/trees", "git/commits", "git/refs", "pulls"];

/// An organisation for each of the writes, with one repository that wants a pull request once it has its file.
async fn four(world: &World) -> Vec<(String, i64)> {
    world.registry.release("httpx", "0.27.0");
    world.registry.release("httpx", "0.28.0");
    let mut all = Vec::new();
    for n in 0..WRITES.len() {
        let owner = format!("org{n}");
        world.github.organization(&owner);
        let installation = world.github.install(&owner).unwrap();
        world.repository(&format!("{owner}/api"), &[("requirements.txt", "httpx==0.27.0\n")]).await;
        all.push((format!("{owner}/api"), installation));
    }
    all
}

/// While the bot sends a write, something happens; the write comes too late.
async fn in_the_middle(world: &World, repo: &str, write: &str, happens: impl FnOnce()) {
    let gate = Gate::default();
    world.github.fault(Fault::once("POST", &format!("/repos/{repo}/{write}"), FaultKind::Wait(gate.clone())));
    world.push_quietly(repo, &[FILE]);
    let mark = world.github.mark();
    let happens = async {
        gate.reached_by(1).await;
        happens();
        gate.open();
    };
    tokio::join!(world.settle(), happens);
    for _ in 0..6 {
        world.time_passes(SignedDuration::from_mins(20)).await;
    }
    let writes: Vec<String> = world
        .github
        .requests_since(mark)
        .into_iter()
        .filter(|e| e.method != "GET" && e.path.starts_with(&format!("/repos/{repo}/")))
        .map(|e| format!("{} {}", e.status, e.path))
        .collect();
    let refused = writes.iter().position(|w| w.starts_with("403") || w.starts_with("404") || w.starts_with("401"));
    let refused = refused.unwrap_or_else(|| panic!("{write} was not refused: {writes:?}"));
    assert!(writes[refused].ends_with(write), "{writes:?}");
    // The forge may fetch a new token and send the refused write once more; nothing comes after it.
    assert!(writes[refused..].iter().all(|w| w.ends_with(write)), "written after it was refused: {writes:?}");
    assert!(writes.len() - refused <= 2, "again and again: {writes:?}");
}

async fn one_pull_request(world: &World, repo: &str) {
    assert_eq!(world.open(repo), ["Bump httpx from 0.27.0 to 0.28.0"]);
    assert_eq!(world.github.pull_requests(repo).unwrap().len(), 1);
    assert_eq!(world.github.branches(repo).unwrap().len(), 2);
}

stories! {
    async fn fault_18_suspended_in_mid_job_and_resumed(world: World) {
        for ((repo, installation), write) in four(&world).await.into_iter().zip(WRITES) {
            in_the_middle(&world, &repo, write, || world.github.suspend(installation).unwrap()).await;
            assert_eq!(world.row(&repo).await.repository.state, RepoState::Suspended);
            assert!(world.store.parked(10).await.unwrap().is_empty(), "it waits, and is not given up");
            world.github.unsuspend(installation).unwrap();
            world.settle().await;
            one_pull_request(&world, &repo).await;
        }
    }

    async fn fault_18_taken_from_the_installation_in_mid_job_and_given_back(world: World) {
        for ((repo, installation), write) in four(&world).await.into_iter().zip(WRITES) {
            in_the_middle(&world, &repo, write, || world.github.remove_from_installation(installation, &repo).unwrap()).await;
            assert_eq!(world.row(&repo).await.repository.state, RepoState::Removed);
            world.github.add_to_installation(installation, &repo).unwrap();
            world.settle().await;
            one_pull_request(&world, &repo).await;
        }
    }

    async fn fault_18_uninstalled_in_mid_job(world: World) {
        let (repo, installation) = four(&world).await.remove(0);
        in_the_middle(&world, &repo, WRITES[0], || world.github.uninstall(installation).unwrap()).await;
        assert_eq!(world.row(&repo).await.repository.state, RepoState::Removed);
        assert!(world.store.parked(10).await.unwrap().is_empty());
        let mark = world.github.mark();
        world.time_passes(SignedDuration::from_hours(30)).await;
        let asked: Vec<String> = world.requests_since(mark).into_iter().filter(|r| r.contains(&repo)).collect();
        assert!(asked.is_empty(), "nothing is asked about it any more: {asked:?}");
    }
}

//! Whoever has a place in a line keeps it: the line of the queue, and that of the writes to one installation.

use crate::databases::both_databases;
use crate::world::at_once;
use crate::{World, paced_stories};
use github_sim::{Fault, FaultKind, RepoOptions};
use jiff::{SignedDuration, Timestamp};
use mass_driver::domain::{Ecosystem, InstallationId, PackageId, ProposalState, RepoId};
use mass_driver::pipeline::Step;
use mass_driver::pipeline::crew::Crew;
use mass_driver::pipeline::worker::WorkPolicy;
use mass_driver::store::WorkState;
use std::time::Duration;
use tokio::sync::watch;

const FILE: (&str, &str) = (".mass-driver.yaml", "subscriptions: [pypi]\n");
const USES: (&str, &str) = ("requirements.txt", "httpx==0.27.0\n");

/// The changes that were written down but not begun, with the moment at which each may be: the line as it stands.
async fn line(world: &World, repos: &[String]) -> Vec<(Timestamp, String)> {
    let mut line = Vec::new();
    for repo in repos {
        for proposal in world.proposals(repo, ProposalState::Waiting).await {
            let attempt = world.store.attempt(&proposal.id).await.unwrap();
            let turn = attempt.filter(|attempt| attempt.progress.is_start()).and_then(|attempt| attempt.progress.turn);
            line.extend(turn.map(|turn| (turn.from, repo.clone())));
        }
    }
    line.sort();
    line
}

paced_stories! {
    /// Nothing of it was sent, so nothing is taken back: when its turn comes it is sent on the new base.
    async fn a_change_on_its_way_keeps_its_turn_when_its_base_moves(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        let repos: Vec<String> = (0..7).map(|n| format!("acme/r{n}")).collect();
        for repo in &repos {
            world.github.create_repo(repo, RepoOptions::default().file(USES.0, USES.1).file(FILE.0, FILE.1)).unwrap();
        }
        world.github.deliver_pending().await;
        let process = world.another_process();
        process.worker().run_until_idle().await.unwrap();
        let before = line(&world, &repos).await;
        let (turn, repo) = before[2].clone();
        assert!(turn > world.clock_now() && before.len() > 4, "others wait before and behind it: {before:?}");

        world.push_quietly(&repo, &[("README.md", "a person's line\n")]);
        world.github.deliver_pending().await;
        process.worker().run_until_idle().await.unwrap();
        assert_eq!(line(&world, &repos).await, before);
        let mark = world.github.mark();
        world.settle().await;
        let ours = format!("/repos/{repo}/");
        let writes: Vec<Timestamp> = world
            .github
            .requests_since(mark)
            .iter()
            .filter(|e| e.method != "GET" && e.path.starts_with(&ours))
            .map(|e| e.at)
            .collect();
        assert_eq!((writes.len(), writes[0]), (4, turn), "{writes:?}");
        let branch = world.pull(&repo).head_branch;
        assert_eq!(world.file(&repo, &branch, "README.md"), "a person's line\n");
        assert_eq!(world.file(&repo, &branch, "requirements.txt"), "httpx==0.28.0\n");
        assert!(repos.iter().all(|repo| world.open(repo).len() == 1));
    }
}

/// How many steps a process does at a time.
const PLACES: usize = 2;
/// Long enough for a test that looks at what it claimed.
const LEASE: Duration = Duration::from_secs(60);

/// Queues a look at each of these repositories, and in front of them two steps that are over in no time.
async fn queue_looks(world: &World, repos: &[RepoId]) {
    let now = world.clock_now();
    let mut tx = world.store.begin().await.unwrap();
    for name in ["nobodys", "unheard-of"] {
        let package = PackageId { ecosystem: Ecosystem::Pypi, name: name.into() };
        let long_due = now - SignedDuration::from_hours(1);
        Step::Watch { package }.queue_at(&mut tx, None, long_due, now).await.unwrap();
    }
    for repo in repos {
        let look = Step::SyncRepository { repo: *repo, details: true, name: None };
        look.queue(&mut tx, Some(InstallationId(world.installation)), now).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// A process works until GitHub falls silent, and is told to stop at that moment.
async fn stopped_when_github_falls_silent(world: &World) {
    let mark = world.github.mark();
    let process = world.another_process();
    let (stop, stopped) = watch::channel(false);
    let silence = async {
        while !world.github.requests_since(mark).iter().any(|e| e.fault.is_some()) {
            tokio::task::yield_now().await;
        }
        stop.send(true).unwrap();
    };
    tokio::join!(Crew::new(process.worker().clone(), PLACES).run(stopped), silence);
}

both_databases! {
    /// What a stopping process had claimed, begun or not, stands where it stood, as if it had never been claimed.
    async fn steps_given_back_at_a_stop_keep_their_places_and_count_no_attempt(url: String) {
        let world = World::begin(&url, WorkPolicy { last_steps: Duration::from_millis(10), ..at_once() }).await;
        let mut repos = Vec::new();
        for n in 0..9 {
            let name = format!("acme/r{n}");
            world.repository(&name, &[("README.md", "1")]).await;
            repos.push(world.repo_id(&name).await);
        }
        let subjects: Vec<String> = repos.iter().map(|repo| format!("repo:{repo}")).collect();
        world.github.fault(Fault::once("GET", "**", FaultKind::Hang).times(10_000));
        let mut claims = 0;
        // On a machine that is busy enough, claims take too long for a process to take more than it has places for.
        for life in 0.. {
            assert!(life < 20, "no process ever claimed ahead");
            queue_looks(&world, &repos).await;
            stopped_when_github_falls_silent(&world).await;
            let depth = world.store.queue_depth().await.unwrap();
            assert!(depth.iter().all(|d| d.state == WorkState::Queued), "{depth:?}");
            let there = world.store.claim(world.clock_now(), LEASE, 100).await.unwrap();
            let order: Vec<&String> = there.iter().map(|one| &one.work.subject).collect();
            assert_eq!(order, subjects.iter().collect::<Vec<&String>>());
            let counted: Vec<(u32, Option<&str>)> =
                there.iter().map(|one| (one.work.attempts, one.work.last_error.as_deref())).collect();
            assert!(counted.iter().all(|one| *one == (1, None)), "{counted:?}");
            // Each was claimed once just now, by this test.
            let before = claims + repos.len();
            claims = there.iter().map(|one| one.work.claims as usize).sum();
            let mut tx = world.store.begin().await.unwrap();
            for one in &there {
                tx.put_off(one, one.work.due_at, None).await.unwrap();
            }
            tx.commit().await.unwrap();
            if claims - before > PLACES {
                break;
            }
        }
        world.github.clear_faults();
        world.settle().await;
        world.the_end().await;
    }
}

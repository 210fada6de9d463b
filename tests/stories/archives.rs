//! Archived repositories take no writes. What is left to write there rests, and goes on as soon as that is over: whoever
//! tells of it, in whatever moment.

use crate::{World, stories_at_any_pace};
use github_sim::{Fault, FaultKind, Gate};
use jiff::SignedDuration;
use mass_driver::domain::{InstallationId, ProposalState, RepoState};
use mass_driver::pipeline::Done;

const API: &str = "acme/api";
const LABELLED: (&str, &str) = (".mass-driver.yaml", "labels: [dependencies]\nsubscriptions: [pypi]\n");
const USES: (&str, &str) = ("requirements.txt", "httpx==0.27.0\n");

fn releases(world: &World, versions: &[&str]) {
    versions.iter().for_each(|version| world.registry.release("httpx", version));
}

/// A person does by hand what is proposed, and the repository is archived between our comment on that and the end of the pull
/// request, which rests then.
async fn a_step_rests(world: &World) {
    releases(world, &["0.27.0", "0.28.0"]);
    world.repository(API, &[USES, LABELLED]).await;
    let gate = Gate::default();
    world.github.fault(Fault::once("POST", "/repos/acme/api/issues/*/comments", FaultKind::Wait(gate.clone())));
    let archived = async {
        gate.reached_by(1).await;
        world.github.archive(API).unwrap();
        world.github.drop_pending();
        gate.open();
    };
    tokio::join!(world.push(API, &[("requirements.txt", "httpx==0.28.0\n")]), archived);
    assert_eq!(world.row(API).await.repository.state, RepoState::Archived);
    assert_eq!(world.open(API).len(), 1);
}

stories_at_any_pace! {
    /// No webhook tells of the archive, nor of its end: the installation's list does.
    async fn an_archive_that_nobody_told_of_is_found_and_so_is_its_end(world: World) {
        a_step_rests(&world).await;
        world.github.unarchive(API).unwrap();
        world.github.drop_pending();
        world.time_passes(SignedDuration::from_hours(25)).await;
        assert_eq!(world.open(API).len(), 1, "nobody asks");
        world.duties().await;
        assert_eq!(world.row(API).await.repository.state, RepoState::Active);
        assert!(world.open(API).is_empty());

        world.github.archive(API).unwrap();
        world.github.drop_pending();
        world.time_passes(SignedDuration::from_hours(25)).await;
        world.duties().await;
        assert_eq!(world.row(API).await.repository.state, RepoState::Archived);
        releases(&world, &["0.30.0"]);
        world.time_passes(SignedDuration::from_hours(25)).await;
        world.github.unarchive(API).unwrap();
        world.github.drop_pending();
        world.restart().await;
        assert_eq!(world.pull(API).title, "Bump httpx from 0.28.0 to 0.30.0");
    }

    /// It is over before anybody has looked whether it is so: by what is stored, it never was.
    async fn an_archive_that_is_over_by_the_time_it_is_looked_at(world: World) {
        releases(&world, &["0.27.0", "0.28.0"]);
        let (write, look) = (Gate::default(), Gate::default());
        world.github.fault(Fault::once("POST", "/repos/acme/api/issues/*/labels", FaultKind::Wait(write.clone())));
        let archived = async {
            write.reached_by(1).await;
            world.github.archive(API).unwrap();
            world.github.fault(Fault::once("GET", "/repos/acme/api", FaultKind::Wait(look.clone())));
            write.open();
            look.reached_by(1).await;
            world.github.unarchive(API).unwrap();
            world.github.drop_pending();
            look.open();
        };
        tokio::join!(world.repository(API, &[USES, LABELLED]), archived);
        assert_eq!(world.pull(API).labels, ["dependencies"]);
    }

    /// The list tells of the end between the step's look at what is stored and its going to rest.
    async fn an_archive_that_ends_while_a_step_goes_to_rest(world: World) {
        a_step_rests(&world).await;
        // Release notes that were not there yet are looked for once more; that is not to be in the way later.
        world.clock_moves(SignedDuration::from_hours(3));
        world.settle().await;
        world.github.unarchive(API).unwrap();
        world.github.drop_pending();
        world.clock_moves(SignedDuration::from_hours(24));
        let claimed = world.claims("retire").await;
        let (repo, now) = (world.repo_id(API).await, world.clock_now());
        let mut list = world.store.begin().await.unwrap();
        let key = (InstallationId(world.installation), repo);
        assert!(list.set_listed_state(key, RepoState::Active, now).await.unwrap());
        let told = async {
            // Long enough for the step to have looked, and to wait for this.
            for _ in 0..100 {
                assert_eq!(world.row(API).await.repository.state, RepoState::Archived, "not yet to be seen");
            }
            list.commit().await.unwrap();
        };
        let (outcome, ()) = tokio::join!(world.walks(&claimed), told);
        match outcome.unwrap() {
            Done::PutOff { mut tx, until, why } => {
                assert_eq!(until, now, "{why:?}");
                tx.put_off(&claimed, until, why.as_deref()).await.unwrap();
                tx.commit().await.unwrap();
            }
            Done::Finished(_) | Done::PutBack { .. } => panic!("it had to go to rest, or to begin anew"),
        }
        world.settle().await;
        assert!(world.open(API).is_empty());
        // Whoever makes it active again has it planned, too.
        world.restart().await;
    }

    /// GitHub refuses the write because of an archive, and its own details know of none: that is not asked for ever.
    async fn an_archive_that_github_contradicts_itself_about(world: World) {
        releases(&world, &["0.27.0", "0.28.0"]);
        let message = "Repository was archived so is read-only.".to_owned();
        let refused = FaultKind::Status { status: 403, message };
        world.github.fault(Fault::once("POST", "/repos/acme/api/issues/*/labels", refused).times(1_000));
        let mark = world.github.mark();
        world.repository(API, &[USES, LABELLED]).await;
        let tries = world.requests_since(mark).into_iter().filter(|request| request.ends_with("/labels")).count();
        assert_eq!(tries, 6);
        assert_eq!(world.pull(API).labels, [] as [&str; 0]);
        assert_eq!(world.proposals(API, ProposalState::Open).await.len(), 1, "it goes without");
    }
}

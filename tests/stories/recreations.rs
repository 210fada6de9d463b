//! A branch that a person asks to have made anew: what others push in the meantime stays, whatever the bot waits for.

use crate::revisions::{api, comments, somebody_commits};
use crate::{World, paced_stories, stories_at_any_pace};
use github_sim::{Fault, FaultKind, Role};
use jiff::SignedDuration;
use mass_driver::domain::{InstallationId, Pace};

const API: &str = "acme/api";
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn says(world: &World, comment: &str) {
    world.github.set_role(API, "ada", Role::Write).unwrap();
    world.github.comment(API, world.pull(API).number, "ada", comment).unwrap();
}

/// Whether files of people are on the branch of the open pull request.
fn are_there(world: &World, paths: [&str; 2]) -> [bool; 2] {
    let branch = world.pull(API).head_branch;
    paths.map(|path| world.github.file(API, &branch, path).unwrap().is_some())
}

const FIX: &str = "src/fix.py";
const MORE: &str = "src/more.py";

/// Others write in the name of the installation for so long.
async fn the_line_is_long(world: &World, length: SignedDuration) {
    let (now, id) = (world.clock_now(), Some(InstallationId(world.installation)));
    let mut tx = world.store.begin().await.unwrap();
    tx.lock_budget(id).await.unwrap();
    tx.save_pace(id, &Pace { next_write_at: now + length, used_to: now }).await.unwrap();
    tx.commit().await.unwrap();
}

/// Behind a commit of a person's on the branch of the open pull request, whose number this returns.
async fn a_newer_version_stands_in_line(world: &World) -> i64 {
    let number = api(world).await;
    somebody_commits(world, FIX, "fixed = True\n").await;
    world.registry.release("httpx", "0.28.1");
    world.clock_moves(MINUTE * 11);
    the_line_is_long(world, MINUTE * 25).await;
    world.settle().await;
    assert_eq!(world.store.attempted(world.repo_id(API).await).await.unwrap().len(), 1, "it stands in line");
    number
}

async fn is_told(world: &World, number: i64) {
    assert_eq!(are_there(world, [FIX, MORE]), [true, true], "{:?}", comments(world, number));
    let said = comments(world, number);
    assert!(said.iter().any(|said| said.starts_with("Nothing was done: somebody has pushed")), "{said:?}");
    says(world, "/mass-driver recreate");
    world.settle().await;
    world.time_passes(MINUTE).await;
    assert_eq!(are_there(world, [FIX, MORE]), [false, false], "{:?}", comments(world, number));
}

stories_at_any_pace! {
    /// Bob pushes between Ada's command and the time when the repository can be read.
    async fn recreate_while_the_repository_is_not_read(world: World) {
        let number = api(&world).await;
        somebody_commits(&world, FIX, "fixed = True\n").await;
        world.github.fault(Fault::once("GET", "/repos/*/*/git/blobs/*", FaultKind::BadGateway).times(10_000));
        world.push(API, &[("tools/requirements.txt", "# nothing yet\n")]).await;
        says(&world, "/mass-driver recreate");
        world.settle().await;
        somebody_commits(&world, MORE, "more = True\n").await;
        world.github.clear_faults();
        for _ in 0..3 {
            world.time_passes(MINUTE * 15).await;
        }
        is_told(&world, number).await;
    }

    /// Bob pushes right after the end of an archive, and nobody tells of that.
    async fn recreate_before_an_archive_and_a_push_after_it(world: World) {
        let number = api(&world).await;
        somebody_commits(&world, FIX, "fixed = True\n").await;
        says(&world, "/mass-driver recreate");
        world.github.deliver_pending().await;
        world.github.archive(API).unwrap();
        world.time_passes(MINUTE).await;
        world.github.unarchive(API).unwrap();
        let branch = world.pull(API).head_branch;
        world.github.push(API, &branch, &[(MORE, Some(b"more = True\n"))], "a person's commit").unwrap();
        for _ in 0..3 {
            world.time_passes(MINUTE).await;
        }
        is_told(&world, number).await;
    }
}

paced_stories! {
    /// A newer version stands in line when Ada asks; Bob pushes before its turn, and it goes on top of that.
    async fn recreate_while_a_newer_version_stands_in_line(world: World) {
        let number = a_newer_version_stands_in_line(&world).await;
        says(&world, "/mass-driver recreate");
        world.settle().await;
        somebody_commits(&world, MORE, "more = True\n").await;
        for _ in 0..8 {
            world.time_passes(MINUTE * 10).await;
        }
        assert_eq!(world.pull(API).title, "Bump httpx from 0.27.0 to 0.28.1");
        is_told(&world, number).await;
    }

    /// The same, and nobody pushes but the bot.
    async fn recreate_after_the_newer_version_that_stands_in_line(world: World) {
        let number = a_newer_version_stands_in_line(&world).await;
        says(&world, "/mass-driver recreate");
        world.settle().await;
        for _ in 0..8 {
            world.time_passes(MINUTE * 10).await;
        }
        assert_eq!(world.pull(API).title, "Bump httpx from 0.27.0 to 0.28.1");
        assert_eq!(are_there(&world, [FIX, MORE]), [false, false], "{:?}", comments(&world, number));
    }
}

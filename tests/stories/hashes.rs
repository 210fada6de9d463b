//! Requirements that are pinned to the hashes of files. To a release that is out a publisher may still add files.

use crate::revisions::comments;
use crate::reworks::says;
use crate::{World, paced_stories, stories};
use github_sim::{FaultKind, RepoOptions};
use jiff::SignedDuration;
use mass_driver::store::QueueDepth;

const API: &str = "acme/api";
const REQUIREMENTS: &str = "requirements.txt";
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn pinned() -> String {
    format!("httpx==0.27.0 \\\n    --hash=sha256:{}\n", "a".repeat(64))
}

/// How many hashes a branch pins.
fn hashes(world: &World, branch: &str) -> usize {
    world.file(API, branch, REQUIREMENTS).matches("--hash=sha256:").count()
}

stories! {
    async fn a_release_is_as_young_as_its_newest_file(world: World) {
        world.sets_an_index();
        world.api_requires(&pinned(), &["httpx 0.27.0"], "min_age: 3d\nsubscriptions: [pypi]\n").await;
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        world.time_passes(DAY * 2).await;
        world.registry.pypi().add_wheel("httpx", "0.28.0", "manylinux_2_28_x86_64");
        world.bot_looks().await;
        world.time_passes(DAY * 2).await;
        assert_eq!(world.open(API), [] as [&str; 0], "nobody has seen that file for three days");
        world.time_passes(DAY).await;
        assert_eq!(hashes(&world, &world.pull(API).head_branch), 3);
    }

    /// No look has noticed; the one right before writing does.
    async fn a_file_that_came_since_the_last_look_is_not_written(world: World) {
        world.sets_an_index();
        world.api_requires(&pinned(), &["httpx 0.27.0"], "min_age: 3d\nsubscriptions: [pypi]\n").await;
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        world.clock_moves(DAY * 3);
        world.registry.pypi().add_wheel("httpx", "0.28.0", "manylinux_2_28_x86_64");
        // Without a look: what is due is done, and nothing else.
        let process = world.another_process();
        while process.worker().run_one().await.unwrap() {}
        assert_eq!(world.open(API), [] as [&str; 0]);
        let why = world.waiting(API).await;
        assert!(why[0].contains("is 0 days old"), "{why:?}");
        world.settle().await;
        world.time_passes(DAY * 3).await;
        assert_eq!(hashes(&world, &world.pull(API).head_branch), 3);
    }

    /// It is open by then, and somebody asks for a rebase: that is not waited for without a word, nor in vain.
    async fn a_file_that_comes_when_it_is_open_has_to_be_old_enough_as_well(world: World) {
        world.sets_an_index();
        world.api_requires(&pinned(), &["httpx 0.27.0"], "min_age: 3d\nsubscriptions: [pypi]\n").await;
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        world.time_passes(DAY * 3).await;
        let pull = world.pull(API);
        world.registry.pypi().add_wheel("httpx", "0.28.0", "manylinux_2_28_x86_64");
        world.push(API, &[("README.md", "hello\n")]).await;
        says(&world, "/mass-driver rebase").await;
        for _ in 0..6 {
            world.time_passes(SignedDuration::from_mins(21)).await;
        }
        let said = comments(&world, pull.number);
        assert!(said.last().unwrap().contains("has changed since it was proposed"), "{said:?}");
        assert_eq!(world.pull(API).head_sha, pull.head_sha);
        let is_left = |depth: &QueueDepth| depth.step == "rework";
        assert!(!world.store.queue_depth().await.unwrap().iter().any(is_left), "nobody waits for it for ever");
        world.time_passes(DAY * 3).await;
        says(&world, "/mass-driver rebase").await;
        assert_eq!(hashes(&world, &pull.head_branch), 3, "{:?}", comments(&world, pull.number));
    }

    async fn a_file_that_comes_when_it_is_open_is_written_where_no_age_is_asked_for(world: World) {
        world.sets_an_index();
        world.api_requires(&pinned(), &["httpx 0.27.0", "httpx 0.28.0"], "subscriptions: [pypi]\n").await;
        let branch = world.pull(API).head_branch;
        world.registry.pypi().add_wheel("httpx", "0.28.0", "manylinux_2_28_x86_64");
        world.push(API, &[("README.md", "hello\n")]).await;
        says(&world, "/mass-driver rebase").await;
        world.bot_looks().await;
        assert_eq!(hashes(&world, &branch), 3);
    }
}

paced_stories! {
    /// The process dies once the branch is there, and before the next one begins a file is added.
    async fn a_repeat_writes_the_hashes_that_were_begun(world: World) {
        world.sets_an_index();
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        let file = (".mass-driver.yaml", "subscriptions: [pypi]\n");
        let options = RepoOptions::default().file(REQUIREMENTS, pinned()).file(file.0, file.1);
        world.github.create_repo(API, options).unwrap();
        world.github.deliver_pending().await;
        world.dies_at("POST", "/repos/*/*/git/refs", FaultKind::HangAfter).await;
        let branches = world.github.branches(API).unwrap();
        let (branch, begun) = branches.into_iter().find(|(branch, _)| branch != "main").unwrap();
        world.registry.pypi().add_wheel("httpx", "0.28.0", "manylinux_2_28_x86_64");
        world.registry.clear_requests();
        world.settle().await;
        let pull = world.pull(API);
        assert_eq!((&pull.head_branch, &pull.head_sha), (&branch, &begun), "not another commit");
        assert_eq!(hashes(&world, &branch), 2);
        let asked: Vec<String> = world.registry.requests().into_iter().map(|request| request.path).collect();
        assert_eq!(asked, [] as [&str; 0], "what was written down is known");
    }
}

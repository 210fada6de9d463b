//! A tag is a name, and a name can be made to mean something else. Whoever waits for a release to be old enough waits for what
//! it points at.

use crate::{World, stories};
use github_sim::{Fault, FaultKind, Gate};
use jiff::SignedDuration;
use mass_driver::domain::{Ecosystem, PackageId, ProposalState, Release};
use mass_driver::pipeline::StepError;
use mass_driver::store::StoreError;

const API: &str = "acme/api";
const ACTION: &str = "actions/cache";
const DAY: SignedDuration = SignedDuration::from_hours(24);
const WORKFLOW: &str = ".github/workflows/ci.yml";

/// A repository that uses actions and waits three days for a release.
async fn waiting(world: &World, uses: &str) {
    world.may_change_workflows();
    let workflow = format!("on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: {uses}\n");
    let file =
        "subscriptions:\n  - migration: github-actions\n    min_age: 3d\n  - migration: docker\n    min_age: 3d\n";
    world.repository(API, &[(WORKFLOW, &workflow), (".mass-driver.yaml", file)]).await;
}

/// The same, two days after the bot saw a release of the action. Returns the release's commit.
async fn waiting_since_two_days(world: &World, uses: &str, tag: &str) -> String {
    waiting(world, uses).await;
    let commit = world.publishes(ACTION, tag);
    world.bot_looks().await;
    world.time_passes(DAY * 2).await;
    commit
}

/// A tag of the action is made to point at another commit, which is returned.
fn moves(world: &World, tag: &str) -> String {
    let commit = world.commits(ACTION, "something else");
    world.github.tag(ACTION, tag, &commit).unwrap();
    commit
}

/// What the open pull request makes of the workflow.
fn proposed(world: &World) -> String {
    world.file(API, &world.pull(API).head_branch, WORKFLOW)
}

/// GitHub does not list tags any more, so that a look at them finds out nothing.
fn lists_are_out_of_order(world: &World) {
    world.github.fault(Fault::once("GET", "/repos/*/*/tags", FaultKind::BadGateway).times(1_000));
}

async fn releases(world: &World) -> Vec<Release> {
    let package = PackageId { ecosystem: Ecosystem::GithubActions, name: "actions/cache".into() };
    world.store.releases_of(std::slice::from_ref(&package)).await.unwrap().remove(&package).unwrap_or_default()
}

/// The versions of the action that are stored.
async fn known(world: &World) -> Vec<String> {
    releases(world).await.into_iter().map(|release| release.version).collect()
}

stories! {
    async fn security_08_a_version_that_was_moved_is_as_young_as_its_move(world: World) {
        world.publishes(ACTION, "v4.1.2");
        waiting_since_two_days(&world, "actions/cache@v4.1.2", "v4.2.0").await;
        moves(&world, "v4.2.0");
        world.bot_looks().await;
        world.time_passes(DAY * 2).await;
        assert!(world.open(API).is_empty());
        let why = world.waiting(API).await;
        assert!(why[0].contains("v4.2.0, whose tag was moved, is 2 days old, 3 days are asked for"), "{why:?}");
        world.time_passes(DAY).await;
        assert_eq!(world.open(API), ["Bump actions/cache from v4.1.2 to v4.2.0 in /.github/workflows"]);
    }

    async fn a_pin_gets_the_commit_that_is_old_enough(world: World) {
        let old = world.publishes(ACTION, "v4.1.2");
        let first = waiting_since_two_days(&world, &format!("actions/cache@{old} # v4.1.2"), "v4.2.0").await;
        moves(&world, "v4.2.0");
        world.bot_looks().await;
        // Moved back: what it points at now has not been there for three days on end, either.
        world.github.tag(ACTION, "v4.2.0", &first).unwrap();
        world.bot_looks().await;
        world.time_passes(DAY * 2).await;
        assert!(world.open(API).is_empty(), "{:?}", world.waiting(API).await);
        world.time_passes(DAY).await;
        assert!(proposed(&world).contains(&format!("actions/cache@{first} # v4.2.0")), "{}", proposed(&world));
    }

    /// `v5` is moved with every release of version 5, and whoever writes it has asked for that.
    async fn a_short_tag_may_be_moved(world: World) {
        world.publishes(ACTION, "v4");
        waiting_since_two_days(&world, "actions/cache@v4", "v5").await;
        moves(&world, "v5");
        world.bot_looks().await;
        world.time_passes(DAY).await;
        assert_eq!(world.open(API), ["Bump actions/cache from v4 to v5 in /.github/workflows"]);
    }

    /// But not for whom it is a commit that counts.
    async fn a_short_tag_behind_a_pin_may_not(world: World) {
        let old = world.publishes(ACTION, "v4");
        waiting_since_two_days(&world, &format!("actions/cache@{old} # v4"), "v5").await;
        let next = moves(&world, "v5");
        world.bot_looks().await;
        world.time_passes(DAY * 2).await;
        assert!(world.open(API).is_empty());
        world.time_passes(DAY).await;
        assert!(proposed(&world).contains(&format!("actions/cache@{next} # v5")), "{}", proposed(&world));
    }

    /// No look has noticed; the one right before writing does.
    async fn security_08_what_was_moved_since_the_last_look_is_not_written(world: World) {
        let old = world.publishes(ACTION, "v4.1.2");
        waiting(&world, &format!("actions/cache@{old} # v4.1.2")).await;
        let first = world.publishes(ACTION, "v4.2.0");
        world.bot_looks().await;
        lists_are_out_of_order(&world);
        let mark = world.github.mark();
        let second = moves(&world, "v4.2.0");
        world.time_passes(DAY * 3).await;
        assert!(world.open(API).is_empty());
        let written = world.requests_since(mark).into_iter().filter(|r| r.starts_with("POST /repos/acme")).count();
        assert_eq!(written, 0, "nothing was written");
        let why = world.waiting(API).await;
        assert!(why[0].contains("whose tag was moved, is 0 days old"), "{why:?}");
        world.time_passes(DAY * 3).await;
        let now = proposed(&world);
        assert!(now.contains(&second) && !now.contains(&first), "{now}");
    }

    /// While it is looked up what a tag points at, another look finds the tag gone. What comes of the first is older.
    async fn what_a_later_look_took_away_is_not_brought_back(world: World) {
        let old = world.publishes("actions/cache", "v4.1.2");
        waiting(&world, &format!("actions/cache@{old} # v4.1.2")).await;
        world.publishes("actions/cache", "v4.2.0");
        world.bot_looks().await;
        let gate = Gate::default();
        world.github.fault(Fault::once("GET", "/repos/*/*/git/ref/**", FaultKind::Wait(gate.clone())));
        world.clock_moves(DAY * 3);
        let slow = world.another_process();
        let meanwhile = async {
            gate.reached_by(1).await;
            world.github.delete_tag("actions/cache", "v4.2.0").unwrap();
            world.clock_moves(SignedDuration::from_mins(11));
            world.another_process().worker().run_until_idle().await.unwrap();
            assert_eq!(known(&world).await, ["v4.1.2"]);
            let other = world.commits("actions/cache", "something else");
            world.github.tag("actions/cache", "v4.2.0", &other).unwrap();
            gate.open();
        };
        let (done, ()) = tokio::join!(slow.worker().run_until_idle(), meanwhile);
        done.unwrap();
        assert_eq!(known(&world).await, ["v4.1.2"]);
        world.settle().await;
        assert!(world.open(API).is_empty());
    }

    /// Another worker has the step by then, and looks for itself.
    async fn who_has_lost_its_step_learns_nothing(world: World) {
        let old = world.publishes("actions/cache", "v4.1.2");
        waiting(&world, &format!("actions/cache@{old} # v4.1.2")).await;
        let first = world.publishes("actions/cache", "v4.2.0");
        world.bot_looks().await;
        let gate = Gate::default();
        world.github.fault(Fault::once("GET", "/repos/*/*/git/ref/**", FaultKind::Wait(gate.clone())));
        let second = world.commits("actions/cache", "something else");
        world.github.tag("actions/cache", "v4.2.0", &second).unwrap();
        world.clock_moves(DAY * 3);
        let claimed = world.claims("execute").await;
        let taken_over = async {
            gate.reached_by(1).await;
            world.is_taken_over(&claimed).await;
            gate.open();
        };
        let (outcome, ()) = tokio::join!(world.walks(&claimed), taken_over);
        assert!(matches!(outcome, Err(StepError::Store(StoreError::LeaseLost))));
        let releases = releases(&world).await;
        let stored = releases.iter().find(|release| release.version == "v4.2.0").unwrap();
        assert_eq!(stored.content.as_ref().map(|content| &content.digest), Some(&first));
        world.settle().await;
        assert!(world.open(API).is_empty());
    }

    async fn a_tag_that_is_gone_is_not_written(world: World) {
        world.publishes(ACTION, "v4.1.2");
        waiting(&world, "actions/cache@v4.1.2").await;
        world.publishes(ACTION, "v4.2.0");
        world.bot_looks().await;
        lists_are_out_of_order(&world);
        world.github.delete_tag(ACTION, "v4.2.0").unwrap();
        world.time_passes(DAY * 3).await;
        assert!(world.open(API).is_empty());
        let failed = world.proposals(API, ProposalState::Failed).await;
        assert_eq!(failed[0].reason, "actions/cache has no tag v4.2.0 any more");
    }

    /// Who deletes a tag and makes it anew has a new release.
    async fn security_08_a_tag_that_was_made_anew_is_new(world: World) {
        world.publishes(ACTION, "v4.1.2");
        let commit = waiting_since_two_days(&world, "actions/cache@v4.1.2", "v4.2.0").await;
        world.github.delete_tag(ACTION, "v4.2.0").unwrap();
        world.bot_looks().await;
        world.github.tag(ACTION, "v4.2.0", &commit).unwrap();
        world.bot_looks().await;
        world.time_passes(DAY * 2).await;
        assert!(world.open(API).is_empty(), "its release tells an old time, which is not believed");
        world.time_passes(DAY).await;
        assert_eq!(world.open(API), ["Bump actions/cache from v4.1.2 to v4.2.0 in /.github/workflows"]);
    }

    async fn security_08_an_image_is_as_young_as_its_digest(world: World) {
        let old = world.registry.tag("library/python", "3.12-slim");
        waiting(&world, "actions/cache@v4").await;
        world.push(API, &[("Dockerfile", &format!("FROM python:3.12-slim@{old}\n"))]).await;
        let first = world.registry.tag("library/python", "3.13-slim");
        world.bot_looks().await;
        let second = world.registry.move_tag("library/python", "3.13-slim");
        assert_ne!(first, second);
        world.time_passes(DAY * 3).await;
        assert!(world.open(API).is_empty(), "nobody has seen that digest for three days");
        let why = world.waiting(API).await;
        assert!(why[0].contains("3.13-slim, whose tag was moved, is 0 days old"), "{why:?}");
        world.time_passes(DAY * 3).await;
        let file = world.file(API, &world.pull(API).head_branch, "Dockerfile");
        assert_eq!(file, format!("FROM python:3.13-slim@{second}\n"));
    }

    /// `v4` goes on with each release, and a pin beside it is refreshed when what it points at is old enough.
    async fn a_pin_is_refreshed_while_its_series_stays_the_newest(world: World) {
        let old = world.publishes("actions/cache", "v4");
        waiting(&world, &format!("actions/cache@{old} # v4, kept")).await;
        let next = world.commits("actions/cache", "v4.1.0");
        world.github.tag("actions/cache", "v4", &next).unwrap();
        world.bot_looks().await;
        assert!(world.open(API).is_empty());
        let why = world.waiting(API).await;
        let short = &next[..7];
        assert!(why[0].contains(&format!("v4 ({short}), whose tag was moved, is 0 days old, 3 days are asked for")), "{why:?}");
        world.time_passes(DAY * 3).await;
        assert_eq!(world.open(API), [format!("Bump actions/cache v4 to {short} in /.github/workflows")]);
        assert!(proposed(&world).contains(&format!("actions/cache@{next} # v4, kept")), "{}", proposed(&world));
        let before = world.pull(API);
        // The next one takes its place, on the same branch.
        let last = world.commits("actions/cache", "v4.2.0");
        world.github.tag("actions/cache", "v4", &last).unwrap();
        world.bot_looks().await;
        world.time_passes(DAY * 3).await;
        assert!(proposed(&world).contains(&format!("actions/cache@{last} # v4, kept")), "{}", proposed(&world));
        let after = world.pull(API);
        assert_eq!((after.number, &after.head_branch), (before.number, &before.head_branch));
        let said = &after.comments[0].body;
        assert!(said.contains(&format!("`v4 ({})` instead of `v4 ({short})`", &last[..7])), "{said}");
        world.github.merge(API, world.pull(API).number).unwrap();
        world.settle().await;
        assert_eq!(world.outlook(API).await[0].reason, "there is nothing newer");
    }

    /// Somebody else pins what the tag points at: that is told by the commit, for the version is what it was.
    async fn a_refresh_that_others_made_closes_the_pull_request(world: World) {
        let old = world.publishes("actions/cache", "v4");
        waiting(&world, &format!("actions/cache@{old} # v4")).await;
        let next = world.commits("actions/cache", "v4.1.0");
        world.github.tag("actions/cache", "v4", &next).unwrap();
        world.bot_looks().await;
        world.time_passes(DAY * 3).await;
        let pull = world.pull(API);
        let text = world.file(API, "main", WORKFLOW);
        world.push(API, &[("README.md", "hello\n")]).await;
        assert_eq!(world.open(API).len(), 1, "the version alone says nothing");
        world.push(API, &[(WORKFLOW, &text.replace(&old, &next))]).await;
        assert!(world.open(API).is_empty(), "{:?}", world.open(API));
        let comments = world.github.pull_request(API, pull.number).unwrap().comments;
        assert_eq!(comments[0].body, format!("Closed: {WORKFLOW} has what actions/cache v4 points at already."));
    }

    /// A refresh on top of a person's commit, and one whose lines were changed in the base.
    async fn a_refresh_goes_onto_the_branch_whoever_committed_there(world: World) {
        let old = world.publishes("actions/cache", "v4");
        waiting(&world, &format!("actions/cache@{old} # v4")).await;
        let mut last = String::new();
        for (position, name) in ["v4.1.0", "v4.2.0", "v4.3.0"].into_iter().enumerate() {
            last = world.commits("actions/cache", name);
            world.github.tag("actions/cache", "v4", &last).unwrap();
            world.bot_looks().await;
            world.time_passes(DAY * 3).await;
            let pull = world.pull(API);
            if position == 0 {
                let text = world.file(API, "main", WORKFLOW).replace("# v4", "# v4, kept");
                world.push(API, &[(WORKFLOW, &text)]).await;
                // GitHub needs a moment to work out that this conflicts.
                for _ in 0..3 {
                    world.time_passes(SignedDuration::from_secs(6)).await;
                }
                assert_eq!(world.pull(API).number, pull.number);
                assert!(proposed(&world).contains(&format!("actions/cache@{last} # v4, kept")), "{}", proposed(&world));
            }
            if position == 1 {
                let branch = world.pull(API).head_branch;
                world.github.push(API, &branch, &[("notes.txt", Some(b"mine\n"))], "a person's commit").unwrap();
                world.settle().await;
            }
        }
        let pull = world.pull(API);
        assert_eq!(world.github.pull_requests(API).unwrap().len(), 1);
        assert!(proposed(&world).contains(&format!("actions/cache@{last} # v4, kept")), "{}", proposed(&world));
        assert_eq!(world.file(API, &pull.head_branch, "notes.txt"), "mine\n");
    }

    /// Nobody should move the tag of one release, and whoever pinned its commit need not follow.
    async fn security_08_a_pin_does_not_follow_the_tag_of_one_release(world: World) {
        let old = world.publishes("actions/cache", "v4.1.2");
        waiting(&world, &format!("actions/cache@{old} # v4.1.2")).await;
        let other = world.commits("actions/cache", "something else");
        world.github.tag("actions/cache", "v4.1.2", &other).unwrap();
        world.bot_looks().await;
        world.time_passes(DAY * 4).await;
        assert!(world.open(API).is_empty());
        let outlook = world.outlook(API).await;
        assert!(outlook[0].reason.starts_with(&format!("the tag v4.1.2 points at {} by now", &other[..7])), "{outlook:?}");
    }

    /// The list of tags does not tell that one was rebuilt: its digest is asked for at each look.
    async fn an_image_in_use_is_refreshed_when_it_was_rebuilt(world: World) {
        let old = world.registry.tag("library/python", "3.12-slim");
        waiting(&world, "actions/cache@v4").await;
        world.push(API, &[("Dockerfile", &format!("FROM python:3.12-slim@{old} AS base\n"))]).await;
        world.bot_looks().await;
        assert!(world.waiting(API).await.is_empty());
        let rebuilt = world.registry.move_tag("library/python", "3.12-slim");
        world.time_passes(SignedDuration::from_hours(7)).await;
        let why = world.waiting(API).await;
        assert!(why[0].contains("whose tag was moved, is 0 days old"), "{why:?}");
        world.time_passes(DAY * 3).await;
        let file = world.file(API, &world.pull(API).head_branch, "Dockerfile");
        assert_eq!(file, format!("FROM python:3.12-slim@{rebuilt} AS base\n"));
    }

    /// Rebuilt each day where three days are asked for: nothing of it has been seen for three days. What was replaced is not
    /// proposed, for its publisher may have had a reason.
    async fn security_08_what_its_publisher_replaced_is_not_proposed(world: World) {
        let old = world.registry.tag("library/python", "3.12-slim");
        waiting(&world, "actions/cache@v4").await;
        world.push(API, &[("Dockerfile", &format!("FROM python:3.12-slim@{old}\n"))]).await;
        world.registry.tag("library/python", "3.13-slim");
        for _ in 0..6 {
            world.bot_looks().await;
            world.registry.move_tag("library/python", "3.12-slim");
            world.registry.move_tag("library/python", "3.13-slim");
            world.time_passes(DAY).await;
            assert!(world.open(API).is_empty(), "{:?}", world.open(API));
        }
        let why = world.waiting(API).await;
        assert!(why[0].contains("whose tag was moved, is 0 days old, 3 days are asked for"), "{why:?}");
        let last = world.registry.digest("library/python", "3.13-slim").unwrap();
        world.time_passes(DAY * 3).await;
        let file = world.file(API, &world.pull(API).head_branch, "Dockerfile");
        assert_eq!(file, format!("FROM python:3.13-slim@{last}\n"), "the rebuilds have a rest");
    }

    /// The tags that somebody could move to, newest first, and no others.
    async fn few_digests_are_asked_for_in_a_look(world: World) {
        let old = world.registry.tag("library/python", "3.12-slim");
        let files = [("Dockerfile", format!("FROM python:3.12-slim@{old}\n")), (".mass-driver.yaml", "delay: monthly\nsubscriptions: [docker]\n".into())];
        world.repository(API, &files.each_ref().map(|(path, text)| (*path, text.as_str()))).await;
        for minor in 13..40 {
            world.registry.tag("library/python", &format!("3.{minor}-slim"));
            world.registry.tag("library/python", &format!("3.{minor}-alpine"));
        }
        world.registry.clear_requests();
        world.bot_looks().await;
        let asked: Vec<String> = world.registry.requests().into_iter().map(|r| r.path).filter(|p| p.contains("/manifests/")).collect();
        let newest: Vec<String> = (30..40).rev().map(|minor| format!("/v2/library/python/manifests/3.{minor}-slim")).collect();
        // And the one in use, which may have been rebuilt.
        assert_eq!(asked.len(), 11, "{asked:?}");
        assert!(asked[10].ends_with("/manifests/3.12-slim"), "{asked:?}");
        assert!(asked.iter().zip(&newest).all(|(asked, newest)| asked.ends_with(newest.trim_start_matches("/v2"))), "{asked:?}");
    }
}

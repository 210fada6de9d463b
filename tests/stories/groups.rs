//! Several updates in one pull request, and how many pull requests at a time.

use crate::revisions::{comments, parents, somebody_commits};
use crate::reworks::{a_moment_passes, says};
use crate::{World, stories};
use github_sim::{Fault, FaultKind};
use jiff::SignedDuration;
use mass_driver::domain::ProposalState;

/// One pull request for httpx and rich, from 1.0.0 to 1.1.0, on which a person has committed a file.
async fn a_group_with_a_persons_commits(world: &World, requirements: &str) -> i64 {
    let subscriptions = "subscriptions:\n  - migration: pypi\n    group: all\n";
    world.api_requires(requirements, &["httpx 1.0.0 1.1.0", "rich 1.0.0 1.1.0"], subscriptions).await;
    somebody_commits(world, "src/fix.py", "fixed = True\n").await;
    world.pull("acme/api").number
}

stories! {
    async fn two_subscriptions_share_a_group(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.tag("library/python", "3.12");
        world.repository("acme/api", &[
            ("requirements.txt", "httpx==0.27.0\n"),
            ("Dockerfile", "FROM python:3.12\n"),
            (".mass-driver.yaml", "delay: weekly\nsubscriptions:\n  - { migration: pypi, group: platform }\n  - { migration: docker, group: platform }\n"),
        ]).await;
        world.registry.release("httpx", "0.28.0");
        world.registry.tag("library/python", "3.13");
        world.bot_looks().await;
        assert_eq!(world.waiting("acme/api").await.len(), 1);
        world.time_comes("2026-03-09T06:00:00Z").await;
        let pull = world.pull("acme/api");
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==0.28.0\n");
        assert_eq!(world.file("acme/api", &pull.head_branch, "Dockerfile"), "FROM python:3.13\n");
    }

    async fn minor_and_patch_updates_come_together_and_major_ones_alone(world: World) {
        let releases = ["httpx 0.27.0 0.28.0", "idna 3.6 3.7", "django 4.2 5.0"];
        let subscriptions = "subscriptions:\n  - migration: pypi\n    group: minor-and-patch\n";
        world.api_requires("httpx==0.27.0\nidna==3.6\ndjango==4.2\n", &releases, subscriptions).await;
        let mut open = world.open("acme/api");
        open.sort();
        assert_eq!(open, ["Bump django from 4.2 to 5.0", "Bump httpx and idna"]);
    }

    /// Whoever says nothing about groups gets the small step and the large one apart.
    async fn a_major_update_does_not_ride_along_unasked(world: World) {
        world.api_requires("django==4.2\n", &["django 4.2 4.3 5.0"], "subscriptions: [pypi]\n").await;
        let mut open = world.open("acme/api");
        open.sort();
        assert_eq!(open, ["Bump django from 4.2 to 4.3", "Bump django from 4.2 to 5.0"]);
        let pulls = world.github.pull_requests("acme/api").unwrap();
        let major = pulls.iter().find(|pull| pull.title.ends_with("5.0")).unwrap();
        assert_eq!(world.file("acme/api", &major.head_branch, "requirements.txt"), "django==5.0\n");
        world.github.close("acme/api", major.number).unwrap();
        world.settle().await;
        world.registry.release("django", "4.4");
        world.bot_looks().await;
        assert_eq!(world.open("acme/api"), ["Bump django from 4.2 to 4.4"], "a person's no to 5.0 is no to 5.0 alone");
    }

    /// Two places of a file, one version, and two pull requests: a small step here, and a large one there.
    async fn one_version_may_be_a_small_step_here_and_a_large_one_there(world: World) {
        world.registry.release("django", "2.5");
        let text = "[project.optional-dependencies]\na = ['django==2.0']\n\n[build-system]\nrequires = [\n  'django==1.0',\n]\n";
        let subscriptions = "delay: { major: weekly }\nsubscriptions: [pypi]\n";
        world.repository("acme/api", &[("pyproject.toml", text), (".mass-driver.yaml", subscriptions)]).await;
        assert_eq!(world.open("acme/api"), ["Bump django from 2.0 to 2.5"]);
        world.time_comes("2026-03-09T06:00:00Z").await;
        let mut open = world.open("acme/api");
        open.sort();
        assert_eq!(open, ["Bump django from 1.0 to 2.5", "Bump django from 2.0 to 2.5"]);
        let pulls = world.github.pull_requests("acme/api").unwrap();
        for from in ["2.0", "1.0"] {
            let pull = pulls.iter().find(|pull| pull.title.contains(&format!("from {from}"))).unwrap();
            assert_eq!(world.file("acme/api", &pull.head_branch, "pyproject.toml"), text.replace(from, "2.5"));
        }
        let first = pulls.iter().find(|pull| pull.title.contains("from 2.0")).unwrap();
        world.github.merge("acme/api", first.number).unwrap();
        world.settle().await;
        assert_eq!(world.open("acme/api"), ["Bump django from 1.0 to 2.5"]);
        let second = world.pull("acme/api").number;
        world.github.merge("acme/api", second).unwrap();
        world.settle().await;
        assert_eq!(world.file("acme/api", "main", "pyproject.toml"), text.replace("2.0", "2.5").replace("1.0", "2.5"));
        assert!(world.open("acme/api").is_empty());
    }

    /// They change one line, so only one of them can be merged as it is.
    async fn a_major_update_goes_on_in_its_own_pull_request_when_the_small_one_is_merged(world: World) {
        world.api_requires("django==4.2\n", &["django 4.2 4.3 5.0"], "subscriptions: [pypi]\n").await;
        let pulls = world.github.pull_requests("acme/api").unwrap();
        let [small, large] = ["4.3", "5.0"].map(|version| pulls.iter().find(|p| p.title.ends_with(version)).unwrap().clone());
        world.github.merge("acme/api", small.number).unwrap();
        world.settle().await;
        assert_eq!(world.open("acme/api"), ["Bump django from 4.3 to 5.0"]);
        let anew = world.pull("acme/api");
        assert_eq!((anew.number, &anew.head_branch), (large.number, &large.head_branch), "conversation and reviews stay");
        assert_eq!(world.file("acme/api", &anew.head_branch, "requirements.txt"), "django==5.0\n");
        let base = world.github.head("acme/api", "main").unwrap().unwrap();
        assert_eq!(parents(&world), [large.head_sha, base], "on top of both");
        assert!(world.proposals("acme/api", ProposalState::Superseded).await.is_empty());
        world.github.merge("acme/api", anew.number).unwrap();
        world.settle().await;
        assert_eq!(world.file("acme/api", "main", "requirements.txt"), "django==5.0\n");
        assert!(world.open("acme/api").is_empty());
    }

    /// Merged the other way round, nothing is left to do for the small one.
    async fn a_small_update_is_over_when_the_major_one_is_merged(world: World) {
        world.api_requires("django==4.2\n", &["django 4.2 4.3 5.0"], "subscriptions: [pypi]\n").await;
        let pulls = world.github.pull_requests("acme/api").unwrap();
        let [small, large] = ["4.3", "5.0"].map(|version| pulls.iter().find(|p| p.title.ends_with(version)).unwrap().clone());
        world.github.merge("acme/api", large.number).unwrap();
        world.settle().await;
        assert!(world.open("acme/api").is_empty(), "{:?}", world.open("acme/api"));
        let comments = world.github.pull_request("acme/api", small.number).unwrap().comments;
        let why = "requirements.txt has django 5.0 already";
        assert_eq!(comments[0].body, format!("Closed: {why}."));
        assert_eq!(world.proposals("acme/api", ProposalState::Withdrawn).await[0].reason, why);
        assert_eq!(world.proposals("acme/api", ProposalState::Merged).await.len(), 1);
    }

    /// A part of a group comes by other hands: the rest goes on where it is.
    async fn a_group_goes_on_without_what_others_did(world: World) {
        for (name, versions) in [("django", ["4.2", "4.3"]), ("idna", ["3.6", "3.7"])] {
            for version in versions {
                world.registry.release(name, version);
            }
        }
        world.repository("acme/api", &[
            ("requirements.txt", "django==4.2\nidna==3.6\n"),
            (".mass-driver.yaml", "subscriptions: [{ migration: pypi, group: all }]\n"),
        ]).await;
        let before = world.pull("acme/api");
        world.push("acme/api", &[("requirements.txt", "django==4.3\nidna==3.6\n")]).await;
        let after = world.pull("acme/api");
        assert_eq!((after.number, after.title.as_str()), (before.number, "Bump idna from 3.6 to 3.7"));
        assert_eq!(after.files, ["requirements.txt"]);
        assert_eq!(world.file("acme/api", &after.head_branch, "requirements.txt"), "django==4.3\nidna==3.7\n");
        assert_eq!(world.github.pull_requests("acme/api").unwrap().len(), 1);
    }

    /// What was pinned is now a range that allows the new version: there is nothing to do, so nobody is asked to merge.
    async fn what_needs_no_update_any_more_is_closed_with_a_word(world: World) {
        for version in ["4.2", "5.0"] {
            world.registry.release("django", version);
        }
        world.repository("acme/api", &[
            ("requirements.txt", "django==4.2\n"),
            (".mass-driver.yaml", "subscriptions: [pypi]\n"),
        ]).await;
        let number = world.pull("acme/api").number;
        world.push("acme/api", &[("requirements.txt", "django>=4.2\n")]).await;
        assert!(world.open("acme/api").is_empty());
        let comments = world.github.pull_request("acme/api", number).unwrap().comments;
        assert_eq!(comments.len(), 1);
        assert!(comments[0].body.contains("not in requirements.txt any more as it was"), "{comments:?}");
    }

    /// The step that closes it waits for GitHub, and somebody takes the change back meanwhile.
    async fn what_stands_in_its_file_again_is_not_closed(world: World) {
        world.api_requires("django==4.2\n", &["django 4.2 5.0"], "subscriptions: [pypi]\n").await;
        let pull = world.pull("acme/api");
        let look = format!("/repos/acme/api/pulls/{}", pull.number);
        world.github.fault(Fault::once("GET", &look, FaultKind::BadGateway).times(2));
        world.push("acme/api", &[("requirements.txt", "django==6.0\n")]).await;
        world.push("acme/api", &[("requirements.txt", "django==4.2\n")]).await;
        world.bot_looks().await;
        world.bot_looks().await;
        assert_eq!(world.open("acme/api").len(), 1);
        assert!(world.github.pull_request("acme/api", pull.number).unwrap().comments.is_empty());
        assert_eq!(world.proposals("acme/api", ProposalState::Superseded).await, []);
        assert_eq!(world.proposals("acme/api", ProposalState::Open).await.len(), 1);
    }

    /// A person's commits on the branch are theirs to finish.
    async fn what_a_person_works_on_stays_open_when_its_files_move_on(world: World) {
        world.api_requires("django==4.2\n", &["django 4.2 5.0"], "subscriptions: [pypi]\n").await;
        let pull = world.pull("acme/api");
        world.github.push("acme/api", &pull.head_branch, &[("fix.py", Some(b"x"))], "a person's fix").unwrap();
        world.push("acme/api", &[("requirements.txt", "django==6.0\n")]).await;
        assert_eq!(world.open("acme/api").len(), 1);
        let mark = world.github.mark();
        world.bot_looks().await;
        world.bot_looks().await;
        assert!(world.requests_since(mark).is_empty(), "{:?}", world.requests_since(mark));
    }

    async fn the_limit_holds_until_a_place_is_free(world: World) {
        let releases = ["aaa 1.0 1.1", "bbb 1.0 1.1", "ccc 1.0 1.1"];
        world.api_requires("aaa==1.0\nbbb==1.0\nccc==1.0\n", &releases, "limit: 2\nsubscriptions: [pypi]\n").await;
        assert_eq!(world.open("acme/api").len(), 2);
        let waiting = world.waiting("acme/api").await;
        assert_eq!(waiting.len(), 1);
        assert!(waiting[0].contains("all 2 pull requests that `limit` allows in this repository are open"), "{waiting:?}");
        let first = world.github.pull_requests("acme/api").unwrap()[0].number;
        world.github.merge("acme/api", first).unwrap();
        world.settle().await;
        assert_eq!(world.open("acme/api").len(), 2, "the third took the free place");
        assert!(world.waiting("acme/api").await.is_empty());
    }
    async fn a_group_with_a_persons_commits_goes_on_without_what_others_did(world: World) {
        let text = |rich: &str| format!("httpx==1.0.0\n# one\n# two\n# three\n# four\nrich=={rich}\n");
        let number = a_group_with_a_persons_commits(&world, &text("1.0.0")).await;
        world.push("acme/api", &[("requirements.txt", &text("1.1.0"))]).await;
        a_moment_passes(&world).await;
        let pull = world.pull("acme/api");
        assert_eq!((pull.number, pull.title.as_str()), (number, "Bump httpx from 1.0.0 to 1.1.0"));
        assert_eq!(world.file("acme/api", &pull.head_branch, "src/fix.py"), "fixed = True\n");
        assert_eq!(pull.labels, [""; 0], "nobody is needed");
        let said = comments(&world, number);
        assert!(said.last().unwrap().contains("`rich` `1.1.0` is left out"), "{said:?}");
        assert!(!said.iter().any(|said| said.contains("left as it is")), "{said:?}");
        assert!(world.waiting("acme/api").await.is_empty());
    }

    async fn what_would_have_to_be_taken_back_is_left_to_a_person(world: World) {
        let number = a_group_with_a_persons_commits(&world, "httpx==1.0.0\nrich==1.0.0\n").await;
        world.registry.yank("rich", "1.1.0");
        world.bot_looks().await;
        let said = comments(&world, number);
        assert!(said.last().unwrap().contains("rich would have to be taken back on it"), "{said:?}");
    }

    async fn recreate_leaves_out_what_others_did(world: World) {
        let number = a_group_with_a_persons_commits(&world, "httpx==1.0.0\nrich==1.0.0\n").await;
        world.push("acme/api", &[("requirements.txt", "httpx==1.0.0\nrich==1.1.0\n")]).await;
        a_moment_passes(&world).await;
        assert_eq!(world.pull("acme/api").labels, ["mass-driver: needs a person"], "neighbouring lines conflict");
        says(&world, "/mass-driver recreate").await;
        world.time_passes(SignedDuration::from_mins(1)).await;
        let pull = world.pull("acme/api");
        assert_eq!((pull.number, pull.title.as_str()), (number, "Bump httpx from 1.0.0 to 1.1.0"));
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==1.1.0\nrich==1.1.0\n");
        assert_eq!(pull.labels, [""; 0], "nobody is needed");
        assert!(world.waiting("acme/api").await.is_empty());
        // What it holds now is what is remembered of it.
        world.github.close("acme/api", number).unwrap();
        world.settle().await;
        world.bot_looks().await;
        assert!(world.open("acme/api").is_empty());
        assert!(world.waiting("acme/api").await.is_empty());
    }
    /// Two stages share a version, and one is pinned to an image that has not come with the new version: nobody can write that.
    async fn what_cannot_be_written_in_the_base_either_is_no_matter_of_a_persons_commits(world: World) {
        world.registry.release("httpx", "1.0.0");
        world.registry.release("httpx", "1.1.0");
        world.registry.tag("library/python", "3.12");
        let digest = world.registry.tag("library/python", "3.12-slim");
        let stages = format!("ARG V=3.12\nFROM python:$V AS one\nFROM python:$V-slim@{digest} AS two\n");
        let subscriptions =
            "subscriptions:\n  - { migration: pypi, group: platform }\n  - { migration: docker, group: platform }\n";
        let files = [("requirements.txt", "httpx==1.0.0\n"), ("Dockerfile", &stages), (".mass-driver.yaml", subscriptions)];
        world.repository("acme/api", &files).await;
        assert_eq!(world.pull("acme/api").title, "Bump httpx from 1.0.0 to 1.1.0");
        somebody_commits(&world, "src/fix.py", "fixed = True\n").await;
        world.registry.tag("library/python", "3.13");
        world.bot_looks().await;
        let failed = world.proposals("acme/api", ProposalState::Failed).await;
        assert_eq!(failed.len(), 1, "{:?} {:#?}", world.waiting("acme/api").await, world.outlook("acme/api").await);
        assert!(failed[0].reason.starts_with("Dockerfile: "), "{}", failed[0].reason);
        assert_eq!(world.pull("acme/api").labels, [""; 0]);
    }
}

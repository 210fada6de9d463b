//! Who is asked to look at a pull request: reviewers, assignees, the owners of its files; and drafts.

use crate::{World, stories, stories_at_any_pace};
use github_sim::{Fault, FaultKind, ReviewVerdict, Role};
use jiff::SignedDuration;
use mass_driver::domain::ProposalState;

const API: &str = "acme/api";

/// A pull request for httpx, in a repository with these files besides.
async fn open(world: &World, file: &str, more: &[(&str, &str)]) {
    for login in ["alice", "bob"] {
        world.github.person(login);
    }
    world.github.team("acme", "platform").unwrap();
    world.registry.release("httpx", "0.27.0");
    world.registry.release("httpx", "0.28.0");
    let files = [&[("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", file)], more].concat();
    world.repository(API, &files).await;
    world.time_passes(SignedDuration::from_mins(1)).await;
}

async fn reason(world: &World) -> String {
    world.proposals(API, ProposalState::Open).await.remove(0).reason
}

stories_at_any_pace! {
    async fn reviewers_and_assignees_are_asked(world: World) {
        let file = "reviewers: [alice, '@acme/platform']\nassignees: bob\nsubscriptions: [pypi]\n";
        open(&world, file, &[]).await;
        let pull = world.pull(API);
        assert_eq!((pull.reviewers, pull.teams), (vec!["alice".into()], vec!["platform".into()]));
        assert_eq!(pull.assignees, ["bob"]);
        assert_eq!(reason(&world).await, "pull request #1 is open");
    }

    /// Who cannot be asked keeps nobody else from being asked, and is told of.
    async fn who_cannot_be_asked_is_left_out_and_told(world: World) {
        world.github.person("mallory");
        let file = "reviewers: [alice, mallory, acme/platform, acme/ghosts, other/team]\nassignees: [bob, mallory]\nsubscriptions: [pypi]\n";
        world.github.organization("other");
        open_with_an_outsider(&world, file).await;
        let pull = world.pull(API);
        assert_eq!((pull.reviewers, pull.assignees), (vec!["alice".into()], vec!["bob".into()]));
        assert_eq!(pull.teams, [] as [&str; 0], "one of the teams is not there, and nobody says which");
        insta::assert_snapshot!(reason(&world).await, @"pull request #1 is open; not everybody could be asked for a review: `mallory` has no access to the repository, `other/team` is no team of the repository's owner, one of the teams `acme/platform`, `acme/ghosts` has no access to the repository, or GitHub does not show it to the App; not everybody could be assigned: `mallory` has no access to the repository");
    }
}

/// The same, where `mallory` may not even see the repository.
async fn open_with_an_outsider(world: &World, file: &str) {
    world.registry.release("httpx", "0.27.0");
    world.repository(API, &[("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", file)]).await;
    world.github.set_role(API, "mallory", Role::Outsider).unwrap();
    world.github.team("acme", "platform").unwrap();
    for login in ["alice", "bob"] {
        world.github.person(login);
    }
    world.registry.release("httpx", "0.28.0");
    world.bot_looks().await;
    world.time_passes(SignedDuration::from_mins(1)).await;
}

stories! {
    async fn the_owners_of_the_files_are_asked(world: World) {
        let owners = "* @bob\n/requirements.txt @alice @acme/platform owner@example.com\n";
        let file = "reviewers: codeowners\nassignees: [codeowners]\nsubscriptions: [pypi]\n";
        open(&world, file, &[(".github/CODEOWNERS", owners), ("CODEOWNERS", "* @carol\n")]).await;
        let pull = world.pull(API);
        assert_eq!((pull.reviewers, pull.teams), (vec!["alice".into()], vec!["platform".into()]));
        assert_eq!(pull.assignees, ["alice"], "teams cannot be assigned");
        assert_eq!(reason(&world).await, "pull request #1 is open");
    }

    /// GitHub resolves the names of teams for those alone who may read the organisation's members.
    async fn without_the_permission_to_read_members_people_are_asked_alone_and_that_is_told(world: World) {
        let granted = [("metadata", "read"), ("contents", "write"), ("pull_requests", "write"), ("checks", "write")];
        let granted = granted.map(|(name, level)| (name.to_owned(), level.to_owned())).into();
        world.github.accept_permissions(world.installation, granted).unwrap();
        open(&world, "reviewers: [alice, acme/platform]\nsubscriptions: [pypi]\n", &[]).await;
        let pull = world.pull(API);
        assert_eq!((pull.reviewers, pull.teams), (vec!["alice".into()], vec![]));
        insta::assert_snapshot!(reason(&world).await, @"pull request #1 is open; not everybody could be asked for a review: the App needs `members: read`, granted by the organisation's owner, to ask teams");
    }

    /// GitHub fails at the request, and once more when the file changes; before it is made again a newer version goes onto the pull request.
    async fn who_could_not_be_asked_before_a_newer_version_came_is_asked_all_the_same(world: World) {
        let refused = "/repos/acme/api/pulls/1/requested_reviewers";
        world.github.fault(Fault::once("POST", refused, FaultKind::BadGateway).times(2));
        let held_back = "reviewers: alice\nsubscriptions: [{ migration: pypi, ignore: [{ name: httpx, versions: '>=0.29' }] }]\n";
        world.github.person("alice");
        for version in ["0.27.0", "0.28.0", "0.29.0"] {
            world.registry.release("httpx", version);
        }
        world.repository(API, &[("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", held_back)]).await;
        world.push(API, &[(".mass-driver.yaml", "reviewers: alice\nsubscriptions: [pypi]\n")]).await;
        let pull = world.pull(API);
        assert_eq!((pull.title.as_str(), pull.reviewers), ("Bump httpx from 0.27.0 to 0.29.0", vec![]));
        world.time_passes(SignedDuration::from_mins(1)).await;
        assert_eq!(world.pull(API).reviewers, ["alice"]);
    }

    /// The answer never came, and she was quick.
    async fn who_has_reviewed_it_already_is_not_asked_again(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        for login in ["alice", "bob"] {
            world.github.person(login);
        }
        let asked = "/repos/acme/api/pulls/1/requested_reviewers";
        world.github.fault(Fault::once("POST", asked, FaultKind::BadGatewayAfter));
        let file = "reviewers: [alice, bob]\nsubscriptions: [pypi]\n";
        world.repository(API, &[("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", file)]).await;
        assert_eq!(world.pull(API).reviewers, ["alice", "bob"]);
        world.github.review(API, 1, "alice", ReviewVerdict::Approve).unwrap();
        world.time_passes(SignedDuration::from_mins(1)).await;
        assert_eq!(world.pull(API).reviewers, ["bob"]);
    }

    /// The file is read when it changes, and no pull request costs a look at it.
    async fn the_file_of_owners_is_read_once(world: World) {
        let file = "reviewers: codeowners\ndelay: weekly\nsubscriptions: [pypi]\n";
        world.github.person("alice");
        world.github.person("bob");
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        let uses = ("requirements.txt", "httpx==0.27.0\n");
        world.repository(API, &[uses, (".mass-driver.yaml", file)]).await;
        world.push(API, &[("CODEOWNERS", "* @alice\n")]).await;
        world.push(API, &[("CODEOWNERS", "* @bob\n")]).await;
        let mark = world.github.mark();
        world.push(API, &[("README.md", "nothing that matters\n")]).await;
        assert!(world.requests_since(mark).is_empty(), "{:?}", world.requests_since(mark));
        world.time_comes("2026-03-09T06:01:00Z").await;
        assert_eq!(world.pull(API).reviewers, ["bob"]);
        let read = world.requests_since(mark).into_iter().filter(|request| request.contains("/blobs/")).count();
        assert_eq!(read, 0);
    }

    async fn without_a_file_of_owners_that_is_told(world: World) {
        open(&world, "reviewers: [codeowners, alice]\nsubscriptions: [pypi]\n", &[]).await;
        assert_eq!(world.pull(API).reviewers, ["alice"]);
        insta::assert_snapshot!(reason(&world).await, @"pull request #1 is open; not everybody could be asked for a review: there is no `CODEOWNERS` file");
    }

    async fn a_draft_where_the_file_wants_one(world: World) {
        open(&world, "subscriptions: [{ migration: pypi, draft: true }]\n", &[]).await;
        assert!(world.pull(API).draft);
        assert_eq!(reason(&world).await, "pull request #1 is open");
    }

    async fn where_there_are_no_drafts_it_is_opened_all_the_same_and_told(world: World) {
        world.repository_using_httpx(API, "draft: true\nsubscriptions: [pypi]\n").await;
        world.github.without_drafts(API).unwrap();
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        assert!(!world.pull(API).draft);
        insta::assert_snapshot!(reason(&world).await, @"pull request #1 is open; it is no draft: the repository's owner has none on their plan");
    }

    async fn what_was_told_is_told_again_when_it_is_reopened(world: World) {
        world.repository_using_httpx(API, "draft: true\nsubscriptions: [pypi]\n").await;
        world.github.without_drafts(API).unwrap();
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        let told = reason(&world).await;
        world.github.close(API, 1).unwrap();
        world.settle().await;
        world.github.reopen(API, 1).unwrap();
        world.settle().await;
        assert_eq!(reason(&world).await, told);
    }
}

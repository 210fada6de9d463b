//! How the pull request that adds the first file ends, and what people may still think of it.

use super::{API, ASKS, BRANCH, FILE, HOME, PINNED, asks, onboarding, pulls, state, the_line_is_long};
use crate::revisions::comments;
use crate::{World, paced_stories, stories, stories_at_any_pace};
use github_sim::{Fault, FaultKind, InstallOptions, Role};
use jiff::SignedDuration;
use mass_driver::domain::OnboardingState;

/// A repository that was asked, and a branch `trunk` that goes on from there.
async fn has_a_trunk(world: &World) {
    asks(world, "onboarding: all\n").await;
    world.repository(API, &[PINNED]).await;
    world.github.push(API, "trunk", &[("README.md", Some(b"a new trunk\n"))], "a new trunk").unwrap();
    world.settle().await;
}

/// The trunk becomes the default branch.
async fn trunk_takes_over(world: &World) {
    world.github.set_default_branch(API, "trunk").unwrap();
    world.settle().await;
}

/// The process that closes the first pull request dies after its word, after closing it, and after removing the branch.
async fn dies_at_each_step(world: &World) {
    for (method, path) in [
        ("POST", "/repos/acme/api/issues/1/comments"),
        ("PATCH", "/repos/acme/api/pulls/1"),
        ("DELETE", "/repos/acme/api/git/refs/**"),
    ] {
        world.dies_at(method, path, FaultKind::HangAfter).await;
    }
}

/// From now on GitHub lets nobody open a pull request.
fn no_more_pull_requests(world: &World) {
    let no = FaultKind::Status { status: 403, message: "Resource not accessible by integration".into() };
    world.github.fault(Fault::once("POST", "/repos/acme/api/pulls", no).times(usize::MAX));
}

stories_at_any_pace! {
    async fn closed_is_never_again_and_reopened_is_open_again(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.github.close(API, 1).unwrap();
        world.settle().await;
        let closed = onboarding(&world, API).await.unwrap();
        assert_eq!(closed.state, OnboardingState::Closed);
        assert_eq!(closed.reason, "a person closed pull request #1, which adds the file; this repository is not asked again");
        world.push(API, &[("requirements.txt", "httpx==0.27.0\nrich==1.0\n")]).await;
        world.push(HOME, &[(ASKS, "onboarding: [api]\n")]).await;
        world.restart().await;
        assert_eq!(pulls(&world, API).len(), 1);

        world.github.reopen(API, 1).unwrap();
        world.settle().await;
        assert_eq!(state(&world, API).await, Some(OnboardingState::Open));
        world.github.merge(API, 1).unwrap();
        world.settle().await;
        world.remove(API, FILE).await;
        world.restart().await;
        assert_eq!((state(&world, API).await, pulls(&world, API).len()), (Some(OnboardingState::Merged), 1), "a person removed it");
    }

    async fn what_is_not_asked_for_any_more_is_closed_with_a_word(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.push(HOME, &[(ASKS, "onboarding: all\nexclude: [api]\n")]).await;
        assert!(world.open(API).is_empty());
        assert_eq!(comments(&world, 1), ["Closed: the organisation does not ask for it any more."]);
        assert_eq!(state(&world, API).await, Some(OnboardingState::Withdrawn));
        assert_eq!(world.github.branches(API).unwrap().len(), 1, "its branch is gone");
    }

    async fn a_file_that_comes_by_other_hands_closes_it_with_a_word(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.push(API, &[(FILE, "subscriptions: [pypi]\n")]).await;
        assert!(world.open(API).is_empty());
        assert_eq!(comments(&world, 1), ["Closed: the file was added by other hands."]);
    }

    /// The pull request is closed once, with one word, whenever the process dies.
    async fn killed_while_it_is_let_go(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.github.push(HOME, "main", &[(ASKS, Some(b"onboarding: none\n"))], "not any more").unwrap();
        world.github.deliver_pending().await;
        dies_at_each_step(&world).await;
        world.settle().await;
        assert_eq!(comments(&world, 1), ["Closed: the organisation does not ask for it any more."]);
        assert_eq!(world.github.branches(API).unwrap().len(), 1);
        let over = onboarding(&world, API).await.unwrap();
        assert_eq!((over.state, over.farewell), (OnboardingState::Withdrawn, None));
    }

    /// What we closed ourselves is no person's no, although nobody saw how far it got.
    async fn killed_while_it_is_let_go_for_another_default_branch(world: World) {
        has_a_trunk(&world).await;
        world.github.set_default_branch(API, "trunk").unwrap();
        world.github.deliver_pending().await;
        dies_at_each_step(&world).await;
        world.settle().await;
        assert_eq!(comments(&world, 1), ["Closed: the default branch is another one now."]);
        let pull = world.pull(API);
        assert_eq!((pull.number, pull.base.as_str()), (2, "trunk"));
    }
}

paced_stories! {
    /// It is to be closed because the default branch is another one now; before our turn comes a person does that.
    async fn a_no_while_the_farewell_stands_in_line_is_a_no(world: World) {
        has_a_trunk(&world).await;
        the_line_is_long(&world).await;
        trunk_takes_over(&world).await;
        let waits = onboarding(&world, API).await.unwrap();
        assert_eq!((waits.state, waits.farewell.is_some()), (OnboardingState::Withdrawn, true));
        world.github.close(API, 1).unwrap();
        world.settle().await;
        world.time_passes(SignedDuration::from_mins(11)).await;
        assert_eq!((pulls(&world, API).len(), comments(&world, 1)), (1, Vec::<String>::new()));
        let closed = onboarding(&world, API).await.unwrap();
        assert_eq!((closed.state, closed.farewell), (OnboardingState::Closed, None));
        assert_eq!(closed.reason, "a person closed pull request #1, which adds the file; this repository is not asked again");
    }
}

stories! {
    /// GitHub does not answer while it is to be closed, and meanwhile somebody mends the organisation's file.
    async fn what_is_asked_for_again_before_it_was_closed_stays_open(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.github.fault(Fault::once("POST", "/repos/acme/api/issues/*/comments", FaultKind::BadGateway).times(3));
        world.push(HOME, &[(ASKS, "onboarding: none\n")]).await;
        assert_eq!(state(&world, API).await, Some(OnboardingState::Withdrawn));
        world.push(HOME, &[(ASKS, "onboarding: all\n")]).await;
        world.time_passes(SignedDuration::from_hours(2)).await;
        assert_eq!(state(&world, API).await, Some(OnboardingState::Open));
        assert_eq!((world.open(API).len(), comments(&world, 1)), (1, Vec::<String>::new()));
        world.github.clear_faults();
    }

    /// It was closed because the organisation did not ask for it; it does again, and a person brings it back.
    async fn what_was_closed_with_a_word_is_open_again_when_a_person_reopens_it(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        let pull = world.pull(API);
        world.push(HOME, &[(ASKS, "onboarding: none\n")]).await;
        assert!(world.open(API).is_empty());
        world.push(HOME, &[(ASKS, "onboarding: all\n")]).await;
        assert_eq!(pulls(&world, API).len(), 1, "it is not asked a second time");
        world.github.force_push(API, &pull.head_branch, &pull.head_sha).unwrap();
        world.github.reopen(API, pull.number).unwrap();
        world.settle().await;
        assert_eq!(state(&world, API).await, Some(OnboardingState::Open));
        assert_eq!(world.open(API).len(), 1);
    }

    async fn commands_are_answered_and_obeyed_nothing(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.github.set_role(API, "ada", Role::Write).unwrap();
        world.github.set_role(API, "mallory", Role::Read).unwrap();
        world.github.comment(API, 1, "ada", "/mass-driver rebase").unwrap();
        world.github.comment(API, 1, "mallory", "/mass-driver rebase").unwrap();
        world.settle().await;
        let said = comments(&world, 1);
        assert_eq!(said.len(), 3, "{said:#?}");
        assert!(said[2].starts_with("This pull request adds the file that says which updates there are to be"), "{said:#?}");
        assert_eq!(state(&world, API).await, Some(OnboardingState::Open));
    }

    async fn what_people_committed_to_stays_open_when_it_is_not_asked_for_any_more(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.github.push(API, BRANCH, &[(FILE, Some(b"delay: daily\nsubscriptions: [pypi]\n"))], "daily").unwrap();
        world.settle().await;
        world.push(HOME, &[(ASKS, "onboarding: none\n")]).await;
        assert_eq!(world.open(API).len(), 1);
        assert!(comments(&world, 1)[0].contains("People have taken it over"), "{:?}", comments(&world, 1));
        world.github.merge(API, 1).unwrap();
        world.settle().await;
        assert_eq!(state(&world, API).await, Some(OnboardingState::Merged));
    }

    async fn a_branch_that_is_deleted_is_a_no(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.github.delete_branch(API, BRANCH).unwrap();
        world.settle().await;
        assert_eq!(state(&world, API).await, Some(OnboardingState::Closed));
    }

    async fn what_people_did_while_the_bot_was_down_is_learned_at_the_start(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.goes_down();
        world.github.close(API, 1).unwrap();
        world.settle().await;
        assert_eq!(state(&world, API).await, Some(OnboardingState::Open));
        world.comes_back();
        world.restart().await;
        assert_eq!(state(&world, API).await, Some(OnboardingState::Closed));
    }

    /// A commit to another branch, which becomes the default one while the pull request is open.
    async fn where_another_branch_becomes_the_default_one_it_is_asked_anew(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.github.push(API, "trunk", &[("README.md", Some(b"a new trunk\n"))], "a new trunk").unwrap();
        world.github.set_default_branch(API, "trunk").unwrap();
        world.settle().await;
        assert_eq!(comments(&world, 1), ["Closed: the default branch is another one now."]);
        let pull = world.pull(API);
        assert_eq!((pull.number, pull.base.as_str()), (2, "trunk"));
        assert_eq!(state(&world, API).await, Some(OnboardingState::Open));
        // That one counts as any other.
        world.github.close(API, 2).unwrap();
        world.settle().await;
        world.restart().await;
        assert_eq!((pulls(&world, API).len(), state(&world, API).await), (2, Some(OnboardingState::Closed)));
    }

    async fn what_is_merged_into_a_former_default_branch_is_asked_anew(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.github.push(API, "trunk", &[("README.md", Some(b"a new trunk\n"))], "a new trunk").unwrap();
        world.goes_down();
        world.github.set_default_branch(API, "trunk").unwrap();
        world.github.merge(API, 1).unwrap();
        world.settle().await;
        world.comes_back();
        world.restart().await;
        let pull = world.pull(API);
        assert_eq!((pull.number, pull.base.as_str()), (2, "trunk"));
        assert_eq!(state(&world, API).await, Some(OnboardingState::Open));
    }

    /// The same change on the same commit, by a new branch: what we closed ourselves is not what came of it.
    async fn what_we_closed_is_not_taken_for_what_is_asked_anew(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        let head = world.github.head(API, "main").unwrap().unwrap();
        world.github.force_push(API, "trunk", &head).unwrap();
        world.settle().await;
        no_more_pull_requests(&world);
        trunk_takes_over(&world).await;
        assert_eq!(comments(&world, 1), ["Closed: the default branch is another one now."]);
        let failed = onboarding(&world, API).await.unwrap();
        assert_eq!(failed.state, OnboardingState::Failed, "{failed:?}");
        world.github.clear_faults();
        world.time_passes(SignedDuration::from_hours(8 * 24)).await;
        world.restart().await;
        let pull = world.pull(API);
        assert_eq!((pull.number, pull.base.as_str()), (2, "trunk"));
    }

    /// What the owner grants goes for those that are asked anew as for all others.
    async fn what_fails_when_it_is_asked_anew_is_tried_when_permissions_change(world: World) {
        has_a_trunk(&world).await;
        no_more_pull_requests(&world);
        trunk_takes_over(&world).await;
        assert_eq!(state(&world, API).await, Some(OnboardingState::Failed));
        world.github.clear_faults();
        world.github.accept_permissions(world.installation, InstallOptions::default().permissions).unwrap();
        world.settle().await;
        let pull = world.pull(API);
        assert_eq!((pull.number, pull.base.as_str()), (2, "trunk"));
        assert_eq!(state(&world, API).await, Some(OnboardingState::Open));
    }

    /// What was looked at once is not read again before something comes.
    async fn a_new_default_branch_in_which_nothing_is_found_is_read_once(world: World) {
        has_a_trunk(&world).await;
        world.github.push(API, "trunk", &[(PINNED.0, None)], "nothing any more").unwrap();
        trunk_takes_over(&world).await;
        let looked = onboarding(&world, API).await.unwrap();
        assert_eq!((looked.state, looked.reason.as_str()), (OnboardingState::Nothing, "nothing was found that could be kept up to date"));
        let mark = world.github.mark();
        world.restart().await;
        let read: Vec<String> = world.requests_since(mark).into_iter().filter(|r| r.contains("/repos/acme/api/git/")).collect();
        assert_eq!(read, Vec::<String>::new());
        world.github.push(API, "trunk", &[(PINNED.0, Some(PINNED.1.as_bytes()))], "something").unwrap();
        world.settle().await;
        let pull = world.pull(API);
        assert_eq!((pull.number, pull.base.as_str()), (2, "trunk"));
    }

    /// The repository is there, and the pull request is not.
    async fn what_github_does_not_show_any_more_is_over(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        let gone = FaultKind::Status { status: 404, message: "Not Found".into() };
        world.github.fault(Fault::once("GET", "/repos/acme/api/pulls/1", gone).times(usize::MAX));
        world.restart().await;
        world.time_passes(SignedDuration::from_mins(5)).await;
        let over = onboarding(&world, API).await.unwrap();
        assert_eq!(over.state, OnboardingState::Closed);
        assert_eq!(over.reason, "GitHub does not show pull request #1 any more; this repository is not asked again");
        world.github.clear_faults();
    }

    async fn a_command_on_one_that_is_over_is_told_so(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.github.set_role(API, "ada", Role::Write).unwrap();
        world.github.merge(API, 1).unwrap();
        world.settle().await;
        world.github.comment(API, 1, "ada", "/mass-driver rebase").unwrap();
        world.settle().await;
        let said = comments(&world, 1);
        assert_eq!(said[1], "This pull request is over: it was merged.");
    }
}

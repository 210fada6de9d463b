//! The making of the pull request that adds the first file: what is in its way, and that there is never a second one.

use super::{API, ASKS, BRANCH, FILE, HOME, PINNED, asks, onboarding, pulls, state, the_line_is_long};
use crate::{World, paced_stories, stories, stories_at_any_pace};
use github_sim::{Fault, FaultKind, InstallOptions, RepoOptions};
use jiff::SignedDuration;
use mass_driver::domain::{InstallationId, OnboardingState};

stories_at_any_pace! {
    /// Each write may be the last thing that a process does.
    async fn killed_at_each_write(world: World) {
        asks(&world, "onboarding: all\n").await;
        for (n, (method, path)) in [
            ("POST", "/repos/*/*/git/trees"),
            ("POST", "/repos/*/*/git/commits"),
            ("POST", "/repos/*/*/git/refs"),
            ("POST", "/repos/*/*/pulls"),
        ].into_iter().enumerate() {
            let repo = format!("acme/api{n}");
            world.github.create_repo(&repo, RepoOptions::default().file(PINNED.0, PINNED.1)).unwrap();
            world.github.deliver_pending().await;
            world.dies_at(method, path, FaultKind::HangAfter).await;
            world.settle().await;
            assert_eq!(world.open(&repo), ["Add .mass-driver.yaml"], "killed after {method} {path}");
            assert_eq!(state(&world, &repo).await, Some(OnboardingState::Open));
        }
    }
}

stories! {
    /// Somebody has a branch of the name that we would take.
    async fn a_persons_branch_of_that_name_is_left_alone(world: World) {
        asks(&world, "onboarding: [api]\n").await;
        world.repository("acme/later", &[PINNED]).await;
        world.github.push("acme/later", BRANCH, &[("README.md", Some(b"mine\n"))], "a person's own").unwrap();
        world.settle().await;
        world.push(HOME, &[(ASKS, "onboarding: all\n")]).await;
        let pull = world.pull("acme/later");
        assert!(pull.head_branch.starts_with("mass-driver/onboarding-"), "{}", pull.head_branch);
        world.github.delete_branch("acme/later", BRANCH).unwrap();
        world.settle().await;
    }

    async fn what_github_refuses_for_good_is_said_and_not_tried_again(world: World) {
        asks(&world, "onboarding: all\n").await;
        let no = FaultKind::Status { status: 403, message: "Resource not accessible by integration".into() };
        world.github.fault(Fault::once("POST", "/repos/acme/api/git/refs", no).times(50));
        world.repository(API, &[PINNED]).await;
        let failed = onboarding(&world, API).await.unwrap();
        assert_eq!(failed.state, OnboardingState::Failed, "{failed:?}");
        assert!(failed.reason.starts_with("the pull request that adds the file could not be made: "), "{failed:?}");
        let mark = world.github.mark();
        world.restart().await;
        let writes: Vec<String> = world.requests_since(mark).into_iter().filter(|r| r.starts_with("POST /repos/acme/api/git")).collect();
        assert!(writes.is_empty(), "{writes:?}");
    }

    /// The App may not open pull requests, until the owner lets it: then it asks at once, and not a week later.
    async fn what_failed_for_want_of_a_permission_is_asked_when_it_is_granted(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.github.organization("poor");
        let installation = world.github.install_with("poor", InstallOptions::default().without("pull_requests")).unwrap();
        world.repository("poor/.github", &[(ASKS, "onboarding: all\n")]).await;
        world.repository("poor/api", &[PINNED]).await;
        assert_eq!(state(&world, "poor/api").await, Some(OnboardingState::Failed));
        world.github.accept_permissions(installation, InstallOptions::default().permissions).unwrap();
        world.settle().await;
        assert_eq!(world.open("poor/api"), ["Add .mass-driver.yaml"]);
        assert_eq!(state(&world, "poor/api").await, Some(OnboardingState::Open));
    }

    /// Nobody was asked by it, and whatever GitHub had against it may be over.
    async fn what_failed_is_tried_anew_after_a_week(world: World) {
        asks(&world, "onboarding: all\n").await;
        let no = FaultKind::Status { status: 403, message: "Repository rule violations found".into() };
        world.github.fault(Fault::once("POST", "/repos/acme/api/git/refs", no));
        world.repository(API, &[PINNED]).await;
        assert_eq!(state(&world, API).await, Some(OnboardingState::Failed));
        world.time_passes(SignedDuration::from_hours(6 * 24)).await;
        world.restart().await;
        assert_eq!(state(&world, API).await, Some(OnboardingState::Failed));
        world.time_passes(SignedDuration::from_hours(2 * 24)).await;
        world.restart().await;
        assert_eq!(world.open(API), ["Add .mass-driver.yaml"]);
    }

    /// All that was stored of it is gone: GitHub knows what people said.
    async fn what_was_asked_before_the_database_was_lost_is_not_asked_again(world: World) {
        asks(&world, "onboarding: all\n").await;
        for repo in ["acme/open", "acme/closed"] {
            world.repository(repo, &[PINNED]).await;
        }
        world.github.close("acme/closed", 1).unwrap();
        world.settle().await;
        let mut tx = world.store.begin().await.unwrap();
        for repo in ["acme/open", "acme/closed"] {
            tx.forget_onboarding(world.repo_id(repo).await).await.unwrap();
        }
        tx.commit().await.unwrap();
        world.restart().await;
        assert_eq!(state(&world, "acme/open").await, Some(OnboardingState::Open));
        assert_eq!(state(&world, "acme/closed").await, Some(OnboardingState::Closed));
        for repo in ["acme/open", "acme/closed"] {
            assert_eq!(pulls(&world, repo).len(), 1, "{repo}");
        }
        // What is taken over is let go as well: there is nothing on its branch but ours.
        world.push(HOME, &[(ASKS, "onboarding: none\n")]).await;
        assert!(world.open("acme/open").is_empty());
    }

    /// Killed before it is stored that there is a pull request; meanwhile a person commits to it and closes it.
    async fn a_no_that_comes_before_the_answer_is_stored_is_a_no(world: World) {
        asks(&world, "onboarding: all\n").await;
        for (repo, deleted) in [("acme/kept", false), ("acme/deleted", true)] {
            world.github.create_repo(repo, RepoOptions::default().file(PINNED.0, PINNED.1)).unwrap();
            world.github.deliver_pending().await;
            world.dies_at("POST", "/repos/*/*/pulls", FaultKind::HangAfter).await;
            world.github.push(repo, BRANCH, &[(FILE, Some(b"subscriptions: [npm]\n"))], "a person's change").unwrap();
            world.github.close(repo, 1).unwrap();
            if deleted {
                world.github.delete_branch(repo, BRANCH).unwrap();
            }
            world.settle().await;
            assert_eq!((pulls(&world, repo).len(), state(&world, repo).await), (1, Some(OnboardingState::Closed)), "{repo}");
        }
    }

    /// A person has a pull request open from the branch that we would take, and nobody knows how far our first write came.
    async fn a_persons_pull_request_from_that_branch_is_not_taken_for_ours(world: World) {
        asks(&world, "onboarding: none\n").await;
        world.repository(API, &[PINNED]).await;
        world.github.push(API, BRANCH, &[("README.md", Some(b"mine\n"))], "a person's own").unwrap();
        world.github.open_pull_request(API, BRANCH, "main", "Mine").unwrap();
        world.settle().await;
        world.github.fault(Fault::once("POST", "/repos/acme/api/git/trees", FaultKind::BadGateway));
        world.push(HOME, &[(ASKS, "onboarding: all\n")]).await;
        world.time_passes(SignedDuration::from_mins(2)).await;
        assert_eq!(world.open(API), ["Mine", "Add .mass-driver.yaml"]);
        let ours = onboarding(&world, API).await.unwrap();
        assert_eq!((ours.state, ours.pull.unwrap().number.0), (OnboardingState::Open, 2));
    }

    /// The default branch gets another name after the change was written down.
    async fn a_default_branch_that_is_renamed_before_anything_is_sent_is_followed(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.github.create_repo(API, RepoOptions::default().file(PINNED.0, PINNED.1)).unwrap();
        world.github.deliver_pending().await;
        let process = world.another_process();
        while !world.store.repositories(10).await.unwrap().iter().any(|(row, _)| row.repository.name.to_string() == API)
            || state(&world, API).await != Some(OnboardingState::Opening)
        {
            assert!(process.worker().run_one().await.unwrap());
        }
        world.github.rename_branch(API, "main", "trunk").unwrap();
        world.settle().await;
        world.time_passes(SignedDuration::from_mins(5)).await;
        assert_eq!(world.pull(API).base, "trunk");
        assert_eq!(state(&world, API).await, Some(OnboardingState::Open));
    }

    /// GitHub takes the pull request along, of which nobody knows yet.
    async fn a_default_branch_that_is_renamed_before_the_answer_is_stored_closes_nothing(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.github.create_repo(API, RepoOptions::default().file(PINNED.0, PINNED.1)).unwrap();
        world.github.deliver_pending().await;
        world.dies_at("POST", "/repos/*/*/pulls", FaultKind::HangAfter).await;
        world.github.rename_branch(API, "main", "trunk").unwrap();
        world.settle().await;
        world.time_passes(SignedDuration::from_mins(5)).await;
        assert_eq!((pulls(&world, API).len(), world.pull(API).base.as_str()), (1, "trunk"));
        assert_eq!(state(&world, API).await, Some(OnboardingState::Open));
    }
}

paced_stories! {
    /// What is pushed while it stands in line is read when its turn comes, and takes its place from nobody.
    async fn a_push_takes_no_place_in_line(world: World) {
        asks(&world, "onboarding: all\n").await;
        let installation = Some(InstallationId(world.installation));
        the_line_is_long(&world).await;
        world.repository(API, &[PINNED]).await;
        assert_eq!(state(&world, API).await, Some(OnboardingState::Opening));
        let line = world.store.budget(installation).await.unwrap().pace.next_write_at;
        for n in 0..3 {
            world.push(API, &[("requirements.txt", &format!("httpx==0.27.0\n# {n}\n"))]).await;
        }
        assert_eq!(world.store.budget(installation).await.unwrap().pace.next_write_at, line);
        world.time_passes(SignedDuration::from_mins(11)).await;
        let parent = &world.github.commits(API, &world.pull(API).head_branch).unwrap()[0].parents[0];
        assert_eq!(Some(parent), world.github.head(API, "main").unwrap().as_ref());
    }

    /// Its branch stands on GitHub, and its pull request in line, when another one than it is made for becomes the default one.
    async fn what_goes_to_a_former_default_branch_is_not_sent_on(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.github.create_repo(API, RepoOptions::default().file(PINNED.0, PINNED.1)).unwrap();
        world.github.deliver_pending().await;
        let process = world.another_process();
        while world.github.head(API, BRANCH).unwrap().is_none() {
            assert!(process.worker().run_one().await.unwrap() || world.let_writes_come_due().await);
        }
        world.github.push(API, "trunk", &[("README.md", Some(b"a new trunk\n"))], "a new trunk").unwrap();
        world.github.set_default_branch(API, "trunk").unwrap();
        world.settle().await;
        assert_eq!((pulls(&world, API).len(), world.pull(API).base.as_str()), (1, "trunk"));
        assert_eq!(state(&world, API).await, Some(OnboardingState::Open));
    }
}

//! The first subscription file of a repository, brought by one pull request where the organisation asks for that.

use crate::revisions::comments;
use crate::{World, stories, stories_at_any_pace};
use github_sim::{Fault, FaultKind, PullRequestView, RepoOptions, Role};
use jiff::SignedDuration;
use mass_driver::domain::{Onboarding, OnboardingState, RepoId, RepoName, Repository};
use mass_driver::pipeline::onboard::A_DAY_MAX;
use mass_driver::store::ConfigState;

const API: &str = "acme/api";
const HOME: &str = "acme/.github";
const ASKS: &str = ".mass-driver-organisation.yaml";
const FILE: &str = ".mass-driver.yaml";
const PINNED: (&str, &str) = ("requirements.txt", "httpx==0.27.0\n");
const BRANCH: &str = "mass-driver/onboarding";

/// The organisation asks for this.
async fn asks(world: &World, text: &str) {
    world.registry.release("httpx", "0.27.0");
    world.repository(HOME, &[(ASKS, text)]).await;
}

async fn onboarding(world: &World, repo: &str) -> Option<Onboarding> {
    world.store.onboarding(world.repo_id(repo).await).await.unwrap()
}

async fn state(world: &World, repo: &str) -> Option<OnboardingState> {
    onboarding(world, repo).await.map(|one| one.state)
}

fn pulls(world: &World, repo: &str) -> Vec<PullRequestView> {
    world.github.pull_requests(repo).unwrap()
}

stories_at_any_pace! {
    async fn a_repository_without_a_file_gets_one_pull_request_that_adds_it(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.registry.release("httpx", "0.28.0");
        world.repository(API, &[
            PINNED,
            ("web/package.json", "{\"dependencies\": {\"left-pad\": \"1.0.0\"}}\n"),
            ("Dockerfile", "FROM python:3.12-slim\n"),
            (".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n"),
        ]).await;
        let pull = world.pull(API);
        assert_eq!((pull.title.as_str(), pull.head_branch.as_str()), ("Add .mass-driver.yaml", BRANCH));
        insta::with_settings!({ prepend_module_to_snapshot => false }, {
            let body = pull.body.replace(&world.github.url(), "https://github.test");
            let body = body.replace(&world.registry.authority(), "registry.test");
            insta::assert_snapshot!("onboarding_pull_request", body);
            insta::assert_snapshot!("onboarding_file", world.file(API, &pull.head_branch, FILE));
        });
        assert_eq!(state(&world, API).await, Some(OnboardingState::Open));
        assert!(pulls(&world, HOME).is_empty(), "nothing was found there");

        world.github.merge(API, pull.number).unwrap();
        world.settle().await;
        let merged = onboarding(&world, API).await.unwrap();
        assert_eq!((merged.state, merged.reason.as_str()), (OnboardingState::Merged, "pull request #1, which added the file, was merged"));
        assert_eq!(world.row(API).await.config.state, ConfigState::Valid, "normal life has begun");
        assert_eq!(world.waiting(API).await.len(), 1, "{:?}", world.waiting(API).await);
    }

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
        for (method, path) in [
            ("POST", "/repos/acme/api/issues/1/comments"),
            ("PATCH", "/repos/acme/api/pulls/1"),
            ("DELETE", "/repos/acme/api/git/refs/**"),
        ] {
            world.dies_at(method, path, FaultKind::HangAfter).await;
        }
        world.settle().await;
        assert_eq!(comments(&world, 1), ["Closed: the organisation does not ask for it any more."]);
        assert_eq!(world.github.branches(API).unwrap().len(), 1);
        let over = onboarding(&world, API).await.unwrap();
        assert_eq!((over.state, over.farewell), (OnboardingState::Withdrawn, None));
    }
}

stories! {
    async fn without_an_organisations_wish_nobody_is_asked_and_nothing_is_requested(world: World) {
        world.repository(API, &[PINNED]).await;
        world.repository(HOME, &[("README.md", "hello\n")]).await;
        let mark = world.github.mark();
        world.push(API, &[("requirements.txt", "httpx==0.27.0\nrich==1.0\n")]).await;
        world.push(HOME, &[("README.md", "hello, you\n")]).await;
        assert_eq!(world.requests_since(mark), Vec::<String>::new());
        assert!(pulls(&world, API).is_empty());
        assert_eq!(onboarding(&world, API).await, None);
    }

    async fn the_wish_may_come_later_and_names_whom_it_means(world: World) {
        for repo in ["acme/service-a", "acme/service-b", "acme/lib"] {
            world.repository(repo, &[PINNED]).await;
        }
        asks(&world, "onboarding: [\"Service-*\"]\nexclude: service-b\n").await;
        assert_eq!(world.open("acme/service-a"), ["Add .mass-driver.yaml"]);
        assert!(pulls(&world, "acme/service-b").is_empty() && pulls(&world, "acme/lib").is_empty());
        world.push(HOME, &[(ASKS, "onboarding: all\n")]).await;
        assert_eq!((pulls(&world, "acme/service-b").len(), pulls(&world, "acme/lib").len()), (1, 1));
        assert_eq!(pulls(&world, "acme/service-a").len(), 1);
    }

    async fn a_broken_wish_changes_nothing(world: World) {
        asks(&world, "onboarding: [api]\n").await;
        world.repository(API, &[PINNED]).await;
        world.push(HOME, &[(ASKS, "onbording: none\n")]).await;
        assert_eq!(world.open(API).len(), 1);
        let page = world.page("/repositories/acme/.github").await;
        assert!(page.contains("did you mean `onboarding`?") && page.contains("last good one stays in force"), "{page}");
        world.repository("acme/other", &[PINNED]).await;
        assert!(pulls(&world, "acme/other").is_empty(), "the last good one counts");
    }

    async fn a_check_stands_on_the_file_that_is_proposed(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.registry.release("httpx", "0.28.0");
        world.repository(API, &[PINNED]).await;
        let head = world.pull(API).head_sha;
        let runs = world.github.check_runs(API).unwrap();
        let run = runs.iter().find(|run| run.own && run.head_sha == head).expect("a check of ours");
        assert_eq!((run.conclusion.as_deref(), run.title.as_deref()), (Some("success"), Some("1 pull request later")));
    }

    async fn forks_archives_empty_repositories_and_those_with_a_file_are_left_alone(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository("acme/broken", &[PINNED, (FILE, "subscriptions: [pipy]\n")]).await;
        world.repository("acme/other-name", &[PINNED, (".mass-driver.yml", "subscriptions: [pypi]\n")]).await;
        world.github.create_repo("acme/empty", RepoOptions::default()).unwrap();
        world.github.create_repo("elsewhere/original", RepoOptions::default().public().file(PINNED.0, PINNED.1)).unwrap();
        world.github.fork("elsewhere/original", "acme").unwrap();
        world.settle().await;
        for repo in ["acme/broken", "acme/other-name", "acme/empty", "acme/original"] {
            assert!(pulls(&world, repo).is_empty(), "{repo}");
        }
        world.github.push("acme/empty", "main", &[(PINNED.0, Some(PINNED.1.as_bytes()))], "the first commit").unwrap();
        world.settle().await;
        assert_eq!(world.open("acme/empty"), ["Add .mass-driver.yaml"], "it is not empty any more");
    }

    async fn who_had_a_file_and_removed_it_is_not_asked(world: World) {
        world.repository_using_httpx(API, "subscriptions: [pypi]\n").await;
        world.remove(API, FILE).await;
        asks(&world, "onboarding: all\n").await;
        world.restart().await;
        assert!(pulls(&world, API).is_empty());
    }

    async fn an_archived_repository_is_asked_once_it_is_not_archived_any_more(world: World) {
        world.repository(API, &[PINNED]).await;
        world.github.archive(API).unwrap();
        world.settle().await;
        asks(&world, "onboarding: all\n").await;
        assert!(pulls(&world, API).is_empty());
        world.github.unarchive(API).unwrap();
        world.settle().await;
        assert_eq!(world.open(API), ["Add .mass-driver.yaml"]);
    }

    async fn a_repository_in_which_nothing_is_found_is_looked_at_again_when_something_comes(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[("README.md", "hello\n")]).await;
        let looked = onboarding(&world, API).await.unwrap();
        assert_eq!((looked.state, looked.reason.as_str()), (OnboardingState::Nothing, "nothing was found that could be kept up to date"));
        let mark = world.github.mark();
        world.push(API, &[("README.md", "hello, you\n")]).await;
        assert_eq!(world.requests_since(mark), Vec::<String>::new(), "no manifest is touched");
        world.push(API, &[PINNED]).await;
        assert_eq!(world.open(API), ["Add .mass-driver.yaml"]);
    }

    /// All but two of the day's number were asked already.
    async fn the_days_number_spreads_a_large_organisation_over_days(world: World) {
        asks(&world, "onboarding: none\n").await;
        for n in 0..4 {
            world.github.create_repo(&format!("acme/r{n}"), RepoOptions::default().file(PINNED.0, PINNED.1)).unwrap();
        }
        world.settle().await;
        let row = world.row("acme/r0").await;
        let mut tx = world.store.begin().await.unwrap();
        for n in 2..A_DAY_MAX {
            let id = RepoId(1_000_000 + i64::from(n));
            let name = RepoName::parse(&format!("acme/earlier{n}")).unwrap();
            tx.save_repository(&Repository { id, name, ..row.repository.clone() }, world.clock_now()).await.unwrap();
            let earlier = Onboarding {
                repo: id,
                state: OnboardingState::Closed,
                reason: "a person closed it".into(),
                branch: BRANCH.into(),
                commit: row.head.clone().unwrap().commit,
                pull: None,
                farewell: None,
                begun_at: world.clock_now(),
                updated_at: world.clock_now(),
            };
            tx.save_onboarding(&earlier).await.unwrap();
        }
        tx.commit().await.unwrap();
        world.push(HOME, &[(ASKS, "onboarding: [\"r*\"]\n")]).await;
        let asked = || (0..4).filter(|n| !pulls(&world, &format!("acme/r{n}")).is_empty()).count();
        assert_eq!(asked(), 2);
        world.time_passes(SignedDuration::from_hours(23)).await;
        assert_eq!(asked(), 2);
        world.time_passes(SignedDuration::from_hours(2)).await;
        assert_eq!(asked(), 4);
    }

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

    /// A repository that cannot be read any more says nothing, and changes nothing.
    async fn whoever_takes_the_file_from_the_app_ends_nothing(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.github.delete_repo(HOME).unwrap();
        world.settle().await;
        world.repository("acme/other", &[PINNED]).await;
        assert_eq!((world.open(API).len(), pulls(&world, "acme/other").len()), (1, 0));
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

    async fn a_check_says_what_is_wrong_with_the_organisations_file(world: World) {
        asks(&world, "onboarding: [api]\n").await;
        let check = async |branch: &str, text: &str| {
            world.github.push(HOME, branch, &[(ASKS, Some(text.as_bytes()))], "a person's change").unwrap();
            world.settle().await;
            let head = world.github.head(HOME, branch).unwrap().unwrap();
            let mut runs = world.github.check_runs(HOME).unwrap();
            runs.retain(|run| run.own && run.head_sha == head);
            assert_eq!(runs.len(), 1, "{runs:#?}");
            runs.remove(0)
        };
        for branch in ["topic", "main"] {
            let broken = check(branch, "onbording: all\n").await;
            assert_eq!((broken.conclusion.as_deref(), broken.title.as_deref()), (Some("failure"), Some("1 problem in .mass-driver-organisation.yaml")));
            let summary = broken.summary.unwrap();
            assert!(summary.ends_with("The last good one stays in force, which asks for onboarding of the repositories api.\n"), "{summary}");
            assert_eq!(broken.annotations[0]["path"], ASKS);
            assert_eq!(broken.annotations[0]["start_line"], 1);
        }
        let mended = check("main", "onboarding: all\n").await;
        assert_eq!(mended.conclusion.as_deref(), Some("success"));
        assert!(mended.summary.unwrap().ends_with("is valid: it asks for onboarding of every repository.\n"));
    }

    /// Both files change in one commit: there is one check for it, which speaks of both.
    async fn one_check_speaks_of_both_files(world: World) {
        asks(&world, "onboarding: none\n").await;
        let both = [(ASKS, Some(&b"onboarding: [a/b]\n"[..])), (FILE, Some(&b"subscriptions: [pipy]\n"[..]))];
        world.github.push(HOME, "topic", &both, "both").unwrap();
        world.settle().await;
        let runs: Vec<_> = world.github.check_runs(HOME).unwrap().into_iter().filter(|run| run.own).collect();
        assert_eq!(runs.len(), 1, "{runs:#?}");
        let paths: Vec<&str> = runs[0].annotations.iter().map(|a| a["path"].as_str().unwrap()).collect();
        assert_eq!(paths, [FILE, ASKS]);
    }

    /// The remedy is to remove one of them, and the other is the one that was there before.
    async fn of_two_files_the_one_that_stays_counts_again(world: World) {
        world.repository_using_httpx(API, "subscriptions: [pypi]\n").await;
        world.push(API, &[(".mass-driver.yml", "subscriptions: [docker]\n")]).await;
        assert_eq!(world.row(API).await.config.state, ConfigState::Broken);
        world.remove(API, ".mass-driver.yml").await;
        assert_eq!(world.row(API).await.config.state, ConfigState::Valid);
    }

    async fn a_users_own_repository_of_that_name_counts_likewise(world: World) {
        world.github.install("ada").unwrap();
        world.registry.release("httpx", "0.27.0");
        world.repository("ada/.github", &[(".mass-driver-organization.yml", "onboarding: all\n")]).await;
        world.repository("ada/tool", &[PINNED]).await;
        assert_eq!(world.open("ada/tool"), ["Add .mass-driver.yaml"]);
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

    async fn page_and_json_say_how_far_it_has_come(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        let page = world.page("/repositories/acme/api").await;
        assert!(page.contains("First file:") && page.contains("pull request #1 adds the file"), "{page}");
        let json: serde_json::Value = serde_json::from_str(&world.page("/repositories/acme/api.json").await).unwrap();
        assert_eq!((&json["onboarding"]["state"], &json["onboarding"]["pull"]["number"]), (&"open".into(), &1.into()));
        assert!(world.page("/").await.contains("pull request #1 adds the file"), "the overview says it, too");
        let home = world.page("/repositories/acme/.github").await;
        assert!(home.contains("asks for onboarding of every repository"), "{home}");
    }
}

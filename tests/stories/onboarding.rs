//! The first subscription file of a repository, brought by one pull request where the organisation asks for that.

mod ending;
mod making;
mod organisation;

use crate::{World, stories, stories_at_any_pace};
use github_sim::{PullRequestView, RepoOptions};
use jiff::SignedDuration;
use mass_driver::domain::{InstallationId, Onboarding, OnboardingState, Pace, RepoId, RepoName, Repository};
use mass_driver::pipeline::onboard::A_DAY_MAX;
use mass_driver::store::ConfigState;

pub(crate) const API: &str = "acme/api";
pub(crate) const HOME: &str = "acme/.github";
pub(crate) const ASKS: &str = ".mass-driver-organisation.yaml";
pub(crate) const FILE: &str = ".mass-driver.yaml";
pub(crate) const PINNED: (&str, &str) = ("requirements.txt", "httpx==0.27.0\n");
pub(crate) const BRANCH: &str = "mass-driver/onboarding";

/// The organisation asks for this.
pub(crate) async fn asks(world: &World, text: &str) {
    world.registry.release("httpx", "0.27.0");
    world.repository(HOME, &[(ASKS, text)]).await;
}

pub(crate) async fn onboarding(world: &World, repo: &str) -> Option<Onboarding> {
    world.store.onboarding(world.repo_id(repo).await).await.unwrap()
}

pub(crate) async fn state(world: &World, repo: &str) -> Option<OnboardingState> {
    onboarding(world, repo).await.map(|one| one.state)
}

pub(crate) fn pulls(world: &World, repo: &str) -> Vec<PullRequestView> {
    world.github.pull_requests(repo).unwrap()
}

/// Nothing is written for the next ten minutes.
pub(crate) async fn the_line_is_long(world: &World) {
    let mut tx = world.store.begin().await.unwrap();
    let later = world.clock_now() + SignedDuration::from_mins(10);
    let pace = Pace { next_write_at: later, used_to: world.clock_now() };
    tx.save_pace(Some(InstallationId(world.installation)), &pace).await.unwrap();
    tx.commit().await.unwrap();
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
                base_branch: None,
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
        let mark = world.github.mark();
        world.time_passes(SignedDuration::from_hours(2)).await;
        assert_eq!(asked(), 4);
        let looked: Vec<String> = world.requests_since(mark).into_iter().filter(|r| r.starts_with("GET") && r.ends_with("/pulls/1")).collect();
        assert!(looked.is_empty(), "what is open already is not asked about again: {looked:?}");
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

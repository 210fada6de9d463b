//! The organisation's own file: what is wrong with it, who may read it, and where it may lie.

use super::{API, ASKS, FILE, HOME, PINNED, asks, pulls};
use crate::{World, stories};
use mass_driver::store::ConfigState;

stories! {
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

    /// A repository that cannot be read any more says nothing, and changes nothing.
    async fn whoever_takes_the_file_from_the_app_ends_nothing(world: World) {
        asks(&world, "onboarding: all\n").await;
        world.repository(API, &[PINNED]).await;
        world.github.delete_repo(HOME).unwrap();
        world.settle().await;
        world.repository("acme/other", &[PINNED]).await;
        assert_eq!((world.open(API).len(), pulls(&world, "acme/other").len()), (1, 0));
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
}

//! What happens to repositories and installations.

use crate::{World, stories};
use github_sim::InstallOptions;
use mass_driver::domain::{ProposalState, RepoState};

stories! {
    async fn bad_input_12_a_renamed_repository_gets_its_pull_request_under_the_new_name(world: World) {
        world.api_waits_for_monday().await;
        world.github.rename("acme/api", "service").unwrap();
        world.settle().await;
        assert_eq!(world.row("acme/service").await.repository.state, RepoState::Active);
        world.time_comes("2026-03-09T06:00:00Z").await;
        assert_eq!(world.open("acme/service"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// The event is late, the old name redirects; and the old name may belong to another repository already.
    async fn bad_input_12_a_rename_that_nobody_told_of_never_leads_to_the_wrong_repository(world: World) {
        world.api_waits_for_monday().await;
        world.github.rename("acme/api", "service").unwrap();
        world.github.create_repo("acme/api", github_sim::RepoOptions::default().file("requirements.txt", "httpx==0.27.0\n")).unwrap();
        world.github.drop_pending();
        world.time_comes("2026-03-09T06:00:00Z").await;
        world.settle().await;
        assert!(world.open("acme/api").is_empty(), "the new owner of the name is left alone");
        assert_eq!(world.open("acme/service"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    async fn bad_input_11_an_archived_repository_is_left_alone_until_it_is_unarchived(world: World) {
        world.api_waits_for_monday().await;
        world.github.archive("acme/api").unwrap();
        world.settle().await;
        assert_eq!(world.proposals("acme/api", ProposalState::Withdrawn).await[0].reason, "the repository is archived");
        world.time_comes("2026-03-09T06:00:00Z").await;
        assert!(world.open("acme/api").is_empty());
        world.github.unarchive("acme/api").unwrap();
        world.settle().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"], "its Monday has come meanwhile");
    }

    async fn a_repository_that_is_taken_from_the_installation_gets_no_more_requests(world: World) {
        world.api_waits_for_monday().await;
        world.github.remove_from_installation(world.installation, "acme/api").unwrap();
        world.settle().await;
        assert_eq!(world.row("acme/api").await.repository.state, RepoState::Removed);
        let mark = world.github.mark();
        world.time_comes("2026-03-09T12:00:00Z").await;
        assert!(world.open("acme/api").is_empty());
        assert_eq!(world.requests_since(mark), Vec::<String>::new());

        world.github.add_to_installation(world.installation, "acme/api").unwrap();
        world.settle().await;
        assert_eq!(world.row("acme/api").await.repository.state, RepoState::Active);
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    async fn a_suspended_installation_rests_and_goes_on_afterwards(world: World) {
        world.api_waits_for_monday().await;
        world.github.suspend(world.installation).unwrap();
        world.settle().await;
        assert_eq!(world.row("acme/api").await.repository.state, RepoState::Suspended);
        world.time_comes("2026-03-09T12:00:00Z").await;
        assert!(world.open("acme/api").is_empty());
        world.github.unsuspend(world.installation).unwrap();
        world.settle().await;
        assert_eq!(world.open("acme/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    async fn an_uninstalled_app_forgets_nothing_and_does_nothing(world: World) {
        world.api_waits_for_monday().await;
        world.github.uninstall(world.installation).unwrap();
        world.settle().await;
        assert_eq!(world.row("acme/api").await.repository.state, RepoState::Removed);
        assert!(world.store.installations(10).await.unwrap()[0].installation.removed);
        world.time_comes("2026-03-09T12:00:00Z").await;
        assert!(world.open("acme/api").is_empty());
    }

    async fn a_deleted_repository_is_let_go(world: World) {
        world.api_waits_for_monday().await;
        world.github.delete_repo("acme/api").unwrap();
        world.settle().await;
        assert_eq!(world.row("acme/api").await.repository.state, RepoState::Removed);
    }

    async fn another_default_branch_is_followed(world: World) {
        world.api_waits_for_monday().await;
        let head = world.github.head("acme/api", "main").unwrap().unwrap();
        let _ = head;
        world.github.push("acme/api", "trunk", &[("requirements.txt", Some(b"httpx==0.27.0\n".as_slice())), (".mass-driver.yaml", Some(b"subscriptions: [pypi]\n".as_slice()))], "a new trunk").unwrap();
        world.github.set_default_branch("acme/api", "trunk").unwrap();
        world.settle().await;
        let pull = world.pull("acme/api");
        assert_eq!(pull.base, "trunk", "the new branch's file says at once");
    }

    async fn bad_input_10_an_empty_repository_waits_for_its_first_push(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.repository("acme/new", &[]).await;
        assert!(world.row("acme/new").await.head.is_none());
        world.push("acme/new", &[("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", "subscriptions: [pypi]\n")]).await;
        assert_eq!(world.open("acme/new"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    async fn a_transferred_repository_is_served_by_its_new_owners_installation(world: World) {
        world.api_waits_for_monday().await;
        world.github.organization("other");
        let other = world.github.install("other").unwrap();
        world.settle().await;
        world.github.transfer("acme/api", "other").unwrap();
        world.settle().await;
        let row = world.row("other/api").await;
        assert_eq!((row.repository.state, row.repository.installation.0), (RepoState::Active, other));
        world.time_comes("2026-03-09T06:00:00Z").await;
        assert_eq!(world.open("other/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
    }

    /// The bot makes its change on the commit it knows, so git keeps both when the pull request is merged.
    async fn a_push_nobody_told_of_is_never_reverted(world: World) {
        world.api_waits_for_monday().await;
        let known = world.github.head("acme/api", "main").unwrap().unwrap();
        world.push_quietly("acme/api", &[("requirements.txt", "httpx==0.27.0\n\n\n\nidna==3.6\n"), ("more.txt", "x\n")]);
        world.github.drop_pending();
        world.time_comes("2026-03-09T06:00:00Z").await;
        let pull = world.pull("acme/api");
        assert_eq!(world.github.commits("acme/api", &pull.head_branch).unwrap()[0].parents, [known]);
        let diff = world.github.pull_diff("acme/api", pull.number).unwrap();
        assert!(!diff.contains("more.txt") && !diff.contains("idna"), "{diff}");
    }

    /// History is rewritten, and nobody told of it: the change is on a commit that is not in it any more.
    async fn a_rewritten_history_is_read_anew(world: World) {
        world.api_waits_for_monday().await;
        let commit = world.github.commit_as(("alice", "alice@example.com"), "acme/api", None, &[
            github_sim::FileChangeInput::put("requirements.txt", "# anew\nhttpx==0.27.0\n"),
            github_sim::FileChangeInput::put(".mass-driver.yaml", "delay: weekly\nsubscriptions: [pypi]\n"),
        ], "Begin anew").unwrap();
        world.github.force_push("acme/api", "main", &commit).unwrap();
        world.settle().await;
        world.time_comes("2026-03-09T06:00:00Z").await;
        let pull = world.pull("acme/api");
        assert_eq!(world.github.commits("acme/api", &pull.head_branch).unwrap()[0].parents, [commit]);
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "# anew\nhttpx==0.28.0\n");
    }

    /// The App may not open pull requests, until the owner lets it: then it does so at once, and not a day later.
    async fn what_failed_for_want_of_a_permission_is_tried_when_it_is_granted(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        world.github.organization("poor");
        let installation = world.github.install_with("poor", InstallOptions::default().without("pull_requests")).unwrap();
        world.repository("poor/api", &[("requirements.txt", "httpx==0.27.0\n"), (".mass-driver.yaml", "subscriptions: [pypi]\n")]).await;
        let failed = world.proposals("poor/api", ProposalState::Failed).await;
        assert_eq!(failed.len(), 1);
        assert!(failed[0].reason.contains("permission"), "{}", failed[0].reason);
        world.bot_looks().await;
        assert!(world.open("poor/api").is_empty());
        world.github.accept_permissions(installation, InstallOptions::default().permissions).unwrap();
        world.settle().await;
        assert_eq!(world.open("poor/api"), ["Bump httpx from 0.27.0 to 0.28.0"]);
        assert!(world.proposals("poor/api", ProposalState::Failed).await.is_empty(), "it does not count as failed any more");
    }
}

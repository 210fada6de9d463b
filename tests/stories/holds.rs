//! A branch that is left as it is: for whose sake, how that shows, and how it ends.

use crate::revisions::{FILE, api, comments, somebody_commits};
use crate::reworks::{a_moment_passes, neighbours, says};
use crate::{World, stories, stories_at_any_pace};
use github_sim::{Fault, FaultKind, InstallOptions};
use jiff::SignedDuration;
use mass_driver::domain::ProposalState;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Whether the one open pull request is marked as one that needs a person.
fn is_marked(world: &World) -> bool {
    world.pull("acme/api").labels.contains(&"mass-driver: needs a person".to_string())
}

/// A person's commit and the base change the same line, and nothing newer waits. Returns the commit that the bot left.
async fn in_conflict(world: &World) -> String {
    api(world).await;
    let ours = world.pull("acme/api").head_sha;
    somebody_commits(world, "requirements.txt", "httpx==0.28.0  # because\n").await;
    world.push("acme/api", &[("requirements.txt", "httpx==0.27.0  # for now\n")]).await;
    a_moment_passes(world).await;
    assert!(is_marked(world));
    ours
}

async fn permissions_are_granted(world: &World) {
    world.github.accept_permissions(world.installation, InstallOptions::default().permissions).unwrap();
    world.settle().await;
    a_moment_passes(world).await;
}

/// A newer version that waits, as a person has written something else where it would go. Returns the number, and the commit
/// that the bot left on the branch.
async fn held(world: &World) -> (i64, String) {
    let number = api(world).await;
    let ours = world.pull("acme/api").head_sha;
    somebody_commits(world, "requirements.txt", "httpx>=0.20\n").await;
    world.registry.release("httpx", "0.28.1");
    world.bot_looks().await;
    assert!(world.waiting("acme/api").await[0].contains("people's commits on #1 come first"));
    (number, ours)
}

/// Two pull requests for neighbouring lines: one is merged, and the bot may not make the other one anew.
async fn refused(world: &World) -> (i64, String) {
    let (first, second) = neighbours(world).await;
    let head = world.github.pull_request("acme/api", second).unwrap().head_sha;
    let refusal = FaultKind::Status { status: 403, message: "Resource not accessible by integration".into() };
    world.github.fault(Fault::once("PATCH", "/repos/*/*/git/refs/**", refusal).times(50));
    world.github.merge("acme/api", first).unwrap();
    world.settle().await;
    a_moment_passes(world).await;
    world.github.clear_faults();
    let pull = world.pull("acme/api");
    assert_eq!((pull.number, &pull.head_sha), (second, &head));
    let said = comments(world, second);
    assert!(said.len() == 1 && said[0].starts_with("This branch is left as it is: "), "{said:?}");
    assert!(!said[0].contains("people"), "nobody has committed to it: {said:?}");
    (second, head)
}

stories_at_any_pace! {
    async fn what_keeps_the_bot_from_a_branch_of_its_own_does_not_keep_newer_versions_from_it(world: World) {
        let (number, head) = refused(&world).await;
        world.registry.release("rich", "1.2.0");
        world.bot_looks().await;
        let pull = world.pull("acme/api");
        assert_eq!((pull.number, pull.title.as_str()), (number, "Bump rich from 1.0.0 to 1.2.0"));
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==1.1.0\nrich==1.2.0\n");
        assert_ne!(pull.head_sha, head);
    }

    async fn a_reset_of_the_branch_to_the_bots_commit_makes_room(world: World) {
        let (number, ours) = held(&world).await;
        let branch = world.pull("acme/api").head_branch;
        world.github.force_push("acme/api", &branch, &ours).unwrap();
        world.settle().await;
        let pull = world.pull("acme/api");
        assert_eq!((pull.number, pull.title.as_str()), (number, "Bump httpx from 0.27.0 to 0.28.1"));
        assert_eq!(world.file("acme/api", &branch, "requirements.txt"), "httpx==0.28.1\n");
    }

    async fn a_push_while_it_was_closed_makes_room(world: World) {
        let (number, _) = held(&world).await;
        let branch = world.pull("acme/api").head_branch;
        // Nothing is to come of the newer version meanwhile.
        world.registry.yank("httpx", "0.28.1");
        world.bot_looks().await;
        world.github.close("acme/api", number).unwrap();
        world.settle().await;
        assert_eq!(world.proposals("acme/api", ProposalState::Closed).await.len(), 1);
        let text: &[u8] = b"httpx==0.28.0\n";
        world.github.push("acme/api", &branch, &[("requirements.txt", Some(text))], "a person's commit").unwrap();
        assert!(world.github.pull_request("acme/api", number).unwrap().labels.len() == 2, "it is marked");
        world.github.reopen("acme/api", number).unwrap();
        world.settle().await;
        world.time_passes(MINUTE).await;
        assert_eq!(world.pull("acme/api").labels, ["deps"]);
        world.registry.release("httpx", "0.28.2");
        world.bot_looks().await;
        let pull = world.pull("acme/api");
        assert_eq!((pull.number, pull.title.as_str()), (number, "Bump httpx from 0.27.0 to 0.28.2"));
        assert_eq!(world.file("acme/api", &branch, "requirements.txt"), "httpx==0.28.2\n");
    }

    async fn a_conflict_is_looked_at_again_when_a_person_pushes(world: World) {
        let ours = in_conflict(&world).await;
        somebody_commits(&world, "notes.txt", "mine\n").await;
        a_moment_passes(&world).await;
        world.time_passes(MINUTE).await;
        assert!(is_marked(&world), "it conflicts as before");
        let pull = world.pull("acme/api");
        assert_eq!(comments(&world, pull.number).len(), 1, "{:?}", comments(&world, pull.number));
        world.github.force_push("acme/api", &pull.head_branch, &ours).unwrap();
        world.settle().await;
        a_moment_passes(&world).await;
        world.time_passes(MINUTE).await;
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==0.28.0  # for now\n");
        assert!(!is_marked(&world));
    }

    async fn a_base_that_takes_its_change_back_makes_room(world: World) {
        in_conflict(&world).await;
        world.push("acme/api", &[("requirements.txt", "httpx==0.27.0\n")]).await;
        a_moment_passes(&world).await;
        world.time_passes(MINUTE).await;
        assert_eq!(world.pull("acme/api").labels, ["deps"]);
        assert!(world.store.held_of(&[world.repo_id("acme/api").await]).await.unwrap().is_empty());
    }

    async fn the_label_stays_where_recreate_was_refused(world: World) {
        let number = api(&world).await;
        somebody_commits(&world, "src/fix.py", "fixed = True\n").await;
        let refusal = FaultKind::Status { status: 403, message: "Resource not accessible by integration".into() };
        world.github.fault(Fault::once("PATCH", "/repos/*/*/git/refs/**", refusal).times(50));
        says(&world, "/mass-driver recreate").await;
        world.github.clear_faults();
        // Every open pull request is looked at, and nobody has pushed.
        world.restart().await;
        world.time_passes(MINUTE).await;
        assert!(is_marked(&world), "{:?}", comments(&world, number));
        permissions_are_granted(&world).await;
        world.time_passes(MINUTE).await;
        assert!(!is_marked(&world), "GitHub can merge it");
    }

    async fn what_is_held_is_not_said_to_be_opened_next(world: World) {
        held(&world).await;
        let outlook = world.outlook("acme/api").await;
        let reasons: Vec<&str> = outlook.iter().map(|row| row.reason.as_str()).collect();
        assert!(reasons.iter().any(|why| why.contains("people's commits on #1 come first")), "{reasons:?}");
        assert!(!reasons.iter().any(|why| why.contains("opened next")), "{reasons:?}");
    }
}

/// A pull request for the first line of a file with many, and a person's commit on its branch.
async fn with_a_persons_commit(world: &World, path: &str, text: &str) -> i64 {
    for version in ["0.27.0", "0.28.0"] {
        world.registry.release("httpx", version);
    }
    world.repository("acme/api", &[("requirements.txt", &format!("httpx==0.27.0\n{LINES}")), FILE]).await;
    somebody_commits(world, path, text).await;
    world.pull("acme/api").number
}

const LINES: &str = "# one\n# two\n# three\n# four\n";

stories! {
    /// A look whether it can be merged is under way by then.
    async fn the_label_stays_where_nothing_has_moved_since_recreate_was_refused(world: World) {
        let number = with_a_persons_commit(&world, "src/fix.py", "fixed = True\n").await;
        world.push("acme/api", &[("requirements.txt", &format!("httpx==0.27.0\n{LINES}# five\n"))]).await;
        let refusal = FaultKind::Status { status: 403, message: "Resource not accessible by integration".into() };
        world.github.fault(Fault::once("PATCH", "/repos/*/*/git/refs/**", refusal).times(50));
        says(&world, "/mass-driver recreate").await;
        world.github.clear_faults();
        world.time_passes(MINUTE).await;
        assert!(is_marked(&world), "{:?}", comments(&world, number));
    }

    async fn a_newer_version_that_is_held_is_marked_once_however_often_the_base_moves(world: World) {
        with_a_persons_commit(&world, "requirements.txt", &format!("httpx>=0.20\n{LINES}")).await;
        world.registry.release("httpx", "0.28.1");
        world.bot_looks().await;
        world.time_passes(MINUTE).await;
        assert!(is_marked(&world));
        // Somebody has always looked at it on GitHub before, which works out by that whether it can be merged.
        world.github.set_limits(|limits| limits.unknown_mergeability = 0);
        let mark = world.github.mark();
        for n in 5..8 {
            world.push("acme/api", &[("requirements.txt", &format!("httpx==0.27.0\n{LINES}# {n}\n"))]).await;
            a_moment_passes(&world).await;
            world.time_passes(MINUTE).await;
        }
        let asked = world.requests_since(mark);
        let writes = asked.iter().filter(|request| request.contains("/labels")).count();
        assert_eq!(writes, 0, "{asked:#?}");
        assert!(is_marked(&world));
        assert!(world.waiting("acme/api").await[0].contains("people's commits on #1 come first"));
    }

    async fn a_permission_that_is_granted_ends_what_its_want_held_up(world: World) {
        let (number, _) = refused(&world).await;
        assert!(is_marked(&world));
        permissions_are_granted(&world).await;
        world.time_passes(MINUTE).await;
        let pull = world.pull("acme/api");
        assert_eq!(pull.number, number);
        assert!(!is_marked(&world));
        assert_eq!(world.file("acme/api", &pull.head_branch, "requirements.txt"), "httpx==1.1.0\nrich==1.1.0\n");
    }
    /// The newer version is held for a reason of its own before the label of the older one comes off.
    async fn the_label_of_a_newer_version_stays(world: World) {
        held(&world).await;
        somebody_commits(&world, "requirements.txt", "httpx==0.28.0\n").await;
        assert_eq!(world.pull("acme/api").title, "Bump httpx from 0.27.0 to 0.28.1");
        world.push("acme/api", &[("requirements.txt", "httpx==0.27.0  # for now\n")]).await;
        a_moment_passes(&world).await;
        world.time_passes(MINUTE).await;
        assert!(is_marked(&world));
    }

    async fn the_label_is_taken_off_when_an_archive_ends(world: World) {
        held(&world).await;
        somebody_commits(&world, "requirements.txt", "httpx==0.28.0\n").await;
        world.github.archive("acme/api").unwrap();
        world.time_passes(MINUTE).await;
        world.github.unarchive("acme/api").unwrap();
        world.settle().await;
        assert!(!is_marked(&world));
    }
}

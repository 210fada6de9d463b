//! `automerge`: what is merged without a person, and what never is.

use crate::{World, stories, stories_at_any_pace};
use github_sim::{Colour, Fault, FaultKind, FileChangeInput, MergeMethod, Permissions, Protection, ReviewVerdict};
use jiff::SignedDuration;
use mass_driver::domain::{InstallationId, ProposalState, PullNumber};
use mass_driver::pipeline::Step;

pub const FILE: &str = "automerge: minor\nsubscriptions: [pypi]\n";
pub const API: &str = "acme/api";
/// What every reason begins with.
const OPEN: &str = "pull request #1 is open";

/// A pull request of ours from httpx 0.27.0 to 0.28.0, open long enough that no other check is waited for. Its head.
pub async fn open(world: &World, file: &str) -> String {
    world.repository_using_httpx(API, file).await;
    world.registry.release("httpx", "0.28.0");
    world.bot_looks().await;
    world.time_passes(SignedDuration::from_mins(3)).await;
    world.pull(API).head_sha
}

/// A check turns a colour, and as much time goes by as GitHub needs to work out whether the pull request merges.
pub async fn turns(world: &World, head: &str, check: &str, colour: Colour) {
    world.github.set_check(API, head, check, colour).unwrap();
    passes(world).await;
}

pub async fn passes(world: &World) {
    world.settle().await;
    world.time_passes(SignedDuration::from_mins(1)).await;
}

/// Why it is not merged, as people are told.
pub async fn why(world: &World) -> String {
    let open = world.proposals(API, ProposalState::Open).await;
    assert_eq!(open.len(), 1, "{open:#?}");
    let reason = open[0].reason.strip_prefix(OPEN).unwrap_or(&open[0].reason);
    reason.trim_start_matches("; ").replace("it is not merged yet: ", "")
}

/// How often GitHub was asked to merge.
pub fn asked(world: &World) -> usize {
    world.github.requests_since(0).iter().filter(|e| e.method == "PUT" && e.path.ends_with("/merge")).count()
}

/// Looks whether to merge, before anybody hears of what happened.
pub async fn looks_first(world: &World) {
    let repo = world.repo_id(API).await;
    let mut tx = world.store.begin().await.unwrap();
    let step = Step::Merge { repo, number: PullNumber(1) };
    step.queue(&mut tx, Some(InstallationId(world.installation)), world.clock_now()).await.unwrap();
    tx.commit().await.unwrap();
    world.work().await;
    passes(world).await;
}

pub async fn is_merged(world: &World) -> bool {
    world.proposals(API, ProposalState::Merged).await.len() == 1
}

stories_at_any_pace! {
    async fn what_is_green_is_merged_and_its_branch_removed(world: World) {
        let head = open(&world, FILE).await;
        assert_eq!(why(&world).await, "no check has reported on it");
        turns(&world, &head, "build", Colour::Green).await;
        let merged = world.proposals(API, ProposalState::Merged).await;
        assert_eq!(merged[0].reason, "pull request #1 was merged by the bot, as `automerge` asks for");
        assert_eq!(world.file(API, "main", "requirements.txt"), "httpx==0.28.0\n");
        assert_eq!(world.github.branches(API).unwrap().len(), 1, "its branch is gone");
        assert_eq!(asked(&world), 1);
    }

    /// The answer never came: the merge is found, and not asked for again.
    async fn killed_in_the_middle_of_the_merge(world: World) {
        let head = open(&world, FILE).await;
        world.github.set_limits(|limits| limits.unknown_mergeability = 0);
        world.github.set_check(API, &head, "build", Colour::Green).unwrap();
        world.github.deliver_pending().await;
        world.dies_at("PUT", "/repos/acme/api/pulls/1/merge", FaultKind::HangAfter).await;
        passes(&world).await;
        assert!(is_merged(&world).await);
        assert_eq!(asked(&world), 1);
        assert_eq!(world.github.branches(API).unwrap().len(), 1, "its branch is gone");
    }
}

stories! {
    async fn a_red_check_beside_a_green_one_stops_it(world: World) {
        let head = open(&world, FILE).await;
        world.github.set_check(API, &head, "lint", Colour::Green).unwrap();
        turns(&world, &head, "build", Colour::Red).await;
        assert_eq!(why(&world).await, "the check `build` did not succeed");
        turns(&world, &head, "build", Colour::Pending).await;
        assert_eq!(why(&world).await, "the check `build` has not ended");
        assert_eq!(asked(&world), 0);
        turns(&world, &head, "build", Colour::Green).await;
        assert!(is_merged(&world).await);
    }

    /// The older sister of a check counts as much.
    async fn a_commit_status_that_is_not_green_stops_it(world: World) {
        let head = open(&world, FILE).await;
        world.github.set_status(API, &head, "ci/old", Colour::Red).unwrap();
        turns(&world, &head, "build", Colour::Green).await;
        assert_eq!(why(&world).await, "the check `ci/old` did not succeed");
        world.github.set_status(API, &head, "ci/old", Colour::Pending).unwrap();
        passes(&world).await;
        assert_eq!(why(&world).await, "the check `ci/old` has not ended");
        assert_eq!(asked(&world), 0);
        world.github.set_status(API, &head, "ci/old", Colour::Green).unwrap();
        passes(&world).await;
        assert!(is_merged(&world).await);
    }

    async fn a_status_alone_is_enough(world: World) {
        let head = open(&world, FILE).await;
        world.github.set_status(API, &head, "ci/old", Colour::Green).unwrap();
        passes(&world).await;
        assert!(is_merged(&world).await);
    }

    async fn without_a_check_nothing_is_ever_merged(world: World) {
        open(&world, FILE).await;
        for _ in 0..3 {
            world.time_passes(SignedDuration::from_hours(24)).await;
            world.duties().await;
        }
        assert_eq!(why(&world).await, "no check has reported on it");
        assert_eq!(asked(&world), 0);
    }

    async fn what_was_only_skipped_is_no_check(world: World) {
        let head = open(&world, FILE).await;
        for (name, conclusion) in [("docs", "skipped"), ("size", "neutral")] {
            world.github.check_run(API, &head, name, conclusion).unwrap();
        }
        passes(&world).await;
        assert_eq!(why(&world).await, "no check of it succeeded, all were skipped or neutral");
        turns(&world, &head, "build", Colour::Green).await;
        assert!(is_merged(&world).await);
    }

    /// The first of several is green within seconds, and the others have not begun.
    async fn a_green_check_is_not_believed_at_once(world: World) {
        world.repository_using_httpx(API, FILE).await;
        world.registry.release("httpx", "0.28.0");
        world.bot_looks().await;
        let head = world.pull(API).head_sha;
        world.github.set_check(API, &head, "lint", Colour::Green).unwrap();
        world.settle().await;
        assert_eq!(why(&world).await, "more checks may begin");
        world.github.set_check(API, &head, "build", Colour::Pending).unwrap();
        world.time_passes(SignedDuration::from_mins(3)).await;
        assert_eq!(why(&world).await, "the check `build` has not ended");
        assert_eq!(asked(&world), 0);
    }

    async fn what_a_person_has_put_commits_on_is_theirs_to_merge(world: World) {
        let head = open(&world, FILE).await;
        let branch = world.pull(API).head_branch;
        let files = [FileChangeInput::put("NOTES.md", "mine\n")];
        let theirs = world.github.push_as("alice", API, &branch, &files, "mine").unwrap();
        world.github.set_check(API, &head, "build", Colour::Green).unwrap();
        turns(&world, &theirs, "build", Colour::Green).await;
        assert_eq!(why(&world).await, "somebody else has put commits on its branch");
        assert_eq!(asked(&world), 0);
    }

    async fn a_draft_is_not_merged_until_it_is_none(world: World) {
        let head = open(&world, "automerge: minor\ndraft: true\nsubscriptions: [pypi]\n").await;
        turns(&world, &head, "build", Colour::Green).await;
        assert_eq!(why(&world).await, "it is a draft");
        assert_eq!(asked(&world), 0);
        world.github.set_draft(API, 1, false).unwrap();
        passes(&world).await;
        assert!(is_merged(&world).await);
    }

    async fn what_the_protection_of_the_branch_refuses_is_told_in_githubs_words(world: World) {
        let head = open(&world, FILE).await;
        let rules = Protection { required_checks: vec!["build".into(), "e2e".into()], ..Protection::default() };
        world.github.protect(API, "main", rules).unwrap();
        turns(&world, &head, "build", Colour::Green).await;
        assert_eq!(why(&world).await, "GitHub does not merge it: Required status check \"e2e\" is expected");
        assert_eq!(asked(&world), 1);
        turns(&world, &head, "e2e", Colour::Green).await;
        assert!(is_merged(&world).await);
    }

    async fn who_asks_for_changes_stops_it_until_they_think_otherwise(world: World) {
        let head = open(&world, FILE).await;
        world.github.review(API, 1, "alice", ReviewVerdict::RequestChanges).unwrap();
        world.github.review(API, 1, "alice", ReviewVerdict::Comment).unwrap();
        world.github.review(API, 1, "bob", ReviewVerdict::Approve).unwrap();
        turns(&world, &head, "build", Colour::Green).await;
        assert_eq!(why(&world).await, "somebody asks for changes in a review");
        assert_eq!(asked(&world), 0);
        world.github.dismiss_reviews(API, 1, "alice").unwrap();
        passes(&world).await;
        assert!(is_merged(&world).await);
    }

    async fn what_github_has_not_worked_out_waits(world: World) {
        let head = open(&world, FILE).await;
        world.github.hold_mergeability(API, 1, 3).unwrap();
        turns(&world, &head, "build", Colour::Green).await;
        assert_eq!(why(&world).await, "GitHub has not worked out yet whether it merges");
        assert_eq!(asked(&world), 0);
        for _ in 0..5 {
            world.time_passes(SignedDuration::from_mins(5)).await;
        }
        assert!(is_merged(&world).await);
    }

    /// A person has changed the line beside ours.
    /// The commit that was green is not the one that is merged: checks begin anew.
    async fn what_conflicted_with_its_base_is_merged_when_its_new_head_is_green(world: World) {
        let head = open(&world, FILE).await;
        let text = "httpx==0.27.0\n# and nothing else\n";
        world.push(API, &[("requirements.txt", text)]).await;
        turns(&world, &head, "build", Colour::Green).await;
        let anew = world.pull(API).head_sha;
        assert_ne!(anew, head);
        world.time_passes(SignedDuration::from_mins(3)).await;
        assert_eq!((why(&world).await.as_str(), asked(&world)), ("no check has reported on it", 0));
        turns(&world, &anew, "build", Colour::Green).await;
        assert!(is_merged(&world).await);
        assert_eq!(world.file(API, "main", "requirements.txt"), text.replace("0.27.0", "0.28.0"));
    }

    async fn what_conflicts_with_its_base_is_not_merged(world: World) {
        let head = open(&world, FILE).await;
        // As long as GitHub refuses new commits there, nothing brings it up to date.
        let refused = FaultKind::Status { status: 403, message: "Resource not accessible by integration".to_owned() };
        world.github.fault(Fault::once("POST", "/repos/acme/api/git/trees", refused).times(100));
        world.push(API, &[("requirements.txt", "httpx==0.27.0\n# and nothing else\n")]).await;
        turns(&world, &head, "build", Colour::Green).await;
        assert_eq!((why(&world).await.as_str(), asked(&world)), ("it conflicts with its base", 0));
    }

    /// 0.27.0 to 0.28.0 is a minor step.
    async fn a_step_that_the_file_does_not_name_is_for_a_person(world: World) {
        let head = open(&world, "automerge: patch\nsubscriptions: [pypi]\n").await;
        turns(&world, &head, "build", Colour::Green).await;
        assert_eq!(why(&world).await, "a person has to merge it: `automerge` does not name minor updates (httpx)");
        assert_eq!(asked(&world), 0);
        world.push(API, &[(".mass-driver.yaml", "subscriptions: [{ migration: pypi, automerge: [minor] }]\n")]).await;
        world.time_passes(SignedDuration::from_mins(3)).await;
        passes(&world).await;
        assert!(is_merged(&world).await, "what is open is looked at again when the file says otherwise");
    }

    async fn without_the_key_nothing_is_said_or_asked(world: World) {
        let head = open(&world, "subscriptions: [pypi]\n").await;
        let mark = world.github.mark();
        world.github.set_status(API, &head, "ci", Colour::Green).unwrap();
        passes(&world).await;
        assert_eq!(why(&world).await, "");
        assert!(world.requests_since(mark).is_empty(), "{:?}", world.requests_since(mark));
    }

    /// A file that cannot be used may be meant to forbid it.
    async fn while_the_file_is_broken_nothing_is_merged(world: World) {
        let head = open(&world, FILE).await;
        world.push(API, &[(".mass-driver.yaml", "automerge: nope\nsubscriptions: [pypi]\n")]).await;
        turns(&world, &head, "build", Colour::Green).await;
        assert_eq!(why(&world).await, "the subscription file cannot be used as it is");
        world.push(API, &[(".mass-driver.yaml", FILE)]).await;
        passes(&world).await;
        assert!(is_merged(&world).await);
    }

    async fn what_the_plan_does_not_want_any_more_is_not_merged(world: World) {
        let head = open(&world, FILE).await;
        let file = "automerge: minor\nsubscriptions: [{ migration: pypi, ignore: httpx }]\n";
        world.push(API, &[(".mass-driver.yaml", file)]).await;
        turns(&world, &head, "build", Colour::Green).await;
        assert_eq!(asked(&world), 0);
        assert!(!is_merged(&world).await);
    }

    /// The owner has not let the App read statuses: then nothing is known of all checks.
    async fn without_the_permission_to_read_statuses_nothing_is_merged(world: World) {
        let granted = [("metadata", "read"), ("contents", "write"), ("pull_requests", "write"), ("checks", "write")];
        let granted: Permissions = granted.map(|(name, level)| (name.to_owned(), level.to_owned())).into();
        world.github.accept_permissions(world.installation, granted).unwrap();
        let head = open(&world, FILE).await;
        turns(&world, &head, "build", Colour::Green).await;
        let needs = "the App needs the permission metadata=read, statuses=read, granted by the account's owner";
        assert_eq!(why(&world).await, needs);
        assert_eq!(asked(&world), 0);
    }

    async fn the_way_of_merging_is_the_first_that_the_repository_allows(world: World) {
        let head = open(&world, FILE).await;
        world.github.allow_merges(API, &[MergeMethod::Rebase, MergeMethod::Squash]).unwrap();
        turns(&world, &head, "build", Colour::Green).await;
        assert!(is_merged(&world).await);
        let sent = world.github.exchanges().into_iter().find(|e| e.method == "PUT").unwrap();
        let body = sent.request_body.unwrap();
        assert_eq!((&body["merge_method"], &body["sha"]), (&"squash".into(), &head.as_str().into()));
    }

    async fn a_way_of_merging_that_the_repository_forbids_is_told(world: World) {
        let head = open(&world, "automerge: minor\nmerge_method: rebase\nsubscriptions: [pypi]\n").await;
        world.github.allow_merges(API, &[MergeMethod::Merge]).unwrap();
        turns(&world, &head, "build", Colour::Green).await;
        let said = "GitHub does not merge it: Rebase merges are not allowed on this repository";
        assert_eq!(why(&world).await, said);
    }

    /// One has a lease that ran out while GitHub was asked: the other merges, and the first stores nothing.
    async fn two_steps_at_once_merge_once(world: World) {
        let head = open(&world, FILE).await;
        world.github.set_check(API, &head, "build", Colour::Green).unwrap();
        world.settle().await;
        world.clock_moves(SignedDuration::from_mins(1));
        let first = world.claims("merge").await;
        world.is_taken_over(&first).await;
        assert!(world.walks(&first).await.is_err(), "it is fenced out before it asks");
        assert_eq!(asked(&world), 0);
        passes(&world).await;
        assert!(is_merged(&world).await);
        assert_eq!(asked(&world), 1);
    }

    /// A person was faster: that is seen, and nothing is asked for.
    async fn what_a_person_merges_is_theirs(world: World) {
        let head = open(&world, FILE).await;
        world.github.set_check(API, &head, "build", Colour::Green).unwrap();
        world.github.merge(API, 1).unwrap();
        looks_first(&world).await;
        assert_eq!(asked(&world), 0);
        let merged = world.proposals(API, ProposalState::Merged).await;
        assert_eq!(merged[0].reason, "pull request #1 was merged");
    }

    /// GitHub cannot be asked just now, and the check is read later.
    async fn a_check_that_cannot_be_read_is_not_taken_for_green(world: World) {
        let head = open(&world, FILE).await;
        let path = format!("/repos/acme/api/commits/{head}/status");
        world.github.fault(Fault::once("GET", &path, FaultKind::BadGateway));
        world.github.set_status(API, &head, "ci", Colour::Red).unwrap();
        turns(&world, &head, "build", Colour::Green).await;
        assert_eq!(why(&world).await, "the check `ci` did not succeed");
        assert_eq!(asked(&world), 0);
    }

    /// GitHub tells of a hundred checks at a time.
    async fn the_last_of_many_checks_counts_like_the_first(world: World) {
        let head = open(&world, FILE).await;
        let name = |n: usize| format!("check-{n:03}");
        for n in 0..120 {
            let colour = if n == 0 { Colour::Red } else { Colour::Green };
            world.github.set_check(API, &head, &name(n), colour).unwrap();
        }
        // One event is enough.
        world.github.drop_pending();
        turns(&world, &head, &name(0), Colour::Red).await;
        assert_eq!(why(&world).await, "the check `check-000` did not succeed");
        world.github.set_check(API, &head, &name(119), Colour::Red).unwrap();
        world.github.drop_pending();
        turns(&world, &head, &name(0), Colour::Green).await;
        assert_eq!(why(&world).await, "the check `check-119` did not succeed");
        assert_eq!(asked(&world), 0);
    }
}

//! Which steps an event asks for: a table, without a server.

use crate::rows::repository;
use crate::scene::now;
use jiff::SignedDuration;
use mass_driver::domain::{
    Head, InstallationId, ObjectId, Proposal, ProposalId, ProposalState, PullNumber, PullRequest, RepoId, RepoName,
    RepoPath, RepoState,
};
use mass_driver::forge::webhook::{ChangedPaths, Event, EventKind, Push, RepoFacts, parse_event};
use mass_driver::pipeline::Step;
use mass_driver::pipeline::inbox::{Decision, KnownBranch, KnownRepository, steps_for};
use mass_driver::store::{Config, ConfigState, RepositoryRow};
use rstest::rstest;
use serde_json::json;

pub(crate) const REPO: RepoId = RepoId(42);
const INSTALLATION: InstallationId = InstallationId(7);

pub(crate) fn object(digit: char) -> ObjectId {
    ObjectId::parse(&digit.to_string().repeat(40)).unwrap()
}

fn name(text: &str) -> RepoName {
    RepoName::parse(text).unwrap()
}

/// `acme/api` as the store has it: at commit `a`, indexed, with a subscription file and one include.
pub(crate) fn known() -> KnownRepository {
    let repository = repository(REPO.0, "acme/api");
    let config = Config {
        path: Some(RepoPath::parse(".mass-driver.yaml").unwrap()),
        state: ConfigState::Valid,
        file: Some(json!({})),
        ..Config::none()
    };
    KnownRepository {
        row: RepositoryRow {
            repository,
            head: Some(Head { commit: object('a'), tree: object('1') }),
            config,
            synced_at: Some(now()),
            pushed_at: None,
            indexed_commit: Some(object('a')),
            note: None,
            updated_at: now(),
        },
        tracked: ["requirements.txt", "deps/shared.lst"].map(String::from).into(),
        lock_files: [RepoPath::parse("Cargo.lock").unwrap()].into(),
        proposal: None,
        is_held: false,
        onboarding: None,
        may_be_onboarded: false,
        pulls_at_head: Vec::new(),
        branch: KnownBranch::default(),
    }
}

/// A push to its default branch, from commit `a` to `b`.
pub(crate) fn push(paths: &[&str]) -> Push {
    Push {
        repository: RepoFacts { name: name("acme/api"), default_branch: Some("main".into()), state: RepoState::Active },
        branch: Some("main".into()),
        is_default_branch: true,
        among_others: [].into(),
        before: object('a'),
        after: object('b'),
        deleted: false,
        tree: Some(object('2')),
        changed: ChangedPaths::Known(paths.iter().map(ToString::to_string).collect()),
        pushed_at: None,
    }
}

/// Commit `a` was left for `b` and taken back by force; the event of the first push comes after that of the second.
#[test]
fn a_push_from_before_the_last_one_known_proves_nothing() {
    let minutes = |minutes| Some(now() + SignedDuration::from_mins(minutes));
    let known = KnownRepository { row: RepositoryRow { pushed_at: minutes(2), ..known().row }, ..known() };
    let at = |pushed_at| decide(Push { pushed_at, ..push(&["README.md"]) }, Some(&known));
    assert_eq!(short(&at(minutes(1))), (vec!["sync_repository"], false, false));
    for pushed_at in [minutes(2), minutes(3), None] {
        assert_eq!(short(&at(pushed_at)), (vec![], true, true), "{pushed_at:?}");
    }
}

fn event(kind: EventKind) -> Event {
    Event { installation: Some(INSTALLATION), repo: Some(REPO), action: None, kind }
}

pub(crate) fn decide(push: Push, known: Option<&KnownRepository>) -> Decision {
    steps_for(&event(EventKind::Push(Box::new(push))), known)
}

/// A decision in short: the steps' names, whether the head moves, whether everything is indexed there.
fn short(decision: &Decision) -> (Vec<&'static str>, bool, bool) {
    (decision.steps.iter().map(Step::name).collect(), decision.head.is_some(), decision.indexed)
}

type Expected = (&'static [&'static str], bool, bool);
const NOTHING: Expected = (&[], false, false);
const SYNC: Expected = (&["sync_repository"], false, false);
/// The head moves, and nobody is asked.
const MOVES: Expected = (&[], true, true);
/// The same where nothing is indexed: the head is followed, so that a lost push is noticed.
const FOLLOWS: Expected = (&[], true, false);
const INDEX: Expected = (&["index"], true, false);

#[rstest]
#[case::touches_nothing(&["src/main.rs", "README.md"], MOVES)]
#[case::touches_no_path_at_all(&[], MOVES)]
#[case::touches_a_manifest(&["requirements.txt"], INDEX)]
#[case::adds_a_manifest(&["services/new/Dockerfile"], INDEX)]
#[case::touches_an_include_of_any_name(&["deps/shared.lst"], INDEX)]
#[case::touches_a_file_named_like_an_include_elsewhere(&["other/shared.lst"], MOVES)]
#[case::touches_a_lock_file(&["Cargo.lock"], MOVES)]
#[case::adds_a_lock_file(&["web/yarn.lock"], INDEX)]
#[case::touches_the_file(&[".mass-driver.yaml"], SYNC)]
#[case::adds_the_other_file(&[".mass-driver.yml"], SYNC)]
#[case::touches_the_file_and_a_manifest(&[".mass-driver.yaml", "requirements.txt"], SYNC)]
#[case::touches_a_file_of_that_name_elsewhere(&["docs/.mass-driver.yaml"], MOVES)]
#[case::names_what_is_no_path(&["../../etc/passwd", "", "a\0b"], MOVES)]
fn a_push_on_top_of_the_known_head(#[case] paths: &[&str], #[case] expected: Expected) {
    let decision = decide(push(paths), Some(&known()));
    let (steps, moves, indexed) = short(&decision);
    assert_eq!((steps.as_slice(), moves, indexed), expected, "{}", decision.note);
    if moves {
        assert_eq!(decision.head, Some(Head { commit: object('b'), tree: object('2') }));
    }
    assert!(!decision.note.is_empty());
}

pub(crate) type Spoil = fn(&mut Push, &mut KnownRepository);

#[test]
fn a_push_that_is_not_as_usual() {
    let table: [(&str, Spoil, Expected); 21] = [
        ("delivered twice", |push, _| (push.before, push.after) = (object('0'), object('a')), NOTHING),
        ("overtaken by a later push", |push, _| (push.before, push.after) = (object('c'), object('d')), SYNC),
        ("late", |push, _| (push.before, push.after) = (object('8'), object('9')), SYNC),
        ("too large to be told", |push, _| push.changed = ChangedPaths::Truncated, SYNC),
        (
            "too large and delivered twice",
            |push, _| (push.after, push.changed) = (object('a'), ChangedPaths::Truncated),
            SYNC,
        ),
        ("without its tree", |push, _| push.tree = None, SYNC),
        ("of a deleted branch", |push, _| (push.deleted, push.after) = (true, object('0')), NOTHING),
        ("of a tag or another branch", |push, _| push.is_default_branch = false, NOTHING),
        ("to a renamed repository", |push, _| push.repository.name = name("acme/renamed"), SYNC),
        ("to a transferred repository", |push, _| push.repository.name = name("other/api"), SYNC),
        ("to another default branch", |push, _| push.repository.default_branch = Some("trunk".into()), SYNC),
        ("to a repository that came back", |_, known| known.row.repository.state = RepoState::Removed, SYNC),
        ("to a repository no longer archived", |_, known| known.row.repository.state = RepoState::Archived, SYNC),
        ("to a repository never read", |_, known| (known.row.synced_at, known.row.head) = (None, None), SYNC),
        ("to a repository that was empty", |_, known| known.row.head = None, SYNC),
        ("to a repository without the file", |_, known| known.row.config = Config::none(), FOLLOWS),
        (
            "without the file and untold",
            |push, known| {
                (push.changed, known.row.config) = (ChangedPaths::Truncated, Config::none());
            },
            SYNC,
        ),
        (
            "without the file and not read yet",
            |_, known| {
                (known.row.config, known.row.synced_at, known.row.head) = (Config::none(), None, None);
            },
            SYNC,
        ),
        ("with a broken file", |_, known| known.row.config.state = ConfigState::Broken, MOVES),
        ("before the index was there", |_, known| known.row.indexed_commit = None, INDEX),
        ("before the index caught up", |_, known| known.row.indexed_commit = Some(object('9')), INDEX),
    ];
    for (name, spoil, expected) in table {
        let (mut push, mut known) = (push(&["src/main.rs"]), known());
        spoil(&mut push, &mut known);
        let decision = decide(push, Some(&known));
        let (steps, moves, indexed) = short(&decision);
        assert_eq!((steps.as_slice(), moves, indexed), expected, "{name}: {}", decision.note);
    }
}

#[test]
fn bad_input_07_deletions_tags_and_other_branches_ask_for_nothing() {
    let zero = "0".repeat(40);
    let cases = [
        ("deleted", "refs/heads/main", json!(true), zero.clone()),
        ("deleted, and nothing else says so", "refs/heads/main", json!(null), zero),
        ("deleted, in 64 digits", "refs/heads/main", json!(false), "0".repeat(64)),
        ("a tag", "refs/tags/main", json!(false), "b".repeat(40)),
        ("another branch", "refs/heads/topic", json!(false), "b".repeat(40)),
        ("a branch that ends like it", "refs/heads/topic/main", json!(false), "b".repeat(40)),
        ("a note", "refs/notes/commits", json!(false), "b".repeat(40)),
    ];
    for (name, git_ref, deleted, after) in cases {
        let commit = json!({ "id": after, "added": [], "removed": [], "modified": ["README.md"] });
        let body = json!({ "ref": git_ref, "before": "a".repeat(40), "after": after, "deleted": deleted,
            "created": false, "forced": false, "installation": { "id": 7 }, "head_commit": null, "commits": [commit],
            "repository": { "id": 42, "full_name": "acme/api", "default_branch": "main" } });
        let event = parse_event("push", body.to_string().as_bytes()).unwrap();
        let decision = steps_for(&event, Some(&known()));
        assert_eq!(short(&decision), (vec![], false, false), "{name}: {}", decision.note);
    }
}

#[test]
fn the_first_file_of_a_repository_is_read() {
    let mut known = known();
    known.row.config = Config::none();
    let decision = decide(push(&[".mass-driver.yaml"]), Some(&known));
    assert_eq!(decision.steps, [Step::SyncRepository { repo: REPO, details: false, name: None }]);
}

#[test]
fn a_new_name_is_taken_along_to_be_asked_for() {
    let mut push = push(&[]);
    push.repository.name = name("acme/renamed");
    let decision = decide(push, Some(&known()));
    assert_eq!(decision.steps, [Step::SyncRepository { repo: REPO, details: true, name: Some(name("acme/renamed")) }]);
}

#[test]
fn a_push_to_an_unknown_repository_asks_its_installation() {
    let decision = decide(push(&["src/main.rs"]), None);
    assert_eq!(decision.steps, [Step::SyncInstallation { installation: INSTALLATION }]);
    let mut lone = event(EventKind::Push(Box::new(push(&[]))));
    lone.installation = None;
    assert_eq!(short(&steps_for(&lone, None)), (vec![], false, false));
}

/// A proposal whose pull request is open, with commit `c` at its head.
fn open_proposal(number: PullNumber) -> Proposal {
    Proposal {
        id: ProposalId("p".into()),
        repo: REPO,
        group: "pypi/httpx".into(),
        content: "0".into(),
        state: ProposalState::Open,
        reason: "it is open".into(),
        due_at: now(),
        title: "Bump httpx".into(),
        branch: "topic".into(),
        updates: Vec::new(),
        labels: Vec::new(),
        pull: Some(PullRequest { number, url: "https://github.example.com/acme/api/pull/5".into(), head: object('c') }),
        checks: None,
        created_at: now(),
        opened_at: Some(now()),
        updated_at: now(),
    }
}

#[test]
fn what_we_know_of_our_pull_request_needs_no_look() {
    let told = |state: &str, head: char| {
        let body = json!({ "action": "opened", "number": 5, "installation": { "id": 7 }, "repository": { "id": 42 },
            "pull_request": { "number": 5, "state": state, "merged": false, "base": { "ref": "main" },
                "head": { "ref": "topic", "sha": head.to_string().repeat(40) } } });
        parse_event("pull_request", body.to_string().as_bytes()).unwrap()
    };
    let number = PullNumber(5);
    let ours = KnownRepository { proposal: Some(open_proposal(number)), ..known() };
    assert_eq!(steps_for(&told("open", 'c'), Some(&ours)).steps, [], "it tells of our own doing");
    let held = KnownRepository { is_held: true, ..ours.clone() };
    let look = [Step::Follow { repo: REPO, number }];
    assert_eq!(steps_for(&told("open", 'c'), Some(&held)).steps, look, "people's commits are gone from it");
    for event in [told("closed", 'c'), told("open", 'd')] {
        assert_eq!(steps_for(&event, Some(&ours)).steps, [Step::Follow { repo: REPO, number }]);
    }
}

#[test]
fn pull_requests_and_checks_matter_where_they_are_ours() {
    let pull = json!({ "action": "closed", "number": 5, "installation": { "id": 7 }, "repository": { "id": 42 },
        "pull_request": { "number": 5, "state": "closed", "merged": true, "base": { "ref": "main" },
            "head": { "ref": "topic", "sha": "c".repeat(40) } } });
    let pull = parse_event("pull_request", pull.to_string().as_bytes()).unwrap();
    let check = json!({ "action": "completed", "installation": { "id": 7 }, "repository": { "id": 42 },
        "check_run": { "id": 1, "name": "ci", "head_sha": "c".repeat(40), "status": "completed",
            "conclusion": "failure" } });
    let check = parse_event("check_run", check.to_string().as_bytes()).unwrap();

    for event in [&pull, &check] {
        assert_eq!(steps_for(event, None).steps, []);
        assert_eq!(steps_for(event, Some(&known())).steps, [], "somebody else's");
    }
    let number = PullNumber(5);
    let pulls_at_head = vec![number, PullNumber(6)];
    let ours = KnownRepository { proposal: Some(open_proposal(number)), pulls_at_head, ..known() };
    assert_eq!(steps_for(&pull, Some(&ours)).steps, [Step::Follow { repo: REPO, number }]);
    assert_eq!(
        steps_for(&check, Some(&ours)).steps,
        [number, PullNumber(6)].map(|number| Step::Checks { repo: REPO, number })
    );
}

#[test]
fn installations_and_repositories_are_asked_about() {
    let parse = |name: &str, body: serde_json::Value| parse_event(name, body.to_string().as_bytes()).unwrap();
    let sync = [Step::SyncInstallation { installation: INSTALLATION }];
    for action in ["created", "deleted", "suspend", "unsuspend", "new_permissions_accepted"] {
        let event = parse("installation", json!({ "action": action, "installation": { "id": 7 } }));
        assert_eq!(steps_for(&event, None).steps, sync, "{action}");
    }
    for action in ["added", "removed"] {
        let event = parse("installation_repositories", json!({ "action": action, "installation": { "id": 7 } }));
        assert_eq!(steps_for(&event, None).steps, sync, "{action}");
    }
    for action in ["created", "renamed", "transferred", "archived", "unarchived", "deleted", "edited", "privatized"] {
        let event = parse(
            "repository",
            json!({ "action": action, "installation": { "id": 7 },
                "repository": { "id": 42, "full_name": "acme/renamed", "default_branch": "main" } }),
        );
        assert_eq!(steps_for(&event, None).steps, sync, "{action}, unknown");
        let expected = Step::SyncRepository { repo: REPO, details: true, name: Some(name("acme/renamed")) };
        assert_eq!(steps_for(&event, Some(&known())).steps, [expected], "{action}");
    }
}

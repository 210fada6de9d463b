//! Which events ask for a look at the subscription file beside the default branch.

use crate::decisions::{REPO, Spoil, decide, known, object, push};
use mass_driver::domain::{Place, PullNumber, RepoState};
use mass_driver::forge::webhook::{ChangedPaths, parse_event};
use mass_driver::pipeline::Step;
use mass_driver::pipeline::inbox::steps_for;
use mass_driver::store::Config;
use serde_json::json;

/// What is said of the subscription file stands on the newest commit of a branch; whoever leaves it alone costs nothing.
#[test]
fn a_push_beside_the_default_branch_is_looked_at_where_the_file_may_have_changed() {
    let named: &[&str] = &[".mass-driver.yml", "README.md"];
    let table: [(&str, Spoil, bool); 12] = [
        ("names the file", |_, _| {}, true),
        ("names none", |push, _| push.changed = ChangedPaths::Known(["README.md".to_owned()].into()), false),
        (
            "names one elsewhere",
            |push, _| push.changed = ChangedPaths::Known(["a/.mass-driver.yaml".to_owned()].into()),
            false,
        ),
        (
            "names none, on top of an examined commit",
            |push, known| {
                (push.changed, known.branch.is_examined) = (ChangedPaths::Known([].into()), true);
            },
            true,
        ),
        ("does not tell all", |push, _| push.changed = ChangedPaths::Truncated, true),
        (
            "does not tell all, of a branch of ours",
            |push, known| (push.changed, known.branch.is_own) = (ChangedPaths::Truncated, true),
            false,
        ),
        (
            "does not tell all, without a file",
            |push, known| (push.changed, known.row.config) = (ChangedPaths::Truncated, Config::none()),
            false,
        ),
        (
            "does not tell all but the file, without one",
            |push, known| {
                (push.changed, known.row.config) = (ChangedPaths::Truncated, Config::none());
                push.among_others = [".mass-driver.yaml".to_owned()].into();
            },
            true,
        ),
        ("names the first file of a repository", |_, known| known.row.config = Config::none(), true),
        ("of a fork", |_, known| known.row.repository.fork = true, false),
        ("to an archive", |_, known| known.row.repository.state = RepoState::Archived, false),
        ("of a deleted branch", |push, _| (push.deleted, push.after) = (true, object('0')), false),
    ];
    for (what, spoil, is_looked_at) in table {
        let (mut push, mut known) = (push(named), known());
        (push.branch, push.is_default_branch) = (Some("topic".into()), false);
        spoil(&mut push, &mut known);
        let decision = decide(push, Some(&known));
        let examine = Step::Examine { repo: REPO, commit: object('b'), again: false };
        assert_eq!(decision.steps, if is_looked_at { vec![examine] } else { vec![] }, "{what}: {}", decision.note);
        assert_eq!(decision.examination.is_some(), is_looked_at, "{what}");
        if let Some(asked) = decision.examination {
            assert_eq!((asked.place, asked.follows), (Place::Branch("topic".into()), Some(object('a'))), "{what}");
        }
    }
}

#[test]
fn a_pull_request_is_looked_at_where_no_push_tells_of_it() {
    let told = |action: &str, state: &str, head: serde_json::Value| {
        let body = json!({ "action": action, "number": 5, "installation": { "id": 7 }, "repository": { "id": 42 },
            "before": "b".repeat(40), "pull_request": { "number": 5, "state": state, "merged": false,
                "base": { "ref": "main", "repo": { "id": 42 } },
                "head": { "ref": "topic", "sha": "c".repeat(40), "repo": head } } });
        parse_event("pull_request", body.to_string().as_bytes()).unwrap()
    };
    let examine = vec![Step::Examine { repo: REPO, commit: object('c'), again: false }];
    let (fork, gone, same) = (json!({ "id": 43 }), serde_json::Value::Null, json!({ "id": 42 }));
    for (action, state, head, expected) in [
        ("opened", "open", &fork, &examine),
        ("synchronize", "open", &fork, &examine),
        ("reopened", "open", &gone, &examine),
        ("opened", "open", &same, &vec![]),
        ("edited", "open", &fork, &vec![]),
        ("closed", "closed", &fork, &vec![]),
        ("synchronize", "closed", &fork, &vec![]),
    ] {
        let decision = steps_for(&told(action, state, head.clone()), Some(&known()));
        assert_eq!(&decision.steps, expected, "{action} {state} {head}");
        if let Some(asked) = decision.examination {
            assert_eq!((asked.place, asked.follows), (Place::Pull(PullNumber(5)), Some(object('b'))));
        }
    }
}

#[test]
fn our_checks_are_made_again_for_a_person() {
    for (name, what) in [("check_run", "rerequested"), ("check_suite", "rerequested"), ("check_suite", "requested")] {
        let body = json!({ "action": what, "installation": { "id": 7 }, "repository": { "id": 42 },
            name: { "id": 1, "head_sha": "c".repeat(40) } });
        let event = parse_event(name, body.to_string().as_bytes()).unwrap();
        let expected = match what {
            "rerequested" => vec![Step::Examine { repo: REPO, commit: object('c'), again: true }],
            _ => vec![],
        };
        assert_eq!(steps_for(&event, Some(&known())).steps, expected, "{name} {what}");
        assert_eq!(steps_for(&event, None).steps, [], "of a repository that is not known");
    }
}

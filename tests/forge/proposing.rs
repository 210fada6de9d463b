//! From a change to one pull request, however often and wherever the attempt is cut off.

use super::world::*;
use mass_driver::domain::{Change, FileChange, FileMode, ObjectId, PullNumber, RepoPath};
use mass_driver::forge::{ForgeError, PullStatus};
use rstest::rstest;
use serde_json::{Value, json};

const TREES: &str = "/repos/acme/api/git/trees";
const COMMITS: &str = "/repos/acme/api/git/commits";
const REFS: &str = "/repos/acme/api/git/refs";
const PULLS: &str = "/repos/acme/api/pulls";
const BRANCH: &str = "/repos/acme/api/branches/mass-driver%2Fpypi%2Fhttpx";
const FOUR: [&str; 4] = [
    "POST /repos/acme/api/git/trees",
    "POST /repos/acme/api/git/commits",
    "POST /repos/acme/api/git/refs",
    "POST /repos/acme/api/pulls",
];

fn exists() -> Value {
    json!({ "message": "Validation Failed", "errors": [{ "resource": "PullRequest", "code": "custom",
        "message": "A pull request already exists for acme:mass-driver/pypi/httpx." }] })
}

/// A repository in which every write succeeds: tree `d`, commit `e`, pull request 5.
async fn writable() -> World {
    let world = World::new().await;
    world.at("POST", TREES, ok(201, json!({ "sha": id('d'), "tree": [] }))).await;
    world.at("POST", COMMITS, ok(201, json!({ "sha": id('e') }))).await;
    world
        .at("POST", REFS, ok(201, json!({ "ref": "refs/heads/mass-driver/pypi/httpx", "object": { "sha": id('e') } })))
        .await;
    world.at("POST", PULLS, ok(201, pull(5, "open", 'e'))).await;
    world
}

/// What a look finds: these pull requests, and this branch (commit, tree, parent).
async fn sees(world: &World, pulls: Value, tip: Option<(char, char, char)>) {
    world.at("GET", PULLS, ok(200, pulls)).await;
    let answer = match tip {
        Some((commit, tree, parent)) => ok(200, branch("mass-driver/pypi/httpx", commit, tree, parent)),
        None => refusal(404, "Branch not found"),
    };
    world.at("GET", BRANCH, answer).await;
}

#[tokio::test]
async fn a_first_proposal_takes_four_requests() {
    let world = writable().await;
    let proposed = world.github.propose(&target(), &change(), false).await.unwrap();
    assert_eq!((proposed.pull.number, proposed.pull.head, proposed.adopted), (PullNumber(5), id('e'), false));
    assert_eq!(proposed.status, PullStatus::Open);
    assert_eq!(world.asked().await, FOUR);
    assert_eq!(world.tokens_asked().await, 1);
    for request in world.requests().await {
        assert_eq!(request.headers["content-length"], request.body.len().to_string().as_str());
        assert!(!request.headers.contains_key("transfer-encoding"));
        assert_eq!(request.headers.get_all("user-agent").iter().count(), 1);
    }
    assert_eq!(
        world.body("POST", TREES).await,
        json!({ "base_tree": id('b'), "tree": [{ "path": "bin/setup.sh", "mode": "100755", "type": "blob",
            "content": "pip install httpx==0.28.0\n" }] })
    );
    // No author and no committer: only then is the commit shown as verified.
    assert_eq!(
        world.body("POST", COMMITS).await,
        json!({ "message": "Update httpx to 0.28.0", "tree": id('d'), "parents": [id('a')] })
    );
    assert_eq!(world.body("POST", REFS).await, json!({ "ref": "refs/heads/mass-driver/pypi/httpx", "sha": id('e') }));
    assert_eq!(
        world.body("POST", PULLS).await,
        json!({ "title": "Update httpx to 0.28.0", "body": "More.", "base": "main", "head": "mass-driver/pypi/httpx" })
    );
}

#[tokio::test]
async fn a_look_that_finds_nothing_adds_two_requests() {
    let world = writable().await;
    sees(&world, json!([]), None).await;
    assert!(!world.github.propose(&target(), &change(), true).await.unwrap().adopted);
    let asked = world.asked().await;
    assert_eq!(
        asked[0],
        "GET /repos/acme/api/pulls?state=all&head=acme%3Amass-driver%2Fpypi%2Fhttpx&sort=created&direction=desc&per_page=100"
    );
    assert_eq!(asked[1], format!("GET {BRANCH}"));
    assert_eq!(asked[2..], FOUR);
}

#[tokio::test]
async fn the_branch_of_an_earlier_attempt_is_adopted() {
    let world = writable().await;
    sees(&world, json!([]), Some(('f', 'd', 'a'))).await;
    let proposed = world.github.propose(&target(), &change(), true).await.unwrap();
    assert_eq!((proposed.pull.head, proposed.adopted), (id('f'), false));
    let asked = world.asked().await;
    assert!(!asked.iter().any(|line| line.ends_with("/git/commits") || line.ends_with("/git/refs")), "{asked:?}");
}

#[rstest]
#[case::open("open", PullStatus::Open)]
#[case::closed_by_a_person("closed", PullStatus::Closed)]
#[tokio::test]
async fn the_pull_request_of_an_earlier_attempt_is_adopted(#[case] state: &str, #[case] status: PullStatus) {
    let world = writable().await;
    sees(&world, json!([pull(4, state, 'f')]), Some(('f', 'd', 'a'))).await;
    let proposed = world.github.propose(&target(), &change(), true).await.unwrap();
    assert_eq!((proposed.pull.number, proposed.adopted, proposed.status), (PullNumber(4), true, status));
    assert!(!world.asked().await.iter().any(|line| line == FOUR[3]), "no second pull request");
}

#[tokio::test]
async fn a_closed_pull_request_is_known_without_its_branch() {
    let world = writable().await;
    sees(&world, json!([pull(4, "closed", 'f')]), None).await;
    let commit = json!({ "sha": id('f'), "tree": { "sha": id('d') }, "parents": [{ "sha": id('a') }] });
    world.at("GET", &format!("{COMMITS}/{}", id('f')), ok(200, commit)).await;
    let proposed = world.github.propose(&target(), &change(), true).await.unwrap();
    assert_eq!((proposed.pull.number, proposed.adopted, proposed.status), (PullNumber(4), true, PullStatus::Closed));
}

#[tokio::test]
async fn an_old_pull_request_with_other_content_is_not_ours() {
    let world = writable().await;
    sees(&world, json!([pull(4, "closed", 'f')]), None).await;
    let commit = json!({ "sha": id('f'), "tree": { "sha": id('9') }, "parents": [{ "sha": id('a') }] });
    world.at("GET", &format!("{COMMITS}/{}", id('f')), ok(200, commit)).await;
    let proposed = world.github.propose(&target(), &change(), true).await.unwrap();
    assert_eq!((proposed.pull.number, proposed.adopted), (PullNumber(5), false));
}

#[tokio::test]
async fn a_forks_pull_request_from_a_branch_of_the_same_name_is_not_ours() {
    let world = writable().await;
    let mut foreign = pull(4, "open", 'f');
    foreign["head"]["repo"]["id"] = json!(666);
    let mut elsewhere = pull(3, "open", 'f');
    elsewhere["base"]["ref"] = json!("release");
    sees(&world, json!([foreign, elsewhere]), None).await;
    // Even the same content: whoever has the fork has merely copied it.
    let commit = json!({ "sha": id('f'), "tree": { "sha": id('d') }, "parents": [{ "sha": id('a') }] });
    world.at("GET", &format!("{COMMITS}/{}", id('f')), ok(200, commit)).await;
    let proposed = world.github.propose(&target(), &change(), true).await.unwrap();
    assert_eq!((proposed.pull.number, proposed.adopted), (PullNumber(5), false));
}

#[rstest]
#[case::another_tree(('f', '9', 'a'))]
#[case::another_base(('f', 'd', '9'))]
#[tokio::test]
async fn somebody_elses_branch_is_left_alone(#[case] tip: (char, char, char), #[values(true, false)] look_first: bool) {
    let world = World::new().await;
    world.at("POST", TREES, ok(201, json!({ "sha": id('d') }))).await;
    world.at("POST", COMMITS, ok(201, json!({ "sha": id('e') }))).await;
    world.at("POST", REFS, refusal(422, "Reference already exists")).await;
    sees(&world, json!([]), Some(tip)).await;
    let error = world.github.propose(&target(), &change(), look_first).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Conflict { found: Some(found), .. } if *found == id('f')), "{error:?}");
    assert!(
        !world
            .asked()
            .await
            .iter()
            .any(|line| line.starts_with("PATCH") || line.ends_with("/pulls") && line.starts_with("POST"))
    );
}

#[tokio::test]
async fn an_open_pull_request_with_a_persons_commits_is_left_alone() {
    let world = writable().await;
    sees(&world, json!([pull(4, "open", 'f')]), Some(('f', '9', 'e'))).await;
    let error = world.github.propose(&target(), &change(), true).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Conflict { pull: Some(PullNumber(4)), .. }), "{error:?}");
}

#[tokio::test]
async fn fault_17_an_existing_ref_that_holds_our_commit_is_adopted_without_a_look() {
    let world = World::new().await;
    world.at("POST", TREES, ok(201, json!({ "sha": id('d') }))).await;
    world.at("POST", COMMITS, ok(201, json!({ "sha": id('e') }))).await;
    world.at("POST", REFS, refusal(422, "Reference already exists")).await;
    world.at("POST", PULLS, ok(422, exists())).await;
    sees(&world, json!([pull(4, "open", 'f')]), Some(('f', 'd', 'a'))).await;
    let proposed = world.github.propose(&target(), &change(), false).await.unwrap();
    assert_eq!((proposed.pull.number, proposed.pull.head, proposed.adopted), (PullNumber(4), id('f'), true));
}

#[tokio::test]
async fn a_pull_request_that_is_not_listed_yet_is_tried_again_later() {
    let world = writable().await;
    world.server.reset().await;
    let world = World { ..world };
    world.at("POST", TOKENS, Minting::default()).await;
    world.at("POST", TREES, ok(201, json!({ "sha": id('d') }))).await;
    world.at("POST", COMMITS, ok(201, json!({ "sha": id('e') }))).await;
    world.at("POST", REFS, ok(201, json!({ "object": { "sha": id('e') } }))).await;
    world.at("POST", PULLS, ok(422, exists())).await;
    sees(&world, json!([]), None).await;
    let error = world.github.propose(&target(), &change(), false).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error:?}");
}

#[rstest]
#[case(TREES, "Tree SHA does not exist")]
#[case(TREES, "base_tree is not a valid tree oid")]
#[case(COMMITS, "Parent SHA does not exist or is not a commit object")]
#[case(REFS, "Object does not exist")]
#[tokio::test]
async fn fault_17_a_base_that_is_gone_is_said(#[case] at: &str, #[case] words: &str) {
    let world = World::new().await;
    world.at("POST", at, refusal(422, words)).await;
    world.at("POST", TREES, ok(201, json!({ "sha": id('d') }))).await;
    world.at("POST", COMMITS, ok(201, json!({ "sha": id('e') }))).await;
    let error = world.github.propose(&target(), &change(), false).await.unwrap_err();
    assert!(matches!(error, ForgeError::StaleBase { .. }), "{error:?}");
}

#[tokio::test]
async fn a_change_that_changes_nothing_is_said() {
    let world = World::new().await;
    world.at("POST", TREES, ok(201, json!({ "sha": id('b') }))).await;
    let error = world.github.propose(&target(), &change(), false).await.unwrap_err();
    assert!(matches!(error, ForgeError::NoChange { .. }), "{error:?}");
    assert_eq!(world.asked().await.len(), 1);
}

#[rstest]
#[case(json!([{ "code": "custom", "message": "No commits between main and x" }]), "NoChange")]
#[case(json!([{ "resource": "PullRequest", "field": "base", "code": "invalid" }]), "StaleBase")]
#[case(json!([{ "resource": "PullRequest", "field": "head", "code": "invalid" }]), "Conflict")]
#[case(json!(["title is too long"]), "Invalid")]
#[tokio::test]
async fn refused_pull_requests_are_told_apart(#[case] errors: Value, #[case] variant: &str) {
    let world = World::new().await;
    world.at("POST", TREES, ok(201, json!({ "sha": id('d') }))).await;
    world.at("POST", COMMITS, ok(201, json!({ "sha": id('e') }))).await;
    world.at("POST", REFS, ok(201, json!({ "object": { "sha": id('e') } }))).await;
    world.at("POST", PULLS, ok(422, json!({ "message": "Validation Failed", "errors": errors }))).await;
    let error = world.github.propose(&target(), &change(), false).await.unwrap_err();
    assert!(format!("{error:?}").starts_with(variant), "{error:?}");
}

fn touching(path: &str, text: String) -> FileChange {
    FileChange { path: RepoPath::parse(path).unwrap(), mode: FileMode::Regular, text }
}

#[tokio::test]
async fn security_06_workflows_need_a_permission_of_their_own() {
    let world = World::new().await;
    world.at("POST", TREES, refusal(404, "Not Found")).await;
    let files = vec![touching(".github/workflows/ci.yml", "on: push".into())];
    let error = world.github.propose(&target(), &Change { files, ..change() }, false).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Forbidden { needs: Some(n), .. } if n == "workflows=write"), "{error:?}");
    assert_eq!(world.body("POST", TOKENS).await["permissions"]["workflows"], "write");
}

/// What is sent is made of such paths alone, and so is what was written down to be sent.
#[rstest::rstest]
#[case::upwards("../other/requirements.txt")]
#[case::upwards_within("a/../../b")]
#[case::absolute("/etc/passwd")]
#[case::backslashes("a\\..\\b")]
#[case::a_drive("a\\b")]
#[case::of_git(".git/config")]
#[case::of_git_deeper("vendor/.git/hooks/post-checkout")]
#[case::of_git_in_capitals(".GIT/config")]
#[case::of_git_on_windows("GIT~1/config")]
#[case::of_git_with_a_dot(".git./config")]
#[case::of_git_as_a_stream(".git::$INDEX_ALLOCATION/config")]
#[case::of_git_with_hidden_letters(".g\u{200c}it/config")]
#[case::a_nul("a\0b")]
#[case::a_line("a\nb")]
#[case::the_folder_itself(".")]
#[case::nothing_between("a//b")]
#[case::none("")]
fn security_06_a_path_that_leads_elsewhere_is_no_path(#[case] path: &str) {
    assert!(RepoPath::parse(path).is_err());
    let stored = json!({ "path": path, "mode": "Regular", "text": "x" });
    assert!(serde_json::from_value::<FileChange>(stored).is_err());
    let good = json!({ "path": "a/b.txt", "mode": "Regular", "text": "x" });
    assert!(serde_json::from_value::<FileChange>(good).is_ok(), "nothing but the path is wrong above");
    let from = RepoPath::parse("app/requirements.txt").unwrap();
    assert!(["../../x", "/x", "a\\b", "../.git/config"].iter().all(|other| from.join_sibling(other).is_err()));
}

#[tokio::test]
async fn a_large_change_is_written_in_several_trees_upon_each_other() {
    let world = writable().await;
    world.at("POST", "/repos/acme/api/git/blobs", ok(201, json!({ "sha": id('7') }))).await;
    let mut files: Vec<_> = (0..250).map(|n| touching(&format!("f{n}"), n.to_string())).collect();
    files.push(touching("huge", "x".repeat(3_000_000)));
    world.github.propose(&target(), &Change { files, ..change() }, false).await.unwrap();
    let requests = world.requests().await;
    let trees: Vec<Value> = requests
        .iter()
        .filter(|request| request.url.path() == TREES)
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect();
    let sizes: Vec<_> = trees.iter().map(|tree| tree["tree"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [100, 100, 51]);
    let bases: Vec<_> = trees.iter().map(|tree| tree["base_tree"].clone()).collect();
    assert_eq!(bases, [json!(id('b')), json!(id('d')), json!(id('d'))]);
    assert_eq!(trees[2]["tree"][50]["sha"], json!(id('7')));
    assert_eq!(trees[2]["tree"][50].get("content"), None);
}

#[tokio::test]
async fn only_our_own_commit_is_deleted() {
    let ours: ObjectId = id('f');
    let delete = "/repos/acme/api/git/refs/heads%2Fmass-driver%2Fpypi%2Fhttpx";
    for (tip, gone, requests) in [(Some(('f', 'd', 'a')), true, 2), (Some(('9', 'd', 'a')), false, 1), (None, true, 1)]
    {
        let world = World::new().await;
        sees(&world, json!([]), tip).await;
        world.at("DELETE", delete, wiremock::ResponseTemplate::new(204)).await;
        let outcome = world.github.delete_branch(&target(), &change().branch, &ours).await.unwrap();
        assert_eq!((outcome, world.asked().await.len()), (gone, requests));
    }
}

//! One pull request for each kind of file, from the file to the diff.

use crate::{World, stories};
use jiff::SignedDuration;
use mass_driver::domain::{ProposalState, Standing};

const API: &str = "acme/api";

/// A repository with a file, and a subscription to one ecosystem, all of it in one pull request.
async fn using(world: &World, ecosystem: &str, path: &str, text: &str) {
    let file = format!("subscriptions:\n  - migration: {ecosystem}\n    group: all\n");
    world.repository(API, &[(path, text), (".mass-driver.yaml", &file)]).await;
}

const WORKFLOW: &str = ".github/workflows/ci.yml";

/// A workflow of one job with these steps and container.
fn workflow(container: &str, uses: &[&str]) -> String {
    let steps: String = uses.iter().map(|uses| format!("      - uses: {uses}\n")).collect();
    format!(
        "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    container: {container}\n    steps:\n{steps}      - run: make test\n"
    )
}

stories! {
    async fn actions_move_at_the_precision_they_are_written_with(world: World) {
        world.may_change_workflows();
        for tag in ["v4", "v4.3.0", "v5", "v5.0.1"] {
            world.publishes("actions/checkout", tag);
        }
        for tag in ["v4.1.2", "v4.2.0"] {
            world.publishes("actions/cache", tag);
        }
        let uses = ["actions/checkout@v4", "Actions/Cache/restore@v4.1.2 # faster", "./.github/actions/local"];
        using(&world, "github-actions", WORKFLOW, &workflow("alpine:3.20", &uses)).await;
        insta::assert_snapshot!("actions", world.shown(API, &[]));
    }

    async fn an_action_that_is_pinned_gets_the_commit_of_the_new_tag_and_its_comment(world: World) {
        world.may_change_workflows();
        let old = world.publishes("actions/checkout", "v4.1.2");
        let new = world.commits("actions/checkout", "v4.2.0");
        let object = world.github.annotated_tag("actions/checkout", "v4.2.0", &new, "Release 4.2.0").unwrap();
        let pinned = format!("actions/checkout@{old} # v4.1.2");
        using(&world, "github-actions", WORKFLOW, &workflow("alpine:3.20", &[&pinned])).await;
        let shown = world.shown(API, &[(&old, "the commit of v4.1.2"), (&new, "the commit of v4.2.0")]);
        assert!(!shown.contains(&object), "the tag's own object is no commit");
        insta::assert_snapshot!("pinned_action", shown);
    }

    async fn an_image_in_a_workflow_is_an_image(world: World) {
        world.may_change_workflows();
        for tag in ["3.12-slim", "3.13-slim", "3.13"] {
            world.registry.tag("library/python", tag);
        }
        using(&world, "docker", WORKFLOW, &workflow("python:3.12-slim", &["actions/checkout@v4"])).await;
        insta::assert_snapshot!("image_in_a_workflow", world.shown(API, &[]));
    }

    async fn hooks_move_to_new_tags(world: World) {
        for tag in ["24.1.0", "25.1.0"] {
            world.publishes("psf/black", tag);
        }
        let old = world.publishes("acme-hooks/checks", "v1.0.0");
        let new = world.publishes("acme-hooks/checks", "v1.1.0");
        let host = world.host();
        let file = format!(
            "repos:\n  - repo: http://{host}/psf/black\n    rev: 24.1.0\n    hooks:\n      - id: black\n  \
             - repo: http://{host}/acme-hooks/checks.git\n    rev: {old}  # frozen: v1.0.0\n    hooks: [{{ id: check }}]\n"
        );
        using(&world, "pre-commit", ".pre-commit-config.yaml", &file).await;
        let named = [(host.as_str(), "host"), (&old, "the commit of v1.0.0"), (&new, "the commit of v1.1.0")];
        insta::assert_snapshot!("hooks", world.shown(API, &named));
    }

    async fn a_python_package_beside_a_hook_is_a_python_package(world: World) {
        world.registry.release("types-requests", "2.31.0");
        world.registry.release("types-requests", "2.32.0");
        let host = world.host();
        let file = format!(
            "repos:\n  - repo: http://{host}/pre-commit/mirrors-mypy\n    rev: v1.8.0\n    hooks:\n      - id: mypy\n        \
             language: python\n        additional_dependencies: [types-requests==2.31.0]\n"
        );
        using(&world, "pypi", ".pre-commit-config.yaml", &file).await;
        insta::assert_snapshot!("package_beside_a_hook", world.shown(API, &[(&host, "host")]));
    }

    async fn compose_files_name_images(world: World) {
        let old = world.registry.tag("library/redis", "7.2-alpine");
        let new = world.registry.tag("library/redis", "7.4-alpine");
        for tag in ["16.3", "17.1"] {
            world.registry.tag("library/postgres", tag);
        }
        let file = format!(
            "services:\n  cache:\n    image: redis:7.2-alpine@{old}\n  database:\n    image: \"postgres:16.3\" # the big one\n  \
             api:\n    build: .\n"
        );
        using(&world, "docker", "compose.yaml", &file).await;
        insta::assert_snapshot!("compose", world.shown(API, &[(&old, "digest of 7.2"), (&new, "digest of 7.4")]));
    }

    async fn images_of_a_dockerfile_move_with_their_digest(world: World) {
        let old = world.registry.tag("library/python", "3.12-slim");
        let new = world.registry.tag("library/python", "3.13-slim");
        let file = format!("ARG PY=3.12\nFROM python:3.12-slim@{old} AS base\nFROM base\n");
        using(&world, "docker", "Dockerfile", &file).await;
        insta::assert_snapshot!("dockerfile", world.shown(API, &[(&old, "digest of 3.12"), (&new, "digest of 3.13")]));
    }

    async fn python_projects_keep_the_style_of_their_constraints(world: World) {
        for (name, versions) in [("httpx", ["0.27.0", "0.28.1"]), ("rich", ["13.7.0", "14.0.0"])] {
            versions.into_iter().for_each(|version| world.registry.release(name, version));
        }
        let file = "[project]\nname = \"api\"\ndependencies = [\n  'httpx == 0.27.0', # kept\n  \"rich~=13.7\",\n]\n";
        using(&world, "pypi", "pyproject.toml", file).await;
        insta::assert_snapshot!("pyproject", world.shown(API, &[]));
    }

    async fn node_packages_keep_the_style_of_their_ranges(world: World) {
        for (name, versions) in [("left-pad", ["1.2.0", "1.3.0"]), ("react", ["18.2.0", "19.0.0"])] {
            versions.into_iter().for_each(|version| world.registry.npm().release(name, version));
        }
        let file = "{\n  \"dependencies\": { \"left-pad\": \"1.2.0\" },\n  \"peerDependencies\": {},\n  \"devDependencies\": {\n    \"react\": \"^18.2.0\"\n  }\n}\n";
        using(&world, "npm", "package.json", file).await;
        insta::assert_snapshot!("package_json", world.shown(API, &[]));
    }

    async fn crates_keep_the_style_of_their_requirements(world: World) {
        for (name, versions) in [("serde", ["1.0.200", "2.0.0"]), ("tokio", ["1.37.0", "1.40.0"])] {
            versions.into_iter().for_each(|version| world.registry.cargo().release(name, version));
        }
        let file = "[package]\nname = \"api\"\n\n[dependencies]\nserde = { version = \"1.0\", features = [\"derive\"] }\ntokio = \"=1.37.0\" # pinned\n";
        using(&world, "cargo", "Cargo.toml", file).await;
        insta::assert_snapshot!("cargo_toml", world.shown(API, &[]));
    }

    async fn requirements_with_hashes_get_those_of_the_new_files(world: World) {
        world.registry.release("httpx", "0.27.0");
        world.registry.release("httpx", "0.28.0");
        let old = format!("sha256:{}", "a".repeat(64));
        let text = format!("httpx==0.27.0 \\\n    --hash={old}\n");
        using(&world, "pypi", "requirements.txt", &text).await;
        let outlook = world.outlook(API).await.remove(0);
        assert_eq!(outlook.standing, Standing::Refused);
        assert_eq!(
            outlook.reason,
            "it is pinned to hashes, and its index does not give the hashes of files: set MASS_DRIVER_PYPI_URL to one that does"
        );
        // The operator sets an index that does.
        let process = world.process_with_an_index();
        world.registry.release("httpx", "0.28.1");
        world.clock_moves(SignedDuration::from_mins(11));
        process.worker().run_until_idle().await.unwrap();
        let shown = world.shown(API, &[(&old, "old hash")]);
        assert!(shown.starts_with("Bump httpx from 0.27.0 to 0.28.1\n"), "{shown}");
        assert!(shown.contains("\n-    --hash=<old hash>") && shown.contains("\n+    --hash=sha256:"), "{shown}");
        world.settle().await;
    }

    /// An index that tells for which versions of Python releases are.
    async fn lines_that_split_a_package_by_python_keep_to_theirs(world: World) {
        let process = world.process_with_an_index();
        for (version, python) in [("1.26.4", ">=3.9"), ("2.0.2", ">=3.9"), ("2.1", ">=3.10"), ("2.3", ">=3.11")] {
            world.registry.release("numpy", version);
            world.registry.requires_python("numpy", version, python);
        }
        let text = "numpy==1.26.4; python_version < \"3.12\"\nnumpy==2.1; python_version >= \"3.12\"\n";
        let options = github_sim::RepoOptions::default();
        let file = "subscriptions: [{ migration: pypi, group: all }]\n";
        let options = options.file("requirements.txt", text).file(".mass-driver.yaml", file);
        world.github.create_repo(API, options).unwrap();
        while !world.github.deliver_pending().await.is_empty() {
            process.worker().run_until_idle().await.unwrap();
        }
        let pull = world.pull(API);
        assert_eq!(
            world.file(API, &pull.head_branch, "requirements.txt"),
            "numpy==2.0.2; python_version < \"3.12\"\nnumpy==2.3; python_version >= \"3.12\"\n"
        );
    }

    /// The permission for workflows is one that an owner grants by choice.
    async fn security_06_without_the_permission_for_workflows_none_is_changed(world: World) {
        for tag in ["v4", "v5"] {
            world.publishes("actions/checkout", tag);
        }
        let mark = world.github.mark();
        using(&world, "github-actions", WORKFLOW, &workflow("alpine:3.20", &["actions/checkout@v4"])).await;
        let failed = world.proposals(API, ProposalState::Failed).await;
        assert!(failed[0].reason.contains("workflows=write"), "{}", failed[0].reason);
        let writes: Vec<String> =
            world.requests_since(mark).into_iter().filter(|r| r.starts_with("POST /repos/")).collect();
        assert!(writes.is_empty(), "nothing is tried: {writes:?}");
        world.may_change_workflows();
        world.settle().await;
        assert_eq!(world.open(API), ["Bump actions/checkout from v4 to v5 in /.github/workflows"]);
    }
}

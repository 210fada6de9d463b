//! Which files managers take for theirs, by the path alone.

use super::laws::manager;
use mass_driver::domain::{Ecosystem, RepoPath};
use mass_driver::managers;

#[test]
fn files_are_claimed_by_name() {
    let claims = |path: &str| -> Vec<&str> {
        managers::managers_for(&RepoPath::parse(path).unwrap()).map(|manager| manager.name()).collect()
    };
    for path in [
        "requirements.txt",
        "a/requirements-dev.txt",
        "requirements_test.txt",
        "dev-requirements.txt",
        "requirements/prod.txt",
        "constraints.txt",
        "Requirements.TXT",
        "requirements.in",
        "requirements/dev.in",
        "requirements.pip",
    ] {
        assert_eq!(claims(path), ["requirements"], "{path}");
    }
    for path in [
        "Dockerfile",
        "api/Dockerfile.dev",
        "web.Dockerfile",
        "Containerfile",
        "dockerfile",
        "Dockerfile-dev",
        "a/Dockerfile_x",
    ] {
        assert_eq!(claims(path), ["dockerfile"], "{path}");
    }
    assert_eq!(claims("a/pyproject.toml"), ["pyproject"]);
    assert_eq!(claims("hatch.toml"), ["pyproject"]);
    assert_eq!(claims("a/setup.cfg"), ["setup-cfg"]);
    assert_eq!(claims("a/Pipfile"), ["pipfile"]);
    assert_eq!(claims("web/package.json"), ["package-json"]);
    assert_eq!(claims("web/pnpm-workspace.yaml"), ["pnpm-workspace"]);
    assert_eq!(claims("crates/a/Cargo.toml"), ["cargo"]);
    for path in [
        ".github/workflows/ci.yml",
        ".github/workflows/a b.yaml",
        "action.yml",
        "a/action.yaml",
        "workflow-templates/x.yml",
    ] {
        assert_eq!(claims(path), ["github-actions"], "{path}");
    }
    for path in [".pre-commit-config.yaml", "a/.pre-commit-config.yml"] {
        assert_eq!(claims(path), ["pre-commit"], "{path}");
    }
    for path in
        ["compose.yaml", "a/docker-compose.prod.yml", "docker-compose-dev.yaml", "Compose.YML", "compose_test.yml"]
    {
        assert_eq!(claims(path), ["compose"], "{path}");
    }
    for path in [
        "requirements.md",
        "myrequirements.txt",
        "requirementsx.txt",
        "Dockerfile.dockerignore",
        "Dockerfiles/readme",
        "pyproject.toml.bak",
        "Pipfile.lock",
        "setup.py",
        "MANIFEST.in",
        "package-lock.json",
        "web/node_modules/a/package.json",
        "node_modules/package.json",
        "node_modules/a/pnpm-workspace.yaml",
        "pnpm-workspace.yml",
        "pnpm-lock.yaml",
        "Cargo.lock",
        "vendor/a/Cargo.toml",
        "target/package/a/Cargo.toml",
        "notes.txt",
        "dockerfile_test.go",
        ".github/workflows/inner/ci.yml",
        "a/.github/workflows/ci.yml",
        ".github/workflows/ci.json",
        "my-action.yml",
        "composer.yml",
        "compose.yaml.j2",
        "pre-commit-config.yaml",
    ] {
        assert!(claims(path).is_empty() && !managers::may_be_manifest(&RepoPath::parse(path).unwrap()), "{path}");
    }
    assert_eq!(manager("pyproject").ecosystem(), Ecosystem::Pypi);
    assert!(managers::by_name("nothing").is_none());
}

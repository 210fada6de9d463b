//! For which versions of Python each requirement of a file is: by its marker, and by what the file says the project runs on.

use crate::edits::edit_of;
use mass_driver::domain::RepoPath;
use mass_driver::managers;
use rstest::rstest;

/// The requirements of a file as `name for Python`, or `name: why it is left alone`.
fn pythons(path: &str, text: &str) -> Vec<String> {
    let path = RepoPath::parse(path).unwrap();
    let manager = managers::managers_for(&path).next().unwrap();
    let found = manager.extract(&path, text);
    assert_eq!(found.problem, None);
    let shown = found.dependencies.iter().map(|d| match (&d.skip, &d.python) {
        (Some(skip), _) => format!("{}: {skip}", d.package.name),
        (None, python) => {
            let left_behind = if d.left_behind { ", left behind" } else { "" };
            format!("{} {}{left_behind}", d.package.name, python.as_deref().unwrap_or("any"))
        }
    });
    shown.collect()
}

const SPLIT: &str = "numpy==1.26.4; python_version < \"3.12\"\nnumpy==2.1 ; python_version >= \"3.12\" # new\n";

#[rstest]
#[case::markers("requirements.txt", SPLIT, &["numpy <3.12, left behind", "numpy >=3.12"])]
#[case::platforms("requirements.txt", "a==1; sys_platform == 'win32'\nb==1; extra=='x' and python_version<'3.9'\n", &["a any", "b <3.9, left behind"])]
#[case::with_hashes(
    "requirements.txt",
    "a==1 ; python_version < '3.9' \\\n    --hash=sha256:aa\n",
    &["a <3.9, left behind"]
)]
#[case::odd("requirements.txt", "a==1; python_version < '$X'\nb==1; os_name ? 'x'\nc==1; python_version < '2'\n", &[
    "a: not understood: for which versions of Python its marker asks: `python_version < '$X'`",
    "b any",
    "c: its marker holds for no version of Python",
])]
#[case::standard(
    "pyproject.toml",
    "[project]\nrequires-python = '>=3.9,<4'\ndependencies = ['a==1', 'b==1; python_version < \"3.11\"', 'c==1; python_version < \"3.9\"']\n[dependency-groups]\nx = ['d==1']\n",
    &[
        "a >=3.9",
        "b >=3.9,<3.11, left behind",
        "c: its marker holds for no version of Python that the project runs on (`>=3.9`)",
        "d >=3.9",
    ]
)]
#[case::poetry(
    "pyproject.toml",
    "[tool.poetry.dependencies]\npython = '^3.8'\na = '^1'\nb = [{version = '1', python = '<3.10'}, {version = '2', markers = 'python_version >= \"3.10\"'}]\nc = {version = '1', python = 'odd'}\n",
    &[
        "python: it says which versions of Python the project runs on",
        "a >=3.8",
        "b >=3.8,<3.10, left behind",
        "b >=3.10",
        "c: not understood: for which versions of Python it is: `odd`",
    ]
)]
#[case::poetry_table(
    "pyproject.toml",
    "[tool.poetry.dependencies]\npython = {version = '>=3.10'}\na = '1'\n",
    &["python: it says which versions of Python the project runs on", "a >=3.10"]
)]
#[case::setup_cfg(
    "setup.cfg",
    "[options]\ninstall_requires =\n    a==1\n    b==1; python_version<'3.9'\npython_requires =\n    >=3.8, # why not\n    <4\n",
    &["a >=3.8", "b ==3.8.*, left behind"]
)]
#[case::pipfile(
    "Pipfile",
    "[packages]\na = '==1'\n[requires]\npython_full_version = '3.9.1'\n",
    &["a ==3.9.*"]
)]
#[case::hatch(
    "pyproject.toml",
    "[project]\nrequires-python = '>=3.9'\ndependencies = ['a==1']\n[tool.hatch.envs.docs]\npython = '3.12'\ndependencies = ['b==1', 'c==1; python_version < \"3.9\"']\n",
    &["a >=3.9", "b any", "c <3.9, left behind"]
)]
#[case::uv_groups(
    "pyproject.toml",
    "[project]\nrequires-python = '>=3.9'\ndependencies = ['a==1']\n[dependency-groups]\ndocs = ['b==1', 'c==1; python_version < \"3.12\"']\ntest = ['d==1']\n[tool.uv.dependency-groups]\ndocs = {requires-python = '>=3.12'}\n",
    &[
        "a >=3.9",
        "b >=3.12",
        "c: its marker holds for no version of Python that the project runs on (`>=3.12`)",
        "d >=3.9",
    ]
)]
#[case::poetry_export(
    "requirements.txt",
    "a==1 ; python_version >= '3.9' and python_version < '3.13'\nb==1 ; python_version >= '3.9' and python_version < '3.11'\nc==1\n",
    &["a >=3.9,<3.13", "b >=3.9,<3.11, left behind", "c any"]
)]
#[case::project_with_an_end(
    "pyproject.toml",
    "[project]\nrequires-python = '<3.13'\ndependencies = ['a==1', 'b==1; python_version < \"3.13\"', 'c==1; python_version < \"3.12\"']\n",
    &["a <3.13", "b <3.13", "c <3.12, left behind"]
)]
#[case::one_micro_version(
    "pyproject.toml",
    "[tool.poetry.dependencies]\npython = '3.11.9'\na = '1'\nb = {version = '1', python = '<3.9', markers = 'python_version > \"3.9\"'}\n",
    &[
        "python: it says which versions of Python the project runs on",
        "a ==3.11.*",
        "b: its marker holds for no version of Python that it is for (`python`)",
    ]
)]
#[case::one_full_version("requirements.txt", "a==1; python_full_version == '3.8.10'\n", &["a ==3.8.*"])]
#[case::pipfile_keys(
    "Pipfile",
    "[packages]\na = {version = '==1', python_version = \"< '3.9'\", markers = \"os_name == 'nt' or python_version < '3.7'\"}\n",
    &["a <3.9, left behind"]
)]
fn each_requirement_is_for_some_pythons(#[case] path: &str, #[case] text: &str, #[case] expected: &[&str]) {
    assert_eq!(pythons(path, text), expected);
}

/// The same version twice, for different Pythons: only the place that is meant is changed.
#[test]
fn an_edit_changes_the_place_for_its_pythons() {
    let text = "a==1.0; python_version < '3.12'\na==1.0; python_version >= '3.12'\n";
    let path = RepoPath::parse("requirements.txt").unwrap();
    let manager = managers::managers_for(&path).next().unwrap();
    let found = manager.extract(&path, text).dependencies;
    let mut edit = edit_of(&found[1], "2.0");
    let edited = manager.edit(&path, text, std::slice::from_ref(&edit)).unwrap();
    assert_eq!(edited, "a==1.0; python_version < '3.12'\na==2.0; python_version >= '3.12'\n");
    // A place for any Python is no place for some.
    let text = "a==1.0; python_version < '3.12'\na==1.0\n";
    edit.python = None;
    let edited = manager.edit(&path, text, &[edit]).unwrap();
    assert_eq!(edited, "a==1.0; python_version < '3.12'\na==2.0\n");
}

/// What a tag points at by now, beside the version that stays as it is written.
#[rstest]
#[case("action.yml", "runs:\n  using: composite\n  steps:\n    - uses: acme/build@OLD # 4.1 kept\n", "a", "e")]
#[case(
    ".pre-commit-config.yaml",
    "repos:\n  - repo: https://github.com/acme/x\n    rev: OLD  # frozen: v4\n",
    "a",
    "e"
)]
#[case("Dockerfile", "FROM python:3.12-slim@sha256:OLD AS x\n", "a", "e")]
fn a_pin_is_refreshed_beside_its_version(#[case] path: &str, #[case] text: &str, #[case] old: &str, #[case] new: &str) {
    let length = if path == "Dockerfile" { 64 } else { 40 };
    let [before, after] = [old, new].map(|digit| text.replace("OLD", &digit.repeat(length)));
    let path = RepoPath::parse(path).unwrap();
    let manager = managers::managers_for(&path).next().unwrap();
    let found = &manager.extract(&path, &before).dependencies[0];
    let edit = edit_of(found, found.current.as_deref().unwrap());
    assert_eq!(manager.edit(&path, &before, std::slice::from_ref(&edit)), Ok(after.clone()));
    let again = manager.edit(&path, &after, std::slice::from_ref(&edit));
    assert_eq!(again, Err(managers::EditError::AlreadyThere(found.package.clone())));
}

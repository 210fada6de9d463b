//! The laws, for the formats that are written in YAML.

use super::laws::{check, encoding, manager, pick, survives};
use super::soup::soup;
use crate::edits::edit_of;
use mass_driver::domain::RepoPath;
use mass_driver::managers;
use proptest::prelude::*;

/// Lines of which each is one of the choices; `@N@` becomes the line's number.
fn items(head: &'static str, choices: Vec<&'static str>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop::sample::select(choices), 0..8).prop_map(move |items| {
        let numbered = items.iter().enumerate().map(|(n, item)| item.replace("@N@", &n.to_string()));
        std::iter::once(head.to_string()).chain(numbered).collect()
    })
}

/// A workflow whose targets are all tags, or all commits.
fn workflow() -> impl Strategy<Value = Vec<String>> {
    const HEAD: &str = "on: push\njobs:\n  a:\n    container: acme/target-pkg:1.0\n    steps:";
    let tags = [
        "      - uses: acme/target-pkg@v@V@",
        "      - uses: 'Acme/Target-Pkg/sub/path@v@V@'   # why v1.0",
        "      - uses: \"acme/target-pkg@v@V@\"",
        "      - {name: x, uses: acme/target-pkg@v@V@}",
        "      - {\"uses\":\"acme/target-pkg@v@V@\", \"with\": {\"a\": 'v1.0'}}",
        "      - uses: >-\n          acme/target-pkg@v@V@",
        "      - uses: |\n\n          acme/target-pkg@v@V@\n",
        "      - \"uses\" : \"acme\\x2ftarget-pkg@\\\n          v@V@\"",
        "      - name: é\n        uses:\tacme/target-pkg@v@V@\t# \tx",
        "      - uses: &target@N@ acme/target-pkg/.github/workflows/x.yml@v@V@\n      - uses: *target@N@",
    ];
    let commits = [
        "      - uses: acme/target-pkg@@SHA@ # v@V@",
        "      - uses: 'acme/target-pkg@@SHA@' #tag=v@V@",
        "      - {uses: acme/target-pkg@@SHA@, with: {x: '# v1.0'}} # pin @v@V@ x v1.0",
        "      - name: x\n        uses:\n          acme/target-pkg@@SHA@\t# v@V@\t",
    ];
    let noise = [
        "      # - uses: acme/target-pkg@v1.0",
        "      - run: |\n          uses: acme/target-pkg@v1.0\n",
        "      - uses: acme/other@v1.0 # v1.0",
        "      - uses: acme/target-pkg@v1",
        "      - uses: acme/target-pkg@main # v1.0",
        "      - uses: docker://acme/target-pkg:1.0",
        "",
        "      - {}",
        "      - uses: ./acme/target-pkg@v1.0",
        "      - uses: acme/target-pkg@bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n      # v1.0",
    ];
    let with = |targets: &[&'static str]| items(HEAD, targets.iter().chain(&noise).copied().collect());
    prop_oneof![with(&tags), with(&commits)]
}

fn compose() -> impl Strategy<Value = Vec<String>> {
    const HEAD: &str = "x-base: &base\n  image: target:${V:-@V@}-slim\nx-image: &image target:@V@-slim # target:1.0-slim\nservices:\n  base: *base\n  image: {image: *image}";
    let choices = [
        "  s@N@:\n    image: target:@V@-slim",
        "  s@N@: {image: 'target:@V@-slim', build: }",
        "  s@N@: {image: \"target:${T:-@V@}-slim\"}",
        "  s@N@: {image: \"target:${T-@V@-slim}\"}",
        "  s@N@:\n    image: ${I:-target:@V@-slim} # target:1.0-slim",
        "  s@N@:\n    image: ${I:-target:${T:-@V@}-slim}\n    profiles: [target:1.0-slim]",
        "  s@N@:\n    <<: *base",
        "  s@N@:\n    image: *image",
        "  s@N@: {build: ., image: acme/target:1.0-slim}",
        "  s@N@: {build: ., <<: [{image: built:1.0-slim}]}",
        "  s@N@: {image: other:1.0-slim}",
        "  s@N@: {image: target}",
        "  s@N@: {image: \"target:$${T:-1.0}-slim\"}",
        "  s@N@: {image: \"target:${T}-slim\"}",
        "  s@N@: {command: 'image: target:1.0-slim'}",
        "",
        "# image: target:1.0-slim",
    ];
    items(HEAD, choices.to_vec())
}

/// A configuration whose targets are of one kind, and their constraint.
fn hooks() -> impl Strategy<Value = (Vec<String>, &'static str)> {
    const HEAD: &str = "ci: {rev: v1.0}\nrepos:";
    let tags = [
        "- repo: https://github.com/acme/target-pkg\n  rev: v@V@",
        "- repo: 'git@github.com:Acme/target-pkg.git'\n  rev: 'v@V@' # v1.0\n  hooks: [{id: a}]",
        "- {repo: https://github.com/acme/target-pkg, rev: \"v@V@\"}",
        "- rev: v@V@\n  repo: https://github.com/acme/target-pkg/",
    ];
    let commits = [
        "- repo: https://github.com/acme/target-pkg\n  rev: @SHA@  # frozen: v@V@",
        "- repo: https://github.com/acme/target-pkg\n  rev: '@SHA@' #v@V@",
    ];
    let python = [
        "- repo: local\n  hooks:\n  - {id: a, language: python, additional_dependencies: [target-pkg==@V@, 'b==1.0']}",
        "- repo: local\n  hooks:\n  - id: a\n    additional_dependencies:\n    - \"Target_Pkg[x] ==@V@ ; os_name == 'nt'\"",
    ];
    let node =
        ["- repo: local\n  hooks:\n  - id: a\n    additional_dependencies: [target-pkg@@V@.0, o@1.0.0, '@a/b@1.0.0']"];
    let others = [
        "- repo: https://github.com/acme/other\n  rev: v1.0\n  hooks:\n  - {id: a, args: [target-pkg==1.0]}",
        "- repo: https://github.com/acme/target-pkg\n  rev: main",
        "- repo: meta\n  rev: v1.0",
        "",
    ];
    let with = |targets: &[&'static str]| items(HEAD, targets.iter().chain(&others).copied().collect());
    prop_oneof![
        with(&tags).prop_map(|lines| (lines, "v1.0")),
        with(&commits).prop_map(|lines| (lines, "v1.0")),
        with(&python).prop_map(|lines| (lines, "==1.0")),
        with(&node).prop_map(|lines| (lines, "1.0.0")),
    ]
}

/// A workspace whose targets are pinned; a catalog holds a package once.
fn catalogs() -> impl Strategy<Value = Vec<String>> {
    const HEAD: &str = "packages: ['target-pkg@1.0.0']\ncatalog:\n  target-pkg: @V@.0\noverrides:\n  'target-pkg': \"@V@.0\"\n  \
                        'other>target-pkg': 1.0.0\n  target-pkg@1: 1.0.0\ncatalogs:";
    let choices = [
        "  c@N@:\n    target-pkg: @V@.0",
        "  c@N@: {target-pkg: '@V@.0', other: 1.0.0}",
        "  c@N@: {\"target\\x2dpkg\":\"@V@.0\"} # 1.0.0",
        "  c@N@: {alias: 'npm:target-pkg@@V@.0'}",
        "  c@N@:\n    target-pkg: >-\n\n      @V@.0",
        "  c@N@: &c@N@ {target-pkg: @V@.0}\n  d@N@: *c@N@",
        "  c@N@:\n    target-pkg: &p@N@ @V@.0 # 1.0.0\n  d@N@: {target-pkg: *p@N@}",
        "  c@N@: {other: &v@N@ 1.0.0, target-pkg: *v@N@}",
        "  c@N@: {target-pkg-too: 1.0.0}",
        "  c@N@: {target-pkg: 'catalog:'}",
        "  c@N@: {target-pkg: ^1.0.0}",
        "  c@N@: 1.0.0",
        "  c@N@: [target-pkg, 1.0.0]",
        "",
        "# target-pkg: 1.0.0",
    ];
    items(HEAD, choices.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn workflows_are_edited_to_the_letter(lines in workflow(), encoding in encoding()) {
        check("github-actions", &lines, encoding, "v1.0")?;
    }

    #[test]
    fn compose_files_are_edited_to_the_letter(lines in compose(), encoding in encoding()) {
        check("compose", &lines, encoding, "1.0-slim")?;
    }

    #[test]
    fn hooks_are_edited_to_the_letter((lines, constraint) in hooks(), encoding in encoding()) {
        check("pre-commit", &lines, encoding, constraint)?;
    }

    #[test]
    fn catalogs_are_edited_to_the_letter(lines in catalogs(), encoding in encoding()) {
        check("pnpm-workspace", &lines, encoding, "1.0.0")?;
    }

    #[test]
    fn pieces_in_their_places_do_no_harm(text in soup(), indent in pick(&[" ", "        "])) {
        let text = text.replace('\n', &format!("\n{indent}"));
        survives("github-actions", &format!("jobs: {{a: {{container: b:1.0, steps: [{{uses: {text}}}]}}}}"))?;
        survives("github-actions", &format!("jobs:\n  a:\n    steps:\n      - uses: {text}"))?;
        survives("github-actions", &format!("jobs:\n  a:\n    steps:\n      - uses: \"a/b@v1.0{text}\""))?;
        survives("compose", &format!("services: {{a: {{image: {text}}}}}"))?;
        survives("compose", &format!("services:\n  a:\n    image: '{text}'\n  b: {{image: \"${{A:-c:1.0}}\"}}"))?;
        survives("pre-commit", &format!("repos: [{{repo: 'https://github.com/a/b', rev: {text}}}]"))?;
        survives("pre-commit", &format!("repos: [{{repo: local, hooks: [{{additional_dependencies: [{text}]}}]}}]"))?;
        survives("pre-commit", &format!("- repo: local\n  hooks:\n  - additional_dependencies:\n    - {text}"))?;
        survives("pnpm-workspace", &format!("catalog: {{a: {text}}}"))?;
        survives("pnpm-workspace", &format!("catalogs:\n  a:\n    {text}: 1.0.0\n    b: '{text}'"))?;
        survives("pnpm-workspace", &format!("overrides:\n  a: &a 1.0.0\n  b: \"^1.0.0{text}\"\n  '{text}': 1.0.0"))?;
    }
}

#[test]
fn hostile_sizes_are_refused_or_read_quickly() {
    let read = |name: &str, text: &str| managers::by_name(name).unwrap().extract(&super::laws::path_for(name), text);
    let one_line = |piece: &str, times: usize| format!("jobs: {{a: {{steps: [{}]}}}} # v1.0", piece.repeat(times));
    assert!(read("github-actions", &one_line("{uses: a/b@v1},", 50_000)).problem.is_some());
    let found = read("github-actions", &one_line(&format!("{{uses: a/b@{}}},", "a".repeat(40)), 4_000));
    assert_eq!(found.dependencies.len(), 4_000);
    for name in ["github-actions", "compose", "pre-commit", "pnpm-workspace"] {
        assert!(read(name, &"[".repeat(900_000)).problem.is_some());
        assert!(read(name, &"{a: ".repeat(200_000)).problem.is_some());
        assert!(read(name, &"- ".repeat(400_000)).problem.is_some());
        assert!(read(name, &"a: \"".repeat(200_000)).problem.is_some());
        assert!(read(name, &"#".repeat(900_000)).dependencies.is_empty());
        assert!(read(name, &" #\n".repeat(300_000)).dependencies.is_empty());
        assert!(read(name, &"'a' #b\n".repeat(100_000)).dependencies.is_empty());
        assert!(read(name, &"a: &a *a\n".repeat(100_000)).dependencies.is_empty());
    }
    let merges: String = (1..2_000).map(|i| format!("  s{i}: &s{i}\n    <<: *s{}\n", i - 1)).collect();
    let found = read("compose", &format!("services:\n  s0: &s0 {{image: a:1.0}}\n{merges}"));
    assert_eq!(found.dependencies.len(), 1);
    let bomb: String = (1..60).map(|i| format!("x{i}: &x{i} {{<<: [*x{0}, *x{0}, *x{0}]}}\n", i - 1)).collect();
    let bomb = format!("x0: &x0 {{a: b}}\n{bomb}services: {{a: *x59}}\n");
    assert!(read("compose", &bomb).problem.is_some_and(|problem| problem.contains("aliases")));
    let entries = |count: usize| (0..count).map(|i| format!("  p{i}: 1.0.0\n")).collect::<String>();
    assert_eq!(read("pnpm-workspace", &format!("catalog:\n{}", entries(5_000))).dependencies.len(), 5_000);
    assert!(read("pnpm-workspace", &format!("overrides:\n{}", entries(5_001))).problem.is_some());
    let one_for_all: String = (0..4_000).map(|i| format!("  p{i}: *v\n")).collect();
    let found = read("pnpm-workspace", &format!("v: &v 1.0.0\ncatalog:\n{one_for_all}"));
    assert!(found.dependencies.len() == 4_000 && found.dependencies.iter().all(|one| one.skip.is_some()));
    let steps: String = (1..2_000).map(|i| format!("  j{i}: {{steps: *steps}}\n")).collect();
    let shared = format!("jobs:\n  j0: {{steps: &steps [{}]}}\n{steps}", "{uses: a/b@v1},".repeat(2_000));
    assert_eq!(read("github-actions", &shared).dependencies.len(), 2_000);
}

/// A constraint may stand on several lines; the line ends stay where they are.
#[test]
fn a_folded_constraint_keeps_its_line_end() {
    for (before, after) in [
        ("catalog:\n  react: \"^\n    18.3.1\"\n", "catalog:\n  react: \"^\n    19.0.0\"\n"),
        ("catalog:\n  react: \"^\n18.3.1\"\n", "catalog:\n  react: \"^\n19.0.0\"\n"),
        ("catalog:\n  react: \"^\r\n18.3.1\"\n", "catalog:\n  react: \"^\r\n19.0.0\"\n"),
    ] {
        let (manager, path) = (manager("pnpm-workspace"), RepoPath::parse("pnpm-workspace.yaml").unwrap());
        let found = manager.extract(&path, before);
        let edit = edit_of(&found.dependencies[0], "19.0.0");
        assert_eq!(manager.edit(&path, before, &[edit]).unwrap(), after);
    }
}

//! Files whose parts multiply each other. Each is as large as a file may be, and is read in the time of any other: where that
//! is not so, these tests do not end.

use mass_driver::domain::{RepoPath, Skip};
use mass_driver::managers::{self, Extraction};
use rstest::rstest;

/// How much of a file one of its two parts fills. Unit: bytes.
const HALF: usize = 450_000;

fn many(piece: &str) -> String {
    piece.repeat(HALF / piece.len())
}

fn extracted(path: &str, text: &str) -> Extraction {
    assert!(text.len() <= managers::LARGEST_MANIFEST_BYTES);
    let path = RepoPath::parse(path).unwrap();
    managers::managers_for(&path).next().unwrap().extract(&path, text)
}

#[rstest]
#[case::files("compose.yaml", "include:\n", "- *long\n")]
#[case::names_of_services("compose.yaml", "services:\n", "  *long : {image: 'a:1.0'}\n")]
#[case::images("compose.yaml", "services:\n", "  ? [a]\n  : {image: *long}\n")]
#[case::names_of_jobs("action.yml", "jobs:\n", "  *long : {uses: 'a/b@v1'}\n")]
#[case::revisions(".pre-commit-config.yaml", "repos:\n", "- {repo: 'https://a.b/c', rev: *long}\n")]
#[case::repositories(".pre-commit-config.yaml", "repos:\n", "- {repo: *long, rev: v1}\n")]
#[case::packages(".pre-commit-config.yaml", "repos: [{repo: local, hooks: [{additional_dependencies: [", "*long ,")]
#[case::catalogs("pnpm-workspace.yaml", "catalog:\n", "  *long : *long\n")]
fn many_aliases_of_a_long_text_are_told(#[case] path: &str, #[case] start: &str, #[case] alias: &str) {
    let end = if start.ends_with('[') { "]}]}]\n" } else { "" };
    for text in ["a", "a/", "https://a.b/c"] {
        let text = format!("x: &long '{}'\n{start}{}{end}", many(text), many(alias));
        let extraction = extracted(path, &text);
        if let Some(problem) = extraction.problem {
            assert_eq!(problem, "its aliases stand for too much");
        } else {
            // Entries without a name of their own are one, and an image counts once for all who run it.
            assert!(extraction.dependencies.len() <= 1, "{} dependencies", extraction.dependencies.len());
        }
    }
}

#[test]
fn a_comment_behind_many_actions_is_looked_for_once() {
    let uses = "{uses: 'a/b@v1'},".repeat(4_000);
    let extraction =
        extracted(".github/workflows/ci.yml", &format!("jobs: {{j: {{steps: [{uses}]}}}} # {}", many("v")));
    assert_eq!(extraction.problem, None);
    assert_eq!(extraction.dependencies.iter().filter(|found| found.current.as_deref() == Some("v1")).count(), 4_000);
}

#[test]
fn a_comment_behind_a_text_that_many_use_is_told() {
    let text =
        format!("x: &rev v1 # {}\nrepos:\n{}", many("c"), "- {repo: 'https://a.b/c', rev: *rev}\n".repeat(4_000));
    // All of them are the same text in the file, for one repository or another.
    let extraction = extracted(".pre-commit-config.yaml", &text);
    assert_eq!(extraction.problem.as_deref(), Some("its aliases stand for too much"));
}

#[rstest]
#[case::in_an_anchor("&", 1)]
#[case::in_a_tag_which_makes_it_no_text("!", 0)]
fn signs_of_comments_that_begin_none_are_passed_over(#[case] before: &str, #[case] images: usize) {
    let extraction = extracted("compose.yaml", &format!("services: {{a: {{image: {before}{} b:1.0}}}}\n", many("a#")));
    assert_eq!((extraction.problem, extraction.dependencies.len()), (None, images));
}

#[test]
fn thousands_of_images_share_a_variable() {
    let images: String = (0..4_900).map(|i| format!("FROM a{i}/b:$V\n")).collect();
    let extraction = extracted("Dockerfile", &format!("ARG V=1.0-{}\n{images}", "a".repeat(120)));
    assert_eq!(extraction.dependencies.len(), 4_900);
    for found in &extraction.dependencies {
        let shared =
            matches!(&found.skip, Some(Skip::NotUnderstood(why)) if why.starts_with("its version is used for"));
        assert!(shared, "{found:?}");
    }
}

#[test]
fn an_honest_file_as_large_as_they_get_is_read_whole() {
    let commit = "c".repeat(40);
    let steps: String = (0..4_900)
        .map(|i| format!("      - name: Step {i}, which says at some length what it is there for\n        uses: acme/build-{i}@{commit} # v1.2.{i}, see the wiki\n"))
        .collect();
    let extraction = extracted(".github/workflows/ci.yml", &format!("jobs:\n  build:\n    steps:\n{steps}"));
    assert_eq!(extraction.problem, None);
    assert_eq!(extraction.dependencies.iter().filter(|found| found.skip.is_none()).count(), 4_900);
}

#[test]
fn a_name_that_is_longer_than_any_is_no_image() {
    let extraction = extracted("Dockerfile", &format!("FROM a:1.0\nCOPY --from=b.c/{} /x /x\n", many("d")));
    let [_, long] = &extraction.dependencies[..] else { panic!("{extraction:?}") };
    assert_eq!(long.skip, Some(Skip::NotUnderstood("it is not the name of an image".into())));
}

/// The stack of a thread that the bot's steps run on. Unit: bytes.
const STACK: usize = 2 * 1024 * 1024;

#[rstest]
#[case::a_key("[dependencies]\n", "a.", "b = 1\n")]
#[case::a_key_with_white_space("", "a . ", "b = 1\n")]
#[case::a_quoted_key("", "'a'.\"b\".", "c = 1\n")]
#[case::a_header("[", "a.", "b]\n")]
#[case::a_key_of_an_inline_table("a = { ", "a.", "b = 1 }\n")]
#[case::arrays("a = ", "[", "")]
#[case::headers("", "[", "\n")]
#[case::inline_tables("a = ", "{ a = ", "1")]
#[case::brackets_that_close_nothing("a = ", "[ } ", "")]
fn toml_that_is_very_deep_is_a_problem(
    #[values("Cargo.toml", "pyproject.toml", "Pipfile")] path: &'static str,
    #[case] start: &str,
    #[case] piece: &str,
    #[case] end: &str,
) {
    let text = format!("{start}{}{end}", many(piece));
    let read = move || extracted(path, &text).problem;
    let problem = std::thread::Builder::new().stack_size(STACK).spawn(read).unwrap().join().unwrap();
    let problem = problem.expect("it is not read");
    assert!(problem.ends_with("parts") || problem.ends_with("deep"), "{problem}");
}

/// Keys as deep as they may be, in brackets as deep as they may be, are read on the stack that there is.
#[test]
fn toml_that_is_as_deep_as_is_read_fits_on_the_stack() {
    let key = format!("{}b", "a.".repeat(31));
    let text = move |depth: usize| {
        format!("[{key}]\n{key} = {}1{}\n", format!("{{ {key} = ").repeat(depth), " }".repeat(depth))
    };
    let read = move || (1..100).filter(|depth| extracted("Cargo.toml", &text(*depth)).problem.is_none()).max();
    let deepest = std::thread::Builder::new().stack_size(STACK).spawn(read).unwrap().join().unwrap();
    assert!(deepest.is_some_and(|deepest| deepest >= 32), "{deepest:?}");
}

#[test]
fn dots_and_brackets_that_are_text_are_no_depth() {
    let (dots, brackets) = (".".repeat(1_000), "[".repeat(1_000));
    let text = format!(
        "# {dots}{brackets}\n[dependencies]\na = \"{dots}\" # {dots}\n\"{dots}{brackets}\" = \"1.5\"\nb = '''\n{brackets}\n'''\n"
    );
    assert_eq!(extracted("Cargo.toml", &text).problem, None);
}

//! Release notes of strangers, as they come out.

use crate::support::harmless::fault;
use mass_driver::planner::prose::Notes;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

/// A case of the table: what came, and what is made of it.
struct Case {
    name: String,
    notes: String,
    shown: String,
}

/// The cases, each as `#### name`, the notes, `=>` and what is made of them; `\u{…}` stands for a character that nobody would see.
fn cases() -> Vec<Case> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/notes/cases.txt");
    let text = fs::read_to_string(file).unwrap();
    let case = |text: &str| {
        let (name, rest) = text.split_once('\n').unwrap();
        let (notes, shown) = rest.split_once("=>\n").unwrap();
        Case { name: name.into(), notes: unescaped(notes), shown: unescaped(shown.trim_end()) }
    };
    text.split("#### ").skip(1).map(case).collect()
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let mut unescaped = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (digits, rest) = part.split_once('}').unwrap();
        unescaped.push(char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap());
        unescaped.push_str(rest);
    }
    unescaped
}

fn shown_in(text: &str, max_chars: usize) -> String {
    Notes { text, link: Some("https://github.com/psf/requests/releases/tag/v2.1"), max_chars }.to_markdown()
}

fn shown(text: &str) -> String {
    shown_in(text, 50_000)
}

const MORE: &str = "… (cut; the whole text: [`github.com/psf/requests/releases/tag/v2.1`](https://github.com/psf/requests/releases/tag/v2.1))";

#[test]
fn security_04_notes_of_strangers_come_out_as_the_table_says() {
    let cases = cases();
    assert!(cases.len() >= 60, "{}", cases.len());
    let mut wrong = String::new();
    for Case { name, notes, shown: expected } in cases {
        let shown = shown(&notes);
        if shown != expected {
            wrong.push_str(&format!("\n#### {name}\n{notes}=>\n{shown}\n(expected:)\n{expected}\n"));
        }
        if let Some(fault) = fault(&shown) {
            wrong.push_str(&format!("\n#### {name}\n{fault}\n{shown}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn security_04_what_looks_for_faults_finds_them() {
    let faults = [
        "@octocat",
        "see #1",
        "GH-1",
        "<b>",
        "<!-- -->",
        "![a](https://example.com)",
        "[a](javascript:x)",
        "# a",
        "a\n===",
        "- [ ] a",
        "> [!NOTE]\n> a",
        "[a](https://github.com/a/b/issues/1)",
        "https://example.com",
        "$x$",
        "{{ x }}",
        "0123456789",
        "```mermaid\n```",
        "```",
        "a\n/approve",
        "`[skip ci]`",
        "    fixes #1",
        "safe\u{202e}txt",
        "a[^1]\n\n[^1]: b",
        "---",
    ];
    for text in faults {
        assert!(fault(text).is_some(), "{text}");
    }
}

#[test]
fn notes_are_cut_between_blocks_and_say_where_the_whole_text_is() {
    let notes = "First.\n\n- one\n- two\n\nLast.\n";
    let most = |room: usize| shown_in(notes, MORE.chars().count() + 2 + room);
    assert_eq!(most(100), "First.\n\n- one\n- two\n\nLast.");
    assert_eq!(most(22), format!("First.\n\n- one\n- two\n\n{MORE}"));
    assert_eq!(most(21), format!("First.\n\n- one\n\n{MORE}"));
    assert_eq!(most(16), format!("First.\n\n- one\n\n{MORE}"));
    assert_eq!(most(8), format!("First.\n\n{MORE}"));
    assert_eq!(most(0), MORE);
    assert_eq!(shown_in(notes, 10), "… (cut)", "no room for the address");
    assert_eq!(shown_in(notes, 8), "", "no room even for that");
    let unlinked = Notes { text: notes, link: Some("javascript:alert(1)"), max_chars: 22 }.to_markdown();
    assert_eq!(unlinked, "First.\n\n… (cut)");
}

#[test]
fn bad_input_23_notes_are_cut_within_code_tables_and_letters_of_many_bytes() {
    let all = [
        format!("```rust\n{}", "let crab = \"🦀\";\n".repeat(2_000)),
        format!("| a | b |\n| --- | --- |\n{}", "| é | **日本** |\n".repeat(2_000)),
        "日本語の変更履歴。".repeat(2_000),
        "word **bold** [link](https://example.com/a) ".repeat(2_000),
        format!("> - {}", "`code` 🦀\n".repeat(2_000)),
        format!("**{}", "a ".repeat(20_000)),
        "- 🦀 @octocat\n".repeat(2_000),
        "\u{202e}".repeat(100_000),
        "🦀".repeat(30_000),
    ];
    for notes in all {
        for max_chars in (0..400).step_by(13).chain([1_000, 15_000]) {
            let shown = shown_in(&notes, max_chars);
            assert!(shown.chars().count() <= max_chars, "{max_chars}: {shown}");
            assert_eq!(fault(&shown), None, "{max_chars}: {shown}");
            let whole = max_chars < 9 || shown.ends_with(MORE) || max_chars < 200 && shown.ends_with("… (cut)");
            assert!(whole, "{max_chars}: {shown}");
        }
    }
}

/// Texts that parsers of Markdown have been slow with. That it ends is the test; how long it takes is no matter of it.
#[test]
fn notes_of_one_thing_over_and_over_end() {
    let pieces = [
        "[",
        "![",
        "*",
        "**a ",
        "*a **b ",
        "_",
        "`",
        "`a``",
        "<",
        "<!--",
        "<a",
        "<?",
        "&",
        "&#",
        "> ",
        "- ",
        "  - ",
        "1. ",
        "\\",
        "$",
        "{{",
        "@",
        "#1",
        "[a]: b\n",
        "[a](",
        "[a][",
        "](",
        "|",
        "|a\n",
        "| a | b\n",
        "\n|-",
        "~~",
        "~",
        "www.",
        "https://",
        "http://a/",
        "fix:",
        "fix ",
        "[skip ci",
        "\t",
        "\n\n",
        "\u{200b}",
        "<b>",
        "</b>",
        "<details>\n",
        "```\n",
        "a\n",
        "a ",
        "/a",
        "a/issues/",
        "0",
    ];
    for piece in pieces {
        for (before, after) in [("", ""), ("> - `", "`\n\nend")] {
            let notes = format!("{before}{}{after}", piece.repeat(60_000 / piece.len()));
            let shown = shown_in(&notes, 10_000);
            assert!(shown.chars().count() <= 10_000, "{piece}");
            assert_eq!(fault(&shown), None, "{piece}");
        }
    }
}

const PIECES: [&str; 91] = [
    "@octocat",
    "@acme/team",
    "#1",
    "GH-2",
    "acme/api#3",
    "fixes ",
    "closes: ",
    "0123456",
    "`",
    "``",
    "```",
    "~~~",
    "*",
    "**",
    "_",
    "~~",
    "[",
    "]",
    "(",
    ")",
    "![",
    "](",
    "[a](https://example.com)",
    "![a](https://example.com/x.png)",
    "<b>",
    "</b>",
    "<br>",
    "<!--",
    "-->",
    "<details>",
    "</details>",
    "<img src=x>",
    "<",
    ">",
    "&lt;",
    "&#64;",
    "&#35;",
    "&#x202e;",
    "&nbsp;",
    "&",
    "\\",
    "\n",
    "\n\n",
    "\n- ",
    "\n  - ",
    "\n1. ",
    "\n> ",
    "\n# ",
    "\n===\n",
    "\n---\n",
    "\n    ",
    "\n| a | b |\n| - | - |\n| ",
    " | ",
    "|",
    "\n```mermaid\n",
    "\n```\n",
    "[x] ",
    "[ ] ",
    "[!NOTE]",
    "[^1]",
    "[^1]: ",
    "[a]: https://github.com/a/b/pull/1\n",
    "[a]",
    "https://github.com/a/b/issues/1",
    "https://example.com/",
    "http://",
    "www.",
    "javascript:",
    "//",
    "$",
    "$$",
    "{{ x }}",
    "${{",
    "}}",
    "[skip ci]",
    "\n/approve",
    "\n:-\n",
    "a",
    "word ",
    " ",
    "é",
    "日本",
    "\u{200b}",
    "\u{202e}",
    "#",
    "# ",
    "GH-",
    "[](http://a)",
    "*<b></b>*",
    "1",
    "fixes\n\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn security_04_whatever_the_notes_are_nothing_gets_through(
        pieces in prop::collection::vec(prop::sample::select(PIECES.as_slice()), 0..40),
        max_chars in prop::sample::select(vec![200_usize, 300, 1_000, 50_000]),
    ) {
        let notes = pieces.concat();
        let shown = shown_in(&notes, max_chars);
        prop_assert!(shown.chars().count() <= max_chars);
        prop_assert_eq!(fault(&shown), None, "{:?} became {:?}", notes, shown);
    }

    #[test]
    fn security_04_whatever_the_characters_are_nothing_gets_through(notes in any::<String>()) {
        let shown = shown(&notes);
        prop_assert_eq!(fault(&shown), None, "{:?} became {:?}", notes, shown);
    }
}

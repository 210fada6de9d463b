//! What `mass-driver new` writes. The texts lie in the folder `templates`, beside this file.

use super::Language;
use crate::bulk::plug_in::PlugInKind;

/// A plug-in to begin from.
pub(super) struct Template {
    /// What its executable is called, and its folder.
    pub program: String,
    pub files: Vec<File>,
    /// The command that tests it, in its folder.
    pub test: &'static str,
    /// How it comes onto the `PATH`.
    pub install: String,
}

/// One of its files.
pub(super) struct File {
    pub name: String,
    pub text: String,
    pub executable: bool,
}

/// The texts of one kind in one language: the plug-in, and its tests.
macro_rules! pair {
    ($language:literal, $kind:literal, $ending:literal) => {
        (
            include_str!(concat!("templates/", $language, "/", $kind, $ending)),
            include_str!(concat!("templates/", $language, "/test_", $kind, $ending)),
        )
    };
}

macro_rules! driver_example {
    () => {
        "migration:\n  commit_message: Say what is changed\n  branch_name: {{name}}\n  driver_name: {{name}}\n"
    };
}
macro_rules! source_example {
    () => {
        "source:\n  source_name: {{name}}\n"
    };
}
macro_rules! scan_example {
    () => {
        "scan:\n  scanner_names: [root-files]\n"
    };
}

const README: &str = include_str!("templates/README.md.txt");
const RUST_HEAD: &str = include_str!("templates/rust/main_head.rs.txt");
const RUST_TEST_HEAD: &str = include_str!("templates/rust/test_head.rs.txt");
const CARGO: &str = include_str!("templates/rust/Cargo.toml.txt");
const PYTHON_TEST_HEAD: &str = include_str!("templates/python/test_head.py");
const SHELL_TEST_HEAD: &str = include_str!("templates/shell/test_head.sh");

/// The template of a kind in a language, with the name filled in.
pub(super) fn of(kind: PlugInKind, language: Language, name: &str) -> Template {
    let program = format!("mass-driver-{kind}-{name}");
    let (code, tests) = texts(kind, language);
    let (mut files, test, install) = match language {
        Language::Rust => {
            let code = code.replace("@HEAD@", RUST_HEAD);
            let files = vec![
                file("Cargo.toml", CARGO.to_owned()),
                file("src/main.rs", code),
                file("tests/protocol.rs", format!("{RUST_TEST_HEAD}{tests}")),
                file(".gitignore", "/target\n".to_owned()),
            ];
            (files, "cargo test", "`cargo install --path .`".to_owned())
        }
        Language::Python => {
            let files = vec![file("test_plug_in.py", format!("{PYTHON_TEST_HEAD}{tests}"))];
            (files, "python3 -m unittest", on_the_path(&program))
        }
        Language::Shell => {
            let files = vec![file("test.sh", format!("{SHELL_TEST_HEAD}{tests}"))];
            (files, "sh test.sh", on_the_path(&program))
        }
    };
    let (example, keys) = usage(kind, language);
    files.push(file("README.md", README.replace("{{example}}", example).replace("{{keys}}", keys)));
    let place = match kind {
        PlugInKind::Driver => "the clone, which it may change",
        PlugInKind::Scanner => "the clone",
        PlugInKind::Source => "a folder for scratch",
    };
    let fill = |text: &str| {
        let text = text.replace("{{program}}", &program).replace("{{kind}}", kind.as_str()).replace("{{name}}", name);
        text.replace("{{test}}", test).replace("{{install}}", &install).replace("{{place}}", place)
    };
    for each in &mut files {
        each.text = fill(&each.text);
    }
    if language != Language::Rust {
        files.push(File { name: program.clone(), text: fill(code), executable: true });
    }
    Template { files, test, install, program }
}

fn file(name: &str, text: String) -> File {
    File { name: name.to_owned(), text, executable: false }
}

fn on_the_path(program: &str) -> String {
    format!("put this folder on the `PATH`, or link `{program}` from a folder that is")
}

/// How an Activity uses it, and the keys it gives it.
fn usage(kind: PlugInKind, language: Language) -> (&'static str, &'static str) {
    match (kind, language) {
        (PlugInKind::Driver, Language::Shell) => {
            (driver_example!(), "It needs no keys, and reads none of `driver_config`.")
        }
        (PlugInKind::Driver, _) => (
            concat!(driver_example!(), "  driver_config:\n    files: [README.md]\n    old: colour\n    new: color\n"),
            "`files` are changed where they are there: the text `old` is replaced by `new`. All three keys are needed.",
        ),
        (PlugInKind::Scanner, _) => {
            ("scan:\n  scanner_names: [{{name}}]\n", "An Activity gives scanners no keys: `config` is an empty object.")
        }
        (PlugInKind::Source, Language::Shell) => {
            (concat!(source_example!(), scan_example!()), "It needs no keys, and reads none of `source_config`.")
        }
        (PlugInKind::Source, _) => (
            concat!(
                source_example!(),
                "  source_config:\n    base: https://git.example.com/acme\n    names: [api, web]\n",
                scan_example!()
            ),
            "`names` are repositories at the address `base`. Both keys are needed.",
        ),
    }
}

fn texts(kind: PlugInKind, language: Language) -> (&'static str, &'static str) {
    match (language, kind) {
        (Language::Rust, PlugInKind::Driver) => pair!("rust", "driver", ".rs.txt"),
        (Language::Rust, PlugInKind::Scanner) => pair!("rust", "scanner", ".rs.txt"),
        (Language::Rust, PlugInKind::Source) => pair!("rust", "source", ".rs.txt"),
        (Language::Python, PlugInKind::Driver) => pair!("python", "driver", ".py"),
        (Language::Python, PlugInKind::Scanner) => pair!("python", "scanner", ".py"),
        (Language::Python, PlugInKind::Source) => pair!("python", "source", ".py"),
        (Language::Shell, PlugInKind::Driver) => pair!("shell", "driver", ".sh"),
        (Language::Shell, PlugInKind::Scanner) => pair!("shell", "scanner", ".sh"),
        (Language::Shell, PlugInKind::Source) => pair!("shell", "source", ".sh"),
    }
}

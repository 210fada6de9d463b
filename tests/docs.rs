//! The pages for users say what the code does: settings, commands, messages.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod support {
    pub mod markdown;
}

use clap::{Arg, Args as _, Command};
use mass_driver::settings::ServerSettings;
use mass_driver::{activity, drivers, scanners, subscription};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use support::markdown::{code_spans, table};

fn read(file: impl AsRef<Path>) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The settings of `serve`, as clap knows them.
fn settings() -> Vec<Arg> {
    let command = ServerSettings::augment_args(Command::new("serve"));
    command.get_arguments().filter(|arg| arg.get_id() != "help").cloned().collect()
}

fn variable(arg: &Arg) -> String {
    arg.get_env().unwrap_or_else(|| panic!("{} has no variable", arg.get_id())).to_str().unwrap().to_owned()
}

#[test]
fn the_table_of_settings_is_what_serve_takes() {
    let page = read("docs/running.md");
    let rows: Vec<(String, String, Option<String>)> = table(&page, "## Settings")
        .into_iter()
        .map(|cells| {
            let span = |cell: &str| code_spans(cell).first().map(|span| (*span).to_owned());
            (span(cells[0]).unwrap(), span(cells[1]).unwrap(), span(cells[2]))
        })
        .collect();
    let taken: Vec<(String, String, Option<String>)> = settings()
        .iter()
        .map(|arg| {
            let default = arg.get_default_values().first().map(|value| value.to_str().unwrap().to_owned());
            (variable(arg), format!("--{}", arg.get_long().unwrap()), default)
        })
        .collect();
    let sorted = |mut rows: Vec<_>| {
        rows.sort();
        rows
    };
    assert_eq!(sorted(rows), sorted(taken), "the page left, `serve` right");
}

#[test]
fn the_example_of_settings_offers_each_and_no_other() {
    let example = read(".env.example");
    let offered: BTreeSet<String> = example
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
        .collect();
    let taken: BTreeSet<String> = settings().iter().map(variable).collect();
    assert_eq!(offered, taken, ".env.example left, `serve` right");
    for arg in settings() {
        let name = variable(&arg);
        let said = arg.get_default_values().first().and_then(|value| value.to_str());
        let line = example.lines().find(|line| line.starts_with(&format!("#{name}=")));
        // An address stands there as an example; everything else is the default.
        if let (Some(default), Some(line)) = (said, line)
            && !default.starts_with("https://")
        {
            assert_eq!(line, format!("#{name}={default}"));
        }
    }
}

/// The fenced blocks of a page with their language.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in page.lines() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => open = Some((language, String::new())),
            (None, Some((_, text))) => *text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    blocks
}

fn pages() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let docs = names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}"));
    ["README.md", "CONTRIBUTING.md", "app-manifest/README.md"].map(str::to_owned).into_iter().chain(docs).collect()
}

#[test]
fn the_files_of_the_readme_are_valid() {
    let page = read("README.md");
    let files: Vec<String> =
        blocks(&page).into_iter().filter(|(kind, _)| *kind == "yaml").map(|(_, text)| text).collect();
    let (activities, files): (Vec<_>, Vec<_>) = files.into_iter().partition(|text| text.starts_with("migration:"));
    assert_eq!(activities, [read("examples/security-policy.yaml")]);
    assert!(!files.is_empty());
    for file in files {
        let parsed = subscription::parse(file.as_bytes());
        assert!(parsed.is_ok(), "{file}{parsed:?}");
    }
}

#[test]
fn the_readme_has_a_row_for_each_command() {
    let page = read("README.md");
    let rows = table(&page, "## The commands");
    let named: Vec<String> = rows.iter().flat_map(|row| code_spans(row[0])).map(str::to_owned).collect();
    let help = process::Command::new(env!("CARGO_BIN_EXE_mass-driver")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let there: BTreeSet<&str> =
        listed.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect();
    assert_eq!(
        named.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        there,
        "README.md left, the executable right"
    );
    assert_eq!(named.len(), there.len(), "each once");
}

/// What follows a command in the console blocks of the README.
fn shown_after<'a>(blocks: &'a [(&str, String)], command: &str) -> &'a str {
    let shown = blocks.iter().find_map(|(_, text)| text.strip_prefix(&format!("$ {command}\n")));
    shown.unwrap_or_else(|| panic!("the README does not show `{command}`"))
}

#[test]
fn the_readme_shows_what_the_commands_print() {
    let page = read("README.md");
    let blocks = blocks(&page);
    let (_, file) = blocks.iter().find(|(kind, _)| *kind == "yaml").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
    fs::create_dir(folder.path().join("broken")).unwrap();
    write(".mass-driver.yaml", file);
    write("requirements.txt", "httpx==0.27.0\nflask==3.0.0\n");
    write("Dockerfile", "FROM python:3.12-slim\n");
    write("broken/.mass-driver.yaml", "timezone: Europe/Paris\ndelay: weekly\nsubscriptions:\n  - migration: pipy\n");
    let printed = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_mass-driver"));
        let output = command.args(arguments).current_dir(folder.path()).env_clear().output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(shown_after(&blocks, "mass-driver deps"), printed(&["deps"]));
    assert_eq!(shown_after(&blocks, "mass-driver check broken"), printed(&["check", "broken"]));
    // The date of the next slot is another one every week.
    let dateless = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    assert_eq!(dateless(shown_after(&blocks, "mass-driver check")), dateless(&printed(&["check"])));
}

#[test]
fn every_command_of_the_pages_is_one_with_its_flags() {
    let mut seen = 0;
    for name in pages() {
        let page = read(&name);
        let consoles = blocks(&page).into_iter().filter(|(kind, _)| *kind == "console");
        let lines: Vec<String> =
            consoles.flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        for line in lines.iter().filter_map(|line| line.trim_start().strip_prefix("$ mass-driver ")) {
            let mut words = line.split_whitespace();
            let command = words.next().unwrap();
            let help = std::process::Command::new(env!("CARGO_BIN_EXE_mass-driver"))
                .args([command, "--help"])
                .env_clear()
                .output()
                .unwrap();
            assert!(help.status.success(), "{name}: `mass-driver {command}` is no command");
            let help = String::from_utf8(help.stdout).unwrap();
            for flag in words.filter(|word| word.starts_with("--")) {
                assert!(
                    help.split_whitespace().any(|word| word == flag),
                    "{name}: `mass-driver {command}` does not take {flag}"
                );
            }
            seen += 1;
        }
    }
    assert!(seen > 5, "only {seen} commands were found");
}

/// All source, with texts that go on behind a `\` at a line's end put together.
fn source(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            all += &source(&entry);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&entry).unwrap();
            let mut parts = text.split("\\\n");
            all += parts.next().unwrap_or_default();
            all.extend(parts.map(str::trim_start));
        }
    }
    all
}

#[test]
fn every_message_of_the_troubleshooting_page_can_be_said() {
    let source = source(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src"));
    let page = read("docs/troubleshooting.md");
    let mut seen = 0;
    for message in page.lines().filter_map(|line| line.strip_prefix("### ")) {
        // A message is the code's text with names and numbers put in.
        for part in message.split('…').map(|part| part.trim_matches([' ', ':', '`'])).filter(|part| !part.is_empty())
        {
            assert!(source.contains(part), "`{message}`: no text of the code has `{part}`");
        }
        seen += 1;
    }
    assert!(seen > 30, "only {seen} messages were found");
}

/// The named tests below a folder as `file name`, with the file relative to `tests/`.
fn named_tests(folder: &Path, prefix: &str, found: &mut BTreeSet<(String, String)>) {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests");
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            named_tests(&entry, prefix, found);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            let file = entry.strip_prefix(&tests).unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(&entry).unwrap();
            let names =
                text.lines().filter_map(|line| line.trim_start().trim_start_matches("async ").strip_prefix("fn "));
            let names = names.filter_map(|rest| rest.split('(').next()).filter(|name| name.starts_with(prefix));
            found.extend(names.map(|name| (file.clone(), name.to_owned())));
        }
    }
}

#[test]
fn every_case_that_has_a_number_has_tests_of_that_number() {
    let page = read("tests/README.md");
    let inputs: Vec<u32> = (1..=19).chain(22..=25).collect();
    for (heading, prefix, numbers) in
        [("## Bad inputs", "bad_input_", inputs), ("## Security", "security_", vec![1, 3, 4, 5, 6, 8, 9, 10])]
    {
        let mut listed = BTreeSet::new();
        let mut seen = Vec::new();
        for cells in table(&page, heading) {
            let number: u32 = cells[0].parse().unwrap();
            seen.push(number);
            let mut file = "";
            for span in code_spans(cells[2]) {
                if span.ends_with(".rs") {
                    file = span;
                } else {
                    assert!(span.starts_with(&format!("{prefix}{number:02}_")), "{span} is in the row of {number}");
                    listed.insert((file.to_owned(), span.to_owned()));
                }
            }
        }
        assert_eq!(seen, numbers, "{heading}");
        let mut there = BTreeSet::new();
        named_tests(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests"), prefix, &mut there);
        assert_eq!(listed, there, "tests/README.md left, the tests right");
        assert!(
            numbers
                .iter()
                .all(|number| listed.iter().any(|(_, name)| name.starts_with(&format!("{prefix}{number:02}_"))))
        );
    }
}

/// Whoever asks what is kept of a private repository gets the whole answer.
#[test]
fn the_pages_name_every_table() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut made = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let names = text.split("CREATE TABLE ").skip(1).filter_map(|rest| rest.split([' ', '(', '\n']).next());
        made.extend(names.map(str::to_owned));
    }
    assert!(made.len() > 20);
    for (page, heading) in [("docs/running.md", "### What is stored"), ("ARCHITECTURE.md", "## The store")] {
        let page_text = read(page);
        let rows = table(&page_text, heading);
        let named: BTreeSet<String> = rows.iter().flat_map(|row| code_spans(row[0])).map(str::to_owned).collect();
        assert_eq!(named, made, "{page} left, the migrations right");
    }
}

#[test]
fn the_page_of_commands_lists_what_is_understood() {
    let page = read("docs/commands.md");
    let help = mass_driver::commands::answer::help();
    let listed = help.split_once("\n\n").unwrap().1;
    assert!(page.contains(listed), "{listed}");
}

#[test]
fn every_fault_has_its_tests_and_every_test_of_a_fault_its_row() {
    let tests = source(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests"));
    let written: BTreeSet<&str> =
        tests.split("fn ").skip(1).filter_map(|text| text.split_once('(')).map(|f| f.0).collect();
    let page = read("ARCHITECTURE.md");
    let mut named = BTreeSet::new();
    let rows = table(&page, "## The twenty faults");
    assert_eq!(rows.len(), 20);
    for (row, number) in rows.into_iter().zip(1..) {
        assert_eq!(row[0], number.to_string(), "the faults stand in order");
        let names = code_spans(row[3]);
        assert!(!names.is_empty(), "fault {number} has no test");
        for name in names {
            assert!(written.contains(name), "fault {number}: there is no test `{name}`");
            let own = format!("fault_{number:02}_");
            assert!(name.starts_with(&own), "`{name}` stands in the row of fault {number}");
            named.insert(name);
        }
    }
    let numbered =
        |name: &&str| name.strip_prefix("fault_").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let missing: Vec<&str> = written.into_iter().filter(numbered).filter(|name| !named.contains(name)).collect();
    assert!(missing.is_empty(), "ARCHITECTURE.md does not name {missing:?}");
}

/// The part of a page below a heading, up to the next one of its level.
fn below<'p>(page: &'p str, heading: &str) -> &'p str {
    let start = page.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("there is no heading {heading}"));
    let part = &page[start + heading.len() + 2..];
    part.split("\n## ").next().unwrap_or(part)
}

/// The keys of a driver as rows of a table.
fn rows_of_keys(kind: &drivers::Kind) -> String {
    let schema = (kind.schema)(&mut schemars::SchemaGenerator::default()).to_value();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let rows = schema["properties"].as_object().unwrap().iter().map(|(key, value)| {
        let needed = if required.iter().any(|name| name == key) { "yes" } else { "no" };
        format!("| `{key}` | {needed} | {} |\n", value["description"].as_str().unwrap())
    });
    rows.collect()
}

#[test]
fn the_page_of_drivers_has_each_with_its_words_and_keys() {
    let page = read("docs/drivers.md");
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`')).collect();
    assert_eq!(headings, drivers::TABLE.iter().map(|kind| kind.name).collect::<Vec<_>>());
    for kind in drivers::TABLE {
        let part = below(&page, &format!("## `{}`", kind.name));
        assert!(part.replace('\n', " ").contains(kind.about), "{}: {}", kind.name, kind.about);
        let rows: String = part
            .lines()
            .filter(|line| line.starts_with("| `") && line.matches('|').count() == 4)
            .map(|line| line.to_owned() + "\n")
            .collect();
        let sorted = |rows: &str| rows.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        assert_eq!(sorted(&rows), sorted(&rows_of_keys(kind)), "{}: the page left, the code right", kind.name);
    }
}

#[test]
fn the_examples_of_drivers_can_be_read() {
    let page = read("docs/drivers.md");
    let mut seen = BTreeSet::new();
    for (_, example) in blocks(&page).into_iter().filter(|(language, _)| *language == "yaml") {
        let read = activity::parse(example.as_bytes(), activity::Format::Yaml, &activity::Surroundings::default());
        let read = read.unwrap_or_else(|problems| panic!("{example}{problems:?}"));
        seen.insert(read.migration.unwrap().driver_name);
    }
    assert_eq!(seen, drivers::TABLE.iter().map(|kind| kind.name.to_owned()).collect());
}

#[test]
fn the_page_of_scanners_has_each_with_its_words() {
    let page = read("docs/scanners.md");
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`')).collect();
    assert_eq!(headings, scanners::TABLE.iter().map(|scanner| scanner.name()).collect::<Vec<_>>());
    for scanner in scanners::TABLE {
        let part = below(&page, &format!("## `{}`", scanner.name()));
        assert!(part.replace('\n', " ").contains(scanner.about()), "{}: {}", scanner.name(), scanner.about());
    }
}

//! The Activity file: what it may say, what its problems look like, what it comes to for a repository, and that its JSON
//! Schema agrees.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "activity/placeholders.rs"]
mod placeholders;
#[path = "activity/secrets.rs"]
mod secrets;
#[path = "activity/variables.rs"]
mod variables;

use mass_driver::activity::*;
use mass_driver::document::Problem;
use mass_driver::domain::{SourcedRepository, branch_complaint};
use rstest::rstest;
use std::path::{Path, PathBuf};

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/activity").join(folder);
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_file = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "yaml" || ending == "toml");
    let mut files: Vec<_> = entries.filter(is_file).collect();
    files.sort();
    assert!(files.len() > 4, "the fixtures are there");
    files
}

/// Compares with the snapshot beside the fixture.
fn assert_beside(fixture: &Path, text: String) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(fixture.parent().unwrap());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(fixture.file_stem().unwrap().to_str().unwrap(), text));
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

/// A machine with three plug-ins, and nothing in its environment.
fn around() -> Surroundings {
    let mut around = Surroundings::default();
    around.plugins.drivers = vec!["my-driver".into(), "teamname-changer".into()];
    around.plugins.scanners = vec!["my-own".into()];
    around
}

fn read(path: &Path) -> Result<Activity, Vec<Problem>> {
    let bytes = std::fs::read(path).unwrap();
    parse(&bytes, Format::of(path.to_str().unwrap(), &bytes), &around())
}

fn yaml(text: &str) -> Activity {
    parse(text.as_bytes(), Format::Yaml, &around()).unwrap_or_else(|problems| panic!("{}", lines(&problems)))
}

fn problems(text: &str) -> String {
    lines(&parse(text.as_bytes(), Format::Yaml, &around()).expect_err(text))
}

fn repository() -> SourcedRepository {
    let columns = [("owner", "core"), ("folder name", "a b"), ("count", "7")];
    SourcedRepository {
        id: "acme/api".into(),
        clone_url: "https://git.example.com/acme/api.git".into(),
        upstream_branch: Some("trunk".into()),
        patch_data: columns.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
    }
}

/// The file's content as JSON, for the schema.
fn as_json(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).unwrap();
    if path.extension().is_some_and(|ending| ending == "yaml") {
        return serde_saphyr::from_str(&text).unwrap();
    }
    let document = toml_edit::Document::parse(text.as_str()).unwrap();
    table_as_json(document.as_table())
}

fn table_as_json(table: &dyn toml_edit::TableLike) -> serde_json::Value {
    let entry = |(key, item): (&str, &toml_edit::Item)| {
        let value = match item {
            toml_edit::Item::Value(value) => value_as_json(value),
            item => table_as_json(item.as_table_like().unwrap()),
        };
        (key.to_owned(), value)
    };
    serde_json::Value::Object(table.iter().map(entry).collect())
}

fn value_as_json(value: &toml_edit::Value) -> serde_json::Value {
    match value {
        toml_edit::Value::String(text) => text.value().clone().into(),
        toml_edit::Value::Integer(number) => (*number.value()).into(),
        toml_edit::Value::Float(number) => (*number.value()).into(),
        toml_edit::Value::Boolean(truth) => (*truth.value()).into(),
        toml_edit::Value::Datetime(time) => time.value().to_string().into(),
        toml_edit::Value::Array(items) => items.iter().map(value_as_json).collect(),
        toml_edit::Value::InlineTable(table) => table_as_json(table),
    }
}

fn schema() -> jsonschema::Validator {
    let schema = json_schema();
    jsonschema::meta::validate(&schema).expect("the schema is a schema");
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn valid_files_are_read_and_the_schema_takes_them() {
    let schema = schema();
    for fixture in fixtures("valid") {
        let activity = read(&fixture).unwrap_or_else(|problems| panic!("{}: {}", fixture.display(), lines(&problems)));
        let complaints: Vec<_> = schema.iter_errors(&as_json(&fixture)).map(|error| error.to_string()).collect();
        assert!(complaints.is_empty(), "{}: {complaints:?}", fixture.display());
        let one = activity.for_repository(&repository()).unwrap_or_else(|problems| panic!("{}", lines(&problems)));
        let forge = activity.forge.as_ref().map(|forge| {
            (
                forge.kind,
                forge.git_push_first,
                forge.interactive_pause_every,
                forge.draft,
                &forge.labels,
                (&forge.reviewers, &forge.team_reviewers, &forge.assignees),
            )
        });
        let told = format!(
            "source: {:#?}\nscan: {:?}\nallow: {:?}\nforge: {forge:?}\nfor acme/api: {one:#?}\n",
            activity.source,
            activity.scan,
            activity.migration.as_ref().map(|migration| &migration.allow),
        );
        assert_beside(&fixture, told);
    }
}

#[test]
fn problems_stand_on_their_lines_with_what_would_be_right() {
    for fixture in fixtures("invalid") {
        assert_beside(&fixture, lines(&read(&fixture).unwrap_err()));
    }
}

#[test]
fn the_schema_refuses_what_is_misspelled() {
    let schema = schema();
    for fixture in fixtures("invalid") {
        let name = fixture.file_stem().unwrap().to_str().unwrap();
        if name.starts_with("misspelled") || name == "values" || name == "index" {
            assert!(!schema.is_valid(&as_json(&fixture)), "{name}");
        }
    }
}

#[test]
fn every_example_of_the_pages_is_an_activity() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut read = 0;
    for page in ["activities.md", "sources.md"] {
        let text = std::fs::read_to_string(docs.join(page)).unwrap();
        for block in text.split("\n```").filter(|block| block.starts_with("toml\n") || block.starts_with("yaml\n")) {
            let (ending, example) = block.split_once('\n').unwrap();
            let found = parse(example.as_bytes(), Format::of(&format!("x.{ending}"), example.as_bytes()), &around());
            let found = found.map_err(|problems| lines(&problems));
            assert!(found.is_ok(), "{page}: {}\n{example}", found.unwrap_err());
            read += 1;
        }
    }
    assert!(read > 5, "the examples are there");
}

#[rstest]
#[case("a.toml", "x: 1", Format::Toml)]
#[case("a/b.YAML", "[x]", Format::Yaml)]
#[case("a.yml", "x = 1", Format::Yaml)]
#[case("a.b/activity", "# words: and = signs\n\n[mass-driver.scan]\n", Format::Toml)]
#[case("-", "mass-driver.scan.scanner_names = ['a: b']", Format::Toml)]
#[case("-", "mass-driver:\n  scan: {}", Format::Yaml)]
#[case("-", "scan: { a: b = c }", Format::Yaml)]
#[case("-", "{\"scan\": 1}", Format::Yaml)]
#[case("-", "", Format::Yaml)]
fn a_format_is_told_by_the_ending_and_else_by_the_content(
    #[case] name: &str,
    #[case] text: &str,
    #[case] format: Format,
) {
    assert_eq!(Format::of(name, text.as_bytes()), format);
}

#[rstest]
#[case("", "the file is empty")]
#[case("[]", "the file must be a mapping, this is a list")]
#[case("{}", "the file says nothing that can be done")]
#[case("mass-driver:\n", "`mass-driver` has no value")]
#[case("mass-driver: {}", "the file says nothing that can be done")]
#[case("mass_driver: { scan: {} }", "did you mean `mass-driver`?")]
#[case("driver_name: counter", "move it into the section `migration`")]
#[case("subscriptions: [pypi]", "this is a subscription file")]
#[case("scan: root-files", "`scan` must be a mapping")]
#[case("migration: { commit_message: a, driver_name: '../x' }", "there is no driver `../x`; use `counter`")]
fn what_is_no_activity_is_told(#[case] text: &str, #[case] expected: &str) {
    let found = problems(text);
    assert!(found.contains(expected) && found.lines().count() == 1, "{found}");
}

/// An editor may have saved the file with other line ends; a text over several lines is the same.
#[test]
fn how_lines_of_a_file_end_is_no_part_of_its_texts() {
    let file = "[migration]\ncommit_message = \"\"\"\nFirst\n\nSecond\n\"\"\"\ndriver_name = 'counter'\nwrong = 1\n\
                driver_config = { target_file = \"a\", target_count = 1 }\n";
    for file in [file.to_owned(), file.replace('\n', "\r\n")] {
        let told = parse(file.as_bytes(), Format::Toml, &around()).unwrap_err();
        assert_eq!((told.len(), told[0].line), (1, 8), "{told:?}");
        let sound = file.replace("wrong = 1", "");
        let activity = parse(sound.as_bytes(), Format::Toml, &around()).unwrap();
        let one = activity.for_repository(&repository()).unwrap();
        assert_eq!(one.migration.unwrap().commit_message, "First\n\nSecond\n");
    }
}

/// The combined example has `branch_name` and `head_branch` spelled differently: it is committed on the one and pushed under
/// the other, and with one of them missing both are the same.
#[rstest]
#[case("branch_name: a", "head_branch: b", "a", "b")]
#[case("branch_name: a", "labels: []", "a", "a")]
#[case("commit_author_name: Jo", "head_branch: b", "b", "b")]
#[case("commit_author_name: Jo", "labels: []", "counter", "counter")]
fn names_of_branches(#[case] migration: &str, #[case] forge: &str, #[case] local: &str, #[case] remote: &str) {
    let activity = yaml(&format!(
        "migration:\n  commit_message: Count\n  driver_name: counter\n  driver_config: {{ target_file: a, target_count: 1 }}\n  {migration}\nforge:\n  forge_name: github\n  {forge}\n"
    ));
    let one = activity.for_repository(&repository()).unwrap();
    assert_eq!((one.migration.unwrap().branch.as_str(), one.forge.unwrap().head_branch.as_str()), (local, remote));
}

#[test]
fn a_title_and_a_text_come_from_the_commit_message() {
    let activity = yaml(
        "migration:\n  commit_message: \"Own {{ repo.id }}\\n\\nSince Monday.\\n\"\n  driver_name: my-driver\nforge: { forge_name: github }\n",
    );
    let forge = activity.for_repository(&repository()).unwrap().forge.unwrap();
    assert_eq!((forge.title.as_str(), forge.body.as_str()), ("Own acme/api", "Since Monday."));
    assert_eq!(forge.base_branch.as_deref(), Some("trunk"), "the branch that the change begins from");
}

/// Sources and drivers read the same words.
#[rstest]
#[case("pypi")]
#[case("pip")]
#[case("' pypi '")]
#[case("dockerfile")]
fn an_ecosystem_has_the_same_names_everywhere(#[case] word: &str) {
    let package = format!("ecosystem: {word}, package: python");
    yaml(&format!("source: {{ source_name: index, source_config: {{ {package} }} }}"));
    let bump = format!("driver_name: bump, driver_config: {{ {package}, to: '3.13' }}");
    yaml(&format!("migration: {{ commit_message: Bump, {bump} }}"));
}

/// A plug-in is advised where one of that name would be found, and nowhere else.
#[rstest]
#[case("my-drivr", true)]
#[case("My.Driver", false)]
#[case("1st", false)]
#[case("a-", false)]
fn an_executable_is_advised_where_it_would_be_found(#[case] name: &str, #[case] advised: bool) {
    let found = problems(&format!("migration: {{ commit_message: a, driver_name: {name} }}"));
    assert!(found.contains(&format!("there is no driver `{name}`")), "{found}");
    assert_eq!(found.contains(&format!("mass-driver-driver-{name}")), advised, "{found}");
}

#[rstest]
#[case("a", None)]
#[case("feature/a-b_c.d", None)]
#[case("", Some("it is empty"))]
#[case("-a", Some("it begins with `-`"))]
#[case("a b", Some("there is white space in it"))]
#[case("a..b", Some("there is `..` in it"))]
#[case("/a", Some("a `/` stands at an end, or two of them together"))]
#[case("a//b", Some("a `/` stands at an end, or two of them together"))]
#[case("a/.b", Some("a part of it begins with `.`"))]
#[case("a.lock/b", Some("a part of it ends with `.lock`"))]
#[case("a./b", None)]
#[case("a.", Some("it ends with `.`"))]
#[case("a@{b", Some("there is `@{` in it"))]
#[case("@", Some("git keeps that word for itself"))]
#[case("HEAD", Some("git keeps that word for itself"))]
#[case("a\u{7f}", Some("git allows no control characters and none of ~ ^ : ? * [ \\"))]
#[case("a:b", Some("git allows no control characters and none of ~ ^ : ? * [ \\"))]
#[case("refs/heads/a", Some("it begins with `refs/`; the name alone is meant"))]
fn names_of_branches_are_judged_as_git_does(#[case] name: &str, #[case] complaint: Option<&str>) {
    assert_eq!(branch_complaint(name), complaint);
    // git is the judge of what we take; what we refuse besides is longer, or a path of a ref.
    let git = std::process::Command::new("git").args(["check-ref-format", "--branch", name]).output().unwrap();
    assert!(complaint.is_some() || git.status.success(), "git refuses {name:?}");
    assert!(git.status.success() == complaint.is_none() || name.starts_with("refs/") || name == "@", "{name:?}");
}

//! `mass-driver check [PATH]`: validates a subscription file and says what it subscribes to; or the file of an organisation, and
//! says what that asks for.

use super::print::{json, printable};
use super::{Exit, UsageError};
use crate::document::read_beginning;
use crate::planner::timing::next_slot;
use crate::subscription::{
    Delay, FILE_NAMES, MAX_BYTES, MigrationPattern, ORGANISATION_FILE_NAMES, Problem, Subscription, SubscriptionFile,
    both_present, not_a_file, parse, parse_organisation, several_organisation_files,
};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use comfy_table::{Table, presets};
use jiff::Timestamp;
use serde_json::json as object;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Arguments of `mass-driver check`.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArgs {
    /// The subscription file or the organisation's file, or the folder that holds one
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub format: CheckFormat,
}

/// How `check` prints its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum CheckFormat {
    /// For people: the lines with their problems, or a table of the subscriptions
    #[default]
    Text,
    /// One JSON object
    Json,
    /// Workflow commands that annotate the lines on GitHub
    Github,
}

/// Validates the file at a path and prints its problems, or what it subscribes to with the slots next after `now`. Of a folder with
/// the files of a repository and of its organisation both are; as JSON the repository's alone, which is one object.
///
/// Returns [`Exit::Failed`] when a file has problems. Errors: [`UsageError`] when there is no file.
pub fn run(args: &CheckArgs, now: Timestamp, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let first = check(find(&args.path)?, args.format, now, out)?;
    let is_folder = FILE_NAMES.iter().any(|name| std::fs::symlink_metadata(args.path.join(name)).is_ok());
    let second = match args.format {
        CheckFormat::Text | CheckFormat::Github if is_folder => of_an_organisation(&args.path)?,
        _ => None,
    };
    let Some(found) = second else { return Ok(first) };
    let second = check(found, args.format, now, out)?;
    Ok(if first == Exit::Done { second } else { first })
}

fn check(found: Found, format: CheckFormat, now: Timestamp, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if let Found::File(path) = &found
        && is_of_an_organisation(path)
    {
        return organisation(path, format, out);
    }
    let (path, result, bytes) = match found {
        Found::File(path) => {
            let bytes = read(&path)?;
            (path, parse(&bytes), bytes)
        }
        Found::Both(path) => (path, Err(vec![both_present()]), Vec::new()),
        Found::Several(path) => (path, Err(vec![several_organisation_files()]), Vec::new()),
        Found::Other(path, kind) => (path, Err(vec![not_a_file(kind)]), Vec::new()),
    };
    let shown = printable(&path.strip_prefix(".").unwrap_or(&path).display().to_string());
    match (&result, format) {
        (Ok(file), CheckFormat::Text) => print_summary(&shown, file, now, out)?,
        (Ok(file), CheckFormat::Json) => print_json(&as_json(&shown, Some((file, now)), &[]), out)?,
        (Ok(_), CheckFormat::Github) => {}
        (Err(problems), CheckFormat::Text) => print_problems(&shown, &bytes, problems, out)?,
        (Err(problems), CheckFormat::Json) => print_json(&as_json(&shown, None, problems), out)?,
        (Err(problems), CheckFormat::Github) => {
            for problem in problems {
                writeln!(out, "{}", workflow_command(&shown, problem))?;
            }
        }
    }
    Ok(if result.is_ok() { Exit::Done } else { Exit::Failed })
}

/// Whether a file is an organisation's, by its name.
fn is_of_an_organisation(path: &Path) -> bool {
    ORGANISATION_FILE_NAMES.iter().any(|name| path.file_name() == Some(name.as_ref()))
}

fn organisation(path: &Path, format: CheckFormat, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let bytes = read(path)?;
    let result = parse_organisation(&bytes);
    let shown = printable(&path.strip_prefix(".").unwrap_or(path).display().to_string());
    let problems = result.as_ref().err().map_or(&[][..], Vec::as_slice);
    match (&result, format) {
        (Ok(file), CheckFormat::Text) => {
            writeln!(out, "{shown} is valid: it asks for {}", printable(&file.in_words()))?;
        }
        (Ok(file), CheckFormat::Json) => {
            print_json(&object!({ "path": shown, "valid": true, "problems": [], "organisation": file }), out)?;
        }
        (Err(_), CheckFormat::Json) => {
            print_json(&object!({ "path": shown, "valid": false, "problems": problems }), out)?;
        }
        (Err(_), CheckFormat::Text) => print_problems(&shown, &bytes, problems, out)?,
        (_, CheckFormat::Github) => {
            for problem in problems {
                writeln!(out, "{}", workflow_command(&shown, problem))?;
            }
        }
    }
    Ok(if result.is_ok() { Exit::Done } else { Exit::Failed })
}

enum Found {
    File(PathBuf),
    /// Both names are there; the path is the first of them.
    Both(PathBuf),
    /// An organisation's file is there under several names; the path is the first of them.
    Several(PathBuf),
    /// Something of that name that is no ordinary file.
    Other(PathBuf, &'static str),
}

/// What stands at a path; `None` for nothing. A link is not followed: the server does not follow it either.
fn look(path: &Path) -> io::Result<Option<Found>> {
    let kind = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error),
    };
    let other = match () {
        () if kind.is_file() => return Ok(Some(Found::File(path.into()))),
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_dir() => "a folder",
        () => "no file but a pipe, a socket or a device",
    };
    Ok(Some(Found::Other(path.into(), other)))
}

/// The system does not let us at a path.
fn refused(path: &Path, error: &io::Error) -> anyhow::Error {
    let path = path.display();
    let what = match error.kind() {
        ErrorKind::PermissionDenied => format!("`{path}` may not be read by the user who runs this command"),
        _ => format!("`{path}` cannot be read: {error}"),
    };
    UsageError(what).into()
}

fn find(path: &Path) -> anyhow::Result<Found> {
    let usage = |what: String| anyhow::Error::new(UsageError(what));
    // Under its own name it is judged as it would be in a repository, wherever it was named.
    if FILE_NAMES.iter().chain(&ORGANISATION_FILE_NAMES).any(|name| path.file_name() == Some(name.as_ref()))
        && let Some(found) = look(path).map_err(|error| refused(path, &error))?
    {
        return Ok(found);
    }
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            usage(format!("there is no file or folder `{}`", path.display()))
        }
        _ => refused(path, &error),
    })?;
    if metadata.is_file() {
        return Ok(Found::File(path.into()));
    }
    if !metadata.is_dir() {
        return Err(usage(format!("`{}` is neither a file nor a folder", path.display())));
    }
    // Whoever may not look into a folder is not told that nothing is in it.
    let look_into = |name: &str| look(&path.join(name)).map_err(|error| refused(path, &error));
    match (look_into(FILE_NAMES[0])?, look_into(FILE_NAMES[1])?) {
        (Some(_), Some(_)) => Ok(Found::Both(path.join(FILE_NAMES[0]))),
        (Some(found), None) | (None, Some(found)) => Ok(found),
        (None, None) => match of_an_organisation(path)? {
            Some(found) => Ok(found),
            None => Err(usage(format!(
                "there is no `{}` in `{}`. Give the path of a file, or write one: `subscriptions: [pypi]` is enough to begin with",
                FILE_NAMES[0],
                path.display()
            ))),
        },
    }
}

/// The organisation's file in a folder.
fn of_an_organisation(folder: &Path) -> anyhow::Result<Option<Found>> {
    let mut first = None;
    for path in ORGANISATION_FILE_NAMES.map(|name| folder.join(name)) {
        let Some(found) = look(&path).map_err(|error| refused(folder, &error))? else { continue };
        match first {
            None => first = Some((path, found)),
            Some((path, _)) => return Ok(Some(Found::Several(path))),
        }
    }
    Ok(first.map(|(_, found)| found))
}

/// The bytes of a file, one more than are ever parsed at most.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = File::open(path).and_then(|file| read_beginning(file, MAX_BYTES as u64));
    bytes.map_err(|error| refused(path, &error))
}

fn print_problems(path: &str, bytes: &[u8], problems: &[Problem], out: &mut dyn Write) -> anyhow::Result<()> {
    let text = String::from_utf8_lossy(bytes);
    let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
    for problem in problems {
        let place = format!("{path}:{}:{}", problem.line, problem.column);
        let what = printable(&problem.what);
        let title = Level::ERROR.with_name(place.as_str()).primary_title(what.as_str());
        let mut report = Group::with_title(title);
        let line = problem.source_line(&text).filter(|line| !line.trim().is_empty()).map(shown);
        if let Some(line) = &line {
            let byte_of = |column: u32| line.char_indices().nth(column as usize).map_or(line.len(), |(byte, _)| byte);
            let start = byte_of(problem.column - 1);
            let end = byte_of(problem.column - 1 + problem.length);
            report = report.element(
                Snippet::source(line.as_str())
                    .line_start(problem.line as usize)
                    .annotation(AnnotationKind::Primary.span(start..end)),
            );
        }
        let fix = printable(&problem.fix);
        let report = report.element(Level::HELP.message(fix.as_str()));
        writeln!(out, "{}\n", renderer.render(&[report]))?;
    }
    let count = problems.len();
    writeln!(out, "{count} problem{} in {path}", if count == 1 { "" } else { "s" })?;
    Ok(())
}

/// A line of the file, with its tabs.
fn shown(line: &str) -> String {
    line.split('\t').map(printable).collect::<Vec<_>>().join("\t")
}

fn print_summary(path: &str, file: &SubscriptionFile, now: Timestamp, out: &mut dyn Write) -> anyhow::Result<()> {
    let count = file.subscriptions.len();
    let zone = file.timezone.iana_name().unwrap_or("UTC");
    writeln!(
        out,
        "{path} is valid: {count} subscription{}, at most {} pull request{} open at once, times in {zone}",
        if count == 1 { "" } else { "s" },
        file.limit,
        if file.limit == 1 { "" } else { "s" },
    )?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "migration",
        "pull requests",
        "next slot",
        "min age",
        "group",
        "paths",
    ]);
    for one in &file.subscriptions {
        let migration = match one.migration {
            MigrationPattern::Authored { .. } => format!("{} (not served yet)", one.migration),
            MigrationPattern::Ecosystem(_) => one.migration.to_string(),
        };
        let paths =
            if one.paths.as_slice().is_empty() { "all".into() } else { printable(&one.paths.as_slice().join(" ")) };
        let cells = [
            migration,
            for_each_step(one, Delay::to_string),
            for_each_step(one, |delay| slot_in_words(file, delay, now)),
            one.min_age.in_words(),
            printable(&one.group.to_string()),
            paths,
        ];
        table.add_row(cells);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Something of a subscription's delay, on a line for each step where these differ.
fn for_each_step(one: &Subscription, words: impl Fn(&Delay) -> String) -> String {
    match one.delay.in_common() {
        Some(delay) => words(delay),
        None => one.delay.by_step().map(|(step, delay)| format!("{step} {}", words(delay))).join("\n"),
    }
}

fn slot_in_words(file: &SubscriptionFile, delay: &Delay, now: Timestamp) -> String {
    match delay {
        Delay::Immediate => "-".into(),
        Delay::Schedule(_) => next_slot(delay, &file.timezone, now)
            .to_zoned(file.timezone.clone())
            .strftime("%a %Y-%m-%d %H:%M")
            .to_string(),
    }
}

/// When a pull request of whatever step may be opened next.
fn first_slot(file: &SubscriptionFile, one: &Subscription, now: Timestamp) -> Timestamp {
    let slots = one.delay.by_step().map(|(_, delay)| next_slot(delay, &file.timezone, now));
    slots.into_iter().min().unwrap_or(Timestamp::MAX)
}

/// One object whatever the result, so that a script asks `.valid` first.
fn as_json(path: &str, file: Option<(&SubscriptionFile, Timestamp)>, problems: &[Problem]) -> serde_json::Value {
    let mut result = object!({ "path": path, "valid": file.is_some(), "problems": problems });
    if let (Some((file, now)), Some(object)) = (file, result.as_object_mut()) {
        let slots: Vec<String> = file.subscriptions.iter().map(|one| first_slot(file, one, now).to_string()).collect();
        object.insert("next_slots".into(), object!(slots));
        object.insert("file".into(), object!(file));
    }
    result
}

fn print_json(value: &serde_json::Value, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{}", json(value)?)?;
    Ok(())
}

/// The workflow command that annotates a line. Source: GitHub docs, "Workflow commands for GitHub Actions"; the
/// escapes are those of the actions toolkit.
fn workflow_command(path: &str, problem: &Problem) -> String {
    let message = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| message(text).replace(':', "%3A").replace(',', "%2C");
    format!(
        "::error file={},line={},col={},endColumn={},title={}::{}",
        property(path),
        problem.line,
        problem.column,
        problem.column + problem.length,
        property("Mass driver subscription"),
        message(&problem.sentence().lines().map(printable).collect::<Vec<_>>().join("\n"))
    )
}

//! `mass-driver view-pr`: how pull requests are doing, those of a run, of a list or of a file; once, or until all are over.

mod look;
mod show;
mod standing;
mod wanted;

use super::credentials::{Asker, Identity, Purpose};
use super::runs::{kept, no_such_run};
use super::{Exit, UsageError, print};
use crate::activity::FORGES;
use crate::app;
use crate::domain::{Clock, RunId};
use crate::forge::web_host;
use crate::settings::{Environment, GitHubAppSettings, RunStoreSettings};
use futures_util::future::BoxFuture;
use look::PullRequestPoller;
use show::Row;
use standing::Standing;
use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use wanted::Wanted;

/// Arguments of `mass-driver view-pr`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mass-driver view-pr --run 12
  mass-driver view-pr https://github.com/acme/api/pull/3 acme/web#4
  mass-driver view-pr github --pr-filelist pull-requests.txt --watch 120

A token is taken from FORGE_TOKEN, GITHUB_TOKEN, GH_TOKEN, or the configuration of `gh`.")]
pub struct ViewPrArgs {
    /// Pull requests: addresses, or `owner/name#12`. The first word may be a forge: `github` or `github-app`
    #[arg(value_name = "PULL_REQUEST")]
    pub words: Vec<String>,
    /// Pull requests, as well
    #[arg(long = "pr", num_args = 1.., value_name = "PULL_REQUEST")]
    pub pulls: Vec<String>,
    /// A file with a pull request in each line, and comments behind `#`; `-` for standard input
    #[arg(long = "pr-filelist", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The pull requests of a run: its number, see `mass-driver runs`
    #[arg(long, value_name = "ID")]
    pub run: Option<i64>,
    /// Ask as the GitHub App instead of as a person
    #[arg(long)]
    pub app: bool,
    /// The App's installation to ask as; by default the one that each repository belongs to
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    pub app_installation: Option<i64>,
    /// Look again at those that are open, until none is: every so many seconds, at least 15 [default: 60]
    #[arg(long, num_args = 0..=1, default_missing_value = "", value_name = "SECONDS")]
    pub watch: Option<String>,
    /// How to print them
    #[arg(long, value_enum, default_value_t = ViewFormat::Table)]
    pub format: ViewFormat,
    #[command(flatten)]
    #[expect(missing_docs, reason = "the struct's own docs say it")]
    pub github: GitHubAppSettings,
    #[command(flatten)]
    #[expect(missing_docs, reason = "see above")]
    pub store: RunStoreSettings,
}

/// How pull requests are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ViewFormat {
    /// For people
    #[default]
    Table,
    /// For scripts: one JSON document; with `--watch`, another one after each change
    Json,
}

/// What is outside of the command.
pub struct Around<'a> {
    /// The variables of the process.
    pub environment: &'a Environment,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Lets time pass.
    pub pause: &'a (dyn Fn(Duration) -> BoxFuture<'static, ()> + Sync),
    /// Whether somebody watches a screen, which can be drawn anew.
    pub on_screen: bool,
}

impl<'a> Around<'a> {
    /// This machine.
    pub fn here(environment: &'a Environment) -> Self {
        Self {
            environment,
            clock: Arc::new(app::SystemClock),
            pause: &|time| Box::pin(tokio::time::sleep(time)),
            on_screen: std::io::stdout().is_terminal(),
        }
    }
}

/// Prints how the pull requests are doing; with `watch`, until all are over.
///
/// Returns [`Exit::Failed`] when one of them cannot be read, or there is no such run. Errors: [`UsageError`] for what names no pull
/// request, and without a token.
pub async fn run(
    args: &ViewPrArgs,
    around: &Around<'_>,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let asked = Asked::of(args)?;
    let mut wanted = wanted::named(&asked.words)?;
    if let Some(file) = &args.file {
        wanted.extend(wanted::of_file(file)?);
    }
    if let Some(id) = args.run {
        let Some(of_run) = of_run(args, around.environment, RunId(id)).await? else {
            return no_such_run(notes);
        };
        wanted.extend(of_run);
    } else if args.file.is_none() && wanted.is_empty() {
        let what = "no pull request is named: write addresses, or use --run ID or --pr-filelist FILE";
        return Err(UsageError(what.into()).into());
    }
    let host = web_host(&args.github.github_api_url).unwrap_or_default();
    let repeats = wanted::without_repeats(&mut wanted, &host);
    if repeats > 0 {
        writeln!(notes, "note: {repeats} named more than once, and looked at once")?;
    }
    if wanted.is_empty() {
        print(args.format, &[], around, out)?;
        return Ok(Exit::Done);
    }
    let identity = identity(args, asked.as_app, around.environment)?;
    let caller = identity.caller(&args.github.github_api_url, Arc::clone(&around.clock))?;
    writeln!(notes, "{} is asked {}", caller.web_host(), print::printable(&identity.told()))?;
    let mut poller = PullRequestPoller::new(caller, &wanted, around);
    let all: Vec<usize> = (0..wanted.len()).collect();
    let first = poller.look_at_all(&wanted, &all, notes).await?;
    let rows = wanted.iter().zip(first.into_values()).map(|(wanted, seen)| Row { wanted: wanted.clone(), seen });
    let mut rows: Vec<Row> = rows.collect();
    match asked.watch {
        None => print(args.format, &rows, around, out)?,
        Some(interval) => watch(&mut poller, &mut rows, (args.format, interval), around, out, notes).await?,
    }
    let unreadable = rows.iter().any(|row| row.seen.standing == Standing::Unreadable);
    Ok(if unreadable { Exit::Failed } else { Exit::Done })
}

/// Looks again at what is not over, and prints what changed, until all is.
async fn watch(
    poller: &mut PullRequestPoller<'_>,
    rows: &mut [Row],
    (format, interval): (ViewFormat, Duration),
    around: &Around<'_>,
    out: &mut dyn Write,
    notes: &mut dyn Write,
) -> anyhow::Result<()> {
    let redraws = around.on_screen && format == ViewFormat::Table;
    let wanted: Vec<Wanted> = rows.iter().map(|row| row.wanted.clone()).collect();
    let mut is_first = true;
    let mut changes: Vec<String> = Vec::new();
    loop {
        let open: Vec<usize> = (0..rows.len()).filter(|place| !rows[*place].seen.is_over).collect();
        if redraws {
            out.write_all(show::CLEARED.as_bytes())?;
            print(format, rows, around, out)?;
            writeln!(out, "\n{}", show::footer(around.clock.now(), open.len(), interval))?;
        } else if is_first || (format == ViewFormat::Json && !changes.is_empty()) {
            print(format, rows, around, out)?;
        } else if format == ViewFormat::Table {
            changes.iter().try_for_each(|change| writeln!(out, "{change}"))?;
        }
        match out.flush() {
            // A reader that has seen enough waits for no other look.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            flushed => flushed?,
        }
        if open.is_empty() {
            if !redraws && !is_first && format == ViewFormat::Table {
                write!(out, "\n{}", show::counts(rows))?;
            }
            return Ok(());
        }
        is_first = false;
        (around.pause)(interval).await;
        changes.clear();
        for (place, seen) in poller.look_at_all(&wanted, &open, notes).await? {
            let row = &mut rows[place];
            if row.seen != seen {
                changes.push(show::change(around.clock.now(), row, &seen));
                row.seen = seen;
            }
        }
    }
}

fn print(format: ViewFormat, rows: &[Row], around: &Around<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    match format {
        ViewFormat::Table => write!(out, "{}", show::table(rows))?,
        ViewFormat::Json => writeln!(out, "{}", print::json(&show::json(rows, around.clock.now()))?)?,
    }
    Ok(())
}

/// The pull requests of a run; `None` where there is no such run.
async fn of_run(args: &ViewPrArgs, environment: &Environment, id: RunId) -> anyhow::Result<Option<Vec<Wanted>>> {
    let Some(store) = kept(&args.store, environment, false).await? else { return Ok(None) };
    let known = store.run(id).await;
    let repositories = store.run_repositories(id).await;
    store.close().await;
    Ok(match known? {
        None => None,
        Some(_) => Some(wanted::of_run(&repositories?)),
    })
}

/// In whose name GitHub is asked.
fn identity(args: &ViewPrArgs, as_app: bool, environment: &Environment) -> Result<Identity, UsageError> {
    if as_app {
        return Identity::app(&args.github, environment, Purpose::Forge, (None, args.app_installation));
    }
    Asker::person(&args.github, environment, Purpose::Forge).map(Identity::One)
}

/// What the words of the command line come to.
struct Asked {
    as_app: bool,
    words: Vec<String>,
    watch: Option<Duration>,
}

const USUAL_INTERVAL: Duration = Duration::from_secs(60);
/// A second is GitHub's, and somebody else's pull request may be looked at as well.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(15);
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

impl Asked {
    fn of(args: &ViewPrArgs) -> Result<Self, UsageError> {
        let mut words: Vec<String> = args.words.clone();
        let forge = words.first().and_then(|word| FORGES.iter().find(|forge| forge.name == word));
        if forge.is_some() {
            words.remove(0);
        }
        let forge = forge.map(|forge| forge.name);
        if forge == Some("dummy") {
            let what =
                "the forge `dummy` opens no pull requests, so there are none to look at; use `github` or `github-app`";
            return Err(UsageError(what.into()));
        }
        words.extend(args.pulls.iter().cloned());
        let watch = match args.watch.as_deref() {
            None => None,
            Some("") => Some(USUAL_INTERVAL),
            // `--watch acme/api#3`: the word behind it was meant for the list.
            Some(word) if word.contains('/') => {
                words.push(word.to_owned());
                Some(USUAL_INTERVAL)
            }
            Some(word) => Some(interval(word)?),
        };
        let as_app = args.app || args.app_installation.is_some() || forge == Some("github-app");
        Ok(Self { as_app, words, watch })
    }
}

fn interval(word: &str) -> Result<Duration, UsageError> {
    let seconds = word.parse().ok().map(Duration::from_secs);
    let allowed = SHORTEST_INTERVAL..=LONGEST_INTERVAL;
    seconds.filter(|seconds| allowed.contains(seconds)).ok_or_else(|| {
        let word = print::printable(word);
        UsageError(format!("`--watch {word}`: expected seconds from 15 to 86400, as in `--watch 60`"))
    })
}

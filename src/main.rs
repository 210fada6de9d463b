//! The `mass-driver` executable.

#![warn(clippy::unwrap_used)]

use clap::error::ContextValue;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use mass_driver::app;
use mass_driver::cli::plug_ins::Kind;
use mass_driver::cli::{self, Exit};
use mass_driver::settings::{self, Environment, ServerSettings};
use mass_driver::telemetry;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

/// Pull requests that keep repositories up to date, at the pace each repository asks for
#[derive(Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done; 1 something failed or was found wanting; 2 wrong usage.\n\
                  Results go to standard output, everything else to standard error. Colours only on a terminal."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server: webhooks, queue and page
    Serve(Box<ServerSettings>),
    /// Validate a subscription file
    Check(cli::check::CheckArgs),
    /// List the dependencies of a checkout
    Deps(cli::deps::DepsArgs),
    /// Show what a checkout's subscription file would do, with dates
    Plan(cli::plan::PlanArgs),
    /// Tell why a repository has no pull request for an update
    Why(cli::why::WhyArgs),
    /// Prove that no pull request was opened before its time
    Audit(cli::audit::AuditArgs),
    /// Try parked steps again, or list them
    Retry(cli::retry::RetryArgs),
    /// Make one change in many repositories: clone, patch, commit, push, open pull requests
    Run(Box<cli::run::RunArgs>),
    /// Read facts from many repositories
    Scan(Box<cli::run::ScanArgs>),
    /// List what former runs over many repositories did
    Runs(cli::runs::RunsArgs),
    /// Show how pull requests are doing: those of a run, of a list or of a file
    ViewPr(Box<cli::view_pr::ViewPrArgs>),
    /// List what changes repositories, or show the keys of one
    #[command(visible_alias = "driver")]
    Drivers(cli::plug_ins::PlugInsArgs),
    /// List what reads facts of repositories, or show one
    #[command(visible_alias = "scanner")]
    Scanners(cli::plug_ins::PlugInsArgs),
    /// List where repositories can be found, or show the keys of one
    #[command(visible_alias = "source")]
    Sources(cli::plug_ins::PlugInsArgs),
    /// List where pull requests can be opened, or show the keys of one
    #[command(visible_alias = "forge")]
    Forges(cli::plug_ins::PlugInsArgs),
    /// Print the JSON Schema of a file format
    Schema(cli::schema::SchemaArgs),
    /// Print what a shell needs to complete commands and options
    Completions(cli::completions::CompletionsArgs),
    /// Write a plug-in to begin from: a driver, a scanner or a source
    New(cli::new::NewArgs),
    /// Run a program restricted
    #[command(hide = true)]
    Sandbox(cli::sandbox::SandboxArgs),
}

fn main() -> ExitCode {
    let mut notes = cli::Notes(anstream::stderr());
    let arguments = match arguments() {
        Ok(arguments) => arguments,
        Err(refusal) => {
            // Help and the version are results; a refusal nobody can read is told by the exit code.
            if let Err(error) = print(&refusal)
                && refusal.exit_code() == 0
                && error.kind() != std::io::ErrorKind::BrokenPipe
            {
                let _ = writeln!(notes, "mass-driver: {}", cli::unwritten(&error));
                return Exit::Failed.into();
            }
            if let Some(hint) = settings::hint(&refusal, Arguments::command()) {
                let _ = writeln!(notes, "\n{hint}");
            }
            return if refusal.exit_code() == 0 { Exit::Done.into() } else { Exit::Usage.into() };
        }
    };
    let environment = Environment::of_this_process();
    let mut out = cli::Output::new(anstream::stdout().lock());
    let result = match &arguments.command {
        Command::Serve(settings) => {
            telemetry::start(&settings.logs).and_then(|()| block_on(app::serve(settings))).map(|()| Exit::Done)
        }
        Command::Check(args) => cli::check::run(args, app::now(), &mut out),
        Command::Deps(args) => cli::deps::deps(args, &mut out, &mut notes),
        Command::Plan(args) => block_on(cli::plan::run(args, &app::SystemClock, &mut out, &mut notes)),
        Command::Why(args) => block_on(cli::why::run(args, &app::SystemClock, &mut out, &mut notes)),
        Command::Audit(args) => block_on(cli::audit::run(args, &mut out, &mut notes)),
        Command::Retry(args) => block_on(cli::retry::run(args, &app::SystemClock, &mut out, &mut notes)),
        Command::Run(args) => {
            let environment = settings::Environment::of_this_process();
            block_on(cli::run::run(args, &environment, Arc::new(app::SystemClock), &mut out, &mut notes))
        }
        Command::Scan(args) => {
            let environment = settings::Environment::of_this_process();
            block_on(cli::run::scan(args, &environment, Arc::new(app::SystemClock), &mut out, &mut notes))
        }
        Command::Runs(args) => {
            // It prints no colours, and its diffs are those of files that may hold escapes.
            let mut out = cli::Output::new(std::io::stdout().lock());
            block_on(cli::runs::run(args, &environment, &app::SystemClock, &mut out, &mut notes))
        }
        Command::ViewPr(args) => block_on(async {
            cli::view_pr::run(args, &cli::view_pr::Around::here(&environment), &mut out, &mut notes).await
        }),
        Command::Drivers(args) => cli::plug_ins::run(Kind::Driver, args, &environment, &mut out),
        Command::Scanners(args) => cli::plug_ins::run(Kind::Scanner, args, &environment, &mut out),
        Command::Sources(args) => cli::plug_ins::run(Kind::Source, args, &environment, &mut out),
        Command::Forges(args) => cli::plug_ins::run(Kind::Forge, args, &environment, &mut out),
        Command::Schema(args) => cli::schema::run(args, &mut out),
        Command::Completions(args) => cli::completions::run(args, Arguments::command(), &mut out),
        Command::New(args) => cli::new::run(args, &mut out),
        Command::Sandbox(args) => return ExitCode::from(cli::sandbox::run(args, &mut notes)),
    };
    let flushed = out.flush();
    match result {
        Err(error) => {
            // Where nobody listens either, the exit code is left to say it.
            let said = in_one_line(&error);
            let lines: Vec<String> = said.lines().map(cli::printable).collect();
            let _ = writeln!(notes, "mass-driver: {}", lines.join("\n"));
            Exit::of(&error).into()
        }
        Ok(exit) => match flushed {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                let _ = writeln!(notes, "mass-driver: {error}");
                Exit::Failed.into()
            }
            _ => exit.into(),
        },
    }
}

fn arguments() -> Result<Arguments, clap::Error> {
    let command = settings::without_empty_variables(Arguments::command());
    Arguments::from_arg_matches(&command.try_get_matches()?)
}

/// Prints what clap has to say. It quotes what was typed, which must not steer the terminal.
fn print(refusal: &clap::Error) -> std::io::Result<()> {
    let plain = refusal.render().to_string();
    let is_odd = |text: &str| text.lines().any(|line| cli::printable(line) != line);
    let quotes_odd_text = is_odd(&plain)
        || refusal.context().any(|(_, value)| match value {
            ContextValue::String(text) => is_odd(text),
            ContextValue::Strings(texts) => texts.iter().any(|text| is_odd(text)),
            _ => false,
        });
    if !quotes_odd_text {
        return refusal.print();
    }
    let lines: Vec<String> = plain.lines().map(cli::printable).collect();
    writeln!(anstream::stderr(), "{}", lines.join("\n"))
}

fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}

/// An error with its causes, each said once: some repeat their cause's words in their own.
fn in_one_line(error: &anyhow::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if !said.iter().any(|before| before.contains(&cause)) {
            said.push(cause);
        }
    }
    said.join(": ")
}

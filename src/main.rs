//! The `mass-driver` executable.

#![warn(clippy::unwrap_used)]

use clap::{Parser, Subcommand};
use mass_driver::app;
use mass_driver::cli::{self, Exit};
use mass_driver::settings::ServerSettings;
use mass_driver::telemetry;
use std::io::Write as _;
use std::process::ExitCode;

/// Pull requests that keep repositories up to date, at the pace each repository asks for
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
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
    /// Print the JSON Schema of a file format
    Schema(cli::schema::SchemaArgs),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = anstream::stdout().lock();
    let result = match &arguments.command {
        Command::Serve(settings) => {
            telemetry::start(&settings.logs).and_then(|()| block_on(app::serve(settings))).map(|()| Exit::Done)
        }
        Command::Check(args) => cli::check::run(args, app::now(), &mut out),
        Command::Deps(args) => cli::deps::deps(args, &mut out, &mut anstream::stderr()).map(|()| Exit::Done),
        Command::Plan(args) => block_on(cli::plan::run(args, &app::SystemClock, &mut out)),
        Command::Why(args) => block_on(cli::why::run(args, &mut out)),
        Command::Schema(args) => cli::schema::run(args, &mut out),
    };
    let flushed = out.flush();
    match result {
        // A reader like `head` that has seen enough is no failure.
        Err(error) if is_closed_pipe(&error) => Exit::Done.into(),
        Err(error) => {
            anstream::eprintln!("mass-driver: {error:#}");
            Exit::of(&error).into()
        }
        Ok(_) if flushed.is_err() => Exit::Failed.into(),
        Ok(exit) => exit.into(),
    }
}

fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(future)
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

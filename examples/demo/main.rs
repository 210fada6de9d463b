//! Watch the bot do its job: `cargo run --example demo`.
//!
//! Starts a stand-in for GitHub, one for the registries and the bot, and plays a story of six days on three
//! repositories. Needs no network, account, database server or git. The modules: `story` is what happens and `summary`
//! what came of it, `words` is what the bot says to people, `world` is where it happens, `page` reads the bot's page as a visitor does, `narrator` prints, and
//! checks each line it prints.

mod files;
mod narrator;
mod page;
mod story;
mod summary;
mod words;
mod world;

use anyhow::Context as _;
use clap::Parser;
use mass_driver::settings::{LogFormat, LogSettings};
use mass_driver::telemetry;
use narrator::Narrator;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Instant;
use tokio::net::TcpListener;
use world::World;

/// Watch mass-driver do its job, on stand-ins for GitHub and the registries
#[derive(Parser)]
#[command(name = "demo", version)]
struct Arguments {
    /// End after the story, with 0 only if everything it told was checked and true
    #[arg(long)]
    exit: bool,
    /// The port of the page on 127.0.0.1 [default: any free one]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Show the bot's log too: a level, or directives such as `mass_driver=debug`
    #[arg(long, value_name = "FILTER", num_args = 0..=1, default_missing_value = "info")]
    log: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    match runtime.block_on(demo(&arguments)) {
        Ok(code) => code,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    anstream::eprintln!("demo: {error:#}");
    ExitCode::FAILURE
}

async fn demo(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    if let Some(log) = &arguments.log {
        telemetry::start(&LogSettings { log: log.clone(), log_format: LogFormat::Text })?;
    }
    // Listens for signals from now on, so that whatever is made from here on is also removed.
    let mut stop = tokio::spawn(asked_to_stop());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port)).await.with_context(|| {
        format!(
            "cannot listen on 127.0.0.1:{}; choose another port with --port, or leave it out for any free one",
            arguments.port
        )
    })?;
    let world = World::begin(listener).await?;
    let mut narrator = Narrator::default();
    let told = tokio::select! {
        told = story::tell(&world, &mut narrator) => Some(told),
        _ = &mut stop => None,
    };
    let code = match told {
        Some(Ok(())) => {
            narrator.the_end(begun.elapsed());
            if let Some(error) = narrator.unwritten() {
                failed(&anyhow::anyhow!("the story cannot be written to standard output: {error}"))
            } else if arguments.exit {
                narrator.say(&format!("The page was at {}/; without --exit it stays up for a look.", world.address()));
                ExitCode::SUCCESS
            } else {
                narrator.stays_up(&world.address(), &world.github.url());
                let _ = stop.await;
                ExitCode::SUCCESS
            }
        }
        Some(Err(error)) => failed(&error),
        None => {
            anstream::eprintln!("\ndemo: stopped before the story was over");
            ExitCode::FAILURE
        }
    };
    world.end().await;
    Ok(code)
}

/// Returns when the process is told to stop: by Ctrl-C, or by SIGTERM where there is such a thing.
async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = interrupt.await;
}

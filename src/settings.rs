//! The server's settings: one struct for each concern, each value from the environment or a flag, read once.

mod environment;

pub use environment::Environment;

use clap::builder::{NonEmptyStringValueParser, Resettable};
use clap::error::{ContextKind, ContextValue};
use clap::{Arg, Args, Command};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The command, to be given what was typed, without the variables that are set to nothing: an empty variable, or one of
/// blanks, is as if unset. `.env` files and the like have no other way of leaving one out.
///
/// Those whose default is another place than the one that was meant are refused instead, see `place`.
pub fn without_empty_variables(command: Command) -> Command {
    let is_left_out = |variable: &OsStr| PLACES.iter().all(|place| variable != *place) && is_empty(variable);
    let arg = |arg: Arg| match arg.get_env().is_some_and(is_left_out) {
        true => arg.env(Resettable::Reset),
        false => arg,
    };
    command.mut_args(arg).mut_subcommands(without_empty_variables)
}

/// What the bot keeps, and whom it serves: a secret that was not filled in must not become a new database, or another GitHub.
const PLACES: [&str; 2] = ["DATABASE_URL", "GITHUB_API_URL"];

/// A value of one of [`PLACES`].
fn place(value: &str) -> Result<String, &'static str> {
    match value.trim() {
        "" => Err("it is set to nothing; write where it is, or leave it out altogether for the default"),
        place => Ok(place.to_owned()),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where settings are read; clap tells a variable's name alone")]
fn is_empty(variable: &OsStr) -> bool {
    std::env::var_os(variable).is_some_and(|value| value.to_str().is_some_and(|value| value.trim().is_empty()))
}

/// The variable behind the flag that a refusal names, with a value that would do; `None` where there is none. Whoever set the
/// variable knows nothing of the flag.
pub fn hint(refusal: &clap::Error, mut command: Command) -> Option<String> {
    let Some(ContextValue::String(named)) = refusal.get(ContextKind::InvalidArg) else { return None };
    command.build();
    let all = std::iter::once(&command).chain(command.get_subcommands());
    let arg = all.flat_map(Command::get_arguments).find(|arg| arg.get_env().is_some() && arg.to_string() == *named)?;
    let variable = arg.get_env()?.to_string_lossy().into_owned();
    let example = arg.get_default_values().first().map(|value| value.to_string_lossy().into_owned());
    let example = example.map(|value| format!(", as in {variable}={value}")).unwrap_or_default();
    let flag = arg.get_long().unwrap_or_default();
    Some(format!("It is set by the variable {variable} or by --{flag}, which wins{example}."))
}

/// Where rows are kept.
#[derive(Args, Clone, Debug)]
pub struct StoreSettings {
    /// The database: `sqlite://FILE` or `postgres://…`
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "sqlite://mass-driver.db",
        hide_env_values = true,
        value_name = "URL",
        value_parser = place
    )]
    pub database_url: String,
}

/// Where the command line keeps its runs.
#[derive(Args, Clone, Debug)]
pub struct RunStoreSettings {
    /// The database: `sqlite://FILE` or `postgres://…`; without it, the file `~/.local/state/mass-driver/runs.db`
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", value_parser = place)]
    pub database_url: Option<String>,
}

impl RunStoreSettings {
    /// The file of whoever runs this, where no database is named: runs are found again from every folder, and none is littered.
    /// `None` where a database is named, or nobody has a home.
    pub fn own_file(&self, environment: &Environment) -> Option<PathBuf> {
        let absolute = |name| environment.path(name).filter(|folder| folder.is_absolute());
        let states = || absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
        self.database_url.is_none().then(states)?.map(|folder| folder.join("mass-driver/runs.db"))
    }

    /// The database that is named, or the URL of [`Self::own_file`].
    pub fn url(&self, environment: &Environment) -> Option<String> {
        let encoded = |file: &str| file.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        let own = || Some(format!("sqlite://{}", encoded(self.own_file(environment)?.to_str()?)));
        self.database_url.clone().or_else(own)
    }
}

/// How the server is reached.
#[derive(Args, Clone, Debug)]
pub struct WebSettings {
    /// The address to listen on
    #[arg(
        long,
        env = "MASS_DRIVER_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS",
        value_parser = listen_address
    )]
    pub listen: SocketAddr,
    /// Where people and GitHub reach the server; unless it is loopback, the pages take the admin token only [default: the
    /// address listened on]
    #[arg(long, env = "MASS_DRIVER_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Who sends this as a bearer token may see the pages, from anywhere
    #[arg(long, env = "MASS_DRIVER_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub admin_token: Option<SecretString>,
    /// The secret GitHub signs webhooks with
    #[arg(long, env = "GITHUB_WEBHOOK_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub webhook_secret: Option<SecretString>,
    /// The secret before it was changed, accepted as well while the change is under way
    #[arg(long, env = "GITHUB_WEBHOOK_SECRET_PREVIOUS", hide_env_values = true, value_name = "SECRET")]
    pub webhook_secret_previous: Option<SecretString>,
}

/// An address to listen on.
fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.trim().parse().map_err(|_| match text.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_err() => "behind the last `:` stands a port from 0 to 65535",
        Some(_) => {
            "before the port stands an IP address, and no name: 127.0.0.1 (as 127.0.0.1:8080) for this machine alone, \
             0.0.0.0 or [::] for all who reach it"
        }
        None => "an IP address and a port are expected, with a `:` between them",
    })
}

impl WebSettings {
    /// The admin token, where one is set.
    pub fn admin_token(&self) -> Option<SecretString> {
        given(&self.admin_token).map(|token| token.expose_secret().trim().into())
    }
}

/// The REST API of GitHub itself.
pub const PUBLIC_GITHUB_API: &str = "https://api.github.com";

/// The GitHub App.
#[derive(Args, Clone, Debug)]
pub struct GitHubAppSettings {
    /// The root of GitHub's REST API; an Enterprise Server's is `https://HOST/api/v3`
    #[arg(long, env = "GITHUB_API_URL", default_value = PUBLIC_GITHUB_API, value_name = "URL", value_parser = place)]
    pub github_api_url: String,
    /// The App's id
    #[arg(long, env = "GITHUB_APP_ID", value_name = "ID")]
    pub github_app_id: Option<String>,
    /// The App's private key, as PEM text; `\n` may stand for line breaks
    #[arg(long, env = "GITHUB_APP_PRIVATE_KEY", hide_env_values = true, value_name = "PEM")]
    pub github_app_private_key: Option<SecretString>,
    /// A file with the App's private key
    #[arg(long, env = "GITHUB_APP_PRIVATE_KEY_FILE", value_name = "FILE")]
    pub github_app_private_key_file: Option<PathBuf>,
}

/// Where releases are looked up.
#[derive(Args, Clone, Debug, Default)]
pub struct RegistryAddresses {
    /// The root of the deps.dev API, which knows public packages; by default the public one
    #[arg(long, env = "MASS_DRIVER_DEPS_DEV_URL", hide_env_values = true, value_name = "URL")]
    pub deps_dev_url: Option<String>,
    /// A Python package index of your own (PEP 691 simple JSON), asked instead
    #[arg(long, env = "MASS_DRIVER_PYPI_URL", hide_env_values = true, value_name = "URL")]
    pub pypi_url: Option<String>,
    /// A registry of JavaScript packages of your own (npm packuments), asked instead
    #[arg(long, env = "MASS_DRIVER_NPM_URL", hide_env_values = true, value_name = "URL")]
    pub npm_url: Option<String>,
    /// An index of Rust crates of your own (Cargo's sparse protocol), asked instead
    #[arg(long, env = "MASS_DRIVER_CARGO_URL", hide_env_values = true, value_name = "URL")]
    pub cargo_url: Option<String>,
    /// The registry of images that are named without a host (OCI distribution)
    #[arg(long, env = "MASS_DRIVER_DOCKER_URL", hide_env_values = true, value_name = "URL")]
    pub docker_url: Option<String>,
    /// Registry hosts with private addresses that images may name, separated by commas
    #[arg(long, env = "MASS_DRIVER_PRIVATE_REGISTRIES", value_delimiter = ',', value_name = "HOSTS")]
    pub private_registries: Vec<String>,
}

/// How work is done.
#[derive(Args, Clone, Debug)]
pub struct WorkSettings {
    /// What this process does: with Postgres, any number of processes share the work
    #[arg(long, env = "MASS_DRIVER_ROLE", default_value = "all", value_name = "ROLE")]
    pub role: Role,
    /// How many steps run at a time
    #[arg(long, env = "MASS_DRIVER_WORKERS", default_value_t = 4, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub workers: u16,
    /// How many minutes pass between two looks at a package that was released lately; others are looked at less often
    #[arg(long, env = "MASS_DRIVER_WATCH_MINUTES", default_value_t = 10, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub watch_minutes: u32,
    /// How many seconds a worker may be silent before another takes its step over
    #[arg(long, env = "MASS_DRIVER_LEASE_SECONDS", default_value_t = 120, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub lease_seconds: u32,
    /// How many seconds the steps under way are waited for at the end; after that they are given back
    #[arg(long, env = "MASS_DRIVER_STOP_SECONDS", default_value_t = 20, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub stop_seconds: u32,
    /// How many milliseconds pass at least between two writes to one installation; 0 for an Enterprise Server without limits
    #[arg(long, env = "MASS_DRIVER_WRITE_SPACING_MS", default_value_t = 1000, value_name = "MILLISECONDS", value_parser = clap::value_parser!(u32).range(0..=60_000))]
    pub write_spacing_ms: u32,
    /// How many days the payload of a webhook is kept for whoever wants to know what it said
    #[arg(long, env = "MASS_DRIVER_KEEP_PAYLOADS_DAYS", default_value_t = 7, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=30))]
    pub keep_payloads_days: u32,
}

/// What a process of the server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Everything.
    All,
    /// Takes webhooks in and shows pages. It needs no key of the App.
    Web,
    /// Works through the queue. It answers probes and metrics, and needs no webhook secret.
    Worker,
}

/// How logs are written.
#[derive(Args, Clone, Debug)]
pub struct LogSettings {
    /// What is logged: a level (`info`) or tracing directives (`mass_driver=debug,info`)
    #[arg(long, env = "MASS_DRIVER_LOG", default_value = "info", value_name = "FILTER", value_parser = NonEmptyStringValueParser::new())]
    pub log: String,
    /// Lines for people or JSON for collectors
    #[arg(long, env = "MASS_DRIVER_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Everything `serve` can be told.
#[derive(Args, Clone, Debug)]
pub struct ServerSettings {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the struct's own docs say it; here they would replace the command's help text")]
    pub store: StoreSettings,
    #[command(flatten)]
    #[expect(missing_docs, reason = "see above")]
    pub web: WebSettings,
    #[command(flatten)]
    #[expect(missing_docs, reason = "see above")]
    pub github: GitHubAppSettings,
    #[command(flatten)]
    #[expect(missing_docs, reason = "see above")]
    pub registries: RegistryAddresses,
    #[command(flatten)]
    #[expect(missing_docs, reason = "see above")]
    pub work: WorkSettings,
    #[command(flatten)]
    #[expect(missing_docs, reason = "see above")]
    pub logs: LogSettings,
}

/// A setting is missing, or cannot be used: whoever starts the command has to change it. The text says how.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub String);

impl ServerSettings {
    /// Looks at the settings that no other room reads with such care, before anything is opened.
    ///
    /// Errors: what is missing, all at once; else the first that cannot be used.
    pub fn refuse_unusable(&self) -> Result<(), Unusable> {
        refuse_missing(self.work.role, &self.web, &self.github)?;
        refuse_odd_address(self.web.public_url.as_deref().unwrap_or_default().trim())?;
        self.web.admin_token().map_or(Ok(()), |token| refuse_odd_token(token.expose_secret()))
    }
}

/// Whether a secret was given; an empty value, as `.env` files leave it, is none.
pub fn given(secret: &Option<SecretString>) -> Option<&SecretString> {
    secret.as_ref().filter(|secret| !secret.expose_secret().trim().is_empty())
}

/// Names every setting that is missing, all at once.
fn refuse_missing(role: Role, web: &WebSettings, app: &GitHubAppSettings) -> Result<(), Unusable> {
    let file = app.github_app_private_key_file.as_ref().filter(|file| !file.as_os_str().is_empty());
    let mut missing = Vec::new();
    if role != Role::Worker && given(&web.webhook_secret).is_none() {
        missing.push("GITHUB_WEBHOOK_SECRET is not set; without it anybody could send webhooks. Set it to the secret of the GitHub App");
    }
    let works = role != Role::Web;
    if works && app.github_app_id.as_deref().is_none_or(|id| id.trim().is_empty()) {
        missing.push("GITHUB_APP_ID is not set; it is on the settings page of the GitHub App");
    }
    match (given(&app.github_app_private_key), file) {
        _ if !works => {}
        (None, None) => missing.push(
            "neither GITHUB_APP_PRIVATE_KEY nor GITHUB_APP_PRIVATE_KEY_FILE is set; \
             generate a private key on the settings page of the GitHub App",
        ),
        (Some(_), Some(_)) => {
            missing.push("both GITHUB_APP_PRIVATE_KEY and GITHUB_APP_PRIVATE_KEY_FILE are set; keep one of them")
        }
        _ => {}
    }
    if missing.is_empty() { Ok(()) } else { Err(Unusable(missing.join("\nmass-driver: "))) }
}

/// Where GitHub sends webhooks, below the public address.
const WEBHOOKS: &str = "/webhooks/github";

/// Refuses a public address that no browser could open: links and GitHub's deliveries would lead nowhere.
fn refuse_odd_address(public_url: &str) -> Result<(), Unusable> {
    let refuse = |why: String| Err(Unusable(format!("MASS_DRIVER_PUBLIC_URL {why}")));
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
    let bare = |url: &Url| {
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none()
    };
    match Url::parse(public_url) {
        _ if public_url.is_empty() => Ok(()),
        Ok(url) if !bare(&url) => {
            refuse("holds a user name, a password, a query or a fragment; leave them out of the address".into())
        }
        Ok(url) if is_web(&url) && url.path().trim_end_matches('/').ends_with(WEBHOOKS) => {
            refuse(format!("is where webhooks go; leave `{WEBHOOKS}` out of it, since pages lie beside that"))
        }
        Ok(url) if is_web(&url) => Ok(()),
        _ => {
            let example = match public_url.split(['/', ':']).next() {
                _ if public_url.contains("//") => "https://bot.example.com".to_owned(),
                Some("localhost" | "127.0.0.1") => format!("http://{public_url}"),
                Some(host) if host.contains('.') => format!("https://{public_url}"),
                _ => "https://bot.example.com".to_owned(),
            };
            refuse(format!(
                "is `{public_url}`, which is no web address; write it in full, as {example}, or leave it empty"
            ))
        }
    }
}

/// Fewer characters can be guessed by trying. Unit: characters.
const SHORTEST_TOKEN: usize = 16;

/// Refuses a token that could be guessed, or that no header can hold. It is never quoted.
fn refuse_odd_token(token: &str) -> Result<(), Unusable> {
    let make = "make one with `openssl rand -hex 32`";
    let length = token.chars().count();
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let why = "blanks or characters beyond ASCII in it, which cannot be sent as a bearer token";
        return Err(Unusable(format!("MASS_DRIVER_ADMIN_TOKEN has {why}; {make}")));
    }
    if length < SHORTEST_TOKEN {
        return Err(Unusable(format!(
            "MASS_DRIVER_ADMIN_TOKEN has {length} characters, and opens pages that name private repositories: it needs at least \
             {SHORTEST_TOKEN}; {make}"
        )));
    }
    Ok(())
}

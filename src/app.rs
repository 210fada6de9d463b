//! Builds the adapters from the settings and runs the server. The only place where adapters are built.

use crate::domain::Clock;
use crate::forge::session::GitHubSession;
use crate::forge::{GitHub, GitHubSettings, PersonSettings};
use crate::metrics::Metrics;
use crate::pipeline::crew::Crew;
use crate::pipeline::worker::WorkPolicy;
use crate::pipeline::{Mailroom, StepError, Worker};
use crate::registries::{Registries, RegistrySettings};
use crate::safeguards::pace::PacePolicy;
use crate::settings::{
    GitHubAppSettings, RegistryAddresses, Role, ServerSettings, Unusable, WebSettings, WorkSettings, given,
};
use crate::store::{Alone, Store, database_named};
use crate::web::serve::{Limits, serve as serve_connections};
use crate::web::{self, WebState};
use anyhow::Context as _;
use axum::Router;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long to leave the database alone, when it fails at the start.
const GREET_AGAIN: Duration = Duration::from_secs(1);

/// The time of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door that time comes through")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The present moment, for a command that needs it once.
pub fn now() -> Timestamp {
    SystemClock.now()
}

/// The server's parts, ready to run.
pub struct App {
    store: Store,
    worker: Worker,
    web: WebState,
    workers: u16,
}

/// What an [`App`] is made of. Stories and the demo bring their own.
pub struct Parts {
    /// The rows.
    pub store: Store,
    /// GitHub.
    pub forge: GitHub,
    /// The registries.
    pub registries: Registries,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// How work is done.
    pub policy: WorkPolicy,
    /// How many steps run at a time.
    pub workers: u16,
    /// The secrets webhooks may be signed with.
    pub webhook_secrets: Vec<SecretString>,
    /// The bearer token that opens the pages from anywhere.
    pub admin_token: Option<SecretString>,
    /// Whether a request made on this machine opens the pages too.
    pub local_pages: bool,
    /// What is counted; forge and registries count into the same.
    pub metrics: Metrics,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let worker = Worker::new(
            parts.store.clone(),
            parts.forge,
            Arc::new(parts.registries),
            Arc::clone(&parts.clock),
            parts.policy,
        )
        .counting(parts.metrics.clone());
        let web = WebState {
            store: parts.store.clone(),
            clock: parts.clock,
            webhook_secrets: parts.webhook_secrets.into(),
            admin_token: parts.admin_token,
            local_pages: parts.local_pages,
            intake: web::webhook::Intake::default(),
            mailroom: Mailroom::new(parts.store.clone()),
            metrics: parts.metrics,
        };
        Self { store: parts.store, worker, web, workers: parts.workers }
    }

    /// The worker, to be stepped by hand.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// What the HTTP handlers need.
    pub fn web(&self) -> &WebState {
        &self.web
    }

    /// Answers webhooks, pages and probes on `listener` until `stop` turns true; requests under way are finished.
    pub async fn serve_http(web: WebState, listener: TcpListener, stop: watch::Receiver<bool>) {
        serve_connections(listener, web::router(web), Limits::default(), stop).await;
    }

    /// Serves webhooks and pages, greets GitHub and works through the queue, until `stop` turns true. GitHub is given
    /// time: meanwhile webhooks are taken in and pages shown.
    ///
    /// Errors: if GitHub refuses the App. All else is ended in good order then, too.
    pub async fn run(self, listener: TcpListener, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        let router = web::router(self.web.clone());
        self.work(router, listener, stop).await
    }

    /// The same, with probes and figures in place of webhooks and pages.
    ///
    /// Errors: as [`App::run`].
    pub async fn run_worker(self, listener: TcpListener, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        let router = web::probes(self.web.clone());
        self.work(router, listener, stop).await
    }

    async fn work(self, router: Router, listener: TcpListener, mut stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        let (stopper, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_connections(listener, router, Limits::default(), stopped.clone()));
        tasks.spawn(Crew::new(self.worker.clone(), self.workers.into()).run(stopped.clone()));
        tasks.spawn(self.worker.clone().run_duties(stopped));
        let greeting = async {
            greet(&self.worker).await?;
            std::future::pending::<anyhow::Result<()>>().await
        };
        let ended = tokio::select! {
            refused = greeting => refused,
            () = self.store.relay_bell() => Ok(()),
            // Whoever could stop it is gone: the same.
            _ = stop.wait_for(|stop| *stop) => Ok(()),
        };
        let _ = stopper.send(true);
        while let Some(task) = tasks.join_next().await {
            if let Err(error) = task {
                tracing::error!(%error, "a part of the server ended abnormally");
            }
        }
        self.store.close().await;
        ended
    }
}

/// Takes webhooks in and shows pages, and leaves the queue to others, until `stop` turns true.
async fn run_web(web: WebState, listener: TcpListener, stop: watch::Receiver<bool>) {
    let store = web.store.clone();
    tokio::select! {
        () = App::serve_http(web, listener, stop) => {}
        () = store.relay_bell() => {}
    }
    store.close().await;
}

/// Greets GitHub; a database that cannot be used just now is waited for.
///
/// Errors: if GitHub refuses the App or the settings.
async fn greet(worker: &Worker) -> anyhow::Result<()> {
    loop {
        match worker.greet().await {
            Err(StepError::Store(error)) => {
                tracing::error!(%error, "GitHub cannot be greeted without the database; that is tried again");
                tokio::time::sleep(GREET_AGAIN).await;
            }
            outcome => return outcome.context("asking GitHub for the App's installations"),
        }
    }
}

/// Runs the server until it is told to stop by SIGINT or SIGTERM.
///
/// Errors: if a setting is missing or unusable, GitHub refuses the App, the database or the address cannot be used.
pub async fn serve(settings: &ServerSettings) -> anyhow::Result<()> {
    let role = settings.work.role;
    settings.refuse_unusable()?;
    let url = &settings.store.database_url;
    let connections = connections(role, settings.work.workers);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let metrics = Metrics::new();
    let adapters = match role {
        Role::Web => None,
        Role::All | Role::Worker => {
            let forge = github(&settings.github, Arc::clone(&clock), metrics.clone())?;
            Some((forge, registries(&settings.registries)?.counting(metrics.clone())))
        }
    };
    if role != Role::All && Alone::is_needed(url)? {
        let why = "with SQLite one process does everything: leave MASS_DRIVER_ROLE and --role at `all`, or use Postgres, \
                   which several processes may share";
        return Err(Unusable(why.into()).into());
    }
    // Held until the end.
    let _alone = Alone::on(url)?;
    let store = Store::connect_with(url, connections).await?;
    let web = WebState {
        store: store.clone(),
        clock: Arc::clone(&clock),
        webhook_secrets: webhook_secrets(&settings.web).into(),
        admin_token: settings.web.admin_token(),
        local_pages: web::access::pages_are_local(settings.web.public_url.as_deref()),
        intake: web::webhook::Intake::default(),
        mailroom: Mailroom::new(store.clone()),
        metrics: metrics.clone(),
    };
    let worker = adapters.map(|(forge, registries)| {
        Worker::new(store.clone(), forge, Arc::new(registries), clock, policy(&settings.work)).counting(metrics)
    });
    let listen = settings.web.listen;
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}; choose another address with MASS_DRIVER_LISTEN or --listen")
    })?;
    let address = listener.local_addr().context("reading the address listened on")?;
    let asked_to_stop = stop_signal()?;
    let database = database_named(url)?;
    if role == Role::Worker {
        tracing::info!(%address, workers = settings.work.workers, database, "ready");
    } else {
        let public = settings.web.public_url.clone().filter(|url| !url.trim().is_empty());
        let public = public.unwrap_or_else(|| format!("http://{address}"));
        let public = public.trim_end_matches('/');
        let (page, webhooks) = (format!("{public}/"), format!("{public}/webhooks/github"));
        tracing::info!(%address, page, webhooks, database, "ready");
    }
    let (stopper, stop) = watch::channel(false);
    tokio::spawn(async move {
        asked_to_stop.await;
        tracing::info!("stopping: the steps under way are finished first");
        let _ = stopper.send(true);
    });
    let Some(worker) = worker else {
        run_web(web, listener, stop).await;
        return Ok(());
    };
    let app = App { store, worker, web, workers: settings.work.workers };
    if role == Role::Worker { app.run_worker(listener, stop).await } else { app.run(listener, stop).await }
}

fn policy(settings: &WorkSettings) -> WorkPolicy {
    WorkPolicy {
        watch_interval: SignedDuration::from_mins(i64::from(settings.watch_minutes)),
        lease: Duration::from_secs(settings.lease_seconds.into()),
        last_steps: Duration::from_secs(settings.stop_seconds.into()),
        payloads_kept: SignedDuration::from_hours(24 * i64::from(settings.keep_payloads_days)),
        pace: PacePolicy::with_spacing(SignedDuration::from_millis(settings.write_spacing_ms.into())),
    }
}

/// How many connections to the database the server may need at once: of each worker one for its step's transaction, one
/// for what it reads meanwhile and one for its lease; and some for webhooks, pages, the bell and what is done by the clock.
fn connections(role: Role, workers: u16) -> u32 {
    match role {
        Role::All => u32::from(workers.max(1)) * 3 + 8,
        Role::Worker => u32::from(workers.max(1)) * 3 + 4,
        Role::Web => 8,
    }
}

/// Completes when the process is asked to stop. The signals are caught from now on, and not from when this is waited for:
/// whoever reads "ready" may ask at once.
#[cfg(unix)]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be caught")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be caught")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes when the process is asked to stop.
#[cfg(not(unix))]
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

fn webhook_secrets(settings: &WebSettings) -> Vec<SecretString> {
    [given(&settings.webhook_secret), given(&settings.webhook_secret_previous)].into_iter().flatten().cloned().collect()
}

fn github(settings: &GitHubAppSettings, clock: Arc<dyn Clock>, metrics: Metrics) -> anyhow::Result<GitHub> {
    let id = settings.github_app_id.as_deref().unwrap_or_default().trim();
    let app_id = id.parse().ok().filter(|id| *id > 0).ok_or_else(|| {
        let what = "which is no App's id; the number is on the settings page of the GitHub App";
        Unusable(format!("GITHUB_APP_ID is `{id}`, {what}"))
    })?;
    let key = match (given(&settings.github_app_private_key), &settings.github_app_private_key_file) {
        (Some(key), _) => SecretString::from(key.expose_secret().replace("\\n", "\n")),
        (None, Some(file)) => SecretString::from(std::fs::read_to_string(file).map_err(|error| {
            let why = format!("GITHUB_APP_PRIVATE_KEY_FILE: cannot read {}: {error}", file.display());
            match error.kind() {
                ErrorKind::NotFound
                | ErrorKind::PermissionDenied
                | ErrorKind::NotADirectory
                | ErrorKind::IsADirectory
                | ErrorKind::InvalidFilename
                | ErrorKind::InvalidData => Unusable(why).into(),
                // A fault of the disk or the machine, which may pass.
                _ => anyhow::Error::msg(why),
            }
        })?),
        (None, None) => return Err(Unusable("GITHUB_APP_PRIVATE_KEY is not set".into()).into()),
    };
    Ok(GitHub::counting(GitHubSettings::new(&settings.github_api_url, app_id, key), clock, metrics)?)
}

/// GitHub in the name of a person, at the address of its API. Call it inside a Tokio runtime.
///
/// Errors: [`ForgeError::Settings`](crate::forge::ForgeError::Settings) for an address or token that cannot work.
pub fn github_of_person(api_url: &str, token: SecretString, clock: Arc<dyn Clock>) -> anyhow::Result<GitHubSession> {
    Ok(GitHubSession::of_person(PersonSettings::new(api_url, token), clock)?)
}

/// GitHub in the name of an App, at the address of its API. Call it inside a Tokio runtime.
///
/// Errors: [`ForgeError::Settings`](crate::forge::ForgeError::Settings) for an address or key that cannot work.
pub fn github_of_app(
    api_url: &str,
    app_id: i64,
    private_key: SecretString,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<GitHub> {
    Ok(GitHub::new(GitHubSettings::new(api_url, app_id, private_key), clock)?)
}

/// The registries behind a set of addresses.
///
/// Errors: if an address is not one.
pub fn registries(addresses: &RegistryAddresses) -> anyhow::Result<Registries> {
    let settings = RegistrySettings {
        deps_dev_url: addresses.deps_dev_url.clone().filter(|url| !url.is_empty()),
        pypi_url: addresses.pypi_url.clone().filter(|url| !url.is_empty()),
        npm_url: addresses.npm_url.clone().filter(|url| !url.is_empty()),
        cargo_url: addresses.cargo_url.clone().filter(|url| !url.is_empty()),
        docker_url: addresses.docker_url.clone().filter(|url| !url.is_empty()),
        private_hosts: addresses.private_registries.iter().filter(|host| !host.is_empty()).cloned().collect(),
        ..RegistrySettings::default()
    };
    Ok(Registries::new(&settings)?)
}

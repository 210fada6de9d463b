//! What is counted for an operator's Prometheus: counters of this process, and how its figures are written down.
//!
//! Adapters are handed a [`Metrics`] and count where things happen; [`Metrics::render`] adds what the store knows at the
//! moment it is asked. This room knows numbers and their names, and neither rows nor requests. Labels take few values:
//! names of steps and events that we know, classes of answers, ids of installations. Names of repositories and packages
//! are none of them: there are too many, and they may be private.

use crate::domain::{Ecosystem, InstallationId};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// What [`Metrics::render`] writes, as HTTP calls it.
///
/// Source: the OpenMetrics specification, version 1.0, "Content type".
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets of a step's duration, in seconds: from a look at the database to a step that waits for an
/// answer until it is given up.
const DURATION_BUCKETS: [f64; 13] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

type Labels<const N: usize> = [(&'static str, Cow<'static, str>); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Durations = Family<Labels<1>, Histogram, fn() -> Histogram>;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// It is done.
    Finished,
    /// It has to wait for something, and is no failure.
    PutOff,
    /// It failed, and is repeated later.
    Retried,
    /// It failed, and is not repeated by itself.
    Parked,
    /// It panicked, and is parked.
    Panicked,
    /// Another worker had taken it over: its result was dropped.
    LeaseLost,
    /// The database did not take its end: it is repeated when its lease is over.
    NotStored,
}

impl Ending {
    /// Every ending, in the order of the declaration.
    pub const ALL: [Self; 7] =
        [Self::Finished, Self::PutOff, Self::Retried, Self::Parked, Self::Panicked, Self::LeaseLost, Self::NotStored];

    /// The value of the label `outcome`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::PutOff => "put_off",
            Self::Retried => "retried",
            Self::Parked => "parked",
            Self::Panicked => "panicked",
            Self::LeaseLost => "lease_lost",
            Self::NotStored => "not_stored",
        }
    }
}

/// Whether a request may change something at GitHub; writes are what its secondary limits are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// It looks.
    Read,
    /// It changes something.
    Write,
}

/// What came back for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnswerClass {
    /// An answer with this status that asks for no pause.
    Status(u16),
    /// An answer that asks for a pause.
    Limited,
    /// No whole answer in time.
    None,
}

impl AnswerClass {
    /// The value of the label `answer`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Limited => "limited",
            Self::None => "none",
            Self::Status(304) => "304",
            Self::Status(200..=299) => "2xx",
            Self::Status(300..=399) => "3xx",
            Self::Status(400..=499) => "4xx",
            Self::Status(_) => "5xx",
        }
    }
}

/// Figures that are not counted here but read at the moment somebody asks, the same in every process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// How much work there is.
    pub queue: Vec<QueueReading>,
    /// What GitHub allows each installation.
    pub budgets: Vec<BudgetReading>,
}

/// How much work one station has that stands the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueReading {
    /// The station.
    pub step: String,
    /// How it stands: `ready`, `waiting`, `running` or `parked`.
    pub state: &'static str,
    /// How many pieces.
    pub count: i64,
    /// Since when the one is due that has been due longest; for work that is ready.
    pub oldest: Option<Duration>,
}

/// What GitHub allows an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetReading {
    /// The installation; `None` is the App itself.
    pub installation: Option<InstallationId>,
    /// Requests left in the present window, as last heard.
    pub remaining: Option<i64>,
    /// Requests in a window.
    pub limit: Option<i64>,
    /// How long GitHub still wants to hear nothing; zero when it does not say so.
    pub pause: Duration,
}

/// The counters of a process. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    registry: Registry,
    deliveries: Counters<3>,
    steps: Counters<2>,
    durations: Durations,
    requests: Counters<3>,
    tokens: Counters<2>,
    pulls: Counters<1>,
    lookups: Counters<2>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Counters that stand at nothing.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("mass_driver");
        let durations = Durations::new_with_constructor(|| Histogram::new(DURATION_BUCKETS));
        let counted = Counted {
            deliveries: counters(
                &mut registry,
                "webhook_deliveries",
                "Webhook deliveries answered by this process, by event, outcome (new, duplicate, ignored, refused) and status",
            ),
            steps: counters(&mut registry, "steps", "Steps that ended in this process, by step and outcome"),
            requests: counters(
                &mut registry,
                "github_requests",
                "Requests to GitHub, by installation (app: the App itself), kind (read, write) and class of the answer",
            ),
            tokens: counters(
                &mut registry,
                "github_token_requests",
                "Installation tokens asked for, by installation and outcome",
            ),
            pulls: counters(&mut registry, "pull_requests_opened", "Pull requests opened, by installation"),
            lookups: counters(
                &mut registry,
                "registry_lookups",
                "Look-ups of packages and images at registries, by ecosystem and outcome",
            ),
            durations: durations.clone(),
            registry: {
                registry.register_with_unit(
                    "step_duration",
                    "Seconds from a step's claim to its end, by step",
                    Unit::Seconds,
                    durations,
                );
                registry
            },
        };
        Self(Arc::new(counted))
    }

    /// A webhook was answered. `event` is one of `forge::webhook::KNOWN_EVENTS`, or `other`; `outcome` says what became of
    /// it: `new`, `duplicate`, `ignored` or `refused`.
    pub fn webhook_answered(&self, event: &'static str, outcome: &'static str, status: u16) {
        let labels = [("event", event.into()), ("outcome", outcome.into()), ("status", status.to_string().into())];
        self.0.deliveries.get_or_create(&labels).inc();
    }

    /// A step ended, so long after it was claimed.
    pub fn step_ended(&self, step: &str, ending: Ending, took: Duration) {
        let step: Cow<'static, str> = step.to_owned().into();
        self.0.steps.get_or_create(&[("step", step.clone()), ("outcome", ending.as_str().into())]).inc();
        self.0.durations.get_or_create(&[("step", step)]).observe(took.as_secs_f64());
    }

    /// A request was sent to GitHub, and this came of it. `None` is the App itself.
    pub fn github_request(&self, installation: Option<InstallationId>, kind: RequestKind, answer: AnswerClass) {
        let kind = match kind {
            RequestKind::Read => "read",
            RequestKind::Write => "write",
        };
        let labels = [("installation", name(installation)), ("kind", kind.into()), ("answer", answer.as_str().into())];
        self.0.requests.get_or_create(&labels).inc();
    }

    /// An installation token was asked for.
    pub fn token_requested(&self, installation: InstallationId, granted: bool) {
        let outcome = if granted { "granted" } else { "failed" };
        self.0.tokens.get_or_create(&[("installation", name(Some(installation))), ("outcome", outcome.into())]).inc();
    }

    /// GitHub made a pull request for us.
    pub fn pull_request_opened(&self, installation: InstallationId) {
        self.0.pulls.get_or_create(&[("installation", name(Some(installation)))]).inc();
    }

    /// A registry was asked about a package or an image; `outcome` is a word of the registries' room.
    pub fn registry_asked(&self, ecosystem: Ecosystem, outcome: &'static str) {
        let labels = [("ecosystem", ecosystem.as_str().into()), ("outcome", outcome.into())];
        self.0.lookups.get_or_create(&labels).inc();
    }

    /// All figures as text: those counted here, then those just read.
    pub fn render(&self, reading: &Reading) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode_registry(&mut text, &self.0.registry)?;
        text::encode_registry(&mut text, &read_now(reading))?;
        text::encode_eof(&mut text)?;
        Ok(text)
    }
}

/// The value of the label `installation`; the log says the same.
fn name(installation: Option<InstallationId>) -> Cow<'static, str> {
    installation.map_or("app".into(), |id| id.to_string().into())
}

fn counters<const N: usize>(registry: &mut Registry, name: &str, help: &str) -> Counters<N> {
    let family = Counters::<N>::default();
    registry.register(name, help, family.clone());
    family
}

/// A registry of what was read: made anew each time, so that what is gone from the store is gone from the text.
fn read_now(reading: &Reading) -> Registry {
    let mut registry = Registry::with_prefix("mass_driver");
    let depth = Family::<Labels<2>, Gauge>::default();
    let age = Family::<Labels<1>, Gauge<f64, AtomicU64>>::default();
    for row in &reading.queue {
        let step: Cow<'static, str> = row.step.clone().into();
        depth.get_or_create(&[("step", step.clone()), ("state", row.state.into())]).set(row.count);
        if let Some(oldest) = row.oldest {
            age.get_or_create(&[("step", step)]).set(oldest.as_secs_f64());
        }
    }
    let remaining = Family::<Labels<1>, Gauge>::default();
    let limit = Family::<Labels<1>, Gauge>::default();
    let pause = Family::<Labels<1>, Gauge<f64, AtomicU64>>::default();
    for row in &reading.budgets {
        let labels = [("installation", name(row.installation))];
        if let Some(requests) = row.remaining {
            remaining.get_or_create(&labels).set(requests);
        }
        if let Some(requests) = row.limit {
            limit.get_or_create(&labels).set(requests);
        }
        pause.get_or_create(&labels).set(row.pause.as_secs_f64());
    }
    let mut shared = |name: &str, help: &str, metric: Family<Labels<1>, Gauge>| registry.register(name, help, metric);
    shared(
        "github_budget_remaining_requests",
        "Requests left to an installation in GitHub's present hourly window, as last heard",
        remaining,
    );
    shared("github_budget_limit_requests", "Requests an installation has in one of GitHub's hourly windows", limit);
    registry.register(
        "queue_depth",
        "Steps in the queue that all processes share, by step and state (ready, waiting, running, parked)",
        depth,
    );
    registry.register_with_unit(
        "queue_oldest_ready_age",
        "Seconds since the step was due that has been ready longest, by step",
        Unit::Seconds,
        age,
    );
    registry.register_with_unit(
        "github_pause",
        "Seconds until GitHub wants to hear of an installation again; 0 without a pause",
        Unit::Seconds,
        pause,
    );
    registry
}

//! Package registries that fit in a process, for tests and the demo.
//!
//! One server on loopback speaks five protocols: the deps.dev API (version 3), PEP 691 simple JSON with PEP 700's
//! fields, npm's packuments, Cargo's sparse index, and the OCI distribution API with its token dance. What it holds is what a test put there; what it does is
//! what a client's bugs would hide behind: conditional requests, redirects of names, paging, tokens that expire, an
//! index that differs from the manifest of one platform, and faults on demand.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! let registry = registry_sim::RegistrySim::start(std::sync::Arc::new(|| jiff::Timestamp::UNIX_EPOCH))?;
//! registry.release("httpx", "0.28.0");
//! registry.npm().release("@types/node", "24.1.0");
//! registry.cargo().release("serde", "1.0.228");
//! registry.tag("library/python", "3.12-slim");
//! println!("{} {} {}", registry.deps_dev_url(), registry.simple_url(), registry.oci_url());
//! # Ok(()) }
//! ```

mod conditional;
mod deps_dev;
mod faults;
mod npm;
mod oci;
mod packages;
mod shelf;
mod simple;
mod sparse;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use faults::Fault;
pub use faults::FaultKind;
use http::{StatusCode, header};
use jiff::Timestamp;
pub use packages::Packages;
use shelf::{Shelf, System};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where the stand-in gets the time from.
pub type SimClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// One request the stand-in received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// `GET`, `HEAD`, …
    pub method: String,
    /// The path with its query, percent-encoded as received.
    pub path: String,
    /// Whether it carried `If-None-Match`.
    pub conditional: bool,
    /// Whether it carried `Authorization`.
    pub authorized: bool,
    /// The status it was answered with; `None` for one left hanging.
    pub status: Option<u16>,
}

/// A running stand-in. Clones are handles to the same one; it stops when the last is dropped.
#[derive(Clone)]
pub struct RegistrySim {
    world: Arc<World>,
    server: Arc<Server>,
}

struct Server {
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct World {
    clock: SimClock,
    origin: String,
    state: Mutex<Everything>,
}

#[derive(Default)]
struct Everything {
    shelf: Shelf,
    requests: Vec<SeenRequest>,
    faults: Vec<Fault>,
}

impl World {
    fn lock(&self) -> MutexGuard<'_, Everything> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl RegistrySim {
    /// Starts one on a free port of 127.0.0.1. Must be called inside a tokio runtime.
    ///
    /// Errors: no port could be bound, or there is no runtime.
    pub fn start(clock: SimClock) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Handle::try_current().context("the registry stand-in needs a tokio runtime")?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").context("no free port on loopback")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let world = Arc::new(World { clock, origin: format!("http://{address}"), state: Mutex::default() });
        let app = Router::new()
            .route("/v3/systems/{system}/packages/{name}", get(deps_dev::package))
            .route("/v3/systems/{system}/packages/{name}/versions/{version}", get(deps_dev::version))
            .route("/simple/", get(simple::projects))
            .route("/simple/{project}", get(simple::add_slash))
            .route("/simple/{project}/", get(simple::project))
            .route("/files/{project}/{filename}", get(simple::file))
            .route("/npm/{name}", get(npm::packument))
            .route("/npm/{name}/{version}", get(npm::version))
            .route("/index/config.json", get(sparse::config))
            .route("/index/{*file}", get(sparse::file))
            .route("/token", get(oci::token))
            .route("/v2/", get(oci::root))
            .route("/v2/{*rest}", get(oci::repository))
            .fallback(async || StatusCode::NOT_FOUND)
            .layer(from_fn_with_state(Arc::clone(&world), observe))
            .with_state(Arc::clone(&world));
        let task = runtime.spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the registry stand-in stopped");
            }
        });
        Ok(Self { world, server: Arc::new(Server { address, task }) })
    }

    /// The root to use as address of the deps.dev API.
    pub fn deps_dev_url(&self) -> String {
        self.world.origin.clone()
    }

    /// The root to use as address of a simple index, ending in `/simple/`.
    pub fn simple_url(&self) -> String {
        format!("{}/simple/", self.world.origin)
    }

    /// The root to use as address of a registry of JavaScript packages.
    pub fn npm_url(&self) -> String {
        format!("{}/npm/", self.world.origin)
    }

    /// The root to use as address of a sparse index, as Cargo writes it.
    pub fn cargo_url(&self) -> String {
        format!("sparse+{}/index/", self.world.origin)
    }

    /// The root to use as address of an image registry.
    pub fn oci_url(&self) -> String {
        self.world.origin.clone()
    }

    /// `127.0.0.1:PORT`, as an image's name would begin with.
    pub fn authority(&self) -> String {
        self.server.address.to_string()
    }

    /// Python packages. The registry's own methods `release`, `yank` and so on are short for theirs.
    pub fn pypi(&self) -> Packages {
        Packages::new(&self.world, System::Pypi)
    }

    /// JavaScript packages.
    pub fn npm(&self) -> Packages {
        Packages::new(&self.world, System::Npm)
    }

    /// Points the tag `latest` of a JavaScript package at a version, where it stays whatever is published: a publisher who
    /// publishes under other tags, or takes a release back from those who name no version.
    ///
    /// # Panics
    /// If there is no such release: the test is wrong.
    pub fn point_latest(&self, name: &str, version: &str) {
        let pointed = self.world.lock().shelf.point_latest(name, version);
        assert!(pointed, "there is no release {name} {version} to point at");
    }

    /// Rust crates.
    pub fn cargo(&self) -> Packages {
        Packages::new(&self.world, System::Cargo)
    }

    /// Says for which versions of Python a release of a Python package is (`>=3.9`, unless this is called).
    ///
    /// # Panics
    /// If there is no such release: the test is wrong.
    pub fn requires_python(&self, name: &str, version: &str, range: &str) {
        let known = self.world.lock().shelf.require_python(name, version, range);
        assert!(known, "there is no release {name} {version}");
    }

    /// Publishes a release of a Python package now.
    pub fn release(&self, name: &str, version: &str) {
        self.pypi().release(name, version);
    }

    /// Publishes a release with a publishing time of your choice, backdated ones included.
    pub fn release_at(&self, name: &str, version: &str, published_at: Timestamp) {
        self.pypi().release_at(name, version, published_at);
    }

    /// Publishes a release that carries no publishing time.
    pub fn release_undated(&self, name: &str, version: &str) {
        self.pypi().release_undated(name, version);
    }

    /// Marks a release as yanked.
    ///
    /// # Panics
    /// If there is no such release: the test is wrong.
    pub fn yank(&self, name: &str, version: &str) {
        self.pypi().yank(name, version);
    }

    /// Removes a release as if it had never been there.
    ///
    /// # Panics
    /// If there is no such release: the test is wrong.
    pub fn delete_release(&self, name: &str, version: &str) {
        self.pypi().delete_release(name, version);
    }

    /// Publishes a multi-platform image under a tag; a tag that exists keeps its image. Returns the tag's digest.
    ///
    /// The image is named as the registry names it: `library/python`, `acme/base`.
    pub fn tag(&self, image: &str, tag: &str) -> String {
        self.world.lock().shelf.tag(image, tag)
    }

    /// Points a tag at a newly built image. Returns the new digest.
    pub fn move_tag(&self, image: &str, tag: &str) -> String {
        self.world.lock().shelf.move_tag(image, tag)
    }

    /// Removes a tag.
    ///
    /// # Panics
    /// If there is no such tag: the test is wrong.
    pub fn delete_tag(&self, image: &str, tag: &str) {
        assert!(self.world.lock().shelf.delete_tag(image, tag), "there is no tag {image}:{tag} to delete");
    }

    /// The digest a tag points at: that of its index of platforms.
    pub fn digest(&self, image: &str, tag: &str) -> Option<String> {
        self.world.lock().shelf.digest(image, tag)
    }

    /// At most how many tags a page lists, whatever the client asks for (100 at first).
    pub fn tags_per_page(&self, most: usize) {
        self.world.lock().shelf.tags_per_page = most;
    }

    /// How long the tokens issued from now on are valid, in seconds (300 at first).
    pub fn token_lifetime_seconds(&self, seconds: i64) {
        self.world.lock().shelf.token_lifetime_seconds = seconds;
    }

    /// Every request received, the oldest first.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.world.lock().requests.clone()
    }

    /// Forgets the requests received so far.
    pub fn clear_requests(&self) {
        self.world.lock().requests.clear();
    }

    /// Lets the next `times` requests fail whose path (query included) matches `path_glob`, in which `*` stands for
    /// any run of characters, slashes included.
    pub fn fault(&self, path_glob: &str, kind: FaultKind, times: usize) {
        self.world.lock().faults.push(Fault { path_glob: path_glob.into(), kind, times });
    }
}

/// Notes every request, and lets a fault take the place of its answer.
async fn observe(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let path = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let mut seen = SeenRequest {
        method: request.method().to_string(),
        conditional: request.headers().contains_key(header::IF_NONE_MATCH),
        authorized: request.headers().contains_key(header::AUTHORIZATION),
        status: None,
        path,
    };
    let fault = faults::take(&mut world.lock().faults, &seen.path);
    let response = match fault {
        None => next.run(request).await,
        Some(FaultKind::Hang) => {
            world.lock().requests.push(seen);
            return std::future::pending().await;
        }
        Some(kind) => {
            let honest = next.run(request).await;
            faults::spoil(kind, honest).await.into_response()
        }
    };
    seen.status = Some(response.status().as_u16());
    world.lock().requests.push(seen);
    response
}

//! Ask public indexes for packages that everybody knows: `make test-live`.
//!
//! The stand-ins and local indexes of the tests are small and tidy; the public ones have tens of thousands of releases and
//! fifteen years of habits. This runs the very adapters of the bot against them, politely: one request at a time, a pause
//! after each, each package once, and once more with its ETag. It needs the network and is no part of `make test`.
//!
//! The addresses come from settings (`MASS_DRIVER_PYPI_URL` and so on), which `scripts/with-public-indexes` fills in from
//! this machine's clients; only indexes that are set are asked. Prints a table, without addresses. Exit code: 1 if an answer
//! was not understood or has no release; an index that cannot be reached at all is told, and 1 as well.

use anyhow::ensure;
use clap::Parser;
use comfy_table::{Table, presets};
use mass_driver::app;
use mass_driver::domain::{Ecosystem, PackageId};
use mass_driver::registries::{Answer, FoundRelease, Listing, Registries, RegistryError};
use mass_driver::settings::RegistryAddresses;
use mass_driver::versioning::{Scheme, scheme};
use std::cmp::Ordering;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Between two requests.
const PAUSE: Duration = Duration::from_millis(500);

/// Old and new, small and huge, with capitals, dots, dashes and scopes.
const PYPI: [&str; 10] = [
    "requests",
    "django",
    "numpy",
    "boto3",
    "pytest",
    "zope-interface",
    "ruamel-yaml",
    "typing-extensions",
    "setuptools",
    "tensorflow",
];
const NPM: [&str; 10] = [
    "react",
    "lodash",
    "typescript",
    "express",
    "@types/node",
    "@babel/core",
    "left-pad",
    "webpack",
    "request",
    "JSONStream",
];
const CARGO: [&str; 10] =
    ["serde", "tokio", "libc", "rand", "syn", "clap", "reqwest", "regex", "cfg-if", "windows-sys"];
const DOCKER: [&str; 10] = [
    "library/python",
    "library/node",
    "library/debian",
    "library/alpine",
    "library/postgres",
    "library/redis",
    "library/nginx",
    "library/golang",
    "library/rust",
    "library/busybox",
];

/// Ask public indexes for well-known packages, one after another
#[derive(Parser)]
#[command(name = "live")]
struct Arguments {
    #[command(flatten)]
    registries: RegistryAddresses,
}

/// A package to ask about.
struct Subject {
    package: PackageId,
    /// The address that the answer comes from, which is not shown.
    address: String,
}

fn subjects(addresses: &RegistryAddresses) -> Vec<Subject> {
    let indexes = [
        (Ecosystem::Pypi, &addresses.pypi_url, PYPI),
        (Ecosystem::Npm, &addresses.npm_url, NPM),
        (Ecosystem::Cargo, &addresses.cargo_url, CARGO),
        (Ecosystem::Docker, &addresses.docker_url, DOCKER),
    ];
    let of_index = |(ecosystem, address, names): (Ecosystem, &Option<String>, [&str; 10])| {
        let address = address.clone();
        address.map(|address| {
            let package = |name: &str| PackageId { ecosystem, name: name.into() };
            names.map(|name| Subject { package: package(name), address: address.clone() })
        })
    };
    indexes.into_iter().filter_map(of_index).flatten().collect()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let registries = app::registries(&arguments.registries)?;
    let subjects = subjects(&arguments.registries);
    ensure!(!subjects.is_empty(), "no index is set: use `make test-live`, or set MASS_DRIVER_PYPI_URL and the like");

    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["package", "newest", "published", "releases", "undated", "yanked", "took", "again"]);
    let mut faults = Vec::new();
    for Subject { package, address } in &subjects {
        let begun = Instant::now();
        let answer = registries.releases(package, None).await;
        let took = format!("{:.0} ms", begun.elapsed().as_secs_f64() * 1000.0);
        tokio::time::sleep(PAUSE).await;
        match answer {
            Ok(Answer::Found(listing)) if !listing.releases.is_empty() => {
                let again = again(&registries, package, &listing).await;
                table.add_row(row(package, &listing.releases, took, again));
            }
            Ok(answer) => faults.push(format!("{package}: no releases, but {answer:?}")),
            Err(error) => faults.push(format!("{package}: {}", without_address(&error, address))),
        }
    }
    for line in table.lines() {
        println!("{}", line.trim_end());
    }
    for fault in &faults {
        eprintln!("live: {fault}");
    }
    println!("{} of {} packages understood", subjects.len() - faults.len(), subjects.len());
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What comes of asking again at once, with the ETag if there was one.
async fn again(registries: &Registries, package: &PackageId, listing: &Listing) -> String {
    let Some(etag) = &listing.etag else { return "no ETag".into() };
    let answer = registries.releases(package, Some(etag)).await;
    tokio::time::sleep(PAUSE).await;
    match answer {
        Ok(Answer::NotModified) => "not modified".into(),
        Ok(Answer::Found(_)) => "sent again".into(),
        Err(error) => error.word().into(),
    }
}

fn row(package: &PackageId, releases: &[FoundRelease], took: String, again: String) -> [String; 8] {
    let newest = newest(scheme(package.ecosystem), releases);
    let undated = releases.iter().filter(|release| release.published_at.is_none()).count();
    let yanked = releases.iter().filter(|release| release.yanked).count();
    [
        package.to_string(),
        newest.map_or_else(|| "none".into(), |release| release.version.clone()),
        newest.and_then(|release| release.published_at).map_or_else(|| "unknown".into(), |time| time.to_string()),
        releases.len().to_string(),
        undated.to_string(),
        yanked.to_string(),
        took,
        again,
    ]
}

/// The greatest version that is neither yanked nor a prerelease.
fn newest<'a>(scheme: &dyn Scheme, releases: &'a [FoundRelease]) -> Option<&'a FoundRelease> {
    let fit = |release: &&FoundRelease| !release.yanked && !scheme.is_prerelease(&release.version);
    releases.iter().filter(fit).max_by(|a, b| scheme.compare(&a.version, &b.version).unwrap_or(Ordering::Equal))
}

/// An error's words, the index's name replaced: what is printed here ends up in reports.
fn without_address(error: &RegistryError, address: &str) -> String {
    let authority = address.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let host = authority.rsplit('@').next().filter(|host| !host.is_empty()).unwrap_or(address);
    error.to_string().replace(host, "the index")
}

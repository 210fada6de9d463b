//! Things to store.

pub use crate::rows::repository;
use jiff::Timestamp;
use mass_driver::domain::{Dependency, Ecosystem, FileMode, ObjectId, PackageId, RepoId, RepoPath};
use mass_driver::store::{Manifest, Store, Subscription, Tx};

/// A time, in seconds since the epoch.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

pub fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

pub fn object(digit: char) -> ObjectId {
    ObjectId::parse(&digit.to_string().repeat(40)).unwrap()
}

pub fn pypi(name: &str) -> PackageId {
    PackageId { ecosystem: Ecosystem::Pypi, name: name.into() }
}

pub fn docker(name: &str) -> PackageId {
    PackageId { ecosystem: Ecosystem::Docker, name: name.into() }
}

pub fn subscription(migration: &str) -> Subscription {
    Subscription {
        migration: migration.into(),
        ecosystem: Ecosystem::from_word(migration),
        delay: "every Monday at 06:00".into(),
        settings: serde_json::json!({ "min_age": "3d" }),
    }
}

pub fn manifest(file: &str) -> Manifest {
    Manifest {
        path: path(file),
        manager: "pip_requirements".into(),
        blob: object('b'),
        mode: FileMode::Regular,
        text: "httpx==0.27.0\r\n".into(),
        problem: None,
        includes: vec![],
    }
}

pub fn dependency(file: &str, package: PackageId, line: u32) -> Dependency {
    Dependency {
        manager: "pip_requirements".into(),
        path: path(file),
        line,
        written_name: package.name.clone(),
        package,
        current: Some("0.27.0".into()),
        constraint: "==0.27.0".into(),
        digest: None,
        hashed: false,
        python: None,
        left_behind: false,
        skip: None,
    }
}

/// Writes in one transaction.
pub async fn write<T>(store: &Store, what: impl AsyncFnOnce(&mut Tx) -> T) -> T {
    let mut tx = store.begin().await.unwrap();
    let result = what(&mut tx).await;
    tx.commit().await.unwrap();
    result
}

/// A repository that subscribes to `pypi` and uses these packages since second 100.
pub async fn user_of(store: &Store, id: i64, packages: &[&str]) {
    write(store, async |tx| {
        tx.save_repository(&repository(id, &format!("acme/r{id}")), at(100)).await.unwrap();
        tx.replace_subscriptions(RepoId(id), &[subscription("pypi")], at(100)).await.unwrap();
        tx.save_manifest(RepoId(id), &manifest("requirements.txt"), at(100)).await.unwrap();
        let file = path("requirements.txt");
        let dependencies: Vec<Dependency> =
            packages.iter().zip(1..).map(|(name, line)| dependency("requirements.txt", pypi(name), line)).collect();
        tx.replace_dependencies(RepoId(id), &file, "pip_requirements", &dependencies, at(100)).await.unwrap();
        tx.ensure_packages(dependencies.iter().map(|d| &d.package), at(100)).await.unwrap();
    })
    .await;
}

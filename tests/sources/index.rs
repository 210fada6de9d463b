//! The repositories that the server knows to use a package.

use crate::databases::both_databases;
use crate::rows::repository;
use crate::world::{ids, source};
use jiff::Timestamp;
use mass_driver::domain::{Dependency, Ecosystem, FileMode, ObjectId, PackageId, RepoId, RepoPath, RepoState};
use mass_driver::sources::{Discovery, SourceContext, discover};
use mass_driver::store::{Manifest, Store};

const FILE: &str = "requirements.txt";

/// A repository that uses a package of Python in a version, subscribed to nothing.
async fn user(store: &Store, id: i64, package: &str, version: Option<&str>, state: RepoState) {
    let package = PackageId { ecosystem: Ecosystem::Pypi, name: package.into() };
    user_of(store, id, package, version, state).await;
}

async fn user_of(store: &Store, id: i64, package: PackageId, version: Option<&str>, state: RepoState) {
    let now = Timestamp::from_second(100).unwrap();
    let mut tx = store.begin().await.unwrap();
    let name = format!("acme/r{id}");
    tx.save_repository(&mass_driver::domain::Repository { state, ..repository(id, &name) }, now).await.unwrap();
    let path = RepoPath::parse(FILE).unwrap();
    let manifest = Manifest {
        path: path.clone(),
        manager: "pip_requirements".into(),
        blob: ObjectId::parse(&"b".repeat(40)).unwrap(),
        mode: FileMode::Regular,
        text: String::new(),
        problem: None,
        includes: vec![],
    };
    tx.save_manifest(RepoId(id), &manifest, now).await.unwrap();
    let dependency = Dependency {
        manager: "pip_requirements".into(),
        path: path.clone(),
        line: 1,
        written_name: package.name.clone(),
        package,
        current: version.map(Into::into),
        constraint: String::new(),
        digest: None,
        hashed: false,
        python: None,
        left_behind: false,
        skip: None,
    };
    tx.replace_dependencies(RepoId(id), &path, "pip_requirements", &[dependency], now).await.unwrap();
    tx.commit().await.unwrap();
}

async fn found(store: &Store, keys: &str) -> Discovery {
    found_of(store, "pypi", keys).await
}

async fn found_of(store: &Store, ecosystem: &str, keys: &str) -> Discovery {
    let folder = std::path::Path::new("/");
    let reach = SourceContext { folder, activity_folder: None, github: None, store: Some(store), plug_in: None };
    let text = format!("{{ source_name: index, source_config: {{ ecosystem: {ecosystem}, {keys} }} }}");
    discover(&source(&text), &reach).await.unwrap()
}

both_databases! {
    async fn a_package_finds_those_who_use_it_below_a_version(store: Store) {
        user(&store, 1, "typing-extensions", Some("4.9"), RepoState::Active).await;
        user(&store, 2, "typing-extensions", Some("4.12"), RepoState::Active).await;
        user(&store, 3, "typing-extensions", None, RepoState::Active).await;
        user(&store, 4, "typing-extensions", Some("4.9"), RepoState::Archived).await;
        user(&store, 5, "httpx", Some("4.9"), RepoState::Active).await;
        let old = found(&store, "package: Typing_Extensions, versions: '<4.10'").await;
        assert_eq!(ids(&old), ["acme/r1"]);
        assert_eq!(old.remarks, ["1 left out: they use Typing_Extensions and do not say in which version"]);
        let one = &old.repositories[0];
        assert_eq!(one.clone_url, "https://github.example.com/acme/r1.git");
        assert_eq!((one.patch_data["version"].as_str(), one.patch_data["files"].as_str()), ("4.9", FILE));
        let all = found(&store, "package: typing-extensions, clone_with: ssh").await;
        assert_eq!(ids(&all), ["acme/r1", "acme/r2", "acme/r3"]);
        assert_eq!(all.repositories[0].clone_url, "git@github.example.com:acme/r1.git");
        let nobody = found(&store, "package: nobody").await;
        assert_eq!(nobody.remarks, ["no repository that the server knows uses nobody of pypi"]);
        let nobody = found(&store, "package: httpx, versions: '<4'").await;
        assert_eq!(nobody.remarks, ["no repository that the server knows uses httpx of pypi in such a version"]);
    }

    async fn a_package_is_found_by_the_name_that_people_write(store: Store) {
        let known = [
            (Ecosystem::Docker, "library/python", "python"),
            (Ecosystem::GithubActions, "actions/checkout", "Actions/Checkout"),
            (Ecosystem::PreCommit, "github.com/psf/black", "psf/black"),
            (Ecosystem::Npm, "@acme/ui", "'@acme/ui'"),
            (Ecosystem::Cargo, "serde_json", "serde_json"),
        ];
        for (id, (ecosystem, name, _)) in (1..).zip(known) {
            let package = PackageId { ecosystem, name: name.into() };
            user_of(&store, id, package, Some("1"), RepoState::Active).await;
        }
        for (id, (ecosystem, _, written)) in (1..).zip(known) {
            let found = found_of(&store, ecosystem.as_str(), &format!("package: {written}")).await;
            assert_eq!(ids(&found), [format!("acme/r{id}")], "{written}");
        }
    }
}

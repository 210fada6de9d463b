//! A GitHub on loopback, and people and Apps who ask it.

use crate::support::contract::Contract;
use github_sim::{GitHubSim, RepoOptions, Role};
use jiff::Timestamp;
use mass_driver::activity::{Format, Source, Surroundings, parse};
use mass_driver::domain::{Clock, InstallationId, RepoName};
use mass_driver::forge::session::{GitHubSession, NamedRepository};
use mass_driver::forge::{GitHub, GitHubSettings, PersonSettings};
use mass_driver::sources::{Discovery, SourceContext, SourceError, discover};
use secrecy::SecretString;
use std::path::Path;
use std::sync::Arc;

pub struct StillClock;

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        "2026-03-02T09:00:00Z".parse().unwrap()
    }
}

/// An organisation with the repositories `acme/api` and `acme/web`, the App on all of it, and `jo`, who may push to both.
pub struct World {
    pub sim: GitHubSim,
    pub installation: i64,
}

impl World {
    pub fn new() -> Self {
        let sim = GitHubSim::start(Arc::new(|| StillClock.now())).unwrap();
        sim.organization("acme");
        let installation = sim.install("acme").unwrap();
        sim.person("jo");
        for name in ["acme/api", "acme/web"] {
            sim.create_repo(name, RepoOptions::default().file("README.md", "# x\n")).unwrap();
            sim.set_role(name, "jo", Role::Write).unwrap();
        }
        sim.clear_exchanges();
        Self { sim, installation }
    }

    pub fn person(&self, login: &str) -> GitHubSession {
        let token = SecretString::from(self.sim.personal_token(login));
        GitHubSession::of_person(PersonSettings::new(self.sim.url(), token), Arc::new(StillClock)).unwrap()
    }

    pub fn app(&self) -> GitHubSession {
        let app = self.sim.app();
        let settings = GitHubSettings::new(self.sim.url(), app.app_id, SecretString::from(app.private_key_pem));
        let github = GitHub::new(settings, Arc::new(StillClock)).unwrap();
        GitHubSession::of_installation(github, InstallationId(self.installation))
    }

    pub async fn repository(&self, session: &GitHubSession) -> NamedRepository {
        session.repository(&RepoName::parse("acme/api").unwrap()).await.unwrap()
    }

    /// Everything that was said so far keeps to GitHub's own description.
    pub fn the_end(&self) {
        let contract = Contract::load();
        let exchanges = self.sim.exchanges();
        assert!(!exchanges.is_empty());
        let violations = contract.all_violations(exchanges);
        assert!(violations.is_empty(), "against GitHub's API description:\n{}", violations.join("\n"));
    }
}

/// The source of an Activity.
pub fn source(text: &str) -> Source {
    let activity = parse(format!("source: {text}").as_bytes(), Format::Yaml, &Surroundings::default());
    activity.unwrap_or_else(|problems| panic!("{problems:?}")).source.unwrap()
}

/// What somebody finds who has these folders, and perhaps GitHub.
pub async fn find(
    text: &str,
    folders: (&Path, Option<&Path>),
    github: Option<&GitHubSession>,
) -> Result<Discovery, SourceError> {
    let reach = SourceContext { folder: folders.0, activity_folder: folders.1, github, store: None, plug_in: None };
    discover(&source(text), &reach).await
}

pub fn ids(found: &Discovery) -> Vec<&str> {
    found.repositories.iter().map(|one| one.id.as_str()).collect()
}

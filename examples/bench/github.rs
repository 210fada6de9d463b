//! The stand-in for GitHub in a process of its own, with as many repositories as a roll-out needs.

use crate::engine::Credentials;
use crate::process::{self, Part};
use anyhow::Context as _;
use github_sim::{GitHubSim, InstallOptions, RepoOptions};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What it is told; it answers each with a line.
#[derive(Debug, Serialize, Deserialize)]
enum Order {
    /// Make accounts with an installation each, and repositories.
    Build { owners: Vec<Owner>, files: Vec<(String, String)> },
    /// Tell what was done.
    Tell,
}

/// An account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Owner {
    /// Its login.
    pub login: String,
    /// How many repositories it has.
    pub repositories: usize,
}

/// What was made.
#[derive(Debug, Serialize, Deserialize)]
pub struct Built {
    /// How to reach it.
    pub credentials: Credentials,
    /// In the order of the owners.
    pub repositories: Vec<Made>,
}

/// A repository that was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Made {
    /// Its id.
    pub id: i64,
    /// The installation that covers it.
    pub installation: i64,
    /// `owner/name`.
    pub name: String,
    /// The head of `main`.
    pub commit: String,
    /// That commit's tree.
    pub tree: String,
}

/// What was done there.
#[derive(Debug, Serialize, Deserialize)]
pub struct Told {
    /// REST requests, those for tokens included.
    pub requests: u64,
    /// Those that change something, without those for tokens.
    pub writes: u64,
    /// In the order of the owners.
    pub repositories: Vec<Seen>,
}

/// A repository as it is now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// Its installation.
    pub installation: i64,
    /// When each of its pull requests was opened, in milliseconds.
    pub opened_at: Vec<i64>,
    /// How many branches it has.
    pub branches: usize,
}

/// The part as others see it.
pub struct GitHub(pub Part);

impl GitHub {
    /// Starts one, and builds its world.
    pub async fn start(owners: Vec<Owner>, files: Vec<(String, String)>) -> anyhow::Result<(Self, Built)> {
        let mut part = Part::start("github")?;
        part.say(&Order::Build { owners, files }).await?;
        let built = part.hear().await?;
        Ok((Self(part), built))
    }

    /// What was done there.
    pub async fn tell(&mut self) -> anyhow::Result<Told> {
        self.0.say(&Order::Tell).await?;
        self.0.hear().await
    }
}

/// Lives as the part, until its input is closed.
pub async fn serve() -> anyhow::Result<()> {
    let github = GitHubSim::start(Arc::new(mass_driver::app::now))?;
    github.forget_exchanges();
    // What is measured is the bot, not how long an hour is.
    github.set_limits(|limits| limits.requests_per_hour = 1_000_000_000);
    let mut orders = process::orders();
    let mut repositories = Vec::new();
    while let Some(line) = orders.recv().await {
        let answer = match serde_json::from_str(&line)? {
            Order::Build { owners, files } => {
                repositories = build(&github, &owners, &files)?;
                serde_json::to_string(&Built {
                    credentials: Credentials::of(&github),
                    repositories: repositories.clone(),
                })?
            }
            Order::Tell => serde_json::to_string(&tell(&github, &repositories)?)?,
        };
        anstream::println!("{answer}");
    }
    Ok(())
}

fn build(github: &GitHubSim, owners: &[Owner], files: &[(String, String)]) -> anyhow::Result<Vec<Made>> {
    let mut repositories = Vec::new();
    for Owner { login, repositories: count } in owners {
        github.organization(login);
        // Nobody would take its events, and they would pile up.
        let installation = github.install_with(login, InstallOptions { events: Vec::new(), ..Default::default() })?;
        for number in 0..*count {
            let name = format!("{login}/repository-{number}");
            let options = files.iter().fold(RepoOptions::default(), |options, (path, text)| options.file(path, text));
            let id = github.create_repo(&name, options)?;
            let commits = github.commits(&name, "main")?;
            let head = commits.first().context("a repository without a commit")?;
            let (commit, tree) = (head.sha.clone(), head.tree.clone());
            repositories.push(Made { id, installation, name, commit, tree });
        }
        github.drop_pending();
    }
    Ok(repositories)
}

fn tell(github: &GitHubSim, repositories: &[Made]) -> anyhow::Result<Told> {
    let seen = repositories.iter().map(|made| {
        let pulls = github.pull_requests(&made.name)?;
        let opened_at = pulls.iter().map(|pull| pull.created_at.as_millisecond()).collect();
        Ok(Seen { installation: made.installation, opened_at, branches: github.branches(&made.name)?.len() })
    });
    let repositories = seen.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Told { requests: github.mark(), writes: github.writes(), repositories })
}

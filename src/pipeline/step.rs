//! The steps of the journey as rows of the `work` table: what each is called, and what it must not run beside.

mod queueing;

use crate::domain::{
    CommentId, DeliveryId, Farewell, InstallationId, News, ObjectId, PackageId, ProposalId, PullNumber, RepoId,
    RepoName, Rework,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long what nobody waits for stands behind everything else.
pub(super) const LAST_IN_LINE: Duration = Duration::from_secs(600);

/// Whom a step asks to look at a pull request. GitHub refuses a request for reviews as a whole if one of the names will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whom {
    /// All those who are to review it.
    Reviewers,
    /// Of those, the people who have access to the repository, and all teams.
    KnownReviewers,
    /// Of those, the people who have access to the repository.
    KnownPeople,
    /// Those it is to be assigned to.
    Assignees,
}

impl Whom {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Reviewers => "reviewers",
            Self::KnownReviewers => "known_reviewers",
            Self::KnownPeople => "known_people",
            Self::Assignees => "assignees",
        }
    }
}

/// A piece of durable work. Its arguments are identifiers only: what there is to know is read when it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Decide what a stored webhook delivery asks for.
    Inbox {
        /// The delivery.
        delivery: DeliveryId,
        /// The repository it tells of, if any: its deliveries are decided one at a time.
        repo: Option<RepoId>,
    },
    /// Bring the list of installations in line with GitHub.
    SyncApp,
    /// Ask GitHub for the webhooks that it could not hand over.
    Redeliver {
        /// Up to which failure an earlier part of the same sweep has come: its time, and the attempt's number.
        from: Option<(Timestamp, i64)>,
    },
    /// Forget what nobody needs any more.
    Tidy,
    /// Bring an installation and its list of repositories in line with GitHub.
    SyncInstallation {
        /// The installation.
        installation: InstallationId,
    },
    /// Look again at all we know of an installation's repositories, for what happened while nobody listened.
    CatchUp {
        /// The installation.
        installation: InstallationId,
    },
    /// Bring a repository's details, head and subscription file in line with GitHub.
    SyncRepository {
        /// The repository.
        repo: RepoId,
        /// Also ask for the details: name, default branch, archived.
        details: bool,
        /// The name an event gave it, newer than the stored one.
        name: Option<RepoName>,
    },
    /// Read the manifests that changed.
    Index {
        /// The repository.
        repo: RepoId,
    },
    /// Ask a registry about a package.
    Watch {
        /// The package.
        package: PackageId,
    },
    /// Look what is said of a release that is to be proposed.
    Notes {
        /// The package.
        package: PackageId,
        /// The version.
        version: String,
    },
    /// Have the other users of a package planned: there were too many for the transaction that stored its news.
    Announce {
        /// The package.
        package: PackageId,
        /// The last user that was queued.
        after: RepoId,
    },
    /// Work out what to propose to a repository.
    Plan {
        /// The repository.
        repo: RepoId,
    },
    /// Make a pull request.
    Execute {
        /// The repository.
        repo: RepoId,
        /// The proposal.
        proposal: ProposalId,
    },
    /// Put the labels on a pull request.
    Label {
        /// The repository.
        repo: RepoId,
        /// The proposal.
        proposal: ProposalId,
    },
    /// Ask the people and teams whom the file names to look at a pull request.
    Invite {
        /// The repository.
        repo: RepoId,
        /// The proposal.
        proposal: ProposalId,
        /// Which of them.
        whom: Whom,
    },
    /// Merge a pull request, if its repository wants that and nothing speaks against it.
    Merge {
        /// The repository.
        repo: RepoId,
        /// The pull request.
        number: PullNumber,
    },
    /// Bring the branch of an open pull request up to date.
    Rework {
        /// The repository.
        repo: RepoId,
        /// The proposal.
        proposal: ProposalId,
        /// What is to be done.
        how: Rework,
    },
    /// Close the pull request of a proposal that is not wanted any more, or whose files have moved on.
    Retire {
        /// The repository.
        repo: RepoId,
        /// The replaced proposal.
        proposal: ProposalId,
        /// Why, and so what is said.
        farewell: Farewell,
    },
    /// Tell the conversation of a pull request what became of it.
    Tell {
        /// The repository.
        repo: RepoId,
        /// The proposal.
        proposal: ProposalId,
        /// What is told.
        news: News,
    },
    /// Look what became of a pull request.
    Follow {
        /// The repository.
        repo: RepoId,
        /// The pull request.
        number: PullNumber,
    },
    /// Do what a comment asks for, and answer it.
    Obey {
        /// The repository.
        repo: RepoId,
        /// The comment.
        comment: CommentId,
    },
    /// Do what is next about the pull request that brings a repository its first subscription file.
    Onboard {
        /// The repository.
        repo: RepoId,
    },
    /// Have the repositories looked at that an organisation's file is about.
    OnboardAll {
        /// The installation.
        installation: InstallationId,
        /// Only more of those that were not asked yet: whoever began with them has looked at what is under way.
        #[serde(default)]
        more: bool,
    },
    /// Look at the subscription file of a commit, and say in a check run what it would do or what is wrong with it.
    Examine {
        /// The repository.
        repo: RepoId,
        /// The commit.
        commit: ObjectId,
        /// Whether somebody wants it said again.
        again: bool,
    },
    /// Look what the checks say about a pull request's head.
    Checks {
        /// The repository.
        repo: RepoId,
        /// The pull request.
        number: PullNumber,
    },
}

impl Step {
    /// Before the pull request that may wait for it.
    pub(super) const NOTES_PATIENCE: Duration = Duration::from_secs(3);

    /// The step's name in the store, in logs and on the page.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Inbox { .. } => "inbox",
            Self::SyncApp => "sync_app",
            Self::Redeliver { .. } => "redeliver",
            Self::Tidy => "tidy",
            Self::SyncInstallation { .. } => "sync_installation",
            Self::CatchUp { .. } => "catch_up",
            Self::SyncRepository { .. } => "sync_repository",
            Self::Index { .. } => "index",
            Self::Watch { .. } => "watch",
            Self::Notes { .. } => "notes",
            Self::Announce { .. } => "announce",
            Self::Plan { .. } => "plan",
            Self::Execute { .. } => "execute",
            Self::Label { .. } => "label",
            Self::Invite { .. } => "invite",
            Self::Merge { .. } => "merge",
            Self::Rework { .. } => "rework",
            Self::Retire { .. } => "retire",
            Self::Tell { .. } => "tell",
            Self::Follow { .. } => "follow",
            Self::Checks { .. } => "checks",
            Self::Obey { .. } => "obey",
            Self::Examine { .. } => "examine",
            Self::Onboard { .. } => "onboard",
            Self::OnboardAll { .. } => "onboard_all",
        }
    }

    /// The names of the steps that write pull requests: the last requests of the hour are kept for those that are due. What
    /// brings a first file is not among them, it gives way to updates.
    pub const WRITING: [&str; 7] = ["execute", "label", "invite", "merge", "rework", "retire", "tell"];

    /// Whether it writes: also answers that people wait for, which are never kept waiting by what writes pull requests.
    pub fn writes(&self) -> bool {
        Self::WRITING.contains(&self.name()) || matches!(self, Self::Obey { .. } | Self::Examine { .. })
    }

    /// What it works on: no two steps with the same subject run at a time.
    pub fn subject(&self) -> String {
        match self {
            Self::Inbox { delivery, repo: None } => format!("delivery:{delivery}"),
            Self::SyncApp => "app".to_string(),
            Self::Redeliver { .. } => "deliveries".to_string(),
            Self::Tidy => "old rows".to_string(),
            Self::SyncInstallation { installation }
            | Self::CatchUp { installation }
            | Self::OnboardAll { installation, .. } => format!("installation:{installation}"),
            Self::Watch { package } | Self::Announce { package, .. } => format!("package:{package}"),
            // Not beside another one of the same release alone: a look at its package is none of its business.
            Self::Notes { package, version } => format!("release:{package}@{version}"),
            Self::Inbox { repo: Some(repo), .. }
            | Self::SyncRepository { repo, .. }
            | Self::Index { repo }
            | Self::Plan { repo }
            | Self::Execute { repo, .. }
            | Self::Label { repo, .. }
            | Self::Retire { repo, .. }
            | Self::Rework { repo, .. }
            | Self::Tell { repo, .. }
            | Self::Follow { repo, .. }
            | Self::Checks { repo, .. }
            | Self::Invite { repo, .. }
            | Self::Merge { repo, .. }
            | Self::Obey { repo, .. }
            | Self::Onboard { repo }
            | Self::Examine { repo, .. } => format!("repo:{repo}"),
        }
    }

    /// Two queued steps with the same key are one.
    pub fn unique_key(&self) -> String {
        let name = self.name();
        match self {
            Self::Inbox { delivery, .. } => format!("{name}:{delivery}"),
            Self::SyncApp | Self::Redeliver { .. } | Self::Tidy => name.to_string(),
            Self::SyncInstallation { installation }
            | Self::CatchUp { installation }
            | Self::OnboardAll { installation, more: false } => format!("{name}:{installation}"),
            Self::OnboardAll { installation, more: true } => format!("{name}:{installation}:more"),
            Self::SyncRepository { repo, details: true, .. } => format!("{name}:{repo}:details"),
            Self::SyncRepository { repo, .. } | Self::Index { repo } | Self::Plan { repo } | Self::Onboard { repo } => {
                format!("{name}:{repo}")
            }
            Self::Watch { package } | Self::Announce { package, .. } => format!("{name}:{package}"),
            Self::Notes { package, version } => format!("{name}:{package}@{version}"),
            Self::Execute { proposal, .. } | Self::Label { proposal, .. } | Self::Retire { proposal, .. } => {
                format!("{name}:{proposal}")
            }
            Self::Rework { proposal, how, .. } => format!("{name}:{proposal}:{}", how.as_str()),
            Self::Tell { proposal, news, .. } => format!("{name}:{proposal}:{}", news.as_str()),
            Self::Invite { proposal, whom, .. } => format!("{name}:{proposal}:{}", whom.as_str()),
            Self::Obey { repo, comment } => format!("{name}:{repo}:{comment}"),
            Self::Examine { repo, commit, again: false } => format!("{name}:{repo}:{commit}"),
            Self::Examine { repo, commit, again: true } => format!("{name}:{repo}:{commit}:again"),
            Self::Follow { repo, number } | Self::Checks { repo, number } | Self::Merge { repo, number } => {
                format!("{name}:{repo}:{number}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_touches_a_repository_is_serialised_on_it() {
        let repo = RepoId(7);
        let steps = [
            Step::SyncRepository { repo, details: true, name: None },
            Step::Index { repo },
            Step::Plan { repo },
            Step::Execute { repo, proposal: ProposalId("p".into()) },
            Step::Follow { repo, number: PullNumber(1) },
            Step::Inbox { delivery: DeliveryId("d".into()), repo: Some(repo) },
        ];
        for step in &steps {
            assert_eq!(step.subject(), "repo:7", "{}", step.name());
            let json = serde_json::to_string(step).unwrap();
            assert_eq!(&serde_json::from_str::<Step>(&json).unwrap(), step);
        }
    }
}

//! Who may do what in a repository: people's roles, organisations' teams, and how GitHub words both.

use crate::state::{AccountKind, Repo, State};

/// What a person may do in a repository, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Nobody gave them anything: they read, comment on and fork what is public, and see nothing else.
    Outsider,
    /// Invited to read.
    Read,
    /// May label, assign and close.
    Triage,
    /// May push and merge.
    Write,
    /// May change most settings.
    Maintain,
    /// May do everything.
    Admin,
}

impl Role {
    /// `permission` of the collaborators API, which knows four words only.
    pub(crate) fn permission(self, private: bool) -> &'static str {
        match self {
            Role::Outsider if private => "none",
            Role::Outsider | Role::Read | Role::Triage => "read",
            Role::Write | Role::Maintain => "write",
            Role::Admin => "admin",
        }
    }

    /// `role_name` of the collaborators API.
    pub(crate) fn name(self, private: bool) -> &'static str {
        match self {
            Role::Outsider if private => "none",
            Role::Outsider | Role::Read => "read",
            Role::Triage => "triage",
            Role::Write => "write",
            Role::Maintain => "maintain",
            Role::Admin => "admin",
        }
    }
}

/// A team of an organisation.
#[derive(Debug, Clone)]
pub(crate) struct Team {
    pub id: i64,
    pub slug: String,
}

impl State {
    /// What an account may do here; `None` for names nobody has.
    ///
    /// A person for whom nothing was set writes: most stories are about colleagues.
    pub(crate) fn role(&self, repo: &Repo, login: &str) -> Option<Role> {
        let account = self.account(login)?;
        let known = repo.roles.get(&login.to_lowercase());
        Some(match (known, account.kind) {
            (Some(role), _) => *role,
            (None, _) if repo.owner.eq_ignore_ascii_case(login) => Role::Admin,
            (None, AccountKind::User) => Role::Write,
            (None, AccountKind::Organization | AccountKind::Bot) => Role::Outsider,
        })
    }

    /// Whether somebody was let in at all, as being assigned or asked for a review needs.
    pub(crate) fn is_collaborator(&self, repo: &Repo, login: &str) -> bool {
        self.role(repo, login).is_some_and(|role| role > Role::Outsider)
    }

    /// `author_association`: how whoever wrote something stands to the repository.
    pub(crate) fn association(&self, repo: &Repo, login: &str) -> &'static str {
        let organization = self.account(&repo.owner).is_some_and(|owner| owner.kind == AccountKind::Organization);
        let invited = repo.roles.contains_key(&login.to_lowercase());
        if repo.owner.eq_ignore_ascii_case(login) {
            "OWNER"
        } else if self.is_collaborator(repo, login) {
            if organization && !invited { "MEMBER" } else { "COLLABORATOR" }
        } else if repo.pulls.values().any(|pull| pull.merged.is_some() && pull.author.eq_ignore_ascii_case(login)) {
            "CONTRIBUTOR"
        } else {
            "NONE"
        }
    }

    pub(crate) fn team(&self, organization: &str, slug: &str) -> Option<&Team> {
        self.teams.get(&organization.to_lowercase())?.iter().find(|team| team.slug.eq_ignore_ascii_case(slug))
    }
}

//! Sending a commit to a branch of the repository it was cloned from, and making sure that it is there.

use super::{BareClone, Commit, Git, GitError};
use crate::bulk::words::last_words;
use crate::domain::ObjectId;

/// What a branch must be for us to move it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// There is no such branch.
    Absent,
    /// It stands at this commit.
    At(ObjectId),
}

/// What a push came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The branch was made.
    Created,
    /// The branch was moved from where the lease says.
    Moved,
    /// The branch stood at the commit already.
    AsItWas,
}

/// What a commit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteCommit {
    /// Its id.
    pub id: ObjectId,
    /// All of its files.
    pub tree: ObjectId,
    /// What it follows.
    pub parents: Vec<ObjectId>,
    /// Who it is by: `NAME <EMAIL>`.
    pub author: String,
    /// Its message.
    pub message: String,
}

impl BareClone<'_> {
    /// The commit at which a branch stands now; `None` where there is no such branch.
    pub async fn head_of(&self, branch: &str) -> Result<Option<ObjectId>, GitError> {
        let name = full_name(branch)?;
        let arguments = ["ls-remote", "--quiet", "--", &self.address.to_string(), &name];
        let command = self.git.command_to(&self.address, self.folder(), arguments).await?;
        let what = format!("looking for {branch} in {}", self.address);
        let listed = self.git.answer(&what, command, b"", self.git.remote()).await?;
        let listed = String::from_utf8_lossy(&listed);
        // `refs/heads/x` is also the end of `refs/heads/refs/heads/x`.
        let exact = listed.lines().filter_map(|line| line.split_once('\t')).find(|(_, listed)| *listed == name);
        Ok(exact.and_then(|(id, _)| ObjectId::parse(id).ok()))
    }

    /// The commit at which a branch stands now, with what tells whether it is one of ours.
    pub async fn commit_at(&mut self, branch: &str) -> Result<Option<RemoteCommit>, GitError> {
        let Some(id) = self.head_of(branch).await? else { return Ok(None) };
        let is_here = self.objects.look_at(std::slice::from_ref(&id)).await?.iter().all(Option::is_some);
        if !is_here {
            let arguments = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1", "--filter=tree:0"];
            let mut command = self.git.command_to(&self.address, self.folder(), arguments).await?;
            command.arg("--").arg(self.address.to_string()).arg(id.as_str());
            let what = format!("fetching {branch} of {}", self.address);
            self.git.answer(&what, command, b"", self.git.remote()).await?;
        }
        self.commit_here(&id).await.map(Some)
    }

    /// A commit that is in the clone.
    ///
    /// Errors: [`GitError::Other`] where it is not, or is no commit.
    pub async fn commit_here(&mut self, id: &ObjectId) -> Result<RemoteCommit, GitError> {
        let found = self.objects.read(std::slice::from_ref(id)).await?.pop().flatten();
        let text = found.map(|object| String::from_utf8_lossy(&object.content).into_owned()).unwrap_or_default();
        let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
        let of_key = |key: &'static str| head.lines().filter_map(move |line| line.strip_prefix(key)?.strip_prefix(' '));
        let named = |key| of_key(key).filter_map(|id| ObjectId::parse(id).ok()).collect::<Vec<_>>();
        let Some(tree) = named("tree").pop() else {
            return Err(GitError::Other { what: "reading a commit".into(), said: format!("{id} cannot be read") });
        };
        // `NAME <EMAIL> SECONDS ZONE`
        let author = of_key("author").next().map_or("", |line| line.rsplitn(3, ' ').nth(2).unwrap_or(line));
        let (author, message) = (author.to_owned(), message.to_owned());
        Ok(RemoteCommit { id: id.clone(), tree, parents: named("parent"), author, message })
    }

    /// Moves a branch to a commit, if it still is what the lease says, and looks whether it is there.
    ///
    /// Errors: [`GitError::LeaseLost`] if it is something else, [`GitError::Rejected`] if the other side does not want it.
    pub async fn push(&self, commit: &Commit, branch: &str, lease: &Lease) -> Result<Pushed, GitError> {
        let name = full_name(branch)?;
        if matches!(lease, Lease::At(seen) if *seen == commit.id) {
            return self.expect_at(branch, commit).await.map(|()| Pushed::AsItWas);
        }
        let seen = match lease {
            Lease::Absent => String::new(),
            Lease::At(seen) => seen.to_string(),
        };
        let arguments = ["push", "--porcelain", "--quiet", "--no-verify", "--no-signed", "--recurse-submodules=no"];
        let mut command = self.git.command_to(&self.address, self.folder(), arguments).await?;
        command.arg(format!("--force-with-lease={name}:{seen}"));
        command.args(["--", &self.address.to_string(), &format!("{}:{name}", commit.id)]);
        let ended = self.git.end(command, b"", self.git.remote()).await?;
        let out = String::from_utf8_lossy(&ended.out);
        // `!\t<id>:refs/heads/x\t[rejected] (stale info)`
        let refusal = out.lines().find(|line| line.starts_with('!'));
        if let Some(refusal) = refusal {
            let why = refusal.rsplit('\t').next().unwrap_or_default();
            let complaint = [&ended.complaint, b"\n".as_slice(), why.as_bytes()].concat();
            let said = last_words(&complaint, &self.git.secrets);
            let is_lost =
                ["(stale info)", "(fetch first)", "(non-fast-forward)", "(remote ref updated since checkout)"];
            // Somebody was faster by so little that the other side has seen it only while it took the push in.
            let is_late =
                ["cannot lock ref", "reference already exists", "failed to update ref", "incorrect old value"];
            return Err(if is_lost.iter().chain(&is_late).any(|reason| why.contains(reason)) {
                GitError::LeaseLost { said }
            } else {
                GitError::Rejected { said }
            });
        }
        if !ended.is_success() {
            return Err(self.git.refused(&format!("pushing {branch} to {}", self.address), &ended.complaint));
        }
        self.expect_at(branch, commit).await?;
        Ok(match lease {
            Lease::Absent => Pushed::Created,
            Lease::At(_) => Pushed::Moved,
        })
    }

    /// A push that says it went well is not believed: the branch is looked at.
    async fn expect_at(&self, branch: &str, commit: &Commit) -> Result<(), GitError> {
        match self.head_of(branch).await? {
            Some(head) if head == commit.id => Ok(()),
            Some(head) => Err(GitError::LeaseLost { said: format!("{branch} stands at {head}, not at {}", commit.id) }),
            None => Err(GitError::Rejected { said: format!("git says that {branch} was pushed, but it is not there") }),
        }
    }
}

impl Git {
    /// Whether a text can be the name of a branch, without `refs/heads/`: git-check-ref-format(1).
    pub fn is_branch_name(text: &str) -> bool {
        let part =
            |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock") && !part.ends_with('.');
        let odd = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
        !text.starts_with('-')
            && text.len() <= 200
            && text != "HEAD"
            && text != "@"
            && !text.contains(odd)
            && !text.contains("..")
            && !text.contains("@{")
            && text.split('/').all(part)
    }
}

pub(super) fn full_name(branch: &str) -> Result<String, GitError> {
    if Git::is_branch_name(branch) {
        return Ok(format!("refs/heads/{branch}"));
    }
    Err(GitError::Other { what: format!("{branch:?}"), said: "it cannot be the name of a branch".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::Git;

    #[test]
    fn names_of_branches_are_what_git_takes() {
        for good in ["main", "a/b", "mass-driver/x-1.2", "größe", "a.b"] {
            assert!(Git::is_branch_name(good), "{good}");
        }
        for bad in [
            "", "-x", "a b", "a..b", "a.lock", "a/.b", "/a", "a/", "a//b", "a@{b", "a:b", "+a?", "a\\b", "a\n", "@",
            "a.",
        ] {
            assert!(!Git::is_branch_name(bad), "{bad:?}");
        }
    }
}

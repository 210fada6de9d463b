//! Where a branch of the repository is, and sending a commit to it.

use super::{BareClone, Commit, GitError};
use crate::bulk::words::last_words;
use crate::domain::{ObjectId, branch_complaint};

/// What a branch must be for us to move it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// There is no such branch.
    Absent,
    /// It stands at this commit.
    At(ObjectId),
}

/// What a commit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitObject {
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
    pub async fn commit_at(&mut self, branch: &str) -> Result<Option<CommitObject>, GitError> {
        let Some(id) = self.head_of(branch).await? else { return Ok(None) };
        let is_here = self.objects.look_at(std::slice::from_ref(&id)).await?.iter().all(Option::is_some);
        if !is_here {
            let arguments = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--depth=1", "--filter=tree:0"];
            let mut command = self.git.command_to(&self.address, self.folder(), arguments).await?;
            command.arg("--").arg(self.address.to_string()).arg(id.as_str());
            let what = format!("fetching {branch} of {}", self.address);
            self.git.answer_in(&self.slot, &what, command, self.git.remote()).await?;
        }
        self.commit_here(&id).await.map(Some)
    }

    /// A commit that is in the clone.
    ///
    /// Errors: [`GitError::Other`] where it is not, or is no commit.
    pub async fn commit_here(&mut self, id: &ObjectId) -> Result<CommitObject, GitError> {
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
        Ok(CommitObject { id: id.clone(), tree, parents: named("parent"), author, message })
    }

    /// Moves a branch to a commit, if it still is what the lease says. Whether it is there then, is for the caller to look.
    ///
    /// Errors: [`GitError::LeaseLost`] if it is something else, [`GitError::Rejected`] if the other side does not want it.
    pub async fn push(&self, commit: &Commit, branch: &str, lease: &Lease) -> Result<(), GitError> {
        let name = full_name(branch)?;
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
            return Err(self.judged(why, said, branch).await);
        }
        if !ended.is_success() {
            return Err(self.git.refused(&format!("pushing {branch} to {}", self.address), &ended.complaint));
        }
        Ok(())
    }

    /// What a refusal means. `why` is git's reason, `said` all that was said.
    async fn judged(&self, why: &str, said: String, branch: &str) -> GitError {
        let says = |reasons: &[&str]| reasons.iter().any(|reason| why.contains(reason));
        if says(&["(stale info)", "(fetch first)", "(non-fast-forward)", "(remote ref updated since checkout)"]) {
            return GitError::LeaseLost { said };
        }
        // Said where another branch is in the way; and where somebody was faster by so little that the other side has seen it
        // only while it took the push in.
        let is_unwritten =
            says(&["cannot lock ref", "reference already exists", "failed to update ref", "incorrect old value"]);
        let is_clash = ["exists; cannot create", "directory file conflict"].iter().any(|words| said.contains(words));
        if !is_unwritten && !is_clash {
            return GitError::Rejected { said };
        }
        match self.in_the_way_of(branch).await {
            Ok(Some(other)) => GitError::in_the_way(&other, branch),
            _ if is_clash => GitError::Rejected { said },
            _ => GitError::LeaseLost { said },
        }
    }
}

/// The ref of a branch. Sources and Activities have judged its name before anything was cloned; this is for those to whom it
/// came another way.
///
/// Errors: `Other` for what cannot be the name of a branch.
pub(super) fn full_name(branch: &str) -> Result<String, GitError> {
    match branch_complaint(branch) {
        None => Ok(format!("refs/heads/{branch}")),
        Some(why) => Err(GitError::Other {
            what: format!("{branch:?}"),
            said: format!("it cannot be the name of a branch: {why}"),
        }),
    }
}

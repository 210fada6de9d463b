//! What a story reads of its world: the rows of the bot, its pages, and what it did at GitHub.

use super::World;
use github_sim::PullRequestView;
use mass_driver::domain::{Outlook, Proposal, ProposalState, RepoId, RepoName};
use mass_driver::store::RepositoryRow;

impl World {
    pub async fn row(&self, repo: &str) -> RepositoryRow {
        let name = RepoName::parse(repo).unwrap();
        self.store.repository_by_name(&name).await.unwrap().unwrap_or_else(|| panic!("the bot does not know {repo}"))
    }

    pub async fn repo_id(&self, repo: &str) -> RepoId {
        self.row(repo).await.repository.id
    }

    pub async fn proposals(&self, repo: &str, state: ProposalState) -> Vec<Proposal> {
        let all = self.store.proposals(self.repo_id(repo).await).await.unwrap();
        all.into_iter().filter(|p| p.state == state).collect()
    }

    pub async fn outlook(&self, repo: &str) -> Vec<Outlook> {
        self.store.outlook(self.repo_id(repo).await).await.unwrap()
    }

    /// The waiting proposals as people see them: `title | reason`.
    pub async fn waiting(&self, repo: &str) -> Vec<String> {
        let waiting = self.proposals(repo, ProposalState::Waiting).await;
        waiting.into_iter().map(|p| format!("{} | {}", p.title, p.reason)).collect()
    }

    /// The titles of the open pull requests of a repository.
    pub fn open(&self, repo: &str) -> Vec<String> {
        let pulls = self.github.pull_requests(repo).unwrap();
        pulls.into_iter().filter(|p| p.state == "open").map(|p| p.title).collect()
    }

    /// The one pull request that is open in a repository.
    pub fn pull(&self, repo: &str) -> PullRequestView {
        let mut open: Vec<PullRequestView> =
            self.github.pull_requests(repo).unwrap().into_iter().filter(|p| p.state == "open").collect();
        assert_eq!(open.len(), 1, "one open pull request in {repo}: {:?}", self.open(repo));
        open.remove(0)
    }

    pub fn file(&self, repo: &str, branch: &str, path: &str) -> String {
        let bytes = self.github.file(repo, branch, path).unwrap();
        String::from_utf8(bytes.unwrap_or_else(|| panic!("{path} is not on {branch} of {repo}"))).unwrap()
    }

    /// The requests the bot made since a mark, as `METHOD path`.
    pub fn requests_since(&self, mark: u64) -> Vec<String> {
        self.github.requests_since(mark).iter().map(|e| format!("{} {}", e.method, e.path)).collect()
    }

    /// What the bot answers to a person on its machine.
    pub async fn page(&self, path: &str) -> String {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client.get(format!("{}{path}", self.address)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }
}

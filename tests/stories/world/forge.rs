//! What people publish at the forge: actions and hooks, by their tags.

use super::World;
use github_sim::RepoOptions;

impl World {
    /// Somebody publishes a version of an action or a hook, in a repository that everybody may see: a commit of its own, a
    /// tag and a release. Returns the commit.
    pub fn publishes(&self, repo: &str, tag: &str) -> String {
        let commit = self.commits(repo, tag);
        self.github.tag(repo, tag, &commit).unwrap();
        self.github.release(repo, tag, "").unwrap();
        commit
    }

    /// Somebody commits to a repository that everybody may see. Returns the commit.
    pub fn commits(&self, repo: &str, what: &str) -> String {
        if self.github.repo_id(repo).is_err() {
            self.github.create_repo(repo, RepoOptions::default().public().file("README.md", "An action.\n")).unwrap();
        }
        self.github.push(repo, "main", &[("VERSION", Some(what.as_bytes()))], what).unwrap()
    }

    /// The owner lets the App change workflows.
    pub fn may_change_workflows(&self) {
        let permissions =
            [("contents", "write"), ("pull_requests", "write"), ("checks", "write"), ("workflows", "write")];
        let permissions = permissions.into_iter().chain([("metadata", "read")]);
        let permissions = permissions.map(|(name, level)| (name.to_owned(), level.to_owned())).collect();
        self.github.accept_permissions(self.installation, permissions).unwrap();
    }

    /// The host of the forge, as addresses of repositories name it.
    pub fn host(&self) -> String {
        self.github.url().trim_start_matches("http://").to_owned()
    }

    /// The one open pull request as a reviewer sees it, title and diff, with these texts of this run named.
    pub fn shown(&self, repo: &str, named: &[(&str, &str)]) -> String {
        let pull = self.pull(repo);
        let diff = self.github.pull_diff(repo, pull.number).unwrap();
        // Git's own ids of the files depend on what is named.
        let diff: Vec<&str> = diff.lines().filter(|line| !line.starts_with("index ")).collect();
        let text = format!("{}\n\n{}", pull.title, diff.join("\n"));
        named.iter().fold(text, |text, (what, name)| text.replace(what, &format!("<{name}>")))
    }
}

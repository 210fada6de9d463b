//! The figures a test may turn: page sizes of GitHub's limits, made small so that they can be reached.

/// Limits that real GitHub sets in the thousands. Change them with [`crate::GitHubSim::set_limits`].
#[derive(Debug, Clone)]
pub struct Limits {
    /// Requests an hour and installation (`x-ratelimit-limit`).
    pub requests_per_hour: u64,
    /// Content-creating requests a minute before the secondary limit answers. `None` switches it off.
    pub writes_per_minute: Option<usize>,
    /// Content-creating requests an hour before the secondary limit answers. `None` switches it off.
    pub writes_per_hour: Option<usize>,
    /// Entries in a recursive tree before `truncated` is true (GitHub: 100,000).
    pub tree_entries: usize,
    /// Commits listed in one push payload (GitHub: 2,048).
    pub push_commits: usize,
    /// Paths in each of a commit's lists in a push payload (GitHub: 3,000).
    pub push_paths: usize,
    /// How long an installation token lives, in seconds (GitHub: one hour).
    pub token_seconds: i64,
    /// How often a pull request is asked for after its head or base moved before `mergeable` is known. GitHub answers
    /// null to the first at least.
    pub unknown_mergeability: u32,
    /// How long the delivery log keeps an attempt, in days (GitHub: 3, Enterprise Server: 7).
    pub delivery_log_days: i64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            requests_per_hour: 5_000,
            writes_per_minute: None,
            writes_per_hour: None,
            tree_entries: 100_000,
            push_commits: 2_048,
            push_paths: 3_000,
            token_seconds: 3_600,
            unknown_mergeability: 1,
            delivery_log_days: 3,
        }
    }
}

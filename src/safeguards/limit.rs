//! At most so many pull requests of ours open at once, in one repository and of one subscription.

use crate::domain::Verdict;

/// Waits, without a date, while as many pull requests are open as are allowed: a person merging or
/// closing one gives the place free, not time.
pub fn judge(open: u32, limit: u32) -> Verdict {
    if open < limit {
        return Verdict::Go;
    }
    let why = match limit {
        0 => "`limit: 0` in the subscription file holds every pull request back".to_string(),
        1 => "the one pull request that `limit` allows is open; merge or close it to make room".to_string(),
        _ => {
            format!("{open} of the {limit} pull requests that `limit` allows are open; merge or close one to make room")
        }
    };
    Verdict::Wait { until: None, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_how_many_may_be_open_at_once() {
        assert_eq!(judge(4, 5), Verdict::Go);
        assert!(matches!(judge(5, 5), Verdict::Wait { until: None, .. }));
        assert!(matches!(judge(0, 0), Verdict::Wait { until: None, .. }));
    }
}

//! At most so many pull requests of ours open at once, in one repository and of one subscription.

use crate::domain::Verdict;

/// Waits, without a date, while as many pull requests are open as are allowed: a person merging or
/// closing one gives the place free, not time. `whose` says where they are counted: `in this repository`.
pub fn judge(open: u32, limit: u32, whose: &str) -> Verdict {
    if open < limit {
        return Verdict::Go;
    }
    let why = match limit {
        0 => format!("`limit: 0` lets no pull request be open {whose}"),
        1 => format!("the one pull request that `limit` allows {whose} is open; merge or close it to make room"),
        _ if open == limit => {
            format!("all {limit} pull requests that `limit` allows {whose} are open; merge or close one to make room")
        }
        _ => {
            format!(
                "{open} pull requests are open {whose} and `limit` allows {limit}; merge or close some to make room"
            )
        }
    };
    Verdict::Wait { until: None, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_how_many_may_be_open_at_once() {
        let why = |open, limit| match judge(open, limit, "in this repository") {
            Verdict::Wait { until: None, why } => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(judge(4, 5, "in this repository"), Verdict::Go);
        insta::assert_snapshot!(why(5, 5), @"all 5 pull requests that `limit` allows in this repository are open; merge or close one to make room");
        insta::assert_snapshot!(why(7, 5), @"7 pull requests are open in this repository and `limit` allows 5; merge or close some to make room");
        insta::assert_snapshot!(why(1, 1), @"the one pull request that `limit` allows in this repository is open; merge or close it to make room");
        insta::assert_snapshot!(why(0, 0), @"`limit: 0` lets no pull request be open in this repository");
    }
}

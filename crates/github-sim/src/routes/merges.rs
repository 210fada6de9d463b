//! One branch merged into another, without a pull request.

use super::{Call, WRITE_CONTENTS};
use crate::acts::BranchMerge;
use crate::reply::{Answer, Reply};
use crate::request::{optional, required};

pub(super) fn route(call: &mut Call<'_>, repo: i64) -> Answer {
    if call.method() != "POST" {
        return Err(Reply::not_found());
    }
    call.allow(repo, WRITE_CONTENTS)?;
    let body = call.request.json()?;
    let (base, head) = (required(&body, "base")?, required(&body, "head")?);
    let message = optional(&body, "commit_message")?.filter(|message| !message.is_empty());
    match call.act.merge_branches(repo, &base, &head, message)? {
        BranchMerge::Made(sha) => Ok(Reply::created(call.render().full_commit(repo, sha)?)),
        BranchMerge::NothingToDo => Ok(Reply::no_content()),
    }
}

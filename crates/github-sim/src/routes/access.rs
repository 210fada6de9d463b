//! What people may do in a repository.

use super::{Call, METADATA};
use crate::reply::{Answer, Reply};
use crate::state::AccountKind;

pub(super) fn route(call: &Call<'_>, repo: i64, rest: &[&str]) -> Answer {
    call.allow(repo, METADATA)?;
    match (call.method(), rest) {
        ("GET", ["collaborators", login, "permission"]) => {
            let person = call.act.state.account(login).filter(|account| account.kind == AccountKind::User);
            let person = person.ok_or_else(|| Reply::error(404, &format!("{login} is not a user")))?;
            let role = call.act.state.role(call.repo(repo)?, &person.login).ok_or_else(Reply::not_found)?;
            Ok(Reply::ok(call.render().collaborator_permission(repo, &person.login, role)?))
        }
        ("GET", ["collaborators", login]) if call.act.state.is_collaborator(call.repo(repo)?, login) => {
            Ok(Reply::no_content())
        }
        _ => Err(Reply::not_found()),
    }
}

//! What an installation token may ask of its own installation.

use serde_json::{Value, json};

use super::{Call, with_link};
use crate::auth::{Caller, credential};
use crate::reply::{Answer, Reply};

pub(super) fn route(call: &mut Call<'_>, path: &[&str]) -> Answer {
    let Caller::Installation { id, repositories, .. } = call.caller.clone() else {
        return Err(match call.caller {
            Caller::Anonymous => Reply::error(401, "Requires authentication"),
            Caller::App => Reply::bad_credentials(),
            _ => Reply::error(
                403,
                "You must authenticate with an installation access token in order to list repositories for an installation.",
            ),
        });
    };
    match (call.method(), path) {
        ("GET", ["installation", "repositories"]) => {
            let installation = call.act.state.installations.get(&id).ok_or_else(Reply::bad_credentials)?;
            let selection = installation.selection.word();
            let mut ids = call.act.state.repos_of(installation);
            ids.retain(|id| repositories.as_ref().is_none_or(|narrowed| narrowed.contains(id)));
            let total = ids.len();
            let (ids, link) = call.page(ids);
            let render = call.render();
            let shown = ids
                .into_iter()
                .map(|id| {
                    let mut repo = render.repo(id)?;
                    repo["permissions"] = json!({ "admin": false, "push": false, "pull": false });
                    Ok(repo)
                })
                .collect::<Result<Vec<Value>, Reply>>()?;
            let selection = if repositories.is_some() { "selected" } else { selection };
            let body = json!({ "total_count": total, "repository_selection": selection, "repositories": shown });
            Ok(with_link(Reply::ok(body), link))
        }
        ("DELETE", ["installation", "token"]) => {
            if let Some(token) = credential(&call.request.headers) {
                call.act.state.tokens.remove(&token);
            }
            Ok(Reply::no_content())
        }
        _ => Err(Reply::not_found()),
    }
}

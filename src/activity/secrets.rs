//! Tokens and private keys that stand in a file: refused, and never shown again.

use crate::document::{Map, Node, Problems, Spot, Value};

/// Where they belong instead.
pub(super) const WHERE_TOKENS_BELONG: &str = "files are shared and kept, tokens are not: set FORGE_TOKEN (SOURCE_TOKEN for a source) \
in the environment, or GH_TOKEN, or log in with `gh auth login`; revoke a token that was written down";
/// The same for what an App has.
pub(super) const WHERE_KEYS_BELONG: &str = "set GITHUB_APP_PRIVATE_KEY_FILE, or FORGE_APP_PRIVATE_KEY (SOURCE_APP_PRIVATE_KEY for a \
source), in the environment; replace a key that was written down";

/// Why an address is not one to hand to git, whoever wrote it; `None` if it is. The words never quote it.
pub fn address_complaint(address: &str) -> Option<&'static str> {
    let scheme = address.split_once("::").map(|(scheme, _)| scheme);
    if address.trim().is_empty() {
        Some("it is empty")
    } else if address.starts_with('-') {
        Some("it begins with `-`, which git would take for an option")
    } else if address.chars().any(char::is_control) {
        Some("there are control characters in it")
    } else if scheme.is_some_and(|scheme| scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')) {
        Some("`NAME::` before an address would start a program of that name")
    } else if holds_token(address) || holds_password(address) {
        Some(
            "there is a password or token in it; remove `user:password@`, mass-driver has the token of the environment",
        )
    } else {
        None
    }
}

/// The node without the secrets in it, which are reported.
pub(super) fn without_secrets(node: Node, problems: &mut Problems) -> Node {
    let Node { at, value } = node;
    let value = match value {
        Value::Text(text) => match complaint(&text) {
            None => Value::Text(text),
            Some((what, fix)) => {
                problems.add(Spot { length: 1, ..at }, what, fix);
                Value::Unreadable
            }
        },
        Value::List(items) => Value::List(items.into_iter().map(|item| without_secrets(item, problems)).collect()),
        Value::Map(Map { entries, cut_short }) => {
            let entries = entries.into_iter().map(|(key, node)| (key, without_secrets(node, problems))).collect();
            Value::Map(Map { entries, cut_short })
        }
        other => other,
    };
    Node { at, value }
}

fn complaint(text: &str) -> Option<(&'static str, &'static str)> {
    if text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----") {
        return Some(("a private key stands here", WHERE_KEYS_BELONG));
    }
    if holds_token(text) {
        return Some(("a token stands here", WHERE_TOKENS_BELONG));
    }
    let fix = "remove `user:password@` from it; git asks its credential helper, and mass-driver has the token of the environment";
    holds_password(text).then_some(("an address with a password stands here", fix))
}

/// GitHub's and GitLab's tokens say what they are; the shortest has more than twenty characters behind that.
fn holds_token(text: &str) -> bool {
    const PREFIXES: [&str; 7] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"];
    const SHORTEST: usize = 20;
    PREFIXES.iter().any(|prefix| {
        text.match_indices(prefix).any(|(at, _)| {
            let rest = text[at + prefix.len()..].bytes();
            rest.take(SHORTEST).filter(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)).count() == SHORTEST
        })
    })
}

fn holds_password(text: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| {
        text.match_indices(scheme).any(|(at, _)| {
            let rest = &text[at + scheme.len()..];
            let host = rest.find(|c: char| c == '/' || c.is_whitespace()).map_or(rest, |end| &rest[..end]);
            let user = host.rsplit_once('@').map(|(user, _)| user);
            user.and_then(|user| user.split_once(':')).is_some_and(|(_, password)| {
                // `https://${USER}:${TOKEN}@host` of a script names no password, nor does a placeholder of ours.
                !password.is_empty() && !password.starts_with(['$', '{', '<'])
            })
        })
    })
}

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
    } else if names_secret(address) {
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

/// Whether an address, or a name that may be one, signs in with what nobody else should know. Placeholders of a script are
/// refused as well: nobody fills them in.
pub fn names_secret(address: &str) -> bool {
    let address = address.trim();
    let signs_in = match address.split_once("://") {
        Some((scheme, rest)) => {
            let user = user_of(rest, |c| c == '/');
            let http = ["https", "http"].iter().any(|one| scheme.eq_ignore_ascii_case(one));
            user.is_some_and(|user| user.contains(':') || http && is_token(user))
        }
        // `user:password@host:path` is no address, but somebody may have thought so.
        None => user_of(address, |c| c == '/')
            .and_then(|user| user.split_once(':'))
            .is_some_and(|(user, password)| !user.is_empty() && !password.is_empty()),
    };
    signs_in || holds_token(address)
}

/// How tokens begin that say what they are.
const PREFIXES: [&str; 7] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-"];

/// GitHub's and GitLab's tokens say what they are; the shortest has more than twenty characters behind that.
fn holds_token(text: &str) -> bool {
    const SHORTEST: usize = 20;
    PREFIXES.iter().any(|prefix| {
        text.match_indices(prefix).any(|(at, _)| {
            let rest = text[at + prefix.len()..].bytes();
            rest.take(SHORTEST).filter(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)).count() == SHORTEST
        })
    })
}

/// Whether a token stands in the place of a user's name, which no forge lets be longer.
fn is_token(user: &str) -> bool {
    const LONGEST_NAME: usize = 39;
    user.len() > LONGEST_NAME || user == "x-access-token" || PREFIXES.iter().any(|prefix| user.starts_with(prefix))
}

/// Who an address signs in as, of what follows its scheme.
fn user_of(rest: &str, ends: impl Fn(char) -> bool) -> Option<&str> {
    let host = rest.find(ends).map_or(rest, |end| &rest[..end]);
    host.rsplit_once('@').map(|(user, _)| user)
}

/// Whether there is an address in a text, a script perhaps, that signs in with a password or token.
fn holds_password(text: &str) -> bool {
    text.match_indices("://").any(|(at, sign)| {
        let scheme = text[..at].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '+').next().unwrap_or_default();
        let known = ["https", "http", "ssh"];
        // What else is written like this, such as the database of a test, is for whoever writes it to judge. Tools put a word
        // before or behind it: `git+https`, `ssh+git`.
        let is = |one: &&str| scheme.split('+').any(|part| part.eq_ignore_ascii_case(one));
        let Some(scheme) = known.into_iter().find(is) else { return false };
        let Some(user) = user_of(&text[at + sign.len()..], |c| c == '/' || c.is_whitespace()) else { return false };
        // `https://${USER}:${TOKEN}@host` of a script names no password, nor does a placeholder of ours.
        let named = |secret: &str| !secret.is_empty() && !secret.starts_with(['$', '{', '<']);
        let plain = user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        match user.split_once(':') {
            Some((_, password)) => named(password),
            None => scheme.starts_with("http") && plain && is_token(user),
        }
    })
}

//! Following GitHub's `Link` headers, on our own host only.

use super::ForgeError;
use super::client::{Call, Client, Identity};
use http::HeaderMap;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::sync::Arc;

/// 100 entries each: no installation has as many repositories.
const MOST_PAGES: usize = 2_000;

/// Reads every page of a list. `path` carries the query of the first one.
///
/// Errors: [`ForgeError::Protocol`] when a page leads to another host or in a circle: a list that ends early would
/// look like removed repositories.
pub(super) async fn read_all<Page: DeserializeOwned>(
    client: &Arc<Client>,
    identity: Identity,
    first: String,
    mut take: impl FnMut(Page),
) -> Result<(), ForgeError> {
    let take = |page| {
        take(page);
        true
    };
    read_while(client, identity, first, take).await
}

/// The same, up to the page after which `take` says `false`.
pub(super) async fn read_while<Page: DeserializeOwned>(
    client: &Arc<Client>,
    identity: Identity,
    first: String,
    mut take: impl FnMut(Page) -> bool,
) -> Result<(), ForgeError> {
    let mut seen = HashSet::new();
    let mut next = Some(first);
    while let Some(path) = next {
        let call = Call::get(path.clone());
        let fail = |why: &str| Err(ForgeError::Protocol { endpoint: call.endpoint(), why: why.into() });
        if !seen.insert(path) {
            return fail("its pages lead in a circle");
        }
        if seen.len() > MOST_PAGES {
            return fail("it has more pages than any list of GitHub's");
        }
        let answer = client.send(&call, identity).await?;
        if !take(answer.read()?) {
            return Ok(());
        }
        next = match next_link(&answer.headers) {
            Some(link) => Some(client.own_path(&answer.endpoint, &link)?),
            None => None,
        };
    }
    Ok(())
}

/// The address with `rel="next"`.
pub(super) fn next_link(headers: &HeaderMap) -> Option<String> {
    headers.get_all(http::header::LINK).iter().filter_map(|value| value.to_str().ok()).find_map(|value| {
        // Addresses may contain commas and semicolons, so `<` and `>` are what separates.
        let mut rest = value;
        while let Some((_, after)) = rest.split_once('<') {
            let (address, after) = after.split_once('>')?;
            let parameters = after.split('<').next().unwrap_or_default();
            let is_next = parameters.split([';', ',']).any(|parameter| {
                let (name, value) = parameter.split_once('=').unwrap_or_default();
                name.trim().eq_ignore_ascii_case("rel")
                    && value.trim().trim_matches('"').split_ascii_whitespace().any(|rel| rel == "next")
            });
            if is_next {
                return Some(address.to_string());
            }
            rest = after;
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(link: &str) -> Option<String> {
        next_link(&HeaderMap::from_iter([(http::header::LINK, link.parse().unwrap())]))
    }

    #[test]
    fn finds_next_among_others() {
        assert_eq!(
            next(r#"<https://h/x?page=1>; rel="prev", <https://h/x?page=3>; rel="next""#).unwrap(),
            "https://h/x?page=3"
        );
        assert_eq!(next(r#"<https://h/x?a=1,2;b>; rel=next"#).unwrap(), "https://h/x?a=1,2;b");
        assert_eq!(next(r#"<https://h/x?page=1>; rel="last", <https://h/x>; rel="first""#), None);
        assert_eq!(next("<<<>;;;rel=,"), None);
        assert_eq!(next(""), None);
    }
}

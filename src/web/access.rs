//! Who may see the pages. They name private repositories, so until there is a sign-in they are for the bearer of the admin
//! token, and for the machine itself as long as nothing stands between it and the rest of the world.

use super::WebState;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, SocketAddr};

/// Headers by which a proxy says that it passes a request on.
const PROXY_HEADERS: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// Whether being on this machine opens the pages, given the address the server is reached at.
///
/// With a public address there is a proxy, and one that says nothing of itself passes the requests of everybody on just
/// as somebody here would make them: then nobody is local. An address that is not understood counts as public.
pub fn pages_are_local(public_url: Option<&str>) -> bool {
    match public_url.map(str::trim) {
        None | Some("") => true,
        Some(url) => Url::parse(url).is_ok_and(|url| url.host_str().is_some_and(names_loopback)),
    }
}

/// Lets a request through if it carries the admin token, or comes from this machine where that counts; 401 otherwise.
pub async fn only_for_admins(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let local = state.local_pages && is_local(peer, request.version(), request.headers());
    if local || bears(state.admin_token.as_ref(), request.headers()) {
        return next.run(request).await;
    }
    let who = if state.local_pages {
        "It is served to this machine without a proxy in between, and to whoever sends"
    } else {
        "As MASS_DRIVER_PUBLIC_URL is set, it is served only to whoever sends"
    };
    let set = if state.admin_token.is_some() { "" } else { "None is set yet: set it and restart the server.\n" };
    let explanation = format!(
        "This page names private repositories. {who}\n\
         `Authorization: Bearer …` with the server's MASS_DRIVER_ADMIN_TOKEN.\n{set}"
    );
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer realm=\"mass-driver\"")], explanation)
        .into_response()
}

/// Lets a request through that changes something unless a page of somebody else's made the browser send it; 403 then. On this
/// machine no credential is asked for, so that the browser's word for where a request comes from is all there is.
pub async fn only_from_here(request: Request, next: Next) -> Response {
    if is_from_elsewhere(request.headers()) {
        let explanation = "This request was made by a page of another site, or by one that does not say which it is.\n";
        return (StatusCode::FORBIDDEN, explanation).into_response();
    }
    next.run(request).await
}

/// What browsers add to a request of which they do not want to be the accomplice. Programs send neither header.
///
/// Source: W3C Fetch Metadata, `Sec-Fetch-Site`; WHATWG Fetch, "Origin header".
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    // Browsers tell it to https and loopback addresses only; everywhere they send the origin with a POST.
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    // Behind a proxy the scheme is another one here than there.
    let host = |origin: &str| origin.split_once("://").map(|(_, host)| host.to_ascii_lowercase());
    match text("origin") {
        None => false,
        Some(origin) => host(origin).is_none_or(|host| text("host").is_none_or(|own| own.to_ascii_lowercase() != host)),
    }
}

/// Whether a request was made on this machine, to this machine: not passed on by a proxy that runs beside the server, and
/// not by a page of another site whose name was pointed at loopback.
fn is_local(peer: Option<IpAddr>, version: Version, headers: &HeaderMap) -> bool {
    // No browser speaks HTTP/1.0, but proxies do that nobody told otherwise.
    version >= Version::HTTP_11
        && peer.is_some_and(|ip| ip.to_canonical().is_loopback())
        && !PROXY_HEADERS.iter().any(|name| headers.contains_key(*name))
        && headers.get(header::HOST).and_then(|host| host.to_str().ok()).is_some_and(names_loopback)
}

fn names_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn bears(expected: Option<&SecretString>, headers: &HeaderMap) -> bool {
    let sent = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.split_once(' '));
    match (expected, sent) {
        (Some(expected), Some((scheme, sent))) if scheme.eq_ignore_ascii_case("bearer") => {
            // Comparing digests takes the same time wherever the texts differ.
            !expected.expose_secret().is_empty()
                && Sha256::digest(expected.expose_secret()) == Sha256::digest(sent.trim())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn local_means_this_machine_under_its_own_name() {
        let loopback: IpAddr = "127.0.0.1".parse().unwrap();
        let far: IpAddr = "192.0.2.7".parse().unwrap();
        let mapped: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        for host in ["localhost:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST"] {
            assert!(is_local(Some(loopback), Version::HTTP_11, &headers(&[("host", host)])), "{host}");
        }
        assert!(is_local(Some(mapped), Version::HTTP_11, &headers(&[("host", "localhost")])));
        assert!(!is_local(Some(far), Version::HTTP_11, &headers(&[("host", "localhost")])), "from another machine");
        assert!(
            !is_local(Some(loopback), Version::HTTP_11, &headers(&[("host", "evil.example")])),
            "a name pointed at loopback"
        );
        assert!(!is_local(Some(loopback), Version::HTTP_11, &headers(&[])), "no name at all");
        assert!(
            !is_local(
                Some(loopback),
                Version::HTTP_11,
                &headers(&[("host", "localhost"), ("x-forwarded-for", "192.0.2.7")])
            ),
            "a proxy"
        );
        for proxy in PROXY_HEADERS {
            let passed_on = headers(&[("host", "localhost"), (proxy, "x")]);
            assert!(!is_local(Some(loopback), Version::HTTP_11, &passed_on), "{proxy}");
        }
        let plain = headers(&[("host", "127.0.0.1:8080")]);
        assert!(!is_local(Some(loopback), Version::HTTP_10, &plain), "a proxy that nobody told anything");
        assert!(!is_local(None, Version::HTTP_11, &headers(&[("host", "localhost")])));
    }

    #[test]
    fn a_browser_says_whose_page_sends_it() {
        let host = ("host", "bot.example.com");
        let own: [&[(&'static str, &str)]; 6] = [
            &[],
            &[host],
            &[host, ("origin", "https://bot.example.com")],
            &[host, ("origin", "https://BOT.example.com")],
            &[host, ("sec-fetch-site", "same-origin"), ("origin", "https://bot.example.com")],
            &[host, ("sec-fetch-site", "none")],
        ];
        for headers in own.map(headers) {
            assert!(!is_from_elsewhere(&headers), "{headers:?}");
        }
        let foreign: [&[(&'static str, &str)]; 9] = [
            &[host, ("sec-fetch-site", "cross-site")],
            &[host, ("sec-fetch-site", "same-site")],
            &[host, ("sec-fetch-site", "")],
            &[host, ("sec-fetch-site", "cross-site"), ("origin", "https://bot.example.com")],
            &[host, ("origin", "https://evil.example.com")],
            &[host, ("origin", "https://bot.example.com.evil.example.com")],
            &[host, ("origin", "https://bot.example.com:8443")],
            &[host, ("origin", "null")],
            &[("origin", "https://bot.example.com")],
        ];
        for headers in foreign.map(headers) {
            assert!(is_from_elsewhere(&headers), "{headers:?}");
        }
    }

    #[test]
    fn a_public_address_leaves_nobody_local() {
        for here in [
            None,
            Some(""),
            Some(" "),
            Some("http://127.0.0.1:8080"),
            Some("http://localhost/"),
            Some("http://[::1]:80/"),
        ] {
            assert!(pages_are_local(here), "{here:?}");
        }
        for public in [
            "https://bot.example.com",
            "https://bot.example.com:8443/x",
            "http://192.0.2.7",
            "bot.example.com",
            "/",
            "localhost:8080",
            "http://localhost.example.com",
            "https://127.0.0.1@bot.example.com",
        ] {
            assert!(!pages_are_local(Some(public)), "{public}");
        }
    }

    #[test]
    fn the_admin_token_must_match_whole() {
        let token = SecretString::from("s3cret");
        assert!(bears(Some(&token), &headers(&[("authorization", "Bearer s3cret")])));
        for wrong in ["Bearer s3cre", "Bearer s3cret2", "Basic s3cret", "s3cret", "Bearer "] {
            assert!(!bears(Some(&token), &headers(&[("authorization", wrong)])), "{wrong}");
        }
        assert!(
            !bears(Some(&SecretString::from("")), &headers(&[("authorization", "Bearer ")])),
            "an empty token opens nothing"
        );
        assert!(!bears(None, &headers(&[("authorization", "Bearer x")])));
    }
}

//! Who may see the pages. They name private repositories, so until there is a sign-in they are for the machine itself
//! and for the bearer of the admin token.

use super::WebState;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, SocketAddr};

/// Headers by which a proxy says that it passes a request on.
const PROXY_HEADERS: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/// Lets a request through if it comes from this machine or carries the admin token; 401 otherwise.
pub async fn only_for_admins(State(state): State<WebState>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if is_local(peer, request.headers()) || bears(state.admin_token.as_ref(), request.headers()) {
        return next.run(request).await;
    }
    let explanation = "This page names private repositories. It is served on loopback, and to whoever sends\n\
                       `Authorization: Bearer …` with the server's MASS_DRIVER_ADMIN_TOKEN.\n";
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer realm=\"mass-driver\"")], explanation)
        .into_response()
}

/// Whether a request was made on this machine, to this machine: not passed on by a proxy that runs beside the server, and
/// not by a page of another site whose name was pointed at loopback.
fn is_local(peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
    peer.is_some_and(|ip| ip.to_canonical().is_loopback())
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
            assert!(is_local(Some(loopback), &headers(&[("host", host)])), "{host}");
        }
        assert!(is_local(Some(mapped), &headers(&[("host", "localhost")])));
        assert!(!is_local(Some(far), &headers(&[("host", "localhost")])), "from another machine");
        assert!(!is_local(Some(loopback), &headers(&[("host", "evil.example")])), "a name pointed at loopback");
        assert!(!is_local(Some(loopback), &headers(&[])), "no name at all");
        assert!(
            !is_local(Some(loopback), &headers(&[("host", "localhost"), ("x-forwarded-for", "192.0.2.7")])),
            "a proxy"
        );
        assert!(!is_local(None, &headers(&[("host", "localhost")])));
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

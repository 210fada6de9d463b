//! Who is asking: the App by its JSON web token, an installation by its token, a person, or nobody.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::HeaderMap;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use crate::exchange::AuthKind;
use crate::reply::Reply;
use crate::site::Site;
use crate::state::{Holder, Permissions, State};

/// GitHub's longest life of an App's token, with the few seconds it allows for clocks that differ.
const MAX_JWT_SECONDS: i64 = 600;
const CLOCK_LEEWAY_SECONDS: i64 = 5;

#[derive(Debug, Clone)]
pub(crate) enum Caller {
    Anonymous,
    App,
    Installation { id: i64, repositories: Option<BTreeSet<i64>>, permissions: Permissions },
    Person(String),
}

/// The credential of a request: after `Bearer` or `token`, or the password of `Basic`.
pub(crate) fn credential(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("authorization")?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
        return decoded.split_once(':').map(|(_, password)| password.to_owned());
    }
    Some(rest.trim().to_owned())
}

pub(crate) fn kind(headers: &HeaderMap) -> AuthKind {
    match credential(headers) {
        None => AuthKind::None,
        Some(text) if looks_like_jwt(&text) => AuthKind::AppJwt,
        Some(text) if text.starts_with("ghs_") => AuthKind::InstallationToken,
        Some(_) => AuthKind::Other,
    }
}

fn looks_like_jwt(text: &str) -> bool {
    text.starts_with("eyJ") && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

pub(crate) fn identify(state: &State, site: &Site, headers: &HeaderMap, now: Timestamp) -> Result<Caller, Reply> {
    let Some(text) = credential(headers) else {
        return if headers.contains_key("authorization") {
            Err(Reply::bad_credentials())
        } else {
            Ok(Caller::Anonymous)
        };
    };
    if looks_like_jwt(&text) {
        let judged_at = state.jwt_clock.as_ref().map_or(now, |clock| clock());
        return verify(site, &text, judged_at.as_second() + state.jwt_skew_seconds).map(|()| Caller::App);
    }
    match state.tokens.get(&text) {
        Some(token) if token.expires_at > now => match &token.holder {
            Holder::Person(login) => Ok(Caller::Person(login.clone())),
            Holder::Installation { id, repositories, permissions } => {
                let installation = state.installations.get(id).ok_or_else(Reply::bad_credentials)?;
                if installation.suspended_at.is_some() {
                    return Err(Reply::error(403, "This installation has been suspended"));
                }
                // A token never outlives a permission that its installation lost.
                let permissions = permissions.iter().filter(|(name, _)| installation.permissions.contains_key(*name));
                Ok(Caller::Installation {
                    id: *id,
                    repositories: repositories.clone(),
                    permissions: permissions.map(|(name, level)| (name.clone(), level.clone())).collect(),
                })
            }
        },
        _ => Err(Reply::bad_credentials()),
    }
}

fn verify(site: &Site, text: &str, now: i64) -> Result<(), Reply> {
    let undecodable = || Reply::error(401, "A JSON web token could not be decoded");
    let mut rules = Validation::new(Algorithm::RS256);
    // The times are judged below, by the stand-in's clock and with GitHub's words.
    rules.validate_exp = false;
    rules.validate_nbf = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    let key = DecodingKey::from_rsa_der(&site.key().public);
    let claims: Value = jsonwebtoken::decode(text, &key, &rules).map_err(|_| undecodable())?.claims;
    let issuer = match &claims["iss"] {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(Reply::error(401, "'Issuer' claim ('iss') must be an Integer")),
    };
    if issuer != site.app_id.to_string() && issuer != site.client_id {
        return Err(Reply::error(404, "Integration not found"));
    }
    let Some(expires) = claims["exp"].as_i64() else {
        return Err(Reply::error(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        ));
    };
    let Some(issued) = claims["iat"].as_i64() else {
        return Err(Reply::error(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        ));
    };
    if issued > now + CLOCK_LEEWAY_SECONDS {
        return Err(Reply::error(
            401,
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        ));
    }
    if expires <= now {
        return Err(Reply::error(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
        ));
    }
    if expires > now + MAX_JWT_SECONDS + CLOCK_LEEWAY_SECONDS {
        return Err(Reply::error(401, "'Expiration time' claim ('exp') is too far in the future"));
    }
    Ok(())
}

/// A new token for an installation. Every other one is of the long kind, so that nobody counts on 40 characters.
pub(crate) fn new_token(state: &mut State) -> String {
    state.tokens_made += 1;
    let random = || uuid::Uuid::new_v4().simple().to_string();
    if state.tokens_made.is_multiple_of(2) {
        let part = |count: usize| (0..count).map(|_| URL_SAFE_NO_PAD.encode(random())).collect::<String>();
        format!("ghs_{}.{}.{}", part(2), part(6), part(4))
    } else {
        format!("ghs_{}{}", random(), &random()[..4])
    }
}

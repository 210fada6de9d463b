//! Tokens for images: asked for once, shared, and kept until they expire.

use super::challenge::Challenge;
use super::place::Place;
use crate::registries::error::RegistryError;
use crate::registries::fetch::{Call, Fetch, host, origin};
use crate::registries::json::{or_default, parse, protocol};
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use reqwest::Url;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

const MAX_ANSWER_BYTES: usize = 256 * 1024;
const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// What the token protocol says of a token without `expires_in`.
const DEFAULT_LIFE: Duration = Duration::from_secs(60);
/// A token is asked for anew after this time, whatever its registry says.
const LONGEST_LIFE: Duration = Duration::from_secs(60 * 60);
/// How many images' tokens are remembered before expired ones are forgotten.
const REMEMBERED: usize = 10_000;

/// One image at one registry: a token is good for no more.
type Key = (String, String);
/// Locked while its token is being asked for, so that one asks and the others wait for the answer.
type Slot = Arc<tokio::sync::Mutex<Option<Token>>>;

#[derive(Clone)]
struct Token {
    header: HeaderValue,
    expires_at: Instant,
}

/// Gets and keeps tokens.
pub(super) struct Tokens {
    slots: Mutex<HashMap<Key, Slot>>,
    fetch: Arc<Fetch>,
}

#[derive(Deserialize)]
struct Issued {
    #[serde(default, deserialize_with = "or_default")]
    token: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    access_token: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    expires_in: Option<u64>,
}

impl Tokens {
    pub(super) fn new(fetch: Arc<Fetch>) -> Self {
        Self { slots: Mutex::default(), fetch }
    }

    /// The value of `Authorization` in use for a place, if there is one.
    pub(super) async fn current(&self, place: &Place) -> Option<HeaderValue> {
        let slot = self.slot(place);
        let token = slot.lock().await;
        token.as_ref().filter(|token| Instant::now() < token.expires_at).map(|token| token.header.clone())
    }

    /// A value of `Authorization` other than `rejected`: one that somebody else got meanwhile, else a new one.
    ///
    /// Errors: `Denied` if the challenges offer no way we can go; what the token service's answer stands for.
    pub(super) async fn renewed(
        &self,
        place: &Place,
        rejected: Option<HeaderValue>,
        challenges: &[Challenge],
    ) -> Result<HeaderValue, RegistryError> {
        let slot = self.slot(place);
        let mut token = slot.lock().await;
        let usable = |token: &&Token| Some(&token.header) != rejected.as_ref() && Instant::now() < token.expires_at;
        if let Some(other) = token.as_ref().filter(usable) {
            return Ok(other.header.clone());
        }
        *token = None;
        let new = self.ask(place, challenges).await?;
        Ok(token.insert(new).header.clone())
    }

    fn slot(&self, place: &Place) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= REMEMBERED {
            let now = Instant::now();
            let alive = |token: &Option<Token>| token.as_ref().is_some_and(|token| now < token.expires_at);
            slots.retain(|_, slot| Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|token| alive(&token)));
        }
        Arc::clone(slots.entry((origin(&place.root), place.repository.clone())).or_default())
    }

    async fn ask(&self, place: &Place, challenges: &[Challenge]) -> Result<Token, RegistryError> {
        let registry = host(&place.root);
        if let Some(bearer) = challenges.iter().find(|challenge| challenge.scheme == "bearer") {
            return self.ask_service(place, bearer).await;
        }
        match &place.credentials {
            Some(credentials) if challenges.iter().any(|challenge| challenge.scheme == "basic") => {
                Ok(Token { header: credentials.clone(), expires_at: Instant::now() + LONGEST_LIFE })
            }
            _ => Err(RegistryError::Denied { what: place.repository.clone(), registry }),
        }
    }

    /// A token from the service that the registry names, for pulling this image whatever else it would like.
    async fn ask_service(&self, place: &Place, bearer: &Challenge) -> Result<Token, RegistryError> {
        let registry = host(&place.root);
        let realm = bearer.realm.as_deref().and_then(|realm| Url::parse(realm).ok());
        let mut url = realm.ok_or_else(|| protocol(&registry, "it wants a token and names no address to get one"))?;
        url.set_fragment(None);
        url.query_pairs_mut()
            .extend_pairs(bearer.service.as_deref().map(|service| ("service", service)))
            .append_pair("scope", &format!("repository:{}:pull", place.repository));
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        if origin(&url) == origin(&place.root) {
            headers.extend(place.credentials.clone().map(|value| (AUTHORIZATION, value)));
        }
        let trusted = place.token_origins.clone();
        let reply = self.fetch.send(Call { method: Method::GET, url, headers, trusted }).await?;
        if reply.status() != StatusCode::OK {
            return Err(reply.failure(&place.repository));
        }
        let service = host(&reply.url);
        let issued: Issued = parse(reply.body(MAX_ANSWER_BYTES).await?, &service).await?;
        let text =
            issued.token.or(issued.access_token).filter(|text| !text.is_empty() && text.len() <= MAX_TOKEN_BYTES);
        let header = text.and_then(|text| HeaderValue::try_from(format!("Bearer {text}")).ok());
        let mut header = header.ok_or_else(|| protocol(&service, "it gave no token that can be used"))?;
        header.set_sensitive(true);
        let life = issued.expires_in.map_or(DEFAULT_LIFE, Duration::from_secs).min(LONGEST_LIFE);
        // A token about to expire would be refused on its way.
        Ok(Token { header, expires_at: Instant::now() + life.mul_f32(0.9) })
    }
}

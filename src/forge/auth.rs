//! The App's own credential: a JWT that it signs with its private key.

use super::settings::key_complaint;
use super::{ForgeError, GitHubSettings};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::sync::{Arc, Mutex, PoisonError};

/// GitHub's advice against clocks that run ahead.
const BACKDATED: SignedDuration = SignedDuration::from_secs(60);
/// From `iat` to `exp` GitHub allows ten minutes.
const VALID: SignedDuration = SignedDuration::from_secs(9 * 60);
/// Signing with RSA costs about a millisecond, so one JWT serves for a while.
const REUSED: SignedDuration = SignedDuration::from_secs(4 * 60);

/// The App's id and key.
pub(super) struct AppKey {
    app_id: i64,
    key: EncodingKey,
    last: Mutex<Option<Signed>>,
}

struct Signed {
    at: Timestamp,
    jwt: Arc<SecretString>,
}

#[derive(Serialize)]
struct Claims {
    iat: i64,
    exp: i64,
    iss: String,
}

impl AppKey {
    /// Reads the key and signs once with it, so that a bad key is found at the start and not at the first event.
    pub(super) fn new(settings: &GitHubSettings, now: Timestamp) -> Result<Self, ForgeError> {
        if settings.app_id <= 0 {
            return Err(ForgeError::Settings {
                why: "the App's id must be a positive number; it is on the App's settings page".into(),
            });
        }
        let complaint = || ForgeError::Settings {
            why: format!(
                "{}; it is in GITHUB_APP_PRIVATE_KEY or GITHUB_APP_PRIVATE_KEY_FILE",
                key_complaint(&settings.private_key_pem)
            ),
        };
        let key = EncodingKey::from_rsa_pem(settings.private_key_pem.expose_secret().trim().as_bytes())
            .map_err(|_| complaint())?;
        let app = Self { app_id: settings.app_id, key, last: Mutex::new(None) };
        app.jwt(now).map_err(|_| complaint())?;
        Ok(app)
    }

    /// The App's id.
    pub(super) fn id(&self) -> i64 {
        self.app_id
    }

    /// A JWT that is valid now, per our clock.
    pub(super) fn jwt(&self, now: Timestamp) -> Result<Arc<SecretString>, ForgeError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signed) = last.as_ref() {
            // A clock that was set back makes `iat` a time in the future, which GitHub refuses.
            if (SignedDuration::ZERO..REUSED).contains(&now.duration_since(signed.at)) {
                return Ok(signed.jwt.clone());
            }
        }
        let claims =
            Claims { iat: (now - BACKDATED).as_second(), exp: (now + VALID).as_second(), iss: self.app_id.to_string() };
        let jwt = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key)
            .map_err(|_| ForgeError::Settings { why: "the private key cannot sign".into() })?;
        let jwt = Arc::new(SecretString::from(jwt));
        *last = Some(Signed { at: now, jwt: jwt.clone() });
        Ok(jwt)
    }

    /// Forgets the JWT that GitHub refused, so that the next one is signed anew.
    pub(super) fn forget(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

//! Whether a delivery comes from GitHub: the HMAC over its raw bytes.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Why a delivery is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no secret to check with, which would make everything genuine.
    #[error("no webhook secret is set, so no delivery can be trusted")]
    NoSecret,
    /// The header is absent.
    #[error("the header X-Hub-Signature-256 is missing; is a secret set for the webhook on GitHub?")]
    Missing,
    /// The header is there more than once, so nobody knows which one another reader would check.
    #[error("the header X-Hub-Signature-256 is given more than once")]
    Repeated,
    /// It does not begin with `sha256=`.
    #[error("the signature does not begin with `sha256=`; other algorithms are not accepted")]
    NotSha256,
    /// It is not 64 hex digits.
    #[error("the signature is not 64 hex digits")]
    NotHex,
    /// It belongs to other bytes or another secret.
    #[error("the signature does not match the body; is the webhook's secret the same here and on GitHub?")]
    Wrong,
}

/// Checks the values of `X-Hub-Signature-256` against the raw body, with each of the secrets (two during a rotation).
///
/// `signatures` are all values of the header, such as `headers.get_all("x-hub-signature-256")`. Empty secrets are
/// never used. The comparison takes the same time wherever the first difference is.
/// Source: GitHub docs, "Validating webhook deliveries".
pub fn verify<Value: AsRef<[u8]>>(
    secrets: &[SecretString],
    body: &[u8],
    signatures: impl IntoIterator<Item = Value>,
) -> Result<(), SignatureError> {
    let mut signatures = signatures.into_iter();
    let signature = signatures.next().ok_or(SignatureError::Missing)?;
    if signatures.next().is_some() {
        return Err(SignatureError::Repeated);
    }
    let digits = signature.as_ref().strip_prefix(b"sha256=").ok_or(SignatureError::NotSha256)?;
    let mut given = [0; 32];
    hex::decode_to_slice(digits, &mut given).map_err(|_| SignatureError::NotHex)?;
    let mut usable = secrets.iter().map(|secret| secret.expose_secret()).filter(|secret| !secret.is_empty()).peekable();
    usable.peek().ok_or(SignatureError::NoSecret)?;
    for secret in usable {
        // HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| SignatureError::NoSecret)?;
        mac.update(body);
        if mac.verify_slice(&given).is_ok() {
            return Ok(());
        }
    }
    Err(SignatureError::Wrong)
}

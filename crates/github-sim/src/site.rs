//! Who this stand-in is: its address and the one App it knows, fixed from the start.

use std::sync::Arc;

use anyhow::Context as _;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// Where the stand-in takes its time from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// What an operator holds after registering the App.
#[derive(Debug, Clone)]
pub struct AppCredentials {
    /// The App's numeric id, the `iss` of its tokens.
    pub app_id: i64,
    /// The App's client id, which GitHub accepts as `iss` too.
    pub client_id: String,
    /// The short name, the bot's login without `[bot]`.
    pub slug: String,
    /// PKCS#8, made anew at every start.
    pub private_key_pem: String,
    /// Signs the webhooks.
    pub webhook_secret: String,
}

pub(crate) struct Site {
    /// `http://127.0.0.1:PORT`: pages, git and, as on GitHub, the REST root too.
    pub root: String,
    pub clock: Clock,
    pub app: AppCredentials,
    /// The public half in PKCS#1 DER.
    pub public_key: Vec<u8>,
    pub app_owner: String,
    pub hook_id: i64,
}

impl Site {
    pub(crate) fn new(root: String, clock: Clock) -> anyhow::Result<Site> {
        let pair = KeyPair::generate(KeySize::Rsa2048).ok().context("cannot make an RSA key")?;
        let private = pair.as_der().ok().context("cannot write the RSA key")?;
        let app = AppCredentials {
            app_id: 4_711,
            client_id: "Iv23liStandIn0000001".to_owned(),
            slug: "mass-driver".to_owned(),
            private_key_pem: pem("PRIVATE KEY", private.as_ref()),
            webhook_secret: uuid::Uuid::new_v4().simple().to_string(),
        };
        let public_key = pair.public_key().as_ref().to_vec();
        Ok(Site { root, clock, app, public_key, app_owner: "mass-driver-makers".to_owned(), hook_id: 1 })
    }

    pub(crate) fn bot_login(&self) -> String {
        format!("{}[bot]", self.app.slug)
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem + &format!("-----END {label}-----\n")
}

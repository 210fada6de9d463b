//! Who this stand-in is: its address and the one App it knows, fixed from the start.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

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
    pub app_id: i64,
    pub client_id: String,
    pub slug: String,
    pub webhook_secret: String,
    pub app_owner: String,
    pub hook_id: i64,
    key: OnceLock<Key>,
    making: Mutex<Option<JoinHandle<anyhow::Result<Key>>>>,
}

/// The App's key pair.
pub(crate) struct Key {
    private_pem: String,
    /// PKCS#1 DER.
    pub public: Vec<u8>,
}

impl Key {
    fn make() -> anyhow::Result<Key> {
        let pair = KeyPair::generate(KeySize::Rsa2048).ok().context("cannot make an RSA key")?;
        let private = pair.as_der().ok().context("cannot write the RSA key")?;
        Ok(Key { private_pem: pem("PRIVATE KEY", private.as_ref()), public: pair.public_key().as_ref().to_vec() })
    }
}

impl Site {
    pub(crate) fn new(root: String, clock: Clock) -> Site {
        Site {
            root,
            clock,
            app_id: 4_711,
            client_id: "Iv23liStandIn0000001".to_owned(),
            slug: "mass-driver".to_owned(),
            webhook_secret: uuid::Uuid::new_v4().simple().to_string(),
            app_owner: "mass-driver-makers".to_owned(),
            hook_id: 1,
            key: OnceLock::new(),
            // It takes up to a tenth of a second, in which a test can build its world.
            making: Mutex::new(Some(std::thread::spawn(Key::make))),
        }
    }

    pub(crate) fn key(&self) -> &Key {
        self.key.get_or_init(|| {
            let making = self.making.lock().unwrap_or_else(PoisonError::into_inner).take();
            let made = making.and_then(|thread| thread.join().ok()).unwrap_or_else(Key::make);
            made.expect("this machine can make RSA keys")
        })
    }

    pub(crate) fn credentials(&self) -> AppCredentials {
        AppCredentials {
            app_id: self.app_id,
            client_id: self.client_id.clone(),
            slug: self.slug.clone(),
            private_key_pem: self.key().private_pem.clone(),
            webhook_secret: self.webhook_secret.clone(),
        }
    }

    pub(crate) fn bot_login(&self) -> String {
        format!("{}[bot]", self.slug)
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

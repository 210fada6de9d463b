//! Signatures of webhooks: only one form is accepted.

use super::world::secret;
use hmac::{Hmac, KeyInit, Mac};
use mass_driver::forge::webhook::{SignatureError, verify};
use proptest::prelude::*;
use sha2::Sha256;

const SECRET: &str = "It's a Secret to Everybody";
const VECTOR: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

fn check(secrets: &[&str], body: &[u8], headers: &[&str]) -> Result<(), SignatureError> {
    let secrets: Vec<_> = secrets.iter().map(|text| secret(text)).collect();
    verify(&secrets, body, headers)
}

#[test]
fn githubs_own_example_is_genuine() {
    assert_eq!(check(&[SECRET], b"Hello, World!", &[VECTOR]), Ok(()));
}

#[test]
fn during_a_rotation_both_secrets_count() {
    assert_eq!(check(&["new", SECRET], b"Hello, World!", &[VECTOR]), Ok(()));
    assert_eq!(check(&[SECRET, "old"], b"Hello, World!", &[VECTOR]), Ok(()));
    assert_eq!(check(&["new", "old"], b"Hello, World!", &[VECTOR]), Err(SignatureError::Wrong));
}

#[test]
fn bad_input_01_every_other_signature_is_refused_for_its_own_reason() {
    use SignatureError::*;
    let digits = &VECTOR[7..];
    let cases: [(&[&str], SignatureError); 12] = [
        (&[], Missing),
        (&[VECTOR, VECTOR], Repeated),
        (&["sha1=7d38cdd689735b008b3c702edd92eea23791c5f6"], NotSha256),
        (&[digits], NotSha256),
        (&[&format!("SHA256={digits}")], NotSha256),
        (&[&format!(" sha256={digits}")], NotSha256),
        (&[""], NotSha256),
        (&["sha256="], NotHex),
        (&[&VECTOR[..VECTOR.len() - 1]], NotHex),
        (&[&format!("{VECTOR}00")], NotHex),
        (&[&VECTOR.replace('7', "g")], NotHex),
        (&[&VECTOR.replace('7', "8")], Wrong),
    ];
    for (headers, expected) in cases {
        assert_eq!(check(&[SECRET], b"Hello, World!", headers), Err(expected), "{headers:?}");
    }
    assert_eq!(check(&[SECRET], b"Hello, World?", &[VECTOR]), Err(Wrong));
}

#[test]
fn an_empty_secret_opens_nothing() {
    let forged = Hmac::<Sha256>::new_from_slice(b"").unwrap().chain_update(b"{}").finalize().into_bytes();
    let forged = format!("sha256={}", hex::encode(forged));
    assert_eq!(check(&[], b"{}", &[&forged]), Err(SignatureError::NoSecret));
    assert_eq!(check(&[""], b"{}", &[&forged]), Err(SignatureError::NoSecret));
    assert_eq!(check(&["", SECRET], b"{}", &[&forged]), Err(SignatureError::Wrong));
}

proptest! {
    #[test]
    fn what_is_signed_is_genuine_and_what_is_altered_is_not(
        key in "[ -~]{1,200}",
        body in prop::collection::vec(any::<u8>(), 1..300),
        at in any::<prop::sample::Index>(),
    ) {
        let digest = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap().chain_update(&body).finalize().into_bytes();
        let header = format!("sha256={}", hex::encode(digest));
        prop_assert_eq!(check(&[&key], &body, &[&header]), Ok(()));
        let mut altered = body.clone();
        altered[at.index(body.len())] ^= 1;
        prop_assert_eq!(check(&[&key], &altered, &[&header]), Err(SignatureError::Wrong));
    }

    #[test]
    fn no_header_makes_it_panic(header in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(verify(&[secret(SECRET)], b"x", [header]).is_err());
    }
}

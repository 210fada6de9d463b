//! Only what GitHub signed is believed.

use crate::databases::both_databases;
use crate::scene::{PREVIOUS_SECRET, SECRET, Server, answer, sign};
use reqwest::header::HeaderValue;

const BODY: &str = r#"{"zen":"Keep it logically awesome."}"#;

both_databases! {
    async fn bad_input_01_what_is_not_signed_with_our_secret_is_refused(store: Store) {
        let server = Server::start(&store).await;
        let good = sign(SECRET, BODY.as_bytes());
        let header = |text: &str| HeaderValue::from_str(text).unwrap();
        let cases = [
            ("missing", vec![], "is missing"),
            ("of another secret", vec![header(&sign("guess", BODY.as_bytes()))], "does not match"),
            ("of another body", vec![header(&sign(SECRET, b"{}"))], "does not match"),
            ("of an empty secret", vec![header(&sign("", BODY.as_bytes()))], "does not match"),
            ("of another algorithm", vec![header("sha1=0000000000000000000000000000000000000000")], "sha256="),
            ("without prefix", vec![header(&good[7..])], "sha256="),
            ("with an upper-case prefix", vec![header(&good.replace("sha256", "SHA256"))], "sha256="),
            ("of too few digits", vec![header(&good[..good.len() - 2])], "64 hex digits"),
            ("of an odd number of digits", vec![header(&good[..good.len() - 1])], "64 hex digits"),
            ("not of hex digits", vec![header(&format!("sha256={}", "x".repeat(64)))], "64 hex digits"),
            ("empty", vec![header("")], "sha256="),
            ("twice the same", vec![header(&good), header(&good)], "more than once"),
            ("good and bad", vec![header(&good), header("sha256=00")], "more than once"),
            ("good and unreadable", vec![header(&good), HeaderValue::from_bytes(b"\xff").unwrap()], "more than once"),
        ];
        for (name, signatures, why) in cases {
            let mut request = server.unsigned("ping", "guid", BODY);
            for signature in signatures {
                request = request.header("x-hub-signature-256", signature);
            }
            let (status, said) = answer(request.send().await.unwrap()).await;
            assert_eq!(status, 401, "{name}: {said}");
            assert!(said.contains(why), "{name}: {said}");
        }
        assert_eq!(server.deliveries().await, [], "nothing of it is stored");
        // The old header alone, as older receivers check it.
        let old = server.unsigned("ping", "guid", BODY).header("x-hub-signature", "sha1=00");
        assert_eq!(answer(old.send().await.unwrap()).await.0, 401);
    }

    async fn both_secrets_are_good_while_they_change(store: Store) {
        let server = Server::start(&store).await;
        for (guid, secret) in [("new", SECRET), ("old", PREVIOUS_SECRET)] {
            let request = server.unsigned("ping", guid, BODY).header("x-hub-signature-256", sign(secret, BODY.as_bytes()));
            assert_eq!(answer(request.send().await.unwrap()).await, (202, "stored\n".into()));
        }
        assert_eq!(server.deliveries().await.len(), 2);
    }

    async fn the_documented_example_is_accepted(store: Store) {
        let server = Server::start(&store).await;
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let request = server.unsigned("ping", "guid", "Hello, World!").header("x-hub-signature-256", signature);
        let (status, said) = answer(request.send().await.unwrap()).await;
        // Genuine, but no JSON.
        assert_eq!(status, 400, "{said}");
        assert!(said.contains("not valid JSON"), "{said}");
    }
}

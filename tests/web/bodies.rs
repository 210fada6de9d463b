//! Bodies that are too large, too slow, cut short, or no JSON.

use crate::databases::both_databases;
use crate::scene::{SECRET, Server, answer, sign};
use mass_driver::web::webhook::{BODY_MAX_BYTES, Intake};
use std::time::Duration;

/// The head of a raw request, up to the headers that say how long the body is.
const HEAD: &str = "POST /webhooks/github HTTP/1.1\r\nhost: localhost\r\nx-github-event: ping\r\nx-github-delivery: g\r\n\
                    x-hub-signature-256: sha256=00\r\n";

fn head(rest: &str) -> Vec<u8> {
    format!("{HEAD}{rest}\r\n\r\n").into_bytes()
}

both_databases! {
    async fn bad_input_02_a_body_that_announces_too_much_is_refused_before_it_is_sent(store: Store) {
        let server = Server::start(&store).await;
        let answer = server.raw(head(&format!("content-length: {}", BODY_MAX_BYTES + 1))).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains("at most 26214400 bytes"), "{answer}");
    }

    async fn bad_input_02_a_body_that_turns_out_too_large_is_refused_where_it_does(store: Store) {
        let server = Server::start(&store).await;
        let size = BODY_MAX_BYTES + 1;
        let mut bytes = head("transfer-encoding: chunked");
        bytes.extend_from_slice(format!("{size:x}\r\n").as_bytes());
        bytes.resize(bytes.len() + size, b' ');
        let answer = server.raw(bytes).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }

    async fn bad_input_02_a_body_that_does_not_come_is_not_waited_for(store: Store) {
        let server = Server::start_with(&store, |state| state.intake = Intake::new(Duration::from_millis(20), 1, 64)).await;
        for begun in ["", "{", "{\"zen\":"] {
            let mut bytes = head("content-length: 100");
            bytes.extend_from_slice(begun.as_bytes());
            let answer = server.raw(bytes).await;
            assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
            assert!(answer.contains("did not arrive in time"), "{answer}");
        }
    }

    /// Each byte is on time, and all of them would take hours: the patience is for the whole body.
    async fn bad_input_02_a_body_that_drips_is_not_waited_for(store: Store) {
        let server = Server::start_with(&store, |state| state.intake = Intake::new(Duration::from_millis(100), 1, 64)).await;
        let answer = server.drip(head("content-length: 900000")).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("did not arrive in time"), "{answer}");
        assert_eq!(server.deliveries().await, []);
    }

    /// The sender hangs up before the length it gave: what came is a correctly signed payload, and yet it is not the body.
    async fn bad_input_02_a_length_beyond_the_body_stores_nothing(store: Store) {
        let server = Server::start(&store).await;
        let signed = String::from_utf8(head("content-length: 3")).unwrap().replace("sha256=00", &sign(SECRET, b"{}"));
        let answer = server.hang_up_after([signed.as_bytes(), b"{}"].concat()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert_eq!(server.deliveries().await, []);
    }

    async fn large_bodies_wait_for_their_turn_and_small_ones_do_not(store: Store) {
        let server = Server::start_with(&store, |state| state.intake = Intake::new(Duration::from_millis(20), 0, 64)).await;
        let large = format!("{{\"zen\":\"{}\"}}", "x".repeat(1024 * 1024));
        let (status, said) = answer(server.deliver("ping", "large", large.clone()).await).await;
        assert_eq!(status, 503, "{said}");
        assert!(said.contains("deliver it again"), "{said}");
        let answer_to_chunks = server.raw(head("transfer-encoding: chunked")).await;
        assert!(answer_to_chunks.starts_with("HTTP/1.1 503"), "{answer_to_chunks}");
        assert_eq!(answer(server.deliver("ping", "small", "{}").await).await.0, 202);
        // A turn ends with its delivery.
        let server = Server::start(&store).await;
        for guid in ["first", "second", "third"] {
            assert_eq!(answer(server.deliver("ping", guid, large.clone()).await).await.0, 202);
        }
    }

    async fn small_bodies_share_the_room_there_is_for_them(store: Store) {
        let server = Server::start_with(&store, |state| state.intake = Intake::new(Duration::from_millis(200), 1, 4)).await;
        let of = |kib: usize| format!("{{\"zen\":\"{}\"}}", "x".repeat(kib * 1024 - 10));
        let (status, said) = answer(server.deliver("ping", "no room", of(5)).await).await;
        assert_eq!(status, 503, "{said}");
        assert!(said.contains("too many deliveries") && said.contains("deliver it again"), "{said}");
        // Room is given back, and what only announces itself takes none.
        let idle = server.raw(head("content-length: 900000"));
        let deliveries = async {
            for guid in ["first", "second", "third"] {
                assert_eq!(answer(server.deliver("ping", guid, of(4)).await).await.0, 202);
            }
        };
        let (idle, ()) = tokio::join!(idle, deliveries);
        assert!(idle.starts_with("HTTP/1.1 408"), "{idle}");
    }

    async fn bad_input_02_a_length_that_lies_stores_nothing(store: Store) {
        let server = Server::start(&store).await;
        let signature = sign(SECRET, b"{}");
        let head = |rest: &str| String::from_utf8(head(rest)).unwrap().replace("sha256=00", &signature).into_bytes();
        for (name, length, status) in [
            ("shorter than the body", "content-length: 1", "401"),
            ("not a number", "content-length: two", "400"),
            ("negative", "content-length: -2", "400"),
            ("two of them", "content-length: 2\r\ncontent-length: 3", "400"),
            ("more than any", "content-length: 99999999999999999999999", "400"),
        ] {
            let mut bytes = head(length);
            bytes.extend_from_slice(b"{}");
            let answer = server.raw(bytes).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{name}: {answer}");
        }
        assert_eq!(server.deliveries().await, []);
    }

    async fn bad_input_02_a_body_as_large_as_github_sends_is_stored(store: Store) {
        let server = Server::start(&store).await;
        let wanted = 24_900_000;
        let start = r#"{"ref":"refs/heads/topic","before":"1111111111111111111111111111111111111111",
            "after":"2222222222222222222222222222222222222222","repository":{"id":42,"full_name":"acme/api",
            "default_branch":"main"},"more":""#;
        let mut body = start.as_bytes().to_vec();
        body.resize(wanted - 2, b'x');
        body.extend_from_slice(b"\"}");
        assert_eq!(body.len(), wanted);
        let (status, said) = answer(server.deliver("push", "large", body).await).await;
        assert_eq!((status, said.as_str()), (202, "stored\n"));
        let stored = server.deliveries().await.remove(0);
        assert_eq!(server.store.payload(&stored.guid).await.unwrap().unwrap().len(), wanted);
    }

    async fn bad_input_03_what_is_no_json_is_refused_with_the_reason(store: Store) {
        let server = Server::start(&store).await;
        let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000)).into_bytes();
        let within = [br#"{"ref":"refs/heads/main","unread":"#.to_vec(), deep("[", "]"), b"}".to_vec()].concat();
        let cases: [(&str, Vec<u8>, &str); 11] = [
            ("nothing", vec![], "EOF"),
            ("a word", b"hello".to_vec(), "expected"),
            ("cut short", br#"{"zen":"#.to_vec(), "EOF"),
            ("two documents", b"{} {}".to_vec(), "trailing"),
            ("deep lists", deep("[", "]"), "recursion limit"),
            ("deep objects", deep(r#"{"a":"#, "}"), "recursion limit"),
            ("deep in what nobody reads", within, "recursion limit"),
            ("not UTF-8", b"{\"a\":\"\xff\xfe\"}".to_vec(), "utf-8"),
            ("UTF-16", "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect(), "utf-8"),
            ("a key twice", br#"{"action":"created","action":"deleted"}"#.to_vec(), "`action` is given twice"),
            ("a key twice, deep", br#"{"a":[{"b":1,"b":2}]}"#.to_vec(), "`b` is given twice"),
        ];
        for event in ["push", "ping", "no_such_event"] {
            for (name, body, why) in &cases {
                let (status, said) = answer(server.deliver(event, "guid", body.clone()).await).await;
                assert_eq!(status, 400, "{event}, {name}: {said}");
                assert!(said.contains("not valid JSON") && said.contains(why), "{event}, {name}: {said}");
                assert!(said.len() < 500, "{event}, {name}: {} bytes", said.len());
            }
        }
        assert_eq!(server.deliveries().await, []);
    }
}

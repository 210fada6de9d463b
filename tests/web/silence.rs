//! Who connects and then says nothing, or too little: how long he is borne with, and that nobody waits for him.

use crate::databases::both_databases;
use crate::scene::{SECRET, Server, sign};
use mass_driver::store::Store;
use mass_driver::web::serve::Limits;
use mass_driver::web::webhook::Intake;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than any test: a limit that is not meant.
const NEVER: Duration = Duration::from_secs(3_600);
const AT_ONCE: Duration = Duration::from_millis(5);
const PATIENT: Limits =
    Limits { first_head: NEVER, idle: NEVER, idle_when_full: NEVER, last_requests: NEVER, connections: 100 };
const ASK: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";

async fn within(store: &Store, limits: Limits) -> Server {
    Server::start_within(store, limits, |_| {}).await
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.address).await.unwrap()
}

/// Reads until what came ends so.
async fn read_up_to(connection: &mut TcpStream, end: &str) -> String {
    let mut told = Vec::new();
    while !told.ends_with(end.as_bytes()) {
        told.push(connection.read_u8().await.unwrap());
    }
    String::from_utf8(told).unwrap()
}

async fn ask(connection: &mut TcpStream) {
    connection.write_all(ASK).await.unwrap();
    assert!(read_up_to(connection, "ok\n").await.starts_with("HTTP/1.1 200"));
}

/// A connection that was answered. One that has not asked yet is silent like any other, and may have to make room first.
async fn answered(server: &Server) -> TcpStream {
    loop {
        let mut connection = connect(server).await;
        let mut told = Vec::new();
        if connection.write_all(ASK).await.is_err() {
            continue;
        }
        while let Ok(byte) = connection.read_u8().await {
            told.push(byte);
            if told.ends_with(b"ok\n") {
                return connection;
            }
        }
    }
}

/// What still comes until the other side is gone, in whatever way it goes.
async fn rest(mut connection: TcpStream) -> String {
    let mut told = Vec::new();
    drop(connection.read_to_end(&mut told).await);
    String::from_utf8(told).unwrap()
}

/// Waits until the other side has closed a connection that it sends nothing more on.
async fn ends(connection: &mut TcpStream) {
    assert_eq!(connection.read(&mut [0]).await.unwrap(), 0);
}

/// A webhook in two parts, of which the first is sent and taken up.
async fn half_a_webhook(server: &Server) -> (TcpStream, &'static [u8]) {
    let (body, rest): (&[u8], &[u8]) = (b"{\"zen\": \"Half measures\"}", b"\"Half measures\"}");
    let head = format!(
        "POST /webhooks/github HTTP/1.1\r\nhost: localhost\r\nx-github-event: ping\r\nx-github-delivery: half\r\n\
         x-hub-signature-256: {}\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        sign(SECRET, body),
        body.len()
    );
    let mut connection = connect(server).await;
    connection.write_all(head.as_bytes()).await.unwrap();
    // This is said once somebody wants to read the body.
    assert_eq!(read_up_to(&mut connection, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    connection.write_all(&body[..body.len() - rest.len()]).await.unwrap();
    (connection, rest)
}

both_databases! {
    async fn whoever_never_ends_a_head_is_let_go(store: Store) {
        let server = within(&store, Limits { first_head: AT_ONCE, ..PATIENT }).await;
        for piece in [&b""[..], b"G", b"GET /healthz HTTP/1.1\r\nhost: loc", b"\r\n"] {
            let mut connection = connect(&server).await;
            // It may be over before all of it is written.
            drop(connection.write_all(piece).await);
            assert_eq!(rest(connection).await, "", "{}", piece.escape_ascii());
        }
    }

    async fn whoever_asks_nothing_more_is_let_go(store: Store) {
        let server = within(&store, Limits { idle: AT_ONCE, ..PATIENT }).await;
        for more in [&b""[..], b"GET /heal"] {
            let mut connection = connect(&server).await;
            connection.write_all(&[ASK, more].concat()).await.unwrap();
            let told = rest(connection).await;
            assert!(told.starts_with("HTTP/1.1 200") && told.ends_with("ok\n"), "{told}");
        }
    }

    /// The answer is larger than what the systems of both sides keep for one who reads nothing.
    async fn whoever_does_not_read_the_answer_is_let_go(store: Store) {
        let mut server = within(&store, Limits { idle: AT_ONCE, ..PATIENT }).await;
        let mut connection = connect(&server).await;
        let asks = b"GET /assets/style.css HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1_000);
        // In the end nobody takes them any more.
        while connection.write_all(&asks).await.is_ok() {}
        server.stop();
        server.stopped().await;
    }

    async fn a_request_that_is_worked_on_has_its_own_limits(store: Store) {
        let patience = Duration::from_millis(50);
        let server = Server::start_within(&store, Limits { idle: AT_ONCE, ..PATIENT }, |state| {
            state.intake = Intake::new(patience, 1, 1024);
        })
        .await;
        let (connection, _) = half_a_webhook(&server).await;
        let told = rest(connection).await;
        assert!(told.starts_with("HTTP/1.1 408") && told.contains("did not arrive in time"), "{told}");
    }

    async fn the_end_waits_for_nobody_who_asks_nothing(store: Store) {
        let mut server = within(&store, PATIENT).await;
        let silent = connect(&server).await;
        let mut half = connect(&server).await;
        half.write_all(b"GET /healthz HTTP/1.1\r\nhost: loc").await.unwrap();
        let mut kept_alive = connect(&server).await;
        ask(&mut kept_alive).await;
        let mut and_a_half = connect(&server).await;
        ask(&mut and_a_half).await;
        and_a_half.write_all(b"GET /heal").await.unwrap();
        server.stop();
        server.stopped().await;
        for connection in [silent, half, kept_alive, and_a_half] {
            assert_eq!(rest(connection).await, "");
        }
        assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
    }

    async fn what_is_under_way_is_finished_at_the_end(store: Store) {
        let mut server = within(&store, PATIENT).await;
        let (mut connection, body) = half_a_webhook(&server).await;
        server.stop();
        // Nobody is let in any more: it has taken notice.
        while TcpStream::connect(server.address).await.is_ok() {}
        connection.write_all(body).await.unwrap();
        let told = rest(connection).await;
        assert!(told.starts_with("HTTP/1.1 202") && told.contains("connection: close"), "{told}");
        server.stopped().await;
        assert_eq!(server.deliveries().await.len(), 1);
    }

    async fn what_is_not_finished_in_time_is_broken_off(store: Store) {
        let mut server = within(&store, Limits { last_requests: AT_ONCE, ..PATIENT }).await;
        let (connection, _) = half_a_webhook(&server).await;
        server.stop();
        server.stopped().await;
        assert_eq!(rest(connection).await, "");
    }

    async fn one_too_many_waits_until_another_goes(store: Store) {
        let server = within(&store, Limits { connections: 1, ..PATIENT }).await;
        let mut first = connect(&server).await;
        ask(&mut first).await;
        let mut second = connect(&server).await;
        second.write_all(ASK).await.unwrap();
        for _ in 0..50 {
            ask(&mut first).await;
        }
        let none = second.try_read(&mut [0]).unwrap_err();
        assert_eq!(none.kind(), std::io::ErrorKind::WouldBlock);
        drop(first);
        assert!(read_up_to(&mut second, "ok\n").await.starts_with("HTTP/1.1 200"));
    }

    /// Otherwise a few hundred connections that asked one thing each keep everybody out for as long as a proxy is borne with.
    async fn whoever_asks_nothing_more_makes_room_when_all_places_are_taken(store: Store) {
        let server = within(&store, Limits { idle_when_full: AT_ONCE, connections: 1, ..PATIENT }).await;
        let first = answered(&server).await;
        let mut silent = connect(&server).await;
        silent.write_all(b"GET /heal").await.unwrap();
        assert_eq!(rest(first).await, "");
        answered(&server).await;
        assert_eq!(rest(silent).await, "");
    }

    async fn only_as_many_make_room_as_it_takes(store: Store) {
        let server = within(&store, Limits { idle_when_full: AT_ONCE, connections: 3, ..PATIENT }).await;
        // Those that asked first have been silent for longer than the one that takes the last place.
        let (mut a, mut b) = (connect(&server).await, connect(&server).await);
        for connection in [&mut a, &mut b] {
            ask(connection).await;
        }
        let mut c = connect(&server).await;
        ask(&mut c).await;
        let left = tokio::select! {
            () = ends(&mut a) => 0,
            () = ends(&mut b) => 1,
            () = ends(&mut c) => 2,
        };
        for (_, mut connection) in [a, b, c].into_iter().enumerate().filter(|(number, _)| *number != left) {
            ask(&mut connection).await;
        }
    }

    async fn whoever_is_being_answered_does_not_make_room(store: Store) {
        let server = within(&store, Limits { idle_when_full: AT_ONCE, connections: 2, ..PATIENT }).await;
        let (mut asking, body) = half_a_webhook(&server).await;
        assert_eq!(rest(answered(&server).await).await, "");
        answered(&server).await;
        asking.write_all(body).await.unwrap();
        assert!(read_up_to(&mut asking, "\r\n\r\n").await.starts_with("HTTP/1.1 202"));
    }
}

//! The pages name private repositories: who gets to see them?

use crate::databases::both_databases;
use crate::scene::{ADMIN_TOKEN, Server};
use reqwest::StatusCode;

/// What is sent along.
type Headers<'a> = Vec<(&'a str, &'a str)>;

both_databases! {
    async fn this_machine_and_the_admin_see_the_pages(store: Store) {
        let server = Server::start(&store).await;
        let port = server.address.port();
        let far = ("x-forwarded-for", "192.0.2.7");
        let bearer = format!("Bearer {ADMIN_TOKEN}");
        let lower = format!("bearer {ADMIN_TOKEN}");
        let named = |host: &str| format!("{host}:{port}");
        let (local, evil) = (named("localhost"), named("pages.example.com"));
        let cases: [(&str, Headers<'_>, bool); 14] = [
            ("loopback by number", vec![], true),
            ("loopback by name", vec![("host", &local)], true),
            ("another name for loopback", vec![("host", &evil)], false),
            ("a name that begins like it", vec![("host", "localhost.example.com")], false),
            ("through a proxy", vec![far], false),
            ("through another proxy", vec![("forwarded", "for=192.0.2.7")], false),
            ("through a proxy that names the host", vec![("x-forwarded-host", "localhost")], false),
            ("through a proxy, as admin", vec![far, ("authorization", &bearer)], true),
            ("by another name, as admin", vec![("host", &evil), ("authorization", &bearer)], true),
            ("as admin, in small letters", vec![far, ("authorization", &lower)], true),
            ("with a wrong token", vec![far, ("authorization", "Bearer let-me-see-too")], false),
            ("with half a token", vec![far, ("authorization", "Bearer let-me")], false),
            ("with an empty token", vec![far, ("authorization", "Bearer ")], false),
            ("with another scheme", vec![far, ("authorization", "Basic let-me-see")], false),
        ];
        for (name, headers, allowed) in cases {
            for path in ["/", "/repositories/acme/api", "/metrics"] {
                let mut request = server.get(path);
                for (header, value) in &headers {
                    request = request.header(*header, *value);
                }
                let response = request.send().await.unwrap();
                let refused = response.status() == StatusCode::UNAUTHORIZED;
                assert_eq!(refused, !allowed, "{name}: {path}");
                if refused {
                    assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"), "{name}");
                    let said = response.text().await.unwrap();
                    assert!(said.contains("MASS_DRIVER_ADMIN_TOKEN") && !said.contains(ADMIN_TOKEN), "{name}: {said}");
                }
            }
        }
    }

    async fn behind_a_public_address_being_local_opens_nothing(store: Store) {
        let server = Server::start_with(&store, |state| state.local_pages = false).await;
        let refused = server.get("/").send().await.unwrap();
        assert_eq!(refused.status(), 401);
        let said = refused.text().await.unwrap();
        assert!(said.contains("MASS_DRIVER_PUBLIC_URL") && !said.contains("restart"), "{said}");
        let admin = server.get("/").header("authorization", format!("Bearer {ADMIN_TOKEN}"));
        assert_eq!(admin.send().await.unwrap().status(), 200);

        let close = |state: &mut mass_driver::web::WebState| (state.local_pages, state.admin_token) = (false, None);
        let server = Server::start_with(&store, close).await;
        let said = server.get("/").send().await.unwrap().text().await.unwrap();
        assert!(said.contains("MASS_DRIVER_ADMIN_TOKEN") && said.contains("restart"), "it says what to do: {said}");
    }

    /// What nginx sends for a bare `proxy_pass http://127.0.0.1:PORT`.
    async fn a_proxy_that_says_nothing_of_itself_is_not_this_machine(store: Store) {
        let server = Server::start(&store).await;
        let request = format!("GET / HTTP/1.0\r\nHost: {}\r\nConnection: close\r\nUser-Agent: x\r\n\r\n", server.address);
        let answer = server.raw(request.into_bytes()).await;
        assert!(answer.starts_with("HTTP/1.0 401"), "{answer}");
    }

    async fn without_a_token_nobody_else_sees_them(store: Store) {
        let server = Server::start_with(&store, |state| state.admin_token = None).await;
        for sent in ["Bearer ", "Bearer null", "Bearer let-me-see"] {
            let request = server.get("/").header("x-real-ip", "192.0.2.7").header("authorization", sent);
            assert_eq!(request.send().await.unwrap().status(), 401, "{sent}");
        }
    }

    async fn webhooks_probes_and_style_are_for_everybody(store: Store) {
        let server = Server::start(&store).await;
        for path in ["/healthz", "/readyz", "/assets/style.css"] {
            let request = server.get(path).header("x-forwarded-for", "192.0.2.7").header("host", "bot.example.com");
            assert_eq!(request.send().await.unwrap().status(), 200, "{path}");
        }
        let request = server.client.post(server.url("/webhooks/github")).header("x-forwarded-for", "192.0.2.7");
        assert_eq!(request.send().await.unwrap().status(), 400, "it gets as far as its headers");
    }
}

//! A repository as JSON: the page's words, for scripts.

use crate::databases::both_databases;
use crate::pages::organisation;
use crate::rows::repository;
use crate::scene::{ADMIN_TOKEN, Server, now};
use serde_json::Value;

async fn json_of(server: &Server, path: &str, accept: &str) -> (u16, String, Value) {
    let response = server.get(path).header("accept", accept).send().await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    let status = response.status().as_u16();
    (status, kind, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
}

both_databases! {
    async fn a_repository_is_told_as_json(store: Store) {
        organisation(&store).await;
        let server = Server::start(&store).await;
        let anything = "*/*";
        let ways = [("/repositories/acme/api.json", anything), ("/repositories/ACME/Api", "application/json"), ("/repositories/acme/api", "application/json; q=0.9, text/plain")];
        for (path, accept) in ways {
            let (status, kind, told) = json_of(&server, path, accept).await;
            assert_eq!((status, kind.as_str()), (200, "application/json"), "{path}");
            assert_eq!((&told["repository"], &told["file"], &told["state"]), (&"acme/api".into(), &"valid".into(), &"active".into()));
            assert_eq!(told["dependencies"].as_array().unwrap().len(), 3, "{told}");
            let httpx = &told["dependencies"][0];
            assert_eq!((&httpx["standing"], &httpx["reason"]), (&"waiting".into(), &"0.28.0 is 2 days old, 3 days are asked for".into()));
            assert_eq!(httpx["until"], "2026-03-05T12:00:00Z");
            assert_eq!(told["unread"][0][1], "it is not UTF-8");
        }
        // The page says the same of each dependency.
        let page = server.page("/repositories/acme/api").await;
        assert!(page.starts_with("<!"), "a browser gets the page");
        let browser = json_of(&server, "/repositories/acme/api", "text/html,application/json;q=0.9,*/*;q=0.8").await;
        assert!(browser.1.starts_with("text/html"), "{browser:?}");

        let (_, _, told) = json_of(&server, "/repositories/acme/api.json?package=pypi/HTTPX", anything).await;
        assert_eq!(told["dependencies"].as_array().unwrap().len(), 1, "{told}");
        let (status, kind, told) = json_of(&server, "/repositories/acme/api.json?package=numpy", anything).await;
        assert_eq!((status, kind.as_str(), &told["error"]), (404, "application/json", &"acme/api does not use numpy".into()));
        for path in ["/repositories/acme/none.json", "/repositories/acme/.json", "/repositories/a%20b/c%00.json"] {
            let (status, kind, _) = json_of(&server, path, "application/json").await;
            assert_eq!((status, kind.as_str()), (404, "application/json"), "{path}");
        }
    }

    /// A name may end like the address of a JSON.
    async fn a_repository_may_be_called_json(store: Store) {
        let mut tx = store.begin().await.unwrap();
        for (id, name) in [(1, "acme/data"), (2, "acme/data.json")] {
            tx.save_repository(&repository(id, name), now()).await.unwrap();
        }
        tx.commit().await.unwrap();
        let server = Server::start(&store).await;
        assert!(server.page("/repositories/acme/data.json").await.contains("<h1>acme/data.json"));
        let (_, _, told) = json_of(&server, "/repositories/acme/data.json.json", "*/*").await;
        assert_eq!(told["repository"], "acme/data.json");
        let (_, _, told) = json_of(&server, "/repositories/acme/data", "application/json").await;
        assert_eq!(told["repository"], "acme/data");
    }

    /// It names private repositories, as the page does.
    async fn it_is_shown_to_those_who_see_the_page(store: Store) {
        organisation(&store).await;
        let server = Server::start(&store).await;
        for path in ["/repositories/acme/api.json", "/repositories/acme/none.json"] {
            let far = server.get(path).header("x-forwarded-for", "192.0.2.7").header("accept", "application/json");
            let response = far.send().await.unwrap();
            assert_eq!(response.status(), 401, "{path}");
            assert!(!response.text().await.unwrap().contains("httpx"));
        }
        let bearer = format!("Bearer {ADMIN_TOKEN}");
        let far = server.get("/repositories/acme/api.json").header("x-forwarded-for", "192.0.2.7");
        assert_eq!(far.header("authorization", bearer).send().await.unwrap().status(), 200);
    }
}

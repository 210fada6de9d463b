//! Lists and tables in files.

use crate::world::{find, ids, source};
use futures_util::FutureExt;
use mass_driver::domain::SourcedRepository;
use mass_driver::sources::{Discovery, Needs, RunPlugIn, SourceContext, discover, needs};
use rstest::rstest;

/// What is found where the file `repos` of the working directory holds this.
async fn found(text: &str, file: &[u8]) -> Result<Discovery, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("repos"), file).unwrap();
    find(text, (folder.path(), None), None).await.map_err(|error| error.to_string())
}

const LINES: &str = "{ source_name: repo-filelist, source_config: { repo_file: repos } }";
const TABLE: &str = "{ source_name: csv-filelist, source_config: { csv_file: repos } }";

#[tokio::test]
async fn comments_blank_lines_and_foreign_line_ends_are_no_repositories() {
    let file = b"\xef\xbb\xbf# ours\r\ngit@h:a/b.git\r\n\r\n  /srv/c#d  # of the old server\r\n\t\r\n#last";
    assert_eq!(ids(&found(LINES, file).await.unwrap()), ["git@h:a/b.git", "/srv/c#d"]);
}

#[tokio::test]
async fn an_id_becomes_an_address_by_the_template() {
    let text =
        "{ source_name: template-filelist, source_config: { repo_file: repos, clone_url_template: 'git@h:{id}.git' } }";
    let found = found(text, b"acme/api # first\nacme/web\n").await.unwrap();
    assert_eq!(ids(&found), ["acme/api", "acme/web"]);
    assert_eq!(found.repositories[1].clone_url, "git@h:acme/web.git");
}

#[tokio::test]
async fn what_is_named_twice_is_told_and_taken_once() {
    let lines = found(LINES, b"a\nb\na\n").await.unwrap();
    assert_eq!(ids(&lines), ["a", "b"]);
    assert_eq!(lines.remarks, ["named more than once, and taken once: a"]);
    let rows = found(TABLE, b"repo_id,clone_url,x\na,h:a,1\na,h:a,2\n").await.unwrap();
    assert_eq!(rows.remarks, ["named more than once with different values; the first ones count: a"]);
    assert_eq!(rows.repositories[0].patch_data["x"], "1");
}

#[tokio::test]
async fn further_columns_are_known_of_a_repository() {
    let file = "clone_url,repo_id,force_pull,upstream_branch,owner,note\r\nh:a.git,a,True,trunk,core,\"x, \"\"y\"\"\"\r\n,,,,,\r\nh:b.git,,,,,\r\n";
    let found = found(TABLE, file.as_bytes()).await.unwrap();
    let data = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
    let one = |id: &str, url: &str, branch: Option<&str>, patch_data| SourcedRepository {
        id: id.into(),
        clone_url: url.into(),
        upstream_branch: branch.map(Into::into),
        patch_data,
    };
    assert_eq!(
        found.repositories,
        [
            one("a", "h:a.git", Some("trunk"), data(&[("owner", "core"), ("note", "x, \"y\"")])),
            one("h:b.git", "h:b.git", None, data(&[("owner", ""), ("note", "")])),
        ]
    );
}

#[tokio::test]
async fn a_table_may_have_other_delimiters_and_no_names_of_columns() {
    let text = "{ source_name: csv-filelist, source_config: { csv_file: repos, reader_args: { delimiter: \"\\t\", quotechar: \"'\", fieldnames: [repo_id, clone_url, tier] } } }";
    let found = found(text, b"a\th:a\t'1\t2'\n").await.unwrap();
    assert_eq!((ids(&found), found.repositories[0].patch_data["tier"].as_str()), (vec!["a"], "1\t2"));
}

#[rstest]
#[case(LINES, b"a\n-u evil\n", "repos:2: it begins with `-`, which git would take for an option")]
#[case(LINES, b"ext::sh -c evil", "repos:1: `NAME::` before an address would start a program of that name")]
#[case(LINES, b"\nhttps://me:hidden@h/a", "repos:2: there is a password or token in it")]
#[case(LINES, b"a\nb\n\xff", "repos:3: this is not UTF-8")]
#[case(LINES, b"HTTPS://me:hidden@h/a", "repos:1: there is a password or token in it")]
#[case(LINES, b"ssh://git:hidden@h/a", "repos:1: there is a password or token in it")]
#[case(TABLE, b"repo_id,clone_url\nhttps://me:hidden@h/a,h:a\n", "repos:2: there is a password or token in its id")]
#[case(TABLE, b"", "repos:1: the table is empty")]
#[case(
    TABLE,
    b"repo_id,url\na,b\n",
    "repos:1: there is no column `clone_url`, which git clones from; the columns are: repo_id, url"
)]
#[case(TABLE, b"repo_id,clone_url,x,x\n", "repos:1: the column `x` is there twice")]
#[case(TABLE, b"repo_id,clone_url\na,b\na,b,c\n", "repos:3: this row has 3 cells, those above it 2")]
#[case(TABLE, b"repo_id,clone_url\n\na,\n", "repos:3: `clone_url` is empty")]
#[case(
    TABLE,
    b"repo_id,clone_url,upstream_branch\na,b,x..y\n",
    "repos:2: its `upstream_branch` is no name for a branch"
)]
#[tokio::test]
async fn what_cannot_be_used_is_told_with_its_line(#[case] text: &str, #[case] file: &[u8], #[case] expected: &str) {
    let error = found(text, file).await.unwrap_err();
    assert!(error.starts_with(expected) && !error.contains("hidden"), "{error}");
}

#[tokio::test]
async fn a_file_is_looked_for_in_the_working_directory_and_then_beside_the_activity() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folders = (here.path(), Some(there.path()));
    let error = find(LINES, folders, None).await.unwrap_err().to_string();
    assert!(
        error.contains(&here.path().display().to_string()) && error.contains(&there.path().display().to_string()),
        "{error}"
    );
    std::fs::write(there.path().join("repos"), "beside").unwrap();
    assert_eq!(ids(&find(LINES, folders, None).await.unwrap()), ["beside"]);
    std::fs::write(here.path().join("repos"), "here").unwrap();
    assert_eq!(ids(&find(LINES, folders, None).await.unwrap()), ["here"]);
    std::fs::remove_file(here.path().join("repos")).unwrap();
    std::fs::create_dir(here.path().join("repos")).unwrap();
    assert!(find(LINES, folders, None).await.unwrap_err().to_string().contains("is a folder"));
}

#[tokio::test]
async fn a_list_in_the_file_needs_nothing_and_a_list_of_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let text = "{ source_name: repo-list, source_config: { repos: ['.', '.'] } }";
    let found = find(text, (folder.path(), None), None).await.unwrap();
    assert_eq!((ids(&found), found.repositories[0].clone_url.as_str()), (vec!["."], "."));
    assert_eq!(found.remarks, ["named more than once, and taken once: ."]);
    assert_eq!(self::found(LINES, b"# none\n").await.unwrap().remarks, ["repos names no repository"]);
}

#[tokio::test]
async fn a_plug_in_is_handed_its_keys_and_what_it_says_is_not_trusted() {
    let around = mass_driver::activity::Surroundings {
        plugins: mass_driver::activity::PlugIns { sources: vec!["catalogue".into()], ..Default::default() },
        ..Default::default()
    };
    let text = b"source: { source_name: catalogue, source_config: { tier: 1 } }";
    let activity = mass_driver::activity::parse(text, mass_driver::activity::Format::Yaml, &around).unwrap();
    let source = activity.source.unwrap();
    assert_eq!(needs(&source), Needs::PlugIns);
    let run = |url: &'static str| {
        move |config: &serde_json::Value| {
            assert_eq!(config, &serde_json::json!({ "tier": 1 }));
            let one = SourcedRepository {
                id: "a".into(),
                clone_url: url.into(),
                upstream_branch: None,
                patch_data: Default::default(),
            };
            async move { Ok(vec![one]) }.boxed()
        }
    };
    for (url, sound) in [("h:a", true), ("--upload-pack=x", false)] {
        let run = run(url);
        let run: &RunPlugIn = &run;
        let folder = std::path::Path::new("/");
        let reach = SourceContext { folder, activity_folder: None, github: None, store: None, plug_in: Some(run) };
        assert_eq!(discover(&source, &reach).await.is_ok(), sound, "{url}");
    }
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (text, expected) in [
        ("{ source_name: github-search, source_config: { search_query: a } }", "a token in SOURCE_TOKEN or GH_TOKEN"),
        ("{ source_name: index, source_config: { ecosystem: pypi, package: a } }", "set DATABASE_URL"),
    ] {
        assert_ne!(needs(&source(text)), Needs::Nothing);
        let error = find(text, (folder.path(), None), None).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

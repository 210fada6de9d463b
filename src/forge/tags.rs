//! The tags of a repository: the versions of an action or a hook, each with the commit it points at.
//!
//! Most of these repositories are not ours: the App is not installed on them, and they are read because everybody may.
//! A token is needed all the same, and it is one that opens another repository and no more ([`Sight::Public`]), so that
//! nothing can be read by it that its own installation alone may see. What is read that way counts only after GitHub has
//! said that the repository is not private.
//!
//! Permissions: `metadata: read` for what everybody may see; `contents: read` for a private repository of an installation.

use super::answer::Answer;
use super::client::{Call, Client, path};
use super::installations::RepositoryBody;
use super::pages::next_link;
use super::tokens::{Access, TokenScope};
use super::{ForgeError, GitHub, Target};
use crate::domain::{InstallationId, ObjectId, RepoId, RepoName};
use http::{StatusCode, header};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Tags are read by the hundred up to this many pages. GitHub promises no order, so all are read.
const MOST_TAG_PAGES: usize = 30;
/// Releases, which only tell when a tag was published, come newest first; beyond these, a tag has no publishing time.
const MOST_RELEASE_PAGES: usize = 10;
const PER_PAGE: usize = 100;
/// The longest tag that is taken over, in bytes.
const LONGEST_TAG_BYTES: usize = 128;
/// A tag may point at a tag, and that at another one.
const MOST_TAGS_OF_TAGS: usize = 5;

/// Whose repository is read, and in whose name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// A repository that everybody may see.
    Public {
        /// The repository, by the name that somebody wrote down. An old one is followed.
        name: RepoName,
        /// The installation that asks …
        installation: InstallationId,
        /// … and the repository of it that the token is for.
        on_behalf_of: RepoId,
    },
    /// A repository of an installation, with a token for that repository.
    Own(Target),
}

impl Sight {
    /// The installation in whose name GitHub is asked.
    pub fn installation(&self) -> InstallationId {
        match self {
            Self::Public { installation, .. } => *installation,
            Self::Own(target) => target.installation,
        }
    }

    fn scope(&self) -> TokenScope {
        match self {
            Self::Public { installation, on_behalf_of, .. } => {
                TokenScope { installation: *installation, repo: Some(*on_behalf_of), access: Access::Metadata }
            }
            Self::Own(target) => target.scope(Access::Contents),
        }
    }

    /// The same, of a repository whose name today is known.
    pub(super) fn by_name(&self, today: &RepoName) -> Self {
        match self.clone() {
            Self::Public { installation, on_behalf_of, .. } => {
                Self::Public { name: today.clone(), installation, on_behalf_of }
            }
            own @ Self::Own(_) => own,
        }
    }

    pub(super) fn path(&self, parts: &[&str]) -> String {
        match self {
            Self::Public { name, .. } => {
                let mut all = vec!["repos", name.owner(), name.name()];
                all.extend(parts);
                path(&all)
            }
            Self::Own(target) => target.path(parts),
        }
    }

    pub(super) fn get(&self, path: String) -> Call {
        match self {
            Self::Public { .. } => Call::get(path).elsewhere(),
            Self::Own(_) => Call::get(path),
        }
    }
}

/// What GitHub tells of a repository's tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// Nothing changed since the list whose marks were given.
    NotModified,
    /// There is no such repository, or it is not for us to see.
    NotShown,
    /// The tags.
    Found(TagList),
}

/// The tags of a repository at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagList {
    /// The tags, each once, in GitHub's order, which means nothing.
    pub tags: Vec<Tag>,
    /// Whether these are all. A repository may have more than are read.
    pub complete: bool,
    /// What to give along next time, to be told whether anything changed; `None` where GitHub could not say.
    pub marks: Option<String>,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its name: visible ASCII, at most 128 bytes.
    pub name: String,
    /// The commit it points at, by way of the tag's own object where it has one.
    pub commit: ObjectId,
    /// When the release of this tag was published, by GitHub's clock; `None` where there is none.
    pub published_at: Option<Timestamp>,
}

/// A page that was read, to be asked about again.
#[derive(Serialize, Deserialize)]
struct Mark {
    path: String,
    etag: String,
}

#[derive(Deserialize)]
struct TagBody {
    name: String,
    commit: Object,
}

#[derive(Deserialize)]
struct Object {
    sha: ObjectId,
    #[serde(default, rename = "type")]
    kind: String,
}

/// A reference, or the object of an annotated tag.
#[derive(Deserialize)]
struct Pointer {
    object: Object,
}

#[derive(Deserialize)]
struct ReleaseBody {
    tag_name: String,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    prerelease: bool,
    #[serde(default)]
    published_at: Option<String>,
}

impl GitHub {
    /// The tags of a repository, with the publishing times of their releases. One request for every hundred tags and every
    /// hundred releases, and one more for what everybody may see; where nothing changed, none of them counts against the
    /// hourly limit.
    ///
    /// Tags whose release is marked as not ready for production are left out.
    pub async fn tags(&self, sight: &Sight, marks: Option<&str>) -> Result<Tags, ForgeError> {
        let known: Vec<Mark> = marks.and_then(|marks| serde_json::from_str(marks).ok()).unwrap_or_default();
        if !known.is_empty() && self.unchanged(sight, &known).await? {
            return Ok(Tags::NotModified);
        }
        let mut marks = Some(Vec::new());
        let Some((found, complete)) = self.list::<TagBody>(sight, "tags", MOST_TAG_PAGES, &mut marks).await? else {
            return Ok(Tags::NotShown);
        };
        let Some((releases, _)) = self.list(sight, "releases", MOST_RELEASE_PAGES, &mut marks).await? else {
            return Ok(Tags::NotShown);
        };
        if self.name_shown(sight).await?.is_none() {
            return Ok(Tags::NotShown);
        }
        let marks = marks.and_then(|marks| serde_json::to_string(&marks).ok());
        Ok(Tags::Found(TagList { tags: joined(found, releases), complete, marks }))
    }

    /// The commit a tag points at now; `None` where there is no such tag, or it is not for us to see. One request, and one
    /// more for each object of a tag in between.
    pub async fn tag(&self, sight: &Sight, tag: &str) -> Result<Option<ObjectId>, ForgeError> {
        let mut next = sight.path(&["git", "ref", &format!("tags/{tag}")]);
        for _ in 0..=MOST_TAGS_OF_TAGS {
            let Some(answer) = self.look(sight, &sight.get(next)).await? else { return Ok(None) };
            let Pointer { object } = answer.read()?;
            match object.kind.as_str() {
                "commit" => return Ok(Some(object.sha)),
                "tag" => next = sight.path(&["git", "tags", object.sha.as_str()]),
                // A tag of a file is no version of anything.
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The host that people's addresses of repositories begin with: `github.com`, or that of an Enterprise Server.
    pub fn web_host(&self) -> String {
        self.client.web_host()
    }

    /// Whether all pages are as they were.
    async fn unchanged(&self, sight: &Sight, known: &[Mark]) -> Result<bool, ForgeError> {
        for mark in known {
            let call = sight.get(mark.path.clone()).unless(&mark.etag);
            match self.look(sight, &call).await? {
                Some(answer) if answer.status == StatusCode::NOT_MODIFIED => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// A list by its pages, and whether that is all of it; `None` where GitHub does not show it. `marks` become `None` where
    /// a later look could not tell whether anything changed.
    async fn list<T: DeserializeOwned>(
        &self,
        sight: &Sight,
        what: &str,
        most_pages: usize,
        marks: &mut Option<Vec<Mark>>,
    ) -> Result<Option<(Vec<T>, bool)>, ForgeError> {
        let mut found = Vec::new();
        let mut next = Some(sight.path(&[what]) + &format!("?per_page={PER_PAGE}"));
        for _ in 0..most_pages {
            let Some(path) = next.take() else { break };
            let Some(answer) = self.look(sight, &sight.get(path.clone())).await? else { return Ok(None) };
            let page: Vec<T> = answer.read()?;
            next = following(&self.client, &answer)?;
            // What is added behind a full last page changes no page that was read.
            let tells = next.is_some() || page.len() < PER_PAGE;
            let etag = answer.headers.get(header::ETAG).and_then(|etag| etag.to_str().ok()).filter(|_| tells);
            *marks = etag.zip(marks.take()).map(|(etag, mut marks)| {
                marks.push(Mark { path, etag: etag.into() });
                marks
            });
            found.extend(page);
        }
        Ok(Some((found, next.is_none())))
    }

    /// The name that a repository has today, if it may be seen in this way: everybody sees it by GitHub's word, or it is ours,
    /// which costs no request.
    pub(super) async fn name_shown(&self, sight: &Sight) -> Result<Option<RepoName>, ForgeError> {
        if let Sight::Own(target) = sight {
            return Ok(Some(target.name.clone()));
        }
        let Some(answer) = self.look(sight, &sight.get(sight.path(&[]))).await? else { return Ok(None) };
        let body: RepositoryBody = answer.read()?;
        if body.is_private() {
            return Ok(None);
        }
        body.name().map(Some).map_err(|error| answer.not_understood(error.to_string()))
    }

    /// An answer, or `None` where GitHub does not show what was asked for. That the token is not to be had is an error.
    pub(super) async fn look(&self, sight: &Sight, call: &Call) -> Result<Option<Answer>, ForgeError> {
        match self.client.send(call, sight.scope().into()).await {
            Ok(answer) => Ok(Some(answer)),
            Err(ForgeError::Gone { endpoint, .. } | ForgeError::Empty { endpoint }) if endpoint == call.endpoint() => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// The path of the page after this one.
fn following(client: &Arc<Client>, answer: &Answer) -> Result<Option<String>, ForgeError> {
    next_link(&answer.headers).map(|link| client.own_path(&answer.endpoint, &link)).transpose()
}

/// Tags and what their releases say of them. Pure.
fn joined(found: Vec<TagBody>, releases: Vec<ReleaseBody>) -> Vec<Tag> {
    /// What is known of a tag's release.
    enum Released {
        At(Option<Timestamp>),
        NotReady,
    }
    let mut released: HashMap<String, Released> = HashMap::new();
    for release in releases.into_iter().filter(|release| !release.draft) {
        let at = release.published_at.as_deref().and_then(|at| at.parse().ok());
        let this = if release.prerelease { Released::NotReady } else { Released::At(at) };
        released.entry(release.tag_name).or_insert(this);
    }
    let mut tags: Vec<Tag> = Vec::with_capacity(found.len());
    // A tag that moves from one page to the next while we read comes twice.
    let mut seen: HashSet<String> = HashSet::new();
    for TagBody { name, commit } in found {
        let plain = !name.is_empty() && name.len() <= LONGEST_TAG_BYTES && name.bytes().all(|b| b.is_ascii_graphic());
        let published_at = match released.get(&name) {
            _ if !plain => continue,
            Some(Released::NotReady) => continue,
            Some(Released::At(at)) => *at,
            None => None,
        };
        if seen.insert(name.clone()) {
            tags.push(Tag { name, commit: commit.sha, published_at });
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(name: &str) -> TagBody {
        let sha = ObjectId::parse(&"a".repeat(40)).unwrap();
        TagBody { name: name.into(), commit: Object { sha, kind: String::new() } }
    }

    fn release(tag: &str, at: &str, draft: bool, prerelease: bool) -> ReleaseBody {
        ReleaseBody { tag_name: tag.into(), draft, prerelease, published_at: Some(at.into()) }
    }

    #[test]
    fn releases_tell_when_tags_were_published() {
        let long = "9".repeat(129);
        let found = ["v1", "v2", "v3", "v4", "v1", "v 5", "v6\u{202e}", "", &long].map(tag).into();
        let releases = vec![
            release("v1", "2026-01-02T03:04:05Z", false, false),
            release("v2", "2026-01-02T03:04:05Z", true, false),
            release("v3", "2026-01-02T03:04:05Z", false, true),
            release("v4", "some time ago", false, false),
        ];
        let found: Vec<(String, Option<String>)> =
            joined(found, releases).into_iter().map(|t| (t.name, t.published_at.map(|at| at.to_string()))).collect();
        let published = Some("2026-01-02T03:04:05Z".to_string());
        assert_eq!(found, [("v1".into(), published), ("v2".into(), None), ("v4".into(), None)]);
    }
}

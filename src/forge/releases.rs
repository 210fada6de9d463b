//! What a repository says of one of its releases.
//!
//! Read in somebody's name as its tags are, see [`Sight`]: most of these repositories are not ours.
//!
//! Permissions: as for tags.

use super::answer::Answer;
use super::{ForgeError, GitHub, Sight};
use crate::domain::RepoName;
use serde::Deserialize;

/// A description has 125,000 characters at most; the rest lists the files of the release, of which there may be 1,000. Unit: bytes.
const RELEASE_MAX_BYTES: usize = 4 << 20;
/// What is taken over of a description. No text of ours has room for more. Unit: bytes.
const BODY_MAX_BYTES: usize = 100_000;
const TITLE_MAX_BYTES: usize = 1_000;

/// What GitHub shows of a repository's release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// There is no such repository, or it is not for us to see.
    NotShown,
    /// The repository is there.
    Repository {
        /// Its name today.
        name: RepoName,
        /// What is written about the release, if anything is.
        release: Option<TaggedRelease>,
    },
}

/// What is written about a release. All of it comes from strangers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaggedRelease {
    /// The tag it was found by.
    pub tag: String,
    /// Its title.
    pub title: String,
    /// The description, in Markdown: the beginning of it, at most 100,000 bytes.
    pub body: String,
}

#[derive(Deserialize)]
struct ReleaseBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    draft: bool,
}

impl GitHub {
    /// What a repository says of the release by the first of these tags that has one. One request for the repository, and one
    /// for each tag up to that one.
    ///
    /// Errors: [`ForgeError::TooLarge`] above 4 MiB, and as for any request.
    pub async fn release(&self, sight: &Sight, tags: &[String]) -> Result<Shown, ForgeError> {
        let Some(name) = self.name_shown(sight).await? else { return Ok(Shown::NotShown) };
        // A renamed repository would be looked for under its old name each time.
        let sight = sight.by_name(&name);
        for tag in tags {
            let call = sight.get(sight.path(&["releases", "tags", tag])).at_most(RELEASE_MAX_BYTES);
            let answer = self.look(&sight, &call).await?;
            let body = answer.as_ref().map(Answer::read::<ReleaseBody>).transpose()?;
            if let Some(ReleaseBody { name: title, body, draft: false }) = body {
                let (mut title, mut body) = (title.unwrap_or_default(), body.unwrap_or_default());
                cut(&mut title, TITLE_MAX_BYTES);
                cut(&mut body, BODY_MAX_BYTES);
                return Ok(Shown::Repository { name, release: Some(TaggedRelease { tag: tag.clone(), title, body }) });
            }
        }
        Ok(Shown::Repository { name, release: None })
    }
}

/// Shortens a text between two characters.
fn cut(text: &mut String, most_bytes: usize) {
    let mut end = text.len().min(most_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_text_is_cut_between_two_characters() {
        for (text, most, expected) in [("abc", 5, "abc"), ("abc", 2, "ab"), ("aé", 2, "a"), ("é", 1, ""), ("", 0, "")]
        {
            let mut text = text.to_string();
            super::cut(&mut text, most);
            assert_eq!(text, expected);
        }
    }
}

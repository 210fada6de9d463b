//! The bot's page, read as a visitor reads it: the words, without the HTML.

/// A page that was fetched.
pub struct Page {
    html: String,
}

impl Page {
    pub fn new(html: String) -> Self {
        Self { html }
    }

    /// The first table row that has all of these words in it; an empty one if there is none.
    pub fn row(&self, words: &[&str]) -> Row {
        let mut rows = self.html.split("<tr").skip(1).map(|rest| rest.split("</tr>").next().unwrap_or(rest));
        Row(rows.find(|row| words.iter().all(|word| text_of(row).contains(word))).unwrap_or_default().to_owned())
    }

    /// The subscriptions in the row of a repository.
    pub fn subscriptions(&self, repo: &str) -> Vec<String> {
        let (_, table) = self.html.split_once("aria-label=\"Repositories\"").unwrap_or_default();
        items_of(Self::new(table.to_owned()).row(&[repo]).html_of("Subscriptions"))
    }

    /// The problems of a subscription file.
    pub fn problems(&self) -> Vec<String> {
        let (_, rest) = self.html.split_once("class=\"problems\"").unwrap_or_default();
        items_of(rest.split("</div>").next().unwrap_or(rest))
    }

    /// Where its links to other servers lead.
    pub fn links_away(&self) -> Vec<String> {
        let targets = self.html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        targets.filter(|target| target.starts_with("http")).map(str::to_owned).collect()
    }

    /// Everything it says.
    pub fn text(&self) -> String {
        text_of(&self.html)
    }
}

/// A row of a table.
pub struct Row(String);

impl Row {
    /// What it says in a column; nothing if it has none of that name.
    pub fn cell(&self, column: &str) -> String {
        text_of(self.html_of(column))
    }

    fn html_of(&self, column: &str) -> &str {
        let (_, rest) = self.0.split_once(&format!("data-label=\"{column}\"")).unwrap_or_default();
        let (_, rest) = rest.split_once('>').unwrap_or_default();
        rest.split("</td>").next().unwrap_or(rest)
    }
}

/// The entries of the lists in a part of a page.
fn items_of(html: &str) -> Vec<String> {
    html.split("<li>").skip(1).map(|rest| text_of(rest.split("</li>").next().unwrap_or(rest))).collect()
}

/// The text between the tags, with single spaces.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        text.push(' ');
        rest = rest[start..].find('>').map_or("", |end| &rest[start + end + 1..]);
    }
    text.push_str(rest);
    let entities = [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")];
    let plain = entities.iter().fold(text, |text, (entity, plain)| text.replace(entity, plain));
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

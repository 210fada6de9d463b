//! The bot's page, read as a visitor reads it: the words, without the HTML.

/// A page that was fetched.
pub struct Page {
    html: String,
}

impl Page {
    pub fn new(html: String) -> Self {
        Self { html }
    }

    /// The cells of the first table row that has all of these words in it; none if there is no such row.
    pub fn row(&self, words: &[&str]) -> Vec<String> {
        let cells = |row: &str| row.split("<td").skip(1).map(|cell| text_of(&format!("<td{cell}"))).collect();
        self.row_html(words).map(cells).unwrap_or_default()
    }

    /// The subscriptions in the row of a repository.
    pub fn subscriptions(&self, repo: &str) -> Vec<String> {
        let mark = "<span class=\"pill\">";
        let pills = self.row_html(&[repo, mark]).unwrap_or_default().split(mark).skip(1);
        pills.map(|rest| text_of(rest.split("</span>").next().unwrap_or(rest))).collect()
    }

    fn row_html(&self, words: &[&str]) -> Option<&str> {
        let mut rows = self.html.split("<tr").skip(1).map(|rest| rest.split("</tr>").next().unwrap_or(rest));
        rows.find(|row| words.iter().all(|word| row.contains(word) || text_of(row).contains(word)))
    }

    /// The entries of lists whose text begins with a number: the problems of a subscription file.
    pub fn numbered_items(&self) -> Vec<String> {
        let items = self.html.split("<li>").skip(1).map(|rest| text_of(rest.split("</li>").next().unwrap_or(rest)));
        items.filter(|item| item.starts_with(|c: char| c.is_ascii_digit())).collect()
    }

    /// Everything it says.
    pub fn text(&self) -> String {
        text_of(&self.html)
    }
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

//! Looking things up in a file that was read.

use super::super::written::Written;
use super::{Node, SEEN_IN_A_STEP, WRITTEN_IN_A_STEP, Yaml, scalar};
use crate::domain::Skip;
use serde_saphyr::granit_parser::ScalarStyle;
use std::collections::HashSet;
use std::ops::Range;

/// How deep `<<` is followed through mappings that have one themselves.
pub(super) const MOST_MERGES: usize = 16;

/// A value of the file.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Value<'y> {
    pub(super) yaml: &'y Yaml<'y>,
    pub(super) id: usize,
}

impl<'y> Value<'y> {
    /// Values with the same number are one, reached through aliases.
    pub(in super::super) fn id(self) -> usize {
        self.id
    }

    /// The value of a mapping's key, merged mappings included. Of a key that stands there twice it is the last.
    pub(in super::super) fn get(self, key: &str) -> Option<Self> {
        self.get_within(key, MOST_MERGES)
    }

    fn get_within(self, key: &str, merges: usize) -> Option<Self> {
        let entries = self.own_entries()?;
        let own = entries.iter().rev().find(|(name, _)| self.at(*name).scalar().is_some_and(|(text, _)| text == key));
        if let Some((_, value)) = own {
            return Some(self.at(*value));
        }
        let merges = merges.checked_sub(1)?;
        self.merged(entries).into_iter().find_map(|map| map.get_within(key, merges))
    }

    /// The values of a mapping with their keys, merged ones after its own, each key once.
    pub(in super::super) fn entries(self) -> Vec<(&'y str, Self)> {
        let mut found = Vec::new();
        let mut names = HashSet::new();
        let mut maps = vec![(self, MOST_MERGES)];
        while let Some((map, merges)) = maps.pop() {
            let Some(entries) = map.own_entries() else { continue };
            for &(name, value) in entries.iter().rev() {
                let Some((name, _)) = map.at(name).scalar().filter(|(name, style)| !is_merge(name, *style)) else {
                    continue;
                };
                // A key may be an alias, too.
                if self.yaml.spend(name.len() / SEEN_IN_A_STEP) && names.insert(name) {
                    found.push((name, map.at(value)));
                }
            }
            if let Some(merges) = merges.checked_sub(1) {
                maps.extend(map.merged(entries).into_iter().rev().map(|map| (map, merges)));
            }
        }
        found
    }

    /// The values of a list.
    pub(in super::super) fn items(self) -> impl Iterator<Item = Self> {
        let items: &[usize] = match &self.yaml.nodes[self.id] {
            Node::List(items) if self.yaml.step(items.len()) => items,
            _ => &[],
        };
        items.iter().map(move |&id| self.at(id))
    }

    /// Whether it is a mapping.
    pub(in super::super) fn is_map(self) -> bool {
        matches!(self.yaml.nodes[self.id], Node::Map(_))
    }

    /// The text, if it is one and not empty; numbers are texts as well.
    pub(in super::super) fn text(self) -> Option<&'y str> {
        let (text, style) = self.scalar()?;
        let tagged = matches!(self.yaml.nodes[self.id], Node::Scalar { tagged: true, .. });
        let null = style == ScalarStyle::Plain && matches!(text, "~" | "null" | "Null" | "NULL");
        (!tagged && !null && !text.is_empty() && self.yaml.spend(text.len() / SEEN_IN_A_STEP)).then_some(text)
    }

    /// The byte of the file at which a scalar begins.
    pub(in super::super) fn start(self) -> usize {
        self.span().map_or(0, |span| span.start)
    }

    /// The text and where its characters stand, without white space around it; or the text and why that cannot be told.
    pub(in super::super) fn written(self) -> Result<Written, (Written, Skip)> {
        let Node::Scalar { text, style, span, .. } = &self.yaml.nodes[self.id] else { return Ok(Written::default()) };
        let raw = self.yaml.text.get(span.clone()).unwrap_or_default();
        if !self.yaml.spend(raw.len() / WRITTEN_IN_A_STEP) {
            return Ok(Written::default());
        }
        match scalar::written(text, raw, span.start, *style) {
            Some(written) => Ok(written.trimmed()),
            None => Err((
                Written::nowhere(text, span.start).trimmed(),
                Skip::NotUnderstood("it is written in a way that cannot be edited".into()),
            )),
        }
    }

    /// The comment behind the scalar on its last line, without its `#`.
    pub(in super::super) fn comment(self) -> Option<Written> {
        let at = self.comment_at()?;
        let text = self.yaml.text.get(at.start + 1..at.end)?;
        self.yaml.spend(text.len() / WRITTEN_IN_A_STEP).then(|| Written::verbatim(text, at.start + 1).trimmed())
    }

    /// Where the comment behind the scalar stands, from its `#` to the end of the line.
    pub(in super::super) fn comment_at(self) -> Option<Range<usize>> {
        let (yaml, span) = (self.yaml, self.span()?);
        let next = yaml.comments.partition_point(|comment| comment.start < span.end);
        let comment = yaml.comments.get(next)?;
        (yaml.line_of(comment.start) == yaml.line_of(span.end)).then(|| comment.clone())
    }

    fn at(self, id: usize) -> Self {
        Self { yaml: self.yaml, id }
    }

    fn span(self) -> Option<Range<usize>> {
        match &self.yaml.nodes[self.id] {
            Node::Scalar { span, .. } => Some(span.clone()),
            _ => None,
        }
    }

    fn scalar(self) -> Option<(&'y str, ScalarStyle)> {
        match &self.yaml.nodes[self.id] {
            Node::Scalar { text, style, .. } => Some((text, *style)),
            _ => None,
        }
    }

    fn own_entries(self) -> Option<&'y [(usize, usize)]> {
        match &self.yaml.nodes[self.id] {
            Node::Map(entries) if self.yaml.step(entries.len()) => Some(entries),
            _ => None,
        }
    }

    /// The mappings that `<<` takes in, the strongest first.
    fn merged(self, entries: &'y [(usize, usize)]) -> Vec<Self> {
        let merges = |name: usize| self.at(name).scalar().is_some_and(|(text, style)| is_merge(text, style));
        let mut maps = Vec::new();
        for &(_, value) in entries.iter().filter(|(name, _)| merges(*name)) {
            let value = self.at(value);
            if value.is_map() {
                maps.push(value);
            } else {
                maps.extend(value.items().filter(|item| item.is_map()));
            }
        }
        maps
    }
}

fn is_merge(name: &str, style: ScalarStyle) -> bool {
    name == "<<" && style == ScalarStyle::Plain
}

#[cfg(test)]
mod tests {
    use super::super::read;

    /// The texts of `v`, each with the piece of the file that stands for its last two characters.
    fn ends(text: &str) -> Vec<(String, String)> {
        let yaml = read(text).unwrap();
        let values = yaml.documents().filter_map(|document| document.get("v"));
        let values =
            values.flat_map(|value| if value.text().is_some() { vec![value] } else { value.items().collect() });
        values
            .map(|value| {
                let written = value.written().unwrap();
                let length = written.text().len();
                let (first, last) = (written.origin(length - 2).unwrap(), written.origin(length - 1).unwrap());
                (written.text().to_string(), text[first.start..last.end].to_string())
            })
            .collect()
    }

    #[test]
    fn every_style_of_scalar_knows_where_it_stands() {
        let cases = [
            ("v: image:1.0", "image:1.0", "1.0"),
            ("v: image:1.0 # 9", "image:1.0", ".0"),
            ("\u{feff}v: é:1.0", "é:1.0", ".0"),
            ("v: 'it''s:1.0'", "it's:1.0", ".0"),
            (r#"v: "\x69mage:1\u002e0""#, "image:1.0", r"\u002e0"),
            ("v: \"ima\\\n    ge:1.0\"", "image:1.0", ".0"),
            ("v: \"a  \n\n   b:1.0\"", "a\nb:1.0", ".0"),
            ("v: a\n   b:1.0\r\n", "a b:1.0", ".0"),
            ("v: |\n  image:1.0\n", "image:1.0", ".0"),
            ("v: |\n\n\n  image:1.0\n\n", "image:1.0", ".0"),
            ("v: | # why\n  image:1.0\n", "image:1.0", ".0"),
            ("v: |-\r\n  image:1.0\r\nw: 1", "image:1.0", ".0"),
            ("v: >2+\n   a\n  b:1.0\n\n\n# c\n", "a\nb:1.0", ".0"),
            ("v: >\n  a\n  b:1.0", "a b:1.0", ".0"),
            ("{v: image:1.0}", "image:1.0", ".0"),
            ("{\"v\":\"image:1.0\"}", "image:1.0", ".0"),
            ("v: &a !!str image:1.0", "image:1.0", ".0"),
            ("? v\n: image:1.0", "image:1.0", ".0"),
            ("{v:\timage:1.0\t, x:\t[\t] }", "image:1.0", ".0"),
        ];
        for (text, meant, piece) in cases {
            let found = ends(text);
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].0, meant, "{text}");
            assert!(found[0].1.ends_with(&piece[piece.len() - 2..]) && text.contains(&found[0].1), "{text}: {found:?}");
        }
        assert_eq!(
            ends("v: a1\n--- # x\nv: [b1, 'c1']\n...\n").iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>(),
            ["a1", "b1", "c1"]
        );
    }

    #[test]
    fn comments_belong_to_their_line() {
        let comment = |text: &str| {
            let yaml = read(text).unwrap();
            let value = yaml.documents().next().unwrap().get("v").unwrap();
            value.comment().map(|comment| comment.text().to_string())
        };
        for (text, expected) in [
            ("v: a # one\r\nw: b # two", Some("one")),
            ("v: a #one", Some("one")),
            ("v: a#b", None),
            ("v: a\n# two", None),
            ("v: '# a' # one", Some("one")),
            ("v: &x 'a'   # # one", Some("# one")),
            ("{v: a, w: '# b', x: c#d} # one", Some("one")),
            ("[]: \"#\"\nv: a\t# one", Some("one")),
            ("v: |\n  a # in the text\n", None),
        ] {
            assert_eq!(comment(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn aliases_and_merges_lead_to_the_same_value() {
        let text = "a: &a {k: one, l: two}\nb: &b {<<: *a, k: three}\nc: {<<: [*b, *a], m: &m x}\nd: *m\ne: {k: 1, k: 2}\nf: {\"<<\": *a}\n";
        let yaml = read(text).unwrap();
        let root = yaml.documents().next().unwrap();
        let value = |path: [&str; 2]| root.get(path[0]).and_then(|map| map.get(path[1]));
        assert_eq!(value(["c", "k"]).unwrap().text(), Some("three"));
        assert_eq!(value(["c", "l"]).unwrap().id(), value(["a", "l"]).unwrap().id());
        assert_eq!(root.get("d").unwrap().id(), value(["c", "m"]).unwrap().id());
        assert_eq!(value(["e", "k"]).unwrap().text(), Some("2"));
        assert!(value(["f", "k"]).is_none(), "a quoted `<<` is a key like any other");
        let entries = |key| root.get(key).unwrap().entries();
        let names = |key| {
            entries(key).into_iter().map(|(name, value)| format!("{name}={:?}", value.text())).collect::<Vec<_>>()
        };
        assert_eq!(names("c"), ["m=Some(\"x\")", "k=Some(\"three\")", "l=Some(\"two\")"]);
    }

    #[test]
    fn circles_and_bombs_end() {
        let circle = read("a: &a {<<: *a, b: [*a]}\n").unwrap();
        let a = circle.documents().next().unwrap().get("a").unwrap();
        assert!(a.get("c").is_none() && circle.all_seen().is_ok());
        let bomb: String =
            (0..40).map(|i| format!("a{}: &a{} {{<<: [*a{i}, *a{i}, *a{i}]}}\n", i + 1, i + 1)).collect();
        let bomb = format!("a0: &a0 {{x: y}}\n{bomb}");
        let bomb = read(&bomb).unwrap();
        let end = bomb.documents().next().unwrap().get("a40").unwrap();
        assert!(bomb.all_seen().is_ok());
        assert!(end.get("none").is_none() && bomb.all_seen().is_err());
        assert!(end.entries().is_empty());
        assert!(read(&"[".repeat(100_000)).is_err() && read(&"- ".repeat(100_000)).is_err());
        assert!(read("a: *nothing\n").unwrap_err().starts_with("line 1: "));
    }
}

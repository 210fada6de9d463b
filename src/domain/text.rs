//! Texts that others wrote, as they may be shown; types that are stored and sent as the text they are read from.

/// Whether a character does something else than to show itself: it ends a line, steers a terminal, reverses or joins what
/// others show, or shows nothing. No such character may reach a terminal, a log, a page or a pull request as it is.
///
/// Source: Unicode's general categories `Cc`, `Zl` and `Zp`; its property `Default_Ignorable_Code_Point`, which holds all of
/// `Bidi_Control`; and the marks of interlinear annotation.
pub(crate) fn is_hidden(c: char) -> bool {
    ends_line_or_steers(c)
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Those of them that part the words around them, where the others stand within one: controls (`Cc`) and the separators of lines
/// and paragraphs (`Zl`, `Zp`).
pub(crate) fn ends_line_or_steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// At most `max` characters of a text: the last one is an ellipsis if something was cut.
pub(crate) fn cut(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let mut shown: String = text.chars().take(max.saturating_sub(1)).collect();
    shown.push('…');
    shown
}

/// Gives a type the conversions that serde wants of `#[serde(try_from = "String", into = "String")]`: it is read by its `parse`,
/// which fails with the error named, and written as it is displayed.
macro_rules! as_text {
    ($name:ident, $error:ty) => {
        impl TryFrom<String> for $name {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}

pub(crate) use as_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_itself_is_not_hidden() {
        for c in " aé日🦀`|\u{a0}\u{301}\u{3000}\u{e000}\u{fffc}\u{fffd}\u{10ffff}".chars() {
            assert!(!is_hidden(c), "{c:?}");
        }
    }

    #[test]
    fn what_does_anything_else_is_hidden() {
        let kinds = [
            "\0\t\n\r\u{1b}\u{7f}\u{85}\u{9b}",
            "\u{2028}\u{2029}",
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}",
            "\u{ad}\u{34f}\u{115f}\u{17b4}\u{180e}\u{200b}\u{200d}\u{2060}\u{3164}\u{fe0f}\u{feff}\u{ffa0}\u{1d173}",
            "\u{fff9}\u{fffa}\u{fffb}",
            "\u{e0001}\u{e0041}\u{e007f}\u{e0100}",
        ];
        for c in kinds.concat().chars() {
            assert!(is_hidden(c), "{c:?}");
        }
    }

    #[test]
    fn cuts_count_characters_not_bytes() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(cut("ä", 0), "…");
        assert_eq!(cut("", 0), "");
    }
}

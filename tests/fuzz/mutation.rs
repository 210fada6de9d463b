//! How a text becomes another one.

use crate::dice::Dice;

/// Marks of the formats, and what is known to be hard on those who read them.
#[rustfmt::skip]
const TOKENS: [&str; 134] = [
    "\n", "\r\n", "\r", "\t", " ", "  ", "\u{feff}", "\0", "\u{b}", "\u{85}", "\u{2028}", "\u{202e}", "é", "ü", "日本",
    "🦀", "e\u{301}", "\u{10ffff}", "\"", "'", "\"\"\"", "'''", "`", "\\", "\\\n", "\\u0041", "\\x", "#", " #", "# ",
    "//", "/*", "*/", "<!--", "[", "]", "{", "}", "(", ")", "[[", "]]", "{{", "}}", "${", "$", "$$", "}", ":-", ":+",
    "<<", "<<EOF\n", "EOF\n", "<<: *a", "&a ", "*a", "!!str ", "!", "|\n", ">-\n", "- ", "-", "--", "---\n", "...\n",
    "%", "@", "@sha256:", "?", ":", ": ", "::", ",", ";", ".", "..", "../", "/", "=", "==", "===", "!=", ">=", "<=",
    "~=", "~", "^", ">", "<", "||", "*", "x", ".x", ".*", "+", "+local", "-rc.1", "rc1", ".dev0", ".post1", "1!", "v",
    "0", "00", "007", "1.0", "2", "1.2.3", "99999999999999999999", "340282366920938463463374607431768211456",
    "latest", "null", "true", "-1", "1e9", "FROM ", "ARG ", "COPY --from=", "-r ", "-e ", "--hash=sha256:", "name",
    "uses: ", "image: ", "rev: ", "version = ", "\"version\": ", "npm:", "workspace:", "file:", "git+https://",
    "https://", "docker://", "egg=",
];

/// What opens a level, to be repeated.
const OPENERS: [&str; 16] =
    ["[", "{", "(", "${", "{\"a\":", "[[", "- ", "? ", "a: ", "${A:-", "{a = ", "a.", "\"", "/*", "<<", "!!map {"];

/// The largest that most mutations grow to. Unit: bytes.
const USUALLY_AT_MOST: usize = 40_000;
/// One of so many is far larger: texts near the limit of a manifest. Whether work grows faster than a text is seen elsewhere.
const ONE_IS_HUGE: u64 = 40_000;
const HUGE: usize = 900_000;

fn below(dice: &mut Dice, number: usize) -> usize {
    usize::try_from(dice.roll(number.max(1) as u64)).unwrap()
}

/// The nearest place for a cut at or before a byte.
fn boundary(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A stretch of a text, more often a short one.
fn stretch<'t>(dice: &mut Dice, text: &'t str) -> &'t str {
    let start = below(dice, text.len() + 1);
    let longest = dice.one_of(&[4, 16, 64, 400, text.len()]);
    let end = start + below(dice, longest + 1);
    let (start, end) = (boundary(text, start), boundary(text, end));
    &text[start..end.max(start)]
}

/// A text of which nothing is known, made of marks, pieces of other texts, or any characters.
pub fn any_text(dice: &mut Dice, others: &[String]) -> String {
    let mut text = String::new();
    let pieces = below(dice, 60);
    let kind = dice.roll(4);
    for _ in 0..pieces {
        match (kind, dice.roll(3)) {
            (0, _) => text.push(char::from_u32(u32::try_from(dice.roll(0x11_0000)).unwrap()).unwrap_or('\u{fffd}')),
            (1, _) => text.push(char::from(u8::try_from(dice.roll(128)).unwrap())),
            (2, 0) => {
                let other = &others[below(dice, others.len())];
                text.push_str(stretch(dice, other));
            }
            _ => text.push_str(dice.one_of(&TOKENS)),
        }
    }
    text
}

/// The text with some things changed in it; `others` are texts that pieces may come from.
pub fn mutate(dice: &mut Dice, text: &str, others: &[String]) -> String {
    let mut text = text.to_owned();
    // Small changes find what a reader takes for granted, many changes find what it makes of rubbish.
    let most = dice.one_of(&[2, 4, 12]);
    let changes = 1 + below(dice, most);
    for _ in 0..changes {
        text = change(dice, text, others);
    }
    if text.len() > USUALLY_AT_MOST {
        text.truncate(boundary(&text, USUALLY_AT_MOST));
    }
    if dice.roll(ONE_IS_HUGE) == 0 { huge(dice, &text) } else { text }
}

/// One piece of the text, or a mark, again and again: see [`repeated`].
fn huge(dice: &mut Dice, text: &str) -> String {
    let [before, piece, _, _, after] = repeated(dice, text);
    let times = HUGE / piece.len().max(1);
    [before, piece.repeat(times), after].concat()
}

/// A text to be made longer: what stands first, a piece to repeat, what stands between, another piece, what stands last.
pub fn repeated(dice: &mut Dice, text: &str) -> [String; 5] {
    let piece = match dice.roll(3) {
        0 => dice.one_of(&TOKENS).to_owned(),
        1 => dice.one_of(&OPENERS).to_owned(),
        _ => stretch(dice, text).to_owned(),
    };
    let at = boundary(text, below(dice, text.len() + 1));
    [text[..at].to_owned(), piece, String::new(), String::new(), text[at..].to_owned()]
}

fn change(dice: &mut Dice, mut text: String, others: &[String]) -> String {
    let at = boundary(&text, below(dice, text.len() + 1));
    match dice.roll(18) {
        // Bytes, and cuts within a character: what was no text is made one as where it is read.
        0 | 1 => {
            let mut bytes = text.into_bytes();
            if let Some(place) = Some(below(dice, bytes.len())).filter(|_| !bytes.is_empty()) {
                bytes[place] ^= 1 << dice.roll(8);
            }
            String::from_utf8_lossy(&bytes).into_owned()
        }
        2 => {
            let bytes = text.as_bytes();
            let (from, to) = (below(dice, bytes.len() + 1), below(dice, bytes.len() + 1));
            let kept = [&bytes[..from.min(to)], &bytes[from.max(to)..]].concat();
            String::from_utf8_lossy(&kept).into_owned()
        }
        3 => String::from_utf8_lossy(&text.as_bytes()[..below(dice, text.len() + 1)]).into_owned(),
        // Pieces: left out, repeated, moved, taken from elsewhere.
        4 => {
            let piece = stretch(dice, &text).to_owned();
            if piece.is_empty() { text } else { text.replacen(&piece, "", 1) }
        }
        5 | 6 => {
            let piece = stretch(dice, &text).to_owned();
            let most = dice.one_of(&[2, 3, 40]);
            let times = 1 + below(dice, most);
            text.insert_str(at, &piece.repeat(times));
            text
        }
        7 => {
            let other = &others[below(dice, others.len())];
            text.insert_str(at, stretch(dice, other));
            text
        }
        8 => {
            let other = &others[below(dice, others.len())];
            let line = other.lines().nth(below(dice, other.lines().count())).unwrap_or_default();
            let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
            text.insert_str(start, &format!("{line}\n"));
            text
        }
        9 => {
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            if !lines.is_empty() {
                let (from, to) = (below(dice, lines.len()), below(dice, lines.len()));
                lines.swap(from, to);
            }
            lines.concat()
        }
        // Marks.
        10 | 11 => {
            text.insert_str(at, dice.one_of(&TOKENS));
            text
        }
        12 => {
            let (old, new) = (dice.one_of(&TOKENS), dice.one_of(&TOKENS));
            text.replacen(old, new, 1 + below(dice, 3))
        }
        13 => {
            let opener = dice.one_of(&OPENERS);
            let times = dice.one_of(&[3, 30, 300, 3_000]);
            text.insert_str(at, &opener.repeat(times));
            text
        }
        // Numbers.
        14 => {
            let number = dice.one_of(&[
                "0",
                "00",
                "1",
                "9",
                "2147483648",
                "18446744073709551616",
                "9999999999999999999999999999999999999999",
            ]);
            let Some(start) = text[at..].find(|c: char| c.is_ascii_digit()).map(|found| at + found) else {
                return text;
            };
            let length = text[start..].len() - text[start..].trim_start_matches(|c: char| c.is_ascii_digit()).len();
            text.replace_range(start..start + length, number);
            text
        }
        // What an editor on another system makes of it.
        15 => match dice.roll(4) {
            0 => text.replace('\n', "\r\n"),
            1 => text.replacen('\n', "\r\n", 1 + below(dice, 5)),
            2 => text.replace('\n', "\r"),
            _ => text.replace("\r\n", "\n"),
        },
        16 => match dice.roll(3) {
            0 => format!("\u{feff}{text}"),
            1 => text.trim_end().to_owned(),
            _ => format!("{text}\n\n"),
        },
        _ => match dice.roll(3) {
            0 => text.replace("    ", "\t"),
            1 => text.replace(' ', "\t"),
            _ => text.replacen("  ", "\t", 1 + below(dice, 3)),
        },
    }
}

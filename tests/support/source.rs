//! Reads Rust source as far as the rules of the house need it: words, strings, and which top-level module each path
//! names. Comments and the insides of strings never look like code.

/// A piece of source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// An identifier or keyword.
    Word(String),
    /// A string literal's text, escapes as written.
    Text(String),
    /// `::`
    PathSeparator,
    /// Any other character that is not white space.
    Sign(char),
}

/// The tokens of a file with their lines, counted from 1.
pub fn tokens(source: &str) -> Vec<(usize, Token)> {
    let characters: Vec<char> = source.chars().collect();
    let mut reader = Reader { characters: &characters, at: 0, line: 1 };
    let mut found = Vec::new();
    while let Some(character) = reader.peek(0) {
        let line = reader.line;
        let token = match character {
            '/' if reader.peek(1) == Some('/') => {
                reader.skip_while(|each| each != '\n');
                None
            }
            '/' if reader.peek(1) == Some('*') => {
                reader.skip_block_comment();
                None
            }
            '"' => Some(Token::Text(reader.string())),
            '\'' => {
                reader.skip_character_or_lifetime();
                None
            }
            _ if reader.raw_string_hashes().is_some() => Some(Token::Text(reader.raw_string())),
            _ if character.is_alphabetic() || character == '_' => Some(Token::Word(reader.word())),
            ':' if reader.peek(1) == Some(':') => {
                reader.advance(2);
                Some(Token::PathSeparator)
            }
            _ => {
                reader.advance(1);
                (!character.is_whitespace()).then_some(Token::Sign(character))
            }
        };
        found.extend(token.map(|token| (line, token)));
    }
    found
}

struct Reader<'a> {
    characters: &'a [char],
    at: usize,
    line: usize,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    fn advance(&mut self, count: usize) {
        for _ in 0..count {
            self.line += usize::from(self.peek(0) == Some('\n'));
            self.at += 1;
        }
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.advance(1);
        }
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.advance(2);
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.advance(2);
                }
                (Some(_), _) => self.advance(1),
                (None, _) => return,
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) -> String {
        self.advance(1);
        let start = self.at;
        while let Some(character) = self.peek(0) {
            match character {
                '"' => break,
                '\\' => self.advance(2),
                _ => self.advance(1),
            }
        }
        let end = self.at.min(self.characters.len());
        self.advance(1);
        self.characters[start..end].iter().collect()
    }

    /// `'a'`, `'\n'` or the quote of a lifetime, whose name then reads as a word.
    fn skip_character_or_lifetime(&mut self) {
        if self.peek(1) == Some('\\') {
            self.advance(3);
            self.skip_while(|each| each != '\'');
            self.advance(1);
        } else if self.peek(2) == Some('\'') {
            self.advance(3);
        } else {
            self.advance(1);
        }
    }

    /// How many `#` the raw string that starts here has, if one does.
    fn raw_string_hashes(&self) -> Option<usize> {
        let prefix = match (self.peek(0), self.peek(1)) {
            (Some('b' | 'c'), Some('r')) => 2,
            (Some('r'), _) => 1,
            _ => return None,
        };
        let hashes = (prefix..).take_while(|ahead| self.peek(*ahead) == Some('#')).count();
        (self.peek(prefix + hashes) == Some('"')).then_some(hashes)
    }

    fn raw_string(&mut self) -> String {
        let hashes = self.raw_string_hashes().unwrap_or(0);
        self.skip_while(|each| each != '"');
        self.advance(1);
        let start = self.at;
        let ends =
            |reader: &Self| reader.peek(0) == Some('"') && (1..=hashes).all(|ahead| reader.peek(ahead) == Some('#'));
        while self.peek(0).is_some() && !ends(self) {
            self.advance(1);
        }
        let text = self.characters[start..self.at.min(self.characters.len())].iter().collect();
        self.advance(1 + hashes);
        text
    }

    fn word(&mut self) -> String {
        let start = self.at;
        self.skip_while(|each| each.is_alphanumeric() || each == '_');
        self.characters[start..self.at].iter().collect()
    }
}

/// A path that names something of the crate by its top-level module: `crate::store::…`, or `super::` far enough up.
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    /// Where, counted from 1.
    pub line: usize,
    /// The top-level name; `*` for all of them.
    pub name: String,
}

/// Every such path of a file, in `use` and elsewhere. `module` is the file's own path: `["forge", "client"]`.
pub fn imports(module: &[String], tokens: &[(usize, Token)]) -> Vec<Import> {
    let mut found = Vec::new();
    // Depths of braces at which inline modules were opened: `super` is relative to them.
    let mut inline_modules: Vec<usize> = Vec::new();
    let mut braces = 0usize;
    for (at, (_, token)) in tokens.iter().enumerate() {
        let follows_path = at > 0 && tokens[at - 1].1 == Token::PathSeparator;
        match token {
            Token::Sign('{') => {
                braces += 1;
                if at >= 2 && tokens[at - 2].1 == word("mod") {
                    inline_modules.push(braces);
                }
            }
            Token::Sign('}') => {
                if inline_modules.last() == Some(&braces) {
                    inline_modules.pop();
                }
                braces = braces.saturating_sub(1);
            }
            Token::Word(name) if !follows_path => {
                let depth = module.len() + inline_modules.len();
                match name.as_str() {
                    "crate" | "mass_driver" => collect(tokens, at + 1, 0, &mut found),
                    "super" => collect(tokens, at, depth, &mut found),
                    "self" => collect(tokens, at + 1, depth, &mut found),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    found
}

fn word(text: &str) -> Token {
    Token::Word(text.to_owned())
}

/// Follows a path from a module `depth` levels below the root; what it names directly under the root is collected.
fn collect(tokens: &[(usize, Token)], at: usize, depth: usize, found: &mut Vec<Import>) {
    let Some((line, token)) = tokens.get(at) else { return };
    match token {
        Token::PathSeparator => collect_segment(tokens, at + 1, depth, found),
        Token::Word(name) if name == "super" => collect(tokens, at + 1, depth.saturating_sub(1), found),
        // `use crate as root` would hide what is imported through it.
        Token::Word(name) if name == "as" && depth == 0 => found.push(Import { line: *line, name: "*".to_owned() }),
        _ => {}
    }
}

fn collect_segment(tokens: &[(usize, Token)], at: usize, depth: usize, found: &mut Vec<Import>) {
    let Some((line, token)) = tokens.get(at) else { return };
    match token {
        Token::Word(name) if name == "super" => collect(tokens, at, depth, found),
        Token::Word(name) if name == "self" => collect(tokens, at + 1, depth, found),
        Token::Word(name) if depth == 0 => found.push(Import { line: *line, name: name.clone() }),
        Token::Sign('*') if depth == 0 => found.push(Import { line: *line, name: "*".to_owned() }),
        Token::Sign('{') => {
            let mut nested = 0usize;
            let mut start = true;
            for (offset, (_, token)) in tokens[at + 1..].iter().enumerate() {
                if nested == 0 && start {
                    collect_segment(tokens, at + 1 + offset, depth, found);
                }
                start = false;
                match token {
                    Token::Sign('{') => nested += 1,
                    Token::Sign('}') if nested == 0 => return,
                    Token::Sign('}') => nested -= 1,
                    Token::Sign(',') => start = true,
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

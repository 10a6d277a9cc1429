use std::fmt;

use zeroize::Zeroizing;

/// What stands for a secret in texts.
const HIDDEN: &str = "[hidden]";
/// A word that begins like the token, or any part of it this long, is taken for a part of it.
const SHORTEST_BEGINNING: usize = 4;
const SHORTEST_PART: usize = 8;

/// An API token. It shows itself nowhere but in the header of a request, and is wiped from memory
/// when it is dropped.
#[derive(Clone)]
pub struct Token(Zeroizing<String>);

/// A text that cannot be a token. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// There is nothing, or only white space.
    #[error("it is empty")]
    Empty,
    /// White space inside, quotes, or characters that no token has.
    #[error("it has {0}, which no token has")]
    Character(&'static str),
    /// It cannot be the whole token.
    #[error("it is only {0} characters long")]
    TooShort(usize),
}

impl Token {
    /// Takes a token as it was given; white space around it is not part of it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<Self, InvalidToken> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidToken::Empty);
        }
        if let Some(odd) = text.chars().find(|c| !c.is_ascii_graphic() || "'\"`".contains(*c)) {
            return Err(InvalidToken::Character(match odd {
                '\'' | '"' | '`' => "quotes",
                c if c.is_whitespace() => "white space inside",
                c if c.is_control() => "a control character",
                _ => "a character outside ASCII",
            }));
        }
        if text.len() < SHORTEST_PART {
            return Err(InvalidToken::TooShort(text.len()));
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The token itself, for the header of a request or its signature only.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// `text` without the token and without any recognisable part of it.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        let mut rest = text;
        let mut after_word = false;
        while let Some(next) = rest.chars().next() {
            let hidden = self.part_at(rest, !after_word);
            if hidden > 0 {
                clean.push_str(HIDDEN);
                rest = &rest[hidden..];
                after_word = false;
            } else {
                clean.push(next);
                after_word = next.is_ascii_alphanumeric();
                rest = &rest[next.len_utf8()..];
            }
        }
        clean
    }

    /// `text` without the token; `None` where it is not in it.
    pub(crate) fn hide(&self, text: &str) -> Option<String> {
        text.contains(self.reveal()).then(|| text.replace(self.reveal(), HIDDEN))
    }

    /// How many bytes at the start of `text` are part of the token, as far as can be told.
    fn part_at(&self, text: &str, at_word: bool) -> usize {
        let token = self.0.as_bytes();
        let text = text.as_bytes();
        let common = |from: usize| {
            token[from..].iter().zip(text).take_while(|(ours, theirs)| ours == theirs).count()
        };
        let beginning = if at_word { common(0) } else { 0 };
        if beginning >= SHORTEST_BEGINNING {
            return beginning;
        }
        let longest = (0..token.len()).map(common).max().unwrap_or_default();
        if longest >= SHORTEST_PART { longest } else { 0 }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "dop_v1_0a1b2c3d4e5f60718293a4b5c6d7e8f9";

    #[test]
    fn the_token_and_parts_of_it_are_hidden() {
        let redact = |text: &str| token().redact(text);
        assert_eq!(redact(&format!("no user for {TEXT}!")), "no user for [hidden]!");
        assert_eq!(redact("for token 'dop_v...' reached"), "for token '[hidden]...' reached");
        assert_eq!(redact("…5f60718293a4…"), "…[hidden]…");
        assert_eq!(redact(&format!("{TEXT}{TEXT}")), "[hidden][hidden]");
    }

    #[test]
    fn other_words_stay() {
        let plain = "Limit of '3600' requests per hour reached: drop the dop, 0a1b2c3 é";
        assert_eq!(token().redact(plain), plain);
    }

    #[test]
    fn a_token_does_not_show_itself() {
        assert_eq!(format!("{:?}", token()), "Token");
    }

    #[test]
    fn what_cannot_be_a_token_is_refused_without_being_shown() {
        let refused = |text| Token::new(text).expect_err("not a token").to_string();
        assert_eq!(refused(" \n"), "it is empty");
        assert_eq!(refused("'abcdefgh'"), "it has quotes, which no token has");
        assert_eq!(refused("abcd efgh"), "it has white space inside, which no token has");
        assert_eq!(refused("abcd\u{1b}efgh"), "it has a control character, which no token has");
        assert_eq!(refused("abcdéfgh"), "it has a character outside ASCII, which no token has");
        assert_eq!(refused("abc"), "it is only 3 characters long");
        assert_eq!(Token::new(" abcdefgh\n").expect("a token").reveal(), "abcdefgh");
    }

    fn token() -> Token {
        Token::new(TEXT).expect("a token")
    }
}

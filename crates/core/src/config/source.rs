//! The text of a configuration file: finding places in it, and showing it safely.

use std::ops::Range;

use crate::desired::Position;

/// A decoded file that knows where its lines and characters are.
#[derive(Debug)]
pub(super) struct Source {
    text: String,
    line_starts: Vec<usize>,
    /// Byte offset of every character; empty when all characters are ASCII.
    char_starts: Vec<usize>,
}

impl Source {
    /// A text that was decoded.
    pub(super) fn new(text: String) -> Self {
        let line_starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let char_starts = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at).collect()
        };
        Self { text, line_starts, char_starts }
    }

    /// The decoded text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The byte offset of the character with this number, counted from 0; the end of the text for
    /// a number beyond it.
    pub(super) fn byte_of_char(&self, number: usize) -> usize {
        if self.char_starts.is_empty() {
            number.min(self.text.len())
        } else {
            self.char_starts.get(number).copied().unwrap_or(self.text.len())
        }
    }

    /// The line and column of a byte offset.
    pub(super) fn position(&self, offset: usize) -> Position {
        let line = self.line_starts.partition_point(|&start| start <= offset);
        let start = self.line_starts[line - 1];
        Position { line, column: self.char_of_byte(offset) - self.char_of_byte(start) + 1 }
    }

    /// The bytes of a line counted from 1, without its line break.
    pub(super) fn line(&self, number: usize) -> Option<Range<usize>> {
        let start = *self.line_starts.get(number.checked_sub(1)?)?;
        Some(self.first_line(start..self.text.len()))
    }

    /// The part of a span that is on its first line.
    pub(super) fn first_line(&self, span: Range<usize>) -> Range<usize> {
        let text = self.text.get(span.clone()).unwrap_or_default();
        let length = text.find(['\n', '\r']).unwrap_or(text.len());
        span.start..span.start + length
    }

    /// The text in a form that does nothing to a terminal: characters that do not show, and the
    /// bytes of `secrets`, are replaced without moving any other byte.
    pub(super) fn shown(&self, secrets: &[Range<usize>]) -> String {
        let mut hidden = vec![false; self.text.len()];
        for secret in secrets {
            if let Some(bytes) = hidden.get_mut(secret.clone()) {
                bytes.fill(true);
            }
        }
        let mut shown = String::with_capacity(self.text.len());
        let mut characters = self.text.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            let next = characters.peek().map(|&(_, next)| next);
            let plain = match c {
                '\n' | '\t' => true,
                '\r' => next == Some('\n'),
                _ => is_printable(c),
            };
            if hidden[at] && c != '\n' {
                shown.extend(std::iter::repeat_n('*', c.len_utf8()));
            } else if plain {
                shown.push(c);
            } else {
                shown.extend(std::iter::repeat_n('?', c.len_utf8()));
            }
        }
        shown
    }

    fn char_of_byte(&self, offset: usize) -> usize {
        if self.char_starts.is_empty() {
            offset
        } else {
            self.char_starts.partition_point(|&start| start < offset)
        }
    }
}

/// A text from the file between backticks, [`harmless`] and not longer than a line.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", harmless(text, 80))
}

/// At most `longest` characters of a text, with those that do not show escaped.
pub(super) fn harmless(text: &str, longest: usize) -> String {
    let mut harmless = String::new();
    for (number, c) in text.chars().enumerate() {
        if number == longest {
            harmless.push('…');
            break;
        }
        if is_printable(c) {
            harmless.push(c);
        } else {
            harmless.extend(c.escape_debug());
        }
    }
    harmless
}

fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic();
    }
    // A combining mark shows, but only after another character.
    let pair: String = ['a', c].iter().collect();
    pair.escape_debug().nth(1) == Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_lines_from_one() {
        let source = Source::new("a: é\r\nbé: c".to_owned());
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        let colon = source.text().rfind(':').unwrap();
        assert_eq!(source.position(colon), Position { line: 2, column: 3 });
        assert_eq!(source.position(source.text().len()), Position { line: 2, column: 6 });
        assert_eq!(source.byte_of_char(4), 5);
        assert_eq!(source.byte_of_char(99), source.text().len());
    }

    #[test]
    fn the_shown_text_keeps_every_byte_where_it_was() {
        let source = Source::new("a\u{1b}[31mé\u{202e}b\rc\r\nsecret".to_owned());
        let start = source.text().find("secret").unwrap();
        let shown = source.shown(std::slice::from_ref(&(start..start + 6)));
        assert_eq!(shown, "a?[31mé???b?c\r\n******");
        assert_eq!(shown.len(), source.text().len());
    }

    #[test]
    fn a_quoted_text_is_short_and_harmless() {
        assert_eq!(quoted("\u{1b}[31m\n\u{202e}é'\""), "`\\u{1b}[31m\\n\\u{202e}é'\"`");
        assert_eq!(quoted(&"x".repeat(1000)).chars().count(), 83);
    }
}

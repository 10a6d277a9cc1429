//! Text for people: everything put in is made safe for terminals, everything styled is styled here.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use stagecraft_core::words::listed;
use unicode_width::UnicodeWidthStr as _;

use crate::harmless::{brief, clean};

/// How many characters of one text are shown; a message that names three hundred hosts is a third of it.
pub(super) const MOST: usize = 20_000;

/// Nothing special.
pub(crate) const PLAIN: Style = Style::new();
/// Headings and names that matter.
pub(crate) const BOLD: Style = Style::new().bold();
/// What can be skipped when reading.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// What went well, and what will be added.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What needs attention.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
/// What failed, and what will be removed.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();

/// Text on its way to a terminal. Only the styles put in here become control sequences: control
/// characters in the words themselves are shown, not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(String);

impl Text {
    /// No text.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds words.
    pub(crate) fn put(&mut self, words: &str) -> &mut Self {
        self.0.push_str(&brief(words, MOST));
        self
    }

    /// Adds all words, however many they are: for what somebody asked to see.
    pub(crate) fn put_whole(&mut self, words: &str) -> &mut Self {
        self.0.push_str(&clean(words));
        self
    }

    /// Adds words in a style.
    pub(crate) fn styled(&mut self, style: Style, words: &str) -> &mut Self {
        self.styled_as_is(style, &brief(words, MOST))
    }

    /// Adds words in a style that are safe already.
    fn styled_as_is(&mut self, style: Style, words: &str) -> &mut Self {
        if style == PLAIN || words.is_empty() {
            self.0.push_str(words);
        } else {
            let _infallible = write!(self.0, "{style}{words}{style:#}");
        }
        self
    }

    /// Adds spaces.
    pub(crate) fn space(&mut self, count: usize) -> &mut Self {
        self.0.extend(std::iter::repeat_n(' ', count));
        self
    }

    /// Ends the line; spaces at its end are dropped.
    pub(crate) fn end_line(&mut self) -> &mut Self {
        self.0.truncate(self.0.trim_end_matches(' ').len());
        self.0.push('\n');
        self
    }

    /// Adds words as a line of their own.
    pub(crate) fn line(&mut self, words: &str) -> &mut Self {
        self.put(words).end_line()
    }

    /// Adds another text.
    pub(crate) fn append(&mut self, other: &Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    /// Adds lines that are safe already and may be styled.
    pub(crate) fn append_trusted(&mut self, lines: &str) -> &mut Self {
        self.0.push_str(lines);
        self
    }

    /// Adds words wrapped at `width`, the first line as the cursor stands, at column `first`, all
    /// others at column `hang`. Ends the line.
    pub(crate) fn wrapped(
        &mut self,
        style: Style,
        words: &str,
        first: usize,
        hang: usize,
        width: usize,
    ) -> &mut Self {
        let words = brief(words, MOST);
        for (number, line) in wrap(&words, first, hang, width).iter().enumerate() {
            if number > 0 {
                self.end_line().space(hang);
            }
            self.styled_as_is(style, line);
        }
        self.end_line()
    }

    /// Whether there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with its control sequences.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The text without them.
    #[cfg(test)]
    pub(crate) fn plain(&self) -> String {
        anstream::adapter::strip_str(&self.0).to_string()
    }
}

/// How many columns words take.
pub(crate) fn width_of(words: &str) -> usize {
    words.width()
}

/// Breaks words at spaces. What stands between backticks is a command or a name and stays whole, so
/// that it can be copied; so does a word longer than a line.
pub(super) fn wrap(words: &str, first: usize, hang: usize, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut column = first;
    for word in unbroken(words) {
        let line = lines.last_mut().expect("there is always a line");
        let needed = width_of(word) + usize::from(!line.is_empty());
        if !line.is_empty() && column + needed > width {
            lines.push(word.to_owned());
            column = hang + width_of(word);
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            column += needed;
        }
    }
    lines
}

/// How wide the widest piece is that is never broken.
pub(crate) fn longest_piece(words: &str) -> usize {
    unbroken(&clean(words)).map(width_of).max().unwrap_or_default()
}

/// The pieces between which a line may end.
fn unbroken(words: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    words.split(move |c: char| {
        quoted ^= c == '`';
        c == ' ' && !quoted
    })
}

/// `1 host`, `2 hosts`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn names<T: std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    listed(items, "and")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_sent() {
        let evil = "\x1b[2J\x1b]0;owned\x07 a\tb \u{9b}31m c\r\n\u{202e}d\u{7f}";
        assert_eq!(clean(evil), "␛[2J␛]0;owned␇ a\tb \u{fffd}31m c␍␊\u{fffd}d␡");
        let mut text = Text::new();
        text.put(evil).styled(BAD, evil);
        let sent: Vec<&str> = text.as_str().split('\x1b').skip(1).collect();
        assert_eq!(sent.len(), 2, "only the style and its end: {:?}", text.as_str());
    }

    #[test]
    fn a_text_without_end_does_not_fill_the_screen() {
        let endless = "é".repeat(1_000_000);
        let mut text = Text::new();
        text.put(&endless).styled(BAD, &endless).wrapped(PLAIN, &endless, 0, 0, 80);
        assert!(text.plain().chars().count() < 3 * MOST + 200);
        let shown = text.plain().replace('\n', " ");
        assert_eq!(shown.matches("… (980000 more characters)").count(), 3);
        assert_eq!(Text::new().put_whole(&endless).plain(), endless);
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(clean("größe 机器 👩‍🚀"), std::borrow::Cow::Borrowed(_)));
    }

    #[test]
    fn lines_wrap_at_words_and_hang() {
        let mut text = Text::new();
        text.put("  why ").wrapped(PLAIN, "one two three four", 6, 6, 16);
        assert_eq!(text.as_str(), "  why one two\n      three four\n");
    }

    #[test]
    fn a_command_is_not_broken() {
        assert_eq!(wrap("a `b c d`; e f", 0, 0, 8), ["a", "`b c d`;", "e f"]);
    }

    #[test]
    fn names_read_like_a_sentence() {
        assert_eq!(names(["a"]), "`a`");
        assert_eq!(names(["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(count(1, "host"), "1 host");
        assert_eq!(count(0, "host"), "0 hosts");
    }
}

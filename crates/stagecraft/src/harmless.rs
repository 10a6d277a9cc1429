//! What may be sent to a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Shows control characters instead of sending them: a terminal obeys them, and what a provider, a
/// host or a file says must not be obeyed. Characters that reorder or hide text go too. Tabs stay.
pub(crate) fn clean(words: &str) -> Cow<'_, str> {
    if words.chars().all(is_harmless) {
        Cow::Borrowed(words)
    } else {
        Cow::Owned(words.chars().map(shown).collect())
    }
}

/// The same, and not more of it than a person reads: a name from outside may have any length, and would push
/// everything else off the screen.
pub(crate) fn brief(words: &str, most: usize) -> Cow<'_, str> {
    match words.char_indices().nth(most) {
        None => clean(words),
        Some((end, _)) => {
            let more = words[end..].chars().count();
            Cow::Owned(format!("{}… ({more} more characters)", clean(&words[..end])))
        }
    }
}

/// Whether a terminal shows a character and does nothing else with it. Tabs count.
fn is_harmless(c: char) -> bool {
    shown(c) == c
}

/// JSON that means the same and is safe to show. It allows characters unescaped that terminals obey, and
/// that YAML does not allow; they can stand inside of texts only.
pub(crate) fn harmless_json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        if c >= '\u{7f}' && !is_harmless(c) {
            let _infallible = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}

fn shown(c: char) -> char {
    match c {
        '\t' => c,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        other => other,
    }
}

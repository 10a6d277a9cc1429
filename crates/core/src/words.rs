//! Names and numbers as they stand in sentences.

use std::fmt::Display;
use std::time::Duration;

/// Names in backticks: `` `a` ``, `` `b` and `c` ``.
pub fn listed<T: Display>(names: impl IntoIterator<Item = T>, last: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    enumerated(&names, last)
}

/// The same of what has its form already.
#[must_use]
pub fn enumerated(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// Seconds that have begun: nobody is told to wait for less than it takes.
#[must_use]
pub fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        assert_eq!(listed([""; 0], "or"), "");
        assert_eq!(listed(["a"], "or"), "`a`");
        assert_eq!(listed(["a", "b", "c"], "or"), "`a`, `b` or `c`");
        assert_eq!(enumerated(&["`a`".to_owned(), "3 more".to_owned()], "and"), "`a` and 3 more");
    }

    #[test]
    fn a_second_that_has_begun_counts() {
        assert_eq!(whole_seconds(Duration::from_millis(2000)), 2);
        assert_eq!(whole_seconds(Duration::from_millis(2001)), 3);
        assert_eq!(whole_seconds(Duration::MAX), u64::MAX);
    }
}

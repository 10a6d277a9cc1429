//! Pages of a list.

use serde_json::{Value, json};

use super::problem::Problem;

/// Entries of a page nobody said the size of.
const USUAL: u64 = 25;
/// Entries of a page at most; who asks for more gets this many.
const MOST: u64 = 50;

/// The part of a list that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    number: u64,
    size: u64,
}

impl Page {
    /// What `page` and `per_page` ask for.
    ///
    /// # Errors
    /// One of them is no number, or zero.
    pub(super) fn asked(page: Option<&str>, per_page: Option<&str>) -> Result<Self, Problem> {
        let number = |name: &str, given: Option<&str>, usual: u64| match given {
            None => Ok(usual),
            Some(text) => text
                .parse()
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| Problem::invalid_field(name, "must be a number greater than 0")),
        };
        let size = number("per_page", per_page, USUAL)?.min(MOST);
        Ok(Self { number: number("page", page, 1)?, size })
    }

    /// This page of `items`, under `key`; `silent` about how many there are altogether.
    pub(super) fn of<T>(
        self,
        key: &str,
        items: Vec<T>,
        silent: bool,
        show: impl FnMut(T) -> Value,
    ) -> Value {
        let total = items.len() as u64;
        let last = total.div_ceil(self.size).max(1);
        let before = usize::try_from((self.number - 1).saturating_mul(self.size));
        let taken = usize::try_from(self.size).unwrap_or(usize::MAX);
        let part = items.into_iter().skip(before.unwrap_or(usize::MAX)).take(taken);
        let shown: Vec<Value> = part.map(show).collect();
        let told = |count: u64| (!silent).then_some(count);
        json!({
            key: shown,
            "meta": { "pagination": {
                "page": self.number,
                "per_page": self.size,
                "previous_page": (self.number > 1).then(|| self.number - 1),
                "next_page": (self.number < last).then(|| self.number + 1),
                "last_page": told(last),
                "total_entries": told(total),
            }},
        })
    }
}

/// Sorts as `given` asks (`name`, `id:desc`, the first first); `by` gives what an item sorts by
/// for a word, and `None` for words it does not know.
///
/// # Errors
/// A word is unknown.
pub(super) fn sorted<T>(
    items: &mut [T],
    given: &[&str],
    by: impl Fn(&T, &str) -> Option<(u64, String)>,
) -> Result<(), Problem> {
    for asked in given.iter().rev() {
        let (word, descending) = match asked.split_once(':') {
            None => (*asked, false),
            Some((word, "asc")) => (word, false),
            Some((word, "desc")) => (word, true),
            Some(_) => return Err(unsortable(asked)),
        };
        if items.iter().any(|item| by(item, word).is_none()) {
            return Err(unsortable(asked));
        }
        items.sort_by(|one, other| {
            let order = by(one, word).cmp(&by(other, word));
            if descending { order.reverse() } else { order }
        });
    }
    Ok(())
}

fn unsortable(asked: &str) -> Problem {
    Problem::invalid_field("sort", &format!("cannot sort by '{asked}'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_25_entries_unless_told_and_never_more_than_50() {
        let shown = |per_page| {
            let page =
                Page::asked(None, per_page).unwrap().of("things", things(120), false, Value::from);
            page["things"].as_array().unwrap().len()
        };
        assert_eq!([None, Some("50"), Some("200"), Some("7")].map(shown), [25, 50, 50, 7]);
    }

    #[test]
    fn only_the_last_page_names_no_next_one() {
        let next = |number: &str| {
            let page = Page::asked(Some(number), Some("50")).unwrap();
            page.of("things", things(120), false, Value::from)["meta"]["pagination"]["next_page"]
                .clone()
        };
        assert_eq!(["1", "2", "3", "9"].map(next), [json!(2), json!(3), Value::Null, Value::Null]);
    }

    #[test]
    fn totals_are_told_unless_silent() {
        let meta = |silent| {
            let page =
                Page::asked(Some("2"), None).unwrap().of("things", things(60), silent, Value::from);
            page["meta"]["pagination"].clone()
        };
        assert_eq!(
            meta(false),
            json!({ "page": 2, "per_page": 25, "previous_page": 1, "next_page": 3,
                    "last_page": 3, "total_entries": 60 })
        );
        assert_eq!(
            meta(true),
            json!({ "page": 2, "per_page": 25, "previous_page": 1, "next_page": 3,
                    "last_page": null, "total_entries": null })
        );
    }

    #[test]
    fn a_page_that_is_no_number_is_refused() {
        for (page, per_page) in [("0", "1"), ("x", "1"), ("1", "0"), ("1", "-5")] {
            assert_eq!(Page::asked(Some(page), Some(per_page)).unwrap_err().status, 422);
        }
        let huge = Page::asked(Some("18446744073709551615"), None).unwrap();
        assert_eq!(huge.of("things", things(3), false, Value::from)["things"], json!([]));
    }

    fn things(count: u64) -> Vec<u64> {
        (0..count).collect()
    }
}

//! Filters of lists: every one must fit, each with any of its values.

use std::collections::BTreeMap;

use super::params::Params;
use super::problem::Problem;

/// The most values of one filter.
const MOST_VALUES: usize = 200;

/// What a resource offers to filters: for each name all values it has.
pub(super) type Facets = BTreeMap<String, Vec<String>>;

/// The filters of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Filters(Vec<(String, Vec<String>)>);

impl Filters {
    /// Takes them from a request. `known` are the names there are; one that ends in a colon is the
    /// beginning of many.
    ///
    /// # Errors
    /// A name that is not known, or no values.
    pub(super) fn take(params: &mut Params, known: &[&str]) -> Result<Self, Problem> {
        let mut filters = Vec::new();
        for mut filter in params.list("Filter")? {
            let name = filter.required("Name")?;
            let values = filter.texts("Value")?;
            filter.finish()?;
            let fits =
                |known: &str| known == name || (known.ends_with(':') && name.starts_with(known));
            if !known.iter().any(|known| fits(known)) {
                let message = format!("The filter '{name}' is invalid");
                return Err(Problem::new(400, "InvalidParameterValue", message));
            }
            if values.is_empty() {
                return Err(Problem::new(
                    400,
                    "InvalidParameterValue",
                    "The filter 'null' is invalid",
                ));
            }
            if values.len() > MOST_VALUES {
                let message = format!(
                    "The maximum number of filter values specified on a single call is {MOST_VALUES}"
                );
                return Err(Problem::new(400, "FilterLimitExceeded", message));
            }
            filters.push((name, values));
        }
        Ok(Self(filters))
    }

    /// The values of one of them.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|(known, _)| known == name);
        named.flat_map(|(_, values)| values.iter().map(String::as_str)).collect()
    }

    /// Whether they pick a resource.
    pub(super) fn pick(&self, facets: &Facets) -> bool {
        self.0.iter().all(|(name, patterns)| {
            let values = facets.get(name).map(Vec::as_slice).unwrap_or_default();
            values.iter().any(|value| patterns.iter().any(|pattern| fits(pattern, value)))
        })
    }
}

/// Facets from pairs.
pub(super) fn facets<const N: usize>(pairs: [(&str, Vec<String>); N]) -> Facets {
    pairs.into_iter().map(|(name, values)| (name.to_owned(), values)).collect()
}

/// Adds what filters see of tags.
pub(super) fn add_tags<'a>(
    facets: &mut Facets,
    tags: impl IntoIterator<Item = (&'a String, &'a String)>,
) {
    for (key, value) in tags {
        facets.entry("tag-key".to_owned()).or_default().push(key.clone());
        facets.entry(format!("tag:{key}")).or_default().push(value.clone());
    }
}

/// Whether a text fits a pattern, in which `*` stands for anything, `?` for any one letter, and
/// either for itself behind a backslash.
fn fits(pattern: &str, text: &str) -> bool {
    fn rest(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', more @ ..], _) => (0..=text.len()).any(|skipped| rest(more, &text[skipped..])),
            (['?', more @ ..], [_, left @ ..]) => rest(more, left),
            (['\\', wanted, more @ ..] | [wanted, more @ ..], [letter, left @ ..]) => {
                wanted == letter && rest(more, left)
            }
            ([], [_, ..]) | ([_, ..], []) => false,
        }
    }
    let letters = |text: &str| text.chars().collect::<Vec<_>>();
    rest(&letters(pattern), &letters(text))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_pattern_has_two_wildcards_that_can_be_escaped() {
        for (pattern, text, expected) in [
            ("web", "web", true),
            ("web", "Web", false),
            ("web-*", "web-1", true),
            ("*amd64*2026*", "ubuntu-amd64-server-20260801", true),
            ("web-?", "web-12", false),
            (r"a\*", "a*", true),
            (r"a\*", "ab", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}

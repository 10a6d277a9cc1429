//! The parameters of a request, `Filter.1.Value.2=x`, as the tree they spell. Every one must be
//! asked for.

use std::collections::BTreeMap;

use super::problem::Problem;

/// A place in the tree: a value, parts, or both.
#[derive(Clone, Debug, Default)]
pub(super) struct Params {
    path: String,
    value: Option<String>,
    parts: BTreeMap<String, Self>,
}

impl Params {
    /// Reads a form-encoded body.
    ///
    /// # Errors
    /// A parameter is given twice.
    pub(super) fn read(body: &[u8]) -> Result<Self, Problem> {
        let mut root = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            let mut place = &mut root;
            for segment in name.split('.') {
                let path = joined(&place.path, segment);
                let fresh = || Self { path, ..Self::default() };
                place = place.parts.entry(segment.to_owned()).or_insert_with(fresh);
            }
            if place.value.replace(value.into_owned()).is_some() {
                let message = format!("The parameter {name} is given more than once");
                return Err(Problem::new(400, "MalformedQueryString", message));
            }
        }
        Ok(root)
    }

    /// All that is here and below, by full name.
    pub(super) fn flat(&self) -> BTreeMap<String, String> {
        let below = self.parts.values().flat_map(Self::flat);
        below.chain(self.value.iter().map(|value| (self.path.clone(), value.clone()))).collect()
    }

    /// A structure; empty when nothing of it is given.
    pub(super) fn group(&mut self, name: &str) -> Self {
        let absent = || Self { path: joined(&self.path, name), ..Self::default() };
        self.parts.remove(name).unwrap_or_else(absent)
    }

    /// Whether nothing is left to ask for.
    pub(super) fn is_empty(&self) -> bool {
        self.value.is_none() && self.parts.is_empty()
    }

    /// A list of structures or values.
    ///
    /// # Errors
    /// Its entries are not numbered from 1.
    pub(super) fn list(&mut self, name: &str) -> Result<Vec<Self>, Problem> {
        let Some(list) = self.parts.remove(name) else { return Ok(Vec::new()) };
        let mut entries = BTreeMap::new();
        for (key, entry) in list.parts {
            match key.parse::<usize>() {
                Ok(number) if number > 0 && key == number.to_string() => {
                    entries.insert(number, entry);
                }
                Ok(_) | Err(_) => return Err(Problem::unknown_parameter(&entry.path)),
            }
        }
        if list.value.is_some() || entries.keys().copied().ne(1..=entries.len()) {
            return Err(Problem::invalid(&list.path, "its entries must be numbered from 1"));
        }
        Ok(entries.into_values().collect())
    }

    /// A list of texts.
    ///
    /// # Errors
    /// As [`Params::list`], or an entry is no text.
    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, Problem> {
        self.list(name)?.into_iter().map(Self::into_text).collect()
    }

    fn into_text(mut self) -> Result<String, Problem> {
        let value = self.value.take();
        self.finish()?;
        value.ok_or_else(Problem::malformed)
    }

    /// A text.
    ///
    /// # Errors
    /// It is a structure.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        self.parts.remove(name).map(Self::into_text).transpose()
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn required(&mut self, name: &str) -> Result<String, Problem> {
        let path = joined(&self.path, name);
        let given = self.text(name)?.filter(|text| !text.is_empty());
        given.ok_or_else(|| Problem::missing(&path))
    }

    /// One of some words.
    ///
    /// # Errors
    /// It is another.
    pub(super) fn word(&mut self, name: &str, known: &[&str]) -> Result<Option<String>, Problem> {
        let given = self.text(name)?;
        match &given {
            Some(word) if !known.contains(&word.as_str()) => {
                let path = joined(&self.path, name);
                let message = format!("'{word}' is none of {}", known.join(", "));
                Err(Problem::invalid(&path, &message))
            }
            Some(_) | None => Ok(given),
        }
    }

    /// A number that is not negative.
    ///
    /// # Errors
    /// It is no such number.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<u32>, Problem> {
        let path = joined(&self.path, name);
        let wrong = |text: &String| Problem::invalid(&path, &format!("'{text}' is no number"));
        self.text(name)?.map(|text| text.parse().map_err(|_| wrong(&text))).transpose()
    }

    /// Yes or no.
    ///
    /// # Errors
    /// It is neither.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        Ok(self.word(name, &["true", "false"])?.map(|word| word == "true"))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// There is something nobody asked for.
    pub(super) fn finish(self) -> Result<(), Problem> {
        match self.flat().keys().next() {
            Some(path) => Err(Problem::unknown_parameter(path)),
            None => Ok(()),
        }
    }
}

fn joined(path: &str, segment: &str) -> String {
    if path.is_empty() { segment.to_owned() } else { format!("{path}.{segment}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_spell_a_tree_and_what_is_not_asked_for_is_named() {
        let mut params =
            Params::read(b"Filter.1.Name=tag%3Aa&Filter.1.Value.1=x&Filter.1.Value.2=y&Max=5")
                .unwrap();
        assert_eq!(params.number("Max").unwrap(), Some(5));
        let mut filters = params.list("Filter").unwrap();
        assert_eq!(filters[0].text("Name").unwrap().as_deref(), Some("tag:a"));
        assert_eq!(filters[0].texts("Value").unwrap(), ["x", "y"]);
        assert!(filters.remove(0).finish().is_ok() && params.finish().is_ok());
        let mut params = Params::read(b"Filter.1.Name=a&Filter.1.Values.1=x").unwrap();
        let mut filter = params.list("Filter").unwrap().remove(0);
        assert!(filter.text("Name").is_ok());
        let problem = filter.finish().unwrap_err();
        assert_eq!(problem.code(), "UnknownParameter");
        assert!(problem.message().contains("Filter.1.Values.1"));
    }

    #[test]
    fn lists_are_numbered_from_one_and_nothing_is_given_twice() {
        for (body, code) in [
            ("A.0=x", "UnknownParameter"),
            ("A.01=x", "UnknownParameter"),
            ("A.x=x", "UnknownParameter"),
            ("A.2=x", "InvalidParameterValue"),
            ("A=x", "InvalidParameterValue"),
            ("A.1.Name=x", "UnknownParameter"),
        ] {
            let mut params = Params::read(body.as_bytes()).unwrap();
            assert_eq!(params.texts("A").unwrap_err().code(), code, "{body}");
        }
        assert_eq!(Params::read(b"A=1&A=2").unwrap_err().code(), "MalformedQueryString");
        for (body, wrong) in [("N=x", "'x'"), ("N=-1", "'-1'"), ("N=1.5", "'1.5'")] {
            let problem = Params::read(body.as_bytes()).unwrap().number("N").unwrap_err();
            assert!(problem.message().contains(wrong), "{}", problem.message());
        }
        assert!(Params::read(b"F=True").unwrap().flag("F").is_err());
    }
}

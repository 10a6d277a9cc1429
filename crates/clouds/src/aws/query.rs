//! Questions as forms: how the Query protocol of EC2 and STS writes names, lists and filters.

use crate::http::Request;

/// The version of the EC2 API whose answers `wire.rs` reads.
const EC2: &str = "2016-11-15";
const STS: &str = "2011-06-15";

/// A question that is being written.
#[derive(Clone, Debug)]
pub(super) struct Query {
    fields: Vec<(String, String)>,
    filters: usize,
}

impl Query {
    /// An action of EC2.
    pub(super) fn ec2(action: &str) -> Self {
        Self::new(action, EC2)
    }

    /// An action of STS.
    pub(super) fn sts(action: &str) -> Self {
        Self::new(action, STS)
    }

    /// A parameter.
    pub(super) fn with(mut self, key: impl Into<String>, value: impl ToString) -> Self {
        self.fields.push((key.into(), value.to_string()));
        self
    }

    /// A list of values: `Key.1`, `Key.2` and so on.
    pub(super) fn with_list<'a>(
        self,
        key: &str,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let numbered = values.into_iter().enumerate();
        numbered.fold(self, |query, (at, value)| query.with(format!("{key}.{}", at + 1), value))
    }

    /// Only what has one of these values; `*` and `?` in a value stand for others.
    pub(super) fn filtered<'a>(
        mut self,
        name: &str,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.filters += 1;
        let key = format!("Filter.{}", self.filters);
        self.with(format!("{key}.Name"), name).with_list(&format!("{key}.Value"), values)
    }

    /// Pairs of key and value: `Key.1.Key`, `Key.1.Value` and so on.
    pub(super) fn with_tags<'a>(
        self,
        key: &str,
        tags: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Self {
        tags.into_iter().enumerate().fold(self, |query, (at, (name, value))| {
            let number = at + 1;
            query
                .with(format!("{key}.{number}.Key"), name)
                .with(format!("{key}.{number}.Value"), value)
        })
    }

    /// The request that asks it.
    pub(super) fn request(self) -> Request {
        Request::form(self.fields)
    }

    fn new(action: &str, version: &str) -> Self {
        let query = Self { fields: Vec::new(), filters: 0 };
        query.with("Action", action).with("Version", version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_filters_and_tags_are_numbered_from_one() {
        let tags = [("a".to_owned(), "1".to_owned())];
        let query = Query::ec2("DescribeX")
            .filtered("x", ["a", "b"])
            .filtered("y", ["c"])
            .with_list("Id", ["i", "j"])
            .with_tags("Tag", tags.iter().map(|(key, value)| (key, value)));
        let expected = [
            "Action=DescribeX",
            "Version=2016-11-15",
            "Filter.1.Name=x",
            "Filter.1.Value.1=a",
            "Filter.1.Value.2=b",
            "Filter.2.Name=y",
            "Filter.2.Value.1=c",
            "Id.1=i",
            "Id.2=j",
            "Tag.1.Key=a",
            "Tag.1.Value=1",
        ];
        assert_eq!(query.request().fields(), expected);
    }
}

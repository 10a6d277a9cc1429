use reqwest::Method;
use serde_json::Value;

/// One request to an API, relative to its base URL. Holds no credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(super) method: Method,
    /// Segments of the path, not encoded yet, so that no value can add segments.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
}

impl Request {
    /// Reads something.
    pub(crate) fn get<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Makes something, or starts an action.
    pub(crate) fn post<'a>(path: impl IntoIterator<Item = &'a str>, body: Value) -> Self {
        Self { body: Some(body), ..Self::new(Method::POST, path) }
    }

    /// Starts an action that needs no more words.
    pub(crate) fn act<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Method::POST, path)
    }

    /// Replaces something.
    pub(crate) fn put<'a>(path: impl IntoIterator<Item = &'a str>, body: Value) -> Self {
        Self { body: Some(body), ..Self::new(Method::PUT, path) }
    }

    /// Removes something.
    pub(crate) fn delete<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Adds a parameter to the query.
    pub(crate) fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.query.push((key, value.to_string()));
        self
    }

    /// Adds a body to a request that usually has none.
    pub(crate) fn with_body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    /// What the request says, for tests of exchanges: method, path and query, and the body.
    #[cfg(test)]
    pub(crate) fn told(&self) -> (String, Option<&Value>) {
        let query: Vec<String> =
            self.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let line = format!("{} /{}{mark}{}", self.method, self.path.join("/"), query.join("&"));
        (line, self.body.as_ref())
    }

    fn new<'a>(method: Method, path: impl IntoIterator<Item = &'a str>) -> Self {
        let path = path.into_iter().map(str::to_owned).collect();
        Self { method, path, query: Vec::new(), body: None }
    }
}

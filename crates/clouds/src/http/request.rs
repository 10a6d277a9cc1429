use reqwest::Method;
use serde_json::Value;
use stagecraft_core::identity::UserData;

use super::token::Token;

/// One request to an API, relative to its base URL. Holds no credentials, and shows no user data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(super) method: Method,
    /// Segments of the path, not encoded yet, so that no value can add segments.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(&'static str, String)>,
    body: Option<Value>,
    user_data: Option<UserData>,
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

    /// Adds what the first boot of an ordered machine is told, as the field `user_data` of the body.
    pub(crate) fn with_user_data(self, data: Option<&UserData>) -> Self {
        Self { user_data: data.cloned(), ..self }
    }

    /// The body as it is sent.
    pub(super) fn to_body(&self) -> Option<String> {
        let Some(data) = &self.user_data else { return self.body.as_ref().map(Value::to_string) };
        let mut body = self.body.clone()?;
        body["user_data"] = data.reveal().into();
        Some(body.to_string())
    }

    /// `text` without anything secret of this request, which an answer may repeat.
    pub(super) fn redact(&self, text: &str) -> String {
        let data = self.user_data.as_ref().map(UserData::reveal).unwrap_or_default();
        // What is secret in user data is a private key: lines that are nothing but base64.
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        let lines =
            data.lines().map(str::trim).filter(|line| line.len() >= 16 && line.bytes().all(base64));
        let secret = lines.filter_map(|line| Token::new(line).ok());
        secret.fold(text.to_owned(), |text, line| line.redact(&text))
    }

    /// What the request says but for user data, for tests of exchanges: method, path and query, and the body.
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
        Self { method, path, query: Vec::new(), body: None, user_data: None }
    }
}

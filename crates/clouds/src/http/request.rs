use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::Value;
use stagecraft_core::identity::UserData;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::answer::Format;
use super::token::Token;

/// What a request says beyond its query.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    Nothing,
    Json(Value),
    Form(Vec<(String, String)>),
}

/// One request to an API, relative to its base URL. Holds no credentials, and shows no user data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(super) method: Method,
    /// Segments of the path, not encoded yet, so that no value can add segments.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
    content_type: &'static str,
    body: Body,
    user_data: Option<UserData>,
}

impl Request {
    /// Reads something.
    pub(crate) fn get<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Makes something, or starts an action.
    pub(crate) fn post<'a>(path: impl IntoIterator<Item = &'a str>, body: Value) -> Self {
        Self { body: Body::Json(body), ..Self::new(Method::POST, path) }
    }

    /// Starts an action that needs no more words.
    pub(crate) fn act<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Method::POST, path)
    }

    /// Replaces something.
    pub(crate) fn put<'a>(path: impl IntoIterator<Item = &'a str>, body: Value) -> Self {
        Self { body: Body::Json(body), ..Self::new(Method::PUT, path) }
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
        Self { body: Body::Json(body), ..self }
    }

    /// Says something as a form to the base URL itself; it is answered in XML.
    pub(crate) fn form(fields: Vec<(String, String)>) -> Self {
        Self {
            body: Body::Form(fields),
            content_type: "application/x-www-form-urlencoded; charset=utf-8",
            ..Self::new(Method::POST, [])
        }
    }

    /// Adds a header. It is signed where requests are.
    pub(crate) fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Says what the body is, where its API has a name of its own for it.
    pub(crate) fn of_type(self, content_type: &'static str) -> Self {
        Self { content_type, ..self }
    }

    /// Adds what the first boot of an ordered machine is told: as the field `user_data` of a body of
    /// JSON, and in base64 as the field `UserData` of a form.
    pub(crate) fn with_user_data(self, data: Option<&UserData>) -> Self {
        Self { user_data: data.cloned(), ..self }
    }

    /// The body as it is sent, and its type.
    pub(super) fn to_body(&self) -> Option<(&'static str, Zeroizing<String>)> {
        let body = match &self.body {
            Body::Nothing => return None,
            Body::Json(value) => match &self.user_data {
                Some(data) => {
                    let mut value = value.clone();
                    value["user_data"] = data.reveal().into();
                    value.to_string()
                }
                None => value.to_string(),
            },
            Body::Form(fields) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(fields);
                if let Some(data) = self.encoded_user_data() {
                    form.append_pair("UserData", &data);
                }
                // Browsers leave it as it is; whoever writes the form anew to check a signature does not.
                form.finish().replace('*', "%2A")
            }
        };
        Some((self.content_type, Zeroizing::new(body)))
    }

    /// How the answer is written.
    pub(super) fn format(&self) -> Format {
        match self.body {
            Body::Nothing | Body::Json(_) => Format::Json,
            Body::Form(_) => Format::Xml,
        }
    }

    /// Whether nothing changes by it. What goes by forms names its action.
    pub(super) fn only_reads(&self) -> bool {
        let reads = |action: &str| ["Describe", "Get"].iter().any(|verb| action.starts_with(verb));
        match &self.body {
            Body::Form(fields) => {
                fields.iter().any(|(name, action)| name == "Action" && reads(action))
            }
            Body::Nothing | Body::Json(_) => self.method == Method::GET,
        }
    }

    fn encoded_user_data(&self) -> Option<Zeroizing<String>> {
        Some(Zeroizing::new(BASE64_STANDARD.encode(self.user_data.as_ref()?.reveal())))
    }

    /// `text` without anything secret of this request, which an answer may repeat.
    pub(super) fn redact(&self, text: &str) -> String {
        let data = self.user_data.as_ref().map(UserData::reveal).unwrap_or_default();
        // What is secret in user data is a private key: lines that are nothing but base64.
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        let lines =
            data.lines().map(str::trim).filter(|line| line.len() >= 16 && line.bytes().all(base64));
        let encoded = match self.body {
            Body::Form(_) => self.encoded_user_data(),
            Body::Nothing | Body::Json(_) => None,
        };
        let encoded = encoded.as_ref().and_then(|text| Token::new(text).ok());
        let secret = lines.filter_map(|line| Token::new(line).ok()).chain(encoded);
        secret.fold(text.to_owned(), |text, line| line.redact(&text))
    }

    /// What the request says but for user data, for tests of exchanges: method, path and query, and the body.
    #[cfg(test)]
    pub(crate) fn told(&self) -> (String, Option<&Value>) {
        let query: Vec<String> =
            self.query.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let line = format!("{} /{}{mark}{}", self.method, self.path.join("/"), query.join("&"));
        match &self.body {
            Body::Json(value) => (line, Some(value)),
            Body::Nothing | Body::Form(_) => (line, None),
        }
    }

    /// The fields of a form but for user data, for tests of exchanges.
    #[cfg(test)]
    pub(crate) fn fields(&self) -> Vec<String> {
        match &self.body {
            Body::Form(fields) => {
                fields.iter().map(|(key, value)| format!("{key}={value}")).collect()
            }
            Body::Nothing | Body::Json(_) => Vec::new(),
        }
    }

    fn new<'a>(method: Method, path: impl IntoIterator<Item = &'a str>) -> Self {
        let path = path.into_iter().map(str::to_owned).collect();
        Self {
            method,
            path,
            query: Vec::new(),
            headers: Vec::new(),
            content_type: "application/json",
            body: Body::Nothing,
            user_data: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_reads_is_known() {
        let action = |name: &str| Request::form(vec![("Action".to_owned(), name.to_owned())]);
        let reads = [Request::get(["a"]), action("DescribeInstances"), action("GetCallerIdentity")];
        assert!(reads.iter().all(Request::only_reads));
        let changes = [
            Request::delete(["a"]),
            Request::act(["a"]),
            Request::post(["a"], Value::Null),
            action("RunInstances"),
            action("CreateTags"),
        ];
        assert!(!changes.iter().any(Request::only_reads));
    }
}

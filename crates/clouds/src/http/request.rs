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
    /// Fields of the body that nobody may see.
    secrets: Vec<(&'static str, Token)>,
    is_text: bool,
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

    /// Asks for something to be made that needs no words.
    pub(crate) fn put_nothing<'a>(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(Method::PUT, path)
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

    /// Adds a secret as a field of the body.
    pub(crate) fn with_secret(mut self, field: &'static str, secret: Token) -> Self {
        self.secrets.push((field, secret));
        self
    }

    /// Says that the answer is a text, and no more.
    pub(crate) fn for_text(self) -> Self {
        Self { is_text: true, ..self }
    }

    /// The body as it is sent, and its type.
    pub(super) fn to_body(&self) -> Option<(&'static str, Zeroizing<String>)> {
        let body = match &self.body {
            Body::Nothing => return None,
            Body::Json(value) if self.user_data.is_none() && self.secrets.is_empty() => {
                value.to_string()
            }
            Body::Json(value) => {
                let mut value = value.clone();
                if let Some(data) = &self.user_data {
                    value["user_data"] = data.reveal().into();
                }
                for (field, secret) in &self.secrets {
                    value[*field] = secret.reveal().into();
                }
                value.to_string()
            }
            Body::Form(fields) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                form.extend_pairs(fields);
                if let Some(data) = self.encoded_user_data() {
                    form.append_pair("UserData", &data);
                }
                form.extend_pairs(self.secrets.iter().map(|(field, of)| (field, of.reveal())));
                // Browsers leave it as it is; whoever writes the form anew to check a signature does not.
                form.finish().replace('*', "%2A")
            }
        };
        Some((self.content_type, Zeroizing::new(body)))
    }

    /// How the answer is written.
    pub(super) fn format(&self) -> Format {
        match self.body {
            _ if self.is_text => Format::Text,
            Body::Nothing | Body::Json(_) => Format::Json,
            Body::Form(_) => Format::Xml,
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
        let fields = self.secrets.iter().map(|(_, of)| of.clone());
        secret.chain(fields).fold(text.to_owned(), |text, line| line.redact(&text))
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
            secrets: Vec::new(),
            is_text: false,
        }
    }
}

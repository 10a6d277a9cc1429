//! The providers' own descriptions of their APIs, as judges of what was asked and answered.
//!
//! They are not part of the project. Where they are not there, whoever asks for one is told so and
//! skips.

mod schema;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::faults::Effect;
use super::record::Exchange;
use schema::translated;

/// How often a reference may lead to another.
const DEEPEST: usize = 8;
/// Where a schema is stricter than its own prose and the API: what may be `null` all the same.
const NULLABLE: [&str; 1] = ["/components/schemas/network_v4/properties/gateway"];

/// An OpenAPI description of one provider's API.
#[derive(Debug)]
pub struct Description {
    /// What the provider published.
    answers: Document,
    /// The same, with bodies of requests that refuse what it does not know.
    requests: Document,
}

#[derive(Debug)]
struct Document {
    root: Value,
    /// What the paths of the description leave out.
    base: String,
    components: Value,
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
}

/// One operation of a description.
#[derive(Clone, Copy, Debug)]
struct Operation<'a> {
    /// Its place, for remembering what is made of it.
    path: &'a str,
    value: &'a Value,
    shared: &'a Value,
}

impl Description {
    /// The description of `provider`, as it begins the names of the files; `None` when there is
    /// none on this machine.
    ///
    /// # Panics
    /// There is one that cannot be read.
    #[must_use]
    pub fn load(provider: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs");
        let answers = newest(&folder, provider, ".subset.json")?;
        let requests = newest(&folder, provider, ".strict-requests.json")?;
        Some(Self { answers: Document::read(&answers), requests: Document::read(&requests) })
    }

    /// A description from its text, strict for requests as it is.
    ///
    /// # Panics
    /// It is no description.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self { answers: Document::parse(text), requests: Document::parse(text) }
    }

    /// What is wrong with an answer, and with the request if it was answered as if it were right.
    #[must_use]
    pub fn check(&self, exchange: &Exchange) -> Vec<String> {
        let accepted = exchange.status.is_some_and(|status| (200..300).contains(&status));
        let mut wrong = if accepted { self.check_request(exchange) } else { Vec::new() };
        wrong.extend(self.check_answer(exchange));
        wrong
    }

    /// What is wrong with a request, however it was answered.
    #[must_use]
    pub fn check_request(&self, exchange: &Exchange) -> Vec<String> {
        let document = &self.requests;
        let Some(operation) = document.operation(exchange) else {
            return vec![format!("{exchange}: there is no such operation")];
        };
        let mut wrong = document.query(operation, exchange);
        let content = document.follow(&operation.value["requestBody"]);
        match (&exchange.request, document.body_schema(content)) {
            (Some(body), Some(schema)) => {
                let place = format!("{} {} request", exchange.method, operation.path);
                wrong.extend(document.judge(&place, schema, body));
            }
            (Some(_), None) => wrong.push("a body that is not described".to_owned()),
            (None, _) if content["required"] == true => wrong.push("no body".to_owned()),
            (None, _) => {}
        }
        wrong.into_iter().map(|wrong| format!("{exchange}: request: {wrong}")).collect()
    }

    /// What is wrong with an answer, unless a fault spoiled it.
    #[must_use]
    pub fn check_answer(&self, exchange: &Exchange) -> Vec<String> {
        let Some(status) = exchange.status.filter(|_| !is_spoiled(exchange)) else {
            return Vec::new();
        };
        let document = &self.answers;
        let Some(operation) = document.operation(exchange) else {
            // What is not described is refused.
            let refused = matches!(status, 401 | 403 | 404 | 405 | 410 | 413 | 429);
            return if refused {
                Vec::new()
            } else {
                vec![format!("{exchange}: there is no such operation")]
            };
        };
        let Some((word, response)) = document.response(operation, status) else {
            return vec![format!("{exchange}: answer: the status is not described")];
        };
        let place = format!("{} {} {word}", exchange.method, operation.path);
        let mut wrong = match (&exchange.answer, document.body_schema(response)) {
            (Some(body), Some(schema)) => document.judge(&place, schema, body),
            (Some(_), None) => vec!["a body that is not described".to_owned()],
            (None, Some(_)) => vec!["no body".to_owned()],
            (None, None) => Vec::new(),
        };
        wrong.extend(document.headers(&place, response, exchange));
        wrong.into_iter().map(|wrong| format!("{exchange}: answer: {wrong}")).collect()
    }
}

impl Document {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path);
        Self::parse(&text.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    fn parse(text: &str) -> Self {
        let mut root: Value = serde_json::from_str(text).expect("a description is JSON");
        for place in NULLABLE {
            if let Some(schema) = root.pointer_mut(place) {
                schema["nullable"] = Value::Bool(true);
            }
        }
        let url = root.pointer("/servers/0/url").and_then(Value::as_str).unwrap_or_default();
        let base = url::Url::parse(url).map(|url| url.path().trim_end_matches('/').to_owned());
        let schemas = root.pointer("/components/schemas").and_then(Value::as_object);
        let schemas = schemas.into_iter().flatten();
        let schemas: serde_json::Map<String, Value> =
            schemas.map(|(name, schema)| (name.clone(), translated(schema))).collect();
        let components = json!({ "schemas": schemas });
        Self { base: base.unwrap_or_default(), root, components, validators: Mutex::default() }
    }

    /// The operation that an exchange is one of; a path without parameters goes before one with.
    fn operation(&self, exchange: &Exchange) -> Option<Operation<'_>> {
        let path = exchange.path.strip_prefix(&self.base)?;
        let segments: Vec<&str> = path.split('/').collect();
        let method = exchange.method.to_lowercase();
        let paths = self.root["paths"].as_object()?;
        let parameters = |template: &str| template.matches('{').count();
        paths
            .iter()
            .filter(|(template, _)| fits(template, &segments))
            .filter_map(|(template, item)| {
                let value = item.get(&method)?;
                Some(Operation { path: template, value, shared: &item["parameters"] })
            })
            .min_by_key(|operation| parameters(operation.path))
    }

    /// Where a reference leads, or the value itself.
    fn follow<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        for _ in 0..DEEPEST {
            let Some(target) = value["$ref"].as_str() else { break };
            value = self.root.pointer(target.trim_start_matches('#')).unwrap_or(&Value::Null);
        }
        value
    }

    fn body_schema<'a>(&self, holder: &'a Value) -> Option<&'a Value> {
        holder.pointer("/content/application~1json/schema")
    }

    fn response<'a>(
        &'a self,
        operation: Operation<'a>,
        status: u16,
    ) -> Option<(String, &'a Value)> {
        let class = format!("{}XX", status / 100);
        let words = [status.to_string(), class, "default".to_owned()];
        words.into_iter().find_map(|word| {
            let response = operation.value["responses"].get(&word)?;
            Some((word, self.follow(response)))
        })
    }

    fn query(&self, operation: Operation<'_>, exchange: &Exchange) -> Vec<String> {
        let own = operation.value["parameters"].as_array().into_iter().flatten();
        let shared = operation.shared.as_array().into_iter().flatten();
        let described: Vec<&Value> = own
            .chain(shared)
            .map(|parameter| self.follow(parameter))
            .filter(|parameter| parameter["in"] == "query")
            .collect();
        let mut wrong = Vec::new();
        let mut given: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, value) in &exchange.query {
            given.entry(name).or_default().push(value);
        }
        for (name, values) in &given {
            let Some(parameter) = described.iter().find(|known| known["name"] == *name) else {
                wrong.push(format!("the query parameter `{name}` is not described"));
                continue;
            };
            let place = format!("{} {} query {name}", exchange.method, operation.path);
            let readings = readings(values);
            let fits = |value: &Value| self.judge(&place, &parameter["schema"], value).is_empty();
            if !readings.iter().any(fits) {
                wrong.push(format!("the query parameter `{name}` cannot be {values:?}"));
            }
        }
        for parameter in described.iter().filter(|parameter| parameter["required"] == true) {
            let name = parameter["name"].as_str().unwrap_or_default();
            if !given.contains_key(name) {
                wrong.push(format!("the query parameter `{name}` is missing"));
            }
        }
        wrong
    }

    fn headers(&self, place: &str, response: &Value, exchange: &Exchange) -> Vec<String> {
        let described = response["headers"].as_object().into_iter().flatten();
        described
            .filter_map(|(name, header)| {
                let value = exchange.header(name)?;
                let schema = &self.follow(header)["schema"];
                let place = format!("{place} header {name}");
                let fits = |value: &Value| self.judge(&place, schema, value).is_empty();
                let fine = readings(&[value]).iter().any(fits);
                (!fine).then(|| format!("the header `{name}` cannot be `{value}`"))
            })
            .collect()
    }

    /// What a schema has against a value. Schemas are remembered by their `place`.
    fn judge(&self, place: &str, schema: &Value, value: &Value) -> Vec<String> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let validator = validators.entry(place.to_owned()).or_insert_with(|| {
            let whole = json!({ "allOf": [translated(schema)], "components": self.components });
            let made = jsonschema::options()
                .with_draft(jsonschema::Draft::Draft7)
                .should_validate_formats(true)
                .build(&whole);
            Arc::new(made.unwrap_or_else(|error| panic!("{place}: {error}")))
        });
        let validator = validator.clone();
        drop(validators);
        validator
            .iter_errors(value)
            .map(|error| format!("`{}`: {error}", error.instance_path()))
            .collect()
    }
}

/// The last of the files by name, which begin with a version or date.
fn newest(folder: &Path, provider: &str, ending: &str) -> Option<PathBuf> {
    let files = fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|file| file.path());
    files
        .filter(|file| {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(provider) && name.ends_with(ending)
        })
        .max()
}

fn fits(template: &str, segments: &[&str]) -> bool {
    let wanted: Vec<&str> = template.split('/').collect();
    wanted.len() == segments.len()
        && wanted.iter().zip(segments).all(|(wanted, segment)| {
            wanted == segment || (wanted.starts_with('{') && !segment.is_empty())
        })
}

/// What the text of a parameter can mean: itself, a number or truth value, a list of either.
fn readings(values: &[&str]) -> Vec<Value> {
    let texts: Vec<Value> = values.iter().map(|text| Value::from(*text)).collect();
    let parsed: Vec<Value> = values
        .iter()
        .map(|text| serde_json::from_str(text).unwrap_or_else(|_| Value::from(*text)))
        .collect();
    let mut readings = vec![Value::from(texts.clone()), Value::from(parsed.clone())];
    if values.len() == 1 {
        readings.extend(texts);
        readings.extend(parsed);
    }
    readings
}

/// Whether the answer is not the front end's.
fn is_spoiled(exchange: &Exchange) -> bool {
    match &exchange.fault {
        None
        | Some(
            Effect::Slow { .. }
            | Effect::Status { .. }
            | Effect::RateLimited { .. }
            | Effect::LostAnswer
            | Effect::Truncated
            | Effect::NotJson
            | Effect::Huge { .. }
            | Effect::Cut,
        ) => false,
        Some(Effect::Html { .. } | Effect::Redirect { .. }) => true,
    }
}

#[cfg(test)]
mod tests;

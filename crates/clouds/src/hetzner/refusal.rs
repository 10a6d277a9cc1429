//! What the API's errors mean.
//!
//! An error has a code, and the code decides: one shortage of servers comes with different statuses.
//! The status decides only where there is no code, or one that nobody has described.

use std::time::Duration;

use serde_json::Value;
use stagecraft_core::cloud::CloudErrorKind;

use super::wire::{Problem, Refused};
use crate::http::{Answer, Dialect, Refusal};

/// The code of an answer that says that something does not exist.
pub(super) const NOT_FOUND: &str = "not_found";
/// The code of an answer that says that something unique is taken.
pub(super) const TAKEN: &str = "uniqueness_error";
/// The code of an answer that says that the project may not have more.
pub(super) const LIMIT: &str = "resource_limit_exceeded";

/// A server that is busy is free again after some seconds.
const BUSY: Duration = Duration::from_secs(2);
/// The budget of requests is refilled with one every second.
const REFILLED: Duration = Duration::from_secs(2);
/// Maintenance takes longer than a server is busy.
const MAINTAINED: Duration = Duration::from_secs(10);

const NEW_TOKEN: &str = "make a token with Read & Write permission in the Hetzner Console, under \
                         Security > API tokens of the project, and put it into the variable that \
                         `token_env` names";
const READ_AND_WRITE: &str = "use a token with Read & Write permission, made in the Hetzner \
                              Console under Security > API tokens of the project";
const OTHER_PLACE: &str = "choose another `region` or another `size` for the host; `stagecraft \
                           validate --online` says what can be ordered now";
const NO_ROOM: &str = "choose another `size` or `region`, or try again later";
const RAISE_LIMIT: &str = "see the limits of the project in the Hetzner Console under Limits, and \
                           ask there for higher ones";
const CHECK_KEY: &str = "check `ssh_key_name`; `stagecraft validate --online` lists the keys of \
                         the project";
const UNPROTECT: &str = "take the protection off the server in the Hetzner Console if it is to go";
const CHECK_URL: &str =
    "check `api_url`: it ends with the version, as in `https://api.hetzner.cloud/v1`";
const ITS_STATUS: &str = "this is at Hetzner's end: see https://status.hetzner.com, and run the \
                          command again later";
const NEWER: &str = "the API has changed; use a newer version of stagecraft";

/// How Hetzner Cloud says no.
#[derive(Debug)]
pub(super) struct Hetzner;

impl Dialect for Hetzner {
    fn refusal(&self, answer: &Answer) -> Refusal {
        let problem = answer.json::<Refused>().map(|refused| refused.error).unwrap_or_default();
        let code = problem.code.as_deref().unwrap_or_default().trim().to_ascii_lowercase();
        let mut refusal = meaning(answer.status, &code, &problem);
        if let Some(pause) = answer.retry_after() {
            refusal.retry_after = pause.max(refusal.retry_after);
        }
        // The path was wrong, which says nothing of what it was to lead to.
        let code = if code == NOT_FOUND && is_no_route(&problem) { String::new() } else { code };
        Refusal { code, maybe_done: answer.status >= 500, ..refusal }
    }

    fn request_id(&self, answer: &Answer) -> Option<String> {
        let id = answer.header("x-correlation-id").or_else(|| answer.header("x-request-id"))?;
        (!id.trim().is_empty()).then(|| id.trim().to_owned())
    }
}

fn meaning(status: u16, code: &str, problem: &Problem) -> Refusal {
    use CloudErrorKind as Kind;

    let message = message(status, problem);
    let is = |class: fn(String) -> Kind| Refusal::new(class, message.clone());
    match code {
        "unauthorized" => is(Kind::InvalidCredentials).with_hint(NEW_TOKEN),
        "token_readonly" | "forbidden" => is(Kind::Forbidden).with_hint(READ_AND_WRITE),
        LIMIT => is(Kind::QuotaExceeded).with_hint(RAISE_LIMIT),
        "rate_limit_exceeded" | "limit_reached" => is(rate_limited).after(REFILLED),
        "conflict" | "locked" | "server_not_stopped" => is(Kind::ProviderFault).after(BUSY),
        "maintenance" | "robot_unavailable" => is(Kind::ProviderFault).after(MAINTAINED),
        "server_error" | "bad_gateway" | "unavailable" | "timeout" | "service_error"
        | "unknown_error" => is(Kind::ProviderFault).with_hint(ITS_STATUS),
        TAKEN => is(Kind::Conflict),
        "resource_unavailable" | "placement_error" | "no_space_left_in_location" => {
            is(Kind::SoldOut).with_hint(NO_ROOM)
        }
        "protected" => is(Kind::InvalidInput).with_hint(UNPROTECT),
        "invalid_input" => {
            let words = message.to_ascii_lowercase();
            let refusal = is(Kind::InvalidInput);
            if words.contains("unsupported location") {
                refusal.with_hint(OTHER_PLACE)
            } else if words.contains("ssh_key") || words.contains("ssh key") {
                refusal.with_hint(CHECK_KEY)
            } else {
                refusal
            }
        }
        NOT_FOUND if is_no_route(problem) => is(Kind::UnexpectedAnswer).with_hint(CHECK_URL),
        NOT_FOUND => is(Kind::NotFound),
        "deprecated_api_endpoint" | "method_not_allowed" | "json_error" => {
            is(Kind::UnexpectedAnswer).with_hint(NEWER)
        }
        _ => match status {
            401 => is(Kind::InvalidCredentials).with_hint(NEW_TOKEN),
            403 => is(Kind::Forbidden).with_hint(READ_AND_WRITE),
            404 | 405 | 410 if code.is_empty() => is(Kind::UnexpectedAnswer).with_hint(CHECK_URL),
            404 => is(Kind::NotFound),
            405 | 410 => is(Kind::UnexpectedAnswer).with_hint(NEWER),
            423 => is(Kind::ProviderFault).after(BUSY),
            429 => is(rate_limited).after(REFILLED),
            408 | 500.. => is(Kind::ProviderFault).with_hint(ITS_STATUS),
            _ => is(Kind::InvalidInput),
        },
    }
}

fn rate_limited(message: String) -> CloudErrorKind {
    CloudErrorKind::RateLimited { after: None, message }
}

fn is_no_route(problem: &Problem) -> bool {
    problem.message.as_ref().is_some_and(|message| message.contains("route not found"))
}

/// What went wrong in the provider's words, with what the details say beyond the message.
fn message(status: u16, problem: &Problem) -> String {
    let Problem { code, message, details } = problem;
    let told = [message, code].into_iter().flatten().map(|text| text.trim());
    let mut words = told
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .next()
        .unwrap_or_else(|| format!("status {status} without a word of explanation"));
    let said = details.as_ref().map(|details| said(details, &words)).unwrap_or_default();
    if !said.is_empty() {
        words = format!("{words} ({})", said.join("; "));
    }
    words
}

/// Limits that are reached, and fields with what is wrong with them, where `words` are silent.
fn said(details: &Value, words: &str) -> Vec<String> {
    let named = |key: &str| details[key].as_array().into_iter().flatten();
    let name = |of: &Value| of["name"].as_str().map(str::to_owned);
    let limits = named("limits").filter_map(name).filter(|limit| !words.contains(limit));
    let fields = named("fields").filter_map(|field| {
        let messages = field["messages"].as_array().into_iter().flatten();
        let messages: Vec<&str> =
            messages.filter_map(Value::as_str).filter(|text| !words.contains(text)).collect();
        let silent = messages.is_empty();
        let name = name(field)?;
        match (silent, words.contains(&name)) {
            (true, true) => None,
            (true, false) => Some(format!("`{name}`")),
            (false, _) => Some(format!("`{name}`: {}", messages.join(", "))),
        }
    });
    limits.chain(fields).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stagecraft_core::cloud::CloudErrorKind as Kind;

    use super::*;

    type Class = fn(String) -> Kind;

    #[test]
    fn every_code_has_its_class_whatever_its_status() {
        let input: Class = Kind::InvalidInput;
        let rows: [(u16, &str, Class, u64); 27] = [
            (401, "unauthorized", Kind::InvalidCredentials, 0),
            (401, "token_readonly", Kind::Forbidden, 0),
            (403, "forbidden", Kind::Forbidden, 0),
            (403, "resource_limit_exceeded", Kind::QuotaExceeded, 0),
            (403, "maintenance", Kind::ProviderFault, 10),
            (404, "not_found", Kind::NotFound, 0),
            (405, "method_not_allowed", Kind::UnexpectedAnswer, 0),
            (410, "deprecated_api_endpoint", Kind::UnexpectedAnswer, 0),
            (409, "uniqueness_error", Kind::Conflict, 0),
            (409, "conflict", Kind::ProviderFault, 2),
            (412, "resource_unavailable", Kind::SoldOut, 0),
            (412, "primary_ip_version_mismatch", input, 0),
            (422, "invalid_input", input, 0),
            (422, "placement_error", Kind::SoldOut, 0),
            (422, "no_space_left_in_location", Kind::SoldOut, 0),
            (422, "service_error", Kind::ProviderFault, 0),
            (422, "unsupported_error", input, 0),
            (422, "primary_ip_assigned", input, 0),
            (422, "resource_in_use", input, 0),
            (423, "locked", Kind::ProviderFault, 2),
            (423, "protected", input, 0),
            (429, "rate_limit_exceeded", rate_limited, 2),
            (500, "server_error", Kind::ProviderFault, 0),
            (502, "bad_gateway", Kind::ProviderFault, 0),
            (503, "unavailable", Kind::ProviderFault, 0),
            (504, "timeout", Kind::ProviderFault, 0),
            // The same shortage as above.
            (503, "resource_unavailable", Kind::SoldOut, 0),
        ];
        for (status, code, class, pause) in rows {
            let refusal = refused(status, code, "it says so", Value::Null);
            assert_eq!(kind(&refusal), class("it says so".to_owned()), "{code}");
            assert_eq!(refusal.retry_after, Duration::from_secs(pause), "{code}");
            assert_eq!(refusal.maybe_done, status >= 500, "{code}");
            assert_eq!(refusal.code, code);
        }
    }

    #[test]
    fn the_status_decides_where_there_is_no_code_that_is_known() {
        let rows: [(u16, Class); 14] = [
            (400, Kind::InvalidInput),
            (401, Kind::InvalidCredentials),
            (403, Kind::Forbidden),
            (404, Kind::NotFound),
            (405, Kind::UnexpectedAnswer),
            (408, Kind::ProviderFault),
            (409, Kind::InvalidInput),
            (410, Kind::UnexpectedAnswer),
            (412, Kind::InvalidInput),
            (422, Kind::InvalidInput),
            (423, Kind::ProviderFault),
            (429, rate_limited),
            (500, Kind::ProviderFault),
            (599, Kind::ProviderFault),
        ];
        for (status, class) in rows {
            let refusal = refused(status, "moon_phase", "it says so", Value::Null);
            assert_eq!(kind(&refusal), class("it says so".to_owned()), "{status}");
        }
    }

    #[test]
    fn an_answer_that_is_no_json_is_explained_by_its_status() {
        let body = b"<html>Bad Gateway</html>".to_vec();
        let answer = |status| Answer { status, body: body.clone(), ..Answer::default() };
        let refusal = Hetzner.refusal(&answer(502));
        let told = "status 502 without a word of explanation".to_owned();
        assert_eq!((kind(&refusal), refusal.maybe_done), (Kind::ProviderFault(told), true));
        let refusal = Hetzner.refusal(&answer(404));
        assert!(matches!(kind(&refusal), Kind::UnexpectedAnswer(_)), "nothing says it is gone");
        assert_eq!(refusal.code, "");
        assert_eq!(refusal.hints, [CHECK_URL]);
    }

    #[test]
    fn a_wrong_path_is_not_taken_for_something_that_is_gone() {
        let refusal = refused(404, "not_found", "api route not found", Value::Null);
        assert_eq!(kind(&refusal), Kind::UnexpectedAnswer("api route not found".to_owned()));
        assert_ne!(refusal.code, NOT_FOUND);
        assert_eq!(refusal.hints, [CHECK_URL]);
    }

    #[test]
    fn a_limit_is_named() {
        let limits =
            json!({ "limits": [{ "name": "primary_ip_limit" }, { "name": "server_limit" }] });
        let refusal = refused(403, "resource_limit_exceeded", "server_limit exceeded", limits);
        let told = "server_limit exceeded (primary_ip_limit)".to_owned();
        assert_eq!(kind(&refusal), Kind::QuotaExceeded(told));
        assert_eq!(refusal.hints, [RAISE_LIMIT]);
    }

    #[test]
    fn fields_are_shown_with_what_is_wrong_with_them() {
        let fields = json!({ "fields": [
            { "name": "name", "messages": ["is too long", "is no host name"] },
            { "name": "image", "messages": ["invalid input in fields"] },
            { "name": "labels" },
        ]});
        let refusal = refused(422, "invalid_input", "invalid input in fields", fields);
        let told =
            "invalid input in fields (`name`: is too long, is no host name; `image`; `labels`)";
        assert_eq!(kind(&refusal), Kind::InvalidInput(told.to_owned()));
    }

    #[test]
    fn details_may_be_anything() {
        for details in [Value::Null, json!({}), json!([]), json!("x"), json!({ "fields": 7 })] {
            let refusal = refused(422, "invalid_input", "no", details);
            assert_eq!(kind(&refusal), Kind::InvalidInput("no".to_owned()));
        }
        let bare = br#"{"error":{"code":"conflict"}}"#.to_vec();
        let refusal = Hetzner.refusal(&Answer { status: 409, body: bare, ..Answer::default() });
        assert_eq!(kind(&refusal), Kind::ProviderFault("conflict".to_owned()));
    }

    #[test]
    fn every_shortage_says_what_to_choose_instead() {
        for (status, code, message, hint) in [
            (412, "resource_unavailable", "error during placement", NO_ROOM),
            (412, "resource_unavailable", "server location disabled", NO_ROOM),
            (422, "placement_error", "error during placement", NO_ROOM),
            (422, "invalid_input", "unsupported location for server type", OTHER_PLACE),
        ] {
            let refusal = refused(status, code, message, Value::Null);
            assert_eq!(refusal.hints, [hint], "{message}");
        }
    }

    #[test]
    fn an_unknown_key_says_where_the_names_are() {
        let fields = json!({ "fields": [{ "name": "ssh_keys", "messages": ["not found"] }] });
        let refusal = refused(422, "invalid_input", "invalid input in field", fields);
        assert_eq!(refusal.hints, [CHECK_KEY]);
    }

    #[test]
    fn a_longer_pause_that_the_provider_asks_for_is_kept() {
        let mut answer = answer(429, "rate_limit_exceeded", "slow down", Value::Null);
        answer.headers.insert("retry-after".to_owned(), "30".to_owned());
        assert_eq!(Hetzner.refusal(&answer).retry_after, Duration::from_secs(30));
        answer.headers.insert("retry-after".to_owned(), "0".to_owned());
        assert_eq!(Hetzner.refusal(&answer).retry_after, REFILLED);
    }

    #[test]
    fn the_request_id_is_in_a_header() {
        let mut answer = answer(500, "server_error", "oh", Value::Null);
        assert_eq!(Hetzner.request_id(&answer), None);
        answer.headers.insert("x-correlation-id".to_owned(), " 5f1a ".to_owned());
        assert_eq!(Hetzner.request_id(&answer).as_deref(), Some("5f1a"));
    }

    fn kind(refusal: &Refusal) -> Kind {
        (refusal.class)(refusal.message.clone())
    }

    fn refused(status: u16, code: &str, message: &str, details: Value) -> Refusal {
        Hetzner.refusal(&answer(status, code, message, details))
    }

    fn answer(status: u16, code: &str, message: &str, details: Value) -> Answer {
        let error = json!({ "code": code, "message": message, "details": details });
        let body = json!({ "error": error }).to_string().into_bytes();
        Answer { status, body, ..Answer::default() }
    }
}

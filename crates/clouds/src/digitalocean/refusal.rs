//! What the API's errors mean.
//!
//! A refusal has a status, and a body `{id, message, request_id}`. The status decides; of 422, which
//! stands for anything from a wrong size to a full account, the words do.

use std::time::Duration;

use serde_json::Value;
use stagecraft_core::cloud::CloudErrorKind;

use crate::http::{Answer, Dialect, Failed, Refusal};

/// The scopes a token of limited access needs.
pub(super) const SCOPES: &str = "account:read, actions:read, droplet:create, droplet:delete, droplet:read, \
     droplet:update, image:read, regions:read, sizes:read, ssh_key:read, tag:create, tag:delete, \
     tag:read";

/// What answers there is not DigitalOcean's API, or another part of it.
pub(super) const CHECK_URL: &str =
    "check `api_url`: it ends with the version, as in `https://api.digitalocean.com/v2`";

const ITS_STATUS: &str = "this is at DigitalOcean's end: see https://status.digitalocean.com, and \
                          run the command again later";

/// No rate limit is waited for longer at once: the time given is when the first request is free
/// again, and others may be faster.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// After what another action on the droplet refuses.
const BUSY: Duration = Duration::from_secs(3);
/// A new SSH key takes some seconds to be known everywhere.
const KEY_SPREADS: Duration = Duration::from_secs(5);

/// How DigitalOcean says no.
#[derive(Debug)]
pub(super) struct Errors;

impl Dialect for Errors {
    fn refusal(&self, answer: &Answer) -> Refusal {
        let problem = Problem::of(answer);
        let code = problem.id.clone();
        Refusal { code, ..problem.explain(answer) }
    }

    fn request_id(&self, answer: &Answer) -> Option<String> {
        let id = text(&body(answer), "request_id")
            .or_else(|| answer.header("x-request-id").map(str::to_owned))?;
        // It is shown to users, and comes from outside.
        let harmless = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        (!id.is_empty() && id.len() <= 128 && id.chars().all(harmless)).then_some(id)
    }
}

/// A refusal as its body tells it.
#[derive(Debug)]
struct Problem {
    /// Lower case; empty when the answer is not the API's own.
    id: String,
    message: String,
    available_regions: Vec<String>,
}

impl Problem {
    fn of(answer: &Answer) -> Self {
        let body = body(answer);
        let causes = body.get("root_causes").and_then(|causes| text(causes, 0));
        let message = text(&body, "message").or_else(|| text(&body, "error")).or(causes);
        let plain = String::from_utf8_lossy(&answer.body);
        let plain = plain.trim();
        let regions = body.pointer("/error_attributes/available_regions").and_then(Value::as_array);
        Self {
            id: text(&body, "id").unwrap_or_default().to_lowercase(),
            message: message.unwrap_or_else(|| match plain {
                "" => format!("status {}", answer.status),
                page if page.starts_with(['<', '{', '[']) => format!("status {}", answer.status),
                _ => format!("status {}, {plain}", answer.status),
            }),
            available_regions: regions
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .filter(|slug| slug.bytes().all(|byte| byte.is_ascii_alphanumeric()))
                .map(str::to_owned)
                .collect(),
        }
    }

    fn explain(self, answer: &Answer) -> Refusal {
        use CloudErrorKind as Kind;
        let message = self.message.clone();
        match answer.status {
            401 => Refusal::new(Kind::InvalidCredentials, message).with_hint(
                "make a new token at https://cloud.digitalocean.com/account/api/tokens and put it \
                 into the variable that `token_env` names",
            ),
            402 | 403 => Refusal::new(Kind::Forbidden, message).with_hint(format!(
                "give the token full access, or at least these scopes: {SCOPES}"
            )),
            404 if self.id.is_empty() => {
                Refusal::new(Kind::UnexpectedAnswer, message).with_hint(CHECK_URL)
            }
            404 => Refusal::new(Kind::NotFound, message),
            405 | 410 => Refusal::new(Kind::UnexpectedAnswer, message)
                .with_hint("the API has changed: install a newer version of stagecraft"),
            // Something on the way may say so of a request that went through.
            408 => Refusal {
                maybe_done: true,
                ..Refusal::new(Kind::ProviderFault, message).after(BUSY)
            },
            409 | 423 | 425 => Refusal::new(Kind::ProviderFault, message).after(BUSY),
            422 => self.unprocessable(),
            429 => Refusal::new(|message| Kind::RateLimited { after: None, message }, message)
                .after(pause(answer)),
            400..=499 => Refusal::new(Kind::InvalidInput, message),
            _ => Refusal {
                maybe_done: true,
                ..Refusal::new(Kind::ProviderFault, message)
                    .after(answer.retry_after().unwrap_or_default())
                    .with_hint(ITS_STATUS)
            },
        }
    }

    /// A request that was understood and is not carried out.
    fn unprocessable(self) -> Refusal {
        use CloudErrorKind as Kind;
        let words = self.message.to_lowercase();
        let says = |any: &[&str]| any.iter().any(|some| words.contains(some));
        let message = self.message;
        if says(&["droplet limit"]) {
            return Refusal::new(Kind::QuotaExceeded, message).with_hint(
                "remove droplets, or ask for a higher limit at \
                 https://cloud.digitalocean.com/account/team/droplet_limit_increase",
            );
        }
        if says(&["invalid key identifiers"]) {
            return Refusal::new(Kind::ProviderFault, message).after(KEY_SPREADS).with_hint(
                "a new SSH key takes some seconds to be known everywhere: run the command again",
            );
        }
        if says(&["pending event"]) {
            return Refusal::new(Kind::ProviderFault, message).after(BUSY);
        }
        let sold_out = says(&[
            "size is not available in this region",
            "region is not available",
            "size is unavailable",
            "temporarily unavailable",
        ]);
        if sold_out || !self.available_regions.is_empty() {
            let refusal = Refusal::new(Kind::SoldOut, message);
            if self.available_regions.is_empty() {
                return refusal;
            }
            let regions: Vec<String> =
                self.available_regions.iter().map(|slug| format!("`{slug}`")).collect();
            return refusal
                .with_hint(format!("it can be had in {}: change `region`", regions.join(", ")));
        }
        Refusal::new(Kind::InvalidInput, message)
    }
}

/// How long to wait when requests were too many. Only the limit per minute says how long.
fn pause(answer: &Answer) -> Duration {
    answer
        .retry_after()
        .or_else(|| Some(answer.until_epoch("ratelimit-reset")?.min(LONGEST_PAUSE)))
        .unwrap_or(LONGEST_PAUSE)
        .max(Duration::from_secs(1))
}

/// Whether a droplet was not switched on because it is on.
pub(super) fn is_on_already(failed: &Failed) -> bool {
    let words = failed.error.kind.to_string().to_lowercase();
    failed.is_status(422) && words.contains("already powered on")
}

fn body(answer: &Answer) -> Value {
    answer.json().unwrap_or_default()
}

fn text(of: &Value, key: impl serde_json::value::Index) -> Option<String> {
    of.get(key)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stagecraft_core::cloud::CloudErrorKind as Kind;

    use super::*;

    #[test]
    fn every_status_has_its_class() {
        let invalid: fn(String) -> Kind = Kind::InvalidCredentials;
        for (status, id, message, class) in [
            (401, "Unauthorized", "Unable to authenticate you", invalid),
            (402, "payment_required", "pay first", Kind::Forbidden),
            (403, "Forbidden", "You are not authorized to perform this operation", Kind::Forbidden),
            (404, "not_found", "The resource you requested could not be found.", Kind::NotFound),
            (405, "method_not_allowed", "no", Kind::UnexpectedAnswer),
            (410, "gone", "no", Kind::UnexpectedAnswer),
            (409, "conflict", "The droplet is being destroyed", Kind::ProviderFault),
            (408, "request_timeout", "too slow", Kind::ProviderFault),
            (423, "locked", "wait", Kind::ProviderFault),
            (400, "bad_request", "no", Kind::InvalidInput),
            (415, "unsupported_media_type", "no", Kind::InvalidInput),
            (422, "unprocessable_entity", "Name is invalid", Kind::InvalidInput),
            (500, "server_error", "Unexpected server-side error", Kind::ProviderFault),
            (502, "bad_gateway", "no", Kind::ProviderFault),
            (503, "service_unavailable", "no", Kind::ProviderFault),
            (504, "gateway_timeout", "no", Kind::ProviderFault),
            (599, "?", "no", Kind::ProviderFault),
        ] {
            let refusal = refused(status, id, message);
            assert_eq!(kind(&refusal), class(message.to_owned()), "{status}");
            assert_eq!(refusal.code, id.to_lowercase());
            // Nobody knows of 408 on whose side the time was lost.
            assert_eq!(refusal.maybe_done, status >= 500 || status == 408, "{status}");
        }
    }

    #[test]
    fn of_422_the_words_decide() {
        let quota: fn(String) -> Kind = Kind::QuotaExceeded;
        for (message, class) in [
            ("creating this/these droplet(s) will exceed your droplet limit", quota),
            ("42 are invalid key identifiers for Droplet creation.", Kind::ProviderFault),
            ("Droplet already has a pending event.", Kind::ProviderFault),
            ("Size is not available in this region.", Kind::SoldOut),
            ("Region is not available", Kind::SoldOut),
            ("size c-4 is temporarily unavailable in nyc3", Kind::SoldOut),
            ("Size is unavailable.", Kind::SoldOut),
            ("You specified an invalid size for Droplet creation.", Kind::InvalidInput),
            ("You specified an invalid region for Droplet creation.", Kind::InvalidInput),
            ("You specified an invalid image for Droplet creation.", Kind::InvalidInput),
        ] {
            let refusal = refused(422, "unprocessable_entity", message);
            assert_eq!(kind(&refusal), class(message.to_owned()));
            assert!(!refusal.maybe_done);
            let again = kind(&refusal) == Kind::ProviderFault(message.to_owned());
            assert_eq!(!refusal.retry_after.is_zero(), again, "{message}");
        }
    }

    #[test]
    fn what_is_sold_out_here_is_offered_elsewhere() {
        let body = json!({
            "id": "unprocessable_entity",
            "message": "size c-4 is temporarily unavailable",
            "error_attributes": { "available_regions": ["fra1", "lon1", "\u{1b}[31m", 7] },
        });
        let refusal = Errors.refusal(&answer(422, &body.to_string()));
        assert_eq!(refusal.hints, ["it can be had in `fra1`, `lon1`: change `region`"]);
        let body = json!({ "id": "unprocessable_entity", "message": "no", "error_attributes": [] });
        assert!(matches!(
            kind(&Errors.refusal(&answer(422, &body.to_string()))),
            Kind::InvalidInput(_)
        ));
    }

    #[test]
    fn who_may_not_do_something_is_told_what_the_token_needs() {
        assert!(refused(403, "forbidden", "no").hints[0].contains("tag:read"));
        assert!(refused(401, "unauthorized", "no").hints[0].contains("token_env"));
        let quota = refused(422, "unprocessable_entity", "will exceed your droplet limit");
        assert!(quota.hints[0].contains("droplet_limit_increase"));
    }

    #[test]
    fn the_limit_per_minute_says_how_long_to_wait() {
        assert_eq!(paused(&[("retry-after", "7")]), Duration::from_secs(7));
        assert_eq!(paused(&[("retry-after", "0")]), Duration::from_secs(1));
        let both = [("retry-after", "7"), DATE, ("ratelimit-reset", "130")];
        assert_eq!(paused(&both), Duration::from_secs(7));
    }

    #[test]
    fn the_limit_per_hour_says_when_it_frees_a_request_and_is_not_waited_for_longer_than_a_minute()
    {
        assert_eq!(paused(&[DATE, ("ratelimit-reset", "130")]), Duration::from_secs(30));
        assert_eq!(paused(&[DATE, ("ratelimit-reset", "3600")]), LONGEST_PAUSE);
        assert_eq!(paused(&[DATE, ("ratelimit-reset", "90")]), Duration::from_secs(1));
        assert_eq!(paused(&[DATE, ("ratelimit-reset", "soon")]), LONGEST_PAUSE);
        assert_eq!(paused(&[]), LONGEST_PAUSE);
    }

    #[test]
    fn a_provider_that_fails_says_how_long_it_needs() {
        let mut answer = answer(503, "");
        answer.headers.insert("retry-after".to_owned(), "20".to_owned());
        assert_eq!(Errors.refusal(&answer).retry_after, Duration::from_secs(20));
    }

    #[test]
    fn answers_of_something_else_than_the_api_are_told_by_their_status() {
        for (status, body, message) in [
            (502, "<html><h1>502 Bad Gateway</h1></html>", "status 502"),
            (502, "upstream connect error\n", "status 502, upstream connect error"),
            (500, "", "status 500"),
            (500, "{\"id\": \"server_err", "status 500"),
            (500, "{\"message\": 17}", "status 500"),
            (500, "[1]", "status 500"),
        ] {
            let refusal = Errors.refusal(&answer(status, body));
            assert_eq!((refusal.message.as_str(), refusal.code.as_str()), (message, ""), "{body}");
        }
        let page = Errors.refusal(&answer(404, "<html>nothing here</html>"));
        assert!(matches!(kind(&page), Kind::UnexpectedAnswer(_)));
        assert!(page.hints[0].contains("api_url"));
    }

    #[test]
    fn the_other_form_of_errors_is_read_too() {
        let body =
            r#"{"error": "tag has invalid characters", "messages": null, "root_causes": ["x"]}"#;
        assert_eq!(Errors.refusal(&answer(400, body)).message, "tag has invalid characters");
        let body = r#"{"error": null, "root_causes": ["rpc error: no"]}"#;
        assert_eq!(Errors.refusal(&answer(400, body)).message, "rpc error: no");
    }

    #[test]
    fn the_id_of_the_request_is_in_the_body_or_in_a_header() {
        let with = |body: &str, header: Option<&str>| {
            let mut answer = answer(500, body);
            answer.headers.extend(header.map(|id| ("x-request-id".to_owned(), id.to_owned())));
            Errors.request_id(&answer)
        };
        assert_eq!(with(r#"{"request_id": "4d9d-8375"}"#, Some("other")).unwrap(), "4d9d-8375");
        assert_eq!(with("<html>", Some("94739105-b2bb")).unwrap(), "94739105-b2bb");
        assert_eq!(with("{}", None), None);
        assert_eq!(with(r#"{"request_id": "\u001b[31m"}"#, None), None);
        assert_eq!(with("", Some("")), None);
    }

    const DATE: (&str, &str) = ("date", "Thu, 01 Jan 1970 00:01:40 GMT");

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.into(), ..Answer::default() }
    }

    fn refused(status: u16, id: &str, message: &str) -> Refusal {
        Errors.refusal(&answer(status, &json!({ "id": id, "message": message }).to_string()))
    }

    fn kind(refusal: &Refusal) -> Kind {
        (refusal.class)(refusal.message.clone())
    }

    fn paused(headers: &[(&str, &str)]) -> Duration {
        let body = r#"{"id": "too_many_requests", "message": "API rate limit exceeded."}"#;
        let mut answer = answer(429, body);
        answer.headers.extend(headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let refusal = Errors.refusal(&answer);
        assert!(matches!(kind(&refusal), Kind::RateLimited { .. }));
        refusal.retry_after
    }
}

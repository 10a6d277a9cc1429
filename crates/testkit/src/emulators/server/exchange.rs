//! One request, from its arrival to its answer.

use std::sync::PoisonError;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, DATE, HeaderName, HeaderValue, LOCATION};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};

use super::body::Payload;
use super::{Exchange, Shared};
use crate::emulators::call::{Access, Answer, Call, Front, Outcome};
use crate::emulators::faults::Effect;
use crate::emulators::limits::Over;
use crate::process::Process;
use crate::world::{Kill, RequestKind};

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut on purpose")]
pub(super) struct Cut;

/// Answers a request, or cuts its connection.
pub(super) async fn serve(
    shared: &Shared,
    process: Option<&Process>,
    request: Request<Incoming>,
) -> Result<Response<Payload>, Cut> {
    let at = shared.world.now();
    shared.world.pass_some_time().await;
    let (parts, body) = request.into_parts();
    let limit = shared.options.body_limit;
    let body = Limited::new(body, limit).collect().await.map(|body| body.to_bytes().to_vec());
    let mut call = read(shared, &parts);
    let path = parts.uri.path().to_owned();
    let mut exchange = Exchange {
        at,
        method: call.method.clone(),
        path: path.clone(),
        query: call.query.clone(),
        request: None,
        status: None,
        headers: Vec::new(),
        answer: None,
        fault: None,
    };
    if path == "/" && call.method == "GET" {
        return Ok(respond(help(&*shared.front), &mut exchange));
    }
    let response = match (path.strip_prefix(shared.front.prefix()), body) {
        (Some(rest), _) if !rest.is_empty() && !rest.starts_with('/') => {
            Ok(refuse(shared, &call, 404, &mut exchange))
        }
        (None, _) => Ok(refuse(shared, &call, 404, &mut exchange)),
        (Some(_), Err(_)) => Ok(refuse(shared, &call, 413, &mut exchange)),
        (Some(rest), Ok(body)) => {
            call.body = body;
            exchange.request = said(&call.body);
            let known_as = shared.front.known_as(&call);
            if let Some(known_as) = &known_as {
                exchange.path = format!("{}{known_as}", shared.front.prefix());
            }
            let rest = known_as.as_deref().unwrap_or(rest);
            exchange.fault = shared.faults.of(&call.method, rest);
            carry_out(shared, process, &call, rest, &mut exchange).await
        }
    };
    if let Some(watcher) = &shared.options.watcher {
        watcher(&exchange);
    }
    if shared.options.records {
        shared.record.add(exchange);
    }
    response
}

/// Does what is asked, as far as the faults let it.
async fn carry_out(
    shared: &Shared,
    process: Option<&Process>,
    call: &Call,
    path: &str,
    exchange: &mut Exchange,
) -> Result<Response<Payload>, Cut> {
    let fault = exchange.fault.clone();
    let (before, after) = fault.as_ref().map(Effect::delays).unwrap_or_default();
    shared.world.sleep(before).await;
    if fault == Some(Effect::Cut) || process.is_some_and(|process| !process.lives_on()) {
        return Err(Cut);
    }
    let kind = shared.front.kind(call);
    if kind == Some(RequestKind::Create) && go_astray(shared, process, call) {
        return Err(Cut);
    }
    let under_way = kind.map(|kind| shared.world.enter(kind));
    // What an answer tells is of this moment, however long the answer is under way.
    let dated = now(shared);
    let answer = match over_the_limit(shared, call, path) {
        Some(over) => Some(shared.front.limited(call, &over)),
        None if fault.as_ref().is_none_or(Effect::carries_out) => {
            let Outcome { answer, kill } = shared.front.answer(call);
            shared.world.pass_some_time().await;
            if !survives(process, kill) {
                return Err(Cut);
            }
            Some(answer.ok_or(Cut)?)
        }
        None => None,
    };
    shared.world.sleep(after).await;
    drop(under_way);
    let answer = answer.unwrap_or_default();
    let mut plain = |answer| Ok(send(shared, call, answer, dated, exchange));
    match fault {
        None | Some(Effect::Slow { .. }) => plain(answer),
        Some(Effect::LostAnswer | Effect::Cut) => Err(Cut),
        Some(Effect::Status { code, .. }) => plain(shared.front.failing(call, code)),
        Some(Effect::RateLimited { after_seconds }) => {
            let after = after_seconds.map(Duration::from_secs);
            plain(shared.front.limited(call, &Over { rule: None, after }))
        }
        Some(Effect::Redirect { to }) => {
            let mut response = plain(Answer::empty(307))?;
            if let Ok(to) = HeaderValue::from_str(&to) {
                response.headers_mut().insert(LOCATION, to);
            }
            Ok(response)
        }
        Some(Effect::Truncated) => {
            let whole = Bytes::from(answer.text().unwrap_or_default());
            let response = plain(answer)?;
            Ok(response.map(|_| Payload::half(&whole)))
        }
        Some(Effect::NotJson) => {
            let mut response = plain(answer)?;
            *response.status_mut() = StatusCode::OK;
            Ok(response.map(|_| Payload::Whole(Some(Bytes::from_static(b"{\"upstream\": ,,}")))))
        }
        Some(Effect::Html { code, .. }) => {
            let mut response = plain(Answer::empty(code))?;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
            let page = format!("<html><body><h1>{code}</h1><hr>gateway</body></html>");
            Ok(response.map(|_| Payload::Whole(Some(Bytes::from(page)))))
        }
        Some(Effect::Huge { bytes }) => {
            let mut response = plain(answer)?;
            *response.status_mut() = StatusCode::OK;
            Ok(response.map(|_| Payload::Long { left: bytes, begun: false }))
        }
    }
}

/// Counts a request of a token that is known; says so if it is one too many.
fn over_the_limit(shared: &Shared, call: &Call, path: &str) -> Option<Over> {
    let payer = payer(shared, call)?;
    let (now, path) = (now(shared), shared.front.limited_as(call, path));
    let mut limits = shared.limits.lock().unwrap_or_else(PoisonError::into_inner);
    limits.take(&payer, &call.method, &path, now).err()
}

/// Whose limits a request uses up, if its token is known.
fn payer(shared: &Shared, call: &Call) -> Option<String> {
    match call.access {
        Access::Missing | Access::Unknown => None,
        Access::Full | Access::ReadOnly | Access::Nothing | Access::WithoutTags => {
            shared.front.payer(call)
        }
    }
}

/// The world's time, in milliseconds since 1970.
fn now(shared: &Shared) -> u64 {
    shared.world.with(|world, now| world.epoch_millis(now))
}

/// If this order is to outlive its process, kills the process and delivers the order later.
fn go_astray(shared: &Shared, process: Option<&Process>, call: &Call) -> bool {
    let number = shared.world.creates().read().begun + 1;
    let Some(process) = process else { return false };
    let Some(after) = shared.world.with(|world, _| world.strays(number)) else { return false };
    let (world, front, call) = (shared.world.clone(), shared.front.clone(), call.clone());
    tokio::spawn(async move {
        world.sleep(after).await;
        // Nobody is there for the answer.
        drop(front.answer(&call));
    });
    process.kill();
    true
}

/// Whether a process lives to see an answer.
fn survives(process: Option<&Process>, kill: Option<Kill>) -> bool {
    match (process, kill) {
        (Some(process), Some(Kill::BeforeAnswer)) => {
            process.kill();
            false
        }
        (Some(process), Some(Kill::AfterAnswer)) => {
            process.doom();
            true
        }
        (None, Some(Kill::BeforeAnswer)) => false,
        (None, Some(Kill::AfterAnswer)) => true,
        (Some(process), None) => process.lives_on(),
        (None, None) => true,
    }
}

/// What a request says, without its body.
fn read(shared: &Shared, parts: &hyper::http::request::Parts) -> Call {
    let prefix = shared.front.prefix();
    let path = parts.uri.path();
    let rest = path.strip_prefix(prefix).unwrap_or_default().trim_start_matches('/');
    let segments = rest.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect();
    let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let mut headers = Vec::new();
    let (mut token, mut authorization) = (None, None);
    for (name, value) in &parts.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if name == hyper::header::AUTHORIZATION {
            token = shared.front.credential(&value).map(str::to_owned);
            authorization = Some(value);
        } else {
            headers.push((name.as_str().to_owned(), value));
        }
    }
    let mut requests = shared.requests.lock().unwrap_or_else(PoisonError::into_inner);
    *requests += 1;
    Call {
        method: parts.method.as_str().to_owned(),
        path: segments,
        query: query.into_owned().collect(),
        access: access(shared, token.as_deref()),
        token,
        authorization,
        headers,
        body: Vec::new(),
        request_id: format!("5ca1ab1e-0000-4000-8000-{:012x}", *requests),
    }
}

fn access(shared: &Shared, token: Option<&str>) -> Access {
    let tokens = &shared.options.tokens;
    match token {
        None => Access::Missing,
        Some(_) if tokens.is_empty() => Access::Full,
        Some(token) => tokens.get(token).copied().unwrap_or(Access::Unknown),
    }
}

fn decoded(segment: &str) -> String {
    // A plus sign stands for itself in a path.
    let pairs = segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(pairs.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

fn said(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return None;
    }
    let text = || Value::String(String::from_utf8_lossy(body).into_owned());
    Some(serde_json::from_slice(body).unwrap_or_else(|_| text()))
}

/// Refuses what nobody looked at.
fn refuse(shared: &Shared, call: &Call, status: u16, exchange: &mut Exchange) -> Response<Payload> {
    send(shared, call, shared.front.failing(call, status), now(shared), exchange)
}

/// Adds what every answer has, and notes it; it is of the moment `dated`, in milliseconds since 1970.
fn send(
    shared: &Shared,
    call: &Call,
    mut answer: Answer,
    dated: u64,
    exchange: &mut Exchange,
) -> Response<Payload> {
    let front = &shared.front;
    if let Some(payer) = payer(shared, call) {
        let path = exchange.path.strip_prefix(front.prefix()).unwrap_or_default();
        let path = front.limited_as(call, path);
        let limits = shared.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let usage = limits.usage(&payer, &call.method, &path, dated);
        answer.headers.extend(front.usage_headers(&usage, dated));
    }
    if let Some(name) = front.request_id_header() {
        answer.headers.push((name.to_owned(), call.request_id.clone()));
    }
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(dated));
    answer.headers.push((DATE.as_str().to_owned(), date));
    respond(answer, exchange)
}

fn respond(answer: Answer, exchange: &mut Exchange) -> Response<Payload> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = answer.text().map(Bytes::from);
    let has_body = body.is_some();
    let mut response = Response::new(Payload::Whole(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if has_body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.media.name()));
    }
    for (name, value) in &answer.headers {
        let name = HeaderName::try_from(name.as_str());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    exchange.status = Some(status.as_u16());
    exchange.headers = answer.headers;
    exchange.answer = answer.body;
    response
}

fn help(front: &dyn Front) -> Answer {
    let base = front.prefix();
    let wanted = front.credentials_wanted();
    let message = format!("this is an emulator; its API is at `{base}`, with {wanted}");
    Answer::new(200, json!({ "message": message, "api": base }))
}

use std::time::Duration;

use super::*;

#[test]
fn what_fits_is_not_complained_about() {
    assert_eq!(judged(&exchange(200, json!({ "thing": { "id": 1, "note": null } }))), [""; 0]);
    assert_eq!(judged(&Exchange { status: None, answer: None, ..listing() }), [""; 0]);
}

#[test]
fn every_wrong_field_of_an_answer_is_named() {
    for (body, named) in [
        (json!({ "thing": { "id": "1" } }), "/thing/id"),
        (json!({ "thing": {} }), "\"id\" is a required property"),
        (json!({ "thing": { "id": 1, "at": "yesterday" } }), "/thing/at"),
        (json!({ "thing": { "id": 1, "size": 0 } }), "/thing/size"),
        (json!({ "thing": null }), "/thing"),
    ] {
        let wrong = judged(&exchange(200, body.clone()));
        assert!(wrong.len() == 1 && wrong[0].contains(named), "{body}: {wrong:?}");
    }
}

#[test]
fn a_status_or_an_operation_that_is_not_described_is_wrong() {
    assert!(judged(&exchange(500, json!({})))[0].contains("status"));
    let elsewhere = Exchange { path: "/v1/nothing".to_owned(), ..exchange(200, json!({})) };
    assert!(judged(&elsewhere)[0].contains("no such operation"));
    assert_eq!(judged(&exchange(404, json!({ "error": "x" }))), [""; 0]);
    assert!(judged(&exchange(422, json!({ "error": 5 })))[0].contains("/error"));
}

#[test]
fn what_a_request_says_too_much_or_not_at_all_is_named() {
    let asked = |body: Option<Value>, query: &[(&str, &str)]| Exchange {
        method: "POST".to_owned(),
        path: "/v1/things".to_owned(),
        request: body,
        query: query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        status: Some(204),
        answer: None,
        ..listing()
    };
    let right = Some(json!({ "id": 5 }));
    let fine = asked(right.clone(), &[("many", "5"), ("page", "2"), ("many", "6")]);
    assert_eq!(judged(&fine), [""; 0]);
    for (exchange, named) in [
        (asked(Some(json!({ "id": 5, "extra": 1 })), &[("page", "1")]), "extra"),
        (asked(right.clone(), &[("page", "x")]), "`page`"),
        (asked(right.clone(), &[]), "`page` is missing"),
        (asked(right.clone(), &[("page", "1"), ("pgae", "1")]), "`pgae`"),
        (asked(None, &[("page", "1")]), "no body"),
    ] {
        let wrong = judged(&exchange);
        assert!(wrong.len() == 1 && wrong[0].contains(named), "{named}: {wrong:?}");
    }
}

fn judged(exchange: &Exchange) -> Vec<String> {
    Description::parse(DESCRIPTION).check(exchange)
}

fn exchange(status: u16, answer: Value) -> Exchange {
    let path = "/v1/things/7".to_owned();
    Exchange { path, status: Some(status), answer: Some(answer), ..listing() }
}

fn listing() -> Exchange {
    Exchange {
        at: Duration::ZERO,
        method: "GET".to_owned(),
        path: "/v1/things".to_owned(),
        query: Vec::new(),
        request: None,
        status: Some(200),
        headers: Vec::new(),
        answer: None,
        fault: None,
    }
}

const DESCRIPTION: &str = r##"{
    "openapi": "3.0.3",
    "servers": [{ "url": "https://api.example.com/v1" }],
    "paths": {
        "/things": {
            "post": {
                "parameters": [
                    { "$ref": "#/components/parameters/page" },
                    { "in": "query", "name": "many", "schema": { "type": "array", "items": { "type": "integer" } } }
                ],
                "requestBody": {
                    "required": true,
                    "content": { "application/json": { "schema": {
                        "type": "object", "properties": { "id": { "type": "integer" } }, "additionalProperties": false
                    } } }
                },
                "responses": { "204": {} }
            }
        },
        "/things/{id}": {
            "get": {
                "responses": {
                    "200": { "$ref": "#/components/responses/thing" },
                    "4XX": { "content": { "application/json": { "schema": {
                        "type": "object", "properties": { "error": { "type": "string" } }
                    } } } }
                }
            }
        }
    },
    "components": {
        "parameters": {
            "page": { "in": "query", "name": "page", "required": true, "schema": { "type": "integer" } }
        },
        "responses": {
            "thing": { "content": { "application/json": { "schema": {
                "type": "object", "required": ["thing"], "properties": { "thing": { "$ref": "#/components/schemas/thing" } }
            } } } }
        },
        "schemas": {
            "thing": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": { "type": "integer" },
                    "note": { "type": "string", "nullable": true },
                    "at": { "type": "string", "format": "date-time" },
                    "size": { "type": "integer", "minimum": 0, "exclusiveMinimum": true }
                }
            }
        }
    }
}"##;

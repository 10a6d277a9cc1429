//! Answers as XML: the fields of an object are elements, the entries of a list `item`s.

use serde_json::Value;

/// A document whose root has a namespace.
pub(super) fn document(root: &str, namespace: Option<&str>, content: &Value) -> String {
    let space = namespace.map(|name| format!(" xmlns=\"{name}\"")).unwrap_or_default();
    let declaration = r#"<?xml version="1.0" encoding="UTF-8"?>"#;
    format!("{declaration}\n<{root}{space}>{}</{root}>", inside(content))
}

fn inside(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => escaped(text),
        Value::Array(items) => items.iter().map(|item| element("item", item)).collect(),
        Value::Object(fields) => {
            let given = fields.iter().filter(|(_, value)| !value.is_null());
            given.map(|(name, value)| element(name, value)).collect()
        }
    }
}

fn element(name: &str, value: &Value) -> String {
    match inside(value) {
        content if content.is_empty() => format!("<{name}/>"),
        content => format!("<{name}>{content}</{name}>"),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_elements_and_entries_are_items() {
        let content = json!({
            "id": "a<b>&\"c\"", "none": null, "empty": [], "flag": true,
            "set": [{ "key": "k", "value": "" }, 7],
        });
        let written = document("Answer", Some("urn:x"), &content);
        let (_, body) = written.split_once('\n').unwrap();
        assert_eq!(
            body,
            "<Answer xmlns=\"urn:x\"><id>a&lt;b&gt;&amp;&quot;c&quot;</id><empty/><flag>true</flag>\
             <set><item><key>k</key><value/></item><item>7</item></set></Answer>"
        );
    }
}

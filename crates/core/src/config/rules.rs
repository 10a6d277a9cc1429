//! Texts of a certain form: the pattern editors check, the same rule as code, and in words.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::name::{CREDENTIAL_NAME_PATTERN, DNS_LABEL_PATTERN, KEYRING_NAME_PATTERN, is_dns_label};

/// One form of text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// As a regular expression of JSON Schema.
    pub(super) pattern: &'static str,
    /// As code; agrees with the pattern.
    pub(super) matches: fn(&str) -> bool,
    /// In words, to follow "it must be".
    pub(super) words: &'static str,
    /// A text of this form.
    pub(super) example: &'static str,
    /// Whether users are likely to put a secret here by mistake, so it must not be shown.
    pub(super) secret_prone: bool,
}

/// The rule a schema's `pattern` stands for.
pub(super) fn rule_of(pattern: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.pattern == pattern)
}

const VARIABLE_PATTERN: &str = "^[A-Za-z_][A-Za-z0-9_]{0,62}$";
const SLUG_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$";
const LINE_PATTERN: &str = r"^[^\u0000-\u001f\u007f-\u009f]{1,4096}$";
const HOST_TAG_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9:_.-]{0,62}$";
const MESH_TAG_PATTERN: &str = "^tag:[A-Za-z][A-Za-z0-9-]{0,62}$";
const DOMAIN_PATTERN: &str =
    r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){0,7}$";
const URL_PATTERN: &str = "^https?://[!-~]{1,2000}$";
const VERSION_PATTERN: &str = r"^[0-9]{1,5}\.[0-9]{1,5}(\.[0-9]{1,5})?$";
const USER_PATTERN: &str = "^[a-z_][a-z0-9_-]{0,31}$";
const CIDR_PATTERN: &str = "^[0-9A-Fa-f.:]{2,39}/[0-9]{1,3}$";

const RULES: &[Rule] = &[
    Rule {
        pattern: DNS_LABEL_PATTERN,
        matches: is_dns_label,
        words: "1 to 63 of a-z, 0-9 and `-`, not starting or ending with `-`",
        example: "app-1",
        secret_prone: false,
    },
    Rule {
        pattern: CREDENTIAL_NAME_PATTERN,
        matches: is_dns_label,
        words: "the name of an entry in the credential store (1 to 63 of a-z, 0-9 and `-`), never the secret itself",
        example: "prod-do",
        secret_prone: true,
    },
    Rule {
        pattern: KEYRING_NAME_PATTERN,
        matches: is_dns_label,
        words: "the name of an item in your keyring (1 to 63 of a-z, 0-9 and `-`), never the key itself",
        example: "team",
        secret_prone: true,
    },
    Rule {
        pattern: VARIABLE_PATTERN,
        matches: |text| {
            !text.starts_with(|c: char| c.is_ascii_digit())
                && (1..=63).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        },
        words: "the name of an environment variable (1 to 63 letters, digits and `_`), never the secret itself",
        example: "API_TOKEN",
        secret_prone: true,
    },
    Rule {
        pattern: SLUG_PATTERN,
        matches: |text| word(text, "._-"),
        words: "1 to 63 letters, digits, `.`, `_` and `-`, starting with a letter or digit",
        example: "small",
        secret_prone: false,
    },
    Rule {
        pattern: LINE_PATTERN,
        matches: |text| {
            (1..=4096).contains(&text.chars().count()) && !text.chars().any(char::is_control)
        },
        words: "a text that is not empty, without line breaks and control characters",
        example: "deploy",
        secret_prone: false,
    },
    Rule {
        pattern: HOST_TAG_PATTERN,
        matches: |text| word(text, ":_.-"),
        words: "1 to 63 letters, digits, `:`, `_`, `.` and `-`, starting with a letter or digit",
        example: "team:shop",
        secret_prone: false,
    },
    Rule {
        pattern: MESH_TAG_PATTERN,
        matches: |text| {
            text.strip_prefix("tag:").is_some_and(|name| {
                name.starts_with(|c: char| c.is_ascii_alphabetic()) && word(name, "-")
            })
        },
        words: "`tag:` and a name of letters, digits and `-` that starts with a letter",
        example: "tag:app",
        secret_prone: false,
    },
    Rule {
        pattern: DOMAIN_PATTERN,
        matches: |text| text.split('.').count() <= 8 && text.split('.').all(is_dns_label),
        words: "a domain name in lower case, e.g. `example.ts.net`",
        example: "example.ts.net",
        secret_prone: false,
    },
    Rule {
        pattern: URL_PATTERN,
        matches: |text| {
            let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            rest.is_some_and(|rest| {
                (1..=2000).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_graphic())
            })
        },
        words: "a URL that starts with `https://` or `http://`",
        example: "https://headscale.example.com",
        secret_prone: false,
    },
    Rule {
        pattern: VERSION_PATTERN,
        matches: |text| {
            (2..=3).contains(&text.split('.').count())
                && text.split('.').all(|part| {
                    (1..=5).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
                })
        },
        words: "a version such as `1.78.0`",
        example: "1.78.0",
        secret_prone: false,
    },
    Rule {
        pattern: USER_PATTERN,
        matches: |text| {
            text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
                && text.len() <= 32
                && text.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte)
                })
        },
        words: "the name of a Linux user: 1 to 32 of a-z, 0-9, `_` and `-`, starting with a-z or `_`",
        example: "root",
        secret_prone: false,
    },
    Rule {
        pattern: CIDR_PATTERN,
        matches: |text| {
            text.split_once('/').is_some_and(|(address, length)| {
                (2..=39).contains(&address.len())
                    && address.bytes().all(|byte| byte.is_ascii_hexdigit() || b".:".contains(&byte))
                    && (1..=3).contains(&length.len())
                    && length.bytes().all(|byte| byte.is_ascii_digit())
            })
        },
        words: "a range of addresses such as `10.66.0.0/16`",
        example: "10.66.0.0/16",
        secret_prone: false,
    },
];

/// Whether `text` has 1 to 63 ASCII letters, digits and characters of `also`, and starts with a
/// letter or digit.
fn word(text: &str, also: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $pattern:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(transparent)]
        pub(super) struct $name(pub(super) String);

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    )* }
}

texts! {
    /// Name of an environment variable.
    Variable = VARIABLE_PATTERN;
    /// A provider's own word for a region or a size.
    Slug = SLUG_PATTERN;
    /// One line of text.
    Line = LINE_PATTERN;
    /// A tag of a host.
    HostTag = HOST_TAG_PATTERN;
    /// A tag of a Tailscale node.
    MeshTag = MESH_TAG_PATTERN;
    /// A domain.
    DomainName = DOMAIN_PATTERN;
    /// The URL of a server.
    Url = URL_PATTERN;
    /// A version of a program.
    Version = VERSION_PATTERN;
    /// A user of a host.
    UserName = USER_PATTERN;
    /// A range of addresses; whether it is possible is checked later.
    Cidr = CIDR_PATTERN;
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    static PATTERNS: LazyLock<Vec<jsonschema::Validator>> = LazyLock::new(|| {
        let schemas = RULES.iter().map(|rule| json!({ "pattern": rule.pattern }));
        schemas.map(|schema| jsonschema::validator_for(&schema).unwrap()).collect()
    });

    #[test]
    fn every_example_matches_its_own_rule() {
        for rule in RULES {
            assert!((rule.matches)(rule.example), "{}", rule.pattern);
        }
    }

    proptest! {
        #[test]
        fn the_rule_in_code_and_its_pattern_agree(text in likely_text()) {
            for (rule, pattern) in RULES.iter().zip(&*PATTERNS) {
                prop_assert_eq!(
                    (rule.matches)(&text),
                    pattern.is_valid(&json!(text)),
                    "{} and {:?}", rule.pattern, text
                );
            }
        }
    }

    fn likely_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z0-9A-Z._:/ é\u{7f}\u{85}\n-]{0,8}",
            "(tag:|https?://|)[a-z0-9A-Z._-]{0,70}",
            "[0-9a-f.:]{0,12}/[0-9]{0,4}",
            "[0-9]{0,6}(\\.[0-9]{0,6}){0,3}",
            "[a-z0-9-]{0,4}(\\.[a-z0-9-]{0,3}){0,9}",
        ]
    }
}

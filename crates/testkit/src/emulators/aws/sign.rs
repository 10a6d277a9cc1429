//! Signature Version 4, verified: what a request says of its signature, and what it should be.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// The only way to sign.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How the scope of every signature ends.
const TERMINATOR: &str = "aws4_request";

/// What a header `Authorization` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) key_id: String,
    /// As `20150830`.
    pub(super) day: String,
    pub(super) region: String,
    pub(super) service: String,
    pub(super) headers: Vec<String>,
    signature: String,
}

/// A request as far as it is signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// The path, encoded.
    pub(super) path: &'a str,
    /// Decoded.
    pub(super) query: &'a [(String, String)],
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a [u8],
}

/// Who a header `Authorization` names, without a look at the rest.
pub(super) fn key_id(authorization: &str) -> Option<&str> {
    let credential = authorization.strip_prefix(ALGORITHM)?.split_once("Credential=")?.1;
    credential.split('/').next().filter(|id| !id.is_empty())
}

impl Signature {
    /// Reads a header `Authorization`.
    ///
    /// # Errors
    /// What is missing or malformed in it.
    pub(super) fn read(authorization: &str) -> Result<Self, String> {
        let rest = authorization
            .strip_prefix(ALGORITHM)
            .ok_or_else(|| format!("Authorization must begin with '{ALGORITHM}'."))?;
        let parts: Vec<(&str, &str)> =
            rest.split(',').filter_map(|part| part.trim().split_once('=')).collect();
        let part = |name: &str| {
            let found = parts.iter().find(|(known, _)| *known == name);
            found
                .map(|(_, value)| (*value).to_owned())
                .ok_or_else(|| format!("Authorization header requires '{name}' parameter."))
        };
        let credential = part("Credential")?;
        let [key_id, day, region, service, TERMINATOR] =
            credential.split('/').collect::<Vec<_>>()[..]
        else {
            let form = "<key id>/<date>/<region>/<service>/aws4_request";
            return Err(format!("Credential must have the form {form}, not '{credential}'."));
        };
        let headers: Vec<String> = part("SignedHeaders")?.split(';').map(str::to_owned).collect();
        Ok(Self {
            key_id: key_id.to_owned(),
            day: day.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            headers,
            signature: part("Signature")?,
        })
    }

    /// Whether a header is signed.
    pub(super) fn covers(&self, header: &str) -> bool {
        self.headers.iter().any(|signed| signed == header)
    }

    /// Whether the signature is that of `secret` on this request, made at `date`, which is written
    /// as `20150830T123600Z`.
    pub(super) fn is_of(&self, secret: &str, date: &str, request: Signed<'_>) -> bool {
        let scope = format!("{}/{}/{}/{TERMINATOR}", self.day, self.region, self.service);
        let canonical = canonical(request, &self.headers);
        let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{}", hex_digest(canonical.as_bytes()));
        let seed = format!("AWS4{secret}");
        let steps = [&self.day, &self.region, &self.service, TERMINATOR];
        let key =
            steps.iter().fold(seed.into_bytes(), |key, step| keyed(&key, step.as_bytes()).to_vec());
        HEXLOWER.encode(&keyed(&key, to_sign.as_bytes())) == self.signature
    }
}

/// The request in the one form that is signed.
fn canonical(request: Signed<'_>, signed: &[String]) -> String {
    let mut query: Vec<(String, String)> =
        request.query.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
    query.sort();
    let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let headers: String = signed
        .iter()
        .map(|name| {
            let same = request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
            let values: Vec<String> = same.map(|(_, value)| squeezed(value)).collect();
            format!("{name}:{}\n", values.join(","))
        })
        .collect();
    [
        request.method,
        request.path,
        &query.join("&"),
        &headers,
        &signed.join(";"),
        &hex_digest(request.body),
    ]
    .join("\n")
}

/// Without spaces around it, and with one where there were several.
fn squeezed(value: &str) -> String {
    value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// With everything encoded but the letters, digits, and four signs that never are.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn hex_digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn keyed(key: &[u8], message: &[u8]) -> [u8; 32] {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const DATE: &str = "20150830T123600Z";

    #[test]
    fn the_example_of_the_documentation_is_verified() {
        let authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        let signature = Signature::read(authorization).unwrap();
        assert_eq!(key_id(authorization), Some("AKIDEXAMPLE"));
        assert_eq!((&*signature.region, &*signature.service), ("us-east-1", "iam"));
        let query = [("Version", "2010-05-08"), ("Action", "ListUsers")];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let headers = headers(&[
            ("Content-Type", "application/x-www-form-urlencoded;   charset=utf-8 "),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", DATE),
        ]);
        let request =
            Signed { method: "GET", path: "/", query: &query, headers: &headers, body: b"" };
        assert!(signature.is_of(SECRET, DATE, request));
        assert!(!signature.is_of("another", DATE, request));
        assert!(!signature.is_of(SECRET, "20150830T123601Z", request));
        assert!(!signature.is_of(SECRET, DATE, Signed { body: b"x", ..request }));
        assert!(!signature.is_of(SECRET, DATE, Signed { method: "POST", ..request }));
        assert!(!signature.is_of(SECRET, DATE, Signed { query: &[], ..request }));
    }

    #[test]
    fn the_form_of_the_test_suite_is_verified() {
        let signature = Signature::read(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        )
        .unwrap();
        let headers = headers(&[
            ("content-type", "application/x-www-form-urlencoded"),
            ("host", "example.amazonaws.com"),
            ("x-amz-date", DATE),
        ]);
        let body = b"Param1=value1";
        let request = Signed { method: "POST", path: "/", query: &[], headers: &headers, body };
        assert!(signature.is_of(SECRET, DATE, request));
        assert!(!signature.is_of(SECRET, DATE, Signed { body: b"Param1=value2", ..request }));
    }

    #[test]
    fn what_is_malformed_is_named() {
        for (authorization, wrong) in [
            ("Bearer abc", "AWS4-HMAC-SHA256"),
            ("AWS4-HMAC-SHA256 SignedHeaders=host, Signature=1", "'Credential'"),
            ("AWS4-HMAC-SHA256 Credential=A/1/r/s/aws4_request, Signature=1", "'SignedHeaders'"),
            ("AWS4-HMAC-SHA256 Credential=A/1/r/s/aws4_request,SignedHeaders=a", "'Signature'"),
            ("AWS4-HMAC-SHA256 Credential=A/1/r/s/aws3, SignedHeaders=a, Signature=1", "the form"),
        ] {
            let error = Signature::read(authorization).unwrap_err();
            assert!(error.contains(wrong), "{authorization}: {error}");
        }
    }

    fn headers(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }
}

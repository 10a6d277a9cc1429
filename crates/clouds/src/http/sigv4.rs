use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningSettings, sign as sign_request,
};
use aws_sigv4::sign::v4::SigningParams;
use reqwest::header::{HeaderName, HeaderValue};

use super::{Proof, Sending};

/// What an AWS signature is made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys<'a> {
    pub(crate) credentials: &'a Credentials,
    pub(crate) region: &'a str,
    /// The service's name in signatures, e.g. `ec2`.
    pub(crate) service: &'a str,
}

/// The headers of AWS Signature Version 4 for a request that is sent at `now`.
///
/// # Errors
/// What of the request or the keys cannot be signed.
pub(crate) fn sign(
    keys: &Keys<'_>,
    sending: &Sending<'_>,
    now: SystemTime,
) -> Result<Proof, String> {
    let identity = keys.credentials.clone().into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(keys.region)
        .name(keys.service)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let headers = sending.headers.iter().copied();
    let body = SignableBody::Bytes(sending.body);
    let signable = SignableRequest::new(sending.method, sending.url.as_str(), headers, body)
        .map_err(|error| error.to_string())?;
    let signed = sign_request(signable, &parameters).map_err(|error| error.to_string())?;
    let (instructions, _) = signed.into_parts();
    let header = |(name, value): (&str, &str)| {
        let mut value = HeaderValue::from_str(value).map_err(|error| error.to_string())?;
        value.set_sensitive(true);
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
        Ok((name, value))
    };
    instructions.headers().map(header).collect()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use reqwest::Url;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    #[test]
    fn the_example_of_the_documentation_is_signed_as_there() {
        // `get-vanilla` of the published test suite of Signature Version 4.
        let credentials = Credentials::new("AKIDEXAMPLE", SECRET, None, None, "published");
        let keys = Keys { credentials: &credentials, region: "us-east-1", service: "service" };
        let url = Url::parse("https://example.amazonaws.com/").unwrap();
        let sending = Sending { method: "GET", url: &url, headers: &[], body: b"" };
        let at = UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let proof = sign(&keys, &sending, at).unwrap();
        let header = |wanted: &str| {
            let found = proof.iter().find(|(name, _)| name.as_str() == wanted);
            found.map(|(_, value)| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        assert_eq!(header("x-amz-date"), "20150830T123600Z");
        assert_eq!(
            header("authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
        assert!(proof.iter().all(|(_, value)| value.is_sensitive()));
    }
}

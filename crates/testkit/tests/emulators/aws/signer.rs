//! Signature Version 4 as a client makes it, written apart from what verifies it.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// What a request is signed with.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) session: Option<String>,
    pub(crate) region: String,
    pub(crate) service: String,
    /// As `20231114T221320Z`.
    pub(crate) date: String,
    pub(crate) leaves_out: Option<&'static str>,
}

impl Signer {
    /// The headers of a signed `POST /`, the signature last.
    pub(crate) fn headers(&self, kind: &str, body: &str) -> Vec<(String, String)> {
        let mut headers = vec![
            ("content-type".to_owned(), kind.to_owned()),
            ("host".to_owned(), "emulator".to_owned()),
            ("x-amz-date".to_owned(), self.date.clone()),
        ];
        if let Some(session) = &self.session {
            headers.push(("x-amz-security-token".to_owned(), session.clone()));
        }
        if self.service == "ssm" {
            let target = "AmazonSSM.GetParameter".to_owned();
            headers.push(("x-amz-target".to_owned(), target));
        }
        let signed: Vec<_> = headers
            .iter()
            .filter(|(name, _)| self.leaves_out.is_none_or(|out| out != name))
            .collect();
        let names = signed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: String =
            signed.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", digest(body));
        let day = &self.date[..8];
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", self.date, digest(&canonical));
        let day_key = mac(format!("AWS4{}", self.secret).as_bytes(), day);
        let service_key = mac(&mac(&day_key, &self.region), &self.service);
        let signature = HEXLOWER.encode(&mac(&mac(&service_key, "aws4_request"), &text));
        let key = &self.key;
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}"
        );
        headers.push(("authorization".to_owned(), authorization));
        headers
    }
}

fn digest(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

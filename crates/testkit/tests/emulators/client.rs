//! Requests made byte by byte, so that what comes back is seen as it is.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Who asks.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: Option<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) raw: Vec<u8>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, token: Some("secret-token".to_owned()) }
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// One request on a connection of its own; `None` when the connection ends without an answer.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<&str>) -> Option<Reply> {
        let mut stream = TcpStream::connect(self.address).await.ok()?;
        let token = self.token.iter().map(|token| format!("authorization: Bearer {token}\r\n"));
        let kind = body.iter().map(|body| {
            format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len())
        });
        let headers: String = token.chain(kind).collect();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: emulator\r\nconnection: close\r\n{headers}\r\n{}",
            body.unwrap_or_default()
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut bytes = Vec::new();
        // An answer that is cut may end in an error; what came before counts.
        let ended = stream.read_to_end(&mut bytes).await;
        drop(ended);
        Reply::parse(&bytes)
    }
}

impl Reply {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Some(Self { status, headers, raw: bytes[end + 4..].to_vec() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null when there is none.
    pub(crate) fn body(&self) -> Value {
        if self.raw.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.raw)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.raw)))
    }
}

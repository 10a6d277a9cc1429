//! A server that says exactly what it is told to, one answer per connection.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    /// These bytes, and the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, and then more and more.
    Endless(Vec<u8>),
    /// These bytes, and then nothing, with the connection left open.
    Stall(Vec<u8>),
}

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Method, path and query.
    pub(crate) line: String,
    /// Header lines.
    pub(crate) headers: Vec<String>,
    /// The body.
    pub(crate) body: String,
}

#[derive(Debug)]
pub(crate) struct Server {
    /// The base URL below which requests are answered.
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    stalled: Arc<Notify>,
}

impl Server {
    /// A server that gives these answers in this order, and then refuses connections.
    pub(crate) fn start(script: impl IntoIterator<Item = Say>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v2", listener.local_addr().unwrap());
        let (heard, stalled) = (Arc::<Mutex<Vec<Heard>>>::default(), Arc::<Notify>::default());
        let script: Vec<Say> = script.into_iter().collect();
        let (hearing, stalling) = (Arc::clone(&heard), Arc::clone(&stalled));
        std::thread::spawn(move || {
            let (mut open, mut listener) = (Vec::new(), Some(listener));
            let count = script.len();
            for (number, say) in script.into_iter().enumerate() {
                let (mut stream, _) = listener.as_ref().unwrap().accept().unwrap();
                hearing.lock().unwrap().push(hear(&mut stream));
                if number + 1 == count {
                    // Before the client can know that it may connect again.
                    listener.take();
                }
                // Clients that have read enough hang up.
                match say {
                    Say::Bytes(bytes) => drop(stream.write_all(&bytes)),
                    Say::Endless(bytes) => {
                        let more = [b' '; 64 * 1024];
                        let mut going_on = stream.write_all(&bytes).is_ok();
                        while going_on {
                            going_on = stream.write_all(&more).is_ok();
                        }
                    }
                    Say::Stall(bytes) => {
                        drop(stream.write_all(&bytes));
                        stalling.notify_one();
                        open.push(stream);
                    }
                }
            }
            // Held until the answers have been waited for in vain.
            if !open.is_empty() {
                std::thread::park();
            }
        });
        Self { url, heard, stalled }
    }

    /// The requests so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// The lines of the requests so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.heard().into_iter().map(|heard| heard.line).collect()
    }

    /// Waits until a client is left waiting.
    pub(crate) async fn stalls(&self) {
        self.stalled.notified().await;
    }
}

/// An answer with a body.
pub(crate) fn answer(status: u16, body: &str) -> Say {
    answer_with(status, &[], body)
}

/// An answer with headers and a body.
pub(crate) fn answer_with(status: u16, headers: &[(&str, &str)], body: &str) -> Say {
    Say::Bytes(format!("{}{body}", head(status, headers, body.len())).into_bytes())
}

/// The beginning of an answer whose body will be this long.
pub(crate) fn head(status: u16, headers: &[(&str, &str)], length: usize) -> String {
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!(
        "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{headers}\r\n"
    )
}

fn hear(stream: &mut TcpStream) -> Heard {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let mut some = [0; 4096];
        let count = stream.read(&mut some).unwrap();
        assert!(count > 0, "the request is cut off");
        bytes.extend_from_slice(&some[..count]);
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.lines();
    let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let headers: Vec<String> = lines.map(str::to_owned).collect();
    let length = headers.iter().find_map(|header| {
        let (name, value) = header.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
    });
    let mut body = bytes[end + 4..].to_vec();
    let missing = length.unwrap_or_default() - body.len();
    let mut rest = vec![0; missing];
    stream.read_exact(&mut rest).unwrap();
    body.extend(rest);
    Heard { line, headers, body: String::from_utf8(body).unwrap() }
}

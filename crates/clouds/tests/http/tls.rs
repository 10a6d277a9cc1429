use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::CertifiedKey;
use stagecraft_clouds::hetzner::{HetznerProvider, HetznerSettings};
use stagecraft_clouds::http::{BaseUrl, Token};
use stagecraft_core::cloud::{CloudErrorKind, CloudProvider as _};
use stagecraft_core::error::{Diagnose as _, Retry, chain};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

const PAGE: &str =
    r#"{"locations": [{"name": "fsn1"}], "meta": {"pagination": {"next_page": null}}}"#;

#[tokio::test]
async fn a_server_whose_certificate_nobody_vouches_for_is_told_nothing() {
    let server = TlsServer::start().await;
    let error = server.provider().validate_credentials().await.unwrap_err();
    let text = chain(&error);
    assert!(matches!(error.kind, CloudErrorKind::Unreachable(_)), "{text}");
    assert!(text.contains("certificate"), "{text}");
    assert!(error.hints()[0].contains("verification cannot be switched off"), "{error:?}");
    assert_eq!(error.retry(), Retry::Never, "it will not be vouched for soon");
    assert_eq!(server.heard(), Vec::<String>::new());
}

#[tokio::test]
async fn whoever_trusts_that_server_is_answered() {
    let server = TlsServer::start().await;
    let mut roots = RootCertStore::empty();
    roots.add(server.certificate.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    stream.write_all(b"GET /v1/locations HTTP/1.1\r\n\r\n").await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert!(said.ends_with(PAGE), "{said}");
    assert_eq!(server.heard(), ["GET /v1/locations HTTP/1.1"]);
}

/// A server that answers everything with a page of locations, with a certificate of its own.
struct TlsServer {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl TlsServer {
    async fn start() -> Self {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key.into())
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let (acceptor, hearing) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&heard));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Clients that do not trust it hang up.
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer(stream, &hearing).await;
                }
            }
        });
        Self { address, certificate, heard }
    }

    fn provider(&self) -> HetznerProvider {
        let url = format!("https://localhost:{}/v1", self.address.port());
        HetznerProvider::new(HetznerSettings {
            api_url: Some(BaseUrl::parse(&url).unwrap()),
            token: Token::new("a-token-for-nobody").unwrap(),
            ssh_key_name: None,
        })
    }

    /// The first lines of the requests so far.
    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, heard: &Mutex<Vec<String>>) {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read_buf(&mut bytes).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
    }
    let line = String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned();
    heard.lock().unwrap().push(line);
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json";
    let said = format!("{head}\r\nContent-Length: {}\r\n\r\n{PAGE}", PAGE.len());
    drop(stream.write_all(said.as_bytes()).await);
    drop(stream.shutdown().await);
}

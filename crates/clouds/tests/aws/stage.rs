//! moto on this machine, with a key pair, and providers that use it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::header::AUTHORIZATION;
use stagecraft_clouds::aws::{ApiUrls, AwsCredentials, AwsProvider, AwsSettings};
use stagecraft_clouds::http::{BaseUrl, Token};
use stagecraft_core::cloud::CreateInstance;
use stagecraft_core::desired::ProviderId;
use stagecraft_core::identity::{HostKey, Pins};
use stagecraft_testkit::samples;
pub(crate) use stagecraft_testkit::samples::scope;

/// A server that ends with its test.
pub(crate) struct Stage {
    server: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// moto with the key pair `deploy` in two regions; `None`, visibly, where moto is not there.
    pub(crate) async fn new() -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "tests are told by the environment")]
        let python = std::env::var("STAGECRAFT_TEST_MOTO").unwrap_or_default();
        if python.is_empty() {
            eprintln!("skipped: tests against moto need STAGECRAFT_TEST_MOTO, as ./test sets it");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("port");
        let server = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/aws/server.py"))
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stage = Self { server, url: String::new(), _folder: folder };
        for _ in 0..600 {
            if let Ok(port) = std::fs::read_to_string(&file) {
                stage.url = format!("http://127.0.0.1:{port}");
                break;
            }
            assert_eq!(stage.server.try_wait().unwrap(), None, "moto has ended");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for region in ["us-east-1", "eu-west-1"] {
            stage.ec2(region, "Action=CreateKeyPair&KeyName=deploy&KeyType=ed25519").await;
        }
        Some(stage)
    }

    /// An action of EC2 behind the provider's back.
    pub(crate) async fn ec2(&self, region: &str, fields: &str) -> String {
        self.ask(region, "ec2", &format!("{fields}&Version=2016-11-15")).await
    }

    /// An action of a service of the Query protocol; moto reads the region and the service from the
    /// signature, and does not check it.
    pub(crate) async fn ask(&self, region: &str, service: &str, fields: &str) -> String {
        let scope = format!("Credential=AKIDOUTSIDE/20261126/{region}/{service}/aws4_request");
        let proof = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0");
        let asked = client().post(&self.url).header(AUTHORIZATION, proof);
        let asked = asked.header("content-type", "application/x-www-form-urlencoded");
        asked.body(fields.to_owned()).send().await.unwrap().text().await.unwrap()
    }

    /// Tells moto itself something.
    pub(crate) async fn tell_moto(&self, path: &str, body: &str) {
        let told = client().post(format!("{}/moto-api/{path}", self.url)).body(body.to_owned());
        assert!(told.send().await.unwrap().status().is_success());
    }

    /// A provider as a new process would have it, with hosts in two regions.
    pub(crate) fn provider(&self) -> AwsProvider {
        AwsProvider::new(self.settings("AKIDEXAMPLE", "s3cr3t-s3cr3t-s3cr3t"))
    }

    pub(crate) fn settings(&self, id: &str, secret: &str) -> AwsSettings {
        AwsSettings {
            api_urls: ApiUrls::all(&BaseUrl::parse(&self.url).unwrap()),
            credentials: AwsCredentials::Keys {
                access_key_id: id.to_owned(),
                secret_access_key: Token::new(secret).unwrap(),
                session_token: None,
            },
            default_region: "us-east-1".into(),
            regions: ["eu-west-1".into()].into(),
            everywhere: true,
            sizes: ["t3.medium".into()].into(),
            ssh_key_name: Some("deploy".to_owned()),
            subnet_id: None,
            ssh_port: 22,
            mesh_port: Some(51820),
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// An order for a host of `shop/staging`, with a key of its own.
pub(crate) fn order(host: &str) -> CreateInstance {
    let pins = Pins::of_order(HostKey::new([3; 32]));
    CreateInstance { pins, ..samples::order(ProviderId::Aws, host) }
}

fn client() -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_proxy().build().unwrap()
}

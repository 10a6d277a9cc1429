//! Credentials of AWS from where its own tools find them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::emulators::aws::Aws;
use stagecraft_testkit::emulators::{Emulator, Options, Running};
use stagecraft_testkit::world::{Behaviour, Delay};
use stagecraft_testkit::{SharedWorld, World};

use crate::account::{KEY_ID, SECRET, SESSION, with_temporary_key};
use crate::cli::{Stage, transcript};
use crate::leak;

const ACCEPTED: &str = "aws: logged in as 123456789012";

#[test]
fn keys_of_the_environment_are_used() {
    let place = Place::new("");
    let said = place.online(&[
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", SESSION),
    ]);
    assert!(said.contains(ACCEPTED), "{said}");
}

#[test]
fn a_profile_is_named_by_the_file_or_by_the_environment() {
    for (setting, variables) in [("profile: work, ", &[][..]), ("", &[("AWS_PROFILE", "work")][..])]
    {
        let place = Place::new(setting);
        let keys = format!(
            "[work]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n\
             aws_session_token = {SESSION}\n"
        );
        place.write(".aws/credentials", &keys);
        let said = place.online(variables);
        assert!(said.contains(ACCEPTED), "{said}");
    }
}

#[test]
fn who_has_no_credentials_is_told_the_variables_of_awss_own_tools() {
    let said = Place::new("").online(&[]);
    assert!(said.contains("error[cloud.unauthenticated]"), "{said}");
    assert!(said.contains("hint: run `export AWS_PROFILE=NAME`"), "{said}");
    assert!(said.contains("`export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...`"), "{said}");
}

#[test]
fn a_machine_that_gives_no_credentials_is_no_reason_to_sign_in_again() {
    let machine = serve(403, |_| "no".to_owned());
    // Half of a key is none, and the machine is asked.
    let said = Place::new("").online(&[
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &machine),
    ]);
    assert!(said.contains("no place that AWS's tools look at has any"), "{said}");
    assert!(said.contains("hint: run `export AWS_PROFILE=NAME`"), "{said}");
    assert!(!said.contains("sign in"), "{said}");
}

#[test]
fn a_profile_that_is_not_there_is_named_in_the_error() {
    let said = Place::new("").online(&[("AWS_PROFILE", "wrok")]);
    assert!(said.contains("the profile `wrok`, which `AWS_PROFILE` names, gives none"), "{said}");
    assert!(said.contains("`AWS_PROFILE` may name another"), "{said}");
    let said = Place::new("profile: wrok, ").online(&[]);
    assert!(said.contains("error[cloud.unauthenticated]"), "{said}");
    assert!(said.contains("the profile `wrok` gives none"), "{said}");
    assert!(
        said.contains("hint: run `aws configure --profile wrok`") && !said.contains('␊'),
        "{said}"
    );
}

#[test]
fn a_program_of_a_profile_is_asked() {
    let place = Place::new("profile: work, ");
    let answer = format!(
        r#"{{ "Version": 1, "AccessKeyId": "{KEY_ID}", "SecretAccessKey": "{SECRET}", "SessionToken": "{SESSION}" }}"#
    );
    place.write("answer.json", &answer);
    let program = format!("cat {}", place.home("answer.json"));
    place.write(".aws/config", &format!("[profile work]\ncredential_process = {program}\n"));
    let said = place.online(&[("PATH", "/usr/bin:/bin")]);
    assert!(said.contains(ACCEPTED), "{said}");
}

#[test]
fn a_web_identity_takes_on_its_role() {
    let place = Place::new("");
    let sts = serve(200, |request| {
        let asked = request.contains("Action=AssumeRoleWithWebIdentity")
            && request.contains("WebIdentityToken=the-token");
        assert!(asked, "{request}");
        format!(
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{KEY_ID}</AccessKeyId>\
             <SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{SESSION}</SessionToken>\
             <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
             </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        )
    });
    place.write("token", "the-token");
    let said = place.online(&[
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &place.home("token")),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/deploy"),
        ("AWS_ENDPOINT_URL_STS", &sts),
    ]);
    assert!(said.contains(ACCEPTED), "{said}");
}

#[test]
fn a_single_sign_on_is_used_while_it_lasts() {
    for (expires, status) in [("2099-01-01T00:00:00Z", 200), ("2020-01-01T00:00:00Z", 401)] {
        let place = Place::new("profile: work, ");
        let portal = serve(status, |request| {
            assert!(request.starts_with("GET /federation/credentials?"), "{request}");
            format!(
                r#"{{ "roleCredentials": {{ "accessKeyId": "{KEY_ID}", "secretAccessKey": "{SECRET}",
                "sessionToken": "{SESSION}", "expiration": 4070908800000 }} }}"#
            )
        });
        place.write(
            ".aws/config",
            "[profile work]\nsso_start_url = https://example.awsapps.com/start\n\
             sso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = deploy\n",
        );
        // Called by the SHA-1 of the address it starts at.
        let kept = format!(
            r#"{{ "accessToken": "planted-access", "expiresAt": "{expires}",
            "startUrl": "https://example.awsapps.com/start", "region": "us-east-1" }}"#
        );
        place.write(&format!(".aws/sso/cache/{START_URL_SHA1}.json"), &kept);
        let said = place.online(&[("AWS_ENDPOINT_URL_SSO", &portal)]);
        assert_eq!(said.contains(ACCEPTED), status == 200, "{said}");
        assert!(status == 200 || said.contains("`aws sso login --profile work`"), "{said}");
        assert!(!said.contains("planted-access"), "{said}");
    }
}

#[test]
fn the_container_and_the_machine_are_asked_last() {
    let credentials = format!(
        r#"{{ "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-01T00:00:00Z",
        "AccessKeyId": "{KEY_ID}", "SecretAccessKey": "{SECRET}", "Token": "{SESSION}",
        "Expiration": "2099-01-01T00:00:00Z" }}"#
    );
    let of_container = credentials.clone();
    let container = serve(200, move |_| of_container.clone());
    let said = Place::new("")
        .online(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{container}/credentials"))]);
    assert!(said.contains(ACCEPTED), "{said}");

    let machine = serve(200, move |request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        match path.trim_end_matches('/') {
            "/latest/api/token" => "a-token".to_owned(),
            "/latest/meta-data/iam/security-credentials" => "deploy".to_owned(),
            _ => credentials.clone(),
        }
    });
    let said = Place::new("").online(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &machine)]);
    assert!(said.contains(ACCEPTED), "{said}");
}

/// SHA-1 of `https://example.awsapps.com/start`, in hexadecimal.
const START_URL_SHA1: &str = "e8be5486177c5b5392bd9aa76563515b29358e6e";

/// An account that knows one temporary key, and a home of its own.
struct Place {
    stage: Stage,
    _account: Running,
    _runtime: tokio::runtime::Runtime,
}

impl Place {
    /// `setting` goes into the provider's part of the file.
    fn new(setting: &str) -> Self {
        let behaviour = Behaviour { boot: Delay::NONE, ..Behaviour::names_are_free() };
        let world = SharedWorld::new(World::new(ProviderId::Aws, behaviour, 11));
        let aws = with_temporary_key(Aws::new(&world));
        let emulator = Emulator::new(&world, aws, Options { limited: false, ..Options::default() });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let account = runtime.block_on(emulator.listen(anywhere)).unwrap();
        let stage = Stage::with(&format!(
            "project: {{ name: shop }}\ncloud: {{ providers: {{ aws: {{ {setting}api_url: '{}', \
             ssh_key_name: deploy, default_region: us-east-1, hosts: {{ prod: {{ app-1: {{ role: app }} \
             }} }} }} }} }}\n",
            account.url()
        ));
        Self { stage, _account: account, _runtime: runtime }
    }

    fn home(&self, name: &str) -> String {
        let home = self.stage.work().parent().unwrap().join("home");
        home.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        let path = std::path::PathBuf::from(self.home(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// What a check of the account says, with these variables and none that leads elsewhere.
    fn online(&self, variables: &[(&str, &str)]) -> String {
        let mut command = self.stage.command(["validate", "--online"]);
        // Nobody listens there, and no machine is asked that this may be.
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9");
        let said = transcript(&command.envs(variables.iter().copied()).output().unwrap());
        assert_eq!(leak::found(said.as_bytes()), None, "{said}");
        said
    }
}

/// A server on this machine that answers every request with what `answer` makes of it; its address.
fn serve(status: u16, answer: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let body = answer(&request(&stream));
            // Whoever has gone needs no answer.
            let _unsent = write!(
                &stream,
                "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                 x-aws-ec2-metadata-token-ttl-seconds: 21600\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("http://{address}")
}

fn request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        head += &line;
    }
    let mut body = vec![0; length];
    // What is missing of it is missing in the assertion too.
    let _all = reader.read_exact(&mut body);
    head + &String::from_utf8_lossy(&body)
}

//! AWS's usual chain of credentials, against servers of this machine: what is asked of whom, what is then
//! signed with, and what is told when there is none.

use std::fs;

use stagecraft_clouds::aws::{ApiUrls, AwsCredentials, AwsEnvironment, AwsProvider, AwsSettings};
use stagecraft_clouds::http::BaseUrl;
use stagecraft_core::cloud::{CloudError, CloudErrorKind, CloudProvider as _};
use tempfile::TempDir;

use crate::server::{Heard, Say, Server, answer, head};

const SECRET: &str = "s3cr3t-planted-value";
const LATER: &str = "2100-01-01T00:00:00Z";
const PAST: &str = "2020-01-01T00:00:00Z";

const PROFILES: &str = "
[profile role]
role_arn = arn:aws:iam::1:role/deploy
source_profile = base
[profile base]
aws_access_key_id = AKIDBASE
aws_secret_access_key = s3cr3t-planted-value-base
[profile signed]
sso_session = my-sso
sso_account_id = 123456789012
sso_role_name = Deploy
[sso-session my-sso]
sso_start_url = https://acme.awsapps.com/start
sso_region = eu-central-1
";
/// SHA-1 of `my-sso`.
const SIGN_ON: &str = ".aws/sso/cache/0ad374308c5a4e22f723adf10145eafad7c4031c.json";

#[tokio::test]
async fn a_role_is_taken_on_with_the_keys_of_its_source_profile() {
    let stage = Stage::new([assumed("AssumeRole"), caller()]);
    stage.profile("role").validate_credentials().await.unwrap();
    let [role, signed] = &stage.server.heard()[..] else { panic!("two requests") };
    assert!(role.body.contains("Action=AssumeRole&"), "{}", role.body);
    assert_eq!(key_of(role), "AKIDBASE");
    assert_eq!(
        (key_of(signed).as_str(), header(signed, "x-amz-security-token")),
        ("ASIANEW", session())
    );
}

#[tokio::test]
async fn a_role_that_does_not_trust_is_told_with_its_name_and_without_keys() {
    let words = format!("not for {SECRET}-base");
    let stage = Stage::new([refused(403, "AccessDenied", &words)]);
    let error = stage.fails("role").await;
    assert!(matches!(&error.kind, CloudErrorKind::Forbidden(_)), "{error:?}");
    assert!(error.to_string().starts_with("aws could not get credentials of the profile `role`: "));
    assert_eq!(
        error.hints,
        ["the role is arn:aws:iam::1:role/deploy; check `role_arn`, and whom the role trusts"]
    );
}

#[tokio::test]
async fn a_sign_on_that_counts_gives_the_role_of_its_profile() {
    let stage = Stage::new([signed_on(), caller()]);
    stage.keep(SIGN_ON, &format!(r#"{{"accessToken":"{SECRET}-token","expiresAt":"{LATER}"}}"#));
    stage.profile("signed").validate_credentials().await.unwrap();
    let [asked, signed] = &stage.server.heard()[..] else { panic!("two requests") };
    let line = "GET /v2/federation/credentials?role_name=Deploy&account_id=123456789012";
    assert_eq!(asked.line, line);
    assert_eq!(header(asked, "x-amz-sso_bearer_token"), Some(format!("{SECRET}-token")));
    assert_eq!(key_of(signed), "ASIANEW");
}

#[tokio::test]
async fn a_sign_on_that_is_missing_has_expired_or_counts_no_more_is_told_with_the_command() {
    let expired = format!(r#"{{"accessToken":"{SECRET}","expiresAt":"{PAST}"}}"#);
    let fresh = format!(r#"{{"accessToken":"{SECRET}","expiresAt":"{LATER}"}}"#);
    let no = answer(401, &format!(r#"{{"message":"Session token {SECRET} not found"}}"#));
    for (kept, answers, why) in [
        (None, vec![], "nobody has signed on for it yet"),
        (Some(&expired), vec![], "its sign-on has expired"),
        (Some(&fresh), vec![no], "its sign-on counts no more"),
    ] {
        let stage = Stage::new(answers);
        if let Some(kept) = kept {
            stage.keep(SIGN_ON, kept);
        }
        let error = stage.fails("signed").await;
        assert_eq!(error.kind, CloudErrorKind::InvalidCredentials(why.to_owned()));
        assert_eq!(error.hints, ["run `aws sso login --profile signed`"]);
    }
}

#[tokio::test]
async fn a_sign_on_that_can_be_renewed_is_and_is_kept() {
    let renewed = format!(
        r#"{{"accessToken":"{SECRET}-new","expiresIn":3600,"refreshToken":"{SECRET}-r2"}}"#
    );
    let stage = Stage::new([answer(200, &renewed), signed_on(), caller()]);
    stage.keep(SIGN_ON, &renewable());
    stage.profile("signed").validate_credentials().await.unwrap();
    let heard = stage.server.heard();
    assert_eq!(heard[0].line, "POST /v2/token");
    assert!(
        heard[0].body.contains(&format!(r#""refreshToken":"{SECRET}-r1""#)),
        "{}",
        heard[0].body
    );
    assert_eq!(header(&heard[1], "x-amz-sso_bearer_token"), Some(format!("{SECRET}-new")));
    let kept = fs::read_to_string(stage.home.path().join(SIGN_ON)).unwrap();
    assert!(kept.contains(&format!("{SECRET}-new")) && kept.contains(&format!("{SECRET}-r2")));
    assert!(kept.contains("startUrl"), "what the tool wrote stays");
}

#[tokio::test]
async fn a_sign_on_that_is_not_renewed_has_expired_and_stays_as_it_was() {
    let said = format!(r#"{{"error":"invalid_grant","error_description":"{SECRET}-r1 is old"}}"#);
    let stage = Stage::new([answer(400, &said)]);
    stage.keep(SIGN_ON, &renewable());
    let error = stage.fails("signed").await;
    assert_eq!(
        error.kind,
        CloudErrorKind::InvalidCredentials("its sign-on has expired".to_owned())
    );
    assert_eq!(fs::read_to_string(stage.home.path().join(SIGN_ON)).unwrap(), renewable());
}

#[tokio::test]
async fn a_web_identity_is_shown_by_its_token_and_not_signed() {
    let stage = Stage::new([assumed("AssumeRoleWithWebIdentity"), caller()]);
    stage.keep("token", &format!("{SECRET}-jwt\n"));
    stage.chain(&stage.web_identity()).validate_credentials().await.unwrap();
    let [asked, signed] = &stage.server.heard()[..] else { panic!("two requests") };
    assert!(asked.body.ends_with(&format!("&WebIdentityToken={SECRET}-jwt")), "{}", asked.body);
    assert!(asked.body.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fci"), "{}", asked.body);
    assert_eq!(header(asked, "authorization"), None);
    assert_eq!(key_of(signed), "ASIANEW");
}

#[tokio::test]
async fn a_web_identity_that_is_refused_or_has_no_token_is_told_without_it() {
    let words = format!("the token {SECRET}-jwt is no JWT");
    let stage = Stage::new([refused(400, "InvalidIdentityToken", &words)]);
    stage.keep("token", &format!("{SECRET}-jwt"));
    let error = stage.fails_of(stage.chain(&stage.web_identity())).await;
    assert!(
        error.to_string().contains("the token [hidden] is no JWT (InvalidIdentityToken)"),
        "{error}"
    );
    assert!(error.hints[0].contains("trusts this identity provider"), "{error:?}");
    fs::remove_file(stage.home.path().join("token")).unwrap();
    let error = stage.fails_of(stage.chain(&stage.web_identity())).await;
    let told = error.to_string();
    assert!(told.contains("/token cannot be read: No such file"), "{told}");
}

#[tokio::test]
async fn a_container_is_asked_with_its_own_token() {
    let told = machine_credentials(LATER);
    let stage = Stage::new([answer(200, &told), caller()]);
    stage.keep("pod", &format!("{SECRET}-pod"));
    let url = format!("{}/credentials", stage.server.url);
    let file = stage.home.path().join("pod").display().to_string();
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &file),
    ];
    stage.chain(&owned(&variables)).validate_credentials().await.unwrap();
    let [asked, signed] = &stage.server.heard()[..] else { panic!("two requests") };
    assert_eq!(asked.line, "GET /v2/credentials");
    assert_eq!(header(asked, "authorization"), Some(format!("{SECRET}-pod")));
    assert_eq!(key_of(signed), "ASIANEW");

    let elsewhere = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example/")];
    let error = stage.fails_of(stage.chain(&owned(&elsewhere))).await;
    assert!(error.to_string().contains("would send the token in the clear"), "{error}");
}

#[tokio::test]
async fn a_machine_is_asked_with_a_token_of_its_metadata_service() {
    let token = answer(200, &format!("{SECRET}-imds"));
    let stage = Stage::new([
        token,
        answer(200, "deploy-role\n"),
        answer(200, &machine_credentials(LATER)),
        caller(),
    ]);
    stage.chain(&stage.machine()).validate_credentials().await.unwrap();
    let heard = stage.server.heard();
    let lines: Vec<&str> = heard.iter().map(|of| of.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "PUT /v2/latest/api/token",
            "GET /v2/latest/meta-data/iam/security-credentials/",
            "GET /v2/latest/meta-data/iam/security-credentials/deploy-role",
            "POST /v2",
        ]
    );
    for asked in &heard[1..3] {
        assert_eq!(header(asked, "x-aws-ec2-metadata-token"), Some(format!("{SECRET}-imds")));
    }
    assert_eq!(key_of(&heard[3]), "ASIANEW");
}

#[tokio::test]
async fn a_machine_without_a_role_says_so() {
    let stage = Stage::new([answer(200, SECRET), answer(404, "<html/>")]);
    let error = stage.fails_of(stage.chain(&stage.machine())).await;
    assert!(error.to_string().contains("this instance of EC2 has no role"), "{error}");
    let failed = format!(r#"{{"Code":"AssumeRoleUnauthorizedAccess","Message":"no {SECRET}"}}"#);
    let stage = Stage::new([answer(200, SECRET), answer(200, "r"), answer(200, &failed)]);
    let error = stage.fails_of(stage.chain(&stage.machine())).await;
    assert!(error.to_string().contains("no [hidden] (AssumeRoleUnauthorizedAccess)"), "{error}");
}

#[tokio::test]
async fn where_nothing_answers_for_the_machine_all_places_are_named_and_what_to_do() {
    let stage = Stage::new([]);
    let error = stage.fails_of(stage.chain(&stage.machine())).await;
    let told = error.to_string();
    assert!(
        told.contains("none in the environment and in no profile, and this machine is none of EC2"),
        "{told}"
    );
    assert!(error.hints[0].contains("`aws sso login`"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_keeps_silent_is_not_waited_for_long() {
    let stage = Stage::new([Say::Stall(Vec::new())]);
    let begun = tokio::time::Instant::now();
    stage.fails_of(stage.chain(&stage.machine())).await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn credentials_that_expire_are_got_again_and_others_are_not() {
    for (expiration, asked) in [(PAST, 2), (LATER, 1)] {
        let told = machine_credentials(expiration);
        let one = || [answer(200, SECRET), answer(200, "r"), answer(200, &told), caller()];
        let script =
            if asked == 2 { [one(), one()].concat() } else { [&one()[..], &[caller()]].concat() };
        let stage = Stage::new(script);
        let provider = stage.chain(&stage.machine());
        for _ in 0..2 {
            provider.validate_credentials().await.unwrap();
        }
        let tokens = stage.server.lines().iter().filter(|line| line.starts_with("PUT ")).count();
        assert_eq!(tokens, asked, "{expiration}");
    }
}

#[tokio::test]
async fn a_program_prints_credentials_and_gets_no_secret_that_it_does_not_need() {
    // Cargo sets it for tests.
    let program = format!(
        "test -z \"$CARGO_MANIFEST_DIR\" && printf '%s' '{}'",
        r#"{"Version":1,"AccessKeyId":"ASIANEW","SecretAccessKey":"s3cr3t-planted-value-new"}"#
    );
    let stage = Stage::new([caller()]);
    stage.keep(".aws/credentials", &format!("[program]\ncredential_process = {program}\n"));
    let withheld = ["CARGO_MANIFEST_DIR".to_owned()].into();
    let environment = AwsEnvironment { withheld, ..stage.environment(&[]) };
    stage.provider(Some("program"), environment).validate_credentials().await.unwrap();
    assert_eq!(key_of(&stage.server.heard()[0]), "ASIANEW");
    let error = stage.fails_of(stage.provider(Some("program"), stage.environment(&[]))).await;
    assert!(
        error.to_string().contains("its `credential_process` ended with exit status: 1"),
        "{error}"
    );
}

#[tokio::test]
async fn a_program_that_fails_or_prints_something_else_is_told_without_what_it_printed() {
    for (program, why) in [
        ("echo no login >&2; exit 3", "ended with exit status: 3: no login"),
        ("echo s3cr3t-planted-value", "printed something else than credentials in JSON"),
    ] {
        let stage = Stage::new([]);
        stage.keep(".aws/credentials", &format!("[program]\ncredential_process = {program}\n"));
        let error = stage.fails("program").await;
        assert!(error.to_string().contains(why), "{error}");
        assert!(error.hints[0].contains("`credential_process`"), "{error:?}");
    }
}

#[tokio::test]
async fn keys_of_the_environment_are_used_whatever_the_files_say() {
    let stage = Stage::new([caller()]);
    stage.keep(".aws/config", "not a profile at all");
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    stage.chain(&owned(&keys)).validate_credentials().await.unwrap();
    assert_eq!(key_of(&stage.server.heard()[0]), "AKIDENV");
    let error = stage.fails("base").await;
    assert!(
        error.to_string().contains("config: line 1 is neither a heading nor `key = value`"),
        "{error}"
    );
}

/// A server, and a home directory with profiles.
struct Stage {
    server: Server,
    home: TempDir,
}

impl Stage {
    fn new(script: impl IntoIterator<Item = Say>) -> Self {
        let stage = Self { server: Server::start(script), home: tempfile::tempdir().unwrap() };
        stage.keep(".aws/config", PROFILES);
        stage
    }

    fn keep(&self, path: &str, text: &str) {
        let path = self.home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn profile(&self, name: &str) -> AwsProvider {
        self.provider(Some(name), self.environment(&[]))
    }

    fn chain(&self, variables: &[(String, String)]) -> AwsProvider {
        self.provider(None, self.environment(variables))
    }

    fn web_identity(&self) -> Vec<(String, String)> {
        let file = self.home.path().join("token").display().to_string();
        owned(&[
            ("AWS_WEB_IDENTITY_TOKEN_FILE", file.as_str()),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/ci"),
        ])
    }

    fn machine(&self) -> Vec<(String, String)> {
        owned(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.server.url.as_str())])
    }

    /// An environment in which every service is the server.
    fn environment(&self, variables: &[(String, String)]) -> AwsEnvironment {
        let services = ["AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"];
        let services = services.map(|name| (name.to_owned(), self.server.url.clone()));
        AwsEnvironment {
            variables: variables.iter().cloned().chain(services).collect(),
            home: Some(self.home.path().to_owned()),
            ..AwsEnvironment::default()
        }
    }

    fn provider(&self, profile: Option<&str>, environment: AwsEnvironment) -> AwsProvider {
        let profile = profile.map(str::to_owned);
        AwsProvider::new(AwsSettings {
            api_urls: ApiUrls::all(&BaseUrl::parse(&self.server.url).unwrap()),
            credentials: AwsCredentials::Chain { profile, environment },
            default_region: "us-east-1".into(),
            regions: [].into(),
            sizes: [].into(),
            ssh_key_name: None,
            subnet_id: None,
            ssh_port: 22,
            mesh_port: None,
        })
    }

    async fn fails(&self, profile: &str) -> CloudError {
        self.fails_of(self.profile(profile)).await
    }

    /// The failure, which shows no secret and says what to do.
    async fn fails_of(&self, provider: AwsProvider) -> CloudError {
        let error = provider.validate_credentials().await.unwrap_err();
        let shown = format!("{error} {error:?} {provider:?}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
        assert!(!error.hints.is_empty(), "{shown}");
        error
    }
}

fn owned(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn renewable() -> String {
    format!(
        r#"{{"startUrl":"https://acme.awsapps.com/start","accessToken":"{SECRET}-old","expiresAt":"{PAST}","clientId":"id","clientSecret":"{SECRET}-client","registrationExpiresAt":"{LATER}","refreshToken":"{SECRET}-r1"}}"#
    )
}

fn machine_credentials(expiration: &str) -> String {
    format!(
        r#"{{"Code":"Success","AccessKeyId":"ASIANEW","SecretAccessKey":"{SECRET}","Token":"{SECRET}-session","Expiration":"{expiration}"}}"#
    )
}

fn signed_on() -> Say {
    let said = format!(
        r#"{{"roleCredentials":{{"accessKeyId":"ASIANEW","secretAccessKey":"{SECRET}","sessionToken":"{SECRET}-session","expiration":4102444800000}}}}"#
    );
    answer(200, &said)
}

fn assumed(action: &str) -> Say {
    xml(
        200,
        &format!(
            "<{action}Response><{action}Result><Credentials><AccessKeyId>ASIANEW</AccessKeyId>\
             <SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{SECRET}-session</SessionToken>\
             <Expiration>{LATER}</Expiration></Credentials></{action}Result></{action}Response>"
        ),
    )
}

fn refused(status: u16, code: &str, message: &str) -> Say {
    let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    xml(status, &format!("<ErrorResponse>{error}<RequestId>r-1</RequestId></ErrorResponse>"))
}

fn caller() -> Say {
    xml(
        200,
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::1:x</Arn>\
         <Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
    )
}

fn xml(status: u16, body: &str) -> Say {
    Say::Bytes(format!("{}{body}", head(status, &[], body.len())).into_bytes())
}

fn session() -> Option<String> {
    Some(format!("{SECRET}-session"))
}

fn header(heard: &Heard, name: &str) -> Option<String> {
    let found = heard.headers.iter().filter_map(|line| line.split_once(": "));
    let mut found = found.filter(|(of, _)| of.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.to_owned())
}

/// The id of the key a request is signed with.
fn key_of(heard: &Heard) -> String {
    let proof = header(heard, "authorization").unwrap_or_default();
    let rest = proof.split_once("Credential=").map(|(_, rest)| rest).unwrap_or_default();
    rest.split('/').next().unwrap_or_default().to_owned()
}

use super::*;

const ENVIRONMENT: [(&str, &str); 8] = [
    ("AWS_ACCESS_KEY_ID", "AKIDENV"),
    ("AWS_SECRET_ACCESS_KEY", "s3cr3t-of-the-environment"),
    ("AWS_PROFILE", "work"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "/run/token"),
    ("AWS_ROLE_ARN", "arn:aws:iam::1:role/ci"),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1"),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/2"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9"),
];

const CONFIG: &str = "
[default]
region = eu-west-1
[profile work]
aws_access_key_id = AKIDWORK
aws_secret_access_key = s3cr3t-of-work
[profile role]
role_arn = arn:aws:iam::1:role/deploy
source_profile = middle
external_id = ext
duration_seconds = 900
[profile middle]
role_arn = arn:aws:iam::1:role/middle
source_profile = work
[profile own]
role_arn = arn:aws:iam::1:role/own
source_profile = own
aws_access_key_id = AKIDOWN
aws_secret_access_key = s3cr3t-of-own
[profile signed]
sso_session = acme
sso_account_id = 123456789012
sso_role_name = Deploy
[sso-session acme]
sso_start_url = https://acme.awsapps.com/start
sso_region = eu-central-1
[profile legacy]
sso_start_url = https://old.awsapps.com/start
sso_region = us-east-1
sso_account_id = 1
sso_role_name = R
[profile web]
role_arn = arn:aws:iam::1:role/web
web_identity_token_file = ~/token
[profile program]
credential_process = /bin/keys --for me
[profile on-machine]
role_arn = arn:aws:iam::1:role/x
credential_source = Ec2InstanceMetadata
";

#[test]
fn the_first_place_of_the_chain_that_is_there_decides() {
    let mut left = ENVIRONMENT.to_vec();
    let mut chosen = Vec::new();
    loop {
        chosen.push(by(&choose(&environment(&left), &profiles(CONFIG), None).unwrap()));
        let Some(gone) = left.iter().position(|(name, _)| *name != "AWS_SECRET_ACCESS_KEY") else {
            break;
        };
        let (name, _) = left.remove(gone);
        if name == "AWS_ACCESS_KEY_ID" {
            left.retain(|(name, _)| *name != "AWS_SECRET_ACCESS_KEY");
        }
    }
    chosen.dedup();
    assert_eq!(
        chosen,
        [
            "the environment: keys AKIDENV",
            "the profile `work`: keys AKIDWORK",
            "the web identity of the environment: web identity /run/token",
            "the container: http://169.254.170.2/v2/credentials/1",
            "the container: http://localhost/2",
            "the machine: http://127.0.0.1:9",
            "the machine: http://169.254.169.254",
        ]
    );
}

#[test]
fn a_profile_of_the_file_is_the_only_place() {
    let chosen = choose(&environment(&ENVIRONMENT), &profiles(CONFIG), Some("own")).unwrap();
    assert_eq!(by(&chosen), "the profile `own`: keys AKIDOWN, then arn:aws:iam::1:role/own");
}

#[test]
fn the_default_profile_counts_where_it_says_where_credentials_are() {
    let keys = "[default]\naws_access_key_id = A\naws_secret_access_key = B\n";
    let chosen = choose(&environment(&ENVIRONMENT[3..]), &profiles(keys), None).unwrap();
    assert_eq!(by(&chosen), "the profile `default`: keys A");
}

#[test]
fn roles_are_taken_on_from_the_source_outwards() {
    let chosen = of("role").unwrap();
    let [middle, deploy] = &chosen.roles[..] else { panic!("{chosen:?}") };
    assert_eq!((middle.arn.as_str(), &middle.external_id), ("arn:aws:iam::1:role/middle", &None));
    assert_eq!(deploy.external_id.as_deref(), Some("ext"));
    assert_eq!(deploy.duration_seconds.as_deref(), Some("900"));
    assert_eq!(deploy.session_name, "stagecraft");
    assert_eq!(
        by(&chosen),
        "the profile `role`: keys AKIDWORK, then arn:aws:iam::1:role/middle, then \
         arn:aws:iam::1:role/deploy"
    );
}

#[test]
fn a_profile_may_lead_to_every_place() {
    for (profile, expected) in [
        ("signed", "sign-on acme in eu-central-1 as 123456789012/Deploy"),
        ("legacy", "sign-on https://old.awsapps.com/start in us-east-1 as 1/R"),
        ("web", "web identity /home/ada/token"),
        ("program", "program /bin/keys --for me"),
        ("on-machine", "http://169.254.169.254, then arn:aws:iam::1:role/x"),
    ] {
        assert_eq!(by(&of(profile).unwrap()), format!("the profile `{profile}`: {expected}"));
    }
}

#[test]
fn what_is_wrong_with_a_profile_is_told_with_its_name_and_without_its_keys() {
    let told = |section: &str| {
        let profiles = profiles(&format!("[profile p]\n{section}"));
        let trouble = choose(&environment(&[]), &profiles, Some("p")).unwrap_err();
        assert!(
            !format!("{trouble:?}").contains("s3cr3t") && !trouble.hint.is_empty(),
            "{trouble:?}"
        );
        trouble.why
    };
    assert_eq!(told("region = x"), "the profile `p` does not say where credentials are");
    assert_eq!(
        told("aws_secret_access_key = s3cr3t"),
        "the profile `p` has half a key: no `aws_access_key_id`"
    );
    assert_eq!(
        told("role_arn = a\nsource_profile = p"),
        "the profile `p` is its own source: p -> p"
    );
    assert_eq!(
        told("role_arn = a\nsource_profile = q\n[profile q]\nrole_arn = b\nsource_profile = p"),
        "the profile `p` is its own source: p -> q -> p"
    );
    assert_eq!(
        told("role_arn = a\nsource_profile = q"),
        "the profile `p` builds upon `q`, and there is no such profile"
    );
    assert_eq!(
        told("role_arn = a"),
        "the profile `p` has a `role_arn`, and no `source_profile` or `credential_source`"
    );
    assert_eq!(
        told("role_arn = a\nsource_profile = q\ncredential_source = Environment"),
        "the profile `p` says in more than one way where `role_arn` begins"
    );
    assert_eq!(
        told("role_arn = a\ncredential_source = Environment"),
        "the profile `p` takes the keys of the environment, which has none"
    );
    assert_eq!(
        told("sso_session = acme"),
        "the profile `p` names the session `acme`, and there is no `[sso-session acme]`"
    );
    assert_eq!(
        told("sso_start_url = a\nsso_region = b\nsso_account_id = c"),
        "the profile `p` uses single sign-on and has no `sso_role_name`"
    );
    assert!(told("role_arn = a\nsource_profile = q\nmfa_serial = m").contains("`mfa_serial`"));
}

#[test]
fn a_profile_that_is_not_there_is_told_with_those_that_are() {
    let trouble = of("wrok").unwrap_err();
    assert_eq!(
        trouble.why,
        "there is no profile `wrok` in /home/ada/.aws/config or /home/ada/.aws/credentials"
    );
    assert!(trouble.hint.ends_with("`signed`, `web`, `work`"), "{}", trouble.hint);
}

#[test]
fn half_a_key_of_the_environment_is_told_and_nothing_else_is_tried() {
    let trouble = choose(&environment(&ENVIRONMENT[1..]), &profiles(CONFIG), None).unwrap_err();
    assert_eq!(
        trouble.why,
        "the environment has `AWS_SECRET_ACCESS_KEY` and no `AWS_ACCESS_KEY_ID`"
    );
}

#[test]
fn a_machine_that_may_not_be_asked_is_not() {
    let off = environment(&[("AWS_EC2_METADATA_DISABLED", "True")]);
    let trouble = choose(&off, &Profiles::default(), None).unwrap_err();
    assert!(trouble.why.contains("`AWS_EC2_METADATA_DISABLED` is set"), "{trouble:?}");
}

fn of(profile: &str) -> Result<Source, Trouble> {
    choose(&environment(&[]), &profiles(CONFIG), Some(profile))
}

fn environment(variables: &[(&str, &str)]) -> AwsEnvironment {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    AwsEnvironment {
        variables: variables.collect(),
        home: Some("/home/ada".into()),
        ..AwsEnvironment::default()
    }
}

fn profiles(config: &str) -> Profiles {
    let mut profiles = Profiles::default();
    profiles.add_config(config).unwrap();
    profiles
}

/// A source in a line.
fn by(source: &Source) -> String {
    let base = match &source.base {
        Base::Keys(keys) => format!("keys {}", keys.access_key_id()),
        Base::WebIdentity { token_file, .. } => format!("web identity {}", token_file.display()),
        Base::SignOn(SignOn { kept_as, region, account_id, role_name, .. }) => {
            format!("sign-on {kept_as} in {region} as {account_id}/{role_name}")
        }
        Base::Process(command) => format!("program {command}"),
        Base::Container { url, .. } | Base::Machine { url } => url.clone(),
    };
    let roles: String = source.roles.iter().map(|role| format!(", then {}", role.arn)).collect();
    format!("{}: {base}{roles}", source.by)
}

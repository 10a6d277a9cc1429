use stagecraft_core::config;

use super::*;

const DIGITALOCEAN: ProviderId = ProviderId::DigitalOcean;
const HETZNER: ProviderId = ProviderId::Hetzner;

#[test]
fn a_provider_the_file_names_the_environment_under_needs_its_token() {
    for environment in ["prod", "empty"] {
        let stop = clouds(environment, &[]).unwrap_err();
        assert_eq!(stop.exit, ExitCode::Usage);
        let told: Vec<&str> =
            stop.troubles.iter().map(|trouble| trouble.failure.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "digitalocean needs an API token, and the environment variable `DO_TOKEN` is not set",
                "hetzner needs an API token, and the environment variable `HCLOUD_TOKEN` is not set",
            ]
        );
    }
    let both = [("DO_TOKEN", "abcdefgh1"), ("HCLOUD_TOKEN", " abcdefgh2\n")];
    let clouds = clouds("prod", &both).unwrap();
    assert!(clouds.identities.keys().eq(&[DIGITALOCEAN, HETZNER]));
    assert_eq!(clouds.way_around(HETZNER), None);
}

#[test]
fn a_provider_the_environment_was_never_at_needs_no_token() {
    let clouds = clouds("dev", &[("HCLOUD_TOKEN", " ")]).unwrap();
    assert!(clouds.local && clouds.identities.is_empty());
    assert_eq!(
        clouds.left_out_note(&name("dev")).as_deref(),
        Some(
            "note: not looked at, as the file has no hosts of `dev` there: \
                 digitalocean (`DO_TOKEN` is not set), hetzner (`HCLOUD_TOKEN` is empty)"
        )
    );
}

#[test]
fn hosts_that_were_taken_out_of_the_file_are_looked_for_where_that_is_possible() {
    let clouds = clouds("dev", &[("DO_TOKEN", "abcdefgh1")]).unwrap();
    assert!(clouds.identities.keys().eq(&[DIGITALOCEAN]));
    let way = clouds.way_around(DIGITALOCEAN).unwrap();
    assert_eq!(
        way,
        "the file has no hosts of `dev` on digitalocean: to leave it out, unset `DO_TOKEN`"
    );
}

#[test]
fn an_engine_is_needed_only_where_the_file_says_so() {
    let tokens = [("DO_TOKEN", "abcdefgh1"), ("HCLOUD_TOKEN", "abcdefgh2")];
    let with = |host: &'static str| {
        let variables: Vec<_> = tokens.into_iter().chain([("DOCKER_HOST", host)]).collect();
        clouds("prod", &variables).unwrap()
    };
    assert!(with("tcp://10.0.0.1").local, "it may be there");
    assert!(!with("unix:///nowhere/docker.sock").local);
    assert_eq!(
        with("ssh://build").left_out_note(&name("prod")).as_deref(),
        Some(
            "note: not looked at, as the file has no hosts of `prod` there: \
                 local (`DOCKER_HOST` cannot be used)"
        )
    );
    let dev = clouds("dev", &[("DOCKER_HOST", "ssh://build")]).unwrap();
    assert!(dev.local, "that it cannot be used is told when it is used");
}

#[test]
fn what_is_no_token_is_told_without_being_shown() {
    for (text, why) in [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("'SECRET-TOKEN'", "holds none: it has quotes, which no token has"),
        ("SECRET TOKEN", "holds none: it has white space inside, which no token has"),
        ("SECRET", "holds none: it is only 6 characters long"),
    ] {
        let variables = [("DO_TOKEN", text), ("HCLOUD_TOKEN", "abcdefgh")];
        let stop = clouds("prod", &variables).unwrap_err();
        let failure = &stop.troubles[0].failure;
        assert_eq!(
            failure.message,
            format!(
                "digitalocean needs an API token, and the environment variable `DO_TOKEN` {why}"
            )
        );
        assert!(!format!("{stop:?}").contains("SECRET"), "{stop:?}");
        assert!(failure.hints[0].contains("`DO_TOKEN`") || text.trim().is_empty());
    }
    let stop = clouds("dev", &[("DO_TOKEN", "'SECRET-TOKEN'")]).unwrap_err();
    let hint = "the file has no hosts of `dev` on digitalocean: to leave it out, unset `DO_TOKEN`";
    assert_eq!(stop.troubles[0].failure.hints[1], hint);
}

#[test]
fn aws_is_looked_at_where_its_credentials_may_be_found() {
    let of = |settings: &str, environment: &str, variables: &[(&str, &str)]| {
        let file = format!(
            "project: {{ name: p }}\ncloud:\n  providers:\n    aws: {{ {settings}ssh_key_name: k, \
                 default_region: r, hosts: {{ prod: {{ a: {{ role: a }} }} }} }}\n    \
                 local: {{ hosts: {{ dev: {{ b: {{ role: a }} }} }} }}\n"
        );
        let config = config::parse("f", file.as_bytes()).unwrap();
        clouds_of(&config, environment, variables)
    };
    let aws = |clouds: Clouds| clouds.identities.get(&ProviderId::Aws).cloned();
    let chain = aws(of("", "prod", &[]).unwrap());
    assert_eq!(chain, Some(Identity::Chain { profile: None }));
    let left_out = of("", "dev", &[]).unwrap();
    assert!(left_out.identities.is_empty());
    assert!(left_out.left_out_note(&name("dev")).unwrap().contains("aws (no credentials are"));
    assert!(aws(of("", "dev", &[("AWS_PROFILE", "work")]).unwrap()).is_some());

    let keys = "access_key_id_env: ID, secret_access_key_env: KEY, ";
    let both = [("ID", "AKIDEXAMPLE"), ("KEY", "SECRET-SECRET")];
    let given = aws(of(keys, "prod", &both).unwrap());
    assert!(matches!(given, Some(Identity::Owner(_))));
    let stop = of(keys, "prod", &both[..1]).unwrap_err();
    let told = &stop.troubles[0].failure.message;
    assert_eq!(told, "aws needs an access key, and `KEY` is not set");
    let quoted = of(keys, "prod", &[both[0], ("KEY", "'SECRET-SECRET'")]).unwrap_err();
    assert!(!format!("{quoted:?}").contains("SECRET-SECRET"));
}

#[test]
fn a_store_that_several_providers_need_is_told_once() {
    let file = "\
project: { name: p }
credentials: { path: /nowhere/store.db, key_file: /nowhere/key }
cloud:
  providers:
    digitalocean: { credentials: a, ssh_key_name: k, default_region: r, hosts: { prod: { a: { role: a } } } }
    hetzner: { credentials: b, ssh_key_name: k, default_region: r, hosts: { prod: { b: { role: a } } } }
    local: { hosts: { dev: { c: { role: a } } } }
";
    let config = config::parse("f", file.as_bytes()).unwrap();
    let stop = clouds_of(&config, "prod", &[]).unwrap_err();
    assert_eq!(stop.troubles.len(), 1, "{stop:?}");
    let note = clouds_of(&config, "dev", &[]).unwrap().left_out_note(&name("dev")).unwrap();
    assert!(note.contains(": digitalocean and hetzner ("), "{note}");
    assert_eq!(note.matches("/nowhere/store.db").count(), 1, "{note}");
}

#[test]
fn an_entry_that_cannot_be_right_is_named_with_the_command_that_replaces_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = "\
project: { name: p }
credentials: { path: store.db, key_file: key }
cloud: { providers: { aws: { credentials: a, ssh_key_name: k, default_region: r, hosts: { prod: { a: { role: a } } } } } }
";
    let config = config::parse("f", file.as_bytes()).unwrap();
    let environment = Environment::for_tests("/home/ada", &[]);
    let parts = [(Field::AccessKeyId, "a".repeat(40)), (Field::SecretAccessKey, "AKIA".repeat(5))];
    let parts = parts.map(|(field, text)| (field, stagecraft_core::Secret::new(&text)));
    let swapped = stagecraft_core::credential::Credential::new(Issuer::Aws, parts).unwrap();
    let mut vault = crate::wire::vault(&environment, &config.store, folder.path()).unwrap();
    vault.put(&"a".parse().unwrap(), &swapped, false).unwrap();
    let secrets = Secrets::new(&environment, &config.store, folder.path());
    let stop = Clouds::of(&config, &name("prod"), &secrets).unwrap_err();
    let failure = &stop.troubles[0].failure;
    let message = "the entry `a` of the credential store is no credential of aws: the access key id \
                       and the secret access key are swapped";
    assert_eq!(failure.message, message);
    let hint = "run `stagecraft credentials add a --provider aws --replace`, and give the access key \
                    id (begins with AKIA or ASIA), then the secret access key (40 characters)";
    assert_eq!(failure.hints, [hint]);
}

fn clouds(environment: &str, variables: &[(&str, &str)]) -> Result<Clouds, Stop> {
    let file = "\
project: { name: p }
cloud:
  providers:
    digitalocean:
      { token_env: DO_TOKEN, ssh_key_name: k, default_region: r, hosts: { prod: { a: { role: a } }, empty: {} } }
    hetzner:
      { token_env: HCLOUD_TOKEN, ssh_key_name: k, default_region: r, hosts: { prod: { b: { role: a } }, empty: {} } }
    local: { hosts: { dev: { c: { role: a } } } }
";
    let config = config::parse("f", file.as_bytes()).unwrap();
    clouds_of(&config, environment, variables)
}

fn clouds_of(
    config: &Config,
    environment: &str,
    variables: &[(&str, &str)],
) -> Result<Clouds, Stop> {
    let variables = Environment::for_tests("/home/ada", variables);
    let secrets = Secrets::new(&variables, &config.store, Path::new("/"));
    Clouds::of(config, &name(environment), &secrets)
}

fn name(environment: &str) -> EnvironmentName {
    environment.parse().unwrap()
}

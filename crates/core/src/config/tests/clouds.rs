//! What clouds ask of a file beyond what `local` does.

use super::{config, local_hosts, problems, told};
use crate::config::{
    CredentialSource, KeyPlace, NetworkConfig, SecretSource, StoreConfig, StorePlace,
};
use crate::desired::{Arch, ProviderId};

/// A file with one host `web-1` of these keys on a cloud that has these settings.
fn cloud(provider: &str, settings: &str, host: &str) -> String {
    format!(
        "project: {{ name: p }}\ncloud:\n  providers:\n    {provider}:\n      token_env: T\n      default_region: r\n{settings}      hosts:\n        prod:\n          web-1: {{ role: web{host} }}\n"
    )
}

const KEY: &str = "      ssh_key_name: k\n";

#[test]
fn hosts_on_a_cloud_need_an_ssh_key() {
    for provider in ["digitalocean", "hetzner"] {
        assert_eq!(
            told(&cloud(provider, "", "")),
            [format!(
                "4:5 [config.missing-key] `cloud.providers.{provider}` has hosts and no `ssh_key_name` / `ssh_key_name` is required here / add your SSH key to the {provider} account, and its name there as `ssh_key_name`"
            )]
        );
        let without_hosts = cloud(provider, "", "").replace("          web-1: { role: web }\n", "");
        config(&without_hosts.replace("prod:\n", "prod: {}\n"));
    }
    assert_eq!(told(&cloud("hetzner", "      ssh_kye_name: k\n", "")).len(), 1, "it was meant");
}

#[test]
fn aws_takes_its_credentials_in_exactly_one_way() {
    let aws = |lines: &str| {
        cloud("aws", &format!("{KEY}{lines}"), "").replace("      token_env: T\n", "")
    };
    let source =
        |lines: &str| config(&aws(lines)).providers[&ProviderId::Aws].credentials.clone().unwrap();
    assert_eq!(source(""), CredentialSource::Chain { profile: None });
    let profile = Some("work".to_owned());
    assert_eq!(source("      profile: work\n"), CredentialSource::Chain { profile });
    let keys = "      access_key_id_env: ID\n      secret_access_key_env: SECRET\n";
    let access_key = |session| CredentialSource::AccessKey {
        id: "ID".to_owned(),
        secret: "SECRET".to_owned(),
        session,
    };
    assert_eq!(source(keys), access_key(None));
    let session = format!("{keys}      session_token_env: TOKEN\n");
    assert_eq!(source(&session), access_key(Some("TOKEN".to_owned())));

    let problem = |lines: &str| {
        let told = told(&aws(lines));
        assert_eq!(told.len(), 1, "{told:?}");
        told[0].split(" / ").next().unwrap().split("] ").nth(1).unwrap().to_owned()
    };
    for (first, second) in [
        ("access_key_id_env", "profile"),
        ("profile", "credentials"),
        ("secret_access_key_env", "credentials"),
        ("session_token_env", "credentials"),
    ] {
        let expected = format!("`cloud.providers.aws` has both `{first}` and `{second}`");
        assert_eq!(problem(&format!("      {first}: a\n      {second}: b\n")), expected);
    }
    for (given, missing) in [
        ("access_key_id_env", "secret_access_key_env"),
        ("secret_access_key_env", "access_key_id_env"),
        ("session_token_env", "access_key_id_env"),
    ] {
        let expected = format!("`cloud.providers.aws` has `{given}` and no `{missing}`");
        assert_eq!(problem(&format!("      {given}: A\n")), expected);
    }
}

#[test]
fn an_entry_of_the_credential_store_may_stand_wherever_a_variable_may() {
    let stored = Some(CredentialSource::Stored("prod".parse().unwrap()));
    let text = cloud("hetzner", KEY, "").replace("token_env: T", "credentials: prod");
    let hetzner = config(&text);
    assert_eq!(hetzner.providers[&ProviderId::Hetzner].credentials, stored);
    let aws = config(&cloud("aws", KEY, "").replace("token_env: T", "credentials: prod"));
    assert_eq!(aws.providers[&ProviderId::Aws].credentials, stored);
}

#[test]
fn a_token_in_the_place_of_a_name_is_not_shown() {
    let text = cloud("hetzner", KEY, "").replace("token_env: T", "credentials: Planted_Token_1");
    let problems = problems(&text);
    let shown = format!("{problems} {:?}", problems.problems);
    assert!(shown.contains("never the secret itself"), "{shown}");
    assert!(!shown.contains("Planted"), "{shown}");
    let key = "UGxhbnRlZFBsYW50ZWRQbGFudGVkUGxhbnRlZFBsYW4=";
    let hosts = local_hosts("        dev: {}\n");
    let problems = self::problems(&format!("{hosts}\ncredentials:\n  key_keyring: {key}\n"));
    let shown = format!("{problems} {:?}", problems.problems);
    assert!(shown.contains("never the key itself"), "{shown}");
    assert!(!shown.contains("UGxhbnRl"), "{shown}");
}

#[test]
fn the_store_and_its_key_are_each_in_one_place() {
    let with = |lines: &str| format!("{}\ncredentials:\n{lines}", local_hosts("        dev: {}\n"));
    let store = |lines: &str| config(&with(lines)).store;
    assert_eq!(config(&local_hosts("        dev: {}\n")).store, StoreConfig::default());
    let file = store("  path: ~/team.db\n  key_env: KEY\n");
    assert_eq!(file.place, StorePlace::File(Some("~/team.db".to_owned())));
    assert_eq!(file.key, KeyPlace::Variable("KEY".to_owned()));
    let postgres = config(&with("  url_env: URL\n  ca_file: ca.pem\n  key_file: team\n"));
    let ca_file = Some("ca.pem".to_owned());
    assert_eq!(postgres.store.place, StorePlace::Postgres { url_env: "URL".to_owned(), ca_file });
    assert_eq!(postgres.store.key, KeyPlace::File(Some("team".to_owned())));
    let keyring = store("  path: team.db\n  key_keyring: team\n");
    assert_eq!(keyring.key, KeyPlace::Keyring("team".parse().unwrap()));
    assert_eq!(keyring.place, StorePlace::File(Some("team.db".to_owned())));
    assert!(postgres.secret_variables().contains("URL"), "its URL has a password");
    assert!(config(&with("  key_env: KEY\n")).secret_variables().contains("KEY"));
    let problem = |lines: &str| {
        let problem = problems(&with(lines)).problems.remove(0);
        (problem.position.unwrap().column, problem.message)
    };
    for place in ["path", "url_env"] {
        let told = format!("`credentials` has `{place}` and no key of its own");
        assert_eq!(problem(&format!("  {place}: a\n")), (3, told));
    }
    for (first, second) in [
        ("path", "url_env"),
        ("key_file", "key_env"),
        ("key_file", "key_keyring"),
        ("key_env", "key_keyring"),
    ] {
        let told = format!("`credentials` has both `{first}` and `{second}`");
        assert_eq!(problem(&format!("  {first}: a\n  {second}: b\n")), (3, told));
    }
    let three = problems(&with("  key_keyring: c\n  key_env: b\n  key_file: a\n")).problems;
    let three: Vec<&str> = three.iter().map(|problem| problem.message.as_str()).collect();
    let both = |other| format!("`credentials` has both `key_file` and `{other}`");
    assert_eq!(three, [both("key_keyring"), both("key_env")], "in the order of the file");
    let alone = "`credentials.ca_file` is without a `url_env`".to_owned();
    assert_eq!(problem("  ca_file: ca.pem\n"), (3, alone), "there is no certificate");
}

#[test]
fn a_tailnet_takes_its_key_from_a_variable_or_the_store() {
    let with = |key: &str| {
        format!(
            "{}\nnetwork:\n  provider: tailscale\n  providers:\n    tailscale:\n      tailnet_domain: a.ts.net\n{key}",
            local_hosts("        dev: {}\n")
        )
    };
    let NetworkConfig::Tailscale { auth_key, .. } =
        config(&with("      credentials: ts\n")).network
    else {
        panic!("no tailnet")
    };
    assert_eq!(auth_key, SecretSource::Stored("ts".parse().unwrap()));
    let problem = |key: &str| {
        let problem = problems(&with(key)).problems.remove(0);
        (problem.position.is_some(), problem.message)
    };
    let both = "`network.providers.tailscale` has both `auth_key_env` and `credentials`";
    let told = problem("      auth_key_env: K\n      credentials: ts\n");
    assert_eq!(told, (true, both.to_owned()));
    let none = "`network.providers.tailscale` has no auth key";
    assert_eq!(problem(""), (true, none.to_owned()));
}

#[test]
fn an_api_elsewhere_is_reached_by_https() {
    let url = |url: &str| cloud("digitalocean", &format!("{KEY}      api_url: {url}\n"), "");
    config(&url("https://proxy.example/v2"));
    config(&url("http://127.0.0.1:8080/v2"));
    assert_eq!(
        told(&url("http://proxy.example/v2")),
        [
            "8:16 [config.invalid-value] `cloud.providers.digitalocean.api_url` would send the token in the clear / `http://` is for this machine only / use `https://`; `http://` is allowed for `localhost` and loopback addresses"
        ]
    );
    assert_eq!(
        told(&url("https://")),
        [
            "8:16 [config.invalid-value] `cloud.providers.digitalocean.api_url` cannot be `https://` / not valid here / it must be a URL that starts with `https://` or `http://`"
        ]
    );
    assert_eq!(
        told(&url("https://:1")),
        [
            "8:16 [config.invalid-value] `cloud.providers.digitalocean.api_url` is not a URL / not a URL / write the address up to the version, e.g. `https://proxy.example/v2`"
        ]
    );
}

#[test]
fn a_secret_in_the_address_of_an_api_is_not_shown() {
    for (url, why) in [
        ("https://ada:SECRET@proxy.example/", "has a user name"),
        ("https://proxy.example/?key=SECRET", "does not end after its path"),
        ("'https://proxy.example/#SECRET'", "does not end after its path"),
        ("https://ada:SECRET@:1", "is not a URL"),
    ] {
        let problems = problems(&cloud("hetzner", &format!("{KEY}      api_url: {url}\n"), ""));
        assert!(!format!("{problems:?}").contains("SECRET"), "{problems:?}");
        assert!(problems.text.contains("api_url: *****"), "{}", problems.text);
        let told = &problems.problems[0].message;
        assert_eq!(*told, format!("`cloud.providers.hetzner.api_url` {why}"));
    }
}

#[test]
fn a_name_that_is_too_long_for_a_machine_is_refused() {
    let name = "x".repeat(56);
    let text = cloud("hetzner", KEY, ", count: 10").replace("web-1", &name);
    assert_eq!(
        told(&text),
        [format!(
            "10:11 [config.invalid-value] the machine of `{name}-10` on hetzner would be called `prod-{name}-10`, which is longer than 63 characters / 64 characters with the environment / use a shorter name for the host or the environment"
        )]
    );
    config(&text.replace("count: 10", "count: 9"));
    config(&local_hosts(&format!("        prod:\n          {name}: {{ role: a, count: 10 }}\n")));
}

#[test]
fn tags_are_what_the_cloud_takes() {
    let tags = "tags: [\"team:shop\", A.b, stagecraft:host:x, \"a:b:c\"]";
    assert_eq!(
        told(&cloud("digitalocean", KEY, &format!(", {tags}"))),
        [
            "10:51 [config.invalid-value] `A.b` cannot be a tag on digitalocean / not allowed on digitalocean / use a-z, 0-9, `_`, `:` and `-`, and no `stagecraft:` at the beginning",
            "10:56 [config.invalid-value] `stagecraft:host:x` cannot be a tag on digitalocean / not allowed on digitalocean / use a-z, 0-9, `_`, `:` and `-`, and no `stagecraft:` at the beginning",
        ]
    );
    assert_eq!(
        told(&cloud("hetzner", KEY, &format!(", {tags}"))),
        [
            "10:56 [config.invalid-value] `stagecraft:host:x` cannot be a tag on hetzner / not allowed on hetzner / use `KEY` or `KEY:VALUE`, each of letters, digits, `.`, `_` and `-`, with a letter or digit at both ends; keys do not begin with `stagecraft`",
            "10:75 [config.invalid-value] `a:b:c` cannot be a tag on hetzner / not allowed on hetzner / use `KEY` or `KEY:VALUE`, each of letters, digits, `.`, `_` and `-`, with a letter or digit at both ends; keys do not begin with `stagecraft`",
        ]
    );
    config(&local_hosts(&format!("        prod:\n          a: {{ role: a, {tags} }}\n")));
}

#[test]
fn a_label_of_hetzner_has_one_value() {
    let text = cloud("hetzner", KEY, ", tags: [\"a:1\", b, \"a:2\"]");
    let problems = problems(&text);
    assert_eq!(
        super::told_of(&problems),
        [
            "10:48 [config.invalid-value] two tags of `web-1` have the key `a` / the second time / on hetzner a tag is a label, and a label has one value: keep one"
        ]
    );
    let (first, _) = problems.problems[0].also.clone().unwrap();
    assert_eq!(first.start, text.find("\"a:1\"").unwrap());
    config(&cloud("digitalocean", KEY, ", tags: [\"a:1\", b, \"a:2\"]"));
}

#[test]
fn a_tag_that_is_wrong_everywhere_is_told_once() {
    let told = told(&cloud("hetzner", KEY, ", tags: [\"a b\", c, c]"));
    assert_eq!(told.len(), 2, "{told:#?}");
}

#[test]
fn what_a_cloud_lacks_is_for_the_plan_to_say() {
    let config = config(&cloud("digitalocean", KEY, ", spot: true, arch: arm64"));
    let (_, hosts) = config.environment(None).unwrap();
    assert!(hosts.values().all(|host| host.spot && host.arch == Some(Arch::Arm64)));
}

#[test]
fn a_provider_knows_the_environments_named_there() {
    let text = cloud("hetzner", KEY, "").replace("hosts:\n", "hosts:\n        old: {}\n");
    let config = config(&text);
    let provider = config.providers.values().next().unwrap();
    let named: Vec<&str> = provider.environments.iter().map(|name| name.as_str()).collect();
    assert_eq!(named, ["old", "prod"]);
}

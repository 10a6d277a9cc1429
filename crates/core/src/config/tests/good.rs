//! Files without problems, and what is made from the schema.

use serde_json::Value;

use super::{config, local_hosts, problems};
use crate::config::schema::json_schema;
use crate::config::{
    Config, CredentialSource, DockerInstall, DockerSource, HostKeys, NetworkConfig, SecretSource,
    parse, reference_markdown, template, token_variable,
};
use crate::desired::{Arch, Places, Position, ProviderId};
use crate::error::Code;
use crate::name::{HostName, Image, Region, Size};

const LOCAL: &str = include_str!("../../../../../examples/local/stagecraft.yml");
const CLOUD: &str = include_str!("../../../../../examples/cloud/stagecraft.yml");
const FULL: &str = include_str!("../../../../../examples/full/stagecraft.yml");

#[test]
fn the_full_example_says_everything_it_says() {
    let config = config(FULL);
    assert_eq!(config.project.as_str(), "shop");
    assert_eq!(config.default_provider, Some(ProviderId::DigitalOcean));

    let NetworkConfig::Tailscale { settings, auth_key } = &config.network else {
        panic!("{:?}", config.network)
    };
    assert_eq!(*auth_key, SecretSource::Variable("TS_AUTHKEY".to_owned()));
    assert_eq!(settings.tailnet_domain, "example.ts.net");
    assert!(settings.install);
    assert_eq!(settings.min_version, Some("1.78.0".parse().unwrap()));
    assert_eq!(settings.default_tags, ["tag:stagecraft".to_owned()].into());
    let secrets = config.secret_variables();
    assert!(secrets.contains("DO_TOKEN") && secrets.contains("TS_AUTHKEY"), "{secrets:?}");
    assert!(secrets.contains("SSH_KEY_PASSPHRASE"), "{secrets:?}");

    assert_eq!(config.bootstrap.ssh.host_keys, HostKeys::Pinned);
    assert_eq!(config.bootstrap.ssh.private_key_path.as_deref(), Some("~/.ssh/id_ed25519"));
    let variable = config.bootstrap.ssh.private_key_passphrase_env.as_deref();
    assert_eq!(variable, Some("SSH_KEY_PASSPHRASE"));
    assert_eq!(config.bootstrap.docker.install_method, DockerInstall::Apt);
    assert_eq!(config.bootstrap.docker.source, DockerSource::Distro);
    let aws = &config.providers[&ProviderId::Aws];
    assert_eq!(aws.credentials, Some(CredentialSource::Stored("prod-aws".parse().unwrap())));
    let digitalocean = &config.providers[&ProviderId::DigitalOcean];
    assert_eq!(digitalocean.credentials, Some(CredentialSource::Variable("DO_TOKEN".to_owned())));
    assert_eq!(digitalocean.ssh_key_name.as_deref(), Some("deploy"));
    assert_eq!(digitalocean.allowed_regions.len(), 2);

    let (scope, staging) = config.environment(Some("staging")).unwrap();
    assert_eq!(scope.to_string(), "shop/staging");
    let names: Vec<&str> = staging.keys().map(HostName::as_str).collect();
    assert_eq!(names, ["app-1", "app-2", "app-3", "db-1", "gateway-1", "worker-1"]);
    let database = &staging["db-1".parse::<HostName>().as_ref().unwrap()];
    assert_eq!(database.region, Region::from("nyc1"));
    assert_eq!(database.size, Size::from("s-4vcpu-8gb"));
    assert!(database.protected);
    let worker = &staging[&"worker-1".parse::<HostName>().unwrap()];
    assert_eq!((worker.provider, worker.arch), (ProviderId::Hetzner, Some(Arch::Arm64)));
    assert!(worker.tags.contains("team:search"));

    let (_, ci) = config.environment(Some("ci")).unwrap();
    assert!(ci.values().all(|host| host.spot && host.image == Image::from("ubuntu-24.04")));
    assert_eq!(ci.len(), 5);
}

#[test]
fn what_is_said_of_a_host_has_its_place_and_the_rest_that_of_the_default_or_of_the_host() {
    let text = "project: { name: shop }
cloud:
  providers:
    hetzner:
      token_env: HCLOUD_TOKEN
      ssh_key_name: deploy
      default_region: nbg1
      hosts:
        prod:
          a: { role: app }
          b: { role: app, region: fsn1, size: 'cx23', image: debian-12, arch: amd64 }
";
    let config = config(text);
    let (_, hosts) = config.environment(None).unwrap();
    let at = |line, column| Position { line, column };
    let places = |name: &str| hosts[&name.parse::<HostName>().unwrap()].places;
    let (host, ssh_key_name, region) = (at(10, 11), at(6, 21), at(7, 23));
    let a = Places { host, region, ssh_key_name, size: host, image: host, arch: host };
    assert_eq!(places("a"), a);
    let b = Places {
        host: at(11, 11),
        region: at(11, 35),
        size: at(11, 47),
        image: at(11, 62),
        arch: at(11, 79),
        ssh_key_name,
    };
    assert_eq!(places("b"), b);
}

#[test]
fn a_mesh_needs_nothing_but_its_range() {
    let mesh = |settings: &str| {
        let network =
            format!("network: {{ provider: wireguard, providers: {{ wireguard: {settings} }} }}");
        match config(&format!("{LOCAL}\n{network}\n")).network {
            NetworkConfig::WireGuard(network) => network,
            other @ (NetworkConfig::None | NetworkConfig::Tailscale { .. }) => panic!("{other:?}"),
        }
    };
    let usual = mesh("{ cidr: 10.66.0.0/16 }");
    assert_eq!((usual.port, usual.domain.as_str()), (51820, "quickstart.internal"));
    let own = mesh("{ cidr: 'fd00:66::/64', port: 4500, domain: a.internal }");
    assert_eq!((own.port, own.domain.as_str()), (4500, "a.internal"));
}

#[test]
fn docker_is_set_up_as_the_file_says() {
    let docker = |settings: &str| {
        let infra = format!("infra: {{ bootstrap: {{ docker: {{ {settings} }} }} }}\n");
        config(&(local_hosts("        dev: {}\n") + &infra)).bootstrap.docker
    };
    assert!(docker("").enabled);
    assert!(!docker("enabled: false").enabled);
    assert_eq!(docker("install_method: skip").install_method, DockerInstall::Skip);
    assert_eq!(docker("source: docker").source, DockerSource::Docker);
}

#[test]
fn a_range_has_to_hold_the_hosts_of_the_environments_that_use_it() {
    let hosts = "        dev:\n          app: { role: app, count: 3 }\n";
    let mesh = |provider: &str, cidr: &str| {
        let providers = format!("providers: {{ wireguard: {{ cidr: {cidr} }} }}");
        local_hosts(hosts) + &format!("network: {{ provider: {provider}, {providers} }}\n")
    };
    let told = super::told(&mesh("wireguard", "10.66.0.0/30"));
    assert_eq!(
        told,
        [
            "8:65 [config.invalid-value] `10.66.0.0/30` has addresses for 2 hosts, and `dev` has 3 / too small / choose a shorter prefix length, e.g. 16"
        ]
    );
    assert_eq!(config(&mesh("none", "10.66.0.0/30")).network, NetworkConfig::None);
    let exactly = config(&mesh("wireguard", "'fd00::/126'")).network;
    assert!(matches!(exactly, NetworkConfig::WireGuard(_)), "three addresses are enough");
}

#[test]
fn a_host_gets_the_defaults_of_its_provider() {
    let config = config(LOCAL);
    let (scope, hosts) = config.environment(None).unwrap();
    assert_eq!(scope.to_string(), "quickstart/dev");
    assert_eq!(hosts.len(), 3);
    let app = &hosts[&"app-1".parse::<HostName>().unwrap()];
    assert_eq!(app.region, Region::from("local"));
    assert_eq!(app.size, Size::from("small"));
    assert_eq!(app.image, Image::from("debian-12"));
    assert_eq!(app.places.host, Position { line: 18, column: 11 });
    assert!(!app.protected && !app.spot && app.arch.is_none());
    assert_eq!(config.bootstrap.ssh.user, None);
    assert_eq!(config.bootstrap.ssh.port, None);
    assert_eq!(config.bootstrap.ssh.host_keys, HostKeys::Pinned);

    let cloud = super::config(
        "project: { name: p }\ncloud: { providers: { hetzner: { token_env: T, ssh_key_name: k, default_region: nbg1, hosts: { e: { a: { role: r } } } } } }",
    );
    let (_, hosts) = cloud.environment(None).unwrap();
    let host = hosts.values().next().unwrap();
    assert_eq!((host.size.as_str(), host.image.as_str()), ("small", "ubuntu-22.04"));
}

#[test]
fn count_gives_numbered_hosts_and_no_count_gives_the_name_itself() {
    let text = local_hosts(
        "        dev:\n          app: { role: app, count: 1 }\n          db: { role: db }\n",
    );
    let (_, hosts) = config(&text).environment(None).unwrap();
    let names: Vec<&str> = hosts.keys().map(HostName::as_str).collect();
    assert_eq!(names, ["app-1", "db"]);
    assert!(hosts.iter().all(|(name, host)| host.name == *name), "each goes by its own");
}

#[test]
fn an_environment_without_hosts_is_an_empty_desired_set() {
    let (scope, hosts) = config(&local_hosts("        dev: {}\n")).environment(None).unwrap();
    assert_eq!(scope.environment.as_str(), "dev");
    assert!(hosts.is_empty());
}

#[test]
fn every_example_and_template_is_valid_for_the_parser_and_for_editors() {
    let schema = json_schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let validator = jsonschema::validator_for(&schema).unwrap();
    let templates = ProviderId::ALL.map(template);
    for text in [LOCAL, CLOUD, FULL].into_iter().chain(templates.iter().map(String::as_str)) {
        config(text);
        let value = super::random::as_json(text);
        let errors: Vec<String> =
            validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_template_has_hosts_at_its_provider_and_names_the_variable_of_its_token() {
    for provider in ProviderId::ALL {
        let text = template(provider);
        let config = config(&text);
        let (_, hosts) = config.environment(None).unwrap();
        assert!(hosts.values().all(|host| host.provider == provider));
        let variable = token_variable(provider);
        let variable = variable.map(|name| CredentialSource::Variable(name.to_owned()));
        let credentials = config.providers[&provider].credentials.clone();
        assert!(variable.is_none() || variable == credentials, "{credentials:?}");
        assert!(!text.contains('@'), "{text}");
    }
}

#[test]
fn a_file_with_nothing_but_a_name_needs_no_text() {
    let text = "project: { name: shop }\ncloud: { providers: {} }\n";
    assert_eq!(Config::of_project("shop".parse().unwrap()), config(text));
}

#[test]
fn an_alias_stands_for_what_its_anchor_holds() {
    let text = local_hosts(
        "        dev: &hosts\n          a: &a { role: app }\n          b: *a\n        test: *hosts\n",
    );
    let config = config(&text);
    for environment in ["dev", "test"] {
        assert_eq!(config.environment(Some(environment)).unwrap().1.len(), 2);
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_accepted() {
    let text = format!("\u{feff}{}", LOCAL.replace('\n', "\r\n"));
    let config = config(&text);
    let (_, hosts) = config.environment(None).unwrap();
    let app = &hosts[&"app-1".parse::<HostName>().unwrap()];
    assert_eq!(app.places.host, Position { line: 18, column: 11 });
}

#[test]
fn an_unknown_environment_is_told_with_the_nearest() {
    let config = config(FULL);
    let unknown = config.environment(Some("stagin")).unwrap_err();
    assert_eq!(unknown.code, Code::CONFIG_UNKNOWN_ENVIRONMENT);
    assert_eq!(unknown.message, "the file has no environment `stagin`");
    assert_eq!(unknown.label.as_deref(), Some("did you mean `staging`?"));
    assert_eq!(unknown.help.as_deref(), Some("choose one with `--env`: `ci`, `dev` or `staging`"));
    let none = config.environment(None).unwrap_err();
    assert_eq!(none.message, "the file has 3 environments");
    assert_eq!(none.help.as_deref(), Some("choose one with `--env`: `ci`, `dev` or `staging`"));
    let hostile = config.environment(Some("\u{1b}[31m")).unwrap_err();
    assert_eq!(hostile.message, "the file has no environment `\\u{1b}[31m`");

    let empty = super::config("project: { name: p }\ncloud: { providers: {} }");
    assert_eq!(empty.environment(None).unwrap_err().message, "the file has no environment");
    assert_eq!(
        empty.environment(Some("a")).unwrap_err().message,
        "the file has no environment `a`"
    );
}

#[test]
fn the_checker_knows_every_keyword_of_the_schema() {
    const KNOWN: [&str; 20] = [
        "$schema",
        "$defs",
        "$ref",
        "title",
        "description",
        "type",
        "properties",
        "required",
        "additionalProperties",
        "patternProperties",
        "items",
        "uniqueItems",
        "minItems",
        "oneOf",
        "enum",
        "const",
        "pattern",
        "minimum",
        "maximum",
        "format",
    ];
    fn walk(schema: &Value, is_schema: bool) {
        let Some(object) = schema.as_object() else { return };
        for (key, value) in object {
            assert!(!is_schema || KNOWN.contains(&key.as_str()), "{key} in {schema}");
            match key.as_str() {
                "properties" | "patternProperties" | "$defs" if is_schema => walk(value, false),
                "oneOf" if is_schema => {
                    for option in value.as_array().unwrap() {
                        assert!(option["const"].is_string(), "{option}");
                    }
                }
                "pattern" if is_schema => {
                    assert!(crate::config::rules::rule_of(value.as_str().unwrap()).is_some());
                }
                "$ref" if is_schema => {
                    assert!(object.keys().all(|key| key == "$ref" || key == "description"));
                }
                "type" if is_schema => assert!(value.is_string(), "{schema}"),
                _ => walk(value, true),
            }
        }
        if is_schema && schema.get("properties").is_some() {
            assert_eq!(schema["additionalProperties"], false);
        }
    }
    walk(&json_schema(), true);
}

#[test]
fn the_reference_is_up_to_date() {
    let written = include_str!("../../../../../docs/config.md");
    assert!(
        written == reference_markdown(),
        "docs/config.md differs from `config::reference_markdown()`: write it anew"
    );
}

#[test]
fn every_key_is_described() {
    let schema = json_schema();
    let definitions = schema["$defs"].as_object().unwrap();
    for (name, definition) in definitions.iter().chain([(&"root".to_owned(), &schema)]) {
        for (key, property) in definition["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{name}.{key} has no description");
        }
    }
}

#[test]
fn a_problem_in_one_file_leaves_no_trace_in_another() {
    assert_eq!(problems("a: 1").file, "stagecraft.yml");
    assert!(parse("other.yml", LOCAL.as_bytes()).is_ok());
}

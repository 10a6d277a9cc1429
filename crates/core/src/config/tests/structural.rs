//! Files that the schema does not allow.

use super::{local_hosts, problems, told};

#[test]
fn an_unknown_key_is_told_with_the_nearest() {
    let text = local_hosts("        dev:\n          app-1: { role: app, regoin: local }\n");
    assert_eq!(
        told(&text),
        [
            "7:31 [config.unknown-key] unknown key `regoin` in `cloud.providers.local.hosts.dev.app-1` / did you mean `region`?"
        ]
    );
}

#[test]
fn an_unknown_key_like_no_other_is_told_with_the_keys_there_are() {
    assert_eq!(
        told("project: { name: p, colour: red }\ncloud: { providers: {} }\n"),
        [
            "1:21 [config.unknown-key] unknown key `colour` in `project` / not known here / the keys here are `name`"
        ]
    );
}

#[test]
fn what_is_below_a_wrong_key_is_checked_by_what_was_probably_meant() {
    let by_name = local_hosts("        dev:\n          App_1: { role: app, count: 0 }\n");
    let rule = "1 to 63 of a-z, 0-9 and `-`, not starting or ending with `-`";
    let name = format!(
        "7:11 [config.invalid-value] `App_1` in `cloud.providers.local.hosts.dev` is not a valid name / not a valid name / use {rule}"
    );
    let count = |path: &str, column: usize| {
        format!(
            "7:{column} [config.invalid-value] `cloud.providers.local.{path}.count` cannot be `0` / must be from 1 to 1000"
        )
    };
    assert_eq!(told(&by_name), [name, count("hosts.dev.App_1", 38)]);

    let by_key = local_hosts("        dev:\n          a: { role: app, count: 0 }\n")
        .replace("      hosts:", "      hsots:");
    let key = "5:7 [config.unknown-key] unknown key `hsots` in `cloud.providers.local` / did you mean `hosts`?";
    assert_eq!(told(&by_key), [key.to_owned(), count("hsots.dev.a", 34)]);
}

#[test]
fn what_is_below_a_wrong_key_is_not_checked_where_little_speaks_for_the_guess() {
    let local = "hosts: {}, hsots: { dev: { a: { count: 0 } } }";
    let hetzner = "token_env: T, region: { a: 1 }";
    let maybe_secret = "keycredentials: { path: [] }";
    for cloud in [
        format!("{{ providers: {{ local: {{ {local} }} }} }}"),
        format!("{{ providers: {{ hetzner: {{ {hetzner} }} }} }}"),
        "{ providers: { local: { hsots: 5 } } }".to_owned(),
        format!("{{ providers: {{}} }}\n{maybe_secret}"),
    ] {
        let told = told(&format!("project: {{ name: p }}\ncloud: {cloud}\n"));
        assert!(told.len() == 1 && told[0].contains("did you mean"), "{told:?}");
    }
}

#[test]
fn a_misspelt_required_key_is_one_problem_not_two() {
    assert_eq!(
        told(&local_hosts("        dev:\n          app-1: { rol: app }\n")),
        [
            "7:20 [config.unknown-key] unknown key `rol` in `cloud.providers.local.hosts.dev.app-1` / did you mean `role`?"
        ]
    );
}

#[test]
fn a_missing_required_key_is_told_where_it_is_missing() {
    assert_eq!(
        told(&local_hosts("        dev:\n          app-1: {}\n")),
        [
            "7:11 [config.missing-key] missing key `role` in `cloud.providers.local.hosts.dev.app-1` / `role` is required here"
        ]
    );
    assert_eq!(
        told("network: { provider: none }\n"),
        [
            "1:1 [config.missing-key] missing key `cloud` in the file / `cloud` is required here",
            "1:1 [config.missing-key] missing key `project` in the file / `project` is required here",
        ]
    );
}

#[test]
fn a_duplicate_key_is_told_with_the_place_of_the_first() {
    let problems =
        problems("project: { name: p }\ncloud: { providers: {} }\nproject:\n  name: q\n");
    assert_eq!(
        super::told_of(&problems),
        [
            "3:1 [config.duplicate-key] the key `project` stands twice in one mapping / the second time / remove one of the two"
        ]
    );
    assert_eq!(problems.problems[0].also, Some((0..7, "the first time".to_owned())));
}

#[test]
fn a_number_where_a_text_is_needed_is_to_be_quoted() {
    let text = "project: { name: 12 }\ncloud: { providers: {} }\n\
        network:\n  provider: tailscale\n  providers:\n    tailscale:\n      auth_key_env: K\n      \
        tailnet_domain: a.ts.net\n      install: { min_version: 1.78 }\n";
    assert_eq!(
        told(text),
        [
            "1:18 [config.wrong-type] `project.name` must be a text, not the number `12` / a text is needed / quote it: `\"12\"`",
            "9:31 [config.wrong-type] `network.providers.tailscale.install.min_version` must be a text, not the number `1.78` / a text is needed / quote it: `\"1.78\"`",
        ]
    );
}

#[test]
fn a_value_of_the_wrong_type_is_told_with_the_type_needed() {
    let text = local_hosts(
        "        dev:\n          a: { role: app, count: three }\n          b: { role: app, spot: yes }\n          c: app\n          d: { role: [app] }\n          e: { role: app, tags: x }\n          f: { role: app, count: '2' }\n          g: { role: app, arch: 64 }\n          h: { role: app, spot: off }\n",
    );
    let host = "`cloud.providers.local.hosts.dev";
    assert_eq!(
        told(&text),
        [
            format!(
                "7:34 [config.wrong-type] {host}.a.count` must be a whole number, not the text `three` / a whole number is needed"
            ),
            format!(
                "8:33 [config.wrong-type] {host}.b.spot` must be `true` or `false`, not the text `yes` / `true` or `false` is needed / write `true`"
            ),
            format!(
                "9:14 [config.wrong-type] {host}.c` must be a mapping, not the text `app` / a mapping is needed"
            ),
            format!(
                "10:16 [config.wrong-type] {host}.d.role` must be a text, not a list / a text is needed"
            ),
            format!(
                "11:33 [config.wrong-type] {host}.e.tags` must be a list, not the text `x` / a list is needed / put it in brackets: `[...]`"
            ),
            format!(
                "12:34 [config.wrong-type] {host}.f.count` must be a whole number, not the text `2` / a whole number is needed / remove the quotes"
            ),
            format!(
                "13:33 [config.wrong-type] {host}.g.arch` must be one of `amd64` and `arm64`, not the number `64` / one of `amd64` and `arm64` is needed"
            ),
            format!(
                "14:33 [config.wrong-type] {host}.h.spot` must be `true` or `false`, not the text `off` / `true` or `false` is needed / write `false`"
            ),
        ]
    );
}

#[test]
fn a_key_without_a_value_is_told_at_the_key() {
    assert_eq!(
        told(&local_hosts("        dev:\n")),
        [
            "6:9 [config.wrong-type] `cloud.providers.local.hosts.dev` has no value / a mapping is needed / write `{}` for an empty one, or leave the key out"
        ]
    );
    assert_eq!(
        told("project: { name: }\ncloud: { providers: {} }\n"),
        [
            "1:12 [config.wrong-type] `project.name` has no value / a text is needed / write a value, or leave the key out"
        ]
    );
}

#[test]
fn a_file_that_is_no_mapping_is_told_as_such() {
    assert_eq!(
        told("- a\n- b\n"),
        ["1:1 [config.wrong-type] the file must be a mapping, not a list / a mapping is needed"]
    );
    assert_eq!(
        told("stagecraft\n"),
        [
            "1:1 [config.wrong-type] the file must be a mapping, not the text `stagecraft` / a mapping is needed"
        ]
    );
}

#[test]
fn a_name_that_is_no_dns_label_is_told_with_the_rule() {
    let rule = "1 to 63 of a-z, 0-9 and `-`, not starting or ending with `-`";
    let text = "project: { name: My_Shop }\ncloud:\n  providers:\n    local:\n      hosts:\n        dev:\n          App_1: { role: app }\n          b: { role: -x }\n";
    assert_eq!(
        told(text),
        [
            format!(
                "1:18 [config.invalid-value] `project.name` cannot be `My_Shop` / not valid here / it must be {rule}"
            ),
            format!(
                "7:11 [config.invalid-value] `App_1` in `cloud.providers.local.hosts.dev` is not a valid name / not a valid name / use {rule}"
            ),
            format!(
                "8:22 [config.invalid-value] `cloud.providers.local.hosts.dev.b.role` cannot be `-x` / not valid here / it must be {rule}"
            ),
        ]
    );
}

#[test]
fn a_count_of_zero_or_of_too_many_is_refused() {
    let text = local_hosts(
        "        dev:\n          a: { role: app, count: 0 }\n          b: { role: app, count: 1001 }\n          c: { role: app, count: 99999999999999999999 }\n          d: { role: app, count: -1 }\n",
    );
    let told = told(&text);
    assert_eq!(
        told[0],
        "7:34 [config.invalid-value] `cloud.providers.local.hosts.dev.a.count` cannot be `0` / must be from 1 to 1000"
    );
    assert_eq!(told.len(), 4);
}

#[test]
fn an_unknown_provider_is_told_with_the_nearest() {
    let text = "project: { name: p }\ncloud:\n  provider: digitalozean\n  providers:\n    digitalozean: {}\n    gcp: {}\n";
    assert_eq!(
        told(text),
        [
            "3:13 [config.invalid-value] `cloud.provider` cannot be `digitalozean` / did you mean `digitalocean`? / use `aws`, `digitalocean`, `hetzner` or `local`",
            "5:5 [config.unknown-key] unknown key `digitalozean` in `cloud.providers` / did you mean `digitalocean`?",
            "6:5 [config.unknown-key] unknown key `gcp` in `cloud.providers` / not known here / the keys here are `aws`, `digitalocean`, `hetzner` and `local`",
        ]
    );
}

#[test]
fn an_image_that_is_not_supported_is_told_with_those_that_are() {
    let text = local_hosts("        dev:\n          a: { role: app, image: ubuntu-20.04 }\n");
    assert_eq!(
        told(&text),
        [
            "7:34 [config.invalid-value] `cloud.providers.local.hosts.dev.a.image` cannot be `ubuntu-20.04` / did you mean `ubuntu-22.04`? / use `ubuntu-22.04`, `ubuntu-24.04` or `debian-12`"
        ]
    );
}

#[test]
fn an_empty_list_and_a_repeated_item_are_refused() {
    let text = local_hosts("        dev:\n          a: { role: app, tags: [x, 'y', x] }\n")
        .replace("    local:\n", "    local:\n      sizes: []\n");
    assert_eq!(
        told(&text),
        [
            "5:7 [config.invalid-value] `cloud.providers.local.sizes` is empty / needs at least one item / add one, or leave the key out",
            "8:42 [config.invalid-value] `x` stands twice in `cloud.providers.local.hosts.dev.a.tags` / the second time / remove one of the two",
        ]
    );
}

#[test]
fn local_takes_no_credentials() {
    let text = local_hosts("        dev: {}\n")
        .replace("    local:\n", "    local:\n      token_env: T\n");
    assert!(told(&text)[0].starts_with("5:7 [config.unknown-key] unknown key `token_env`"));
}

#[test]
fn all_problems_of_a_file_are_told_in_its_order() {
    let text = "\
projekt:
  name: shop
cloud:
  providers:
    local:
      hosts:
        dev:
          app-1: { role: app, count: 2 }
          app-1-1: { role: app, sise: small }
          app: { role: db, count: 0 }
          App: { role: db }
          app-1-2: { role: db, tags: ['a b'] }
    hetzner:
      default_size: huge
      sizes: [small]
      hosts: { dev: { app-1-1: { role: web } } }
network: { provider: wireguard, providers: { wireguard: { cidr: 10.0.0.1/8 } } }
network: {}
";
    let places: Vec<String> =
        told(text).iter().map(|told| told.split(']').next().unwrap().to_owned()).collect();
    assert_eq!(
        places,
        [
            "1:1 [config.unknown-key",
            "9:11 [config.duplicate-host",
            "9:33 [config.unknown-key",
            "10:35 [config.invalid-value",
            "11:11 [config.invalid-value",
            "12:11 [config.duplicate-host",
            "12:39 [config.invalid-value",
            "13:5 [config.missing-key",
            "13:5 [config.missing-key",
            "14:21 [config.invalid-value",
            "16:23 [config.duplicate-host",
            "16:23 [config.missing-key",
            "17:65 [config.invalid-value",
            "18:1 [config.duplicate-key",
        ]
    );
}

use crate::stage::{Stage, transcript};

/// One host on each of two clouds, and one on `local` in another environment.
const CLOUDS: &str = "\
project:
  name: shop
cloud:
  providers:
    digitalocean:
      token_env: DO_TOKEN
      ssh_key_name: deploy
      default_region: nyc3
      hosts:
        prod:
          app-1: { role: app }
    hetzner:
      token_env: HCLOUD_TOKEN
      ssh_key_name: deploy
      default_region: nbg1
      hosts:
        prod:
          db-1: { role: db }
    local:
      hosts:
        dev:
          app-1: { role: app }
";

#[test]
fn a_first_file_for_a_cloud_says_how_to_go_on() {
    for (provider, variable) in [("digitalocean", "DO_TOKEN"), ("hetzner", "HCLOUD_TOKEN")] {
        let stage = Stage::new();
        let said = stage.run(&format!("init --provider {provider}"));
        assert!(said.contains(&format!("set `{variable}` to an API token")), "{said}");
        assert_eq!(stage.output("validate").status.code(), Some(0));
        let plan = stage.run("infra plan");
        assert!(plan.contains(&format!("`{variable}` is not set")), "{plan}");
    }
    insta::assert_snapshot!(Stage::new().run("init --provider hetzner"), @"
    Wrote `stagecraft.yml` with hosts on hetzner.
    Next: read it, set `HCLOUD_TOKEN` to an API token, check both with `stagecraft validate --online`, make it real with `stagecraft infra up`.
    [exit status: 0]
    ");
}

#[test]
fn tokens_that_are_not_there_are_all_told_before_anything_is_asked() {
    let stage = Stage::with(CLOUDS);
    insta::assert_snapshot!(stage.run("infra up --env prod"), @"
    ------- stderr -------
    error[cloud.unauthenticated]: digitalocean needs an API token, and the environment variable `DO_TOKEN` is not set
      hint: make a token at https://cloud.digitalocean.com/account/api/tokens, and run `export DO_TOKEN=...` with it
      hint: `token_env` in the file names the variable

    error[cloud.unauthenticated]: hetzner needs an API token, and the environment variable `HCLOUD_TOKEN` is not set
      hint: make a token at https://console.hetzner.com (the project, Security, API tokens; Read & Write), and run `export HCLOUD_TOKEN=...` with it
      hint: `token_env` in the file names the variable
    [exit status: 1]
    ");
    let all = [
        "infra plan",
        "infra status",
        "infra bootstrap",
        "infra down",
        "infra inventory",
        "validate --online",
        "ssh app-1",
        "exec -- true",
    ];
    for line in all {
        // Words after `--` are not ours.
        let output = stage.output(&format!("--env prod {line}"));
        let shown = transcript(&output);
        assert!(shown.contains("`HCLOUD_TOKEN` is not set"), "{line}: {shown}");
        assert_eq!(output.status.code(), Some(1), "{line}: {shown}");
    }
    assert_eq!(stage.output("validate").status.code(), Some(0), "the file alone needs none");
}

#[test]
fn a_missing_token_is_a_document_for_programs() {
    let (value, code) = Stage::with(CLOUDS).json("infra plan --env prod --output json");
    assert_eq!((value["kind"].as_str(), code), (Some("error"), Some(1)));
    let errors = value["errors"].as_array().unwrap();
    let codes: Vec<&str> = errors.iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["cloud.unauthenticated", "cloud.unauthenticated"]);
}

#[test]
fn what_is_no_token_is_never_shown() {
    let stage = Stage::with(CLOUDS);
    let plan = |token: &str| {
        let mut command = stage.command(["infra", "plan", "--env", "prod"]);
        command.env("DO_TOKEN", token).env("HCLOUD_TOKEN", "abcdefghijklmnop");
        transcript(&command.output().unwrap())
    };
    insta::assert_snapshot!(plan("'planted-SECRET'"), @"
    ------- stderr -------
    error[cloud.unauthenticated]: digitalocean needs an API token, and the environment variable `DO_TOKEN` holds none: it has quotes, which no token has
      hint: copy the whole token again, and nothing else, into `DO_TOKEN`; new ones are made at https://cloud.digitalocean.com/account/api/tokens
      hint: `token_env` in the file names the variable
    [exit status: 1]
    ");
    insta::assert_snapshot!(plan("  "), @"
    ------- stderr -------
    error[cloud.unauthenticated]: digitalocean needs an API token, and the environment variable `DO_TOKEN` is empty
      hint: make a token at https://cloud.digitalocean.com/account/api/tokens, and run `export DO_TOKEN=...` with it
      hint: `token_env` in the file names the variable
    [exit status: 1]
    ");
    for token in ["planted SECRET", "SECRET", "planted-SECRET\u{e9}", "planted\n-SECRET"] {
        let shown = plan(token);
        assert!(shown.contains("`DO_TOKEN` holds none: it "), "{shown}");
        assert!(shown.ends_with("[exit status: 1]") && !shown.contains("SECRET"), "{shown}");
    }
}

#[test]
fn an_environment_needs_no_token_of_a_cloud_it_is_not_at() {
    let stage = Stage::with(CLOUDS);
    insta::assert_snapshot!(plan_of_dev(&stage, &[]), @"
    ------- stderr -------
    note: not looked at, as the file has no hosts of `dev` there: digitalocean (`DO_TOKEN` is not set), hetzner (`HCLOUD_TOKEN` is not set)
    local: listing
    error[plan.blind]: local could not list the hosts of `shop/dev`: it did not answer: no Docker Engine at unix:///nowhere/docker.sock; without that, what exists is unknown and nothing is done
      hint: check `DOCKER_HOST`, which names this socket
    [exit status: 2]
    ");
    let malformed = [("HCLOUD_TOKEN", "'planted-SECRET'")];
    insta::assert_snapshot!(plan_of_dev(&stage, &malformed), @"
    ------- stderr -------
    error[cloud.unauthenticated]: hetzner needs an API token, and the environment variable `HCLOUD_TOKEN` holds none: it has quotes, which no token has
      hint: copy the whole token again, and nothing else, into `HCLOUD_TOKEN`; new ones are made at https://console.hetzner.com (the project, Security, API tokens; Read & Write)
      hint: the file has no hosts of `dev` on hetzner: to leave it out, unset `HCLOUD_TOKEN`
    [exit status: 1]
    ");
}

#[test]
fn hosts_on_a_cloud_need_an_ssh_key() {
    let text = CLOUDS.replacen("      ssh_key_name: deploy\n", "", 1);
    insta::assert_snapshot!(Stage::with(&text).run("validate"), @"
    ------- stderr -------
    error[config.missing-key]: `cloud.providers.digitalocean` has hosts and no `ssh_key_name`
     --> stagecraft.yml:5:5
      |
    5 |     digitalocean:
      |     ^^^^^^^^^^^^ `ssh_key_name` is required here
      |
      = hint: add your SSH key to the digitalocean account, and its name there as `ssh_key_name`
    [exit status: 1]
    ");
}

#[test]
fn an_api_elsewhere_is_reached_by_https() {
    let with = |url: &str| {
        let key = "      ssh_key_name: deploy\n";
        Stage::with(&CLOUDS.replacen(key, &format!("{key}      api_url: {url}\n"), 1))
    };
    insta::assert_snapshot!(with("http://proxy.example/v2").run("validate"), @"
    ------- stderr -------
    error[config.invalid-value]: `cloud.providers.digitalocean.api_url` would send the token in the clear
     --> stagecraft.yml:8:16
      |
    8 |       api_url: http://proxy.example/v2
      |                ^^^^^^^^^^^^^^^^^^^^^^^ `http://` is for this machine only
      |
      = hint: use `https://`; `http://` is allowed for `localhost` and loopback addresses
    [exit status: 1]
    ");
    insta::assert_snapshot!(with("https://ada:SECRET@proxy.example/v2").run("validate"), @"
    ------- stderr -------
    error[config.invalid-value]: `cloud.providers.digitalocean.api_url` has a user name
     --> stagecraft.yml:8:16
      |
    8 |       api_url: ***********************************
      |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ no user name is allowed here
      |
      = hint: write the address up to the version, e.g. `https://proxy.example/v2`
    [exit status: 1]
    ");
    insta::assert_snapshot!(with("'https://proxy.example/v2?key=SECRET'").run("validate"), @"
    ------- stderr -------
    error[config.invalid-value]: `cloud.providers.digitalocean.api_url` does not end after its path
     --> stagecraft.yml:8:16
      |
    8 |       api_url: *************************************
      |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `?` and `#` are not allowed here
      |
      = hint: write the address up to the version, e.g. `https://proxy.example/v2`
    [exit status: 1]
    ");
    insta::assert_snapshot!(with("proxy.example").run("validate"), @"
    ------- stderr -------
    error[config.invalid-value]: `cloud.providers.digitalocean.api_url` cannot be `proxy.example`
     --> stagecraft.yml:8:16
      |
    8 |       api_url: proxy.example
      |                ^^^^^^^^^^^^^ not valid here
      |
      = hint: it must be a URL that starts with `https://` or `http://`
    [exit status: 1]
    ");
    assert_eq!(with("https://proxy.example/v2").output("validate").status.code(), Some(0));
    assert_eq!(with("http://localhost:8080/v2").output("validate").status.code(), Some(0));
}

#[test]
fn tags_are_what_the_cloud_takes() {
    let tagged = |role: &str, tags: &str| {
        let host = format!("role: {role} }}");
        Stage::with(&CLOUDS.replacen(&host, &format!("role: {role}, tags: [{tags}] }}"), 1))
    };
    insta::assert_snapshot!(tagged("app", "\"team:shop\", V1.2").run("validate"), @r#"
    ------- stderr -------
    error[config.invalid-value]: `V1.2` cannot be a tag on digitalocean
      --> stagecraft.yml:11:51
       |
    11 |           app-1: { role: app, tags: ["team:shop", V1.2] }
       |                                                   ^^^^ not allowed on digitalocean
       |
       = hint: use a-z, 0-9, `_`, `:` and `-`, and no `stagecraft:` at the beginning
    [exit status: 1]
    "#);
    insta::assert_snapshot!(tagged("db", "stagecraft.host, \"a:1\", \"a:2\"").run("validate"), @r#"
    ------- stderr -------
    error[config.invalid-value]: `stagecraft.host` cannot be a tag on hetzner
      --> stagecraft.yml:18:36
       |
    18 |           db-1: { role: db, tags: [stagecraft.host, "a:1", "a:2"] }
       |                                    ^^^^^^^^^^^^^^^ not allowed on hetzner
       |
       = hint: use `KEY` or `KEY:VALUE`, each of letters, digits, `.`, `_` and `-`, with a letter or digit at both ends; keys do not begin with `stagecraft`

    error[config.invalid-value]: two tags of `db-1` have the key `a`
      --> stagecraft.yml:18:60
       |
    18 |           db-1: { role: db, tags: [stagecraft.host, "a:1", "a:2"] }
       |                                                     -----  ^^^^^ the second time
       |                                                     |
       |                                                     the first time
       |
       = hint: on hetzner a tag is a label, and a label has one value: keep one

    2 problems in `stagecraft.yml`
    [exit status: 1]
    "#);
}

#[test]
fn the_name_of_a_machine_is_not_too_long() {
    let text = CLOUDS
        .replace("app-1: { role: app }\n    hetzner", "app: { role: app, count: 10 }\n    hetzner")
        .replace("prod:", &format!("{}:", "p".repeat(58)));
    insta::assert_snapshot!(Stage::with(&text).run("validate"), @"
    ------- stderr -------
    error[config.invalid-value]: the machine of `app-10` on digitalocean would be called `pppppppppppppppppppppppppppppppppppppppppppppppppppppppppp-app-10`, which is longer than 63 characters
      --> stagecraft.yml:11:11
       |
    11 |           app: { role: app, count: 10 }
       |           ^^^ 65 characters with the environment
       |
       = hint: use a shorter name for the host or the environment
    [exit status: 1]
    ");
}

#[test]
fn an_entry_of_a_credential_store_that_is_not_there_is_told() {
    let text = CLOUDS.replace("token_env: DO_TOKEN", "credentials: prod");
    let stage = Stage::with(&text);
    let told = stage.run("infra plan --env prod");
    assert!(told.contains("error[credential.not-found]: the entry `prod` is needed"), "{told}");
    assert!(
        told.contains("run `stagecraft credentials add prod --provider digitalocean`"),
        "{told}"
    );
    assert!(told.ends_with("[exit status: 1]"), "{told}");
    let dev = plan_of_dev(&stage, &[]);
    assert!(dev.contains("digitalocean (the entry `prod` is needed"), "{dev}");
}

#[test]
fn what_a_cloud_cannot_do_is_no_problem_of_the_file() {
    let text = CLOUDS.replace("role: app }", "role: app, spot: true, arch: arm64 }");
    assert_eq!(Stage::with(&text).output("validate").status.code(), Some(0));
}

#[test]
fn how_long_to_wait_is_written_alike_for_machines_and_for_commands() {
    let stage = Stage::with(CLOUDS);
    insta::assert_snapshot!(stage.run("infra up --wait-timeout 90x"), @"
    ------- stderr -------
    error[usage]: invalid value '90x' for '--wait-timeout <DURATION>': it must be a number of seconds, or one with `s`, `m` or `h`, such as `90s` or `15m`
    [exit status: 1]
    ");
    insta::assert_snapshot!(stage.run("exec --timeout 90x -- true"), @"
    ------- stderr -------
    error[usage]: invalid value '90x' for '--timeout <DURATION>': it must be a number of seconds, or one with `s`, `m` or `h`, such as `90s` or `15m`
    [exit status: 1]
    ");
    insta::assert_snapshot!(stage.run("infra up --wait-timeout 0s"), @"
    ------- stderr -------
    error[usage]: invalid value '0s' for '--wait-timeout <DURATION>': it must be from `1s` to `24h`
    [exit status: 1]
    ");
    for time in ["90", "90s", "15m"] {
        for command in
            [format!("infra up --wait-timeout {time}"), format!("exec --timeout {time} -- true")]
        {
            let shown = stage.run(&format!("--env prod {command}"));
            assert!(shown.contains("needs an API token"), "{command}: {shown}");
        }
    }
}

#[test]
fn whose_credential_is_added_is_said_by_the_command_or_by_the_file() {
    let stage = Stage::with(CLOUDS);
    insta::assert_snapshot!(stage.run("credentials add prod"), @"
    ------- stderr -------
    error[usage]: it was not said whose credential this is
      hint: name whose it is with `--provider`: aws, digitalocean, hetzner, tailscale
      hint: or set `cloud.provider` in the file to the provider that is meant by default
    [exit status: 1]
    ");
    let with_default = |provider: &str| {
        Stage::with(&CLOUDS.replace("cloud:\n", &format!("cloud:\n  provider: {provider}\n")))
    };
    let told = with_default("local").run("credentials add prod");
    assert!(told.contains("`cloud.provider` in the file is `local`, which needs no"), "{told}");

    let stage = with_default("hetzner");
    for (line, issuer) in [
        ("credentials add one", "hetzner"),
        ("credentials add two --provider digitalocean", "digitalocean"),
    ] {
        stage.write("token", "planted0123456789planted0123456789");
        let mut command = stage.command(line.split(' '));
        command.stdin(std::fs::File::open(stage.work().join("token")).unwrap());
        let said = transcript(&command.output().unwrap());
        assert!(said.contains(&format!("under `{issuer}` in the file.")), "{said}");
    }
}

/// The plan of an environment on `local` where there is no engine.
fn plan_of_dev(stage: &Stage, variables: &[(&str, &str)]) -> String {
    let mut command = stage.command(["infra", "plan", "--env", "dev"]);
    command.env("DOCKER_HOST", "unix:///nowhere/docker.sock").envs(variables.iter().copied());
    transcript(&command.output().unwrap())
}

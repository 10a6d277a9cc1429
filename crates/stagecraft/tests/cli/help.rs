use crate::stage::Stage;

#[test]
fn every_command_explains_itself_in_one_screen() {
    let stage = Stage::new();
    let commands = [
        "",
        "init",
        "validate",
        "infra",
        "infra plan",
        "infra up",
        "infra status",
        "infra bootstrap",
        "infra down",
        "infra inventory",
        "infra trust",
        "ssh",
        "exec",
        "credentials",
        "providers",
        "schema",
        "completions",
        "man",
    ];
    for command in commands {
        let output = stage.output(&format!("{command} --help"));
        let help = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{command}");
        assert!(help.contains(format!("Usage: stagecraft {command}").trim_end()), "{help}");
        assert!(help.lines().count() < 60, "{command}: {help}");
        assert!(!help.contains('\x1b'), "{command}: {help}");
    }
}

#[test]
fn help_says_what_it_is_and_how_it_ends() {
    insta::assert_snapshot!(Stage::new().run("-h"), @"
    From one stagecraft.yml to running, verified, Docker-ready hosts

    Usage: stagecraft [OPTIONS] <COMMAND>

    Commands:
      init         Write a first stagecraft.yml
      validate     Check the configuration file
      infra        Plan, create, set up, look at and remove hosts
      ssh          Open a shell on a host, or run one command there
      exec         Run a command on many hosts at once, as root
      credentials  Keep the credentials of clouds and networks, sealed
      providers    List the providers and what each supports
      schema       Print the JSON Schema of the configuration file or of an output
      completions  Print a completion script for a shell
      man          Print the manual page
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Options of every command:
          --config <PATH>    The configuration file [default: stagecraft.yml]
          --env <NAME>       The environment; needed when the file has several
          --output <FORMAT>  How results are written; json is one document on standard output [default:
                             human] [possible values: human, json]
          --verbose          Say more: every step of every host
          --color <WHEN>     When to use colours; NO_COLOR is honoured [default: auto] [possible values:
                             auto, always, never]
          --yes              Agree to what would be asked

    Exit codes: 0 done, 1 wrong usage or configuration, 2 the cloud failed, 3 bootstrap could not start,
    10 some hosts failed, 11 `infra plan --detailed-exitcode` found changes, 130 interrupted.
    [exit status: 0]
    ");
}

#[test]
fn help_of_up() {
    insta::assert_snapshot!(Stage::new().run("infra up -h"), @"
    Create what is missing and set every host up

    Usage: stagecraft infra up [OPTIONS]

    Options:
          --dry-run                  Show the plan and stop
          --no-bootstrap             Create hosts, but do not log in to them
          --wait-timeout <DURATION>  How long to wait for each new machine to run, e.g. 90s, 15m or 1h;
                                     a number alone is seconds [default: 10m]
          --host <HOST>              Work on this host only; several with commas, or by repeating it
          --replace <HOST>           Replace this host if it has to be, or anyway; everything on it is
                                     lost; several as with --host
          --prune                    Remove hosts that are not in the file
      -h, --help                     Print help (see more with '--help')

    Options of every command:
          --config <PATH>    The configuration file [default: stagecraft.yml]
          --env <NAME>       The environment; needed when the file has several
          --output <FORMAT>  How results are written; json is one document on standard output [default:
                             human] [possible values: human, json]
          --verbose          Say more: every step of every host
          --color <WHEN>     When to use colours; NO_COLOR is honoured [default: auto] [possible values:
                             auto, always, never]
          --yes              Agree to what would be asked
    [exit status: 0]
    ");
}

#[test]
fn an_unknown_command_is_an_error_of_usage() {
    insta::assert_snapshot!(Stage::new().run("infra pln"), @"
    ------- stderr -------
    error[usage]: unrecognized subcommand 'pln'
      hint: a similar subcommand exists: 'plan'
      hint: usage: stagecraft infra [OPTIONS] <COMMAND>
    [exit status: 1]
    ");
}

#[test]
fn no_command_shows_which_ones_there_are() {
    for (line, one) in [("", "infra "), ("infra", "bootstrap ")] {
        let output = Stage::new().output(line);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(output.stdout.is_empty());
        assert!(said.contains("Commands:") && said.contains(one), "{said}");
        assert!(!said.contains("error") && !said.contains('\x1b'), "{said}");
    }
    let (document, code) = Stage::new().json("infra --output json");
    assert_eq!((document["errors"][0]["code"].as_str(), code), (Some("usage"), Some(1)));
}

#[test]
fn help_is_a_command_too() {
    let stage = Stage::new();
    assert_eq!(stage.run("help"), stage.run("--help"));
    assert_eq!(stage.run("help infra up"), stage.run("infra up --help"));
}

#[test]
fn a_command_of_the_other_level_is_named() {
    for command in ["init", "validate", "ssh", "exec"] {
        let shown = Stage::new().run(&format!("infra {command}"));
        assert!(shown.contains(&format!("the command is `stagecraft {command}`")), "{shown}");
    }
    for command in ["up", "plan", "down", "trust"] {
        let shown = Stage::new().run(command);
        assert!(shown.contains(&format!("the command is `stagecraft infra {command}`")), "{shown}");
        assert!(!shown.contains("similar"), "{shown}");
    }
}

#[test]
fn an_unknown_option_is_an_error_of_usage() {
    insta::assert_snapshot!(Stage::new().run("infra up --dry"), @"
    ------- stderr -------
    error[usage]: unexpected argument '--dry' found
      hint: a similar argument exists: '--dry-run'
      hint: usage: stagecraft infra up --dry-run
    [exit status: 1]
    ");
}

#[test]
fn what_other_tools_call_it_is_known() {
    for (line, hint) in [
        ("infra apply", "the command is `stagecraft infra up`"),
        ("infra destroy", "the command is `stagecraft infra down`"),
        ("infra up -y", "that is `--yes` here"),
        ("infra status --json", "that is `--output json` here"),
        ("infra plan --out plan.bin", "a plan is not kept: `stagecraft infra up` makes one"),
        ("exec --role app uptime", "`stagecraft exec --role app -- uptime`"),
        ("ssh app-1 ls /etc", "`stagecraft ssh app-1 -- ls ...`"),
    ] {
        let shown = Stage::new().run(line);
        assert!(shown.contains(hint), "{shown}");
    }
    let shown = Stage::new().run("credentials ls");
    assert!(!shown.contains("infra status"), "hosts are not what is asked for: {shown}");
}

#[test]
fn nobody_is_led_to_agree_by_a_slip() {
    let shown = Stage::new().run("infra down --mesh");
    assert!(shown.contains("unexpected argument '--mesh'"), "{shown}");
    assert!(!shown.contains("--yes"), "{shown}");
}

#[test]
fn a_secret_that_is_given_as_an_argument_is_not_repeated() {
    let shown = Stage::new().run("credentials add prod tok-planted --provider digitalocean");
    assert!(shown.contains("standard input"), "{shown}");
    assert!(!shown.contains("tok-planted"), "{shown}");
}

#[test]
fn a_host_that_can_be_none_is_refused() {
    insta::assert_snapshot!(Stage::new().run("ssh App_1"), @"
    ------- stderr -------
    error[usage]: invalid value 'App_1' for '<HOST>': `App_1` is not a valid name (use a-z, 0-9 and `-`, 1 to 63 characters, not starting or ending with `-`)
    [exit status: 1]
    ");
}

#[test]
fn a_command_for_hosts_cannot_be_left_out() {
    insta::assert_snapshot!(Stage::new().run("exec"), @"
    ------- stderr -------
    error[usage]: the following required arguments were not provided: <CMD>...
      hint: usage: stagecraft exec -- <CMD>...
    [exit status: 1]
    ");
}

#[test]
fn completions_and_manual_are_made_of_the_same_command_line() {
    let stage = Stage::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = stage.run(&format!("completions {shell}"));
        assert!(script.contains("detailed-exitcode"), "{shell}");
    }
    let page = stage.run("man");
    assert!(page.contains(r"[\fB\-\-config\fR \fIPATH\fR]"), "{page}");
    insta::assert_snapshot!(stage.run("man --dir none"), @"
    ------- stderr -------
    error[output.failed]: could not write to `none`: No such file or directory
      hint: make this folder first
    [exit status: 1]
    ");
    assert!(page.starts_with(".ie") || page.contains(".TH stagecraft 1"), "{page}");
    std::fs::create_dir(stage.work().join("pages")).unwrap();
    assert_eq!(stage.run("man --dir pages"), "[exit status: 0]");
    assert!(stage.work().join("pages/stagecraft-infra-up.1").exists());
    let page = std::fs::read_to_string(stage.work().join("pages/stagecraft-exec.1")).unwrap();
    let synopsis = page.lines().find(|line| line.contains("CMD")).unwrap();
    assert!(synopsis.contains(r"\-\- <\fICMD\fR>"), "{synopsis}");
}

#[test]
fn providers_are_listed_with_what_they_support() {
    insta::assert_snapshot!(Stage::new().run("providers"), @"
    PROVIDER      HOSTS ARE          ARM64     SPOT     CREDENTIALS
    aws           EC2 instances      native    yes      keys, credentials or chain
    digitalocean  Droplets           emulated  ignored  token_env or credentials
    hetzner       Cloud servers      native    ignored  token_env or credentials
    local         Docker containers  engine's  ignored  none
    [exit status: 0]
    ");
}

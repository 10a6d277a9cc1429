use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::stage::{SMALL, Stage, transcript};

#[test]
fn a_first_file_is_written_and_valid_and_never_overwritten() {
    let stage = Stage::new();
    insta::assert_snapshot!(stage.run("init"), @"
    Wrote `stagecraft.yml` with hosts on local.
    Next: read it, check it with `stagecraft validate`, make it real with `stagecraft infra up`.
    [exit status: 0]
    ");
    insta::assert_snapshot!(stage.run("validate"), @"
    `stagecraft.yml` is valid: project `my-project`, `dev` with 4 hosts.
    [exit status: 0]
    ");
    let written = std::fs::read(stage.work().join("stagecraft.yml")).unwrap();
    insta::assert_snapshot!(stage.run("init --provider hetzner"), @"
    ------- stderr -------
    error[output.failed]: `stagecraft.yml` exists already
      hint: it is never overwritten; name another file with `--config`
    [exit status: 1]
    ");
    assert_eq!(std::fs::read(stage.work().join("stagecraft.yml")).unwrap(), written);
}

#[test]
fn of_many_that_write_a_first_file_at_once_one_does() {
    let stage = Stage::new();
    let codes: Vec<Option<i32>> = std::thread::scope(|scope| {
        let runs: Vec<_> =
            (0..6).map(|_| scope.spawn(|| stage.output("init").status.code())).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == Some(1)).count(), 5, "{codes:?}");
    assert_eq!(stage.output("validate").status.code(), Some(0));
}

#[test]
fn every_provider_has_a_first_file_that_is_valid() {
    for provider in ["local", "aws", "digitalocean", "hetzner"] {
        let stage = Stage::new();
        assert_eq!(stage.output(&format!("init --provider {provider}")).status.code(), Some(0));
        assert_eq!(stage.output("validate").status.code(), Some(0), "{}", stage.run("validate"));
    }
    insta::assert_snapshot!(Stage::new().run("init --provider aws"), @"
    Wrote `stagecraft.yml` with hosts on aws.
    Next: read it, sign in as for AWS's own tools, e.g. by `export AWS_PROFILE=NAME`, check both with `stagecraft validate --online`, make it real with `stagecraft infra up`.
    [exit status: 0]
    ");
    insta::assert_snapshot!(Stage::new().run("init --provider azure"), @"
    ------- stderr -------
    error[usage]: invalid value 'azure' for '--provider <PROVIDER>': `azure` is not a provider (there are aws, digitalocean, hetzner and local)
    [exit status: 1]
    ");
}

#[test]
fn a_missing_file_says_how_to_get_one() {
    insta::assert_snapshot!(Stage::new().run("validate"), @"
    ------- stderr -------
    error[config.unreadable]: could not read `stagecraft.yml`: there is no such file
      hint: run `stagecraft init` to write a first file, or name yours with `--config`
    [exit status: 1]
    ");
    insta::assert_snapshot!(Stage::new().run("infra plan --config other.yml"), @"
    ------- stderr -------
    error[config.unreadable]: could not read `other.yml`: there is no such file
      hint: check the path given with `--config`; `stagecraft init --config other.yml` writes a first file
    [exit status: 1]
    ");
}

#[test]
fn a_file_without_environments_is_valid_and_says_so() {
    let stage = Stage::with("project: { name: shop }\ncloud: { providers: { local: {} } }\n");
    insta::assert_snapshot!(stage.run("validate"), @"
    `stagecraft.yml` is valid: project `shop`, no environments yet.
    [exit status: 0]
    ");
}

#[test]
fn a_first_file_without_its_folder_says_so() {
    insta::assert_snapshot!(Stage::new().run("init --config none/stagecraft.yml"), @"
    ------- stderr -------
    error[output.failed]: could not write `none/stagecraft.yml`: No such file or directory
      hint: make its folder first
    [exit status: 1]
    ");
}

#[test]
fn what_is_no_file_is_said() {
    let stage = Stage::new();
    std::fs::create_dir(stage.work().join("stagecraft.yml")).unwrap();
    insta::assert_snapshot!(stage.run("validate"), @"
    ------- stderr -------
    error[config.unreadable]: could not read `stagecraft.yml`: it is a directory
      hint: check the path given with `--config`
    [exit status: 1]
    ");
}

#[test]
fn a_file_one_may_not_read_is_said_to_be_so() {
    let stage = Stage::with(SMALL);
    let file = stage.work().join("stagecraft.yml");
    let close = |path: &Path, mode| {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    let folder = stage.work().join("closed");
    std::fs::create_dir(&folder).unwrap();
    std::fs::copy(&file, folder.join("a.yml")).unwrap();
    close(&file, 0o000);
    close(&folder, 0o000);
    let run = |words: &[&'static str]| {
        let words = words.iter().copied();
        transcript(&stage.command_of_nobody(words).output().unwrap())
    };
    let within = run(&["validate", "--config", "closed/a.yml"]);
    close(&folder, 0o700);
    if rustix::process::geteuid().is_root() {
        let hint = "let you in, e.g. by `sudo chmod a+x closed`";
        assert!(within.contains(hint), "{within}");
        let of_root = run(&["validate"]);
        let hint =
            "its owner or root can make it readable, e.g. by `sudo chmod a+r stagecraft.yml`";
        assert!(of_root.contains(hint), "{of_root}");
        std::os::unix::fs::chown(&file, Some(65_534), None).unwrap();
    } else {
        assert!(within.contains("e.g. by `chmod u+x closed`"), "{within}");
    }
    insta::assert_snapshot!(run(&["validate"]), @"
    ------- stderr -------
    error[config.unreadable]: could not read `stagecraft.yml`: you may not read it
      hint: make it readable for you, e.g. by `chmod a+r stagecraft.yml`
    [exit status: 1]
    ");
}

#[test]
fn a_pipe_that_nobody_writes_into_keeps_nobody_waiting() {
    let stage = Stage::new();
    let pipe = stage.work().join("stagecraft.yml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Whoever waits for it after all comes to its end.
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_secs(20));
        std::fs::OpenOptions::new().read(true).write(true).open(pipe)
    });
    insta::assert_snapshot!(stage.run("validate"), @"
    ------- stderr -------
    error[config.unreadable]: could not read `stagecraft.yml`: it is not an ordinary file
      hint: check the path given with `--config`
    [exit status: 1]
    ");
}

#[test]
fn what_a_shell_hands_over_is_read() {
    let stage = Stage::new();
    std::fs::write(stage.work().join("small"), SMALL).unwrap();
    let line =
        format!("cat small | {} validate --config /dev/stdin", env!("CARGO_BIN_EXE_stagecraft"));
    let mut shell = std::process::Command::new("sh");
    let output = shell.args(["-c", &line]).current_dir(stage.work()).output().unwrap();
    assert!(output.status.success(), "{}", transcript(&output));
}

#[test]
fn a_file_that_never_ends_is_refused() {
    insta::assert_snapshot!(Stage::new().run("validate --config /dev/zero"), @"
    ------- stderr -------
    error[config.unreadable]: could not read `/dev/zero`: it is not an ordinary file
      hint: check the path given with `--config`
    [exit status: 1]
    ");
}

#[test]
fn all_problems_of_a_file_are_shown_at_once() {
    let stage = Stage::with(&SMALL.replace("role: app", "rol: app").replace("shop", "Shop"));
    insta::assert_snapshot!(stage.run("infra up"), @"
    ------- stderr -------
    error[config.invalid-value]: `project.name` cannot be `Shop`
     --> stagecraft.yml:2:9
      |
    2 |   name: Shop
      |         ^^^^ not valid here
      |
      = hint: it must be 1 to 63 of a-z, 0-9 and `-`, not starting or ending with `-`

    error[config.unknown-key]: unknown key `rol` in `cloud.providers.local.hosts.dev.app-1`
     --> stagecraft.yml:8:20
      |
    8 |           app-1: { rol: app }
      |                    ^^^ did you mean `role`?

    2 problems in `stagecraft.yml`
    [exit status: 1]
    ");
}

#[test]
fn what_is_not_yaml_is_shown_where_it_stops_being() {
    insta::assert_snapshot!(Stage::with("project: {name: shop\n").run("validate"), @"
    ------- stderr -------
    error[config.syntax]: the file is not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'
     --> stagecraft.yml:1:22
      |
    1 | project: {name: shop
      |                     ^
      |
      = hint: check the quotes, brackets and indentation around this place
    [exit status: 1]
    ");
}

#[test]
fn one_of_several_environments_has_to_be_chosen() {
    let stage = Stage::with(&SMALL.replace("        dev:", "        prod: {}\n        dev:"));
    insta::assert_snapshot!(stage.run("infra plan"), @"
    ------- stderr -------
    error[config.unknown-environment]: stagecraft.yml: the file has 2 environments
      hint: choose one with `--env`: `dev` or `prod`
    [exit status: 1]
    ");
    insta::assert_snapshot!(stage.run("infra plan --env prd"), @"
    ------- stderr -------
    error[config.unknown-environment]: stagecraft.yml: the file has no environment `prd` (did you mean `prod`?)
      hint: choose one with `--env`: `dev` or `prod`
    [exit status: 1]
    ");
}

#[test]
fn control_characters_of_a_file_are_not_sent() {
    let stage = Stage::with("project: {name: \"\x1b]0;owned\x07\u{9b}2J\"}\n");
    let shown = stage.run("validate");
    assert!(shown.contains("config."), "{shown}");
    assert!(!shown.contains(['\x1b', '\x07', '\u{9b}']), "{shown:?}");
}

#[test]
fn a_key_that_cannot_be_read_stops_before_anything_is_touched() {
    let stage = Stage::with(&format!(
        "{SMALL}infra: {{ bootstrap: {{ ssh: {{ private_key_path: keys/none }} }} }}\n"
    ));
    insta::assert_snapshot!(stage.run("infra up"), @"
    ------- stderr -------
    error[config_invalid]: the private key `keys/none` cannot be used: No such file or directory (os error 2)
      hint: set `infra.bootstrap.ssh.private_key_path` to a key you can read
    [exit status: 3]
    ");
}

#[test]
fn a_cloud_that_cannot_be_used_is_a_failure_of_the_cloud() {
    insta::assert_snapshot!(Stage::with(SMALL).run("infra plan"), @"
    ------- stderr -------
    error[cloud.unsupported]: local could not use the Docker Engine at `npipe:////./pipe/docker_engine`: it does not support `npipe` in `DOCKER_HOST`
      hint: use `unix:///path/to/docker.sock` or `tcp://host:port`
    [exit status: 2]
    ");
}

#[test]
fn without_a_home_there_is_no_place_for_keys() {
    let stage = Stage::with(SMALL);
    let output = stage.command(["infra", "up"]).env("HOME", "").output().unwrap();
    // The system's list of users may know a home all the same; then the cloud is what fails.
    assert!(matches!(output.status.code(), Some(2 | 3)), "{output:?}");
}

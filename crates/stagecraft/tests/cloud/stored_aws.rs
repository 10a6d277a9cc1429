//! An access key of AWS in the store.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;

use stagecraft_core::desired::ProviderId;
use stagecraft_testkit::emulators::aws::Aws;
use stagecraft_testkit::emulators::{Emulator, Options};
use stagecraft_testkit::world::{Behaviour, Delay};
use stagecraft_testkit::{SharedWorld, World};

use crate::cli::{Stage, transcript};

#[test]
fn an_access_key_of_several_parts_is_kept_and_used() {
    let behaviour = Behaviour { boot: Delay::NONE, ..Behaviour::names_are_free() };
    let world = SharedWorld::new(World::new(ProviderId::Aws, behaviour, 11));
    let options = Options { limited: false, ..Options::default() };
    let emulator = Emulator::new(&world, Aws::new(&world), options);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let running = runtime.block_on(emulator.listen(anywhere)).unwrap();
    let stage = Stage::with(&format!(
        "project: {{ name: shop }}\ncloud: {{ providers: {{ aws: {{ credentials: prod, api_url: '{}', \
         ssh_key_name: deploy, default_region: us-east-1, hosts: {{ prod: {{ app-1: {{ role: app }} }} }} \
         }} }} }}\n",
        running.url()
    ));
    let run = |input: &str, line: &str| {
        let mut command = stage.command(line.split_whitespace());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
        transcript(&child.wait_with_output().unwrap())
    };
    let (id, secret) = Aws::access_key();
    let wrong: String = secret.chars().rev().collect();
    let mut all = vec![
        run(id, "credentials add prod --provider aws"),
        run(&format!("{secret}\n{id}\n"), "credentials add prod --provider aws"),
        run(&format!("{id}\n{secret}\n"), "credentials add prod --provider aws"),
        run(&format!("{id}\n{wrong}\n"), "credentials add wrong --provider aws"),
        run("", "credentials test prod"),
        run("", "credentials test wrong"),
        run("", "validate --online"),
        run("", "infra plan"),
        run("", "credentials rotate-key"),
        run("", "infra plan --output json"),
        run("", "credentials remove prod --yes"),
        run("", "infra plan"),
    ];
    let said = |at: usize, what: &str| assert!(all[at].contains(what), "{at}: {}", all[at]);
    said(0, "the secret access key is missing");
    said(1, "the access key id and the secret access key are swapped");
    said(1, "give the access key id (begins with AKIA or ASIA), then the secret access key");
    said(2, "`prod` is added.");
    said(4, "accepted as");
    said(5, "[exit status: 2]");
    said(6, "[exit status: 0]");
    said(7, "1 to create");
    said(8, "2 entries are sealed anew");
    said(9, "[exit status: 0]");
    said(11, "error[credential.not-found]");
    let store = stage.work().parent().unwrap().join("home/.local/share/stagecraft/credentials.db");
    all.push(String::from_utf8_lossy(&std::fs::read(store).unwrap()).into_owned());
    for text in &all {
        for part in [&secret[..12], &wrong[..12], &secret[secret.len() - 12..]] {
            assert!(!text.contains(part), "{text}");
        }
    }
}

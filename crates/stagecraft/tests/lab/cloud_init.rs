//! What new machines are told, put before the real cloud-init.

use stagecraft_core::identity::KeyMint as _;
use stagecraft_remote::Ed25519Mint;

use crate::stage::Stage;

#[test]
fn the_real_cloud_init_gives_a_machine_the_key_it_was_ordered_with_and_no_other() {
    let Some(stage) = Stage::new("{ app-1: { role: app } }") else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    let install = "apt-get update -q && apt-get install -q -y --no-install-recommends cloud-init";
    let said =
        stage.inside("app-1", &format!("({install}) >/tmp/log 2>&1; echo $?; tail -3 /tmp/log"));
    assert!(said.starts_with("0\n"), "cloud-init cannot be installed: {said}");

    let key = Ed25519Mint.mint().expect("a key");
    stage.inside("app-1", "ssh-keygen -A; mkdir -p /var/lib/cloud/seed/nocloud");
    let seed = format!(
        "cat >/var/lib/cloud/seed/nocloud/user-data <<'END'\n{}END\n\
         echo 'instance-id: i-1' >/var/lib/cloud/seed/nocloud/meta-data\n\
         echo 'datasource_list: [NoCloud]' >/etc/cloud/cloud.cfg.d/99-lab.cfg",
        key.user_data().reveal()
    );
    stage.inside("app-1", &seed);
    let boot = "cloud-init schema --config-file /var/lib/cloud/seed/nocloud/user-data; \
                cloud-init clean; cloud-init init --local; cloud-init init";
    let log = stage.inside("app-1", &format!("({boot}) 2>&1"));
    assert!(log.contains("Valid"), "the schema of cloud-init takes it: {log}");
    let keys = stage.inside("app-1", "cd /etc/ssh; ls ssh_host_*; cut -d' ' -f1,2 ssh_host_*.pub");
    assert_eq!(
        keys.trim(),
        format!("ssh_host_ed25519_key\nssh_host_ed25519_key.pub\n{}", key.public.to_openssh()),
        "{log}"
    );
    let mode = stage.inside("app-1", "stat -c %a /etc/ssh/ssh_host_ed25519_key; sshd -t; echo $?");
    assert_eq!(mode, "600\n0\n", "{log}");
}

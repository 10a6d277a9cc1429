//! What is agreed on with a server of today, and what is refused of one of yesterday.

use crate::stage::Stage;

const ONE: &str = "{ app-1: { role: app } }";

/// Servers that offer only what is not considered safe any more: port, options, and what is said.
const OLD: [(u16, &str, &str); 4] = [
    (
        2201,
        "-o KexAlgorithms=diffie-hellman-group14-sha1",
        "offers no key exchange that is still considered safe (it offers diffie-hellman-group14-sha1",
    ),
    (
        2202,
        "-o Ciphers=aes128-cbc",
        "offers no cipher that is still considered safe (it offers aes128-cbc)",
    ),
    (
        2203,
        "-o Ciphers=aes256-ctr -o MACs=hmac-sha1",
        "offers no MAC that is still considered safe (it offers hmac-sha1)",
    ),
    (
        2204,
        "-h /root/rsa -o HostKeyAlgorithms=ssh-rsa",
        "offers no kind of host key that is still considered safe (it offers ssh-rsa)",
    ),
];

#[test]
fn old_algorithms_are_refused_by_name_and_those_of_today_are_agreed_on() {
    let Some(stage) = Stage::new(ONE) else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    stage.inside("app-1", "ssh-keygen -q -t rsa -b 2048 -N '' -f /root/rsa");
    let serve = |port: u16, options: &str| {
        let log = format!("-E /root/log-{port} -o LogLevel=DEBUG1 -o PidFile=none");
        let said = stage.inside("app-1", &format!("/usr/sbin/sshd -p {port} {log} {options} 2>&1"));
        assert_eq!(said, "", "sshd with {options}");
        stage.configure_ssh(ONE, &format!("{{ port: {port} }}"));
    };
    for (port, options, said) in OLD {
        serve(port, options);
        let ran = stage.run(&["exec", "--", "true"]);
        ran.assert_code(10);
        assert!(ran.stderr.contains(said), "no `{said}` in:\n{}", ran.stderr);
        let log = stage.inside("app-1", &format!("cat /root/log-{port}"));
        assert!(log.contains("no matching"), "{log}");
    }

    serve(2200, "");
    stage.run(&["exec", "--", "true"]).assert_code(0);
    let log = stage.inside("app-1", "cat /root/log-2200");
    for agreed in [
        "kex: algorithm: curve25519-sha256",
        "kex: host key algorithm: ssh-ed25519",
        "kex: client->server cipher: chacha20-poly1305@openssh.com MAC: <implicit>",
        "kex: server->client cipher: chacha20-poly1305@openssh.com MAC: <implicit>",
    ] {
        assert!(log.contains(agreed), "no `{agreed}` in:\n{log}");
    }
    // The second best of each.
    for (port, options, agreed) in [
        (2210, "-o KexAlgorithms=ecdh-sha2-nistp256", "kex: algorithm: ecdh-sha2-nistp256"),
        (2211, "-o Ciphers=aes256-gcm@openssh.com", "cipher: aes256-gcm@openssh.com"),
        (
            2212,
            "-o Ciphers=aes128-ctr -o MACs=hmac-sha2-256",
            "cipher: aes128-ctr MAC: hmac-sha2-256 ",
        ),
    ] {
        serve(port, options);
        stage.run(&["exec", "--", "true"]).assert_code(0);
        let log = stage.inside("app-1", &format!("cat /root/log-{port}"));
        assert!(log.contains(agreed), "no `{agreed}` in:\n{log}");
    }
}

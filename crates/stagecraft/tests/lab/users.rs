//! Users other than root, as images of clouds have them.

use crate::stage::Stage;

const ONE: &str = "{ app-1: { role: app } }";

#[test]
fn users_with_sudo_do_all_that_root_does() {
    let Some(stage) = Stage::new(ONE) else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    // `debian` is there; `ubuntu` and `admin` are what images at AWS have.
    stage.inside(
        "app-1",
        "for user in ubuntu admin; do
           useradd --create-home --shell /bin/bash $user
           cp -r /root/.ssh /home/$user/ && chown -R $user: /home/$user/.ssh
           echo \"$user ALL=(ALL) NOPASSWD:ALL\" > /etc/sudoers.d/91-$user
         done
         echo 'PermitRootLogin no' > /etc/ssh/sshd_config.d/root.conf
         systemctl restart ssh",
    );
    for user in ["debian", "ubuntu", "admin"] {
        stage.inside("app-1", "hostnamectl set-hostname elsewhere");
        stage.configure_ssh(ONE, &format!("{{ user: {user} }}"));
        let ran = stage.run(&["infra", "up", "--output", "json"]);
        ran.assert_code(0);
        assert_eq!(ran.host("app-1")["result"], "ready");
        assert_eq!(stage.inside("app-1", "hostname").trim(), "app-1", "{user} set it");
        assert!(stage.last_login("app-1").contains(&format!("publickey for {user} from ")));
        let ran = stage.run(&["exec", "--", "echo $(id -un) by $SUDO_USER"]);
        assert_eq!(ran.stdout, format!("app-1 | root by {user}\n"));
        let ran = stage.run(&["ssh", "app-1", "--", "id -un"]);
        assert_eq!(ran.assert_code(0).stdout, format!("{user}\n"));
    }
}

#[test]
fn a_user_who_may_not_become_root_is_told_so() {
    let Some(stage) = Stage::new(ONE) else { return };
    stage.run(&["infra", "up"]).assert_code(0);
    stage.inside("app-1", "rm /etc/sudoers.d/90-stagecraft");
    stage.configure_ssh(ONE, "{ user: debian }");
    let ran = stage.run(&["infra", "up", "--output", "json"]);
    ran.assert_code(10);
    let failure = ran.host("app-1")["failure"].to_string();
    assert!(failure.contains("sudo"), "{failure}");
}

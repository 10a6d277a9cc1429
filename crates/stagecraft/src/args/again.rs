//! The command line that goes on with what one began, without what would be done twice.

use stagecraft_core::name::HostName;

use super::{Bootstrap, Down, Up};

impl Up {
    /// Goes on with this. A host is not replaced again: it may be a new one already.
    pub(crate) fn again(&self) -> String {
        let mut words = for_hosts("infra up", &self.policy.hosts);
        for (given, flag) in
            [(self.policy.prune, " --prune"), (self.no_bootstrap, " --no-bootstrap")]
        {
            if given {
                words.push_str(flag);
            }
        }
        words
    }
}

impl Bootstrap {
    /// Goes on with this.
    pub(crate) fn again(&self) -> String {
        for_hosts("infra bootstrap", &self.hosts)
    }
}

impl Down {
    /// Goes on with this.
    pub(crate) fn again(&self) -> String {
        for_hosts("infra down", &self.hosts)
    }
}

fn for_hosts(command: &str, hosts: &[HostName]) -> String {
    hosts.iter().fold(command.to_owned(), |words, host| format!("{words} --host {host}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::args::{Args, Command, Infra};

    #[test]
    fn going_on_concerns_the_hosts_that_were_named_and_replaces_none_again() {
        let again = |line: &str| {
            let words = ["stagecraft", "infra"].into_iter().chain(line.split(' '));
            let command = Args::parse_from(words).command;
            if let Command::Infra(Infra::Up(up)) = command {
                up.again()
            } else if let Command::Infra(Infra::Down(down)) = command {
                down.again()
            } else if let Command::Infra(Infra::Bootstrap(bootstrap)) = command {
                bootstrap.again()
            } else {
                panic!("{command:?}")
            }
        };
        assert_eq!(again("up"), "infra up");
        assert_eq!(
            again("up --host a --replace a --prune --no-bootstrap"),
            "infra up --host a --prune --no-bootstrap"
        );
        assert_eq!(again("down --host a --host b"), "infra down --host a --host b");
        assert_eq!(again("bootstrap --host a"), "infra bootstrap --host a");
        let several = again("up --host a,b --host c");
        assert_eq!(several, "infra up --host a --host b --host c");
    }
}

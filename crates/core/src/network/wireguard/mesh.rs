use std::time::Duration;

use super::conf::hash;
use super::look::Said;
use super::{GUARD, INTERFACE};
use super::{look, mesh_script};
use crate::converge::{Assessment, Change, Step};
use crate::error::Code;
use crate::guard::Guard;
use crate::remote::{Command, Output};
use crate::script::script;

/// How long a host waits to hear that it can still be reached.
const WINDOW: Duration = Duration::from_secs(60);

/// The host has this configuration, and it is in effect.
#[derive(Debug)]
pub(super) struct Join {
    pub(super) text: String,
    /// What that changes, for the progress display.
    pub(super) doing: String,
}

impl Join {
    /// Whether nothing is left to do on a host that said this.
    pub(super) fn is_done(&self, said: &Said) -> bool {
        said.right && said.text == self.text
    }

    fn change(&self, what: &str, hash: &str) -> Command {
        script("wireguard-change", mesh_script!("scripts/change.sh"), [INTERFACE, what, hash])
    }
}

impl Step for Join {
    fn name(&self) -> &'static str {
        "wireguard-mesh"
    }

    fn probe(&self) -> Vec<Command> {
        vec![look()]
    }

    fn assess(&self, seen: &[Output]) -> Assessment {
        if Said::of(seen).is_some_and(|said| self.is_done(&said)) {
            return Assessment::Satisfied;
        }
        let hash = hash(&self.text);
        let stage = script("wireguard-stage", mesh_script!("scripts/stage.sh"), [INTERFACE, &hash])
            .with_stdin(self.text.clone());
        let (done, undo) = (self.change("is", &hash), self.change("back", &hash));
        let guard =
            Guard::new(GUARD, WINDOW, done, undo).with_cleanup(self.change("forget", &hash));
        Assessment::Needs(vec![
            Change::new("preparing the mesh", stage),
            Change::new(self.doing.clone(), self.change("to", &hash)).guarded(guard),
        ])
    }

    fn failure_code(&self) -> Code {
        Code::NETWORK_JOIN_FAILED
    }
}

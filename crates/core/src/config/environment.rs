//! Choosing one environment of a file.

use std::collections::BTreeMap;

use super::Config;
use super::problem::Problem;
use super::source::quoted;
use super::words::nearest;
use crate::desired::DesiredHost;
use crate::error::Code;
use crate::name::{EnvironmentName, HostName, Scope};
use crate::words::listed;

impl Config {
    /// The hosts of the environment called `name`, or of the only one when none is named.
    ///
    /// # Errors
    /// There is no such environment, or there is more than one and none was named.
    pub fn environment(
        &self,
        name: Option<&str>,
    ) -> Result<(Scope, BTreeMap<HostName, DesiredHost>), Problem> {
        let found = match name {
            Some(name) => self.environments.iter().find(|(known, _)| known.as_str() == name),
            None if self.environments.len() == 1 => self.environments.iter().next(),
            None => None,
        };
        match found {
            Some((environment, hosts)) => {
                let scope =
                    Scope { project: self.project.clone(), environment: environment.clone() };
                Ok((scope, hosts.clone()))
            }
            None => Err(self.no_environment(name)),
        }
    }

    fn no_environment(&self, name: Option<&str>) -> Problem {
        let known = || self.environments.keys().map(EnvironmentName::as_str);
        let message = match name {
            Some(name) => format!("the file has no environment {}", quoted(name)),
            None if self.environments.is_empty() => "the file has no environment".to_owned(),
            None => format!("the file has {} environments", self.environments.len()),
        };
        let problem = Problem::new(Code::CONFIG_UNKNOWN_ENVIRONMENT, message);
        if self.environments.is_empty() {
            return problem.with_help("add one under `hosts` of a provider");
        }
        let problem = match name.and_then(|name| nearest(name, known())) {
            Some(near) => problem.with_label(format!("did you mean `{near}`?")),
            None => problem,
        };
        problem.with_help(format!("choose one with `--env`: {}", listed(known(), "or")))
    }
}

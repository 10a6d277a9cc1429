//! The configuration file of a run, and the environment it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use stagecraft_core::cloud::Catalogue;
use stagecraft_core::config::{self, Config, Problem, Problems};
use stagecraft_core::desired::{DesiredHost, ProviderId};
use stagecraft_core::error::{Code, ExitCode, Failure};
use stagecraft_core::inventory::Inventory;
use stagecraft_core::name::{HostName, Scope};
use stagecraft_core::remote::quote_path;
use stagecraft_core::resolve::{OrderProblem, ResolvedHost, SshKeyNames, resolve};
use stagecraft_remote::read_file;

use crate::app::App;
use crate::next::Next;
use crate::stop::Stop;

/// How many bytes a file may have.
const LARGEST: u64 = 1024 * 1024;

/// Why a file that belongs to somebody else cannot be read.
const NOT_PERMITTED: &str = "you may not read it";

/// A file without problems.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Its name, as the user gave it.
    pub(crate) name: String,
    /// What it says.
    pub(crate) config: Config,
    bytes: Vec<u8>,
}

/// A file and the environment of it that a command works on.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// The file.
    pub(crate) file: File,
    /// The project and environment.
    pub(crate) scope: Scope,
    /// The hosts the environment should have.
    pub(crate) hosts: BTreeMap<HostName, DesiredHost>,
    /// Commands for this file and environment.
    pub(crate) next: Next,
    /// The folder of the file, absolute.
    pub(crate) folder: PathBuf,
}

impl File {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn load(app: &App) -> Result<Self, Stop> {
        let path = &app.global.config;
        let name = path.display().to_string();
        let bytes = read(path).map_err(|why| unreadable(app, &name, &why))?;
        let config = config::parse(&name, &bytes)?;
        Ok(Self { name, config, bytes })
    }

    /// Problems of this file as the end of a command.
    pub(crate) fn problems(&self, problems: Vec<Problem>) -> Stop {
        Problems::of_file(&self.name, &self.bytes, problems).into()
    }

    /// Hosts of this file that cannot be ordered, as the end of a command.
    fn order_problems(&self, problems: Vec<OrderProblem>) -> Stop {
        Stop::order(&self.name, config::shown(&self.bytes), problems)
    }

    /// The hosts of an environment as they can be ordered from these providers, of which `there` exists and
    /// `anew` is ordered although it does.
    ///
    /// # Errors
    /// All hosts that cannot be ordered, and what only a provider can tell to be wrong with the file.
    pub(crate) fn resolved(
        &self,
        scope: &Scope,
        hosts: &BTreeMap<HostName, DesiredHost>,
        catalogues: &BTreeMap<ProviderId, Catalogue>,
        there: &Inventory,
        anew: &BTreeSet<HostName>,
    ) -> Result<BTreeMap<HostName, ResolvedHost>, Stop> {
        let unknown = |(&id, catalogue): (&ProviderId, &Catalogue)| {
            self.config.unknown_regions(id, &catalogue.regions)
        };
        let unknown: Vec<Problem> = catalogues.iter().flat_map(unknown).collect();
        let resolved = resolve(scope, hosts, catalogues, &self.ssh_keys(), there, anew);
        let resolved = resolved.map_err(|problems| self.order_problems(problems));
        if unknown.is_empty() {
            return resolved;
        }
        let mut stop = self.problems(unknown);
        stop.troubles.extend(resolved.err().into_iter().flat_map(|more| more.troubles));
        Err(stop)
    }

    /// The names of SSH keys that hosts get.
    fn ssh_keys(&self) -> SshKeyNames {
        let providers = self.config.providers.iter();
        providers
            .filter_map(|(&id, provider): (&ProviderId, _)| {
                Some((id, provider.ssh_key_name.clone()?))
            })
            .collect()
    }
}

impl Project {
    /// Reads the file and chooses its environment.
    ///
    /// # Errors
    /// Everything that is wrong with the file or the choice.
    pub(crate) fn load(app: &App) -> Result<Self, Stop> {
        let file = File::load(app)?;
        let wanted = app.global.env.as_ref().map(|name| name.as_str());
        let (scope, hosts) =
            file.config.environment(wanted).map_err(|problem| file.problems(vec![problem]))?;
        let folder = folder_of(&app.global.config)
            .map_err(|error| unreadable(app, &file.name, &error.to_string()))?;
        Ok(Self { file, scope, hosts, next: Next::new(&app.global), folder })
    }
}

/// The folder of a file, absolute.
pub(crate) fn folder_of(file: &Path) -> std::io::Result<PathBuf> {
    let file = std::path::absolute(file)?;
    Ok(file.parent().map_or_else(|| file.clone(), Path::to_owned))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    if is_handed_over(path) {
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
            .map_err(|error| why(&error))?;
        let too_large = bytes.len() as u64 > LARGEST;
        return if too_large { Err("it is larger than 1 MiB".to_owned()) } else { Ok(bytes) };
    }
    read_file(path, LARGEST).map(|bytes| bytes.to_vec()).map_err(|error| why(&error))
}

/// Whether a path stands for something that is open already, such as `<(command)` of a shell: that is the
/// user's to end. In any other pipe nobody may ever write.
fn is_handed_over(path: &Path) -> bool {
    ["/dev/fd", "/dev/stdin", "/proc/self/fd"].iter().any(|place| path.starts_with(place))
}

fn why(error: &std::io::Error) -> String {
    if error.kind() == ErrorKind::NotFound {
        "there is no such file".to_owned()
    } else if error.kind() == ErrorKind::PermissionDenied {
        NOT_PERMITTED.to_owned()
    } else {
        error.to_string()
    }
}

/// What keeps a user from reading a file.
#[derive(Debug, PartialEq, Eq)]
struct Closed {
    path: PathBuf,
    /// Whether it is a folder on the way to the file.
    is_folder: bool,
    /// Whether it is this user's own.
    is_own: bool,
}

impl Closed {
    /// Who can change that, and how: nobody but the owner and root may.
    fn way_in(&self) -> String {
        let path = quote_path(&self.path.to_string_lossy());
        match (self.is_folder, self.is_own) {
            (false, true) => format!("make it readable for you, e.g. by `chmod a+r {path}`"),
            (false, false) => {
                format!("its owner or root can make it readable, e.g. by `sudo chmod a+r {path}`")
            }
            (true, true) => format!("let yourself into its folder, e.g. by `chmod u+x {path}`"),
            (true, false) => format!(
                "the owner of its folder or root can let you in, e.g. by `sudo chmod a+x {path}`"
            ),
        }
    }
}

/// What keeps this user from reading a file that is there.
fn closed_by(file: &Path) -> Closed {
    let user = rustix::process::geteuid().as_raw();
    let seen = file.ancestors().find_map(|path| Some((path, std::fs::metadata(path).ok()?.uid())));
    // What cannot be looked at is in a folder that cannot be entered: this one, or that of what a link means.
    let seen = seen.filter(|(path, _)| *path == file || access(*path, Access::EXEC_OK).is_err());
    let (path, owner) = seen.map_or((file, None), |(path, owner)| (path, Some(owner)));
    Closed { path: path.to_owned(), is_folder: path != file, is_own: owner == Some(user) }
}

fn unreadable(app: &App, name: &str, why: &str) -> Stop {
    let failure = Failure::new(Code::CONFIG_UNREADABLE, format!("could not read `{name}`: {why}"));
    let stop = Stop::new(ExitCode::Usage, failure);
    if why == NOT_PERMITTED {
        stop.with_hint(closed_by(&app.global.config).way_in())
    } else if app.global.config.exists() {
        stop.with_hint("check the path given with `--config`")
    } else if name == crate::args::DEFAULT_CONFIG {
        stop.with_hint("run `stagecraft init` to write a first file, or name yours with `--config`")
    } else {
        stop.with_hint(
            "check the path given with `--config`; `stagecraft init` writes a first file",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_may_change_a_mode_is_told_to() {
        let way_in = |path: &str, is_folder, is_own| {
            Closed { path: path.into(), is_folder, is_own }.way_in()
        };
        for (is_folder, path) in [(false, "a b.yml"), (true, "/srv/a b")] {
            let own = way_in(path, is_folder, true);
            assert!(own.contains("by `chmod ") && own.contains(&format!("'{path}'`")), "{own}");
            let other = way_in(path, is_folder, false);
            assert!(other.contains("owner") && other.contains("or root"), "{other}");
            assert!(other.contains("by `sudo chmod a+"), "{other}");
        }
    }
}

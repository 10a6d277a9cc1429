use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The environment of the process, read once. Holds secrets, so it never shows itself.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<OsString, OsString>,
    home: Option<PathBuf>,
}

impl Environment {
    /// The environment this process was started with.
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    pub(crate) fn of_process() -> Self {
        Self { variables: std::env::vars_os().collect(), home: std::env::home_dir() }
    }

    /// An environment made of these.
    #[cfg(test)]
    pub(crate) fn for_tests(home: &str, variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        Self { variables: variables.collect(), home: Some(home.into()) }
    }

    /// A variable that is set and not empty; one that is not UTF-8 does not count.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.variables.get(&OsString::from(name))?.to_str().filter(|text| !text.is_empty())
    }

    /// A variable as it is set, be it empty. What is not UTF-8 of it is replaced.
    pub(crate) fn secret(&self, name: &str) -> Option<Zeroizing<String>> {
        let value = self.variables.get(&OsString::from(name))?;
        Some(Zeroizing::new(value.to_string_lossy().into_owned()))
    }

    /// Whether a variable is set and not empty.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.variables.get(&OsString::from(name)).is_some_and(|value| !value.is_empty())
    }

    /// Whether the terminal understands no control sequences.
    pub(crate) fn is_dumb_terminal(&self) -> bool {
        self.text("TERM") == Some("dumb")
    }

    /// The user's home directory.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref().filter(|home| home.is_absolute())
    }

    /// Where this user's data of Stagecraft lives; `None` when there is no home directory.
    pub(crate) fn data_dir(&self) -> Option<PathBuf> {
        self.xdg("XDG_DATA_HOME", ".local/share")
    }

    /// Where this user's settings of Stagecraft live; `None` when there is no home directory.
    pub(crate) fn config_dir(&self) -> Option<PathBuf> {
        self.xdg("XDG_CONFIG_HOME", ".config")
    }

    /// Where runs leave marks for one another; `None` when there is no home directory.
    pub(crate) fn state_dir(&self) -> Option<PathBuf> {
        self.xdg("XDG_STATE_HOME", ".local/state")
    }

    /// Where what can be made again is kept; `None` when there is no home directory.
    pub(crate) fn cache_dir(&self) -> Option<PathBuf> {
        self.xdg("XDG_CACHE_HOME", ".cache")
    }

    /// A path whose `~/` means the home directory, and which is relative to `base` otherwise.
    pub(crate) fn expand(&self, path: &str, base: &Path) -> Option<PathBuf> {
        match path.strip_prefix("~/") {
            Some(below) => Some(self.home()?.join(below)),
            None => Some(base.join(path)),
        }
    }

    /// The variables of these names that are set.
    pub(crate) fn some<'a>(
        &'a self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Vec<(String, String)> {
        names
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), self.text(name)?.to_owned())))
            .collect()
    }

    fn xdg(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let given = self.text(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        let base = given.or_else(|| Some(self.home()?.join(below_home)))?;
        Some(base.join("stagecraft"))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.variables.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_follow_xdg_when_it_is_absolute() {
        let mut environment =
            Environment { home: Some("/home/ada".into()), ..Environment::default() };
        let data = |environment: &Environment| environment.data_dir().unwrap();
        assert_eq!(data(&environment), Path::new("/home/ada/.local/share/stagecraft"));
        environment.variables.insert("XDG_DATA_HOME".into(), "relative".into());
        assert_eq!(data(&environment), Path::new("/home/ada/.local/share/stagecraft"));
        environment.variables.insert("XDG_DATA_HOME".into(), "/data".into());
        assert_eq!(data(&environment), Path::new("/data/stagecraft"));
        let config = environment.config_dir().unwrap();
        assert_eq!(config, Path::new("/home/ada/.config/stagecraft"));
        let state = environment.state_dir().unwrap();
        assert_eq!(state, Path::new("/home/ada/.local/state/stagecraft"));
        assert_eq!(Environment::default().data_dir(), None);
    }

    #[test]
    fn paths_of_the_file_are_relative_to_it() {
        let environment = Environment { home: Some("/home/ada".into()), ..Environment::default() };
        let expand = |path| environment.expand(path, Path::new("/project")).unwrap();
        assert_eq!(expand("~/.ssh/id"), Path::new("/home/ada/.ssh/id"));
        assert_eq!(expand("keys/id"), Path::new("/project/keys/id"));
        assert_eq!(expand("/keys/id"), Path::new("/keys/id"));
        assert_eq!(Environment::default().expand("~/x", Path::new("/")), None);
    }

    #[test]
    fn a_secret_that_is_empty_or_no_text_is_set_all_the_same() {
        use std::os::unix::ffi::OsStringExt as _;

        let mut environment = Environment::for_tests("/home/ada", &[("EMPTY", "")]);
        environment.variables.insert("BYTES".into(), OsString::from_vec(b"a\xffb".to_vec()));
        let secret = |name| environment.secret(name).map(|text| text.to_string());
        assert_eq!(secret("EMPTY").as_deref(), Some(""));
        assert_eq!(secret("BYTES").as_deref(), Some("a\u{fffd}b"));
        assert_eq!(secret("NONE"), None);
    }

    #[test]
    fn an_environment_does_not_show_its_values() {
        let mut environment = Environment::default();
        environment.variables.insert("TOKEN".into(), "s3cret".into());
        assert!(!format!("{environment:?}").contains("s3cret"));
        assert_eq!(environment.text("TOKEN"), Some("s3cret"));
    }
}

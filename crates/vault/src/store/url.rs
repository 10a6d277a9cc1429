//! Where a store in PostgreSQL is. Its URL has a password, and is never shown.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use postgres::Config;
use postgres::config::{Host, SslMode};
use zeroize::Zeroizing;

use super::{DatabaseError, DatabaseErrorKind};

/// How long a server may take to answer, if the URL does not say.
const PATIENCE: Duration = Duration::from_secs(10);

/// A text that is no URL of PostgreSQL. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not a URL like `postgresql://user:password@host/database`, with settings this version knows"
)]
pub struct InvalidUrl;

/// The URL of a store.
#[derive(Clone)]
pub struct Url {
    config: Config,
    /// Whether what is sent is encrypted, and the server verified.
    encrypted: bool,
    /// What must not show in messages.
    password: Option<Zeroizing<String>>,
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let mut url = url::Url::parse(text.trim()).map_err(|_| InvalidUrl)?;
        if !["postgres", "postgresql"].contains(&url.scheme()) {
            return Err(InvalidUrl);
        }
        // How to encrypt is decided here, so that no setting makes it less safe.
        let (mode, rest): (Vec<_>, Vec<_>) = url
            .query_pairs()
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .partition(|(key, _)| key == "sslmode");
        url.set_query(None);
        if !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(rest);
        }
        let wanted = match mode.last().map(|(_, mode)| mode.as_str()) {
            None => None,
            Some("disable") => Some(false),
            Some("allow" | "prefer" | "require" | "verify-ca" | "verify-full") => Some(true),
            Some(_) => return Err(InvalidUrl),
        };
        // A query is written with `+` for spaces, which PostgreSQL reads as plus signs; before it, e.g. in a
        // password, they are plus signs.
        if let Some(query) = url.query().map(|query| query.replace('+', "%20")) {
            url.set_query(Some(&query));
        }
        let whole = Zeroizing::new(String::from(url));
        let mut config: Config = whole.parse().map_err(|_| InvalidUrl)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(InvalidUrl);
        }
        config.application_name("stagecraft");
        let encrypted = wanted.unwrap_or_else(|| !is_here(&config));
        config.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
        let password = config.get_password().map(|bytes| String::from_utf8_lossy(bytes));
        let password = password.map(|text| Zeroizing::new(text.into_owned()));
        Ok(Self { config, encrypted, password })
    }

    /// How to connect.
    ///
    /// # Errors
    /// When that would send a password over a network in the clear.
    pub(super) fn config(&self) -> Result<&Config, DatabaseError> {
        if self.encrypted || is_here(&self.config) {
            return Ok(&self.config);
        }
        Err(DatabaseError::new(
            DatabaseErrorKind::Unprotected,
            "its URL has `sslmode=disable`, and the server is on another machine",
        ))
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// A text without the password.
    pub(super) fn redact(&self, text: &str) -> String {
        match &self.password {
            Some(password) if !password.is_empty() => text.replace(password.as_str(), "[hidden]"),
            Some(_) | None => text.to_owned(),
        }
    }

    /// The server and database, for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            Some(Host::Unix(path)) => path.display().to_string(),
            None => "its server".to_owned(),
        };
        let database =
            self.config.get_dbname().or_else(|| self.config.get_user()).unwrap_or_default();
        self.redact(&format!("PostgreSQL `{database}` at {host}"))
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({})", self.describe())
    }
}

/// Whether nothing leaves this machine.
fn is_here(config: &Config) -> bool {
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        }
    });
    hosts && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypted(text: &str) -> Option<bool> {
        let url = Url::parse(text).unwrap_or_else(|_| panic!("{text}"));
        url.config().ok().map(|config| config.get_ssl_mode() == SslMode::Require)
    }

    #[test]
    fn what_leaves_this_machine_is_encrypted() {
        for (text, expected) in [
            ("postgresql://ada:pw@db.example/creds", Some(true)),
            ("postgres://ada:pw@db.example/creds?sslmode=require", Some(true)),
            ("postgres://ada:pw@db.example/creds?sslmode=prefer", Some(true)),
            ("postgres://ada:pw@db.example/creds?sslmode=disable", None),
            ("postgres://ada:pw@10.0.0.7/creds", Some(true)),
            ("postgres://ada:pw@localhost.example/creds", Some(true)),
            ("postgres://ada:pw@localhost,db.example/creds", Some(true)),
            ("postgres://ada:pw@localhost/creds?hostaddr=10.0.0.7", Some(true)),
            ("postgres://ada:pw@localhost/creds?hostaddr=10.0.0.7&sslmode=disable", None),
            ("postgres://ada:pw@localhost/creds", Some(false)),
            ("postgres://ada:pw@127.0.0.1:5433/creds?sslmode=verify-full", Some(true)),
            ("postgres://ada@[::1]/creds", Some(false)),
            ("postgresql:///creds?host=/run/postgresql&user=ada", Some(false)),
        ] {
            assert_eq!(encrypted(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_told_without_being_shown() {
        for text in [
            "",
            "PLANTED",
            "mysql://ada:PLANTED@db.example/creds",
            "postgres://ada:PLANTED@db.example:x/creds",
            "postgres://ada@db.example/creds?PLANTED=1",
            "postgres://ada@db.example/creds?sslmode=PLANTED",
            "postgres:///creds",
        ] {
            let error = Url::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("PLANTED"), "{text}");
        }
    }

    #[test]
    fn a_url_shows_where_it_leads_and_not_its_password() {
        let url = Url::parse("postgres://ada:PLANTED@db.example/creds").unwrap();
        let shown = format!("{url:?} {}", url.redact("bad password PLANTED"));
        assert_eq!(shown, "Url(PostgreSQL `creds` at db.example) bad password [hidden]");
    }

    #[test]
    fn a_setting_may_have_spaces_and_plus_signs() {
        let url = Url::parse(
            "postgres://a:p%2Bw@localhost/c?options=-c%20search_path%3Ds&sslmode=disable",
        );
        let url = url.unwrap();
        assert_eq!(url.config.get_options(), Some("-c search_path=s"));
        assert_eq!(url.config.get_password(), Some(&b"p+w"[..]));
        let plain = Url::parse("postgres://a+b:p+w@localhost/c+d?options=-c%20x%3Dy").unwrap();
        assert_eq!(plain.config.get_user(), Some("a+b"));
        assert_eq!(plain.config.get_password(), Some(&b"p+w"[..]));
        assert_eq!(plain.config.get_dbname(), Some("c+d"));
        assert_eq!(plain.config.get_options(), Some("-c x=y"));
        assert_eq!(plain.redact("`p+w` is wrong"), "`[hidden]` is wrong");
    }
}

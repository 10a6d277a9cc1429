//! Private keys in files: reading them, and making the one for hosts of this machine.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::{Cipher, LineEnding};
use russh::keys::{Algorithm, PrivateKey, PublicKey, decode_secret_key, key};
use stagecraft_core::remote::quote;
use zeroize::Zeroizing;

use crate::files;
use crate::folders::{folder_of, make_folder_of};

/// More than any key takes.
const TOO_MUCH: u64 = 64 * 1024;

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read or written; the cause names it.
    #[error(transparent)]
    File(#[from] io::Error),
    /// It is not a private key, or of a kind that is not supported.
    #[error("`{}` is not a private key that can be used: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The cause.
        why: String,
    },
    /// Others may read or change it, or somebody else can, whose it is.
    #[error("the private key `{}` {why}", path.display())]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// The command that mends it, where this user can.
        mend: Option<&'static str>,
    },
    /// Its passphrase is needed.
    #[error("the private key `{}` has a passphrase", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// Another passphrase is needed.
    #[error("that is not the passphrase of the private key `{}`", path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// It has a passphrase, in a way that is not supported.
    #[error(
        "the private key `{}` is encrypted in a way that is not supported: {why}; `ssh-keygen -p -f {}` with its passphrase writes it anew",
        path.display(), quote(&path.display().to_string())
    )]
    Cipher {
        /// The file.
        path: PathBuf,
        /// The cause.
        why: String,
    },
}

/// A key pair on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// The file with the private key.
    pub private: PathBuf,
    /// The public key as OpenSSH writes it, one line without its end.
    pub public: String,
}

/// The key pair at `path`, made if there is none: ed25519, mode 0600, in a folder of mode 0700.
///
/// Never overwrites. When several processes come at once, one key is made and all get that one.
///
/// # Errors
/// When the file cannot be read or written, or holds something else than a private key.
pub fn ensure_key_pair(path: &Path) -> Result<KeyPair, KeyError> {
    if !path.exists() {
        create(path)?;
    }
    // Derived from the private key, not read: a `.pub` file may be missing or of another key.
    let public = public_line(&public_half(path)?)?;
    let public_path = with_pub(path);
    let written = files::read_text(&public_path, TOO_MUCH).ok();
    if written.as_ref().map(|text| text.trim_end()) != Some(&public) {
        let mut file = tempfile::NamedTempFile::new_in(folder_of(path))?;
        writeln!(file, "{public}")?;
        file.persist(public_path).map_err(|error| error.error)?;
    }
    Ok(KeyPair { private: path.to_owned(), public })
}

/// The public half of the private key at `path`, one OpenSSH line: read from `path.pub`, or
/// derived from the private key, which may have a passphrase if it is in OpenSSH's format.
///
/// # Errors
/// When neither file can be read or understood.
pub fn public_key_of(path: &Path) -> Result<String, KeyError> {
    match public_file(&with_pub(path)) {
        Err(KeyError::File(_)) => public_line(&public_half(path)?),
        read => public_line(&read?),
    }
}

/// Whether the file of a private key can be read, and by nobody else; what is in it is not looked at.
///
/// # Errors
/// When it cannot, or by others too.
pub fn check_key_file(path: &Path) -> Result<(), KeyError> {
    read(path)?;
    check_owner(path)
}

/// Whether nobody else may read a private key.
fn check_owner(path: &Path) -> Result<(), KeyError> {
    let facts = fs_err::metadata(path)?;
    if !facts.is_file() {
        // The null device stands for a file that is empty, and its mode is nobody's to change.
        let why = "there is nothing in it".to_owned();
        return Err(KeyError::Malformed { path: path.to_owned(), why });
    }
    match exposure(facts.mode() & 0o7777, facts.uid(), rustix::process::geteuid().as_raw()) {
        Some((why, mend)) => Err(KeyError::Unsafe { path: path.to_owned(), why, mend }),
        None => Ok(()),
    }
}

/// Why a private key with this mode and owner is not for `user` alone, and the command that mends it.
///
/// Of somebody else's file `user` could read nothing without a right of the group, or without being root, so
/// these are granted: this is how orchestrators of containers hand keys out, and what `sudo` finds.
fn exposure(mode: u32, owner: u32, user: u32) -> Option<(String, Option<&'static str>)> {
    let (of_others, mend) = if owner == user {
        (0o077, Some("chmod 600"))
    } else {
        // Nobody but its owner and root may change it.
        (0o037, (user == 0).then_some("chmod g=r,o="))
    };
    (mode & of_others != 0)
        .then(|| (format!("may be used by others (its mode is {mode:04o})"), mend))
}

/// Reads a public key.
pub(crate) fn public_file(path: &Path) -> Result<PublicKey, KeyError> {
    let text = files::read_text(path, TOO_MUCH)?;
    PublicKey::from_openssh(text.trim())
        .map_err(|error| KeyError::Malformed { path: path.to_owned(), why: error.to_string() })
}

/// Reads a private key that has no passphrase.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKey, KeyError> {
    let text = read(path)?;
    let key = decode_secret_key(&text, None).map_err(|error| {
        let path = path.to_owned();
        // The older formats fail in various ways when a passphrase is missing.
        let is_locked = matches!(error, russh::keys::Error::KeyIsEncrypted);
        if is_locked || text.contains("ENCRYPTED") {
            KeyError::Encrypted { path }
        } else {
            KeyError::Malformed { path, why: error.to_string() }
        }
    });
    // What is no private key may be read by everybody.
    if !matches!(key, Err(KeyError::Malformed { .. })) {
        check_owner(path)?;
    }
    key
}

/// Reads a private key that has a passphrase.
pub(crate) fn unlocked(path: &Path, passphrase: &str) -> Result<PrivateKey, KeyError> {
    check_form(path)?;
    check_owner(path)?;
    let text = read(path)?;
    decode_secret_key(&text, Some(passphrase)).map_err(|error| {
        let (path, why) = (path.to_owned(), error.to_string());
        // What stands around the key is read before it is decrypted, and what is wrong there is so
        // for every passphrase; else it is what came of decrypting it that makes no sense.
        let other = Zeroizing::new(format!("{passphrase}."));
        let is_der = |error: &_| matches!(error, russh::keys::Error::Der(_));
        let is_around = is_der(&error)
            && decode_secret_key(&text, Some(&other)).is_err_and(|error| is_der(&error));
        if is_around || why.contains("unsupported") {
            KeyError::Cipher { path, why }
        } else {
            KeyError::WrongPassphrase { path }
        }
    })
}

/// Whether a private key is encrypted in a form that can be read, as far as that is seen without
/// its passphrase.
///
/// OpenSSL's own form names the cipher in a header. The library decrypts only RSA keys and only
/// AES-128 in it, which is what `ssh-keygen -m PEM` writes.
pub(crate) fn check_form(path: &Path) -> Result<(), KeyError> {
    let text = read(path)?;
    let unsupported = |why: String| Err(KeyError::Cipher { path: path.to_owned(), why });
    if let Ok(key) = PrivateKey::from_openssh(text.as_bytes())
        && key.cipher() == Cipher::TdesCbc
    {
        return unsupported("by 3DES".to_owned());
    }
    let Some(cipher) = text.lines().find_map(|line| line.strip_prefix("DEK-Info: ")) else {
        return Ok(());
    };
    let cipher = cipher.split(',').next().unwrap_or_default();
    let is_rsa = text.contains("-----BEGIN RSA PRIVATE KEY-----");
    if cipher == "AES-128-CBC" && is_rsa {
        return Ok(());
    }
    unsupported(if is_rsa { format!("by {cipher}") } else { "a PEM key other than RSA".to_owned() })
}

/// The public half of a private key, with or without passphrase, from either of its files.
pub(crate) fn public_half(path: &Path) -> Result<PublicKey, KeyError> {
    let text = read(path)?;
    // OpenSSH's format keeps the public half in the clear.
    if let Ok(key) = PrivateKey::from_openssh(text.as_bytes()) {
        let mut public = key.public_key().clone();
        public.set_comment(key.comment().clone());
        return Ok(public);
    }
    match private_key(path) {
        Ok(key) => Ok(key.public_key().clone()),
        Err(error) => public_file(&with_pub(path)).map_err(|_| error),
    }
}

fn create(path: &Path) -> Result<(), KeyError> {
    let mut private =
        PrivateKey::random(&mut key::safe_rng(), Algorithm::Ed25519).map_err(io::Error::other)?;
    private.set_comment("stagecraft");
    let text = private.to_openssh(LineEnding::LF).map_err(io::Error::other)?;
    make_folder_of(path)?;
    // A temporary file has mode 0600 from the start. Its name says nothing to anybody.
    let failed = |error: io::Error| {
        let kind = error.kind();
        let why = if error.raw_os_error().is_some() { error } else { kind.into() };
        io::Error::new(kind, format!("could not write `{}`: {why}", path.display()))
    };
    let mut file = tempfile::NamedTempFile::new_in(folder_of(path)).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error.into()),
    }
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    Ok(files::read_text(path, TOO_MUCH)?)
}

pub(crate) fn public_line(key: &PublicKey) -> Result<String, KeyError> {
    let text = key.to_openssh().map_err(io::Error::other)?;
    Ok(text.trim_end().to_owned())
}

fn with_pub(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".pub");
    PathBuf::from(name)
}

#[cfg(test)]
pub(crate) mod tests;

//! Requests to HTTP APIs, and everything that can go wrong with them, once for all providers.
//!
//! ```text
//! exchange (pure) -> Request -> Api::ask -> Answer -> wire types -> exchange (pure)
//!                                  |
//!                                  +--> Dialect::refusal (pure) -> CloudError
//! ```
//!
//! A [`Signer`] shows whose a request is: by a bearer token, or by a signature over the whole request.
//!
//! Each call is one request: nothing here waits, retries, or follows redirects. Certificates are
//! always verified. Whatever an API says in an error is freed of secrets and of control
//! characters before it goes on.

mod answer;
mod api;
mod base_url;
mod paging;
mod refusal;
mod request;
#[cfg(any(fuzzing, test))]
mod scripted;
mod signer;
mod sigv4;
mod time;
mod token;

pub use api::Api;
pub use base_url::{BaseUrl, InvalidBaseUrl};
pub use token::{InvalidToken, Token};

pub(crate) use answer::Answer;
pub(crate) use api::Failed;
pub(crate) use paging::{Reader, Volume};
pub(crate) use refusal::{Dialect, Refusal, words};
pub(crate) use request::Request;
#[cfg(any(fuzzing, test))]
pub(crate) use scripted::Scripted;
pub(crate) use signer::{Proof, Sending, Signer};
pub(crate) use sigv4::{Keys, sign};
pub(crate) use time::since_1970;

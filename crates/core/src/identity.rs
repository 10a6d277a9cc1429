//! Who a host is, known before the first byte is sent to it.
//!
//! A host is ordered with a host key that was made for its first boot. The key's public half is
//! written on the instance in the request that creates it, so whoever can list instances knows what
//! the host must present. On the first connection the host makes a key of its own, which nobody else
//! ever held; from then on only that one counts.
//!
//! ```text
//!  pins on the instance     the host presents     what is done                         (see `next`)
//!  first                    first                 host makes its own; both are pinned; host switches
//!  first, own               first                 killed before the switch: the same again
//!  first, own               own                   the switch is confirmed; `first` is taken off
//!  own                      own                   nothing: verified
//!  any                      anything else         refused before anything is sent
//! ```
//!
//! Both keys are pinned before the host switches, and `first` is taken off after the switch was
//! confirmed over a connection of its own: at no point does the host present a key that is not
//! pinned, wherever a run is killed. The switch is a [guarded change](crate::guard).

mod exchange;
mod host_key;
mod one_time;
mod pins;

pub use exchange::{MAKE, Next, STEP, SWITCH, made, make, next, switch};
pub use host_key::{HostKey, NotAHostKey};
pub use one_time::{KeyMint, MintError, OneTimeKey, UserData};
pub use pins::{Pins, Standing};

//! The emulators, over real sockets.

mod hetzner;

//! What stands behind the emulators of testkit when real hosts are asked for.

mod lab;

pub use lab::{Lab, Settings, settings};

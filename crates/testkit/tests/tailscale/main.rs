//! The stand-in for Tailscale does what is recorded of the real client, and the steps of the network
//! `tailscale` do with it what they promise: both run here, in folders of their own, without root, with
//! programs in the place of systemd and apt that only do what is needed. Skipped, visibly, without perl.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod client;
mod host;
mod install;
mod join;
mod sentences;

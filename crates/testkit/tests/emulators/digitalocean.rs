//! The DigitalOcean front end over real sockets.

mod actions;
mod catalogue;
mod droplets;
mod keys;
mod limits;
mod orders;
mod stage;
mod tags;

pub(crate) use stage::{Stage, order, order_with};

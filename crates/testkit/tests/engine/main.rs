//! What the product lives by: killed at any instant, with answers lost, or run twice at once, it
//! ends with exactly one instance of every host; and the proof that these tests would notice.

mod crash;
mod lost;
mod race;
mod scale;
mod stage;
mod wrong;

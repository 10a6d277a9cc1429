//! What the product lives by: killed at any instant, with answers lost, or run twice at once, it
//! ends with exactly one instance of every host; and the proof that these tests would notice.

mod budget;
mod clock;
mod command;
mod crash;
mod dialect;
mod failure;
mod farewell;
mod gone;
mod identity;
mod inspect;
mod interrupt;
mod kill;
mod limited;
mod limits;
mod lost;
mod mesh;
mod moved;
mod names;
mod outcome;
mod pair;
mod race;
mod retries;
mod scale;
mod scene;
mod stage;
mod stale;
mod surplus;
mod tape;
mod tidy;
mod tie;
mod twice;
mod untagged;
mod users;
mod wrong;

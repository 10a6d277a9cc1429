//! The same promises with the real adapters, which speak HTTP with emulators over sockets.
//!
//! Time is real here, only faster: a paused clock would jump while a packet is under way.

mod account;
mod budget;
mod crash;
mod limits;
mod lost;
mod race;
mod words;

#[path = "../engine/clock.rs"]
mod clock;
#[path = "../engine/dialect.rs"]
mod dialect;
#[path = "../engine/kill.rs"]
mod kill;
#[path = "../engine/outcome.rs"]
mod outcome;
#[path = "../engine/pair.rs"]
mod pair;
#[path = "../engine/scene.rs"]
#[expect(dead_code, reason = "scenes with doubles are for tests without HTTP")]
mod scene;
#[path = "../engine/stage.rs"]
#[expect(dead_code, reason = "what only tests without HTTP do")]
mod stage;
#[path = "../engine/tape.rs"]
#[expect(dead_code, reason = "what only tests without HTTP look at")]
mod tape;
#[path = "../engine/wrong.rs"]
#[expect(dead_code, reason = "flaws of doubles are for tests without HTTP")]
mod wrong;

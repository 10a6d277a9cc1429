//! From one `stagecraft.yml` to running, verified, Docker-ready hosts.
//!
//! ```text
//! command_line -> args -> commands/<verb> -> project (the file) -> run (engine, progress, signals) -> ui, documents
//!                            wire: every adapter, and the environment
//! ```
//!
//! This crate is the only one that prints, reads the environment, and ends the process.

mod app;
mod args;
mod command_line;
mod commands;
mod documents;
mod harmless;
mod next;
mod project;
mod run;
mod stop;
mod ui;
mod wire;

use std::process::ExitCode;

fn main() -> ExitCode {
    wire::without_core_dumps();
    wire::with_many_files();
    command_line::run(std::env::args_os().collect(), wire::Environment::of_process()).into()
}

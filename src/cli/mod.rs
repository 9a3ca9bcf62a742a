//! The command line: the only place that touches files, the clock, the environment and the terminal.

mod apply;
mod args;
mod check;
mod commands;
mod config;
mod diff;
mod fix;
mod format;
mod extract;
mod explain;
mod hits;
mod inventory;
mod levels;
mod link;
mod load;
mod logs;
mod messages;
mod output;
mod plan;
mod progress;
mod proved;
mod refactor;
mod reach;
mod report;
mod revision;
mod rewrite;
mod rule;
mod scaffold;
mod shell;
mod simulate;
mod splice;
mod stdin;
mod targets;
mod terminal;
mod test;
mod test_files;
mod verify;
mod watch;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use self::args::Arguments;

/// How a command ended. The numbers are part of the interface: scripts and CI depend on them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    /// All is well.
    Fine,
    /// There were findings; what they are was said.
    Findings,
}

/// Why a command could not do its work: wrong usage, or input that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

/// Runs cordon with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // The reader of the message may be gone; the exit code still stands.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    terminal::set_up(arguments.terminal);
    let outcome = commands::run(&arguments);
    terminal::clear_progress();
    match outcome {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Err(Failure(message)) => {
            let _ = writeln!(std::io::stderr(), "cordon: {message}");
            ExitCode::from(2)
        }
    }
}

//! What cordon may do to a terminal: colour, width, and saying what it is at. The only place that decides it.
//!
//! There is one terminal for the process, so what was decided for it is kept here once, rather than handed through everything.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};
use terminal_size::terminal_size_of;

use super::Failure;
use super::progress::Progress;

/// The width of messages where nothing says how wide they may be, in columns.
const WIDTH: usize = 100;

/// The least width, in columns: with less, each line would hold a word or two.
const MIN_WIDTH: usize = 40;

/// The greatest width, in columns.
const MAX_WIDTH: usize = 1_000;

#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Global options")]
pub(super) struct TerminalOptions {
    /// When messages are in colour
    #[arg(long, global = true, value_enum, default_value_t = When::Auto, value_name = "WHEN")]
    color: When,
    /// Say neither how far the work is nor how it ended in sum; findings are said all the same
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum When {
    /// On a terminal that has colours, unless the environment says otherwise
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What was decided for this process.
#[derive(Clone, Copy, Debug)]
struct Terminal {
    colour: bool,
    width: usize,
    quiet: bool,
    shows_progress: bool,
}

static TERMINAL: OnceLock<Terminal> = OnceLock::new();

/// What is shown of the work, if something is.
static PROGRESS: Mutex<Option<Progress>> = Mutex::new(None);

/// Decides once, before anything is said.
pub(super) fn set_up(options: TerminalOptions) {
    let is_terminal = io::stderr().is_terminal();
    let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    let decided = Terminal {
        colour: colour(options.color),
        width: width(),
        quiet: options.quiet,
        shows_progress: is_terminal && !is_dumb && !options.quiet && !is_set("CI"),
    };
    // INVARIANT: this is the only call in the process, so nothing was decided before.
    let _ = TERMINAL.set(decided);
}

/// True if messages on standard error are in colour.
pub(super) fn in_colour() -> bool {
    TERMINAL.get().is_some_and(|terminal| terminal.colour)
}

/// The width of messages, in columns.
pub(super) fn columns() -> usize {
    TERMINAL.get().map_or(WIDTH, |terminal| terminal.width)
}

/// True if only findings and answers are wanted.
pub(super) fn is_quiet() -> bool {
    TERMINAL.get().is_some_and(|terminal| terminal.quiet)
}

/// Says what is being done, on a terminal and only if the work lasts.
pub(super) fn stage(text: &str) {
    if TERMINAL.get().is_some_and(|terminal| terminal.shows_progress) {
        progress().get_or_insert_with(Progress::start).say(text);
    }
}

/// Takes away what says how far the work is, so that text can be written there.
pub(super) fn clear_progress() {
    drop(progress().take());
}

fn progress() -> MutexGuard<'static, Option<Progress>> {
    PROGRESS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes text; a reader that is gone is no failure.
pub(super) fn print(mut to: impl Write, text: &str) -> Result<(), Failure> {
    clear_progress();
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| Failure(format!("cannot write: {error}"))),
    }
}

/// What was asked for, then `NO_COLOR` (<https://no-color.org>), `FORCE_COLOR` (<https://force-color.org>), and what clap
/// looks at too: `CLICOLOR_FORCE`, `CLICOLOR` (<https://bixense.com/clicolors/>) and `TERM`.
fn colour(asked: When) -> bool {
    match asked {
        When::Always => true,
        When::Never => false,
        When::Auto if is_set("NO_COLOR") => false,
        When::Auto if is_set("FORCE_COLOR") => true,
        When::Auto => AutoStream::choice(&io::stderr()) != ColorChoice::Never,
    }
}

/// `COLUMNS`, then the width of the terminal, then what fits on most.
fn width() -> usize {
    let said =
        env::var("COLUMNS").ok().and_then(|text| text.parse::<usize>().ok()).filter(|width| *width > 0);
    let measured =
        || terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0);
    said.or_else(measured).map_or(WIDTH, |width| width.clamp(MIN_WIDTH, MAX_WIDTH))
}

/// True if a variable has a value that is not empty.
fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

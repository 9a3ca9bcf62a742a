//! The command `check`: everything that is wrong with a policy, once or whenever it changes.

use clap::Args;

use super::args::{Common, Options};
use super::fix::check;
use super::{Failure, Outcome, stdin, watch};

const HELP: &str = "\
Examples:
  cordon check examples/general-hospital
  cordon check . --format sarif > cordon.sarif
  cordon check . --watch
  cordon check . --deny C06 --allow C0305    warnings of data and privilege stop, unused services are left out
  cordon check . --diff                      what --fix would change
  cordon check . --fix                       correct what can be corrected in one way only
  git show main:policy.cordon | cordon check - --stdin-filename policy.cordon

docs/formats.md shows each format, and how CI takes it.

Exit codes:
  0  all is well
  1  there are findings, or --diff shows a change
  2  wrong usage, or input that cannot be read or written";

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Checking {
    #[command(flatten)]
    common: Common,
    /// Check again whenever a file of the policy changes, until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// Correct what can be corrected without changing what the policy means, or in one way only
    #[arg(long, conflicts_with = "watch")]
    fix: bool,
    /// Show what `--fix` would change, and write nothing
    #[arg(long, conflicts_with = "watch")]
    diff: bool,
}

/// Runs the command.
pub(super) fn run(arguments: &Checking) -> Result<Outcome, Failure> {
    let Checking { common, watch, fix, diff } = arguments;
    let Common { path, options } = common;
    if *fix || *diff {
        stdin::refuse(path, "corrected")?;
    }
    if !watch {
        return check(common, *fix, *diff);
    }
    require_watchable(options)?;
    stdin::refuse(path, "watched")?;
    watch::again_and_again(path, || check(common, false, false))
}

/// Refuses documents: one after the other is none.
fn require_watchable(options: &Options) -> Result<(), Failure> {
    if options.format.is_text() {
        return Ok(());
    }
    Err(Failure("`--watch` shows text: use `--format human` or `concise` with it".to_owned()))
}

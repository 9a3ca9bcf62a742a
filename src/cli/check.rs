//! The command `check`: everything that is wrong with a policy, once or whenever it changes.

use clap::Args;

use super::args::{Common, Options};
use super::commands::{count, read_and_check};
use super::{Failure, Outcome, stdin, watch};

const HELP: &str = "\
Examples:
  cordon check examples/general-hospital
  cordon check . --format sarif > cordon.sarif
  cordon check . --watch
  git show main:policy.cordon | cordon check - --stdin-filename policy.cordon

docs/formats.md shows each format, and how CI takes it.";

#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(super) struct Checking {
    #[command(flatten)]
    common: Common,
    /// Check again whenever a file of the policy changes, until Ctrl-C
    #[arg(long)]
    watch: bool,
}

/// Runs the command.
pub(super) fn run(arguments: &Checking) -> Result<Outcome, Failure> {
    let Common { path, options } = &arguments.common;
    if !arguments.watch {
        return check(&arguments.common);
    }
    require_watchable(options)?;
    if stdin::is_meant(path) {
        return Err(Failure("standard input cannot be watched: name the file or directory".to_owned()));
    }
    watch::again_and_again(path, || check(&arguments.common))
}

fn check(common: &Common) -> Result<Outcome, Failure> {
    let options = &common.options;
    let mut checked = read_and_check(&common.path, options)?;
    checked.compile();
    checked.report(options, "check", &())?;
    let (policy, files) = (&checked.policy, checked.files);
    let (zones, rules) = (count(policy.zones.len(), "zone"), count(policy.rules.len(), "rule"));
    checked.summarise(options, &format!("checked {zones} and {rules} in {}", count(files, "file")))?;
    Ok(checked.outcome(options))
}

/// Refuses documents: one after the other is none.
fn require_watchable(options: &Options) -> Result<(), Failure> {
    if options.format.is_text() {
        return Ok(());
    }
    Err(Failure("`--watch` shows text: use `--format human` or `concise` with it".to_owned()))
}

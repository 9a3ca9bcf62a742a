//! The command `logs`: what firewalls logged, in the words of the policy.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::args::{TableFormat, TableOptions};
use super::commands::read_and_check;
use super::hits::{compiled, known};
use super::load::printable;
use super::stdin;
use super::terminal::{print, stage};
use super::{Failure, Outcome};
use crate::observe::log::{Judge, Tally, comma_separated, human};

/// What stands below the help.
pub(super) const HELP: &str = "\
Examples:
  journalctl -k -o short | cordon logs .
  cordon logs . --from /var/log/firewalls.log --format csv > denied.csv
  cordon logs . --from core.log border.log --exit-code

Read are lines that nftables and iptables log with the prefixes of cordon (syslog, journal, dmesg,
ulogd), filterlog of pfSense, and the messages of access lists of Cisco IOS. The host in a line says
which enforcement point it is of, if that has the same name; --device says it for all lines.

Exit codes:
  0  read; with --exit-code, devices did what the policy says
  1  the policy has findings; with --exit-code, a device did something else
  2  wrong usage, or a file that cannot be read";

/// The longest line that is read, in bytes. Lines of logs are some hundred long.
const MAX_LINE_BYTES: u64 = 64 << 10;

#[derive(Args, Debug)]
pub(super) struct LogsArguments {
    /// A policy: a directory of `.cordon` files, or one such file
    #[arg(default_value = ".", value_name = "PATH")]
    path: PathBuf,
    /// Logs; `-` reads standard input
    #[arg(long, num_args = 1.., default_value = "-", value_name = "FILE")]
    from: Vec<PathBuf>,
    /// The enforcement point that all lines are of
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// How many groups of each kind are shown to people
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    top: usize,
    /// Exit with 1 if a device did something else than the policy says
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    table: TableOptions,
}

/// Runs the command.
pub(super) fn run(arguments: &LogsArguments) -> Result<Outcome, Failure> {
    let options = arguments.table.for_policy();
    let from_stdin = arguments.from.iter().filter(|path| stdin::is_meant(path)).count();
    if from_stdin > 1 || from_stdin == 1 && stdin::is_meant(&arguments.path) {
        return Err(Failure(
            "standard input holds the policy or one log, not both: name the other with a path".to_owned(),
        ));
    }
    let mut checked = read_and_check(&arguments.path, &options)?;
    let files = checked.compile();
    if checked.diagnostics.has_errors() {
        checked.report(&options, "logs", &())?;
        return Ok(Outcome::Findings);
    }
    if let Some(name) = &arguments.device {
        known(&checked.policy, name)?;
    }
    let compiled = compiled(&checked.policy, &files);
    let judge = Judge::new(&checked.policy, &compiled);
    let mut tally = Tally::new(&judge, arguments.device.clone());
    stage("reading logs");
    for path in &arguments.from {
        read_log(path, &mut tally)?;
    }
    let report = tally.into_report();
    match arguments.table.format {
        TableFormat::Human => print(io::stdout(), &human(&report, arguments.top))?,
        TableFormat::Json => checked.report(&options, "logs", &report)?,
        TableFormat::Csv => {
            let table =
                comma_separated(&report).map_err(|error| Failure(format!("cannot write: {error}")))?;
            print(io::stdout(), &table)?;
        }
    }
    let found = arguments.exit_code && report.differences().next().is_some();
    Ok(if found { Outcome::Findings } else { Outcome::Fine })
}

fn read_log(path: &Path, tally: &mut Tally) -> Result<(), Failure> {
    if stdin::is_meant(path) {
        return read_lines(io::stdin().lock(), stdin::NAME, tally);
    }
    let name = printable(&path.to_string_lossy());
    let failed = |problem: io::Error| Failure(format!("cannot read `{name}`: {problem}"));
    let file = File::open(path).map_err(failed)?;
    read_lines(BufReader::with_capacity(1 << 16, file), &name, tally)
}

/// Reads line by line, so that a log of any size fits. What is no UTF-8 is replaced; a line that is too long is none.
fn read_lines(mut from: impl BufRead, name: &str, tally: &mut Tally) -> Result<(), Failure> {
    let failed = |problem: io::Error| Failure(format!("cannot read `{name}`: {problem}"));
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = from.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(failed)?;
        if read == 0 {
            break;
        }
        if read as u64 == MAX_LINE_BYTES && line.last() != Some(&b'\n') {
            from.skip_until(b'\n').map_err(failed)?;
            tally.unreadable_line(name, number);
            continue;
        }
        tally.line(&String::from_utf8_lossy(&line), name, number);
    }
    Ok(())
}

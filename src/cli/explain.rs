//! `cordon explain`: why one packet gets its verdict, and what each enforcement point does with it.

use std::io;
use std::path::Path;

use super::args::Options;
use super::commands::{POSTURES, read_and_check};
use super::load::printable;
use super::messages::require_place_for_answer;
use super::terminal::print;
use super::{Failure, Outcome};
use crate::query::{Configs, Explanation, Fields, explain, parse_packet};
use crate::set::protocol_number;

/// What stands below the options of the command.
pub(super) const HELP: &str = "\
Examples:
  cordon explain examples/general-hospital tcp 10.40.40.10 10.40.65.10 104
  cordon explain icmp 10.40.40.10 10.40.65.10 --posture isolate-imaging

Exit codes:
  0  explained, and every config that was read back does what the policy says
  1  one does not, or cannot be read; or the policy has errors
  2  wrong usage, or input that cannot be read";

/// Explains one packet.
pub(super) fn run(words: &[String], sport: &str, options: &Options) -> Result<Outcome, Failure> {
    let usage = || Failure("usage: cordon explain [PATH] PROTO SRC DST [DPORT]".to_owned());
    let is_protocol = |word: &str| protocol_number(word).is_some() || word.parse::<u8>().is_ok();
    let (path, packet) = match words {
        [first, ..] if is_protocol(first) => (Path::new("."), words),
        [path, packet @ ..] => (Path::new(path), packet),
        [] => return Err(usage()),
    };
    let (proto, src, dst, dport) = match packet {
        [proto, src, dst] => (proto, src, dst, ""),
        [proto, src, dst, dport] => (proto, src, dst, dport.as_str()),
        _ => return Err(usage()),
    };
    require_place_for_answer(options, "explain")?;
    let packet = parse_packet(Fields { proto, src, dst, sport, dport });
    let packet = packet.map_err(|problem| Failure(problem.to_string()))?;
    let mut checked = read_and_check(path, options)?;
    if checked.diagnostics.has_errors() {
        checked.report(options, "explain", &())?;
        return Ok(Outcome::Findings);
    }
    let files = checked.compile();
    if checked.diagnostics.has_errors() {
        checked.report(options, "explain", &())?;
        return Ok(Outcome::Findings);
    }
    // What a build writes under one posture lies in a folder of its own; it writes nothing for several at once.
    let folder = match &options.postures[..] {
        [name] => Some(format!("{POSTURES}/{name}")),
        _ => None,
    };
    let configs = Configs::new(&checked.policy, &files, folder);
    let explanation = explain(&checked.policy, &checked.sources, &packet, &configs);
    match options.format.is_text() {
        true => print(io::stdout(), &shown(&explanation))?,
        false => checked.report(options, "explain", &explanation)?,
    }
    Ok(if explanation.agrees() { Outcome::Fine } else { Outcome::Findings })
}

/// It quotes configs, in which a template of the user may have put what acts on a terminal.
fn shown(explanation: &Explanation) -> String {
    explanation.to_string().lines().map(|line| printable(line) + "\n").collect()
}

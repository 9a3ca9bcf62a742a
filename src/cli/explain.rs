//! `cordon explain`: why one packet gets its verdict, and what each enforcement point does with it; or what one statement
//! does, and where it went.

use std::fmt::Display;
use std::io;
use std::path::Path;

use jiff::civil::Date;
use serde::Serialize;

use super::args::Options;
use super::commands::{Checked, POSTURES, read_and_check};
use super::load::printable;
use super::messages::require_place_for_answer;
use super::terminal::print;
use super::{Failure, Outcome, stdin};
use crate::diag::suggestion;
use crate::emit::OutputFile;
use crate::ir::Policy;
use crate::query::{
    Configs, Fields, RuleExplanation, explain, explain_ended, explain_rule, explainable, parse_packet,
};
use crate::set::protocol_number;

/// What stands below the options of the command.
pub(super) const HELP: &str = "\
Examples:
  cordon explain examples/general-hospital tcp 10.40.40.10 10.40.65.10 104
  cordon explain icmp 10.40.40.10 10.40.65.10 --posture isolate-imaging
  cordon explain images examples/general-hospital

Exit codes:
  0  explained, and every config that was read back does what the policy says
  1  one does not, or cannot be read; or the policy has errors
  2  wrong usage, or input that cannot be read";

/// Explains a packet, or a statement: a packet takes three words at least, a statement and its policy two at most.
pub(super) fn run(words: &[String], sport: &str, options: &Options) -> Result<Outcome, Failure> {
    match words {
        [first, ..] if words.len() <= 2 && is_protocol(first) => Err(usage()),
        [_] | [_, _] if !sport.is_empty() => {
            Err(Failure("`--sport` is of packets, not of statements".into()))
        }
        [id] => explain_statement(id, Path::new("."), options),
        [id, path] => explain_statement(id, Path::new(path), options),
        words => explain_packet(words, sport, options),
    }
}

fn usage() -> Failure {
    Failure("usage: cordon explain [PATH] PROTO SRC DST [DPORT], or cordon explain RULE [PATH]".to_owned())
}

fn is_protocol(word: &str) -> bool {
    protocol_number(word).is_some() || word.parse::<u8>().is_ok()
}

fn explain_packet(words: &[String], sport: &str, options: &Options) -> Result<Outcome, Failure> {
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
    let Some((checked, files)) = compiled(path, options)? else { return Ok(Outcome::Findings) };
    let configs = Configs::new(&checked.policy, &files, folder(options));
    let explanation = explain(&checked.policy, &checked.sources, &packet, &configs);
    say(&checked, options, &explanation)?;
    Ok(if explanation.agrees() { Outcome::Fine } else { Outcome::Findings })
}

fn explain_statement(id: &str, path: &Path, options: &Options) -> Result<Outcome, Failure> {
    require_place_for_answer(options, "explain")?;
    if Path::new(id).exists() && !stdin::is_meant(path) && !path.exists() {
        let (id, path) = (printable(id), printable(&path.to_string_lossy()));
        return Err(Failure(format!(
            "there is no `{path}`; the statement comes first: cordon explain {path} {id}"
        )));
    }
    let Some((checked, files)) = compiled(path, options)? else { return Ok(Outcome::Findings) };
    let configs = Configs::new(&checked.policy, &files, folder(options));
    let explanation = match explain_rule(&checked.policy, &checked.sources, id, &configs) {
        Some(explanation) => explanation,
        None => match ended(id, path, options, checked.policy.as_of)? {
            Some(explanation) => explanation,
            None => return Err(unknown(id, &checked.policy)),
        },
    };
    say(&checked, options, &explanation)?;
    Ok(if explanation.agrees() { Outcome::Fine } else { Outcome::Findings })
}

/// The policy with what it compiles to; none if it has errors, which are reported then.
fn compiled(path: &Path, options: &Options) -> Result<Option<(Checked, Vec<OutputFile>)>, Failure> {
    let mut checked = read_and_check(path, options)?;
    let files = checked.compile();
    if checked.diagnostics.has_errors() {
        checked.report(options, "explain", &())?;
        return Ok(None);
    }
    Ok(Some((checked, files)))
}

/// A statement that ended is no part of the policy any more, so it is looked for as of a day before any end.
fn ended(id: &str, path: &Path, options: &Options, as_of: Date) -> Result<Option<RuleExplanation>, Failure> {
    if stdin::is_meant(path) {
        // It was read already, and can be read only once.
        return Ok(None);
    }
    let before = Options::of(options.format, Some(Date::MIN), Vec::new());
    let checked = read_and_check(path, &before)?;
    Ok(explain_ended(&checked.policy, &checked.sources, id, as_of))
}

fn unknown(id: &str, policy: &Policy) -> Failure {
    let shown = printable(id);
    if policy.assertions.iter().any(|one| one.id == id) {
        return Failure(format!(
            "`{shown}` is an assertion, which filters nothing: `cordon test` says whether it holds"
        ));
    }
    let help = suggestion(id, explainable(policy));
    let help =
        help.unwrap_or_else(|| "`cordon who-can-reach` and `cordon what-can` name those of a host".into());
    Failure(format!("the policy has no allow, forbid or manage statement `{shown}`: {help}"))
}

/// What a build writes under one posture lies in a folder of its own; it writes nothing for several at once.
fn folder(options: &Options) -> Option<String> {
    match &options.postures[..] {
        [name] => Some(format!("{POSTURES}/{name}")),
        _ => None,
    }
}

/// Says what was found out. It quotes configs, in which a template of the user may have put what acts on a terminal.
fn say<T: Serialize + Display>(checked: &Checked, options: &Options, explanation: &T) -> Result<(), Failure> {
    if !options.format.is_text() {
        return checked.report(options, "explain", explanation);
    }
    let text: String = explanation.to_string().lines().map(|line| printable(line) + "\n").collect();
    print(io::stdout(), &text)
}

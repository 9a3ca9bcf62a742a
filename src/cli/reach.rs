//! `cordon who-can-reach` and `cordon what-can`: who may open connections to whom, as a table.

use std::fmt::Write;
use std::io;
use std::path::PathBuf;

use clap::Args;

use super::args::{TableFormat, TableOptions};
use super::commands::read_and_check;
use super::terminal::print;
use super::{Failure, Outcome};
use crate::diff::Party;
use crate::query::{Ask, Asked, Reach, ReachRow, reach};

const WHO_HELP: &str = "\
Examples:
  cordon who-can-reach pacs examples/general-hospital
  cordon who-can-reach 10.40.65.10 examples/general-hospital --via tcp/443
  cordon who-can-reach infusion_pumps . --format csv > pumps.csv";

const WHAT_HELP: &str = "\
Examples:
  cordon what-can ct reach examples/general-hospital
  cordon what-can vendor examples/general-hospital --via ssh";

#[derive(Args, Debug)]
#[command(after_help = WHO_HELP)]
pub(super) struct WhoCanReach {
    /// A zone, class, peer or group of the policy, an address, or a prefix
    #[arg(value_name = "WHOM")]
    name: String,
    /// A policy: a directory of `.cordon` files, or one such file
    #[arg(default_value = ".", value_name = "PATH")]
    path: PathBuf,
    #[command(flatten)]
    options: ReachOptions,
}

#[derive(Args, Debug)]
#[command(after_help = WHAT_HELP, override_usage = "cordon what-can [OPTIONS] WHO [reach] [PATH]")]
pub(super) struct WhatCan {
    /// A zone, class, peer or group of the policy, an address, or a prefix
    #[arg(value_name = "WHO")]
    name: String,
    /// The word `reach`, which may be left out, and the policy [default: .]
    #[arg(num_args = 0..=2, value_name = "[reach] PATH")]
    rest: Vec<PathBuf>,
    #[command(flatten)]
    options: ReachOptions,
}

#[derive(Args, Debug)]
struct ReachOptions {
    /// Only over a service of the policy, or tcp/443, udp/5000-5010, icmp; given several times, over any of them
    #[arg(long, value_name = "SERVICE")]
    via: Vec<String>,
    #[command(flatten)]
    table: TableOptions,
}

/// Who may open connections to something.
pub(super) fn who_can_reach(arguments: &WhoCanReach) -> Result<Outcome, Failure> {
    run(Ask::WhoCanReach, "who-can-reach", &arguments.name, &arguments.path, &arguments.options)
}

/// To whom something may open connections.
pub(super) fn what_can(arguments: &WhatCan) -> Result<Outcome, Failure> {
    let path = match &arguments.rest[..] {
        [] => PathBuf::from("."),
        [word] if word.as_os_str() == "reach" => PathBuf::from("."),
        [path] => path.clone(),
        [word, path] if word.as_os_str() == "reach" => path.clone(),
        _ => return Err(Failure("usage: cordon what-can WHO [reach] [PATH]".to_owned())),
    };
    run(Ask::WhatItReaches, "what-can", &arguments.name, &path, &arguments.options)
}

fn run(
    ask: Ask,
    command: &str,
    name: &str,
    path: &std::path::Path,
    own: &ReachOptions,
) -> Result<Outcome, Failure> {
    let options = own.table.for_policy();
    let checked = read_and_check(path, &options)?;
    if checked.diagnostics.has_errors() {
        checked.report(&options, command, &())?;
        return Ok(Outcome::Findings);
    }
    let asked =
        Asked::new(&checked.policy, name, &own.via).map_err(|problem| Failure(problem.to_string()))?;
    let answer = reach(&checked.policy, &checked.sources, ask, &asked);
    match own.table.format {
        TableFormat::Human => print(io::stdout(), &table(ask, &answer))?,
        TableFormat::Json => checked.report(&options, command, &answer)?,
        TableFormat::Csv => print(io::stdout(), &comma_separated(&answer)?)?,
    }
    Ok(Outcome::Fine)
}

/// Parties in a line: whole zones by name, members with their zone.
fn parties(parties: &[Party]) -> String {
    parties.iter().map(Party::to_string).collect::<Vec<_>>().join("; ")
}

fn remarks(row: &ReachRow) -> String {
    let family = (row.family != "both").then(|| format!("{} only", row.family));
    let during = row.during.as_ref().map(|name| format!("during {name}"));
    let until = row.until.as_ref().map(|day| format!("until {day}"));
    let log = row.log.then(|| "logged".to_owned());
    let cut = (!row.cut_by.is_empty()).then(|| format!("less what {} forbids", row.cut_by.join(", ")));
    let crosses = match row.crosses.is_empty() {
        true => "crosses no enforcement point".to_owned(),
        false => format!("crosses {}", row.crosses.join(", ")),
    };
    [family, during, until, log, cut, Some(crosses)].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// For people: each row in two lines, those of one zone below each other.
fn table(ask: Ask, answer: &Reach) -> String {
    let about = &answer.about;
    let mut text = match (ask, answer.rows.is_empty()) {
        (Ask::WhoCanReach, true) => format!("no rule lets anybody open a connection to {about}\n"),
        (Ask::WhatItReaches, true) => format!("no rule lets {about} open a connection\n"),
        (Ask::WhoCanReach, false) => format!("who may open connections to {about}:\n"),
        (Ask::WhatItReaches, false) => format!("to whom {about} may open connections:\n"),
    };
    for row in &answer.rows {
        let (others, of) = (parties(&row.others), parties(&row.of));
        let of = if of.starts_with(&format!("{about} in ")) || of == *about { String::new() } else { of };
        let (here, there) = match ask {
            Ask::WhoCanReach => (others, of),
            Ask::WhatItReaches => (of, others),
        };
        let line = match (here.is_empty(), there.is_empty()) {
            (true, _) => format!("to {there}"),
            (false, true) => here,
            (false, false) => format!("{here} to {there}"),
        };
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            "\n  {line}\n    {}\n    {} ({})\n    {}\n",
            row.services,
            row.rule,
            row.place,
            remarks(row)
        );
    }
    let zones: Vec<String> = answer.zones.iter().map(|zone| format!("`{zone}`")).collect();
    let each = if zones.len() > 1 { "each of " } else { "" };
    let zones = zones.join(", ");
    text + &format!("\nwithin {each}{zones} all hosts reach each other: no firewall stands between them\n")
}

fn comma_separated(answer: &Reach) -> Result<String, Failure> {
    let failed = |problem: String| Failure(format!("cannot write: {problem}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = [
        "others", "of", "family", "services", "rule", "place", "during", "until", "log", "cut_by", "crosses",
    ];
    writer.write_record(header).map_err(|problem| failed(problem.to_string()))?;
    for row in &answer.rows {
        let record = [
            parties(&row.others),
            parties(&row.of),
            row.family.to_owned(),
            row.services.clone(),
            row.rule.clone(),
            row.place.clone(),
            row.during.clone().unwrap_or_default(),
            row.until.clone().unwrap_or_default(),
            if row.log { "yes" } else { "no" }.to_owned(),
            row.cut_by.join(" "),
            row.crosses.join(" "),
        ];
        writer.write_record(record).map_err(|problem| failed(problem.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|problem| failed(problem.to_string()))?;
    String::from_utf8(bytes).map_err(|problem| failed(problem.to_string()))
}

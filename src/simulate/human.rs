//! A report for people at a terminal.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::judge::Verdict;
use super::report::{Count, Report, Row};

/// How many rows that would not pass are shown.
const SHOWN: usize = 50;

/// How wide lists of names are, in columns.
const WIDTH: usize = 100;

/// Writes a report for people: the counts, what would not pass row by row, and what else passes rule by rule.
pub fn human(report: &Report) -> String {
    let mut text = counts(report);
    let stopped = |row: &&Row| !row.decided.passes();
    let rows: Vec<&Row> = report.rows.iter().filter(stopped).collect();
    // Writing into a string cannot fail.
    if !rows.is_empty() {
        text += "\nwhat would not pass, the most first:\n";
    }
    for row in rows.iter().take(SHOWN) {
        let _ = write!(text, "\n{}", stopped_row(row));
    }
    if let Some(more) = rows.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = write!(text, "\n  and {more} more rows; `--format csv` shows all\n");
    }
    text + &by_rule(report) + &unused(report)
}

fn counts(report: &Report) -> String {
    let mut text = match report.first.zip(report.last) {
        Some((first, last)) => format!("{} flows from {first} to {last}\n", report.flows),
        None => format!("{} flows\n", report.flows),
    };
    let scheduled = "allowed at times only, and nothing says when they were";
    let counts = [
        (report.allowed, "would be allowed", true),
        (report.at_times, scheduled, false),
        (report.blocked, "would be blocked", true),
        (report.local, "stay within one zone, where no firewall sees them", false),
        (report.unseen, "denied, but no enforcement point lies between the two zones", false),
        (report.unzoned, "have an address in no zone", false),
    ];
    for (count, what, is_always) in counts {
        if is_always || count.flows > 0 {
            line(&mut text, count.flows, what);
        }
    }
    if report.unclear.flows > 0 {
        line(
            &mut text,
            report.unclear.flows,
            "of the blocked may be replies of which the opening was not recorded",
        );
    }
    let replies = &report.replies;
    for (number, what) in [
        (replies.paired, "taken for replies to flows that pass and are recorded"),
        (replies.unpaired, "taken for replies to flows that would pass, and are not recorded"),
        (replies.of_blocked, "taken for replies to recorded flows that would not pass"),
        (replies.errors, "errors of ICMP, taken to belong to flows that pass"),
    ] {
        if number > 0 {
            line(&mut text, number, what);
        }
    }
    text
}

fn line(text: &mut String, number: u64, what: &str) {
    let _ = writeln!(text, "  {number:>12}  {what}");
}

fn stopped_row(row: &Row) -> String {
    let side = |name: &str, zone: &str| match zone {
        "" => format!("{name} in no zone"),
        zone if zone == name => name.to_owned(),
        zone => format!("{name} in {zone}"),
    };
    let (from, to) = (side(&row.from, &row.from_zone), side(&row.to, &row.to_zone));
    let services = match row.services.is_empty() {
        true => row.service.clone(),
        false => format!("{} ({})", row.service, row.services.join(", ")),
    };
    let place = row.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    let unclear = if row.unclear { "; it may be a reply" } else { "" };
    format!(
        "  {from} -> {to}, {services}\n    {}{}\n    {}{place}{unclear}\n    such as {}\n",
        flows(row.count),
        when(row),
        row.because,
        row.example
    )
}

fn flows(count: Count) -> String {
    let flows = if count.flows == 1 { "1 flow".to_owned() } else { format!("{} flows", count.flows) };
    if count.bytes == 0 { flows } else { format!("{flows}, {} bytes", count.bytes) }
}

fn when(row: &Row) -> String {
    match row.first.zip(row.last) {
        Some((first, last)) if first == last => format!(", at {first}"),
        Some((first, last)) => format!(", {first} to {last}"),
        None => String::new(),
    }
}

/// How many flows each rule allows.
fn by_rule(report: &Report) -> String {
    let mut rules: BTreeMap<&str, u64> = BTreeMap::new();
    for row in
        report.rows.iter().filter(|row| matches!(row.decided, Verdict::Allowed(_) | Verdict::AtTimes(_)))
    {
        *rules.entry(row.rule.as_deref().unwrap_or_default()).or_default() += row.count.flows;
    }
    if rules.is_empty() {
        return String::new();
    }
    let mut rules: Vec<(&str, u64)> = rules.into_iter().collect();
    rules.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    let mut text = "\nwhat would pass, by the rule that allows it:\n".to_owned();
    for (rule, flows) in rules {
        line(&mut text, flows, rule);
    }
    text
}

fn unused(report: &Report) -> String {
    let of = |effect: &str| -> Vec<&str> {
        let own = report.unused.iter().filter(|statement| statement.effect == effect);
        own.map(|statement| statement.rule.as_str()).collect()
    };
    let mut text = String::new();
    for (names, what) in
        [(of("allow"), "allows that no flow used"), (of("forbid"), "forbids that no flow met")]
    {
        if !names.is_empty() {
            let indent = textwrap::Options::new(WIDTH).initial_indent("  ").subsequent_indent("  ");
            let list = textwrap::fill(&names.join(", "), indent.break_words(false));
            let _ = write!(text, "\n{what} ({}):\n{list}\n", names.len());
        }
    }
    text
}

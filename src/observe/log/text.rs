//! What firewalls logged, as text for people and as a table.

use std::fmt::Write;

use super::{Agreement, Group, Report};

/// What stands above the groups of each kind.
fn heading(agreement: Agreement) -> &'static str {
    match agreement {
        Agreement::Closed => {
            "DENIED, THOUGH THE POLICY ALLOWS IT: the device runs something else, or the log is older"
        }
        Agreement::Opened => {
            "LET IN, THOUGH THE POLICY DENIES IT: the device runs something else, or the log is older"
        }
        Agreement::Denied => "denied, as the policy says",
        Agreement::Scheduled => "denied, and allowed at times only",
        Agreement::LateAnswer => "denied: answers in connections that the device no longer knew",
        Agreement::Apart => "dropped or counted for something else than rules",
        Agreement::Accepted => "let in and logged, as the policy says",
        Agreement::Unjudged => "not judged",
    }
}

/// For people, at most so many groups of each kind.
pub fn human(report: &Report, most: usize) -> String {
    let mut text = String::new();
    let said = [
        (report.skipped, "of no firewall"),
        (report.others, "logged by rules that are not cordon's"),
        (report.unreadable, "could not be read"),
    ];
    let said =
        said.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!(", {number} {what}"));
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{}: {} read{}", lines(report.lines), report.read, said.collect::<String>());
    if !report.unreadable_at.is_empty() {
        let more = if report.unreadable > report.unreadable_at.len() as u64 { " and more" } else { "" };
        let _ = writeln!(text, "could not be read: {}{more}", report.unreadable_at.join(", "));
    }
    if report.lost > 0 {
        let _ = writeln!(text, "devices say that they left out {} packets", report.lost);
    }
    if report.beyond > 0 {
        let _ = writeln!(text, "{} packets are of more groups than are told apart", report.beyond);
    }
    for agreement in Agreement::ALL {
        let groups: Vec<&Group> = report.groups.iter().filter(|group| group.agreement == agreement).collect();
        if groups.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n{}:", heading(agreement));
        for group in groups.iter().take(most) {
            write_group(&mut text, group);
        }
        if groups.len() > most {
            let rest: u64 = groups.iter().skip(most).map(|group| group.packets).sum();
            let more = groups.len() - most;
            let _ = writeln!(text, "  ... and {more} more groups with {rest} packets: see `--top`");
        }
    }
    text
}

fn write_group(text: &mut String, group: &Group) {
    let Group { packets, from, to, service, because, example, .. } = group;
    let devices: Vec<&str> = group.devices.iter().map(String::as_str).collect();
    let at = if devices.is_empty() { String::new() } else { format!(", at {}", devices.join(", ")) };
    let when = match (group.first.as_str(), group.last.as_str()) {
        ("", _) => String::new(),
        (first, last) if first == last => format!(", {first}"),
        (first, last) => format!(", {first} to {last}"),
    };
    let _ = writeln!(text, "  {packets:>10}  {from} -> {to}  {service}");
    let _ = writeln!(text, "              {because}{at}{when}");
    let _ = writeln!(text, "              such as {example}");
}

fn lines(number: u64) -> String {
    if number == 1 { "1 line".to_owned() } else { format!("{number} lines") }
}

/// As a table with a header, a row for each group.
///
/// # Errors
/// If it cannot be written into memory, which would be a bug.
pub fn comma_separated(report: &Report) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "agreement",
        "packets",
        "lines",
        "from",
        "to",
        "service",
        "because",
        "rule",
        "first",
        "last",
        "devices",
        "example",
    ])?;
    for group in &report.groups {
        let devices: Vec<&str> = group.devices.iter().map(String::as_str).collect();
        writer.write_record([
            group.agreement.word(),
            &group.packets.to_string(),
            &group.lines.to_string(),
            &group.from,
            &group.to,
            &group.service,
            &group.because,
            group.rule.as_deref().unwrap_or_default(),
            &group.first,
            &group.last,
            &devices.join(" "),
            &group.example,
        ])?;
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

//! A change as Markdown, fit for a comment on a pull request. Every text is escaped, so nothing that a policy says becomes a
//! heading, a link, a mention or a tag of HTML.

use std::fmt::Write;

use super::words::{lines, other, over, side, summary, touches};
use super::{Change, Party, Row};
use crate::report::escaped;

/// The whole comment; with the difference of the output line by line, if that is wanted.
pub fn markdown(change: &Change, with_text: bool) -> String {
    let mut text = format!("### {}\n", escaped(&capitalised(&summary(change))));
    table(&mut text, "Opened", &change.access.opened);
    table(&mut text, "Closed", &change.access.closed);
    if !change.others.is_empty() {
        let _ = writeln!(text, "\n#### Statements\n");
    }
    for one in &change.others {
        let (name, what) = other(one);
        let _ = writeln!(text, "- {}: {}", escaped(&name), escaped(&what));
    }
    if !change.devices.is_empty() || !change.uncompared.is_empty() {
        let _ = writeln!(text, "\n#### Output\n");
    }
    for why in &change.uncompared {
        let _ = writeln!(text, "- {}", escaped(why));
    }
    for device in &change.devices {
        let (added, removed) = (lines(device.added), lines(device.removed));
        let _ = writeln!(text, "- {}: {added} added, {removed} removed", escaped(&device.device));
    }
    for device in change.devices.iter().filter(|_| with_text) {
        // Four blanks make each line one of code, whatever is in it.
        let lines = device.text.lines().map(|line| format!("    {line}\n"));
        let _ = write!(text, "\n{}:\n\n{}", escaped(&device.device), lines.collect::<String>());
    }
    text
}

fn table(text: &mut String, title: &str, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n#### {title}\n\n| look first | from | to | over | touches | why |");
    let _ = writeln!(text, "| --- | --- | --- | --- | --- | --- |");
    for row in rows {
        let marks: Vec<String> = row.marks.iter().map(|mark| format!("**{}**", escaped(mark))).collect();
        let during = row.during.as_ref().map(|during| format!("<br>during {}", escaped(during)));
        let (over, during) = (escaped(&over(row)), during.unwrap_or_default());
        let touches = touches(row).map(|touches| escaped(&touches)).unwrap_or_default();
        let (marks, from, to) = (
            marks.join("<br>"),
            parties(&row.from, row.from_written.as_ref()),
            parties(&row.to, row.to_written.as_ref()),
        );
        let _ = writeln!(text, "| {marks} | {from} | {to} | {over}{during} | {touches} | {} |", why(row));
    }
}

fn why(row: &Row) -> String {
    let cause = &row.cause;
    let about = [("owner", &cause.owner), ("reason", &cause.reason), ("ticket", &cause.ticket)];
    let about = about.iter().filter_map(|(key, value)| value.as_ref().map(|value| format!("{key} {value}")));
    let first = format!("{}: {} ({} {})", cause.why, cause.name, cause.of, cause.place);
    let texts = std::iter::once(first).chain(about);
    texts.map(|text| escaped(&text)).collect::<Vec<_>>().join("<br>")
}

fn parties(parties: &[Party], written: Option<&String>) -> String {
    side(parties, written).iter().map(|text| escaped(text)).collect::<Vec<_>>().join("<br>")
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

//! Zeek's conn.log as its ASCII writer writes it: lines of fields, and lines that begin with `#` and say what these are
//! (<https://docs.zeek.org/en/master/log-formats.html>). Fields may stand in any order; a `#fields` line further on, as
//! where logs were put one behind the other, counts from there on.

use std::io::BufRead;

use super::error::{Problem, Unreadable};
use super::fields::{number, time};
use super::form::next_line;
use super::zeek::Connection;
use super::{Capture, Flow};

/// The fields that are read. The first five are needed.
const FIELDS: [&str; 12] = [
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "id.resp_p",
    "proto",
    "ts",
    "duration",
    "orig_bytes",
    "resp_bytes",
    "conn_state",
    "history",
    "ip_proto",
];

/// How many of them are needed.
const NEEDED: usize = 5;

/// What the lines that begin with `#` said last.
struct Layout {
    separator: String,
    unset: String,
    /// For each column, which of the fields it is.
    columns: Vec<Option<usize>>,
}

pub(super) fn read(
    mut input: impl BufRead,
    capture: &mut Capture,
    take: &mut dyn FnMut(&Flow),
) -> Result<(), Unreadable> {
    let mut layout = Layout { separator: "\t".to_owned(), unset: "-".to_owned(), columns: Vec::new() };
    let (mut bytes, mut number) = (Vec::new(), 0);
    while next_line(&mut input, &mut bytes)? {
        number += 1;
        let line = match std::str::from_utf8(&bytes) {
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) => line,
            Err(_) => {
                capture.row(number, Err(Problem::Text), take);
                continue;
            }
        };
        if line.starts_with('#') {
            layout.learn(line)?;
        } else if layout.columns.is_empty() {
            return Err(Unreadable::NoFields);
        } else {
            capture.row(number, layout.flow(line), take);
        }
    }
    if layout.columns.is_empty() { Err(Unreadable::NoFields) } else { Ok(()) }
}

impl Layout {
    /// Takes in a line that begins with `#`.
    fn learn(&mut self, line: &str) -> Result<(), Unreadable> {
        if let Some(separator) = line.strip_prefix("#separator ") {
            self.separator = unescaped(separator.trim());
            return Ok(());
        }
        let mut parts = line.split(self.separator.as_str());
        match (parts.next(), parts.next()) {
            (Some("#unset_field"), Some(unset)) => self.unset = unset.to_owned(),
            (Some("#path"), Some(path)) if path != "conn" && !path.starts_with("conn_") => {
                return Err(Unreadable::OtherLog(path.to_owned()));
            }
            (Some("#fields"), Some(_)) => {
                let names: Vec<&str> = line.split(self.separator.as_str()).skip(1).collect();
                for name in FIELDS.into_iter().take(NEEDED) {
                    if !names.contains(&name) {
                        let needed = FIELDS.into_iter().take(NEEDED).collect::<Vec<_>>().join(", ");
                        return Err(Unreadable::NoColumn { name, needed });
                    }
                }
                let which = |name: &&str| FIELDS.iter().position(|known| known == name);
                self.columns = names.iter().map(which).collect();
            }
            _ => {}
        }
        Ok(())
    }

    fn flow(&self, line: &str) -> Result<Flow, Problem> {
        let mut values = [""; FIELDS.len()];
        let mut found = 0;
        for (column, text) in line.split(self.separator.as_str()).enumerate() {
            found = column + 1;
            let slot = self.columns.get(column).copied().flatten().and_then(|field| values.get_mut(field));
            if let Some(value) = slot.filter(|_| text != self.unset) {
                *value = text;
            }
        }
        if found != self.columns.len() {
            return Err(Problem::Fields { found, named: self.columns.len() });
        }
        let [source, source_port, destination, destination_port, protocol, first, ..] = values;
        let [.., duration, sent, answered, state, history, protocol_number] = values;
        Connection {
            first: time(first)?,
            seconds: seconds(duration)?,
            source,
            source_port,
            destination,
            destination_port,
            protocol,
            protocol_number,
            bytes: number("orig_bytes", sent, 0, 0)?.saturating_add(number("resp_bytes", answered, 0, 0)?),
            state,
            history,
        }
        .flow()
    }
}

/// Whole seconds of a duration.
fn seconds(text: &str) -> Result<i64, Problem> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let seconds = number("duration", whole, 0, 0)?;
    Ok(i64::try_from(seconds).unwrap_or(i64::MAX))
}

/// `\x09` as the character that it stands for; other text as it is.
fn unescaped(text: &str) -> String {
    let code = text.strip_prefix("\\x").and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let known = code.filter(u8::is_ascii).map(|code| char::from(code).to_string());
    known.unwrap_or_else(|| if text.is_empty() { "\t".to_owned() } else { text.to_owned() })
}

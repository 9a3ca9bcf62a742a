//! Verdicts for a table of packets.

use std::io::{Read, Write};

use csv::StringRecord;
use thiserror::Error;

use super::{BadPacket, Fields, parse_packet};
use crate::ir::{Decider, Policy};

/// Why a table could not be answered. Nothing was written then.
#[derive(Error, Debug)]
pub enum BadTable {
    /// It is not CSV, or could not be read or written.
    #[error("{0}")]
    Csv(#[from] csv::Error),
    /// A column is missing.
    #[error("the header has no column `{0}`; it needs proto, src, dst, sport and dport")]
    NoColumn(&'static str),
    /// A row is not a packet.
    #[error("line {line}: {problem}")]
    Row {
        /// The line, counted from one.
        line: u64,
        /// What is wrong with it.
        problem: BadPacket,
    },
}

/// Reads packets as CSV with a header, and writes all its columns back with `verdict` (`allow`, `scheduled`, `deny` or `local`) and
/// `rule` (the id of the rule that decides, or nothing) appended. Returns the number of rows.
///
/// # Errors
/// [`BadTable`] if a row or the whole cannot be read; then nothing was written.
pub fn answer(policy: &Policy, input: impl Read, output: impl Write) -> Result<usize, BadTable> {
    let mut reader = csv::ReaderBuilder::new().from_reader(input);
    let mut header = reader.headers()?.clone();
    let column = |name: &'static str| {
        let place = header.iter().position(|column| column.trim().eq_ignore_ascii_case(name));
        place.ok_or(BadTable::NoColumn(name))
    };
    let places = [column("proto")?, column("src")?, column("dst")?, column("sport")?, column("dport")?];
    let decider = Decider::new(policy);
    let mut rows = Vec::new();
    for row in reader.into_records() {
        let mut row: StringRecord = row?;
        let line = row.position().map_or(0, csv::Position::line);
        let [proto, src, dst, sport, dport] = places.map(|place| row.get(place).unwrap_or_default());
        let packet = parse_packet(Fields { proto, src, dst, sport, dport });
        let decision = decider.decide(&packet.map_err(|problem| BadTable::Row { line, problem })?);
        row.push_field(decision.verdict());
        row.push_field(decision.rule().map_or("", |rule| policy[rule].id.as_str()));
        rows.push(row);
    }
    let mut writer = csv::Writer::from_writer(output);
    header.push_field("verdict");
    header.push_field("rule");
    writer.write_record(&header)?;
    for row in &rows {
        writer.write_record(row)?;
    }
    writer.flush().map_err(csv::Error::from)?;
    Ok(rows.len())
}

//! CSV with a header, as `cordon query` takes it and as anything can be made to print it. The source of a row is who opened
//! the connection.

use super::error::Problem;
use super::fields::{number, packet, time};
use super::table::{Column, Row};
use super::{Flow, Opener};

pub(super) const COLUMNS: &[Column] = &[
    (&["proto", "protocol"], true),
    (&["src", "source", "src_ip", "source_ip"], true),
    (&["dst", "destination", "dest", "dst_ip", "dest_ip", "destination_ip"], true),
    (&["dport", "dst_port", "dest_port", "destination_port"], true),
    (&["sport", "src_port", "source_port"], false),
    (&["count", "flows", "connections"], false),
    (&["bytes"], false),
    (&["first", "first_seen", "start"], false),
    (&["last", "last_seen", "end"], false),
];

pub(super) fn flow(row: &Row) -> Result<Flow, Problem> {
    let first = time(row.get(7))?;
    Ok(Flow {
        packet: packet(row.get(0), row.get(1), row.get(2), row.get(4), row.get(3))?,
        opener: Opener::Source,
        flows: number("count", row.get(5), 1, 1)?,
        bytes: number("bytes", row.get(6), 0, 0)?,
        first,
        last: time(row.get(8))?.or(first),
    })
}

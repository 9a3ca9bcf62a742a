//! The form of a capture, by its first line.

use std::io::{self, BufRead, Cursor, Read};

use serde::Serialize;

use super::error::Unreadable;
use super::table::Header;
use super::{nfdump, plain};

/// The form of a capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Zeek's conn.log, with tabs.
    Zeek,
    /// Zeek's conn.log, one JSON object a line.
    ZeekJson,
    /// What `nfdump -o csv` prints of NetFlow and IPFIX.
    Nfdump,
    /// Any CSV with a header.
    Csv,
}

impl Form {
    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Form::Zeek => "zeek",
            Form::ZeekJson => "zeek-json",
            Form::Nfdump => "nfdump",
            Form::Csv => "csv",
        }
    }
}

/// The longest first line, in bytes; a header is much shorter.
const MAX_HEAD_BYTES: u64 = 1 << 20;

/// How compressed and binary files begin, each with the command that unpacks it; none for files of nfcapd
/// (`nffile.h` of nfdump: 0xA50C, little-endian).
const MAGIC: [(&[u8], Option<&str>); 6] = [
    (b"\x1f\x8b", Some("zcat FILE")),
    (b"\x28\xb5\x2f\xfd", Some("zstdcat FILE")),
    (b"BZh", Some("bzcat FILE")),
    (b"\xfd7zXZ", Some("xzcat FILE")),
    (b"PK\x03\x04", Some("unzip -p FILE")),
    (b"\x0c\xa5", None),
];

/// The first line with anything on it, and the capture as a whole, which is text in UTF-8 as far as can be told.
pub(super) fn begin<R: BufRead>(mut input: R) -> Result<(String, impl BufRead), Unreadable> {
    let mut bytes = Vec::new();
    let mut start = 0;
    let line = loop {
        start += bytes.get(start..).map_or(0, <[u8]>::len);
        (&mut input).take(MAX_HEAD_BYTES).read_until(b'\n', &mut bytes)?;
        let line = bytes.get(start..).unwrap_or_default();
        if line.is_empty() {
            return Err(Unreadable::Empty);
        }
        if !line.iter().all(u8::is_ascii_whitespace) {
            break line;
        }
    };
    for (magic, command) in MAGIC {
        if line.starts_with(magic) {
            return Err(command.map_or(Unreadable::Binary, Unreadable::Compressed));
        }
    }
    let head = String::from_utf8_lossy(line).trim_start_matches('\u{feff}').trim_end().to_owned();
    if let Some(marked) = bytes.get(start..).and_then(|line| line.strip_prefix("\u{feff}".as_bytes())) {
        let unmarked = marked.to_vec();
        bytes.truncate(start);
        bytes.extend(unmarked);
    }
    Ok((head, Cursor::new(bytes).chain(input)))
}

/// The form that a first line shows.
pub(super) fn of(head: &str) -> Result<Form, Unreadable> {
    if head.starts_with("#separator") || head.starts_with("#fields") {
        return Ok(Form::Zeek);
    }
    if head.starts_with('{') {
        return Ok(Form::ZeekJson);
    }
    // The names of nfdump are asked for first: where both fit, a row may be one direction of a connection.
    for (form, columns) in [(Form::Nfdump, nfdump::COLUMNS), (Form::Csv, plain::COLUMNS)] {
        if Header::new(head, columns).is_ok() {
            return Ok(form);
        }
    }
    // A header of which one column is missing is told so, and not that it is none.
    for columns in [nfdump::COLUMNS, plain::COLUMNS] {
        if Header::known(head, columns) >= 3 {
            Header::new(head, columns)?;
        }
    }
    let shown: String = head.chars().take(40).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    Err(Unreadable::Form(shown))
}

/// Reads a line into `line`, without its end. False at the end of the input.
pub(super) fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let read = input.read_until(b'\n', line)?;
    while line.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        line.pop();
    }
    Ok(read > 0)
}

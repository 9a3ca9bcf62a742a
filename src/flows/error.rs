//! Why a capture, or a row of one, cannot be read.

use serde::Serialize;
use thiserror::Error;

use crate::query::BadPacket;

/// A row that could not be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BadRow {
    /// Its line, counted from one.
    pub line: u64,
    /// What is wrong with it.
    pub problem: String,
}

/// Why a row cannot be read.
#[derive(Error, Clone, PartialEq, Eq, Debug)]
pub enum Problem {
    /// It does not have the fields that the header names.
    #[error("it has {found} fields, and the header names {named}")]
    Fields {
        /// How many it has.
        found: usize,
        /// How many the header names.
        named: usize,
    },
    /// It is no packet.
    #[error("{0}")]
    Packet(#[from] BadPacket),
    /// A time cannot be read.
    #[error("`{0}` is not a time; use seconds since 1970, or a date and a time such as 2026-11-01 08:00:00")]
    Time(String),
    /// A number cannot be read.
    #[error("`{text}` in `{column}` is not a number from {least} on")]
    Number {
        /// The column.
        column: &'static str,
        /// What stands there.
        text: String,
        /// The least that may.
        least: u64,
    },
    /// It is not text.
    #[error("it is not UTF-8 text")]
    Text,
    /// It is not a JSON object with the fields of a connection.
    #[error("{0}")]
    Json(String),
    /// The sensor did not know the protocol.
    #[error("the protocol was not known to the sensor")]
    UnknownTransport,
    /// A message of ICMP cannot be read.
    #[error("`{0}` is not a message of ICMP; use its type and code, such as 8.0")]
    Message(String),
}

/// Why a capture cannot be read at all.
#[derive(Error, Debug)]
pub enum Unreadable {
    /// The system could not read it.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// There is nothing in it.
    #[error("it is empty: there is not even a header, so nothing says what it would hold")]
    Empty,
    /// It is compressed.
    #[error("it is compressed: unpack it first, as in `{0} | cordon simulate . --flows -`")]
    Compressed(&'static str),
    /// It is a file of nfcapd.
    #[error(
        "it is a binary file of nfcapd: print it first, as in `nfdump -r FILE -o csv | cordon simulate . --flows -`"
    )]
    Binary,
    /// Its form is not known.
    #[error(
        "it begins with `{0}`, which is no header of Zeek's conn.log, nfdump's CSV, or CSV with proto, src, dst, sport and \
         dport; say its form with `--flow-format`"
    )]
    Form(String),
    /// It has no header.
    #[error("it has no line `#fields`, which names what the columns of a log of Zeek are")]
    NoFields,
    /// It is another log of Zeek.
    #[error("it is Zeek's log `{0}`; what is needed is `conn`, in which each connection stands once")]
    OtherLog(String),
    /// A column is missing.
    #[error("its header has no column `{name}`; it needs {needed}")]
    NoColumn {
        /// The column.
        name: &'static str,
        /// All that are needed.
        needed: String,
    },
    /// A column stands twice.
    #[error("its header has the column `{0}` twice")]
    Twice(&'static str),
}

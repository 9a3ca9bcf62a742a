//! Recorded flows: what a sensor or a router saw, read row by row.
//!
//! In: a stream of bytes in one of the forms of [`Form`]. Out: a [`Flow`] for each row that can be read, one after the other,
//! so that a capture may be larger than the memory; and how many rows could not be read, the first of them with their lines.
//! Nothing is left out in silence.

mod error;
mod fields;
mod form;
mod moment;
mod nfdump;
mod plain;
mod table;
mod zeek;
mod zeek_json;
mod zeek_tsv;

use std::io::BufRead;

use serde::Serialize;

pub use error::{BadRow, Problem, Unreadable};
pub use form::Form;
pub use moment::Moment;

use crate::set::Packet;

/// A row of a capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flow {
    /// The packet that opened it, if the source of the row is who did.
    pub packet: Packet,
    /// Whether that is so.
    pub opener: Opener,
    /// How many flows the row stands for, at least one.
    pub flows: u64,
    /// Bytes in both directions, as far as the row says.
    pub bytes: u64,
    /// When its first packet was seen.
    pub first: Option<Moment>,
    /// When its last packet was seen.
    pub last: Option<Moment>,
}

/// Who opened a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opener {
    /// The source of the row.
    Source,
    /// Not recorded: the row may be one direction of a connection, of which the source answers.
    Unknown,
}

/// What was read of a capture.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Capture {
    /// Its form.
    pub form: Form,
    /// How many rows it has that could be read.
    pub rows: u64,
    /// How many could not.
    pub bad: u64,
    /// The first of those.
    pub first_bad: Vec<BadRow>,
}

/// How many rows that cannot be read are kept, with their lines.
const SHOWN: usize = 5;

impl Capture {
    fn new(form: Form) -> Self {
        Capture { form, rows: 0, bad: 0, first_bad: Vec::new() }
    }

    /// Counts a row, and hands its flow on if it could be read.
    fn row(&mut self, line: u64, flow: Result<Flow, Problem>, take: &mut dyn FnMut(&Flow)) {
        match flow {
            Ok(flow) => {
                self.rows += 1;
                take(&flow);
            }
            Err(problem) => {
                self.bad += 1;
                if self.first_bad.len() < SHOWN {
                    self.first_bad.push(BadRow { line, problem: problem.to_string() });
                }
            }
        }
    }
}

/// Reads a capture, in the form that is said or else in the one that its first line shows.
///
/// # Errors
/// [`Unreadable`] if the whole cannot be read. A row that cannot be read is counted, and reading goes on.
pub fn read(
    input: impl BufRead,
    form: Option<Form>,
    take: &mut dyn FnMut(&Flow),
) -> Result<Capture, Unreadable> {
    let (head, input) = form::begin(input)?;
    let form = form.map_or_else(|| form::of(&head), Ok)?;
    let mut capture = Capture::new(form);
    match form {
        Form::Zeek => zeek_tsv::read(input, &mut capture, take)?,
        Form::ZeekJson => zeek_json::read(input, &mut capture, take)?,
        Form::Nfdump => table::read(input, &head, nfdump::COLUMNS, nfdump::flow, &mut capture, take)?,
        Form::Csv => table::read(input, &head, plain::COLUMNS, plain::flow, &mut capture, take)?,
    }
    Ok(capture)
}

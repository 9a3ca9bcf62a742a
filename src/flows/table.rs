//! Tables with a header, of which each form knows its own columns, by several names and in any order.

use std::io::BufRead;

use csv::{ReaderBuilder, StringRecord};

use super::error::{Problem, Unreadable};
use super::{Capture, Flow, Form};

/// A column: its names in small letters, the first of which messages use; and whether it is needed.
pub(super) type Column = (&'static [&'static str], bool);

/// Where the columns of a form stand.
pub(super) struct Header {
    delimiter: u8,
    names: Vec<String>,
    places: Vec<Option<usize>>,
}

/// What may stand between fields.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

impl Header {
    /// Finds columns in the first line of a table.
    pub(super) fn new(head: &str, columns: &[Column]) -> Result<Self, Unreadable> {
        let (delimiter, names) = taken_apart(head);
        let mut places = Vec::new();
        for (known, needed) in columns {
            let mut found = names.iter().zip(0..).filter(|(name, _)| known.contains(&name.as_str()));
            let place = found.next().map(|(_, place)| place);
            let name = known.first().copied().unwrap_or_default();
            if found.next().is_some() {
                return Err(Unreadable::Twice(name));
            }
            if place.is_none() && *needed {
                let needed: Vec<&str> = columns
                    .iter()
                    .filter(|(_, needed)| *needed)
                    .filter_map(|(known, _)| known.first().copied())
                    .collect();
                return Err(Unreadable::NoColumn { name, needed: needed.join(", ") });
            }
            places.push(place);
        }
        Ok(Header { delimiter, names, places })
    }

    /// How many of the needed columns a line names.
    pub(super) fn known(head: &str, columns: &[Column]) -> usize {
        let (_, names) = taken_apart(head);
        let named = |known: &[&str]| names.iter().any(|name| known.contains(&name.as_str()));
        columns.iter().filter(|(known, needed)| *needed && named(known)).count()
    }
}

/// What stands between the names of a header, and these in small letters.
fn taken_apart(head: &str) -> (u8, Vec<String>) {
    let count = |delimiter: &u8| head.bytes().filter(|byte| byte == delimiter).count();
    let delimiter = DELIMITERS.into_iter().rev().max_by_key(count).unwrap_or(b',');
    let names = head.split(char::from(delimiter));
    (delimiter, names.map(|name| name.trim().trim_matches('"').trim().to_ascii_lowercase()).collect())
}

/// A row of a table, by the columns of its form.
pub(super) struct Row<'a> {
    record: &'a StringRecord,
    places: &'a [Option<usize>],
}

impl<'a> Row<'a> {
    /// The field of a column, by its place in the list of columns; empty if the table has no such column.
    pub(super) fn get(&self, column: usize) -> &'a str {
        let place = self.places.get(column).copied().flatten();
        place.and_then(|place| self.record.get(place)).unwrap_or_default().trim()
    }
}

/// What nfdump prints first behind the rows; what follows are sums, up to another header.
const SUMMARY: &str = "Summary";

/// Reads all rows of a table.
pub(super) fn read(
    input: impl BufRead,
    head: &str,
    columns: &[Column],
    flow: fn(&Row) -> Result<Flow, Problem>,
    capture: &mut Capture,
    take: &mut dyn FnMut(&Flow),
) -> Result<(), Unreadable> {
    let header = Header::new(head, columns)?;
    let mut reader =
        ReaderBuilder::new().delimiter(header.delimiter).flexible(true).has_headers(false).from_reader(input);
    let (mut record, mut in_summary) = (StringRecord::new(), false);
    loop {
        let is_row = match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => Ok(()),
            Err(problem) => {
                if let csv::ErrorKind::Io(problem) = problem.into_kind() {
                    return Err(problem.into());
                }
                Err(Problem::Text)
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if let Err(problem) = is_row {
            capture.row(line, Err(problem), take);
        } else if is_header(&record, &header) {
            in_summary = false;
        } else if in_summary || record.iter().all(|field| field.trim().is_empty()) {
            continue;
        } else if record.get(0).is_some_and(|field| field.starts_with(SUMMARY)) {
            in_summary = true;
        } else if !has_all_fields(&record, &header, capture.form) {
            let (found, named) = (record.len(), header.names.len());
            capture.row(line, Err(Problem::Fields { found, named }), take);
        } else {
            let row = Row { record: &record, places: &header.places };
            capture.row(line, flow(&row), take);
        }
    }
}

/// True if no field is missing, and none is there without a name: in a row with one too many, all behind it would be
/// taken for others. Some versions of nfdump print more at the end of a row than their header names.
fn has_all_fields(record: &StringRecord, header: &Header, form: Form) -> bool {
    let more = record.iter().skip(header.names.len()).all(|field| field.trim().is_empty());
    record.len() >= header.names.len() && (more || form == Form::Nfdump)
}

/// True for the header itself, which stands again where tables were put one behind the other.
fn is_header(record: &StringRecord, header: &Header) -> bool {
    record.len() == header.names.len()
        && record.iter().zip(&header.names).all(|(field, name)| field.trim().eq_ignore_ascii_case(name))
}

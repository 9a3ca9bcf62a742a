//! Tables as text with separators (RFC 4180, and what spreadsheets make of it).

use std::ops::Range;

use csv::{ReaderBuilder, StringRecord};

use super::error::InventoryError;
use crate::source::SourceFile;

/// A table: the names of its columns, and its rows.
pub(super) struct Rows<'t> {
    pub(super) header: Vec<String>,
    pub(super) rows: Box<dyn Iterator<Item = Result<Row, InventoryError>> + 't>,
}

/// A row, with as many cells as the table has columns.
pub(super) struct Row {
    pub(super) cells: StringRecord,
    /// Where it starts in the file, as far as a message shows it.
    pub(super) place: Range<usize>,
}

/// The longest part of a row that a message points at, in bytes.
const SHOWN: usize = 60;

/// The separators that are told apart, by how often each stands in the header.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// Reads a table; its first row names the columns.
pub(super) fn csv(file: &SourceFile) -> Result<Rows<'_>, InventoryError> {
    let text = file.text();
    let mut reader = ReaderBuilder::new()
        .delimiter(separator(text))
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut header = StringRecord::new();
    let whole =
        |what: String| InventoryError::Table { path: file.path().to_owned(), what, span: file.span(0..0) };
    let read = reader.read_record(&mut header).map_err(|problem| whole(problem.to_string()))?;
    if !read || header.iter().all(|name| name.trim().is_empty()) {
        return Err(whole("it has no row that names the columns".to_owned()));
    }
    let columns = header.len();
    let rows = std::iter::from_fn(move || {
        let mut cells = StringRecord::new();
        let start = reader.position().byte();
        let problem = match reader.read_record(&mut cells) {
            Ok(false) => return None,
            Ok(true) if cells.len() == columns => {
                return Some(Ok(Row { cells, place: shown(text, start) }));
            }
            Ok(true) => format!("a row has {} cells, but the header names {columns} columns", cells.len()),
            Err(problem) => problem.to_string(),
        };
        let span = file.span(shown(text, start));
        Some(Err(InventoryError::Table { path: file.path().to_owned(), what: problem, span }))
    });
    Ok(Rows { header: header.iter().map(str::to_owned).collect(), rows: Box::new(rows) })
}

/// The separator of the cells of a table: the one that stands most often in its first line.
pub(crate) fn separator(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |separator: u8| first.bytes().filter(|byte| *byte == separator).count();
    // The first of those that stand equally often.
    SEPARATORS.into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

/// The start of the row that begins at an offset, or behind the line ends there.
pub(crate) fn shown(text: &str, offset: u64) -> Range<usize> {
    let offset = usize::try_from(offset).unwrap_or(text.len());
    let rest = text.get(offset..).unwrap_or_default();
    let start = offset + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    start..start + line.floor_char_boundary(SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    /// The cells of a row, and where it starts; or what is wrong.
    type Read = Result<(Vec<String>, String), String>;

    fn check(text: &str) -> (Vec<String>, Vec<Read>) {
        let mut sources = Sources::default();
        let file = sources.add("t.csv".to_owned(), text.to_owned()).unwrap().clone();
        let rows = csv(&file).unwrap_or_else(|error| panic!("{error}"));
        let read = rows.rows.map(|row| match row {
            Ok(row) => {
                let cells = row.cells.iter().map(str::to_owned).collect();
                Ok((cells, text.get(row.place).unwrap_or_default().to_owned()))
            }
            Err(error) => Err(error.to_string()),
        });
        (rows.header, read.collect())
    }

    #[test]
    fn separators_quotes_and_line_ends_are_those_of_spreadsheets() {
        for text in ["a,b\r\n1,\"x, y\"\r\n\r\n2,z\r\n", "a;b\n1;x, y\n2;z", "a\tb\n1\tx, y\n2\tz\n"] {
            let (header, rows) = check(text);
            assert_eq!(header, ["a", "b"], "{text:?}");
            let cells: Vec<Vec<String>> = rows.iter().map(|row| row.clone().unwrap().0).collect();
            assert_eq!(cells, [["1", "x, y"], ["2", "z"]], "{text:?}");
            let [_, last] = &rows[..] else { panic!("{rows:?}") };
            assert!(last.as_ref().unwrap().1.starts_with('2'), "a row is shown from its start");
        }
    }

    #[test]
    fn a_row_with_too_few_cells_is_a_mistake_at_its_place() {
        let (_, rows) = check("a,b\n1,2\n3\n4,5\n");
        assert!(
            rows[1].as_ref().is_err_and(|text| text.contains("a row has 1 cells, but the header names 2")),
            "{rows:?}"
        );
    }
}

//! Tables of packets with the verdicts that are expected.

use csv::{ReaderBuilder, StringRecord};
use miette::LabeledSpan;

use super::error::TestError;
use super::{Question, Test};
use crate::diag::{Diagnostics, did_you_mean, suggestion};
use crate::inventory::{row_place, separator};
use crate::query::{Fields, parse_packet};
use crate::source::{SourceFile, Span};

/// The verdicts, as `query` gives them.
const VERDICTS: [&str; 4] = ["allow", "scheduled", "deny", "local"];

/// Columns that every table has.
const NEEDED: [&str; 5] = ["proto", "src", "dst", "dport", "verdict"];

/// Columns that a table may have. Any other is passed over.
const OPTIONAL: [&str; 4] = ["sport", "rule", "name", "note"];

/// How many rows a message points at.
const SHOWN: usize = 3;

/// The places of the columns.
struct Columns {
    needed: [usize; 5],
    optional: [Option<usize>; 4],
}

/// The rows of one kind of mistake: how many there are, and what is said of the first ones.
#[derive(Default)]
struct Mistakes {
    number: usize,
    labels: Vec<LabeledSpan>,
}

impl Mistakes {
    fn add(&mut self, span: Span, what: String) {
        self.number += 1;
        if self.labels.len() < SHOWN {
            self.labels.push(LabeledSpan::new_with_span(Some(what), span));
        }
    }

    /// The rows in words; none if there is no mistake.
    fn rows(&self) -> Option<String> {
        match self.number {
            0 => None,
            1 => Some("a row".to_owned()),
            number if number > SHOWN => Some(format!("{number} rows (the first {SHOWN} are shown)")),
            number => Some(format!("{number} rows")),
        }
    }
}

/// Reads a table: a test for each row.
pub fn packet_tests(file: &SourceFile, diagnostics: &mut Diagnostics) -> Vec<Test> {
    match read(file, diagnostics) {
        Ok(tests) => tests,
        Err(error) => {
            diagnostics.push(error);
            Vec::new()
        }
    }
}

fn read(file: &SourceFile, diagnostics: &mut Diagnostics) -> Result<Vec<Test>, TestError> {
    let text = file.text();
    let mut reader = ReaderBuilder::new()
        .delimiter(separator(text))
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let path = file.path().to_owned();
    let table = |what: String, span: Span| TestError::Table { path: path.clone(), what, span };
    let mut header = StringRecord::new();
    let first = file.span(row_place(text, 0));
    if !reader.read_record(&mut header).map_err(|problem| table(problem.to_string(), first))? {
        return Err(TestError::Empty { path, what: "a row for each packet", span: first });
    }
    let columns = columns(file, &header, first)?;
    let (mut tests, mut no_packet, mut no_verdict) = (Vec::new(), Mistakes::default(), Mistakes::default());
    let mut row = StringRecord::new();
    loop {
        let start = reader.position().byte();
        let is_row = reader.read_record(&mut row);
        let span = file.span(row_place(text, start));
        match is_row {
            Ok(false) => break,
            Ok(true) if row.len() == header.len() => {}
            Ok(true) => {
                let (cells, columns) = (row.len(), header.len());
                let what = format!("a row has {cells} cells, but the first row names {columns} columns");
                return Err(table(what, span));
            }
            Err(problem) => return Err(table(problem.to_string(), span)),
        }
        match test(&row, &columns, span) {
            Ok(test) => tests.push(test),
            Err(Mistake::Packet(what)) => no_packet.add(span, what),
            Err(Mistake::Verdict(what)) => no_verdict.add(span, what),
        }
    }
    if let Some(rows) = no_packet.rows() {
        diagnostics.push(TestError::NoPacket { path: path.clone(), rows, labels: no_packet.labels });
    }
    if let Some(rows) = no_verdict.rows() {
        diagnostics.push(TestError::NoVerdict { path: path.clone(), rows, labels: no_verdict.labels });
    }
    if tests.is_empty() && no_packet.number + no_verdict.number == 0 {
        return Err(TestError::Empty { path, what: "a row for each packet", span: first });
    }
    Ok(tests)
}

/// Finds the columns by their names.
fn columns(file: &SourceFile, header: &StringRecord, span: Span) -> Result<Columns, TestError> {
    let is = |found: &str, name: &str| found.trim().eq_ignore_ascii_case(name);
    let place = |name: &'static str| {
        let mut places =
            header.iter().enumerate().filter(|(_, found)| is(found, name)).map(|(place, _)| place);
        match (places.next(), places.next()) {
            (_, Some(_)) => Err(TestError::ColumnTwice { name, span }),
            (place, None) => Ok(place),
        }
    };
    let needed = |name: &'static str| {
        place(name)?.ok_or_else(|| {
            let alike = did_you_mean(name, header.iter().map(str::trim).filter(|found| !found.is_empty()));
            let alike = alike.map_or(String::new(), |alike| format!("is `{alike}` meant for it? "));
            let help = "it needs proto, src, dst, dport and verdict, and may have sport, rule, name and note";
            let help = format!("{alike}{help}");
            TestError::NoColumn { path: file.path().to_owned(), name, help, span }
        })
    };
    let [proto, src, dst, dport, verdict] = NEEDED.map(needed);
    let [sport, rule, name, note] = OPTIONAL.map(place);
    let columns =
        Columns { needed: [proto?, src?, dst?, dport?, verdict?], optional: [sport?, rule?, name?, note?] };
    // A column that is meant for one of these and called otherwise would be passed over without a word.
    let is_known = |found: &str| NEEDED.iter().chain(&OPTIONAL).any(|name| is(found, name));
    for found in header.iter().map(str::trim).filter(|found| !is_known(found)) {
        let slip = |name: &&&str| strsim::damerau_levenshtein(&found.to_lowercase(), name) == 1;
        if let Some(name) = ["sport", "rule"].iter().find(slip) {
            return Err(TestError::ColumnMisspelt { found: found.to_owned(), name, span });
        }
    }
    Ok(columns)
}

/// Why a row is no test.
enum Mistake {
    Packet(String),
    Verdict(String),
}

fn test(row: &StringRecord, columns: &Columns, span: Span) -> Result<Test, Mistake> {
    let cell = |place: usize| row.get(place).unwrap_or_default();
    let [proto, src, dst, dport, verdict] = columns.needed.map(cell);
    let [sport, rule, name, note] = columns.optional.map(|place| place.map_or("", cell));
    let packet = parse_packet(Fields { proto, src, dst, sport, dport })
        .map_err(|problem| Mistake::Packet(problem.to_string()))?;
    let expected = VERDICTS.into_iter().find(|known| known.eq_ignore_ascii_case(verdict.trim()));
    let expected = expected.ok_or_else(|| {
        let Some(verdict) = one_line(verdict) else { return Mistake::Verdict("no verdict".to_owned()) };
        let alike = suggestion(&verdict, VERDICTS).map_or(String::new(), |alike| format!("; {alike}"));
        Mistake::Verdict(format!("`{verdict}` is no verdict{alike}"))
    })?;
    let name = one_line(name).unwrap_or_else(|| packet.to_string());
    let question = Question::Packet { packet, expected, rule: one_line(rule) };
    Ok(Test { name, note: one_line(note), span, question })
}

/// The text of a cell on one line, if it has one.
fn one_line(cell: &str) -> Option<String> {
    let words: Vec<&str> = cell.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

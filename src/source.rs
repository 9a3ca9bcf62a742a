//! The text of a policy's files, and places in it.
//!
//! All files share one line of byte offsets, each file behind the one before, so that a [`Span`] of eight bytes names
//! a place in any of them. Diagnostics read their excerpts through the [`miette::SourceCode`] implementation.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// A range of bytes in one of the [`Sources`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// From the start of `self` to the end of `other`.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start, end: other.end }
    }

    /// The first byte, as an offset into [`Sources`].
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// The span of `length` bytes from `start`, as offsets into [`Sources`].
    pub fn from_offsets(start: usize, length: usize) -> Span {
        let offset = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Span { start: offset(start), end: offset(start.saturating_add(length)) }
    }

    /// The place behind its last byte, as an offset into [`Sources`].
    pub fn end_offset(self) -> usize {
        self.end as usize
    }

    /// The empty span behind its last byte.
    fn end(self) -> Span {
        Span { start: self.end, end: self.end }
    }
}

impl From<Span> for SourceSpan {
    fn from(span: Span) -> Self {
        (span.start as usize..span.end as usize).into()
    }
}

/// A value and the place where it was written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub node: T,
    /// Where it was written.
    pub span: Span,
}

/// One file of a policy.
#[derive(Clone, Debug)]
pub struct SourceFile {
    path: String,
    text: Arc<str>,
    start: u32,
    forbidden: Vec<(usize, char)>,
    /// Where each line starts.
    lines: Vec<u32>,
}

impl SourceFile {
    /// The path below the policy's directory, with `/` between its parts.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The content. Characters that may not stand in a policy are replaced, byte for byte, so that no excerpt of it
    /// can move a terminal's cursor or turn text around.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The characters that were replaced, with their offsets.
    pub fn forbidden(&self) -> &[(usize, char)] {
        &self.forbidden
    }

    /// The line that holds a byte, counted from zero.
    fn line_at(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start as usize <= offset).saturating_sub(1)
    }

    /// Where a line starts; the end of the text for lines behind the last.
    fn line_start(&self, line: usize) -> usize {
        self.lines.get(line).map_or(self.text.len(), |start| *start as usize)
    }

    /// The number of characters between the start of a line and a byte of it.
    fn column_at(&self, offset: usize) -> usize {
        let start = self.line_start(self.line_at(offset));
        self.text.get(start..offset).unwrap_or_default().chars().count()
    }

    /// The span of a range of bytes of this file; parts outside it are cut off.
    pub fn span(&self, range: Range<usize>) -> Span {
        let clamp = |offset: usize| self.start + u32::try_from(offset.min(self.text.len())).unwrap_or(0);
        Span { start: clamp(range.start), end: clamp(range.end) }
    }
}

/// A line and column, both counted from one; columns count characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Location {
    /// The path below the policy's directory.
    pub path: String,
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// The files of a policy.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

/// The sources together would exceed [`Sources::MAX_BYTES`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLarge;

impl Sources {
    /// The largest size of all files together, in bytes: 1 GiB.
    pub const MAX_BYTES: usize = 1 << 30;

    /// Adds a file and returns it.
    ///
    /// # Errors
    /// [`TooLarge`] if all files together would exceed [`Sources::MAX_BYTES`].
    pub fn add(&mut self, path: String, text: String) -> Result<&SourceFile, TooLarge> {
        // One byte between files keeps an empty span at the end of one apart from the start of the next.
        let start = self.files.last().map_or(0, |last| last.start as usize + last.text.len() + 1);
        if start + text.len() > Self::MAX_BYTES {
            return Err(TooLarge);
        }
        let start = u32::try_from(start).map_err(|_| TooLarge)?;
        let (text, forbidden) = without_forbidden(text);
        let ends = text.bytes().zip(1_u32..).filter(|(byte, _)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(_, next)| next)).collect();
        self.files.push(SourceFile { path, text: text.into(), start, forbidden, lines });
        self.files.last().ok_or(TooLarge)
    }

    /// The files in the order in which they were added.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The file that holds an offset.
    fn file_at(&self, offset: usize) -> Option<&SourceFile> {
        let index = self.files.partition_point(|file| file.start as usize <= offset);
        self.files.get(index.checked_sub(1)?)
    }

    /// The file, line and column of the first byte of `span`.
    pub fn locate(&self, span: Span) -> Location {
        let Some(file) = self.file_at(span.start()) else {
            return Location { path: String::new(), line: 1, column: 1 };
        };
        let offset = span.start() - file.start as usize;
        let (line, column) = (file.line_at(offset) + 1, file.column_at(offset) + 1);
        Location { path: file.path.clone(), line, column }
    }

    /// Where `span` starts, and the place behind its last byte.
    pub fn locate_range(&self, span: Span) -> (Location, Location) {
        (self.locate(span), self.locate(span.end()))
    }

    /// The line on which `span` starts, without its end.
    pub fn line(&self, span: Span) -> &str {
        let Some(file) = self.file_at(span.start()) else { return "" };
        let line_start = file.line_start(file.line_at(span.start() - file.start as usize));
        file.text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default()
    }

    /// The text that `span` covers.
    pub fn text(&self, span: Span) -> &str {
        let file = self.file_at(span.start());
        let slice = file.and_then(|file| {
            let start = file.start as usize;
            file.text.get(span.start as usize - start..span.end as usize - start)
        });
        slice.unwrap_or_default()
    }
}

/// True for control characters other than tab and line ends, and for characters that reorder or hide text
/// (Unicode Technical Report 36, 3.5; CVE-2021-42574).
pub fn is_forbidden(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => false,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => true,
        other => other.is_control(),
    }
}

/// Replaces each forbidden character by `?` as often as it has bytes, and says which there were.
fn without_forbidden(text: String) -> (String, Vec<(usize, char)>) {
    let found: Vec<(usize, char)> = text.char_indices().filter(|(_, c)| is_forbidden(*c)).collect();
    if found.is_empty() {
        return (text, found);
    }
    let replaced = |c: char| if is_forbidden(c) { "?".repeat(c.len_utf8()) } else { c.to_string() };
    (text.chars().map(replaced).collect(), found)
}

/// The longest excerpt, in bytes, and what is shown of a line on each side of a place. Messages are laid out in columns
/// that count to 65,535, which a longer line would exceed.
const MAX_EXCERPT: usize = 4_096;

/// Excerpts of one file. What is asked for is cut to `MAX_EXCERPT` bytes on each side; a place that is longer than that has
/// no excerpt, so that two places far apart get one each.
impl SourceCode for Sources {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let file = self.file_at(span.offset()).ok_or(MietteError::OutOfBounds)?;
        let start = span.offset() - file.start as usize;
        let end = start + span.len();
        if end > file.text.len() || span.len() > MAX_EXCERPT {
            return Err(MietteError::OutOfBounds);
        }
        let first = file.line_at(start).saturating_sub(context_lines_before);
        let last = file.line_at(end.saturating_sub(1).max(start)) + context_lines_after;
        let from = if context_lines_before == 0 { start } else { file.line_start(first) };
        let from = file.text.ceil_char_boundary(from.max(start.saturating_sub(MAX_EXCERPT)));
        let to = file.text.floor_char_boundary(file.line_start(last + 1).min(end + MAX_EXCERPT));
        let excerpt = file.text.get(from..to).ok_or(MietteError::OutOfBounds)?;
        Ok(Box::new(MietteSpanContents::new_named(
            file.path.clone(),
            excerpt.as_bytes(),
            (from + file.start as usize, excerpt.len()).into(),
            file.line_at(from),
            file.column_at(from),
            excerpt.lines().count(),
        )))
    }
}

impl Sources {
    /// The start of `span`, no longer than an excerpt can show.
    pub fn shown(&self, span: Span) -> Span {
        const MAX_SHOWN: usize = 1_000;
        let text = self.text(span);
        let length = if text.len() > MAX_SHOWN {
            text.floor_char_boundary(MAX_SHOWN)
        } else {
            span.end_offset() - span.start()
        };
        Span::from_offsets(span.start(), length)
    }
}

/// Whose turn it is to parse. pest keeps one limit of calls for the process, so what is parsed under a limit is parsed
/// alone, and what is parsed without one never meets the limit of another thread.
static PARSING: RwLock<()> = RwLock::new(());

/// Parses with a grammar that nesting could lead astray, in at most so many calls of its rules.
pub fn parse_bounded<T>(calls: usize, parse: impl FnOnce() -> T) -> T {
    let alone = PARSING.write().unwrap_or_else(PoisonError::into_inner);
    pest::set_call_limit(NonZeroUsize::new(calls));
    let parsed = parse();
    pest::set_call_limit(None);
    drop(alone);
    parsed
}

/// Parses with a flat grammar, whose calls grow with the text and not faster.
pub fn parse_flat<T>(parse: impl FnOnce() -> T) -> T {
    let shared = PARSING.read().unwrap_or_else(PoisonError::into_inner);
    let parsed = parse();
    drop(shared);
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_files() -> Sources {
        let mut sources = Sources::default();
        sources.add("a.cordon".into(), "one\nzwölf drei\n".into()).unwrap();
        sources.add("b.cordon".into(), "four".into()).unwrap();
        sources
    }

    #[test]
    fn a_span_is_found_in_its_own_file_by_line_and_character() {
        let sources = two_files();
        let span = sources.files()[0].span(11..15);
        assert_eq!(sources.text(span), "drei");
        assert_eq!(sources.locate(span).to_string(), "a.cordon:2:7");
        assert_eq!(sources.locate(sources.files()[1].span(0..4)).to_string(), "b.cordon:1:1");
    }

    #[test]
    fn a_character_that_turns_text_around_is_replaced_in_place() {
        let mut sources = Sources::default();
        let file = sources.add("a.cordon".into(), "zone \u{202e}x\u{7}y".into()).unwrap();
        assert_eq!(file.text(), "zone ???x?y");
        assert_eq!(file.forbidden(), [(5, '\u{202e}'), (9, '\u{7}')]);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let mut sources = Sources::default();
        sources
            .add("a.cordon".into(), format!("first\n{}here{}\nlast", "ü".repeat(50_000), "y".repeat(100_000)))
            .unwrap();
        let place = sources.files()[0].span(100_006..100_010);
        let excerpt = sources.read_span(&place.into(), 1, 1).unwrap();
        let text = std::str::from_utf8(excerpt.data()).unwrap();
        assert!(text.contains("üherey") && text.len() <= 2 * MAX_EXCERPT + 4, "{}", text.len());
        assert_eq!((excerpt.line(), excerpt.column()), (1, 50_000 - MAX_EXCERPT / 2));
        let exact = sources.read_span(&place.into(), 0, 0).unwrap();
        assert_eq!((exact.line(), exact.column()), (1, 50_000));
        let whole = sources.files()[0].span(0..200_000);
        assert!(sources.read_span(&whole.into(), 0, 0).is_err());
        assert!(sources.read_span(&sources.shown(whole).into(), 0, 0).is_ok());
    }

    #[test]
    fn a_span_across_files_cannot_be_read() {
        let sources = two_files();
        let across = sources.files()[0].span(0..3).to(sources.files()[1].span(0..4));
        assert!(sources.read_span(&across.into(), 0, 0).is_err());
    }
}

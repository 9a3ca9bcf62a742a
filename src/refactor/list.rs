//! Edits of lists that commas join: an entry more or less, with the layout of the list and every comment kept.

use crate::edit::Edit;
use crate::source::{Sources, Span};

/// Where a list stands.
pub(super) struct List<'a> {
    sources: &'a Sources,
    /// The words of the list, in the order of the text.
    words: Vec<Span>,
}

impl<'a> List<'a> {
    pub(super) fn new(sources: &'a Sources, words: Vec<Span>) -> Self {
        List { sources, words }
    }

    /// The text of the list's file behind a place, and before it.
    fn around(&self, offset: usize) -> (&'a str, &'a str) {
        let at = Span::from_offsets(offset, 0);
        let files = self.sources.files().iter();
        let mut holding = files.filter_map(|file| {
            let whole = file.span(0..file.text().len());
            (whole.start()..=whole.end_offset()).contains(&at.start()).then_some((file.text(), whole.start()))
        });
        let Some((text, start)) = holding.next() else { return ("", "") };
        text.split_at_checked(offset - start).unwrap_or(("", ""))
    }

    /// The edits that put `entry` behind the last word. Where each word has a line of its own, so has the new one.
    pub(super) fn add(&self, entry: &str) -> Vec<Edit> {
        let Some(last) = self.words.last() else { return Vec::new() };
        let end = last.end_offset();
        let (_, behind) = self.around(end);
        let (before, _) = self.around(last.start());
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let indent = before.get(line_start..).unwrap_or_default();
        let rest = behind.split('\n').next().unwrap_or_default();
        let has_end = behind.len() > rest.len();
        let own_line = self.words.len() > 1 && indent.chars().all(char::is_whitespace) && has_end;
        let (comma, comment) = match rest.trim_start().strip_prefix(',') {
            Some(comment) => (true, comment),
            None => (false, rest),
        };
        let comment = comment.trim();
        if !own_line || !(comment.is_empty() || comment.starts_with('#')) || (!comma && next_is_comma(behind))
        {
            return vec![insert(end, format!(", {entry}"))];
        }
        let line_end = end + rest.trim_end_matches('\r').len();
        let newline = if rest.ends_with('\r') { "\r\n" } else { "\n" };
        let own_comma = if comma { "," } else { "" };
        let new_line = insert(line_end, format!("{newline}{indent}{entry}{own_comma}"));
        match (comma, line_end == end) {
            (true, _) => vec![new_line],
            (false, true) => vec![insert(end, format!(",{}", new_line.text))],
            (false, false) => vec![insert(end, ",".to_owned()), new_line],
        }
    }

    /// The edits that take the word at `place` out of a list of several. A comment beside it stays.
    pub(super) fn remove(&self, place: usize) -> Vec<Edit> {
        let Some(word) = self.words.get(place).copied() else { return Vec::new() };
        let (_, behind) = self.around(word.end_offset());
        let comma_behind = skip_blank(behind).filter(|rest| rest.starts_with(','));
        if let Some(rest) = comma_behind {
            let comma = word.end_offset() + (behind.len() - rest.len());
            if behind.starts_with(',') {
                return vec![cut(word.start(), comma + 1)];
            }
            return vec![Edit::removal(word), cut(comma, comma + 1)];
        }
        let Some(previous) = place.checked_sub(1).and_then(|place| self.words.get(place)) else {
            return vec![Edit::removal(word)];
        };
        let between = self
            .sources
            .text(Span::from_offsets(previous.end_offset(), word.start() - previous.end_offset()));
        if between.chars().all(|c| c == ',' || c.is_whitespace()) {
            return vec![cut(previous.end_offset(), word.end_offset())];
        }
        let comma = skip_blank(between).map_or(0, |rest| between.len() - rest.len());
        let comma = previous.end_offset() + comma;
        vec![cut(comma, comma + 1), Edit::removal(word)]
    }
}

/// An edit that inserts.
pub(super) fn insert(offset: usize, text: String) -> Edit {
    Edit { span: Span::from_offsets(offset, 0), text }
}

/// An edit that removes what stands between two offsets.
pub(super) fn cut(start: usize, end: usize) -> Edit {
    Edit::removal(Span::from_offsets(start, end.saturating_sub(start)))
}

/// What follows behind blanks and comments.
fn skip_blank(text: &str) -> Option<&str> {
    let mut rest = text.trim_start();
    while rest.starts_with('#') {
        rest = rest.split_once('\n')?.1.trim_start();
    }
    Some(rest)
}

fn next_is_comma(text: &str) -> bool {
    skip_blank(text).is_some_and(|rest| rest.starts_with(','))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::apply;

    /// What becomes of a text in which the words `a` to `c` are a list.
    fn edited(text: &str, edits: impl Fn(&List) -> Vec<Edit>) -> String {
        let mut sources = Sources::default();
        let file = sources.add("a.cordon".into(), text.into()).unwrap().clone();
        let words = ["a", "b", "c"].iter().filter_map(|word| {
            let place = text.split(['#', ',', ' ', '\n', '\r']).scan(0, |at, part| {
                let start = *at;
                *at += part.len() + 1;
                Some((start, part))
            });
            let found = place.into_iter().find(|(_, part)| part == word)?;
            Some(file.span(found.0..found.0 + 1))
        });
        let list = List::new(&sources, words.collect());
        let rewritten = apply(&sources, &edits(&list)).unwrap();
        rewritten.first().map_or(text.to_owned(), |file| file.after.clone())
    }

    #[test]
    fn an_entry_is_added_as_the_list_is_laid_out() {
        let cases = [
            ("{ a, b }", "{ a, b, new }"),
            ("{ a, b, }", "{ a, b, new, }"),
            ("{ a }", "{ a, new }"),
            ("{\n  a,\n  b\n}", "{\n  a,\n  b,\n  new\n}"),
            ("{\n  a,\n  b, # x\n}", "{\n  a,\n  b, # x\n  new,\n}"),
            ("{\n  a,\n  b # x\n}", "{\n  a,\n  b, # x\n  new\n}"),
            ("{\r\n  a,\r\n  b\r\n}", "{\r\n  a,\r\n  b,\r\n  new\r\n}"),
            ("{\n  a,\n  b owner x }", "{\n  a,\n  b, new owner x }"),
            ("{\n  a,\n  b # x\n, }", "{\n  a,\n  b, new # x\n, }"),
            ("{ a,\n  b", "{ a,\n  b, new"),
        ];
        for (before, after) in cases {
            assert_eq!(edited(before, |list| list.add("new")), after, "{before:?}");
        }
    }

    #[test]
    fn an_entry_is_removed_and_comments_stay() {
        let cases = [
            ("{ a, b, c }", 0, "{ b, c }"),
            ("{ a, b, c }", 1, "{ a, c }"),
            ("{ a, b, c }", 2, "{ a, b }"),
            ("{ a, b, c, }", 2, "{ a, b, }"),
            ("{\n  a,\n  b,\n  c\n}", 1, "{\n  a,\n  c\n}"),
            ("{\n  a,\n  b,\n  c\n}", 2, "{\n  a,\n  b\n}"),
            ("{\r\n  a,\r\n  b,\r\n}", 1, "{\r\n  a,\r\n}"),
            ("{\n  a, # x\n  b, # y\n  c # z\n}", 1, "{\n  a, # x\n  # y\n  c # z\n}"),
            ("{\n  a, # x\n  b # y\n}", 1, "{\n  a # x\n  # y\n}"),
            ("{ a # x\n, b }", 0, "{ # x\nb }"),
        ];
        for (before, place, after) in cases {
            assert_eq!(edited(before, |list| list.remove(place)), after, "{before:?} {place}");
        }
    }
}

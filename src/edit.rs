//! Changes of a policy's text: what stands at a place is replaced, and every other byte, comments among them, stays.

use thiserror::Error;

use crate::source::{Sources, Span};

/// What shall stand at a place. An empty place inserts, and an empty text removes, together with the blanks before it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Edit {
    /// The bytes that are replaced, all in one file.
    pub span: Span,
    /// What stands there then.
    pub text: String,
}

impl Edit {
    /// The edit that removes what stands at a place.
    pub fn removal(span: Span) -> Edit {
        Edit { span, text: String::new() }
    }
}

/// A file whose text changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rewritten {
    /// The path below the policy's directory.
    pub path: String,
    /// What it says now.
    pub before: String,
    /// What it shall say.
    pub after: String,
}

/// Why text is left as it is.
#[derive(Clone, PartialEq, Eq, Error, Debug)]
pub enum EditError {
    /// Two edits speak of the same bytes.
    #[error("two changes meet at {0}")]
    Overlap(String),
    /// What was read is not what the file holds, byte for byte.
    #[error("`{0}` holds characters that cannot stand in a policy")]
    Forbidden(String),
}

/// What an edit replaces: its place; where it removes, with the blanks before it on its line, and with the line itself if
/// nothing else stands there.
pub fn widened(sources: &Sources, edit: &Edit) -> Span {
    let (start, end) = (edit.span.start(), edit.span.end_offset());
    let file = sources.files().iter().find(|file| {
        let whole = file.span(0..file.text().len());
        (whole.start()..=whole.end_offset()).contains(&start)
    });
    let Some(file) = file.filter(|_| edit.text.is_empty()) else { return edit.span };
    let offset = file.span(0..0).start();
    let (before, behind) = (file.text().get(..start - offset), file.text().get(end.saturating_sub(offset)..));
    let (Some(before), Some(behind)) = (before, behind) else { return edit.span };
    if behind.starts_with(|next: char| !next.is_whitespace() && next != '}' && next != ',') {
        // Without the blanks, what stands before and behind would become one word.
        return edit.span;
    }
    let blank = [' ', '\t'];
    let kept = before.trim_end_matches(blank);
    let is_line_start = kept.is_empty() || kept.ends_with('\n');
    let rest = behind.trim_start_matches(blank);
    let line_end = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n'));
    match line_end {
        Some(next) if is_line_start => file.span(kept.len()..file.text().len() - next.len()),
        // What stands first on its line keeps the indent for what follows.
        _ if is_line_start => file.span(before.len()..file.text().len() - rest.len()),
        _ => file.span(kept.len()..end - offset),
    }
}

/// The files that change, in the order of their texts. Equal edits are one; edits that change nothing change no file.
///
/// # Errors
/// [`EditError`] if edits overlap, or a file holds characters that were replaced when it was read.
pub fn apply(sources: &Sources, edits: &[Edit]) -> Result<Vec<Rewritten>, EditError> {
    let edits = edits.iter().map(|edit| Edit { span: widened(sources, edit), text: edit.text.clone() });
    let mut edits: Vec<Edit> = edits.collect();
    edits.sort();
    edits.dedup();
    for pair in edits.windows(2) {
        if let [one, next] = pair
            && (next.span.start() < one.span.end_offset() || next.span == one.span)
        {
            return Err(EditError::Overlap(sources.locate(next.span).to_string()));
        }
    }
    let mut rewritten = Vec::new();
    for file in sources.files() {
        let whole = file.span(0..file.text().len());
        let own = |edit: &&Edit| (whole.start()..=whole.end_offset()).contains(&edit.span.start());
        let mut after = String::with_capacity(file.text().len());
        let mut done = 0;
        for edit in edits.iter().filter(own) {
            let (start, end) = (edit.span.start() - whole.start(), edit.span.end_offset() - whole.start());
            after.push_str(file.text().get(done..start).unwrap_or_default());
            after.push_str(&edit.text);
            done = end;
        }
        after.push_str(file.text().get(done..).unwrap_or_default());
        if after == file.text() {
            continue;
        }
        if !file.forbidden().is_empty() {
            return Err(EditError::Forbidden(file.path().to_owned()));
        }
        rewritten.push(Rewritten { path: file.path().to_owned(), before: file.text().to_owned(), after });
    }
    Ok(rewritten)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Sources {
        let mut sources = Sources::default();
        sources.add("a.cordon".into(), "group a { b, c } # why\n".into()).unwrap();
        sources.add("b.cordon".into(), "group d { b }\n".into()).unwrap();
        sources
    }

    fn edit(sources: &Sources, file: usize, range: std::ops::Range<usize>, text: &str) -> Edit {
        Edit { span: sources.files()[file].span(range), text: text.to_owned() }
    }

    #[test]
    fn what_no_edit_speaks_of_stays() {
        let sources = sources();
        let edits = [
            edit(&sources, 1, 14..14, "# end\n"),
            edit(&sources, 0, 10..11, "long"),
            edit(&sources, 0, 10..11, "long"),
            edit(&sources, 0, 11..14, ""),
        ];
        let rewritten = apply(&sources, &edits).unwrap();
        let texts: Vec<&str> = rewritten.iter().map(|file| file.after.as_str()).collect();
        assert_eq!(texts, ["group a { long } # why\n", "group d { b }\n# end\n"]);
        assert_eq!(apply(&sources, &[edit(&sources, 0, 10..11, "b")]), Ok(Vec::new()));
    }

    #[test]
    fn edits_that_meet_are_refused() {
        let sources = sources();
        let edits = [edit(&sources, 0, 10..14, "x"), edit(&sources, 0, 13..14, "y")];
        assert_eq!(apply(&sources, &edits), Err(EditError::Overlap("a.cordon:1:14".into())));
    }

    #[test]
    fn a_file_that_was_not_read_as_it_is_is_left_alone() {
        let mut sources = Sources::default();
        sources.add("a.cordon".into(), "group a { b } # \u{7}\n".into()).unwrap();
        let edits = [edit(&sources, 0, 10..11, "c")];
        assert_eq!(apply(&sources, &edits), Err(EditError::Forbidden("a.cordon".into())));
    }
}

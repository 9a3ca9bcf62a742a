//! As much of Rust's form as the checks need: what of a file is code, what of the code is tests, where an item ends.

use super::files::{File, numbered};

/// A Rust file, taken apart.
pub(super) struct Rust {
    /// The file with comments, texts and characters blanked out; every line is where it was.
    pub(super) code: String,
    /// For each line, whether it belongs to tests.
    in_tests: Vec<bool>,
}

impl Rust {
    pub(super) fn new(file: &File) -> Self {
        let code = blank_out(&file.text);
        let in_tests =
            if is_test_file(&file.path) { vec![true; code.lines().count()] } else { mark_tests(&code) };
        Rust { code, in_tests }
    }

    /// The lines of code that a user runs: numbers that count from one, and the lines.
    pub(super) fn shipped_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        numbered(&self.code).filter(|(line, _)| self.is_shipped(*line))
    }

    /// False for lines of tests.
    pub(super) fn is_shipped(&self, line: usize) -> bool {
        self.in_tests.get(line - 1) == Some(&false)
    }
}

/// True for files that are tests as a whole.
fn is_test_file(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.any(|part| part == "tests" || part == "tests.rs")
}

/// Where lines start.
pub(super) fn line_starts(code: &str) -> impl Iterator<Item = usize> {
    std::iter::once(0).chain(code.match_indices('\n').map(|(place, _)| place + 1))
}

/// The line that a place is in, counted from one.
pub(super) fn line_of(code: &str, place: usize) -> usize {
    code.bytes().take(place).filter(|byte| *byte == b'\n').count() + 1
}

fn mark_tests(code: &str) -> Vec<bool> {
    let mut marks = vec![false; code.lines().count()];
    for start in line_starts(code) {
        let line = code.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let end = match line.trim() {
            "#[cfg(test)]" => item_end(code, start + line.len()),
            "#![cfg(test)]" => code.len(),
            _ => continue,
        };
        let lines = line_of(code, start)..=line_of(code, end);
        lines.filter_map(|line| marks.get_mut(line - 1).map(|mark| *mark = true)).for_each(drop);
    }
    marks
}

/// The place of the `}` or `;` that ends the item that starts at a place.
pub(super) fn item_end(code: &str, start: usize) -> usize {
    let (mut nested, mut braces) = (0_usize, 0_usize);
    for (place, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => nested += 1,
            b')' | b']' => nested = nested.saturating_sub(1),
            b'{' => braces += 1,
            b'}' if braces <= 1 => return place,
            b'}' => braces -= 1,
            b';' if nested == 0 && braces == 0 => return place,
            _ => {}
        }
    }
    code.len()
}

/// The words of a line of code, each with its place.
pub(super) fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let place = |word: &str| word.as_ptr().addr() - line.as_ptr().addr();
    line.split(move |c| !is_word(c)).filter(|word| !word.is_empty()).map(move |word| (place(word), word))
}

/// Rust with spaces in the place of comments, texts and characters.
pub(super) fn blank_out(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let blank = match code.chars().next_back() {
            Some(last) if last.is_alphanumeric() || last == '_' => comment_or_quote(rest),
            _ => comment_or_quote(rest).or_else(|| raw_text(rest)),
        };
        let (head, tail) = rest.split_at(blank.unwrap_or(next.len_utf8()).min(rest.len()));
        match blank {
            Some(_) => code.extend(head.chars().map(|c| if c == '\n' { '\n' } else { ' ' })),
            None => code.push(next),
        }
        rest = tail;
    }
    code
}

/// The length of the comment, text or character that `rest` starts with.
fn comment_or_quote(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    if rest.starts_with('"') {
        return Some(quoted(rest, '"'));
    }
    let mut characters = rest.strip_prefix('\'')?.chars();
    let (first, second) = (characters.next()?, characters.next()?);
    // A quote that is not closed is that of a lifetime.
    (first == '\\' || second == '\'').then(|| quoted(rest, '\''))
}

/// The length of a text that starts with `quote` and ends at the next one that is not escaped.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (place, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return place + 1,
            _ => {}
        }
    }
    rest.len()
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    for (place, _) in rest.match_indices(['/', '*']) {
        match rest.get(place..place + 2) {
            Some("/*") => depth += 1,
            Some("*/") if depth == 1 => return place + 2,
            Some("*/") => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of the raw text that `rest` starts with.
fn raw_text(rest: &str) -> Option<usize> {
    let prefix = ["br", "cr", "r"].into_iter().find(|prefix| rest.starts_with(prefix))?;
    let hashes = rest.get(prefix.len()..)?.chars().take_while(|c| *c == '#').count();
    let start = prefix.len() + hashes;
    let content = rest.get(start..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(content.find(&end).map_or(rest.len(), |place| start + 1 + place + end.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_comments_and_characters_are_not_code() {
        let blank = |text: &str| blank_out(text).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(blank("a \"b } \\\" c\" d // e\nf"), "a d f");
        assert_eq!(blank("a /* b /* c */ d */ e"), "a e");
        assert_eq!(blank("a r#\"b \" c\"# d br\"e\" f"), "a d f");
        assert_eq!(blank("'{' x '\\'' y '\"' z b'}'"), "x y z b");
        assert_eq!(blank("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
        assert_eq!(blank("r#type xr\"a\" y"), "r#type xr y");
        assert_eq!(blank_out("a /* \n */ b\n").lines().count(), 2);
    }

    #[test]
    fn an_item_ends_with_its_brace_or_semicolon() {
        let rest = |code| str::get(code, item_end(code, 0) + 1..).unwrap_or_default();
        assert_eq!(rest("fn f(x: [u8; 2]) -> u8 { { x } } fn g() {}"), " fn g() {}");
        assert_eq!(rest("mod tests; fn g() {}"), " fn g() {}");
    }

    #[test]
    fn tests_are_told_from_what_is_shipped() {
        let file =
            File::new("src/a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n");
        let lines: Vec<usize> = Rust::new(&file).shipped_lines().map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 6]);
        let whole = File::new("src/set/tests/laws.rs", "fn a() {}\n");
        assert_eq!(Rust::new(&whole).shipped_lines().count(), 0);
    }
}

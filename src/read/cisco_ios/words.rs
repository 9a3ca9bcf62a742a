//! Words of a line, taken one after the other.

/// What is wrong with a line, in words.
pub(super) type Fault = String;

/// The words of a line that are still to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'w, 't> {
    rest: &'w [&'t str],
}

impl<'w, 't> Words<'w, 't> {
    /// Starts at the first of some words.
    pub(super) fn new(words: &'w [&'t str]) -> Self {
        Words { rest: words }
    }

    /// The next word, left where it is.
    pub(super) fn peek(&self) -> Option<&'t str> {
        self.rest.first().copied()
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Option<&'t str> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// The next word, or a fault that says what is missing.
    pub(super) fn required(&mut self, what: &str) -> Result<&'t str, Fault> {
        self.next().ok_or_else(|| format!("the line ends where {what} should stand"))
    }

    /// Takes the next word if it is this one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        if found {
            self.next();
        }
        found
    }

    /// Takes the next word if it is a number of this kind.
    pub(super) fn number<N: std::str::FromStr>(&mut self) -> Option<N> {
        let number =
            self.peek().filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()?;
        self.next();
        Some(number)
    }

    /// A fault if words are left.
    pub(super) fn finish(&self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(word) => Err(format!("`{word}` is not understood here")),
        }
    }
}

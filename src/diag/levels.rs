//! Levels: which warnings a run counts as findings, and which it leaves out.
//!
//! In: codes, or beginnings of codes, each with what shall be done with its warnings. Out: what is done with a warning.
//! Errors have no level: with them there is no output to trust.

use super::codes::{CODES, Level};
use super::suggestion;

/// What a run does with a warning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Treatment {
    /// It is left out, and counted.
    Allow,
    /// It is said.
    Warn,
    /// It is said, and stops what an error would stop.
    Deny,
}

/// What a run does with warnings by their codes.
#[derive(Clone, Default, Debug)]
pub struct Levels {
    /// Codes and beginnings of codes, the longest first.
    by_prefix: Vec<(String, Treatment)>,
}

/// Why a code cannot be given a level.
#[derive(Clone, PartialEq, Eq, thiserror::Error, Debug)]
pub enum LevelError {
    /// No code begins so.
    #[error("there is no code `{code}`{}", help.as_ref().map(|help| format!(": {help}")).unwrap_or_default())]
    Unknown {
        /// What was given.
        code: String,
        /// What may be meant.
        help: Option<String>,
    },
    /// All that begins so are errors.
    #[error(
        "`{0}` is an error, and no level changes that: what is built in spite of it could not be trusted"
    )]
    Error(String),
    /// The same is said to be treated in two ways.
    #[error("`{0}` is given two levels; say one of them")]
    Twice(String),
}

impl Levels {
    /// The levels of codes and beginnings of codes. Where several fit a code, the longest decides, in whatever order they
    /// were given.
    ///
    /// # Errors
    /// [`LevelError`] for what is no code, for errors, and for two levels of the same.
    pub fn new(given: impl IntoIterator<Item = (String, Treatment)>) -> Result<Levels, LevelError> {
        let mut by_prefix: Vec<(String, Treatment)> = Vec::new();
        for (prefix, treatment) in given {
            check(&prefix)?;
            match by_prefix.iter().find(|(known, _)| *known == prefix) {
                Some((_, known)) if *known != treatment => return Err(LevelError::Twice(prefix)),
                Some(_) => {}
                None => by_prefix.push((prefix, treatment)),
            }
        }
        by_prefix.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(Levels { by_prefix })
    }

    /// What is done with a warning of this code.
    pub fn of(&self, code: &str) -> Treatment {
        let found = self.by_prefix.iter().find(|(prefix, _)| code.starts_with(prefix));
        found.map_or(Treatment::Warn, |(_, treatment)| *treatment)
    }
}

/// Reports what begins no code, or none of a warning.
fn check(prefix: &str) -> Result<(), LevelError> {
    let mut meant = CODES.iter().filter(|code| code.code.starts_with(prefix)).peekable();
    if prefix.is_empty() || meant.peek().is_none() {
        let help = suggestion(prefix, CODES.iter().map(|code| code.code));
        return Err(LevelError::Unknown { code: prefix.to_owned(), help });
    }
    if meant.all(|code| code.level == Level::Error) {
        return Err(LevelError::Error(prefix.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(given: &[(&str, Treatment)]) -> Result<Levels, LevelError> {
        Levels::new(given.iter().map(|(prefix, treatment)| ((*prefix).to_owned(), *treatment)))
    }

    #[test]
    fn the_longest_beginning_decides_in_any_order() {
        let mut given = [("C", Treatment::Deny), ("C0305", Treatment::Allow), ("C03", Treatment::Warn)];
        for _ in 0..given.len() {
            given.rotate_left(1);
            let levels = levels(&given).unwrap();
            let of = ["C0305", "C0308", "C0641"].map(|code| levels.of(code));
            assert_eq!(of, [Treatment::Allow, Treatment::Warn, Treatment::Deny]);
        }
    }

    #[test]
    fn errors_and_what_is_no_code_have_no_level() {
        let unknown = |code: &str, help: Option<&str>| LevelError::Unknown {
            code: code.to_owned(),
            help: help.map(str::to_owned),
        };
        let allow = |code| levels(&[(code, Treatment::Allow)]).unwrap_err();
        assert_eq!(allow("C0101"), LevelError::Error("C0101".to_owned()));
        assert_eq!(allow("C305"), unknown("C305", Some("did you mean `C0305`?")));
        assert_eq!(allow(""), unknown("", None));
        let twice = levels(&[("C0305", Treatment::Allow), ("C0305", Treatment::Deny)]);
        assert_eq!(twice.unwrap_err(), LevelError::Twice("C0305".to_owned()));
        assert!(levels(&[("C0305", Treatment::Deny), ("C0305", Treatment::Deny)]).is_ok());
    }
}

//! Levels on the command line: `--allow`, `--warn` and `--deny`.

use clap::Args;

use super::Failure;
use crate::diag::{Levels, Treatment};

/// What shall be done with warnings, by codes or beginnings of codes. The longest decides; errors cannot be named.
#[derive(Args, Clone, Default, Debug)]
pub(super) struct LevelFlags {
    /// Leave out warnings with these codes, or beginnings of codes, and count them: `C0305,C10`
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    allow: Vec<String>,
    /// Say these warnings, though a shorter code is allowed or denied
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    warn: Vec<String>,
    /// Take these warnings for findings
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    deny: Vec<String>,
}

/// What all codes begin with.
const ALL: &str = "C";

impl LevelFlags {
    /// The levels, in which all warnings may be denied unless more is said of them.
    pub(super) fn levels(&self, denies_all: bool) -> Result<Levels, Failure> {
        let all = denies_all.then(|| (ALL.to_owned(), Treatment::Deny));
        let given =
            [(&self.allow, Treatment::Allow), (&self.warn, Treatment::Warn), (&self.deny, Treatment::Deny)];
        let given = given.into_iter().flat_map(|(codes, treatment)| {
            codes.iter().map(move |code| (code.trim().to_uppercase(), treatment))
        });
        Levels::new(all.into_iter().chain(given)).map_err(|error| Failure(error.to_string()))
    }
}

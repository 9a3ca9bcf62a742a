//! One style for the text of a policy.
//!
//! In: a file in whose form nothing is wrong. Out: its text in the style of `docs/formatting.md`. Every token stays, in its
//! order, and so does every comment; what changes is the space between them. That this is so is compared before the text
//! is handed out.

mod fill;
mod layout;
mod piece;
mod table;
mod token;

use thiserror::Error;

use crate::source::SourceFile;
use crate::syntax::outline;

/// The longest line, in characters, before columns are aligned.
const MAX_WIDTH: usize = 130;

/// Why a file is left as it is.
#[derive(Clone, Copy, PartialEq, Eq, Error, Debug)]
pub enum FormatError {
    /// What came out would not say the same.
    #[error(
        "its words would not stay as they are, which is a bug in cordon (C0999); please report it with the file"
    )]
    Changed,
    /// Its form is wrong, which the parser says.
    #[error("it cannot be read")]
    Unreadable,
}

/// The text of a file in the one style. The file must have been parsed without a mistake.
///
/// # Errors
/// [`FormatError`] if the file cannot be read, or the text would not have the same tokens.
pub fn format(file: &SourceFile) -> Result<String, FormatError> {
    if !file.forbidden().is_empty() {
        return Err(FormatError::Unreadable);
    }
    let outline = outline(file).ok_or(FormatError::Unreadable)?;
    let text = layout::lay_out(&piece::pieces(file.text(), &outline));
    // INVARIANT: nothing is written whose tokens, comments among them, are not those of the file.
    if same_tokens(file.text(), &text) { Ok(text) } else { Err(FormatError::Changed) }
}

fn same_tokens(before: &str, after: &str) -> bool {
    let said =
        |text| token::tokens(text).into_iter().map(|token| (token.kind, token.text)).collect::<Vec<_>>();
    said(before) == said(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_more_or_less_is_no_layout() {
        assert!(same_tokens("zone a{rest} # why ", "zone a {\n rest }\n# why"));
        for other in ["zone a{rest}", "zone b{rest} # why", "zone a{re st} # why", "zone a{rest} # Why"] {
            assert!(!same_tokens("zone a{rest} # why", other), "{other}");
        }
    }
}

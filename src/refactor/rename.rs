//! Renaming a statement, with every word that names it.

use thiserror::Error;

use super::reference::{ANY, Reference, Space, references};
use crate::diag::suggestion;
use crate::edit::Edit;
use crate::source::{Sources, Span};
use crate::syntax::ast::{Condition, File, Members, Statement};
use crate::syntax::{MAX_NAME_BYTES, is_reserved, valid_name};

/// What no enforcement point can be called, since the folder of this name holds what postures take away.
const FOLDER: &str = "postures";

/// A rename, worked out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rename {
    /// Where the name is looked up.
    pub space: Space,
    /// The keyword of what is renamed.
    pub kind: &'static str,
    /// One edit for each place.
    pub edits: Vec<Edit>,
    /// Conditions that compare with the old name what a table says, which are left as they are.
    pub left: Vec<Span>,
}

/// Why a rename is refused.
#[derive(Clone, PartialEq, Eq, Error, Debug)]
pub enum RenameError {
    /// Nothing is called so.
    #[error("nothing is called `{name}`{help}")]
    Unknown {
        /// The name.
        name: String,
        /// `: did you mean ...?`, or nothing.
        help: String,
    },
    /// It names statements that share no names.
    #[error("`{name}` names {kinds}: say which one with `--kind`")]
    Ambiguous {
        /// The name.
        name: String,
        /// What it names, with places.
        kinds: String,
    },
    /// The new name is taken.
    #[error("`{name}` is taken by the {kind} at {place}; {kinds} share their names: choose another one")]
    Taken {
        /// The new name.
        name: String,
        /// The keyword of what has it.
        kind: &'static str,
        /// Where that is declared.
        place: String,
        /// What shares its names.
        kinds: &'static str,
    },
    /// The new name can be no name.
    #[error("`{name}` cannot be a name: {problem}")]
    NoName {
        /// The new name.
        name: String,
        /// Why not.
        problem: String,
    },
    /// Both names are the same.
    #[error("it is called `{0}` already")]
    Same(String),
}

/// The edits that call `old` `new`, in a policy that is free of errors. `space` says which one is meant, where `old` names
/// several.
///
/// # Errors
/// [`RenameError`] if `old` names nothing or too much, or `new` cannot be its name.
pub fn rename(
    files: &[File],
    sources: &Sources,
    (old, new): (&str, &str),
    space: Option<Space>,
) -> Result<Rename, RenameError> {
    let all = references(files);
    let declared = declaration(&all, sources, old, space)?;
    let (space, kind) = (declared.space, declared.declares.unwrap_or_default());
    if old == new {
        return Err(RenameError::Same(old.to_owned()));
    }
    check_name(new, space)?;
    let mut own = all.iter().filter(|one| one.space == space);
    if let Some((taken, kind)) =
        own.clone().find_map(|one| Some((one, one.declares?)).filter(|(one, _)| one.name == new))
    {
        let (name, place) = (new.to_owned(), sources.locate(taken.span).to_string());
        return Err(RenameError::Taken { name, kind, place, kinds: space.kinds() });
    }
    if let Some(named) = own.find(|one| one.name == new) {
        // Only a condition and a rule without a name can bring this about; both would mean something else then.
        let place = sources.locate(named.span);
        let problem = format!("what is called so stands at {place}, and would mean another statement");
        return Err(RenameError::NoName { name: new.to_owned(), problem });
    }
    let places = all.iter().filter(|one| one.space == space && one.name == old);
    let edits = places.map(|one| Edit { span: one.span, text: written(sources.text(one.span), new) });
    let left = if space == Space::Place { conditions_on(files, old) } else { Vec::new() };
    Ok(Rename { space, kind, edits: edits.collect(), left })
}

/// True if `after` is `before` with every word that names `old` naming `new`, and nothing else: each word names what it
/// named, in the same order.
pub fn is_renamed(before: &[File], after: &[File], space: Space, (old, new): (&str, &str)) -> bool {
    let mut expected = references(before);
    for one in expected.iter_mut().filter(|one| one.space == space && one.name == old) {
        new.clone_into(&mut one.name);
    }
    let found = references(after);
    let said = |one: &Reference| (one.space, one.name.clone(), one.declares);
    expected.iter().map(said).eq(found.iter().map(said))
}

/// A name as it stands in a place: in quotes where it had them.
fn written(before: &str, name: &str) -> String {
    if before.starts_with('"') { format!("\"{name}\"") } else { name.to_owned() }
}

/// The one statement that is called `name`.
pub(super) fn declaration<'r>(
    all: &'r [Reference],
    sources: &Sources,
    name: &str,
    space: Option<Space>,
) -> Result<&'r Reference, RenameError> {
    let declared = || all.iter().filter(|one| one.declares.is_some());
    let meant = |one: &&Reference| space.is_none_or(|space| one.space == space);
    let found: Vec<&Reference> = declared().filter(meant).filter(|one| one.name == name).collect();
    match found.as_slice() {
        [only] => Ok(only),
        [] => {
            let known = declared().filter(meant).map(|one| one.name.as_str());
            let mut help = suggestion(name, known).map(|help| format!("; {help}")).unwrap_or_default();
            if let Some(space) = space {
                help = format!(" among {}{help}", space.kinds());
            }
            Err(RenameError::Unknown { name: name.to_owned(), help })
        }
        several => {
            let shown = several.iter().map(|one| {
                format!("the {} at {}", one.declares.unwrap_or_default(), sources.locate(one.span))
            });
            let kinds = shown.collect::<Vec<_>>().join(" and ");
            Err(RenameError::Ambiguous { name: name.to_owned(), kinds })
        }
    }
}

fn check_name(name: &str, space: Space) -> Result<(), RenameError> {
    let problem = if !valid_name(name) {
        format!("a name is a letter, then letters, digits, `_` and `-`, at most {MAX_NAME_BYTES} bytes")
    } else if name == ANY || is_reserved(name) {
        "it is a word of the language".to_owned()
    } else if space == Space::Device && name == FOLDER {
        "the folder of this name holds what postures take away".to_owned()
    } else {
        return Ok(());
    };
    Err(RenameError::NoName { name: name.to_owned(), problem })
}

/// The conditions that compare the zone that a table gives with `name`.
fn conditions_on(files: &[File], name: &str) -> Vec<Span> {
    let mut found = Vec::new();
    for statement in files.iter().flat_map(|file| &file.statements) {
        let Statement::Class(class) = statement else { continue };
        for members in &class.members {
            if let Members::Inventory { condition: Some(condition), .. } = members {
                compared(condition, name, &mut found);
            }
        }
    }
    found
}

fn compared(condition: &Condition, name: &str, found: &mut Vec<Span>) {
    match condition {
        Condition::Any(parts) | Condition::All(parts) => {
            parts.iter().for_each(|part| compared(part, name, found));
        }
        Condition::Not(part) => compared(part, name, found),
        Condition::Compare { column, value, .. } => {
            if column.node == "zone" && value.node == name {
                found.push(value.span);
            }
        }
    }
}

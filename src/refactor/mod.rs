//! Changes of a policy's text that know what its words mean.
//!
//! In: the trees of a policy without errors, and its text. Out: [`Edit`](crate::edit::Edit)s that touch nothing but the
//! words that they are about, so that comments and layout stay; or why not, with the place. Whether the result means what
//! it should is for the caller to check before anything is written. See docs/refactoring.md.

mod extract;
mod list;
mod member;
mod reference;
mod rename;
mod shrink;

pub use self::extract::{Extract, Extraction, quoted};
pub use self::member::{Change, Direction, MemberError, change_members};
pub use self::reference::{Reference, Space, references};
pub use self::rename::{Rename, RenameError, is_renamed, rename};
pub use self::shrink::shrink;

//! Inventories in a policy: which devices a class selects, and what is doubtful about the devices.

mod assets;
mod error;
mod select;

pub(super) use assets::check;
pub use assets::{Doubts, Reachable};
pub(super) use error::TwiceUnclassified;
pub(super) use select::{Selection, selected};

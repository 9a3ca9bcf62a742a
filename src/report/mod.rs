//! What goes beside the output for people and programs.

mod inventory;
mod manifest;
mod posture;
mod site;

pub use inventory::{Changes, Picture};
pub use manifest::{MANIFEST, Manifest};
pub use posture::posture_summary;
pub(crate) use site::escaped;
pub use site::{LayoutError, report};

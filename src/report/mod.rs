//! What goes beside the output for people and programs.

mod manifest;
mod posture;

pub use manifest::{MANIFEST, Manifest};
pub use posture::posture_summary;

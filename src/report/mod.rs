//! What goes beside the output for people and programs.

mod manifest;

pub use manifest::{MANIFEST, Manifest};

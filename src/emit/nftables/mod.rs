//! Output for nftables: one file, loaded as one transaction, that replaces the table `inet cordon` and nothing else.
//!
//! The cost of a packet does not grow with the number of rules: a verdict map finds the pair of interfaces, and a few
//! more find the packet in that pair, whatever number of elements they have. Facts on nftables, with their sources,
//! stand in `targets/nftables/NOTES.md`.

mod behind;
mod element;
mod guard;
mod isolation;
mod product;
mod session;
mod text;
mod view;

use super::error::EmitError;
use super::template::Templates;
use super::{check_interfaces, linux, made_or_bug};
use crate::diag::Diagnostics;
use crate::plan::DevicePlan;

/// The layout of the file.
const TEMPLATE: &str = include_str!("../../../targets/nftables/ruleset.nft.j2");

/// Makes `ruleset.nft`.
pub(super) fn emit(
    plan: &DevicePlan,
    templates: &Templates,
    diagnostics: &mut Diagnostics,
) -> Vec<(String, String)> {
    let refused = |name, span| EmitError::BadInterface { name, span };
    check_interfaces(plan, linux::valid_interface, refused, diagnostics);
    let made = view::Ruleset::new(plan)
        .map_err(str::to_owned)
        .and_then(|view| templates.render("ruleset.nft", TEMPLATE, &view).map_err(|error| error.to_string()));
    made_or_bug(plan, made.map(|ruleset| vec![("ruleset.nft".to_owned(), ruleset)]), diagnostics)
}

//! Output for nftables: one file, loaded as one transaction, that replaces the table `inet cordon` and nothing else.
//!
//! The cost of a packet does not grow with the number of rules: a verdict map finds the pair of interfaces, and a few
//! more find the packet in that pair, whatever number of elements they have. Facts on nftables, with their sources,
//! stand in `targets/nftables/NOTES.md`.

mod behind;
mod element;
mod text;
mod view;

use super::error::EmitError;
use super::template;
use crate::plan::DevicePlan;

/// The layout of the file.
const TEMPLATE: &str = include_str!("../../../targets/nftables/ruleset.nft.j2");

/// Makes `ruleset.nft`.
pub(super) fn emit(plan: &DevicePlan) -> Result<Vec<(&'static str, String)>, Vec<EmitError>> {
    let refused: Vec<EmitError> = plan
        .device
        .interfaces
        .iter()
        .filter(|interface| !text::valid_interface(&interface.name))
        .map(|interface| EmitError::BadInterface { name: interface.name.clone(), span: interface.span })
        .collect();
    if !refused.is_empty() {
        return Err(refused);
    }
    let bug = |what: String| vec![EmitError::Bug { what, span: plan.device.span }];
    let view = view::Ruleset::new(plan).map_err(|what| bug(what.to_owned()))?;
    let ruleset = template::render("ruleset.nft", TEMPLATE, &view).map_err(|error| bug(error.to_string()))?;
    Ok(vec![("ruleset.nft", ruleset)])
}

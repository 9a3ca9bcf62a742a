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
use super::linux;
use super::template::Templates;
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
    let bad = plan.device.interfaces.iter().filter(|interface| !linux::valid_interface(&interface.name));
    diagnostics.extend(
        bad.map(|interface| EmitError::BadInterface { name: interface.name.clone(), span: interface.span }),
    );
    let made = view::Ruleset::new(plan)
        .map_err(str::to_owned)
        .and_then(|view| templates.render("ruleset.nft", TEMPLATE, &view).map_err(|error| error.to_string()));
    match made {
        Ok(ruleset) => vec![("ruleset.nft".to_owned(), ruleset)],
        Err(what) => {
            diagnostics.push(EmitError::Bug { what, span: plan.device.span });
            Vec::new()
        }
    }
}

//! Output for pfSense: the sections `filter` and `aliases` of its config, each as a file that the web interface restores
//! as one area, and from which `cordon splice` takes what it puts into a whole config.
//!
//! Rules stand on the interface where packets arrive, since pfSense lets out whatever it let in; which way a packet
//! leaves is routing's to decide, and its destination says which zone that is. Facts on pfSense, with their sources,
//! stand in `targets/pfsense/NOTES.md`.

mod alias;
mod foreign;
mod rectangle;
mod rule;
mod splice;
mod text;
mod traffic;
mod view;

use std::collections::BTreeSet;

pub use self::splice::{SpliceError, Spliced, splice};
use self::view::{Config, LeftOut};
use super::error::EmitError;
use super::template::Templates;
use super::{check_interfaces, made_or_bug};
use crate::diag::Diagnostics;
use crate::plan::DevicePlan;

/// Minutes between two looks of pfSense at its schedules.
pub(super) const SCHEDULE_STEP: u16 = 15;

/// The files and their layouts.
const TEMPLATES: [(&str, &str); 2] = [
    ("aliases.xml", include_str!("../../../targets/pfsense/aliases.xml.j2")),
    ("filter.xml", include_str!("../../../targets/pfsense/filter.xml.j2")),
];

/// Makes `aliases.xml` and `filter.xml`.
pub(super) fn emit(
    plan: &DevicePlan,
    templates: &Templates,
    diagnostics: &mut Diagnostics,
) -> Vec<(String, String)> {
    let refused = |name, span| EmitError::BadPfsenseInterface { name, span };
    check_interfaces(plan, text::valid_interface, refused, diagnostics);
    let mut left_out = LeftOut::default();
    let config = Config::new(plan, &mut left_out);
    report(plan, &left_out, diagnostics);
    let files = TEMPLATES.iter().map(|(name, source)| {
        let text = templates.render(name, source, &config).map_err(|error| error.to_string())?;
        Ok(((*name).to_owned(), text))
    });
    made_or_bug(plan, files.collect(), diagnostics)
}

fn report(plan: &DevicePlan, left_out: &LeftOut, diagnostics: &mut Diagnostics) {
    let text = |what: &BTreeSet<String>| {
        let what: Vec<&str> = what.iter().map(String::as_str).collect();
        format!("no rule can name {}", what.join(", "))
    };
    for (rule, what) in &left_out.rules {
        super::unsupported(&plan.policy[*rule], plan, &text(what), diagnostics);
    }
    for (place, what) in &left_out.managements {
        if let Some(input) = plan.inputs.get(*place) {
            diagnostics.push(EmitError::UnsupportedManagement {
                name: input.management.id.clone(),
                what: text(what),
                device: plan.device.name.clone(),
                span: input.management.span,
            });
        }
    }
}

//! Output for iptables: `rules.v4`, `rules.v6`, the sets that they look up in `sets.ipset`, and `load.sh`, which loads
//! all three in an order that is safe.
//!
//! The cost of a packet does not grow with the number of rules that speak of hosts: a chain for each pair of interfaces
//! looks it up in a few sets, whatever number of members they have. Facts on iptables and ipset, with their sources,
//! stand in `targets/iptables/NOTES.md`.

mod address;
mod chain;
mod guard;
mod isolation;
mod names;
mod rectangle;
mod sets;
mod traffic;
mod view;

use std::collections::BTreeSet;

use serde::Serialize;

pub use self::names::name_in_log;
use self::view::{Files, Ruleset, Speaker, Unsupported};
use super::error::EmitError;
use super::template::Templates;
use super::{check_interfaces, linux, made_or_bug, unsupported};
use crate::diag::Diagnostics;
use crate::plan::DevicePlan;

/// The layout of the rules of one family.
const RULES: &str = include_str!("../../../targets/iptables/rules.j2");
/// The layout of the sets.
const SETS: &str = include_str!("../../../targets/iptables/sets.j2");
/// The script that loads them.
const LOAD: &str = include_str!("../../../targets/iptables/load.sh.j2");

/// What the file of one family shows.
#[derive(Serialize)]
struct OneFamily<'f> {
    device: &'f str,
    title: &'f str,
    rules: &'f Ruleset,
}

/// Makes the four files.
pub(super) fn emit(
    plan: &DevicePlan,
    templates: &Templates,
    diagnostics: &mut Diagnostics,
) -> Vec<(String, String)> {
    let refused = |name, span| EmitError::BadInterface { name, span };
    check_interfaces(plan, linux::valid_interface, refused, diagnostics);
    let made = view::files(plan).map_err(str::to_owned).and_then(|(files, missing)| {
        report(plan, missing, diagnostics);
        render(&files, templates).map_err(|error| error.to_string())
    });
    made_or_bug(plan, made, diagnostics)
}

fn render(files: &Files, templates: &Templates) -> Result<Vec<(String, String)>, minijinja::Error> {
    let Files { device, title, .. } = files;
    let family = |rules| OneFamily { device, title, rules };
    Ok(vec![
        ("load.sh".to_owned(), templates.render("load.sh", LOAD, files)?),
        ("rules.v4".to_owned(), templates.render("rules.v4", RULES, &family(&files.v4))?),
        ("rules.v6".to_owned(), templates.render("rules.v6", RULES, &family(&files.v6))?),
        ("sets.ipset".to_owned(), templates.render("sets.ipset", SETS, files)?),
    ])
}

/// Reports what cannot be expressed, once for each rule.
fn report<'p>(plan: &DevicePlan<'p>, missing: Unsupported<'p>, diagnostics: &mut Diagnostics) {
    let mut reported: BTreeSet<(&'p str, String)> = BTreeSet::new();
    for (speaker, what) in missing {
        match speaker {
            Speaker::Rule(rule) if reported.insert((&rule.id, what.clone())) => {
                unsupported(rule, plan, &what, diagnostics);
            }
            Speaker::Management(management) if reported.insert((&management.id, what.clone())) => {
                diagnostics.push(EmitError::Unsupported {
                    name: management.id.clone(),
                    what,
                    device: plan.device.name.clone(),
                    target: plan.device.target.clone(),
                    span: management.span,
                });
            }
            Speaker::Rule(_) | Speaker::Management(_) => {}
        }
    }
}

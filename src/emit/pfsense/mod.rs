//! Output for pfSense: the sections `filter` and `aliases` of its config, each as a file that the web interface restores
//! as one area, and from which `cordon splice` takes what it puts into a whole config.
//!
//! pfSense has no area for schedules, and a rule whose schedule is not there holds at all times. So rules with a schedule
//! stand in no file that can be restored: they and the schedules have files of their own, which only a splice reads.
//!
//! Rules stand on the interface where packets arrive, since pfSense lets out whatever it let in; which way a packet
//! leaves is routing's to decide, and its destination says which zone that is. Facts on pfSense, with their sources,
//! stand in `targets/pfsense/NOTES.md`.

mod alias;
mod foreign;
mod made;
mod rectangle;
mod rule;
mod schedule;
mod splice;
mod text;
mod traffic;
mod view;

use std::collections::BTreeSet;

pub use self::splice::{SpliceError, Spliced, splice};
pub(super) use self::text::is_label_of;
pub use self::text::name_in_description;
use self::view::{Config, LeftOut};
use super::error::EmitError;
use super::template::Templates;
use super::{check_interfaces, made_or_bug};
use crate::diag::Diagnostics;
use crate::plan::DevicePlan;

/// Minutes between two looks of pfSense at its schedules.
pub(super) const SCHEDULE_STEP: u16 = 15;

/// The section for aliases, which is an area.
const ALIASES: &str = "aliases.xml";

/// The section for rules, which is an area.
const FILTER: &str = "filter.xml";

/// Rules that hold at times only.
const SCHEDULED_RULES: &str = "scheduled-rules.xml";

/// The section for schedules.
const SCHEDULES: &str = "schedules.xml";

/// The files that there always are, and their layouts.
const TEMPLATES: [(&str, &str); 2] = [
    (ALIASES, include_str!("../../../targets/pfsense/aliases.xml.j2")),
    (FILTER, include_str!("../../../targets/pfsense/filter.xml.j2")),
];

/// The files that there are if rules have schedules.
const TIMED_TEMPLATES: [(&str, &str); 2] = [
    (SCHEDULED_RULES, include_str!("../../../targets/pfsense/scheduled-rules.xml.j2")),
    (SCHEDULES, include_str!("../../../targets/pfsense/schedules.xml.j2")),
];

/// Makes `aliases.xml` and `filter.xml`, and for rules with schedules `scheduled-rules.xml` and `schedules.xml`.
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
    for (name, count) in config.counted_apart() {
        let rule = plan.policy.rule_indices().find(|rule| plan.policy[*rule].id == name);
        let guards = rule.into_iter().flat_map(|rule| plan.guards_of(rule));
        let device = &plan.device.name;
        diagnostics.extend(guards.map(|guard| EmitError::CountedApart {
            name: guard.id.clone(),
            device: device.clone(),
            count,
            span: guard.span,
        }));
    }
    let timed = TIMED_TEMPLATES.iter().filter(|_| config.has_schedules());
    let files = TEMPLATES.iter().chain(timed).map(|(name, source)| {
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

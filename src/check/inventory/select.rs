//! Conditions on the devices of inventories: `members from inventory where type == "CT"`.

use super::error::AssetError;
use crate::check::error::CheckError;
use crate::check::places::Grounds;
use crate::diag::{Diagnostics, suggestion};
use crate::inventory::OWN_NAMES;
use crate::ir::{Asset, Phi, Risk, Zone};
use crate::set::{AddressRange, AddressSet, Set};
use crate::source::Span;
use crate::syntax::ast::{Condition, Word};

/// A `members from inventory` clause, but for its condition.
pub(in crate::check) struct Selection<'a> {
    /// The class or peer that it stands in.
    pub(in crate::check) class: &'a Word,
    /// The zone of that.
    pub(in crate::check) zone: &'a Zone,
    /// How many devices there have to be.
    pub(in crate::check) at_least: Option<&'a Word>,
    pub(in crate::check) span: Span,
}

/// The addresses in the zone of all devices for which a condition holds.
pub(in crate::check) fn selected(
    selection: &Selection,
    condition: Option<&Condition>,
    grounds: &Grounds,
    diagnostics: &mut Diagnostics,
) -> AddressSet {
    let Selection { class, zone, span, .. } = *selection;
    if grounds.stated == 0 {
        diagnostics.push(AssetError::NoInventory { span });
    }
    let errors = diagnostics.errors();
    let test = condition.map_or(Test::All(Vec::new()), |condition| test(condition, grounds, diagnostics));
    if diagnostics.errors() > errors || grounds.stated == 0 {
        return AddressSet::empty();
    }
    let mut addresses = Vec::new();
    let mut elsewhere: Vec<&Asset> = Vec::new();
    let (mut inside, mut outside) = (0, 0);
    for asset in grounds.inventories.assets.iter().filter(|asset| test.holds(asset)) {
        let before = addresses.len();
        let in_zone = asset.addresses.iter().filter(|address| zone.addresses.contains(**address));
        addresses.extend(in_zone.map(|address| AddressRange::from(*address)));
        if addresses.len() > before {
            inside += 1;
        } else if !asset.addresses.is_empty() {
            outside += 1;
            elsewhere.extend((outside <= super::assets::SHOWN).then_some(asset));
        }
    }
    if outside > 0 {
        let devices = super::assets::count(outside, "device", "s");
        let (class, zone) = (class.node.clone(), zone.name.clone());
        let labels = super::assets::labels(&elsewhere, |_| "lies elsewhere".to_owned());
        diagnostics.push(AssetError::SelectedElsewhere { devices, class, zone, span, labels });
    }
    if !grounds.lack_devices() {
        check_number(selection, inside, diagnostics);
    }
    addresses.into_iter().collect()
}

/// Reports a class that has fewer devices than it has to have: more likely a part of the inventory is missing.
fn check_number(selection: &Selection, inside: usize, diagnostics: &mut Diagnostics) {
    let Some(word) = selection.at_least else { return };
    let class = selection.class.node.clone();
    match word.node.parse::<usize>() {
        Ok(least) if inside >= least => {}
        Ok(_) => {
            let devices = super::assets::count(inside, "device", "s");
            let (least, span) = (word.node.clone(), word.span);
            diagnostics.push(AssetError::TooFew { class, devices, least, span });
        }
        Err(_) => {
            let (value, span) = (word.node.clone(), word.span);
            diagnostics.push(CheckError::UnknownValue {
                attribute: "at least",
                value,
                span,
                known: "a number".to_owned(),
                help: None,
            });
        }
    }
}

/// A condition whose columns and values are known.
enum Test<'c> {
    Any(Vec<Test<'c>>),
    All(Vec<Test<'c>>),
    Not(Box<Test<'c>>),
    Compare { column: Column<'c>, operator: Operator, value: String },
}

/// What of a device is compared.
#[derive(Clone, Copy)]
enum Column<'c> {
    Address,
    Inventory,
    Mac,
    Model,
    Name,
    Os,
    Owner,
    Phi,
    Risk,
    SupportedUntil,
    Type,
    Vendor,
    Zone,
    /// What a mapping adds.
    More(&'c str),
}

#[derive(Clone, Copy)]
enum Operator {
    Is,
    IsNot,
    /// It holds the value somewhere, whatever the case of letters.
    Contains,
}

fn test<'c>(condition: &'c Condition, grounds: &Grounds, diagnostics: &mut Diagnostics) -> Test<'c> {
    let mut all = |parts: &'c [Condition]| -> Vec<Test<'c>> {
        parts.iter().map(|part| test(part, grounds, diagnostics)).collect()
    };
    match condition {
        Condition::Any(parts) => Test::Any(all(parts)),
        Condition::All(parts) => Test::All(all(parts)),
        Condition::Not(part) => Test::Not(Box::new(test(part, grounds, diagnostics))),
        Condition::Compare { column, operator, value } => {
            let operator = match operator.node.as_str() {
                "!=" => Operator::IsNot,
                "~" => Operator::Contains,
                _ => Operator::Is,
            };
            let column = known(column, grounds, diagnostics);
            check_value(column, operator, value, diagnostics);
            let value = match operator {
                Operator::Contains => value.node.to_lowercase(),
                Operator::Is | Operator::IsNot => value.node.clone(),
            };
            Test::Compare { column, operator, value }
        }
    }
}

fn known<'c>(word: &'c Word, grounds: &Grounds, diagnostics: &mut Diagnostics) -> Column<'c> {
    match word.node.as_str() {
        "address" => Column::Address,
        "inventory" => Column::Inventory,
        "mac" => Column::Mac,
        "model" => Column::Model,
        "name" => Column::Name,
        "os" => Column::Os,
        "owner" => Column::Owner,
        "phi" => Column::Phi,
        "risk" => Column::Risk,
        "supported-until" => Column::SupportedUntil,
        "type" => Column::Type,
        "vendor" => Column::Vendor,
        "zone" => Column::Zone,
        other => {
            let added = &grounds.inventories.columns;
            if !added.contains(other) && !grounds.lack_devices() {
                let names = || OWN_NAMES.into_iter().chain(added.iter().map(String::as_str));
                let known: Vec<String> = names().map(|name| format!("`{name}`")).collect();
                let known = format!("a device has {}; a mapping can add more", known.join(", "));
                let help = match suggestion(other, names()) {
                    Some(meant) => format!("{meant} {known}"),
                    None => known,
                };
                diagnostics.push(AssetError::UnknownColumn { name: other.to_owned(), span: word.span, help });
            }
            Column::More(other)
        }
    }
}

/// Reports a value that the column can never have, since a condition on it would select nothing, or everything.
fn check_value(column: Column, operator: Operator, value: &Word, diagnostics: &mut Diagnostics) {
    let mut known: Vec<&str> = Vec::new();
    if matches!(column, Column::Risk) {
        known.extend(Risk::ALL.iter().map(|(word, _)| *word));
    } else if matches!(column, Column::Phi) {
        known.extend(Phi::ALL.iter().map(|(word, _)| *word));
    } else {
        return;
    }
    let text = value.node.as_str();
    if text.is_empty() || known.contains(&text) || matches!(operator, Operator::Contains) {
        return;
    }
    let help = suggestion(text, known.iter().copied());
    let listed: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
    let known = format!("one of {}, or \"\" where it is not known", listed.join(", "));
    let help = help.map_or_else(|| known.clone(), |meant| format!("{meant} {known}"));
    diagnostics.push(AssetError::UnknownValue { value: text.to_owned(), span: value.span, help });
}

impl Test<'_> {
    fn holds(&self, asset: &Asset) -> bool {
        match self {
            Test::Any(parts) => parts.iter().any(|part| part.holds(asset)),
            Test::All(parts) => parts.iter().all(|part| part.holds(asset)),
            Test::Not(part) => !part.holds(asset),
            Test::Compare { column, operator, value } => match operator {
                Operator::Is => column.any(asset, |text| text == value),
                Operator::IsNot => !column.any(asset, |text| text == value),
                Operator::Contains => column.any(asset, |text| text.to_lowercase().contains(value.as_str())),
            },
        }
    }
}

impl Column<'_> {
    /// True if one of the texts that a device has in this column passes. What it does not have is the empty text.
    fn any(self, asset: &Asset, passes: impl Fn(&str) -> bool) -> bool {
        match self {
            Column::Inventory => passes(&asset.inventory),
            Column::Model => passes(&asset.model),
            Column::Name => passes(&asset.name),
            Column::Os => passes(&asset.os),
            Column::Owner => passes(&asset.owner),
            Column::Type => passes(&asset.kind),
            Column::Vendor => passes(&asset.vendor),
            Column::Zone => passes(&asset.zone),
            Column::Risk => passes(asset.risk.map_or("", Risk::word)),
            Column::Phi => passes(asset.phi.map_or("", Phi::word)),
            Column::SupportedUntil => {
                asset.supported_until.map_or_else(|| passes(""), |until| passes(&until.to_string()))
            }
            Column::Address => {
                asset.addresses.iter().any(|address| passes(&address.to_string()))
                    || asset.addresses.is_empty() && passes("")
            }
            Column::Mac => {
                asset.macs.iter().any(|mac| passes(&mac.to_string())) || asset.macs.is_empty() && passes("")
            }
            Column::More(name) => {
                let found = asset.more.iter().find(|(known, _)| **known == *name);
                passes(found.map_or("", |(_, value)| value))
            }
        }
    }
}

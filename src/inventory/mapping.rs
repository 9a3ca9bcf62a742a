//! Mappings: which columns of a table say what of a device, and what their values stand for.
//!
//! A mapping is a YAML file; those of the tools that cordon knows lie in `formats`. Names of columns are compared by their
//! letters and digits alone, since one tool writes `IP Address`, `ip_address` and `ipAddress` in different exports.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_saphyr::Options;

use super::cell;
use super::table::Row;
use crate::diag::suggestion;
use crate::ir::{Phi, Risk};

/// The version of the form of mappings.
const VERSION: u32 = 1;

/// What the columns of a table mean.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Mapping {
    version: u32,
    /// What kind of file the table is.
    #[serde(default)]
    pub(super) table: TableKind,
    pub(super) columns: Columns,
    #[serde(default)]
    values: Values,
    /// Rows that are left out: columns with the values that say so.
    #[serde(default)]
    skip: BTreeMap<String, Vec<String>>,
}

/// A kind of file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TableKind {
    /// Rows of cells with separators.
    #[default]
    Csv,
    /// The XML of an Nmap scan.
    Nmap,
}

/// For each thing that cordon knows of a device, the columns that may hold it. All columns with addresses count; of
/// others the first that is filled.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct Columns {
    name: Vec<String>,
    pub(super) address: Vec<String>,
    mac: Vec<String>,
    #[serde(rename = "type")]
    kind: Vec<String>,
    vendor: Vec<String>,
    model: Vec<String>,
    os: Vec<String>,
    owner: Vec<String>,
    zone: Vec<String>,
    risk: Vec<String>,
    phi: Vec<String>,
    supported_until: Vec<String>,
    /// Further names that conditions can use.
    pub(super) more: BTreeMap<String, Vec<String>>,
}

/// What the values of columns stand for, where they are not already the words of the policy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Values {
    risk: RiskValues,
    phi: PhiValues,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RiskValues {
    low: Vec<String>,
    medium: Vec<String>,
    high: Vec<String>,
    critical: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PhiValues {
    none: Vec<String>,
    transit: Vec<String>,
    store: Vec<String>,
}

/// What is wrong with a mapping.
pub(super) struct Mistake {
    pub(super) what: String,
    /// The bytes of the file that it is about.
    pub(super) place: Range<usize>,
}

/// Reads a mapping.
pub(super) fn parse(text: &str) -> Result<Mapping, Mistake> {
    let mut options = Options::default();
    if let Some(budget) = &mut options.budget {
        // A mapping has some hundred nodes, and no reason for anchors.
        (budget.max_events, budget.max_anchors, budget.max_aliases) = (10_000, 0, 0);
    }
    let mapping = serde_saphyr::from_str_with_options::<Mapping>(text, options).map_err(|error| {
        let message = error.without_snippet().to_string();
        // The place is shown beside the message, and the way out is not an option of the parser.
        let message = message.split(" at line ").next().unwrap_or_default();
        let what = message.split(", set DuplicateKeyPolicy").next().unwrap_or_default().to_owned();
        let line = error.location().map_or(1, |location| location.line());
        Mistake { what, place: line_range(text, line) }
    })?;
    if mapping.version != VERSION {
        let what = format!("this cordon reads version {VERSION} of mappings");
        return Err(Mistake { what, place: line_range(text, 1) });
    }
    let taken = |name: &&String| OWN_NAMES.contains(&name.as_str()) || !crate::syntax::valid_name(name);
    if let Some(name) = mapping.columns.more.keys().find(taken) {
        let what = format!("`{name}` cannot be a name of its own under `more`");
        let line = text.lines().zip(1..).find(|(line, _)| line.trim_start().starts_with(name.as_str()));
        return Err(Mistake { what, place: line_range(text, line.map_or(1, |(_, number)| number)) });
    }
    Ok(mapping)
}

/// What every device has, as conditions name it.
pub const OWN_NAMES: [&str; 13] = [
    "address",
    "inventory",
    "mac",
    "model",
    "name",
    "os",
    "owner",
    "phi",
    "risk",
    "supported-until",
    "type",
    "vendor",
    "zone",
];

fn line_range(text: &str, line: u64) -> Range<usize> {
    let before = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    start..start + line.len()
}

/// The mappings of the tools that cordon knows, by name.
const BUILT_IN: [(&str, &str); 5] = [
    ("armis", include_str!("formats/armis.yaml")),
    ("netbox", include_str!("formats/netbox.yaml")),
    ("nmap", include_str!("formats/nmap.yaml")),
    ("nrx", include_str!("formats/nrx.yaml")),
    ("xdome", include_str!("formats/xdome.yaml")),
];

/// The text of the mapping of a tool.
pub(super) fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The mapping of tables whose columns are called what cordon calls them.
pub(super) const PLAIN: &str = include_str!("formats/plain.yaml");

/// The way out after a form that is not known.
pub(super) fn help_for(format: &str) -> String {
    let known: Vec<String> = BUILT_IN.iter().map(|(name, _)| format!("`{name}`")).collect();
    let known =
        format!("there are {}; for other tables, write a mapping, and `mapping \"FILE\"`", known.join(", "));
    match suggestion(format, BUILT_IN.iter().map(|(name, _)| *name)) {
        Some(meant) => format!("{meant} {known}"),
        None => known,
    }
}

/// The columns of a mapping that a table has, by their places in its rows.
pub(super) struct Found {
    pub(super) name: Vec<usize>,
    address: Vec<usize>,
    mac: Vec<usize>,
    pub(super) kind: Vec<usize>,
    pub(super) vendor: Vec<usize>,
    pub(super) model: Vec<usize>,
    pub(super) os: Vec<usize>,
    pub(super) owner: Vec<usize>,
    pub(super) zone: Vec<usize>,
    risk: Vec<usize>,
    phi: Vec<usize>,
    supported_until: Vec<usize>,
    more: Vec<(String, Vec<usize>)>,
    risks: Vec<(String, Risk)>,
    phis: Vec<(String, Phi)>,
    skip: Vec<(usize, Vec<String>)>,
    /// Columns that the mapping names and the table has twice, with what they hold.
    twice: Vec<(String, String)>,
}

/// A name of a column by which it is compared.
fn key(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Found {
    /// Looks the columns of a mapping up in a header.
    pub(super) fn new(mapping: &Mapping, header: &[String]) -> Self {
        let keys: Vec<String> = header.iter().map(|name| key(name)).collect();
        let mut twice = Vec::new();
        let mut places = |what: &str, names: &[String]| -> Vec<usize> {
            let mut found = Vec::new();
            for name in names {
                let mut places =
                    keys.iter().zip(0..).filter(|(known, _)| **known == key(name)).map(|(_, place)| place);
                found.extend(places.next());
                if places.next().is_some() {
                    twice.push((name.clone(), what.to_owned()));
                }
            }
            found
        };
        let columns = &mapping.columns;
        let skip = mapping.skip.iter().filter_map(|(name, values)| {
            let place = *places("what is left out", std::slice::from_ref(name)).first()?;
            Some((place, values.iter().map(|value| value.to_lowercase()).collect()))
        });
        let skip = skip.collect();
        let (risk, phi) = (&mapping.values.risk, &mapping.values.phi);
        Found {
            name: places("the name", &columns.name),
            address: places("the address", &columns.address),
            mac: places("the MAC address", &columns.mac),
            kind: places("the type", &columns.kind),
            vendor: places("the vendor", &columns.vendor),
            model: places("the model", &columns.model),
            os: places("the operating system", &columns.os),
            owner: places("the owner", &columns.owner),
            zone: places("the zone", &columns.zone),
            risk: places("the risk", &columns.risk),
            phi: places("what it has of PHI", &columns.phi),
            supported_until: places("the end of support", &columns.supported_until),
            more: columns.more.iter().map(|(name, from)| (name.clone(), places(name, from))).collect(),
            risks: words(Risk::ALL, |value| match value {
                Risk::Low => &risk.low,
                Risk::Medium => &risk.medium,
                Risk::High => &risk.high,
                Risk::Critical => &risk.critical,
            }),
            phis: words(Phi::ALL, |value| match value {
                Phi::None => &phi.none,
                Phi::Transit => &phi.transit,
                Phi::Store => &phi.store,
            }),
            skip,
            twice,
        }
    }

    /// The columns that the mapping names and the table has twice, each with what it holds.
    pub(super) fn ambiguous(&self) -> impl Iterator<Item = (String, String)> {
        self.twice.iter().cloned()
    }

    pub(super) fn has_addresses(&self) -> bool {
        !self.address.is_empty()
    }

    /// True if the mapping says that a row is left out.
    pub(super) fn is_skipped(&self, row: &Row) -> bool {
        let says_so = |(place, values): &(usize, Vec<String>)| {
            let cell = row.cells.get(*place).map(|cell| cell::bare(cell).to_lowercase());
            cell.is_some_and(|cell| values.contains(&cell))
        };
        self.skip.iter().any(says_so)
    }

    pub(super) fn addresses<'r>(&'r self, row: &'r Row) -> impl Iterator<Item = &'r str> {
        self.address.iter().filter_map(|place| row.cells.get(*place))
    }

    pub(super) fn macs<'r>(&'r self, row: &'r Row) -> impl Iterator<Item = &'r str> {
        self.mac.iter().filter_map(|place| row.cells.get(*place))
    }

    pub(super) fn supported_until<'r>(&self, row: &'r Row) -> Option<&'r str> {
        Some(first(&self.supported_until, row)).filter(|text| !text.is_empty())
    }

    /// The risk that a row states, if any; what it states if that has no meaning.
    pub(super) fn risk<'r>(&self, row: &'r Row) -> Result<Option<Risk>, &'r str> {
        one_of(&self.risk, &self.risks, row)
    }

    /// What a row states of protected health information, if anything; what it states if that has no meaning.
    pub(super) fn phi<'r>(&self, row: &'r Row) -> Result<Option<Phi>, &'r str> {
        one_of(&self.phi, &self.phis, row)
    }

    /// What the mapping adds, by name.
    pub(super) fn more<'r>(&'r self, row: &'r Row) -> impl Iterator<Item = (&'r str, &'r str)> {
        self.more.iter().map(|(name, places)| (name.as_str(), first(places, row)))
    }
}

/// The first cell that is filled, among those at some places.
pub(super) fn first<'r>(places: &[usize], row: &'r Row) -> &'r str {
    let cells = places.iter().filter_map(|place| row.cells.get(*place)).map(cell::text);
    cells.into_iter().find(|text| !text.is_empty()).unwrap_or_default()
}

/// Values in lower case, each with what it stands for; the words of the policy stand for themselves.
fn words<'m, T: Copy, const N: usize>(
    known: [(&str, T); N],
    others: impl Fn(T) -> &'m Vec<String>,
) -> Vec<(String, T)> {
    let mut words = Vec::new();
    for (own, value) in known {
        words.push((own.to_owned(), value));
        words.extend(others(value).iter().map(|other| (other.to_lowercase(), value)));
    }
    words
}

fn one_of<'r, T: Copy>(places: &[usize], known: &[(String, T)], row: &'r Row) -> Result<Option<T>, &'r str> {
    let cells = places.iter().filter_map(|place| row.cells.get(*place)).map(cell::bare);
    let Some(text) = cells.into_iter().find(|text| !text.is_empty()) else { return Ok(None) };
    match known.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        Some((_, value)) => Ok(Some(*value)),
        None if cell::text(text).is_empty() => Ok(None),
        None => Err(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mappings_that_cordon_comes_with_can_be_read() {
        for (name, text) in BUILT_IN {
            assert!(parse(text).is_ok(), "{name}: {:?}", parse(text).err().map(|mistake| mistake.what));
        }
        assert!(parse(PLAIN).is_ok());
    }

    #[test]
    fn a_mapping_with_a_mistake_is_refused_at_its_line() {
        let check = |text: &str| match parse(text) {
            Ok(_) => panic!("{text}"),
            Err(mistake) => (mistake.what, text.get(mistake.place).unwrap_or_default().to_owned()),
        };
        let (what, place) = check("version: 1\ncolumns:\n  adress: [ip]\n");
        assert!(what.contains("adress") && place.contains("adress"), "{what} {place}");
        assert_eq!(
            check("version: 2\ncolumns: {}\n"),
            ("this cordon reads version 1 of mappings".into(), "version: 2".into())
        );
        let (what, place) = check("version: 1\ncolumns:\n  more:\n    owner: [x]\n");
        assert_eq!(
            (what.as_str(), place.trim()),
            ("`owner` cannot be a name of its own under `more`", "owner: [x]")
        );
    }
}

//! From fields and the values that they are compared with to matches.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::elements::{Declared, Entry, Wrong, declared};
use super::field::Field;
use super::packets::{Scope, boxes};
use super::ruleset::Table;
use super::value::{Value, states_where};
use crate::read::{Condition, Interfaces, Match, PacketBox, States};

/// Boxes by the set that they come from, the fields that look into it, and what the rule says besides.
type BoxesOf = BTreeMap<(String, Vec<Field>, Scope), Arc<[PacketBox]>>;

/// The sets of a table, each read when it is first needed.
pub(super) struct Sets<'a, 't> {
    table: &'a Table<'t>,
    read: BTreeMap<String, Rc<Declared>>,
    boxes: BoxesOf,
    wrong: Vec<Wrong>,
}

/// What a match compares with: the set that it is, if it has a name, and its elements.
pub(super) struct Operand<'a> {
    /// The name.
    pub(super) name: Option<&'a str>,
    /// The elements.
    pub(super) entries: &'a [Entry],
}

impl<'a, 't> Sets<'a, 't> {
    /// The sets of a table.
    pub(super) fn new(table: &'a Table<'t>) -> Self {
        Sets { table, read: BTreeMap::new(), boxes: BTreeMap::new(), wrong: Vec::new() }
    }

    /// A set or a map by its name.
    pub(super) fn get(&mut self, name: &str) -> Result<Rc<Declared>, String> {
        if let Some(known) = self.read.get(name) {
            return Ok(Rc::clone(known));
        }
        let set = self.table.sets.get(name).ok_or_else(|| format!("there is no set or map `{name}`"))?;
        let (content, wrong) = declared(name, set);
        self.wrong.extend(wrong);
        let content = Rc::new(content);
        self.read.insert(name.to_owned(), Rc::clone(&content));
        Ok(content)
    }

    /// Reads what no rule asked for too, and gives what is wrong with all.
    pub(super) fn finish(mut self) -> Vec<Wrong> {
        for name in self.table.sets.keys() {
            // It is there, since its name is.
            let _ = self.get(name);
        }
        self.wrong
    }

    /// The matches that hold where fields have one of the values, or none of them: one of the matches has to hold.
    pub(super) fn matches(
        &mut self,
        scope: &Scope,
        fields: &[Field],
        operand: &Operand,
        negated: bool,
    ) -> Result<Vec<Match>, String> {
        if let [field @ (Field::Interface { .. } | Field::State)] = fields {
            return Ok(vec![alone(field, operand.entries, negated)]);
        }
        if fields.iter().all(is_packet_field) {
            let packets = self.packets(scope, fields, operand)?;
            let implied = negated.then(|| implied(scope, fields)).flatten();
            let conditions = implied.into_iter().chain([Condition { boxes: packets, negated }]).collect();
            return Ok(vec![Match { conditions, ..Match::default() }]);
        }
        if negated {
            let what = "`!=` with interfaces or states among other fields is not understood; use a verdict map, or a \
                        rule for each field";
            return Err(what.to_owned());
        }
        grouped(scope, fields, operand.entries)
    }

    fn packets(
        &mut self,
        scope: &Scope,
        fields: &[Field],
        operand: &Operand,
    ) -> Result<Arc<[PacketBox]>, String> {
        let key = operand.name.map(|name| (name.to_owned(), fields.to_vec(), scope.clone()));
        if let Some(known) = key.as_ref().and_then(|key| self.boxes.get(key)) {
            return Ok(Arc::clone(known));
        }
        let mut all = Vec::with_capacity(operand.entries.len());
        for entry in operand.entries {
            let pairs: Vec<(&Field, &Value)> = fields.iter().zip(&entry.values).collect();
            all.extend(boxes(scope, &pairs).map_err(|what| in_line(entry, what))?);
        }
        let all: Arc<[PacketBox]> = all.into();
        if let Some(key) = key {
            self.boxes.insert(key, Arc::clone(&all));
        }
        Ok(all)
    }
}

/// What is wrong with an element, for a rule that may be far from it.
fn in_line(entry: &Entry, what: String) -> String {
    format!("{what} (the element of line {})", entry.line)
}

/// True for fields that boxes of packets show.
fn is_packet_field(field: &Field) -> bool {
    !matches!(field, Field::Interface { .. } | Field::State | Field::NextHeader | Field::Other { .. })
}

/// A field that stands alone and is no field of packets.
fn alone(field: &Field, entries: &[Entry], negated: bool) -> Match {
    let mut matches = Match::default();
    let values = entries.iter().flat_map(|entry| entry.values.first());
    if let Field::Interface { arrives, .. } = field {
        let names: Arc<[String]> = values.filter_map(name).collect();
        let interfaces = if negated { Interfaces::Except(names) } else { Interfaces::Only(names) };
        if *arrives {
            matches.arrives = interfaces;
        } else {
            matches.leaves = interfaces;
        }
        return matches;
    }
    let states = values.fold(States::NONE, |all, value| all.union(states(value)));
    matches.states = if negated { states.complement() } else { states };
    matches
}

fn name(value: &Value) -> Option<String> {
    match value {
        Value::Name(name) => Some(name.clone()),
        Value::Range(..) | Value::Text(_) => None,
    }
}

fn states(value: &Value) -> States {
    match value {
        Value::Range(low, _) => states_where(|bit| u128::from(bit) == *low),
        Value::Name(_) | Value::Text(_) => States::NONE,
    }
}

/// What nft tests before fields, so that they are there: `None` if all packets have them.
pub(super) fn implied(scope: &Scope, fields: &[Field]) -> Option<Condition> {
    let families = fields.iter().filter_map(Field::family);
    let families: BTreeSet<_> = families.collect();
    let protocols: BTreeSet<u8> = fields.iter().filter_map(Field::protocol).collect();
    if protocols.is_empty() && scope.families.iter().all(|family| families.iter().all(|only| only == family))
    {
        return None;
    }
    let kept = scope.families.iter().filter(|family| families.iter().all(|only| only == *family));
    let protocol = match (protocols.first(), protocols.len()) {
        (None, _) => Some((0, u8::MAX)),
        (Some(protocol), 1) => Some((*protocol, *protocol)),
        _ => None,
    };
    let boxes: Vec<PacketBox> = kept
        .filter_map(|family| protocol.map(|protocol| PacketBox { protocol, ..PacketBox::all(*family) }))
        .collect();
    Some(Condition::any_of(boxes))
}

/// The match of one element: its interfaces and states by themselves, its other fields as packets.
pub(super) fn of_entry(scope: &Scope, fields: &[Field], entry: &Entry) -> Result<Match, String> {
    let mut matches = grouped(scope, fields, std::slice::from_ref(entry))?.into_iter();
    matches.next().ok_or_else(|| "an element that matches nothing".to_owned())
}

/// What elements have to share to stand in one match.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Group {
    arrives: Option<String>,
    leaves: Option<String>,
    states: Option<States>,
    opaque: Vec<String>,
}

fn grouped(scope: &Scope, fields: &[Field], entries: &[Entry]) -> Result<Vec<Match>, String> {
    let mut groups: BTreeMap<Group, Vec<PacketBox>> = BTreeMap::new();
    let has_packets = fields.iter().any(is_packet_field);
    for entry in entries {
        let mut group = Group::default();
        let mut packet_fields = Vec::new();
        for (field, value) in fields.iter().zip(&entry.values) {
            match field {
                Field::Interface { arrives: true, .. } => group.arrives = name(value),
                Field::Interface { arrives: false, .. } => group.leaves = name(value),
                Field::State => group.states = Some(states(value)),
                Field::NextHeader | Field::Other { .. } => group.opaque.push(opaque(field, value)),
                Field::StackFamily
                | Field::FrameFamily
                | Field::Protocol
                | Field::HeaderProtocol
                | Field::Address { .. }
                | Field::Port { .. }
                | Field::IcmpType(_)
                | Field::IcmpCode(_)
                | Field::TcpFlags
                | Field::Hour
                | Field::Day
                | Field::Time => packet_fields.push((field, value)),
            }
        }
        let packets = if has_packets { boxes(scope, &packet_fields)? } else { Vec::new() };
        groups.entry(group).or_default().extend(packets);
    }
    let others: Vec<Field> = fields.iter().filter(|field| !is_packet_field(field)).cloned().collect();
    let implied = implied(scope, &others);
    let matches = groups.into_iter().map(|(group, packets)| {
        let only =
            |name: Option<String>| name.map_or(Interfaces::Any, |name| Interfaces::Only([name].into()));
        let packets = has_packets.then(|| Condition::any_of(packets));
        Match {
            arrives: only(group.arrives),
            leaves: only(group.leaves),
            states: group.states.unwrap_or(States::ALL),
            conditions: implied.iter().cloned().chain(packets).collect(),
            opaque: group.opaque,
            ..Match::default()
        }
    });
    Ok(matches.collect())
}

/// A field that the model does not have, with its value.
fn opaque(field: &Field, value: &Value) -> String {
    let text = match value {
        Value::Name(text) | Value::Text(text) => text.clone(),
        Value::Range(low, high) if low == high => low.to_string(),
        Value::Range(low, high) => format!("{low}-{high}"),
    };
    format!("{} {text}", words(field))
}

/// A field that the model does not have, in words.
pub(super) fn words(field: &Field) -> &str {
    match field {
        Field::Other { text, .. } => text,
        Field::NextHeader => "ip6 nexthdr",
        Field::Interface { .. }
        | Field::State
        | Field::StackFamily
        | Field::FrameFamily
        | Field::Protocol
        | Field::HeaderProtocol
        | Field::Address { .. }
        | Field::Port { .. }
        | Field::IcmpType(_)
        | Field::IcmpCode(_)
        | Field::TcpFlags
        | Field::Hour
        | Field::Day
        | Field::Time => "",
    }
}

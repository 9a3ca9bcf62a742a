//! From what an access list has to admit to its lines.
//!
//! A list is read from its top, and the first line that matches decides. The lines for allowed packets, for replies and
//! for ICMP errors only permit, so their order does not matter. Behind them stand the denials that log, so that they
//! never stop a reply; then the few lines that deny something to permit the rest of a service that is every protocol.
//!
//! Where a rule speaks of a rest zone, its addresses are many prefixes. So a list may have two parts: behind all lines
//! for other zones, it denies everything else to these, and then the rest is simply `any`. What that saves is counted,
//! and the shorter form is taken.

use super::acl::{Action, Block, Direction, Ending, Family, Flows, Line, destinations, transposed};
use super::baseline;
use super::prefix::{Prefix, cover};
use super::service::{Lowered, Service, TCP, UDP, lower, only};
use super::wanted::{Errors, Replies, Sides, Stream, Wanted};
use crate::ir::RuleIndex;
use crate::set::{Interval, IntervalMap, IntervalSet, Ports, Rectangle, Set, Traffic, rectangles, union_all};

/// What cannot be said of a rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Unsaid {
    pub(super) name: String,
    pub(super) rule: Option<RuleIndex>,
    pub(super) what: &'static str,
}

/// The lines of a list, without the denial at its end.
#[derive(Default)]
pub(super) struct Built {
    pub(super) blocks: Vec<Block>,
    pub(super) unsaid: Vec<Unsaid>,
    /// The packets of what cannot be said.
    pub(super) left_out: Vec<Flows>,
}

/// A part of a list: the addresses at the far side that it speaks of, and what addresses of each side have to be told
/// from; all others, if nothing is given.
struct Part<'s> {
    far: IntervalSet<u128>,
    far_care: Option<&'s IntervalSet<u128>>,
    near_care: Option<&'s IntervalSet<u128>>,
    first: bool,
}

/// Which addresses a guard speaks of: those behind the interface, or those at the other end.
#[derive(Clone, Copy)]
enum Side {
    Near,
    Far,
}

/// Lines by where they stand in a part.
#[derive(Default)]
struct Staged {
    permits: Vec<Line>,
    exceptions: Vec<Line>,
    every: Vec<Line>,
    /// True if the exceptions are holes that nobody else may use. Then they may stand before all others.
    holed: bool,
}

impl Staged {
    fn entries(&self) -> usize {
        [&self.permits, &self.exceptions, &self.every].into_iter().flatten().map(Line::entries).sum()
    }

    /// The other, if it is there and shorter.
    fn or_shorter(self, other: Option<Staged>) -> Staged {
        match other {
            Some(other) if other.entries() < self.entries() => other,
            _ => self,
        }
    }
}

/// Makes the lines of a list in the shorter of its forms.
pub(super) fn build(wanted: &Wanted, rest: &IntervalSet<u128>) -> Built {
    let everything = IntervalSet::from_interval(wanted.family.all(), true);
    let foreign = everything.difference(&wanted.near);
    let shorter = |one: &IntervalSet<u128>, other: &IntervalSet<u128>| {
        cover(one, None, wanted.family).len() < cover(other, None, wanted.family).len()
    };
    let near_care = Some(&wanted.near).filter(|near| shorter(&foreign, near));
    let part =
        |far: &IntervalSet<u128>, far_care, first| Part { far: far.clone(), far_care, near_care, first };
    let foreign = near_care.map(|_| guard_block(wanted, &foreign, Side::Near));
    let plain = build_parts(wanted, &[part(&everything, None, true)], [foreign.clone(), None]);
    if rest.is_empty() {
        return plain;
    }
    let others = everything.difference(rest);
    let guard = guard_block(wanted, &others, Side::Far);
    let parts = [part(&others, None, true), part(rest, Some(rest), false)];
    let guarded = build_parts(wanted, &parts, [foreign, Some(guard)]);
    if entries(&guarded.blocks) < entries(&plain.blocks) { guarded } else { plain }
}

/// Makes the lines of a list without what belongs to a link.
pub(super) fn build_bare(wanted: &Wanted) -> Built {
    let far = IntervalSet::from_interval(wanted.family.all(), true);
    let mut built = Built::default();
    add_part(&mut built, wanted, &Part { far, far_care: None, near_care: None, first: true });
    built.blocks.retain(|block| !block.lines.is_empty());
    built
}

/// How many entries the blocks come to without object groups.
pub(super) fn entries(blocks: &[Block]) -> usize {
    blocks.iter().flat_map(|block| &block.lines).map(Line::entries).sum()
}

fn build_parts(wanted: &Wanted, parts: &[Part], guards: [Option<Block>; 2]) -> Built {
    let mut built = Built::default();
    built.blocks.extend(baseline::blocks(wanted));
    for (part, guard) in parts.iter().zip(guards) {
        built.blocks.extend(guard);
        add_part(&mut built, wanted, part);
    }
    built.blocks.retain(|block| !block.lines.is_empty());
    built
}

/// Denies everything with one of these addresses, so that behind it the others need not be told from them.
fn guard_block(wanted: &Wanted, addresses: &IntervalSet<u128>, side: Side) -> Block {
    let (any, held) = (vec![Prefix::all(wanted.family)], cover(addresses, None, wanted.family));
    let (sources, destinations) = match (wanted.direction, side) {
        (Direction::In, Side::Far) | (Direction::Out, Side::Near) => (any, held),
        (Direction::Out, Side::Far) | (Direction::In, Side::Near) => (held, any),
    };
    let remark = match side {
        Side::Near => "what does not lie behind this interface",
        Side::Far => "no more for zones, what follows is for the rest",
    };
    let (services, ending) = (vec![Service::EVERY], Ending::default());
    let line = Line { action: Action::Deny, services, sources, destinations, ending };
    Block { remark: remark.to_owned(), lines: vec![line], local: false }
}

fn add_part(built: &mut Built, wanted: &Wanted, part: &Part) {
    let (mut early, mut backward) = (Vec::new(), Vec::new());
    let (mut holed, mut forward) = (Vec::new(), Vec::new());
    for stream in wanted.manage.iter().chain(&wanted.allowed) {
        let staged = add_stream(built, wanted, part, stream);
        let local = stream.rule.is_none();
        built.blocks.push(Block { remark: stream.remark.clone(), lines: staged.permits, local });
        let late = if staged.holed { &mut holed } else { &mut forward };
        late.push((stream.remark.clone(), local, staged.exceptions, staged.every));
    }
    for replies in &wanted.replies {
        let (permits, tcp, staged) = add_replies(built, wanted, part, replies);
        let remark = replies.remark.clone();
        built.blocks.push(Block { remark: remark.clone(), lines: permits, local: false });
        early.push((remark.clone(), false, tcp.exceptions, tcp.every));
        backward.push((remark, false, staged.exceptions, staged.every));
    }
    built.blocks.extend(wanted.errors.iter().map(|errors| errors_block(errors, wanted, part)));
    built.blocks.extend(exceptions_first(early));
    for stream in &wanted.denied {
        let lines = match undivided(wanted, part, stream) {
            Some(lines) => lines.into_iter().filter(|_| part.first).collect(),
            None => denials(built, wanted, part, stream),
        };
        built.blocks.push(Block { remark: stream.remark.clone(), lines, local: false });
    }
    for late in [holed, forward, backward] {
        built.blocks.extend(exceptions_first(late));
    }
}

/// Blocks that deny something, and behind all of them those that permit the rest.
fn exceptions_first(staged: Vec<(String, bool, Vec<Line>, Vec<Line>)>) -> impl Iterator<Item = Block> {
    let blocks = staged.into_iter().map(|(remark, local, exceptions, every)| {
        let before = Block { remark: format!("all but this for {remark}"), lines: exceptions, local };
        (before, Block { remark, lines: every, local })
    });
    let (exceptions, every): (Vec<Block>, Vec<Block>) = blocks.unzip();
    exceptions.into_iter().chain(every)
}

/// Errors to hosts come from anywhere, so they are never divided.
fn errors_block(errors: &Errors, wanted: &Wanted, part: &Part) -> Block {
    let flows = match wanted.direction {
        Direction::In => restricted(&errors.flows, part, wanted.direction),
        Direction::Out if part.first => errors.flows.clone(),
        Direction::Out => Flows::empty(),
    };
    let products = products(&flows, wanted, part);
    let ending = Ending { log: false, when: errors.when };
    let lines = products.iter().map(|product| {
        line(product, lower(&product.traffic, wanted.family).exact, Action::Permit, ending, wanted, part)
    });
    Block { remark: errors.remark.clone(), lines: lines.collect(), local: false }
}

/// A denial of all that may be at the far end, in lines that hold for all parts. None if it is another one, or if these
/// lines touch something that another line has to permit.
fn undivided(wanted: &Wanted, part: &Part, stream: &Stream) -> Option<Vec<Line>> {
    let held = match wanted.direction {
        Direction::In => destinations(&stream.flows),
        Direction::Out => stream.flows.keys(),
    };
    if held != wanted.beyond {
        return None;
    }
    let far = IntervalSet::from_interval(wanted.family.all(), true);
    let whole = Part { far, far_care: Some(&wanted.beyond), near_care: part.near_care, first: part.first };
    let mut ignored = Built::default();
    let lines = denials(&mut ignored, wanted, &whole, stream);
    let touched = union_all(lines.iter().map(Line::flows));
    let kept = wanted.allowed.iter().chain(&wanted.manage).map(|other| &other.flows);
    let replies = wanted.replies.iter().flat_map(|replies| [&replies.established, &replies.others]);
    let errors = wanted.errors.iter().map(|errors| &errors.flows);
    let clear = kept.chain(replies).chain(errors).all(|other| other.is_disjoint(&touched));
    (clear && ignored.unsaid.is_empty()).then_some(lines)
}

/// The lines for what a rule or a manage statement allows.
fn add_stream(built: &mut Built, wanted: &Wanted, part: &Part, stream: &Stream) -> Staged {
    let flows = restricted(&stream.shape, part, wanted.direction);
    let mut staged = Staged::default();
    for product in products(&flows, wanted, part) {
        let lowered = lower(&product.traffic, wanted.family);
        note_unsaid(built, &lowered, &product, &stream.name, stream.rule);
        stage(&mut staged, lowered, &product, stream.ending, wanted, part);
    }
    let Some((whole, holes)) = with_holes(&flows, &stream.sides, wanted, part) else { return staged };
    // What the holes deny is permitted to nobody, and they take away no reply, since those that could be meant stand
    // before them.
    if wanted.allowed.iter().all(|other| other.flows.is_disjoint(&holes)) {
        let shorter = staged_with_holes(&whole, &holes, stream.ending, false, wanted, part);
        return staged.or_shorter(shorter);
    }
    staged
}

/// A product around a set, and the holes in it: what would have to be denied before it is permitted. Nothing if there
/// are none, or if they are not holes in TCP, UDP or ICMP.
fn with_holes(
    flows: &Flows,
    sides: &Sides,
    wanted: &Wanted,
    part: &Part,
) -> Option<(Rectangle<u128>, Flows)> {
    let traffic: Traffic = union_all(rectangles(flows).into_iter().map(|product| product.traffic));
    let far = |set: &IntervalSet<u128>| set.intersection(&part.far);
    let (sources, destinations) = match wanted.direction {
        Direction::In => (sides.sources.clone(), far(&sides.destinations)),
        Direction::Out => (far(&sides.sources), sides.destinations.clone()),
    };
    let whole = Rectangle { sources, destinations, traffic };
    let to = IntervalMap::product(&whole.destinations, &whole.traffic);
    let holes = Flows::product(&whole.sources, &to).difference(flows);
    let known = [TCP, UDP, wanted.family.icmp()].map(|protocol| only(protocol, Ports::full()));
    let known = union_all(known);
    let plain = rectangles(&holes).iter().all(|hole| hole.traffic.is_subset(&known));
    (plain && !holes.is_empty()).then_some((whole, holes))
}

/// The lines that deny the holes, and then permit the whole. None if it cannot be said.
fn staged_with_holes(
    whole: &Rectangle<u128>,
    holes: &Flows,
    ending: Ending,
    established: bool,
    wanted: &Wanted,
    part: &Part,
) -> Option<Staged> {
    let lowered = lower(&whole.traffic, wanted.family);
    let mut staged = Staged { holed: true, ..Staged::default() };
    if lowered.every || !lowered.unsaid.is_empty() {
        return None;
    }
    for hole in products(holes, wanted, part) {
        let services = lower(&hole.traffic, wanted.family);
        if services.every || !services.unsaid.is_empty() {
            return None;
        }
        staged.exceptions.push(line(&hole, services.exact, Action::Deny, ending.silent(), wanted, part));
    }
    let services = lowered.exact.into_iter().map(|service| Service { established, ..service });
    staged.every.push(line(whole, services.collect(), Action::Permit, ending, wanted, part));
    Some(staged)
}

/// The lines for replies. TCP, UDP and ICMP are always said by themselves, so that none of the lines before those for
/// every protocol can take them away.
fn add_replies(
    built: &mut Built,
    wanted: &Wanted,
    part: &Part,
    replies: &Replies,
) -> (Vec<Line>, Staged, Staged) {
    let (mut permits, mut staged) = (Vec::new(), Staged::default());
    let ending = Ending { log: false, when: replies.when };
    let established = restricted(&replies.established, part, wanted.direction);
    let mut tcp = Staged::default();
    for product in products(&established, wanted, part) {
        let lowered = lower(&product.traffic, wanted.family);
        let services = lowered.exact.into_iter().map(|service| Service { established: true, ..service });
        tcp.permits.push(line(&product, services.collect(), Action::Permit, ending, wanted, part));
    }
    if let Some((whole, holes)) = with_holes(&established, &replies.sides, wanted, part)
        && is_unused(&holes, wanted)
    {
        tcp = tcp.or_shorter(staged_with_holes(&whole, &holes, ending, true, wanted, part));
    }
    permits.append(&mut tcp.permits);
    let known = said_alone(wanted);
    for product in products(&restricted(&replies.others, part, wanted.direction), wanted, part) {
        let alone = lower(&product.traffic.intersection(&known), wanted.family);
        if !alone.exact.is_empty() {
            permits.push(line(&product, alone.exact, Action::Permit, ending, wanted, part));
        }
        let others = product.traffic.difference(&known);
        if others.is_empty() {
            continue;
        }
        let lowered = lower(&others, wanted.family);
        note_unsaid(built, &lowered, &product, &replies.name, Some(replies.rule));
        stage(&mut staged, lowered, &product, ending, wanted, part);
    }
    permits.append(&mut staged.permits);
    (permits, tcp, staged)
}

/// The traffic whose replies stand before the denials: UDP, ICMP, and each protocol that one of the denials names.
fn said_alone(wanted: &Wanted) -> Traffic {
    let denied = wanted.denied.iter().flat_map(|denied| rectangles(&denied.flows));
    let runs: Vec<Interval<u8>> =
        denied.flat_map(|product| product.traffic.keys().intervals().collect::<Vec<_>>()).collect();
    let named = runs.into_iter().filter(|run| run.is_single()).map(Interval::first);
    let named = named.filter(|protocol| *protocol != TCP).chain([UDP, wanted.family.icmp()]);
    union_all(named.map(|protocol| only(protocol, Ports::full())))
}

/// True if nothing else is said of packets.
fn is_unused(flows: &Flows, wanted: &Wanted) -> bool {
    let streams = wanted.allowed.iter().chain(&wanted.denied);
    let replies = wanted.replies.iter().flat_map(|replies| [&replies.established, &replies.others]);
    streams.map(|stream| &stream.flows).chain(replies).all(|other| other.is_disjoint(flows))
}

/// The lines that deny and log. Packets that are left out of a denial of every protocol are denied by another rule.
fn denials(built: &mut Built, wanted: &Wanted, part: &Part, stream: &Stream) -> Vec<Line> {
    let flows = restricted(&stream.flows, part, wanted.direction);
    let mut lines = Vec::new();
    for product in products(&flows, wanted, part) {
        let lowered = lower(&product.traffic, wanted.family);
        note_unsaid(built, &lowered, &product, &stream.name, stream.rule);
        let services = if lowered.every { vec![Service::EVERY] } else { lowered.exact };
        if !services.is_empty() {
            lines.push(line(&product, services, Action::Deny, stream.ending, wanted, part));
        }
    }
    lines
}

/// What a rule leaves out of every protocol is denied only while it holds: another rule may allow that at other times.
fn stage(
    staged: &mut Staged,
    lowered: Lowered,
    product: &Rectangle<u128>,
    ending: Ending,
    wanted: &Wanted,
    part: &Part,
) {
    let Lowered { exact, exceptions, every, .. } = lowered;
    if !exact.is_empty() {
        staged.permits.push(line(product, exact, Action::Permit, ending, wanted, part));
    }
    if !exceptions.is_empty() {
        staged.exceptions.push(line(product, exceptions, Action::Deny, ending.silent(), wanted, part));
    }
    if every {
        staged.every.push(line(product, vec![Service::EVERY], Action::Permit, ending, wanted, part));
    }
}

fn note_unsaid(
    built: &mut Built,
    lowered: &Lowered,
    product: &Rectangle<u128>,
    name: &str,
    rule: Option<RuleIndex>,
) {
    for (traffic, what) in &lowered.unsaid {
        built.unsaid.push(Unsaid { name: name.to_owned(), rule, what });
        let to = IntervalMap::product(&product.destinations, traffic);
        built.left_out.push(Flows::product(&product.sources, &to));
    }
}

fn line(
    product: &Rectangle<u128>,
    services: Vec<Service>,
    action: Action,
    ending: Ending,
    wanted: &Wanted,
    part: &Part,
) -> Line {
    let [source_care, destination_care] = cares(wanted.direction, part);
    Line {
        action,
        services,
        sources: cover(&product.sources, source_care, wanted.family),
        destinations: cover(&product.destinations, destination_care, wanted.family),
        ending,
    }
}

/// What sources and destinations have to be told apart from.
fn cares<'s>(direction: Direction, part: &Part<'s>) -> [Option<&'s IntervalSet<u128>>; 2] {
    match direction {
        Direction::In => [part.near_care, part.far_care],
        Direction::Out => [part.far_care, part.near_care],
    }
}

/// The packets of a part of the list.
fn restricted(flows: &Flows, part: &Part, direction: Direction) -> Flows {
    let anywhere = IntervalSet::full();
    let (sources, destinations) = match direction {
        Direction::In => (&anywhere, &part.far),
        Direction::Out => (&part.far, &anywhere),
    };
    flows.intersection(&Flows::product(sources, &IntervalMap::product(destinations, &Traffic::full())))
}

/// Cuts a set into products, by sources first or by destinations first, whichever takes fewer entries.
fn products(flows: &Flows, wanted: &Wanted, part: &Part) -> Vec<Rectangle<u128>> {
    let by_source = rectangles(flows);
    let mut by_destination = rectangles(&transposed(flows));
    for product in &mut by_destination {
        std::mem::swap(&mut product.sources, &mut product.destinations);
    }
    let cost = |products: &[Rectangle<u128>]| -> usize {
        products.iter().map(|product| product_cost(product, wanted.direction, wanted.family, part)).sum()
    };
    if cost(&by_destination) < cost(&by_source) { by_destination } else { by_source }
}

fn product_cost(product: &Rectangle<u128>, direction: Direction, family: Family, part: &Part) -> usize {
    let [source_care, destination_care] = cares(direction, part);
    let lowered = lower(&product.traffic, family);
    let services = lowered.exact.len() + lowered.exceptions.len() + usize::from(lowered.every);
    services
        * cover(&product.sources, source_care, family).len()
        * cover(&product.destinations, destination_care, family).len()
}

//! What must hold of each model that a reader makes of a text without mistakes.

use cordon::read::{Action, Chain, Model, PacketBox, Reading};

/// The numbers of protocols with ports: TCP, UDP, DCCP, SCTP, UDP-Lite.
const WITH_PORTS: [u8; 5] = [6, 17, 33, 132, 136];

/// Asserts that a model is one: its chains are there and call each other in no circle, its boxes hold packets, and its rules
/// stand in lines of the text.
pub(crate) fn assert_sound(model: &Model, lines: usize) {
    let in_text = |line: usize| (1..=lines).contains(&line);
    for filter in &model.filters {
        assert!(filter.chain.0 < model.chains.len(), "{filter:?}");
        assert!(in_text(filter.line), "{filter:?}");
        filter.concerns.conditions.iter().flat_map(|known| known.boxes.iter()).for_each(assert_box);
    }
    for rule in model.chains.iter().flat_map(|chain| &chain.rules) {
        assert!(in_text(rule.line), "{rule:?}");
        assert!(called(rule.action).is_none_or(|chain| chain < model.chains.len()), "{rule:?}");
        rule.matches.conditions.iter().flat_map(|known| known.boxes.iter()).for_each(assert_box);
    }
    assert_no_circle(&model.chains);
}

fn called(action: Action) -> Option<usize> {
    match action {
        Action::Jump(chain) | Action::Goto(chain) => Some(chain.0),
        Action::Accept | Action::Drop | Action::Return | Action::Continue => None,
    }
}

/// Takes away chains that only chains call that were taken away before; with a circle some are left.
fn assert_no_circle(chains: &[Chain]) {
    let calls = |place: usize| chains[place].rules.iter().filter_map(|rule| called(rule.action));
    let mut callers = vec![0_usize; chains.len()];
    (0..chains.len()).flat_map(calls).for_each(|chain| callers[chain] += 1);
    let mut free: Vec<usize> = (0..chains.len()).filter(|place| callers[*place] == 0).collect();
    let mut taken = 0;
    while let Some(place) = free.pop() {
        taken += 1;
        for chain in calls(place) {
            callers[chain] -= 1;
            if callers[chain] == 0 {
                free.push(chain);
            }
        }
    }
    assert_eq!(taken, chains.len(), "chains call each other in a circle");
}

fn assert_box(packets: &PacketBox) {
    let all = PacketBox::all(packets.family);
    let addresses = [(packets.source, all.source), (packets.destination, all.destination)];
    assert!(addresses.iter().all(|(own, all)| own.0 <= own.1 && own.1 <= all.1), "{packets:?}");
    assert!(packets.protocol.0 <= packets.protocol.1, "{packets:?}");
    assert!(packets.flags.0 <= packets.flags.1, "{packets:?}");
    assert!(packets.second.0 <= packets.second.1 && packets.second.1 <= all.second.1, "{packets:?}");
    let ports = [packets.source_port, packets.destination_port];
    assert!(ports.iter().all(|port| port.0 <= port.1), "{packets:?}");
    let (first, last) = packets.protocol;
    let has_ports = (first..=last).all(|protocol| WITH_PORTS.contains(&protocol));
    let has_types = packets.protocol == (1, 1) || packets.protocol == (58, 58);
    assert!(has_ports || has_types || ports == [all.source_port; 2], "{packets:?}");
}

/// What a reading becomes if the lines behind `line` of its text stand `by` lines further down.
pub(crate) fn moved(mut reading: Reading, line: usize, by: usize) -> Reading {
    let further = |place: &mut usize| *place += if *place > line { by } else { 0 };
    reading.model.filters.iter_mut().for_each(|filter| further(&mut filter.line));
    let rules = reading.model.chains.iter_mut().flat_map(|chain| &mut chain.rules);
    rules.for_each(|rule| further(&mut rule.line));
    reading
}

//! Fragments, case by case as Cisco's document 8014 has them.

use super::judge::{Packet, TCP};
use super::{mistakes, model, v4};

/// Whether packets with all headers and later fragments pass a list whose last entry permits everything.
fn passes(entry: &str, last: &str) -> [bool; 2] {
    let model = model(&v4(&[entry, last]));
    [false, true].map(|later_fragment| Packet { later_fragment, ..TCP }.passes(&model))
}

#[test]
fn a_permit_with_ports_admits_later_fragments_by_address() {
    assert_eq!(passes("permit tcp any any eq 80", "deny ip any any"), [true, true]);
    assert_eq!(passes("permit tcp any any eq 81", "deny ip any any"), [false, true]);
    assert_eq!(passes("permit tcp any any established", "deny ip any any"), [false, true]);
    assert_eq!(passes("permit tcp host 10.0.0.2 any eq 80", "deny ip any any"), [false, false]);
    assert_eq!(passes("permit udp any any eq 80", "deny ip any any"), [false, false]);
}

#[test]
fn a_deny_with_ports_does_not_apply_to_later_fragments() {
    assert_eq!(passes("deny tcp any any eq 80", "permit ip any any"), [false, true]);
    assert_eq!(passes("deny tcp any any syn", "permit ip any any"), [false, true]);
}

#[test]
fn an_entry_without_ports_applies_to_all() {
    assert_eq!(passes("deny tcp any any", "permit ip any any"), [false, false]);
    assert_eq!(passes("permit tcp any any dscp ef", "deny ip any any"), [false, false]);
    let model = model(&v4(&["permit tcp any any"]));
    assert_eq!(model.chains[0].rules[0].matches.later_fragments, None);
}

#[test]
fn the_keyword_means_nothing_but_later_fragments() {
    assert_eq!(passes("deny ip any any fragments", "permit ip any any"), [true, false]);
    assert_eq!(passes("permit tcp any any fragments", "deny ip any any"), [false, true]);
    let found = mistakes(&v4(&["permit tcp any any eq 80 fragments"]));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, 2);
}

#[test]
fn members_of_a_service_group_count_each_for_itself() {
    let group = "object-group service S\n tcp eq 80\n udp\n";
    let udp = Packet { protocol: 17, ..TCP };
    for (action, last, expected) in [
        ("deny", "permit", [(false, true), (false, false)]),
        ("permit", "deny", [(true, true), (true, true)]),
    ] {
        let entry = format!("{action} object-group S any any");
        let model = model(&format!("{group}{}", v4(&[&entry, &format!("{last} ip any any")])));
        for (packet, (first, later)) in [&TCP, &udp].into_iter().zip(expected) {
            assert_eq!(packet.passes(&model), first, "{action} {packet:?}");
            assert_eq!(
                Packet { later_fragment: true, ..packet.clone() }.passes(&model),
                later,
                "{action} {packet:?}"
            );
        }
    }
}

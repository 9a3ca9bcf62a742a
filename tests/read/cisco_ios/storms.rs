//! `storm-control` on ports: what is read of it, as cordon writes it and as switches show it.

use super::{counts, mistakes, model};
use cordon::read::StormControl;
use cordon::read::cisco_ios::read;

/// What a port does after some commands.
fn port(commands: &[&str]) -> StormControl {
    let commands: String = commands.iter().map(|command| format!(" {command}\n")).collect();
    let text = format!("interface GigabitEthernet1/0/1\n switchport mode access\n{commands}!\nend\n");
    model(&text).storms.remove("GigabitEthernet1/0/1").unwrap_or_default()
}

/// The rate of a kind, if one is said in frames a second.
fn rate(commands: &[&str], kind: &str) -> Option<u64> {
    port(commands).levels.get(kind)?.packets_per_second
}

#[test]
fn a_level_is_read_as_it_is_written_and_as_it_is_shown() {
    for (text, expected) in [
        ("storm-control broadcast level pps 100", Some(100)),
        ("storm-control broadcast level pps 3k", Some(3_000)),
        ("storm-control broadcast level pps 1.5k", Some(1_500)),
        ("storm-control broadcast level pps 2m 2000k", Some(2_000_000)),
        ("storm-control broadcast level pps 200 150", None),
        ("storm-control broadcast level pps 0.5", None),
        ("storm-control broadcast level 20.00", None),
        ("storm-control broadcast level bps 100", None),
        ("storm-control broadcast include multicast", None),
    ] {
        assert_eq!(rate(&[text], "broadcast"), expected, "{text}");
        assert_eq!(port(&[text]).levels.len(), 1, "{text}");
    }
    assert_eq!(rate(&["storm-control broadcast level pps 100"], "multicast"), None);
}

#[test]
fn the_last_word_on_a_port_counts() {
    let (set, other) = ("storm-control multicast level pps 100", "storm-control multicast level pps 7");
    assert_eq!(rate(&[set, other], "multicast"), Some(7));
    assert_eq!(port(&[set, "no storm-control multicast level"]), StormControl::default());
    assert_eq!(port(&["no storm-control unicast level"]), StormControl::default());
    assert_eq!(rate(&[set, "no storm-control broadcast level"], "multicast"), Some(100));
}

#[test]
fn both_actions_are_read_apart() {
    let (shutdown, trap) = ("storm-control action shutdown", "storm-control action trap");
    let both = port(&[shutdown, trap]);
    assert_eq!((both.shutdown, both.trap), (Some(3), Some(4)));
    let one = port(&[shutdown, trap, "no storm-control action shutdown"]);
    assert_eq!((one.shutdown, one.trap), (None, Some(4)));
    assert_eq!(port(&[shutdown, trap, "no storm-control action"]), StormControl::default());
}

#[test]
fn it_is_understood_without_indentation_and_nowhere_but_on_an_interface() {
    let text = "interface Gi1/0/1\nstorm-control broadcast level pps 5\nno storm-control unicast level\n";
    assert_eq!(counts(&read(text)), (3, 0, 0));
    assert_eq!(model(text).storms.len(), 1);
    assert_eq!(mistakes("storm-control broadcast level pps 5\n").len(), 1);
}

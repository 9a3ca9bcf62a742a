//! Rows of one direction each: which are replies, and which are blocked.

use super::replayed;

const HEAD: &str = "ts,te,sa,da,sp,dp,pr,ibyt\n";

/// Rows by the second, the two ends and the protocol.
fn rows(rows: &[(u8, &str, u16, &str, u16, &str)]) -> String {
    let rows = rows.iter().map(|(second, from, from_port, to, to_port, protocol)| {
        let time = format!("2026-10-05 10:00:{second:02}");
        format!("{time},{time},{from},{to},{from_port},{to_port},{protocol},100\n")
    });
    HEAD.to_owned() + &rows.collect::<String>()
}

const PUMP: &str = "10.1.0.17";
const SERVER: &str = "10.2.0.10";

#[test]
fn a_reply_is_not_blocked_whether_or_not_its_opening_was_recorded() {
    let both = [(1, PUMP, 50000, SERVER, 3613, "TCP"), (1, SERVER, 3613, PUMP, 50000, "TCP")];
    for order in [[both[0], both[1]], [both[1], both[0]]] {
        let (report, _) = replayed(&rows(&order));
        assert_eq!((report.allowed.flows, report.blocked.flows), (1, 0));
        assert_eq!((report.replies.paired, report.replies.unpaired), (1, 0));
    }
    let (report, suggestion) = replayed(&rows(&both[1..]));
    assert_eq!((report.flows, report.replies.unpaired, report.replies.all()), (0, 1, 1));
    assert_eq!(suggestion.allows, 0);
    assert!(!report.unused.iter().any(|unused| unused.rule == "data"), "a reply shows that its rule is used");
}

#[test]
fn both_directions_of_a_blocked_flow_are_one_blocked_flow() {
    let forth = (1, PUMP, 50000, SERVER, 8080, "TCP");
    let back = |second| (second, SERVER, 8080, PUMP, 50000, "TCP");
    for order in [vec![forth, back(1)], vec![back(1), forth], vec![back(2), forth]] {
        let (report, suggestion) = replayed(&rows(&order));
        assert_eq!((report.blocked.flows, report.replies.of_blocked, report.unclear.flows), (1, 1, 0));
        assert_eq!((report.rows[0].from.as_str(), report.rows[0].service.as_str()), ("pump", "tcp 8080"));
        assert!(suggestion.text.contains("from pump  to pump_srv  via tcp 8080"), "{}", suggestion.text);
    }
    // A service on a high port: the times say more than the ports.
    let (report, _) =
        replayed(&rows(&[(2, SERVER, 60000, PUMP, 50000, "TCP"), (1, PUMP, 50000, SERVER, 60000, "TCP")]));
    assert_eq!((report.rows.len(), report.rows[0].service.as_str()), (1, "tcp 60000"));
}

#[test]
fn what_the_server_opens_itself_is_blocked() {
    // From a high port to a lower one, earlier than what is allowed: no reply, though the packet the other way would pass.
    let own = (1, SERVER, 50001, PUMP, 3613, "UDP");
    let (report, _) = replayed(&rows(&[own]));
    assert_eq!((report.blocked.flows, report.replies.all()), (1, 0));
    let (report, _) =
        replayed(&rows(&[(1, SERVER, 3613, PUMP, 1000, "TCP"), (2, PUMP, 1000, SERVER, 3613, "TCP")]));
    assert_eq!((report.blocked.flows, report.allowed.flows, report.replies.all()), (1, 1, 0));
}

#[test]
fn what_may_be_a_reply_is_blocked_said_to_be_unclear_and_not_suggested() {
    let (report, suggestion) = replayed(&rows(&[(1, SERVER, 8080, PUMP, 50000, "TCP")]));
    assert_eq!((report.blocked.flows, report.unclear.flows), (1, 1));
    assert!(report.rows[0].unclear);
    assert_eq!((suggestion.allows, suggestion.held_back[0].because.as_str()), (0, "it may be a reply"));
}

#[test]
fn answers_and_errors_of_icmp() {
    let text = HEAD.to_owned()
        + "2026-10-05 10:00:00,,10.2.0.10,10.1.0.17,0,0.0,ICMP,84\n\
           2026-10-05 10:00:00,,10.2.0.10,10.1.0.17,0,3.1,ICMP,84\n\
           2026-10-05 10:00:00,,2001:db8:2::10,2001:db8:1::5,0,129.0,ICMP6,84\n\
           2026-10-05 10:00:00,,10.2.0.10,10.1.0.17,0,8.0,ICMP,84\n";
    let (report, suggestion) = replayed(&text);
    assert_eq!((report.replies.unpaired, report.replies.errors, report.blocked.flows), (2, 1, 1));
    assert!(suggestion.text.contains("via icmp echo-request"), "{}", suggestion.text);
}

#[test]
fn the_source_of_a_csv_or_of_zeek_is_who_opened() {
    let (report, _) = replayed("proto,src,dst,sport,dport\ntcp,10.2.0.10,10.1.0.17,3613,50000\n");
    assert_eq!((report.blocked.flows, report.replies.all()), (1, 0));
}

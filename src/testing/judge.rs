//! Judging tests: what the policy says, and whether that is what was expected.

use super::{Failure, Question, Test, TestResult};
use crate::check::{packets_of, violation};
use crate::ir::{Conduits, Decider, Decision, Expectation, Policy, ZoneIndex};
use crate::query::{Fields, parse_packet};
use crate::set::{ICMP, ICMPV6, Packet, has_ports, protocol_name, protocol_number};
use crate::source::Sources;

/// A policy made ready to judge many tests.
#[derive(Clone, Debug)]
pub struct Judge<'p> {
    pub(super) policy: &'p Policy,
    pub(super) decider: Decider<'p>,
    pub(super) conduits: Conduits,
    pub(super) zones: ZoneIndex,
    sources: &'p Sources,
    /// How a command begins and ends that asks the same policy.
    command: (String, String),
}

/// What came of a test, before it is put into words.
#[derive(Clone, Copy, Debug)]
pub enum Judged {
    /// It holds.
    Passed,
    /// It does not: a packet that shows it, and what the policy says of that packet.
    Failed(Packet, Decision),
    /// It speaks of no packet between two zones, so it could not fail whatever the policy says.
    Idle,
}

impl<'p> Judge<'p> {
    /// Prepares a policy, the one under the postures of the tests. `path` is where people say that it lies, and `postures`
    /// are their names, for the commands that explain a packet.
    pub fn new(policy: &'p Policy, sources: &'p Sources, path: &str, postures: &[String]) -> Self {
        let mut options = format!(" --as-of {}", policy.as_of);
        for posture in postures {
            options.push_str(" --posture ");
            options.push_str(&quoted(posture));
        }
        Judge {
            policy,
            decider: Decider::new(policy),
            conduits: Conduits::new(policy),
            zones: ZoneIndex::new(policy),
            sources,
            command: (format!("cordon explain {} ", quoted(path)), options),
        }
    }

    /// Judges a test.
    pub fn judge(&self, test: &Test) -> Judged {
        match &test.question {
            Question::Packet { packet, expected, rule } => {
                let decision = self.decider.decide(packet);
                let decides = decision.rule().map(|rule| self.policy[rule].id.as_str());
                let is_right =
                    decision.verdict() == *expected && (rule.is_none() || rule.as_deref() == decides);
                if is_right { Judged::Passed } else { Judged::Failed(*packet, decision) }
            }
            Question::Assertion(assertion) => {
                match violation(self.policy, &self.conduits, &self.zones, assertion) {
                    None if packets_of(&self.zones, assertion).next().is_none() => Judged::Idle,
                    None => Judged::Passed,
                    Some(violation) => {
                        let packet = violation.packet();
                        Judged::Failed(packet, self.decider.decide(&packet))
                    }
                }
            }
        }
    }

    /// What came of a test, in words.
    pub fn result(&self, test: &Test, judged: Judged) -> TestResult {
        let expected = match &test.question {
            Question::Packet { expected, rule: None, .. } => (*expected).to_owned(),
            Question::Packet { expected, rule: Some(rule), .. } => format!("{expected}, by `{rule}`"),
            Question::Assertion(assertion) => match assertion.expectation {
                Expectation::Allowed => "allow, for each packet".to_owned(),
                Expectation::Denied => "deny, for each packet".to_owned(),
            },
        };
        let failure = match judged {
            Judged::Passed => None,
            Judged::Failed(packet, decision) => Some(self.failure(test, &packet, decision)),
            Judged::Idle => Some(Failure {
                got: "nothing: it speaks of no packet between two zones, so it cannot fail".to_owned(),
                packet: None,
                rule: None,
                place: None,
                explain: None,
                text: self.sources.line(test.span).trim().to_owned(),
            }),
        };
        let line = self.sources.locate(test.span).line;
        TestResult { name: test.name.clone(), line, note: test.note.clone(), expected, failure }
    }

    fn failure(&self, test: &Test, packet: &Packet, decision: Decision) -> Failure {
        let rule = decision.rule().map(|rule| &self.policy[rule]);
        let by = rule.map_or(String::new(), |rule| format!("`{}`", rule.id));
        let verdict = decision.verdict();
        let got = match decision {
            Decision::Local(zone) => {
                format!("{verdict}: both ends lie in the zone `{}`", self.policy[zone].name)
            }
            Decision::Allowed(_) | Decision::Scheduled(_) => format!("{verdict}, by {by}"),
            Decision::Forbidden(_) => format!("{verdict}: {by} forbids it"),
            Decision::Unmentioned => format!("{verdict}: no rule allows it"),
            Decision::Unzoned => format!("{verdict}: one of the addresses lies in no zone"),
        };
        let (begin, end) = &self.command;
        Failure {
            got,
            packet: Some(packet.to_string()),
            rule: rule.map(|rule| rule.id.clone()),
            place: rule.map(|rule| self.sources.locate(rule.span).to_string()),
            explain: arguments(packet).map(|arguments| format!("{begin}{arguments}{end}")),
            text: self.sources.line(test.span).trim().to_owned(),
        }
    }
}

/// A packet as `explain` takes it. None if what it takes would be another packet, as for codes of ICMP messages.
fn arguments(packet: &Packet) -> Option<String> {
    let name = protocol_name(packet.protocol);
    let number = packet.protocol.to_string();
    let proto = if protocol_number(&name).is_some() { name.to_string() } else { number };
    let (src, dst) = (packet.source.to_string(), packet.destination.to_string());
    let (sport, dport) = match packet.protocol {
        protocol if has_ports(protocol) => {
            (packet.source_port.to_string(), packet.destination_port.to_string())
        }
        ICMP | ICMPV6 => (String::new(), (packet.destination_port >> 8).to_string()),
        _ => (String::new(), String::new()),
    };
    let fields = |sport| Fields { proto: &proto, src: &src, dst: &dst, sport, dport: &dport };
    let is_same = |sport| parse_packet(fields(sport)).is_ok_and(|parsed| parsed == *packet);
    let sport = match sport.as_str() {
        _ if is_same("") => String::new(),
        sport if is_same(sport) => format!(" --sport {sport}"),
        _ => return None,
    };
    let dport = if dport.is_empty() { String::new() } else { format!(" {dport}") };
    Some(format!("{proto} {src} {dst}{dport}{sport}"))
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_back_as_the_same_packet_or_there_are_none() {
        let packet = |protocol, source_port, destination_port| Packet {
            source: "10.1.0.1".parse().unwrap(),
            destination: "10.2.0.1".parse().unwrap(),
            protocol,
            source_port,
            destination_port,
        };
        for (packet, wanted) in [
            (packet(6, 49152, 104), Some("tcp 10.1.0.1 10.2.0.1 104")),
            (packet(17, 1, 53), Some("udp 10.1.0.1 10.2.0.1 53 --sport 1")),
            (packet(1, 0, 8 << 8), Some("icmp 10.1.0.1 10.2.0.1 8")),
            (packet(1, 0, (8 << 8) + 1), None),
            (packet(1, 0, 0), None),
            (packet(0, 0, 0), Some("0 10.1.0.1 10.2.0.1")),
            (packet(6, 0, 0), Some("tcp 10.1.0.1 10.2.0.1 0 --sport 0")),
        ] {
            assert_eq!(arguments(&packet).as_deref(), wanted, "{packet}");
        }
    }

    #[test]
    fn words_stay_one_word_in_a_shell() {
        assert_eq!(quoted("examples/general-hospital"), "examples/general-hospital");
        assert_eq!(quoted("my policy"), "'my policy'");
        assert_eq!(quoted("a'b; c"), "'a'\\''b; c'");
    }
}

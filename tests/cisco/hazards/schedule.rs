//! Rules with a schedule: what the lists admit at the edges of its hours, and that it is never more.

use std::collections::{BTreeMap, BTreeSet};

use cordon::ir::{Effect, Rule, Schedule};
use cordon::set::PacketSet;

use super::super::config::{Packet, Time};
use super::super::{Site, compile, compile_text, variants};
use super::{packet, small, text};
use crate::support::{AS_OF, cordon, root, succeed};

const DAY: u16 = 24 * 60;
const WEEK: u16 = 7 * DAY;

/// Rules of every shape, always and during two schedules that overlap, on `small`.
const SHAPES: &str = "schedule night { mon..fri 22:00-06:00  timezone +01:00 }
schedule late { mon..sun 20:00-23:00  sat 00:00-24:00  timezone +01:00 }
schedule dawn { mon..fri 05:00-06:00  timezone +01:00 }
class pumps in ward { hosts 10.1.0.3-10.1.0.9, 10.1.0.64/26, 2001:db8:1::3-2001:db8:1::9 }
allow always   { from ward  to core  via tcp 80, icmp echo-request, icmpv6 echo-request }
allow web      { from ward  to server  via tcp 443, udp 443  during night }
allow dns      { from pumps  to server, old  via tcp/udp 53  during late }
allow both     { from ward  to server  via tcp 443, tcp 500-600  during late  log }
allow overlap  { from pumps  to core  via tcp 70-90, udp 514  during dawn }
allow holes    { from core  to ward  via tcp 9100, udp 9100  during night }
forbid hole    { from old  to ward  via tcp 9100 }
allow wide     { from other  to core  via any  during night }
allow wider    { from other  to server  via any  during late }
allow widest   { from other  to ward  via any  during late  log }
forbid telnet  { from other  to core, ward  via tcp 23  log }
allow single   { from other  to core  via tcp 8080  during late  log }
allow outward  { from core  to other  via udp 161, protocol 97, icmp echo-request  during dawn }
";

impl Site {
    /// True if a packet passes the lists at both ends of its way at a time.
    fn passes_at(&self, packet: &Packet, time: Time) -> bool {
        let ends = self.places(packet).into_iter().zip(["in", "out"]);
        ends.into_iter().all(|(place, direction)| {
            place.is_none_or(|(device, interface)| {
                self.switches[device].config.permits_at(interface, direction, packet, time)
            })
        })
    }

    /// The schedules that hold at a minute of the week.
    fn holding(&self, minute: u16) -> BTreeSet<String> {
        let holds = |schedule: &&Schedule| schedule.week.runs().any(|run| run.contains(minute));
        self.policy.schedules.iter().filter(holds).map(|schedule| schedule.name.clone()).collect()
    }

    /// All rules with their packets.
    fn rules(&self) -> Vec<(&Rule, PacketSet)> {
        let rules = self.policy.rule_indices().map(|index| &self.policy[index]);
        rules.map(|rule| (rule, rule.packets())).collect()
    }

    /// True if some allow that holds speaks of a packet, and no forbid does.
    fn allows(&self, packet: &Packet, rules: &[(&Rule, PacketSet)], holding: &BTreeSet<String>) -> bool {
        let first = packet.first();
        let [from, to] = self.places(packet);
        let speaking = || rules.iter().filter(|(_, packets)| packets.contains(&first)).map(|(rule, _)| rule);
        let holds =
            |during: Option<&Schedule>| during.is_none_or(|schedule| holding.contains(&schedule.name));
        from != to
            && speaking().all(|rule| rule.effect == Effect::Allow)
            && speaking().any(|rule| holds(self.policy.schedule_of(rule)))
    }
}

fn at(day: u16, hour: u16, minute: u16) -> Time {
    Time::Minute(day * DAY + hour * 60 + minute)
}

fn scheduled(hours: &str) -> Site {
    compile_text(&small(&format!(
        "schedule s {{ {hours} }}\nallow web {{ from ward  to server  via tcp 443, udp 53  during s }}"
    )))
}

/// A packet of `web` in a family, and its reply.
fn web(is_v4: bool) -> [Packet; 2] {
    let (ward, server) = if is_v4 { ("10.1.0.9", "10.2.0.10") } else { ("2001:db8:1::9", "2001:db8:2::10") };
    let first = packet(6, (ward, 40_000), (server, 443), false);
    [first, Site::reply(&first).unwrap()]
}

#[test]
fn a_rule_holds_from_its_first_minute_to_its_last_and_so_do_its_replies() {
    let site = scheduled("mon..fri 18:00-22:00  timezone Europe/Berlin");
    for packet in [web(true), web(false)].concat() {
        for day in 0..7 {
            let passes = |hour, minute| site.passes_at(&packet, at(day, hour, minute));
            let is_weekday = day < 5;
            assert_eq!([passes(18, 0), passes(20, 7), passes(21, 59)], [is_weekday; 3], "{packet:?}");
            assert!(
                ![(0, 0), (17, 59), (22, 0), (23, 59)].into_iter().any(|(h, m)| passes(h, m)),
                "{packet:?}"
            );
        }
    }
    let start = |place| if place == "in" { "Vlan1" } else { "Vlan2" };
    let [first, reply] = web(true);
    let config = &site.switches["dist"].config;
    for (direction, time) in [("in", at(0, 17, 59)), ("out", at(0, 22, 0))] {
        assert!(
            !config.permits_at(start(direction), direction, &first, time),
            "each list by itself: {direction}"
        );
        let back = if direction == "in" { "Vlan2" } else { "Vlan1" };
        assert!(!config.permits_at(back, direction, &reply, time), "each list by itself: {direction}");
    }
}

#[test]
fn hours_run_over_midnight_and_over_the_end_of_the_week() {
    let site = scheduled("wed 22:00-06:00  sun 23:30-00:30  timezone utc");
    for packet in [web(true), web(false)].concat() {
        let passes = |day, hour, minute| site.passes_at(&packet, at(day, hour, minute));
        assert!(passes(2, 22, 0) && passes(2, 23, 59) && passes(3, 0, 0) && passes(3, 5, 59));
        assert!(!passes(2, 21, 59) && !passes(3, 6, 0) && !passes(2, 0, 0) && !passes(3, 22, 0));
        assert!(passes(6, 23, 30) && passes(6, 23, 59) && passes(0, 0, 0) && passes(0, 0, 29));
        assert!(!passes(6, 23, 29) && !passes(0, 0, 30) && !passes(1, 0, 0));
    }
}

/// Compares each list at each moment with the policy and the residue, and says how many of its verdicts depend on time.
fn check_moments(site: &Site) -> usize {
    let moments: BTreeMap<BTreeSet<String>, u16> =
        (0..WEEK).map(|minute| (site.holding(minute), minute)).collect();
    let packets: BTreeSet<Packet> = site.edges().iter().flat_map(|(packet, _)| variants(packet)).collect();
    let (rules, mut at_times) = (site.rules(), 0);
    for packet in &packets {
        let ends = site.places(packet);
        let allowed: Vec<bool> = moments.keys().map(|holding| site.allows(packet, &rules, holding)).collect();
        for (device, switch) in &site.switches {
            for (interface, direction) in switch.config.bound(packet.source.is_ipv4()) {
                let end = if direction == "in" { ends[0] } else { ends[1] };
                let here = end == Some((device.as_str(), interface.as_str()));
                let mut verdicts = BTreeSet::new();
                for ((holding, minute), allowed) in moments.iter().zip(&allowed) {
                    let owed = here && *allowed;
                    let more = switch.residue.holds_while(holding, &interface, direction, packet);
                    let time = Time::Minute(*minute);
                    let admitted = switch.config.permits_at(&interface, direction, packet, time);
                    let place = format!("{device} {interface} {direction} during {holding:?}: {packet:?}");
                    assert_eq!(admitted, owed || more, "allowed {owed}, residue {more}, at {place}");
                    assert!(!(owed && more && !packet.established), "allowed and residue at {place}");
                    verdicts.insert(admitted);
                }
                at_times += usize::from(verdicts.len() == 2);
            }
        }
    }
    at_times
}

#[test]
fn each_list_admits_at_each_moment_the_policy_and_its_residue_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("policy.cordon"), small(SHAPES)).unwrap();
    let at_times = check_moments(&compile(directory.path()));
    assert!(at_times > 200, "{at_times} depend on the time");
}

#[test]
fn so_does_each_list_of_a_policy_of_which_every_other_rule_has_a_schedule() {
    let text = std::fs::read_to_string(root().join("tests/policies/switch/switch.cordon")).unwrap();
    for start in 0..2 {
        let mut schedules = ["", "during night }", "", "during late }"].into_iter().cycle().skip(start);
        let line = |line: &str| match line.strip_suffix('}').filter(|_| line.starts_with("allow ")) {
            Some(rule) => schedules
                .next()
                .filter(|words| !words.is_empty())
                .map_or(line.to_owned(), |words| format!("{rule}{words}")),
            None => line.to_owned(),
        };
        let mut policy: String = text.lines().map(line).flat_map(|line| [line, "\n".to_owned()]).collect();
        policy.push_str("schedule night { mon..fri 22:00-06:00  timezone utc }\n");
        policy.push_str("schedule late { mon..sun 20:00-23:00  timezone utc }\n");
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("policy.cordon"), policy).unwrap();
        let at_times = check_moments(&compile(directory.path()));
        assert!(at_times > 200, "{at_times} depend on the time");
    }
}

#[test]
fn each_minute_of_the_week_is_that_of_the_policy() {
    let site = compile_text(&small(SHAPES));
    let probes = [
        packet(6, ("10.1.0.9", 40_000), ("10.2.0.10", 443), false),
        packet(17, ("2001:db8:1::4", 40_000), ("2001:db8:2::10", 53), false),
        packet(6, ("10.1.0.3", 40_000), ("10.2.0.7", 71), false),
        packet(132, ("10.3.0.1", 1), ("10.2.0.10", 1), false),
        packet(6, ("10.3.0.1", 1), ("10.2.0.10", 23), false),
        packet(6, ("10.1.0.1", 1), ("10.2.0.9", 80), false),
    ];
    let replies = probes.iter().filter_map(|packet| Some((Site::reply(packet)?, *packet)));
    let mut rows: Vec<(Packet, Packet)> = probes.iter().map(|packet| (*packet, *packet)).collect();
    rows.extend(replies.filter(|(reply, _)| reply.protocol != 132));
    let rules = site.rules();
    let mut allowed: BTreeMap<BTreeSet<String>, Vec<bool>> = BTreeMap::new();
    for minute in 0..WEEK {
        let holding = site.holding(minute);
        let verdicts = || rows.iter().map(|(_, first)| site.allows(first, &rules, &holding)).collect();
        let allowed = allowed.entry(holding.clone()).or_insert_with(verdicts);
        for ((packet, _), allowed) in rows.iter().zip(allowed) {
            let passes = site.passes_at(packet, Time::Minute(minute));
            assert_eq!(passes, *allowed, "{minute}: {packet:?}");
        }
    }
}

#[test]
fn a_clock_that_was_never_set_opens_nothing() {
    let site = scheduled("mon..sun 00:00-23:00  timezone utc");
    assert!(web(true).iter().all(|packet| site.passes_at(packet, Time::Minute(5))));
    for minute in 0..WEEK {
        assert!(!web(true).iter().any(|packet| site.passes_at(packet, Time::Unset(minute))), "{minute}");
    }
}

#[test]
fn the_clock_is_named_where_there_are_hours_and_nowhere_else() {
    let place = scheduled("mon 18:00-22:00  timezone Europe/Berlin");
    assert!(text(&place).contains("! clock: Europe/Berlin, with `clock summer-time` where it has one"));
    let offset = scheduled("mon 18:00-22:00  timezone +01:00");
    assert!(text(&offset).contains("! clock: UTC+01:00 all the year, without `clock summer-time`"));
    let none = compile_text(&small("allow web { from ward  to server  via tcp 443 }"));
    assert!(!text(&none).contains("clock") && !text(&none).contains("time-range"));
}

#[test]
fn time_ranges_are_named_after_their_hours_and_written_before_the_lists() {
    let rules = "schedule one { mon 10:00-11:00  timezone utc }\nschedule two { mon 10:00-11:00  timezone utc }\n\
                 schedule three { tue 10:00-11:00  timezone utc }\nschedule unused { wed 01:00-02:00  timezone utc }\n\
                 allow a { from ward  to server  via tcp 1  during one }\n\
                 allow b { from ward  to server  via tcp 2  during two }\n\
                 allow c { from other  to ward  via tcp 3  during three }";
    let before = compile_text(&small(rules));
    let after = compile_text(&small(&rules.replace("tue 10:00", "tue 09:00")));
    let ranges = |site: &Site| -> BTreeSet<String> {
        site.switches["dist"].config.ranges().into_iter().map(str::to_owned).collect()
    };
    assert_eq!(ranges(&before).len(), 2, "the same hours are one range, and what is not used is not there");
    assert_eq!(ranges(&before).intersection(&ranges(&after)).count(), 1, "other hours have another name");
    let lists =
        |site: &Site| -> BTreeSet<String> { site.switches["dist"].config.lists.keys().cloned().collect() };
    let changed: BTreeSet<String> = lists(&before).difference(&lists(&after)).cloned().collect();
    let of_c = |name: &String| {
        ["Te1_1_1_3-IN-4", "Te1_1_1_3-OUT-4", "Vlan1-IN-4", "Vlan1-OUT-4"].iter().any(|l| name.contains(l))
    };
    assert!(changed.len() == 4 && changed.iter().all(of_c), "{changed:?}");
    let place = |start: &str| text(&before).lines().position(|line| line.starts_with(start)).unwrap();
    let last = text(&before).lines().enumerate().filter(|(_, line)| line.starts_with("time-range ")).last();
    assert!(last.unwrap().0 < place("ip access-list ") && last.unwrap().0 < place("ipv6 access-list "));
}

#[test]
fn old_time_ranges_are_removed_behind_the_lists_that_name_them() {
    let old = |rule: &str| {
        let (directory, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(directory.path().join("policy.cordon"), small(rule)).unwrap();
        let build = out.path().join("build");
        let paths = [directory.path().to_string_lossy(), build.to_string_lossy()];
        succeed(&["build", &paths[0], "--as-of", AS_OF, "--out", &paths[1]], "");
        let read = |file: &str| std::fs::read_to_string(build.join("dist").join(file)).unwrap();
        (read("acl.cfg"), read("remove-old.txt"))
    };
    let (acl, remove) = old("schedule s { mon 10:00-11:00  timezone utc }\n\
                             allow web { from ward  to server  via tcp 1  during s }");
    let range = acl.lines().find_map(|line| line.strip_prefix("time-range ")).unwrap();
    assert!(remove.lines().any(|line| line.trim() == range), "in use, to be kept");
    let place = |word: &str| remove.find(word).unwrap();
    assert!(place("no ipv6 access-list NAME") < place("no time-range NAME"));
    assert!(remove.contains("|time-range) CORDON-"));
    let (_, remove) = old("allow web { from ward  to server  via tcp 1 }");
    assert!(!remove.contains("time-range"));
}

#[test]
fn a_minute_by_itself_is_refused_since_it_could_be_read_as_a_day() {
    let directory = tempfile::tempdir().unwrap();
    let rule = "schedule s { mon 22:00-00:01  timezone utc }\n\
                allow web { from ward  to server  via tcp 1  during s }";
    std::fs::write(directory.path().join("policy.cordon"), small(rule)).unwrap();
    let out = directory.path().join("build");
    let arguments =
        ["build", &directory.path().to_string_lossy(), "--as-of", AS_OF, "--out", &out.to_string_lossy()];
    let output = cordon(&arguments, "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("00:00 is a minute by itself"), "{said}");
}

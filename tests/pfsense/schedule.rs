//! Rules with schedules: when they let what pass, and that they never stand where a restore would make them hold always.

use std::collections::BTreeSet;
use std::fs;

use cordon::emit::SpliceError;
use roxmltree::Document;

use super::evaluate::{Arrival, Firewall, child, elements, text};
use super::meaning::arrival;
use super::splice::{CONFIG, run, without_own};
use super::{Output, build, written};

/// Schedules that overlap each other, over midnight and at the end of the week, with narrow rules and with rules for
/// all protocols whose exceptions differ.
const POLICY: &str = "policy \"timed\"
zone ward    { net 10.1.0.0/24 }
zone servers { net 10.2.0.0/24 }
zone internet { rest }
schedule night   { mon..fri 22:00-06:00  timezone Europe/Berlin }
schedule office  { mon..fri 05:00-17:15  timezone Europe/Berlin }
schedule weekend { sat..sun 00:00-24:00  timezone Europe/Berlin }
allow web     { from ward  to servers  via tcp 443 }
allow vendor  { from ward  to servers  via tcp 3389  during night  log }
allow desk    { from ward  to servers  via tcp 3389, udp 3389  during office }
allow access  { from servers  to ward  via tcp 25  during night  log }
allow back    { from servers  to ward  via any  during night  log  reason \"]]> & <b> \\\"\" }
allow over    { from servers  to ward  via any  during weekend }
allow few     { from servers  to ward  via tcp 80  during office }
allow always  { from servers  to ward  via udp 123 }
forbid telnet { from servers  to ward  via tcp 23 }
manage admin  { from ward  via tcp 22 }
firewall core {
  target pfsense
  interface lan  zone ward
  interface opt1 zone servers
  interface wan  zone internet
}
";

fn config() -> String {
    CONFIG.replace("<system>", "<system><timezone>Europe/Berlin</timezone>")
}

fn spliced(config: &str, output: &Output) -> String {
    output.splice(config).unwrap_or_else(|error| panic!("{error}")).config
}

/// The rule of the policy that decides on a packet first, by hand.
fn expected(packet: &Arrival, minute: u16) -> Option<&'static str> {
    let (day, hour) = (minute / 1440, f64::from(minute % 1440) / 60.0);
    let night = (day < 5 && hour >= 22.0) || ((1..6).contains(&day) && hour < 6.0);
    let office = day < 5 && (5.0..17.25).contains(&hour);
    let weekend = day >= 5;
    let (protocol, port) = (packet.protocol, packet.destination_port);
    if packet.interface == "lan" {
        return match (protocol, port) {
            (6, 443) => Some("web"),
            (6, 3389) if night => Some("vendor"),
            (6 | 17, 3389) if office => Some("desk"),
            _ => None,
        };
    }
    match (protocol, port) {
        (17, 123) => Some("always"),
        (6, 23) => None,
        _ if night => Some(if (protocol, port) == (6, 25) { "access" } else { "back" }),
        (6, 80) if office => Some("few"),
        _ if weekend => Some("over"),
        _ => None,
    }
}

fn packets() -> Vec<Arrival> {
    let mut packets = Vec::new();
    for (protocol, port) in [
        (6, 443),
        (6, 3389),
        (17, 3389),
        (6, 25),
        (17, 25),
        (6, 80),
        (6, 23),
        (17, 23),
        (17, 123),
        (6, 123),
        (99, 0),
    ] {
        packets.push(arrival("lan", "10.1.0.9", "10.2.0.9", protocol, port));
        packets.push(arrival("opt1", "10.2.0.9", "10.1.0.9", protocol, port));
    }
    packets
}

#[test]
fn a_rule_lets_pass_in_its_hours_and_at_no_other_minute() {
    let (start, end) = (config().find("\t\t<rule>").unwrap(), config().find("\t\t<separator>").unwrap());
    let mut bare = config();
    bare.replace_range(start..end, "");
    let firewall = Firewall::of_config(&spliced(&bare, &build(written(POLICY).path())), &[]);
    let mut seen = BTreeSet::new();
    // The first and the last minute of each quarter of an hour.
    for minute in (0..7 * 24 * 60).filter(|minute| matches!(minute % 15, 0 | 14)) {
        for packet in packets() {
            let (found, rule) = (firewall.decide_at(&packet, minute), expected(&packet, minute));
            assert_eq!(found.pass, rule.is_some(), "{packet:?} at {minute}: {rule:?}, but {found:?}");
            if let Some(rule) = rule {
                let name = found.description.trim_start_matches("cordon: ");
                assert!(name == rule || name.starts_with(&format!("{rule}, ")), "{rule}, but {found:?}");
                assert_eq!(found.log, matches!(rule, "vendor" | "access" | "back"), "{rule}: {found:?}");
                seen.insert(rule);
            }
        }
    }
    assert_eq!(seen.len(), 8, "{seen:?}");
}

/// What the rules of the policies below may name: services, with whether they hold a packet of protocol and port.
/// Whether a service holds a protocol and a port.
type Holds = fn(u8, u16) -> bool;

const SERVICES: [(&str, Holds); 7] = [
    ("any", |_, _| true),
    ("tcp 25", |protocol, port| (protocol, port) == (6, 25)),
    ("tcp any", |protocol, _| protocol == 6),
    ("tcp 20-30, udp 20-30", |protocol, port| matches!(protocol, 6 | 17) && (20..=30).contains(&port)),
    ("udp 53", |protocol, port| (protocol, port) == (17, 53)),
    ("icmp echo-request", |protocol, port| (protocol, port) == (1, 8)),
    ("gre", |protocol, _| protocol == 47),
];

/// Schedules by name, each with a minute of the week when it alone holds; all three hold at noon of Thursday.
const TIMES: [(&str, &str, u16); 3] = [
    ("mondays", "mon 12:00-13:00  thu 12:00-13:00", 12 * 60),
    ("tuesdays", "tue 12:00-13:00  thu 12:00-13:00", 36 * 60),
    ("wednesdays", "wed 12:00-13:00  thu 12:00-13:00", 60 * 60),
];

#[test]
fn schedules_that_overlap_take_nothing_from_each_other() {
    // A generator of numbers that are always the same (Knuth, MMIX).
    let mut state = 1_u64;
    let mut pick = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let packets =
        [(6, 25), (6, 22), (6, 80), (17, 25), (17, 53), (17, 54), (1, 8), (1, 3), (47, 0), (50, 0), (99, 0)];
    for _ in 0..40 {
        let rules: Vec<(usize, usize, bool)> = (0..5).map(|_| (pick(7), pick(4), pick(2) == 0)).collect();
        let mut text = SMALL.to_owned();
        for (place, (name, hours, _)) in TIMES.iter().enumerate() {
            if rules.iter().any(|(_, when, _)| *when == place) {
                text += &format!("schedule {name} {{ {hours}  timezone utc }}\n");
            }
        }
        for (number, (service, when, log)) in rules.iter().enumerate() {
            let during = TIMES.get(*when).map(|(name, ..)| format!("during {name}")).unwrap_or_default();
            let (service, log) = (SERVICES[*service].0, if *log { "log" } else { "" });
            text += &format!("allow r{number} {{ from a  to b  via {service}  {during}  {log} }}\n");
        }
        let output = build(written(&text).path());
        let firewall = Firewall::of_config(&spliced(EMPTY, &output), &[]);
        for (minute, holds) in
            [(12 * 60, [0, 0]), (36 * 60, [1, 1]), (60 * 60, [2, 2]), (84 * 60, [0, 2]), (0, [9, 9])]
        {
            for (protocol, port) in packets {
                let wanted = (protocol, port) != (6, 22)
                    && rules.iter().any(|(service, when, _)| {
                        SERVICES[*service].1(protocol, port)
                            && (*when == 3 || (holds[0]..=holds[1]).contains(when))
                    });
                let packet = arrival("lan", "10.1.0.9", "10.2.0.9", protocol, port);
                let found = firewall.decide_at(&packet, minute);
                assert_eq!(found.pass, wanted, "{packet:?} at {minute}: {found:?}\n{text}");
            }
        }
    }
}

/// A policy without allows.
const SMALL: &str = "zone a { net 10.1.0.0/24 }
zone b { net 10.2.0.0/24 }
forbid ssh { from a  to b  via tcp 22 }
firewall core { target pfsense  interface lan zone a  interface opt1 zone b }
";

/// A config without rules.
const EMPTY: &str = "<pfsense><version>23.3</version><system><timezone>UTC</timezone></system>
<interfaces><lan><enable/></lan><opt1><enable/></opt1></interfaces><filter/></pfsense>
";

#[test]
fn a_restore_of_the_area_alone_opens_nothing_that_is_open_at_times_only() {
    let output = build(written(POLICY).path());
    assert!(!output.filter.contains("sched>") && output.filter.contains("until the next splice"));
    let restored = Firewall::read(&output.filter, &output.aliases, &[]);
    for packet in packets() {
        let always = matches!(expected(&packet, 20 * 60), Some("web" | "always"));
        assert_eq!(restored.decide(&packet).pass, always, "{packet:?}");
    }
    let [rules, schedules] = output.scheduled.unwrap();
    for file in [&rules, &schedules] {
        // The restore looks for these very tags.
        assert!(!["<filter>", "<aliases>", "<pfsense>"].iter().any(|tag| file.contains(tag)), "{file}");
        Document::parse(file).unwrap();
    }
}

#[test]
fn blocks_have_no_schedule_and_passes_of_scheduled_rules_have_theirs() {
    let made = spliced(&config(), &build(written(POLICY).path()));
    let config = Document::parse(&made).unwrap();
    let mut timed = 0;
    for rule in elements(child(config.root_element(), "filter").unwrap(), "rule") {
        let descr = text(rule, "descr").unwrap();
        let name = descr.trim_start_matches("cordon: ").split(',').next().unwrap();
        let schedule = match name {
            "vendor" | "access" | "back" => "cdn_night_",
            "desk" | "few" => "cdn_office_",
            "over" => "cdn_weekend_",
            _ => "",
        };
        let found = text(rule, "sched").unwrap_or_default();
        if text(rule, "type").as_deref() == Some("block") {
            assert_eq!(found, "", "{descr}");
        } else {
            assert!(
                found.starts_with(schedule) && found.is_empty() == schedule.is_empty(),
                "{descr}: {found}"
            );
            timed += usize::from(!found.is_empty());
        }
    }
    assert!(timed >= 8, "{timed}");
}

#[test]
fn schedules_are_in_the_form_that_pfsense_keeps_them_in() {
    let [_, schedules] = build(written(POLICY).path()).scheduled.unwrap();
    let document = Document::parse(&schedules).unwrap();
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("clock")), ("schedules", Some("Europe/Berlin")));
    let mut found = Vec::new();
    for schedule in elements(root, "schedule") {
        let name = text(schedule, "name").unwrap();
        assert!(
            name.len() <= 31 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
            "{name}"
        );
        assert_eq!(text(schedule, "schedlabel").unwrap(), name);
        let ranges: Vec<String> = elements(schedule, "timerange")
            .map(|range| {
                assert_eq!(text(range, "rangedescr").as_deref(), Some(""));
                format!("{} {}", text(range, "position").unwrap(), text(range, "hour").unwrap())
            })
            .collect();
        found.push((text(schedule, "descr").unwrap(), ranges.join("; ")));
    }
    let expected = [
        ("night", "2,3,4,5,6 0:00-6:00; 1,2,3,4,5 22:00-24:00"),
        ("office", "1,2,3,4,5 5:00-17:15"),
        ("weekend", "6,7 0:00-24:00"),
    ];
    let about = |name| format!("cordon: {name}, by the clock of Europe/Berlin");
    assert_eq!(found, expected.map(|(name, ranges)| (about(name), ranges.to_owned())));
}

#[test]
fn long_names_of_schedules_stay_apart() {
    let (one, two) = ("x".repeat(62) + "1", "x".repeat(62) + "2");
    let policy = POLICY.replace("night", &one).replace("office", &two);
    let [_, schedules] = build(written(&policy).path()).scheduled.unwrap();
    let document = Document::parse(&schedules).unwrap();
    let names: BTreeSet<String> = elements(document.root_element(), "schedule")
        .map(|schedule| text(schedule, "name").unwrap())
        .collect();
    assert!(names.len() == 3 && names.iter().all(|name| name.len() <= 31), "{names:?}");
    assert!(!schedules.contains(['\'', '\\', '$']), "{schedules}");
}

#[test]
fn other_hours_change_the_schedule_and_no_rule() {
    let before = build(written(POLICY).path());
    let after = build(written(&POLICY.replace("05:00-17:15", "07:00-17:15")).path());
    assert_eq!((&before.filter, &before.aliases), (&after.filter, &after.aliases));
    let ([old_rules, old], [new_rules, new]) = (before.scheduled.unwrap(), after.scheduled.unwrap());
    assert_eq!(old_rules, new_rules);
    assert_eq!(old.replace("5:00-17:15", "7:00-17:15"), new);
}

#[test]
fn a_schedule_that_only_what_is_left_out_names_makes_no_files() {
    let policy =
        POLICY.replace("17:15", "17:05").replace("during office", "during office  unsupported leave-out");
    let [rules, schedules] = build(written(&policy).path()).scheduled.unwrap();
    assert!(!rules.contains("office") && !schedules.contains("office"));
    let one = "zone a { net 10.1.0.0/24 }\nzone b { net 10.2.0.0/24 }
schedule s { mon 10:01-11:00  timezone utc }
allow timed { from a  to b  via tcp 80  during s  unsupported leave-out }
firewall core { target pfsense  interface lan zone a  interface opt1 zone b }
";
    assert!(build(written(one).path()).scheduled.is_none());
}

/// A schedule of somebody else, with text that is hostile to whoever shows it.
const FOREIGN: &str = "\t<schedules>
\t\t<schedule>
\t\t\t<name>by_hand</name>
\t\t\t<descr><![CDATA[&lt;script&gt; ]]&gt; &quot; &amp; <schedule>]]></descr>
\t\t\t<timerange><position>1</position><hour>0:00-23:59</hour><rangedescr></rangedescr></timerange>
\t\t\t<schedlabel>5f3c1a2b4d5e6</schedlabel>
\t\t</schedule>
\t</schedules>
";

fn with_foreign() -> String {
    config().replace("\t<filter>", &format!("{FOREIGN}\t<filter>"))
}

#[test]
fn hazard_20_schedules_of_others_stay_byte_by_byte() {
    let output = build(written(POLICY).path());
    let other = build(written(&POLICY.replace("weekend", "saturday")).path());
    let timeless = build(
        written(&POLICY.lines().filter(|line| !line.contains("during")).collect::<Vec<_>>().join("\n").replace(
            "schedule night ",
            "allow x { from ward  to servers  via tcp 9  during night  unsupported leave-out }\nschedule night ",
        ).replace("22:00-06:00", "22:01-06:00").lines().filter(|line| {
            !line.starts_with("schedule office") && !line.starts_with("schedule weekend")
        }).collect::<Vec<_>>().join("\n"))
        .path(),
    );
    assert!(timeless.scheduled.is_none());
    for start in [with_foreign(), with_foreign().replace('\n', "\r\n"), with_foreign().replace('\t', "  ")] {
        let once = spliced(&start, &output);
        assert_eq!(without_own(&once), start);
        assert_eq!(spliced(&once, &output), once, "a second splice changes nothing");
        let replaced = spliced(&once, &other);
        assert_eq!(replaced, spliced(&start, &other), "nothing of the first is left");
        assert!(replaced.contains("cdn_saturday_") && !replaced.contains("cdn_weekend_"));
        let gone = spliced(&once, &timeless);
        assert_eq!(gone, spliced(&start, &timeless));
        assert!(!gone.contains("sched>cdn_") && gone.contains("by_hand"));
    }
}

#[test]
fn a_section_that_is_empty_or_not_there_is_filled() {
    let output = build(written(POLICY).path());
    for section in ["", "\t<schedules></schedules>\n", "<schedules/>", "\t<schedules>\n\t</schedules>\n"] {
        let start = config().replace("\t<filter>", &format!("{section}\t<filter>"));
        let made = output.splice(&start).unwrap();
        assert_eq!(made.schedules, 3);
        assert_eq!(spliced(&made.config, &output), made.config, "{section}");
        let document = Document::parse(&made.config).unwrap();
        let schedules = child(document.root_element(), "schedules").unwrap();
        assert_eq!(elements(schedules, "schedule").count(), 3, "{section}");
    }
}

#[test]
fn a_clock_that_is_not_that_of_the_schedules_is_refused() {
    let output = build(written(POLICY).path());
    for timezone in ["Etc/UTC", "Europe/London", "europe/berlin", ""] {
        let other = config().replace(">Europe/Berlin<", &format!(">{timezone}<"));
        let refused = output.splice(&other).unwrap_err();
        assert!(matches!(&refused, SpliceError::OtherClock { timezone: found, .. } if found == timezone));
        assert!(refused.to_string().contains("Timezone to `Europe/Berlin`"), "{refused}");
    }
    assert!(
        matches!(output.splice(CONFIG).unwrap_err(), SpliceError::OtherClock { .. }),
        "it names no time zone"
    );
    for (said, timezone, taken) in [
        ("utc", "Etc/UTC", true),
        ("utc", "UTC", true),
        ("utc", "Europe/London", false),
        ("+01:00", "Etc/GMT-1", true),
        ("+01:00", "Etc/GMT+1", false),
        ("+01:00", "Europe/Berlin", false),
        ("+05:30", "Asia/Kolkata", false),
    ] {
        let output = build(written(&POLICY.replace("Europe/Berlin", said)).path());
        let other = config().replace(">Europe/Berlin<", &format!(">{timezone}<"));
        assert_eq!(output.splice(&other).is_ok(), taken, "{said} on {timezone}");
    }
    let timeless = build(written(&CONFIGLESS.replace("during s", "")).path());
    assert!(timeless.splice(CONFIG).is_ok(), "without schedules the clock does not matter");
}

/// A policy with an allow that can lose its schedule.
const CONFIGLESS: &str = "zone a { net 10.1.0.0/24 }
zone b { net 10.2.0.0/24 }
allow timed { from a  to b  via tcp 80 during s }
firewall core { target pfsense  interface lan zone a  interface opt1 zone b }
";

#[test]
fn schedules_that_others_have_or_use_are_not_taken_from_them() {
    let output = build(written(POLICY).path());
    let once = spliced(&with_foreign(), &output);
    let name = {
        let document = Document::parse(&once).unwrap();
        let schedules = child(document.root_element(), "schedules").unwrap();
        let names = elements(schedules, "schedule").map(|schedule| text(schedule, "name").unwrap());
        names.into_iter().find(|name| name.starts_with("cdn_weekend_")).unwrap()
    };
    for taken in [">by_hand<", ">5f3c1a2b4d5e6<"] {
        let config = with_foreign().replace(taken, &format!(">{name}<"));
        assert_eq!(output.splice(&config).unwrap_err(), SpliceError::Taken(name.clone()));
    }
    let copied = with_foreign().replace("[CDATA[&lt;script", "[CDATA[cordon: &lt;script");
    assert!(matches!(output.splice(&copied).unwrap_err(), SpliceError::Doubtful(_)));
    let used = once.replace(
        "<interface>lan</interface>\n\t\t\t<descr><![CDATA[by hand",
        &format!("<interface>lan</interface>\n\t\t\t<sched>{name}</sched>\n\t\t\t<descr><![CDATA[by hand"),
    );
    assert_ne!(used, once);
    assert_eq!(spliced(&used, &output), used, "as long as it stays, others may use it");
    let other = build(written(&POLICY.replace("weekend", "saturday")).path());
    assert_eq!(other.splice(&used).unwrap_err(), SpliceError::StillUsed { kind: "schedule", name });
}

#[test]
fn files_that_do_not_fit_together_are_refused() {
    let output = || build(written(POLICY).path());
    let refused = |change: fn(&mut Output)| {
        let mut changed = output();
        change(&mut changed);
        changed.splice(&config()).unwrap_err().to_string()
    };
    let schedule = refused(|output| {
        let [_, schedules] = output.scheduled.as_mut().unwrap();
        *schedules = schedules.replace("<name>cdn_night", "<name>cdn_day");
    });
    assert!(schedule.contains("has no schedule `cdn_night_"), "{schedule}");
    let clock = refused(|output| {
        let [_, schedules] = output.scheduled.as_mut().unwrap();
        *schedules = schedules.replace(" clock=", " not=");
    });
    assert!(clock.contains("by which clock"), "{clock}");
    let place = refused(|output| {
        let [rules, _] = output.scheduled.as_mut().unwrap();
        *rules = rules.replace("<behind>", "<behind>9");
    });
    assert!(place.contains("has no rule with the tracker `9"), "{place}");
}

#[test]
fn the_command_splices_schedules_and_counts_them() {
    let directory = written(POLICY);
    let file = directory.path().join("config.xml");
    fs::write(&file, CONFIG).unwrap();
    let (code, said) = run(directory.path(), &["--device", "core"]);
    assert!(code == 2 && said.contains("Europe/Berlin"), "{code} {said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), CONFIG);
    fs::write(&file, config()).unwrap();
    let (code, said) = run(directory.path(), &["--device", "core"]);
    assert!(code == 0 && said.contains("and 3 schedules into"), "{code} {said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), spliced(&config(), &build(directory.path())));
}

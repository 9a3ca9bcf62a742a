//! Configs that were not made for this test: what cordon builds, what nft prints of it, and what others run.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use cordon::read::{Action, Chain, Interfaces, Model, PacketBox, Rule, States, nftables};

use super::model;
use crate::kernel::lab::{Invocation, Lab, Step, StepOutcome, run};
use crate::kernel::require::{ready, ready_for_large};
use crate::support::{AS_OF, hospital, one_firewall, root, succeed};

/// Configs of others, with the count of lines that are understood or ignored, which may only rise, and of mistaken ones.
const CORPUS: [(&str, usize, usize); 1] = [("mit__yoramvandevelde_nftables-init.nft", 58, 2)];

#[test]
fn configs_of_others_are_understood_as_far_as_the_table_says() {
    for (name, understood, mistaken) in CORPUS {
        let path = root().join("../shared/corpus/nftables").join(name);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let reading = nftables::read(&text);
        let lines = reading.lines;
        let known = lines.understood + lines.ignored;
        assert!(
            known >= understood && lines.mistaken <= mistaken,
            "{name}: {lines:?}\n{:#?}",
            reading.mistakes
        );
    }
}

#[test]
fn what_cordon_builds_is_understood() {
    let text = std::fs::read_to_string(hospital().join("build/core/ruleset.nft")).unwrap();
    let model = model(&text);
    let names: Vec<&str> = model.filters.iter().map(|filter| filter.name.as_str()).collect();
    assert_eq!(names, ["inet cordon forward", "inet cordon input"]);
    assert!(model.filters.iter().all(|filter| !filter.otherwise_accept));
}

/// The ruleset of a policy's firewall `core`.
fn built(policy: &Path) -> String {
    let work = tempfile::tempdir().unwrap();
    let out = work.path().join("build");
    succeed(&["build", &policy.to_string_lossy(), "--as-of", AS_OF, "--out", &out.to_string_lossy()], "");
    std::fs::read_to_string(out.join("core/ruleset.nft")).unwrap()
}

/// What nft prints once a ruleset is loaded, by a loader and a printer in UTC.
fn dumped(ruleset: &str) -> String {
    let nft = |arguments: &[&str]| {
        let all: Vec<&str> = ["TZ=UTC", "nft"].iter().chain(arguments).copied().collect();
        Invocation::new("env", &all)
    };
    let lab = Lab {
        load: vec![nft(&["-f", "-"]).input(ruleset)],
        steps: vec![Step::Run(nft(&["list", "ruleset"]))],
        ..Lab::default()
    };
    match run(&lab).unwrap().as_slice() {
        [StepOutcome::Output(text)] => text.clone(),
        other => panic!("{other:?}"),
    }
}

/// What elements of one map have in common. nft prints them in an order of its own, so rules in a row that have it in
/// common are compared without their order.
fn shape(rule: &Rule) -> impl PartialEq + use<> {
    let matches = &rule.matches;
    let interfaces = |interfaces: &Interfaces| match interfaces {
        Interfaces::Any => 0,
        Interfaces::Only(_) => 1,
        Interfaces::Except(_) => 2,
    };
    let conditions: Vec<(usize, bool)> =
        matches.conditions.iter().map(|condition| (condition.boxes.len(), condition.negated)).collect();
    let sides = [interfaces(&matches.arrives), interfaces(&matches.leaves)];
    (sides, matches.states == States::ALL, conditions, matches.opaque.clone())
}

/// A model in which neither the order of a map's elements, nor that of boxes, nor the places of chains and lines count.
fn canonical(model: &Model) -> String {
    let mut chains: Vec<&Chain> = model.chains.iter().collect();
    chains.sort_by(|one, other| one.name.cmp(&other.name));
    let mut text = String::new();
    for chain in chains {
        writeln!(text, "chain {}", chain.name).unwrap();
        for run in chain.rules.chunk_by(|one, other| shape(one) == shape(other)) {
            let mut lines: Vec<String> = run.iter().map(|rule| canonical_rule(model, rule)).collect();
            lines.sort();
            lines.iter().for_each(|line| writeln!(text, "  {line}").unwrap());
        }
    }
    for filter in &model.filters {
        let chain = &model.chains[filter.chain.0].name;
        writeln!(
            text,
            "{} {:?} {:?} {chain} {}",
            filter.name, filter.paths, filter.concerns, filter.otherwise_accept
        )
        .unwrap();
    }
    text
}

/// A condition with its times in seconds: nft prints 1800s as 30m.
fn in_seconds(condition: &str) -> String {
    let seconds = |word: &str| -> Option<u64> {
        let mut all = 0;
        for part in word.split_inclusive(['d', 'h', 'm', 's']) {
            let (number, unit) = part.split_at_checked(part.len().checked_sub(1)?)?;
            let unit = match unit {
                "d" => 86_400,
                "h" => 3_600,
                "m" => 60,
                "s" => 1,
                _ => return None,
            };
            all += number.parse::<u64>().ok()? * unit;
        }
        Some(all)
    };
    let words = condition.split(' ').map(|word| match seconds(word) {
        Some(seconds) if !word.is_empty() => format!("{seconds}s"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn canonical_rule(model: &Model, rule: &Rule) -> String {
    let mut matches = rule.matches.clone();
    matches.opaque = matches.opaque.iter().map(|condition| in_seconds(condition)).collect();
    for condition in &mut matches.conditions {
        let mut boxes: Vec<PacketBox> = condition.boxes.to_vec();
        boxes.sort();
        condition.boxes = boxes.into();
    }
    for interfaces in [&mut matches.arrives, &mut matches.leaves] {
        match interfaces {
            Interfaces::Any => {}
            Interfaces::Only(names) | Interfaces::Except(names) => {
                let mut sorted = names.to_vec();
                sorted.sort();
                *names = sorted.into();
            }
        }
    }
    let action = match rule.action {
        Action::Jump(chain) => format!("jump {}", model.chains[chain.0].name),
        Action::Goto(chain) => format!("goto {}", model.chains[chain.0].name),
        other => format!("{other:?}"),
    };
    format!("{matches:?} {action} {:?}", rule.label)
}

#[track_caller]
fn dump_means_the_same(ruleset: &str) {
    let (written, printed) = (model(ruleset), model(&dumped(ruleset)));
    let count = |model: &Model| model.chains.iter().map(|chain| chain.rules.len()).sum::<usize>();
    assert_eq!(count(&written), count(&printed));
    let (written, printed) = (canonical(&written), canonical(&printed));
    for (one, other) in written.lines().zip(printed.lines()) {
        assert_eq!(one, other);
    }
    assert_eq!(written.len(), printed.len());
}

#[test]
fn what_nft_prints_of_the_example_means_the_same() {
    if ready_for_large("what_nft_prints_of_the_example_means_the_same", &["nft"], 1 << 22) {
        dump_means_the_same(&std::fs::read_to_string(hospital().join("build/core/ruleset.nft")).unwrap());
    }
}

#[test]
fn what_nft_prints_of_firewalls_of_the_tests_means_the_same() {
    if ready_for_large("what_nft_prints_of_firewalls_of_the_tests_means_the_same", &["nft"], 1 << 22) {
        dump_means_the_same(&built(one_firewall()));
        dump_means_the_same(&built(&root().join("tests/policies/shapes")));
    }
}

/// Zones whose traffic is bound to the clock, also across midnight of UTC.
const SCHEDULED: &str = "zone a { net 10.1.0.0/24, 2001:db8:1::/64 }
zone b { net 10.2.0.0/24, 2001:db8:2::/64 }
schedule work  { mon..fri 17:00-21:00  timezone utc }
schedule night { mon..sun 22:00-02:00  timezone utc }
allow once   { from a  to b  via tcp 82  until 2027-06-30 }
allow both   { from a  to b  via tcp 83  during work  until 2027-12-31 }
allow always { from a  to b  via tcp 80 }
allow late   { from a  to b  via tcp 81, udp 81  during work  log }
allow dark   { from b  to a  via any  during night }
firewall core {
  target nftables
  interface a0 zone a
  interface b0 zone b
}
manage entry { from a  to core  via tcp 22 }
";

#[test]
fn what_nft_prints_of_schedules_means_the_same() {
    let policy = tempfile::tempdir().unwrap();
    std::fs::write(policy.path().join("policy.cordon"), SCHEDULED).unwrap();
    let ruleset = built(policy.path());
    assert!(
        ruleset.contains("meta hour 61200-75599")
            && ruleset.contains("meta day")
            && ruleset.contains("meta time < 1814400000"),
        "{ruleset}"
    );
    model(&ruleset);
    if ready("what_nft_prints_of_schedules_means_the_same", &["nft"]) {
        dump_means_the_same(&ruleset);
    }
}

#[test]
fn what_nft_prints_of_many_forms_means_the_same() {
    if !ready("what_nft_prints_of_many_forms_means_the_same", &["nft"]) {
        return;
    }
    let text = r#"
define lan = { 10.0.0.0/24, 10.1.0.0/16, 192.0.2.7 }
table inet t {
    set names { type ifname; flags interval; elements = { "eth*", "lo" } }
    set hosts { type ipv6_addr; elements = { 2001:db8::1, ::ffff:10.0.0.1 } }
    set seen { type ipv4_addr; size 128; flags dynamic,timeout; timeout 1h; }
    map ports { type inet_service : verdict; flags interval; elements = { 22 : accept, 80-90 comment "web" : jump web } }
    limit few { rate 10/second }
    chain web { tcp flags & (fin|syn|rst|ack) == syn counter accept; tcp flags != syn drop; tcp flags syn,ack return; }
    chain forward {
        type filter hook forward priority filter + 5; policy drop;
        ct state established,related accept
        ct state invalid log prefix "bad: " drop
        iifname @names oifname != "lo" ip saddr $lan tcp dport vmap @ports
        ip6 saddr != @hosts meta l4proto { tcp, udp } th dport 53 accept
        meta l4proto . th dport { tcp . 1-5, udp . domain } accept
        icmp type { echo-request, 42 } limit rate 5/second accept
        icmpv6 type nd-redirect icmpv6 code 0 drop
        ip protocol != { 6, 17 } meta mark 0x10 reject with icmp type host-prohibited
        ip6 nexthdr tcp tcp dport >= 1024 reject with tcp reset
        meta hour 61200-75599 meta day { 1, 2, 3 } accept
        meta day 1-5 meta hour != "06:00"-"22:00" limit name few accept
        add @seen { ip saddr timeout 5m } ip saddr @seen accept
        fib saddr . iif oif missing drop
        ip saddr . tcp dport != { 10.0.0.1 . 22, 10.0.0.2 . 23 } ct count over 10 drop
        ip saddr 10.1.2.3/8 quota over 5 mbytes drop
        meta mark set 7 comment "changes nothing that is read" counter
    }
    chain output { type filter hook output priority -10; oifname "eth*" ip dscp set cs1 accept; }
}
"#;
    let text = text.replace("        meta mark set 7 comment \"changes nothing that is read\" counter\n", "");
    dump_means_the_same(&text);
}

/// A map with many elements, one a line.
fn large_map(count: u32) -> String {
    let mut text =
        "table inet t {\nmap m {\ntypeof ip saddr . ip daddr . meta l4proto . th dport : verdict\nflags \
                    interval\ncounter\nelements = {\n"
            .to_owned();
    for n in 0..count {
        let [_, b, c, d] = n.to_be_bytes();
        writeln!(
            text,
            "10.{b}.{c}.{d} . 10.200.0.0-10.200.{c}.{d} . tcp . {}-65535 counter packets 0 bytes 0 comment \
             \"a-rule-with-a-name-of-its-own-{n}\" : accept,",
            n % 1024
        )
        .unwrap();
    }
    text.push_str("}\n}\nchain forward {\ntype filter hook forward priority 0; policy drop;\n");
    text.push_str("ip saddr . ip daddr . meta l4proto . th dport vmap @m\n}\n}\n");
    text
}

/// A chain with many rules.
fn large_chain(count: u32) -> String {
    let mut rules = String::new();
    for n in 0..count {
        let [_, b, c, d] = n.to_be_bytes();
        writeln!(
            rules,
            "iifname \"eth0\" ip saddr 10.{b}.{c}.{d} ip daddr 10.200.0.0/16 tcp dport {{ 22, 80-90 }} ct state new \
             counter packets 0 bytes 0 accept comment \"a rule\""
        )
        .unwrap();
    }
    super::forward(&rules)
}

/// A set with many elements, and a rule for each of a few ways to look into it.
fn large_set(count: u32) -> String {
    let addresses: Vec<String> =
        (0..count).map(|n| std::net::Ipv4Addr::from(0x0a00_0000 + 2 * n).to_string()).collect();
    let set = format!("set s {{ type ipv4_addr; elements = {{ {} }} }}", addresses.join(", "));
    super::forward_with(&set, "ip saddr @s accept\nip daddr @s accept\nip saddr != @s drop")
}

#[test]
fn the_time_to_read_grows_with_the_text_and_not_faster() {
    for text in [large_map, large_chain, large_set] {
        let [small, large] = [2_000, 20_000].map(|count| {
            let text = text(count);
            let start = Instant::now();
            assert!(!model(&text).chains[0].rules.is_empty());
            start.elapsed()
        });
        // Ten times the text takes ten times as long; what is quadratic takes a hundred times.
        assert!(large < small * 40 + Duration::from_secs(2), "{small:?} and {large:?}");
    }
}

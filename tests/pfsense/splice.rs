//! What a splice changes in a whole config, and what it leaves alone.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cordon::emit::SpliceError;

use super::{Output, build, written};
use crate::support::{AS_OF, cordon, succeed};

/// A policy with one alias of ports, and rules on three interfaces.
const POLICY: &str = "zone ward    { net 10.1.0.0/24, 10.1.2.0/24 }
zone servers { net 10.2.0.0/24 }
zone internet { rest }
allow web { from ward  to servers  via tcp 443, 8443 }
manage admin { from ward  via tcp 22 }
firewall core {
  target pfsense
  interface lan  zone ward
  interface opt1 zone servers
  interface wan  zone internet
}
";

/// A config as pfSense writes it: with text of others, in their own form.
pub(super) const CONFIG: &str = "<?xml version=\"1.0\"?>
<pfsense>
\t<version>23.3</version>
\t<system><hostname>fw &amp; more</hostname></system>
\t<interfaces>
\t\t<wan><if>em0</if><enable></enable><descr><![CDATA[WAN]]></descr></wan>
\t\t<lan><if>em1</if><enable></enable><descr><![CDATA[LAN]]></descr></lan>
\t\t<opt1><if>em2</if><enable></enable><descr><![CDATA[SERVERS]]></descr></opt1>
\t</interfaces>
\t<aliases>
\t\t<alias>
\t\t\t<name>cdn_of_somebody</name>
\t\t\t<type>network</type>
\t\t\t<address>192.0.2.0/24</address>
\t\t\t<descr><![CDATA[a content network &lt;x&gt;]]></descr>
\t\t</alias>
\t</aliases>
\t<filter>
\t\t<rule>
\t\t\t<tracker>1585137356</tracker>
\t\t\t<type>pass</type>
\t\t\t<interface>lan</interface>
\t\t\t<descr><![CDATA[by hand ]]&gt; &amp;]]></descr>
\t\t</rule>
\t\t<separator><lan></lan></separator>
\t</filter>
</pfsense>
";

fn output() -> Output {
    build(written(POLICY).path())
}

fn spliced(config: &str, output: &Output) -> String {
    let made = output.splice(config).unwrap_or_else(|error| panic!("{error}"));
    assert!(made.rules > 5 && made.aliases > 0, "{made:?}");
    made.config
}

/// The lines of a config that are not in another, and the other way round.
fn differences<'t>(one: &'t str, other: &'t str) -> (Vec<&'t str>, Vec<&'t str>) {
    let (left, right): (BTreeSet<&str>, BTreeSet<&str>) = (one.lines().collect(), other.lines().collect());
    (left.difference(&right).copied().collect(), right.difference(&left).copied().collect())
}

/// A config without the elements that have one of cordon's marks, cut out by lines.
pub(super) fn without_own(config: &str) -> String {
    let lines: Vec<&str> = config.split_inclusive('\n').collect();
    let (mut kept, mut block, mut inside) = (String::new(), String::new(), false);
    for line in lines {
        inside |= matches!(line.trim(), "<rule>" | "<alias>" | "<schedule>");
        if !inside {
            kept.push_str(line);
            continue;
        }
        block.push_str(line);
        if matches!(line.trim(), "</rule>" | "</alias>" | "</schedule>") {
            if !block.contains("[CDATA[cordon: ") {
                kept.push_str(&block);
            }
            block.clear();
            inside = false;
        }
    }
    kept + &block
}

#[test]
fn hazard_20_every_byte_that_is_not_cordons_stays() {
    let output = output();
    for config in [CONFIG.to_owned(), CONFIG.replace('\n', "\r\n"), CONFIG.replace('\t', "  ")] {
        let once = spliced(&config, &output);
        assert_eq!(without_own(&once), config);
        let twice = spliced(&once, &output);
        assert_eq!(twice, once, "a second splice changes nothing");
        assert_eq!(config.contains("\r\n"), once.lines().count() == once.matches("\r\n").count());
    }
}

#[test]
fn rules_come_before_all_others_and_a_changed_policy_replaces_its_own() {
    let output = output();
    let once = spliced(CONFIG, &output);
    let (first, by_hand) = (once.find("[CDATA[cordon: ").unwrap(), once.find("by hand").unwrap());
    assert!(first < by_hand && once[by_hand..].find("[CDATA[cordon: ").is_none());
    let other = build(written(&POLICY.replace("tcp 443, 8443", "tcp 80")).path());
    let changed = spliced(&once, &other);
    assert_eq!(changed, spliced(CONFIG, &other), "nothing of the first is left");
    assert_eq!(spliced(&changed, &output), once);
    let (gone, new) = differences(&once, &changed);
    assert!(gone.iter().any(|line| line.contains("443 8443")), "{gone:?}");
    assert!(new.iter().any(|line| line.contains("<port>80</port>")), "{new:?}");
}

#[test]
fn sections_that_are_empty_or_not_there_are_filled_and_stay_the_same_after() {
    let output = output();
    let filter = &CONFIG[CONFIG.find("\t<filter>").unwrap()..CONFIG.find("</pfsense>").unwrap()];
    let aliases = &CONFIG[CONFIG.find("\t<aliases>").unwrap()..CONFIG.find("\t<filter>").unwrap()];
    for new_filter in ["\t<filter></filter>\n", "\t<filter/>\n", "<filter>\n</filter>", "\t<filter />\n"] {
        for new_aliases in ["", "\t<aliases></aliases>\n", "<aliases/>", "\t<aliases>\n\t</aliases>\n"] {
            let config = CONFIG.replace(filter, new_filter).replace(aliases, new_aliases);
            let once = spliced(&config, &output);
            assert_eq!(spliced(&once, &output), once, "{new_filter}{new_aliases}");
            let tree = roxmltree::Document::parse(&once).unwrap();
            let rules = tree.descendants().filter(|node| node.has_tag_name("rule")).count();
            assert_eq!(rules, output.filter.matches("<rule>").count());
        }
    }
}

#[test]
fn a_config_on_one_line_is_spliced_once() {
    let output = output();
    let config = CONFIG.replace(['\n', '\t'], "");
    let once = spliced(&config, &output);
    assert_eq!(spliced(&once, &output), once);
}

#[test]
fn a_config_that_is_odd_is_refused() {
    let output = output();
    let refused = |config: &str| output.splice(config).unwrap_err();
    assert!(matches!(refused("not XML"), SpliceError::NotXml(_)));
    let entity = CONFIG.replace("<pfsense>", "<!DOCTYPE x [<!ENTITY a \"b\">]><pfsense>");
    assert!(matches!(refused(&entity), SpliceError::NotXml(_)));
    assert!(matches!(refused(&CONFIG.replace("</pfsense>", "")), SpliceError::NotXml(_)));
    let other = CONFIG.replace("pfsense>", "opnsense>");
    assert_eq!(refused(&other), SpliceError::OtherRoot("opnsense".to_owned()));
    assert_eq!(refused("<pfsense></pfsense>"), SpliceError::Missing("filter"));
    for twice in ["<filter></filter></pfsense>", "<Filter></Filter></pfsense>"] {
        let config = CONFIG.replace("</pfsense>", twice);
        assert_eq!(refused(&config), SpliceError::Ambiguous("filter".to_owned()));
    }
    let upper = CONFIG.replace("<aliases>", "<ALIASES>").replace("</aliases>", "</ALIASES>");
    assert_eq!(refused(&upper), SpliceError::Ambiguous("aliases".to_owned()));
    let gone = CONFIG.replace("opt1>", "opt2>");
    assert_eq!(refused(&gone), SpliceError::NoInterface("opt1".to_owned()));
}

#[test]
fn what_looks_like_cordons_own_in_part_is_refused() {
    let output = output();
    let refused = |config: &str| output.splice(config).unwrap_err();
    let copied = CONFIG.replace("[CDATA[by hand", "[CDATA[cordon: web");
    assert!(matches!(refused(&copied), SpliceError::Doubtful(_)));
    let tracked = CONFIG.replace("1585137356", "3585137356");
    assert!(matches!(refused(&tracked), SpliceError::Doubtful(_)));
    let described = CONFIG.replace("[CDATA[a content", "[CDATA[cordon: a").replace("cdn_of", "x_of");
    assert!(matches!(refused(&described), SpliceError::Doubtful(_)));
}

#[test]
fn names_that_others_have_or_use_are_not_taken_from_them() {
    let output = output();
    let name = "cdn_ward_v4";
    assert!(output.aliases.contains(name), "{}", output.aliases);
    let taken = CONFIG.replace("cdn_of_somebody", name);
    assert_eq!(output.splice(&taken).unwrap_err(), SpliceError::Taken(name.to_owned()));
    let used = spliced(CONFIG, &output).replace("192.0.2.0/24", name);
    let other = build(written(&POLICY.replace(", 10.1.2.0/24", "")).path());
    assert!(!other.aliases.contains(name));
    let refused = other.splice(&used).unwrap_err();
    assert_eq!(refused, SpliceError::StillUsed { kind: "alias", name: name.to_owned() });
}

#[test]
fn what_else_the_config_does_is_said() {
    let output = output();
    let warnings = |config: &str| output.splice(config).unwrap().warnings;
    let one = warnings(CONFIG);
    assert!(matches!(&one[..], [only] if only.contains("never reached")), "{one:?}");
    let floating = CONFIG.replace("<type>pass</type>", "<type>pass</type><floating>yes</floating>");
    assert!(warnings(&floating)[0].contains("the floating rule `by hand ]]&gt; &amp;`"), "{floating}");
    let blocking = floating.replace("<type>pass", "<type>block");
    assert_eq!(warnings(&blocking), [""; 0]);
    let group = CONFIG.replace("<interface>lan<", "<interface>clinic<").replace(
        "</pfsense>",
        "<ifgroups><ifgroupentry><members>lan opt1</members><ifname>clinic</ifname></ifgroupentry></ifgroups></pfsense>",
    );
    assert!(warnings(&group)[0].contains("of the group `clinic`"), "{:?}", warnings(&group));
    for (version, known) in [("23.3", true), ("24.5", true), ("24.0", true), ("22.9", false), ("", false)] {
        let config = CONFIG.replace(">23.3<", &format!(">{version}<"));
        assert_eq!(warnings(&config).len() == 1, known, "{version}");
    }
    let off = CONFIG.replace("<if>em2</if><enable></enable>", "<if>em2</if>");
    assert!(warnings(&off)[0].contains("the interface `opt1` is switched off"), "{:?}", warnings(&off));
    let more = CONFIG.replace("</opt1>", "</opt1><opt7><enable></enable></opt7>");
    assert!(warnings(&more)[0].contains("does not name the interface `opt7`"), "{:?}", warnings(&more));
}

/// Runs the command on a policy and a config beside it, and gives its exit code and what it said.
pub(super) fn run(directory: &Path, more: &[&str]) -> (i32, String) {
    let [policy, into] = [directory.to_owned(), directory.join("config.xml")];
    let [policy, into] = [policy, into].map(|path| path.to_string_lossy().into_owned());
    let arguments = [&["splice", &policy, "--as-of", AS_OF, "--into", &into], more].concat();
    let output = cordon(&arguments, "");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_command_replaces_the_config_as_a_whole_or_not_at_all() {
    let directory = written(POLICY);
    let config = directory.path().join("config.xml");
    fs::write(&config, CONFIG).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).unwrap();
    let (code, said) = run(directory.path(), &["--device", "core", "--deny-warnings"]);
    assert_eq!((code, fs::read_to_string(&config).unwrap().as_str()), (1, CONFIG), "{said}");
    assert!(said.contains("warning: the rule `by hand"), "{said}");
    let out = directory.path().join("new.xml").to_string_lossy().into_owned();
    let (code, said) = run(directory.path(), &["--device", "core", "--out", &out]);
    assert_eq!((code, fs::read_to_string(&config).unwrap().as_str()), (0, CONFIG), "{said}");
    let (code, said) = run(directory.path(), &["--device", "core"]);
    assert_eq!(code, 0, "{said}");
    let made = fs::read_to_string(&config).unwrap();
    assert_eq!(made, fs::read_to_string(&out).unwrap());
    assert_eq!(made, spliced(CONFIG, &output()));
    assert_eq!(fs::metadata(&config).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    let mut left: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["a.cordon", "config.xml", "new.xml"], "nothing is left over");
}

#[test]
fn the_command_says_what_it_cannot_use() {
    let directory = written(POLICY);
    let config = directory.path().join("config.xml");
    for (content, device, says) in [
        (Some(CONFIG), "edge", "no enforcement point `edge`, but core"),
        (Some("<opnsense></opnsense>"), "core", "its root is `opnsense`"),
        (None, "core", "cannot read"),
    ] {
        match content {
            Some(content) => fs::write(&config, content).unwrap(),
            None => fs::remove_file(&config).unwrap(),
        }
        let (code, said) = run(directory.path(), &["--device", device]);
        assert!(code == 2 && said.contains(says), "{code} {said}");
        assert_eq!(fs::read_to_string(&config).ok().as_deref(), content);
    }
    fs::write(&config, b"<pfsense>\xff</pfsense>").unwrap();
    let (code, said) = run(directory.path(), &["--device", "core"]);
    assert!(code == 2 && said.contains("not UTF-8 from byte 9"), "{said}");
    let linux = written(&POLICY.replace("pfsense", "nftables"));
    fs::write(linux.path().join("config.xml"), CONFIG).unwrap();
    let (code, said) = run(linux.path(), &["--device", "core"]);
    assert!(code == 2 && said.contains("takes no pfSense config"), "{said}");
    let wrong = written(&POLICY.replace("from ward", "from wart"));
    fs::write(wrong.path().join("config.xml"), CONFIG).unwrap();
    let (code, said) = run(wrong.path(), &["--device", "core"]);
    assert!(code == 1 && said.contains("wart"), "{said}");
}

#[test]
fn the_command_says_the_same_as_json() {
    let directory = written(POLICY);
    let config = directory.path().join("config.xml");
    fs::write(&config, CONFIG).unwrap();
    let [policy, into] = [directory.path(), &config].map(|path| path.to_string_lossy().into_owned());
    let arguments =
        ["splice", &policy, "--as-of", AS_OF, "--device", "core", "--into", &into, "--format", "json"];
    let document: serde_json::Value = serde_json::from_str(&succeed(&arguments, "")).unwrap();
    let result = &document["result"];
    assert_eq!((&document["command"], &result["file"]), (&"splice".into(), &into.into()));
    assert!(result["rules"].as_u64().unwrap() > 5 && result["warnings"].as_array().unwrap().len() == 1);
}

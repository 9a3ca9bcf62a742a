//! Texts that are broken or made to break something.

use cordon::read::pfsense;

use super::{filter, mistakes, rule};
use crate::support::root;

const SAMPLE: &str = "<?xml version=\"1.0\"?>\n<pfsense><version>23.3</version><system><ipv6allow/></system>\
    <interfaces><lan><enable/><if>em0</if><ipaddr>10.0.0.1</ipaddr><subnet>24</subnet></lan></interfaces>\
    <aliases><alias><name>a</name><type>host</type><address>10.0.0.1 b</address></alias>\
    <alias><name>b</name><type>host</type><address>fd00::1/64</address></alias></aliases>\
    <schedules><schedule><name>s</name><timerange><hour>8:00-9:00</hour></timerange></schedule></schedules>\
    <filter><rule><interface>lan</interface><protocol>tcp</protocol><source><address>a</address><port>1-9</port></source>\
    <destination><network>lan</network><not/></destination><sched>s</sched><descr><![CDATA[&lt;x&gt;]]></descr></rule>\
    </filter></pfsense>\n";

#[test]
fn a_text_cut_off_anywhere_is_a_mistake_and_no_panic() {
    assert_eq!(mistakes(&[SAMPLE]), [] as [&str; 0]);
    let end = SAMPLE.trim_end().len();
    for length in (0..end).filter(|length| SAMPLE.is_char_boundary(*length)) {
        let cut = SAMPLE.get(..length).unwrap();
        assert!(!pfsense::read(&[cut]).mistakes.is_empty(), "{cut}");
    }
}

#[test]
fn a_text_with_any_byte_replaced_makes_no_panic() {
    for place in 0..SAMPLE.len() {
        for byte in [b'<', b'>', b'&', b'0', b' ', b'"'] {
            let mut bytes = SAMPLE.as_bytes().to_vec();
            bytes[place] = byte;
            pfsense::read(&[&String::from_utf8(bytes).unwrap()]);
        }
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = "<a>".repeat(1_000_000);
    assert_eq!(mistakes(&["<filter/>", &deep]), ["1: elements are nested deeper than 64"]);
    let cdata = format!("<filter><rule>{}</rule></filter>", rule("<descr><![CDATA[<a><b>]]></descr>"));
    assert_eq!(mistakes(&[&cdata]), [] as [&str; 0]);
    // Aliases in aliases in aliases.
    let alias = |number: usize| {
        let next = number + 1;
        format!("<alias><name>a{number}</name><type>host</type><address>a{next} a{next}</address></alias>\n")
    };
    let chain: String = (0..50_000).map(alias).collect();
    let last = "<alias><name>a50000</name><type>host</type><address>10.0.0.1</address></alias>";
    let found = mistakes(&["<filter/>", &format!("<aliases>\n{chain}{last}</aliases>")]);
    assert!(found.len() <= 200_000);
    assert!(
        found.iter().any(|what| what.contains("aliases are nested deeper than 32")),
        "{:?}",
        found.first()
    );
}

#[test]
fn entities_of_a_document_are_not_expanded() {
    let bomb = "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><filter>&b;</filter>";
    assert_eq!(mistakes(&[bomb]).first().map(|what| what.contains("not XML that pfSense reads")), Some(true));
}

#[test]
fn huge_numbers_are_mistakes() {
    let nines = "9".repeat(400);
    for rest in [
        format!("<protocol>{nines}</protocol>"),
        format!("<protocol>tcp</protocol><source><any/><port>{nines}</port></source>"),
        format!("<protocol>tcp</protocol><source><any/><port>1-{nines}</port></source>"),
        format!("<source><address>10.0.0.0/{nines}</address></source>"),
        format!("<max>{nines}</max>"),
        format!("<interface>opt{nines}</interface>"),
    ] {
        assert_eq!(mistakes(&[&filter(&[&rule(&rest)])]).len(), 1, "{rest}");
    }
    let hour = format!(
        "<schedules><schedule><name>s</name><timerange><hour>{nines}:00-1:00</hour></timerange></schedule></schedules>"
    );
    assert_eq!(mistakes(&["<filter/>", &hour]).len(), 1);
}

#[test]
fn garbage_is_a_mistake() {
    for text in [
        "",
        " ",
        "<",
        "\u{0}",
        "filter",
        "<filter",
        "<filter></aliases>",
        "<filter/><filter/>",
        "<a:b xmlns:a='c'/>",
    ] {
        let reading = pfsense::read(&[text]);
        assert!(
            !reading.mistakes.is_empty() && reading.mistakes.iter().all(|mistake| mistake.line > 0),
            "{text:?}"
        );
    }
    assert_eq!(
        mistakes(&[]),
        ["1: there are no rules: neither a whole config nor the area `filter` was given"]
    );
}

#[test]
fn messages_are_in_house_style() {
    let texts = [
        "<filter",
        "<a/>",
        "<filter><x/><rule><y/></rule></filter>",
        "<aliases><z/></aliases>",
        "<opnsense/>",
    ];
    for text in texts {
        for what in mistakes(&[text]) {
            let (_, words) = what.split_once(": ").unwrap();
            assert!(
                !words.ends_with('.') && !words.starts_with(|first: char| first.is_uppercase()),
                "{what}"
            );
        }
    }
}

#[test]
fn the_committed_output_cut_off_makes_no_panic() {
    let path = root().join("examples/general-hospital/build/border/aliases.xml");
    let text = std::fs::read_to_string(path).unwrap();
    for length in (0..text.len()).filter(|length| text.is_char_boundary(*length)) {
        pfsense::read(&["<filter/>", text.get(..length).unwrap()]);
    }
}

//! Text from a policy stays text, in HTML, SVG, scripts and Markdown.

use super::markup::{elements, pieces, text_of};
use super::{Files, ending, reported};

/// Texts that try to leave their place.
const TEXTS: [&str; 9] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'--><svg onload=alert(1)>",
    "</title></style></script><b>",
    "`code` ``more`` | cell | [a](javascript:alert(1)) ![b](https://evil.example/p.png)",
    "line\nbreak\n# heading\n| a | b |\n<!-- comment",
    "{{ page.title }} {% if true %}",
    "https://evil.example and www.evil.example and @someone *bold* _under_ ~~gone~~ $x$ \\ &amp; &#60;",
    "1. first\n- second\n===\n```\nfence",
];

/// A policy with a text in each place that takes one.
fn policy(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!(
        "policy \"{text}\"
zone ward {{ net 10.1.0.0/24  tier \"{text}\"  phi store  criticality life  owner \"{text}\"  note \"{text}\" }}
zone servers {{ net 10.2.0.0/24  phi transit  tier \"{text} 2\" }}
class pump in ward {{ members all  owner \"{text}\"  note \"{text}\"  supported until 2020-01-01 }}
peer srv in servers {{ host 10.2.0.10  owner \"{text}\"  note \"{text}\" }}
service odd {{ tcp 9  note \"{text}\" }}
allow data {{ from pump  to srv  via odd  until 2027-01-01  owner \"{text}\"  reason \"{text}\"  ticket \"{text}\"  note \"{text}\" }}
allow old {{ from pump  to srv  via tcp 10  until 2020-01-01  owner \"{text}\"  reason \"{text}\" }}
forbid never {{ from srv  to pump  via any  owner \"{text}\"  reason \"{text}\" }}
assert denied no {{ from srv  to pump  via any  reason \"{text}\" }}
guard ward {{ new-connections 20/second  then alert  approval \"{text}\"  note \"{text}\" }}
posture dark {{ isolate ward  owner \"{text}\"  reason \"{text}\" }}
manage admin {{ from servers  via tcp 22  owner \"{text}\"  reason \"{text}\" }}
firewall core {{ target nftables  note \"{text}\"  interface eth0 zone ward  interface eth1 zone servers }}
"
    )
}

fn made(text: &str) -> Files {
    // The name of the file is the user's as well.
    reported(&[("x`|<b>\"&.cordon".to_owned(), policy(text))]).1
}

/// White space as HTML shows it.
fn shown(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn no_text_becomes_markup_in_a_page_or_drawing() {
    let calm = made("calm");
    for text in TEXTS {
        let files = made(text);
        for extension in ["html", "svg"] {
            for (path, page) in ending(&files, extension) {
                let found = pieces(page);
                let names = |page: &str| -> Vec<String> {
                    elements(&pieces(page)).iter().map(|(name, _)| (*name).to_owned()).collect()
                };
                assert_eq!(names(page), names(&calm[path]), "{path} with {text:?}");
                for (name, attributes) in elements(&found) {
                    let told = |key: &String| key.starts_with("on") || key == "style" || key == "srcdoc";
                    assert!(!attributes.keys().any(told), "{path}: <{name} {attributes:?}>");
                }
            }
        }
        let zone = &files["zone-ward.html"];
        assert!(
            shown(&text_of(&pieces(zone))).contains(&shown(text)),
            "the text is shown as it is: {text:?}"
        );
    }
}

#[test]
fn no_text_ends_the_script_that_search_looks_through() {
    for text in TEXTS {
        let files = made(text);
        let script = &files["search.js"];
        let list = script.strip_prefix("window.cordonPages = ").unwrap().strip_suffix(";\n").unwrap();
        let entries: Vec<[String; 4]> = serde_json::from_str(list).unwrap();
        assert!(entries.iter().any(|entry| entry[3].contains(text)), "{text:?}");
        assert!(!list.contains('<') && !list.contains('\u{2028}'), "{text:?}");
        assert!(entries.iter().all(|entry| entry[2].split('#').next().unwrap().ends_with(".html")));
    }
}

/// The cells of a row, at bars that are not escaped.
fn bars(line: &str) -> usize {
    let mut before = ' ';
    let mut count = 0;
    for character in line.chars() {
        count += usize::from(character == '|' && before != '\\');
        before = if before == '\\' && character == '\\' { ' ' } else { character };
    }
    count
}

#[test]
fn no_text_becomes_markup_in_markdown() {
    let calm = made("calm");
    for text in TEXTS {
        let files = made(text);
        for (path, page) in ending(&files, "md") {
            let lines: Vec<&str> = page.lines().collect();
            assert_eq!(lines.len(), calm[path].lines().count(), "{path} with {text:?}");
            for (line, calm) in lines.iter().zip(calm[path].lines()) {
                assert_eq!(bars(line), bars(calm), "{path}: {line}");
                let headings = |line: &str| line.bytes().take_while(|byte| *byte == b'#').count();
                assert_eq!(headings(line), headings(calm), "{path}: {line}");
                let images = |line: &str| line.matches("![").count();
                assert_eq!(images(line), images(calm), "{path}: {line}");
                for target in line.split("](").skip(1) {
                    // `\](` is text.
                    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '#');
                    let target = target.split(')').next().unwrap();
                    let escaped = line.contains(&format!("\\]({target}"));
                    assert!(escaped || target.chars().all(known), "{path}: {line}");
                }
                for tag in line.split('<').skip(1) {
                    let ours = ["a id=\"", "/a>", "br>"].iter().any(|start| tag.starts_with(start));
                    assert!(ours, "{path}: {line}");
                }
            }
        }
    }
}

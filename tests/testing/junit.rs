//! JUnit XML: its form is checked against what Jenkins writes down of it, and a document that breaks it is refused.
//!
//! The elements and attributes are those of `junit-10.xsd` of <https://github.com/jenkinsci/xunit-plugin>, as far as results
//! can have them; nothing is taken from that file but their names.

use roxmltree::{Document, Node};

use super::{policy_with, test};

/// An element, the elements that it may hold, the attributes that it must have, and those that it may have.
type Element = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const FORM: [Element; 4] = [
    ("testsuites", &["testsuite"], &[], &["name", "time", "tests", "failures", "disabled", "errors"]),
    (
        "testsuite",
        &["testcase"],
        &["name"],
        &[
            "tests",
            "failures",
            "errors",
            "disabled",
            "skipped",
            "time",
            "timestamp",
            "hostname",
            "id",
            "package",
        ],
    ),
    ("testcase", &["failure", "error", "skipped"], &["name"], &["classname", "time", "status", "assertions"]),
    ("failure", &[], &[], &["message", "type"]),
];

/// What is wrong with a document; nothing if it is fine.
fn problems(xml: &str) -> Vec<String> {
    let document = match Document::parse(xml) {
        Ok(document) => document,
        Err(error) => return vec![error.to_string()],
    };
    let mut found = Vec::new();
    if document.root_element().tag_name().name() != "testsuites" {
        found.push("the root is not testsuites".to_owned());
    }
    for node in document.descendants().filter(Node::is_element) {
        check(node, &mut found);
    }
    found
}

fn check(node: Node, found: &mut Vec<String>) {
    let name = node.tag_name().name();
    let Some((_, children, needed, optional)) = FORM.iter().find(|(known, ..)| *known == name) else {
        return found.push(format!("an element {name}"));
    };
    for child in node.children().filter(Node::is_element) {
        let child = child.tag_name().name();
        if !children.contains(&child) {
            found.push(format!("{child} in {name}"));
        }
    }
    for attribute in node.attributes() {
        let attribute = attribute.name();
        if !needed.contains(&attribute) && !optional.contains(&attribute) {
            found.push(format!("an attribute {attribute} of {name}"));
        }
    }
    for attribute in *needed {
        if node.attribute(*attribute).is_none_or(str::is_empty) {
            found.push(format!("{name} without {attribute}"));
        }
    }
    for (attribute, element) in [("tests", "testcase"), ("failures", "failure")] {
        let Some(said) = node.attribute(attribute) else { continue };
        let number = node.descendants().filter(|below| below.has_tag_name(element)).count();
        if said != number.to_string() {
            found.push(format!("{name} says {said} {attribute}, and has {number}"));
        }
    }
}

#[test]
fn results_are_junit_with_a_suite_for_each_file_and_a_case_for_each_test() {
    let policy = policy_with(&[(
        "tests/odd <names> & \"more\".csv",
        "name,proto,src,dst,dport,verdict\n\
         \"<b> & \"\"q\"\" ]]> é\u{202e}\",tcp,10.1.0.7,10.2.0.9,443,allow\n\
         \"two\nlines\",tcp,10.1.0.7,10.2.0.9,451,allow\n",
    )]);
    let (code, xml, err) = test(policy.path(), &["--format", "junit"]);
    assert_eq!((code, err.as_str()), (1, ""));
    assert_eq!(problems(&xml), Vec::<String>::new(), "{xml}");
    let document = Document::parse(&xml).unwrap();
    let named = |element: &'static str, attribute: &'static str| -> Vec<String> {
        let nodes = document.descendants().filter(move |node| node.has_tag_name(element));
        nodes.map(|node| node.attribute(attribute).unwrap().to_owned()).collect()
    };
    assert_eq!(named("testsuite", "name"), ["policy.cordon", "tests/odd <names> & \"more\".csv"]);
    assert_eq!(named("testcase", "name"), ["no-telnet", "<b> & \"q\" ]]> é???", "two lines"]);
    assert_eq!(named("testcase", "classname")[2], "tests/odd <names> & \"more\".csv");
    assert_eq!(named("failure", "message"), ["expected allow; got deny: no rule allows it"]);
    let again = test(policy.path(), &["--format", "junit"]).1;
    assert_eq!(xml, again, "the same tests give the same bytes");
}

#[test]
fn a_document_of_another_form_is_refused() {
    let good = "<testsuites tests=\"1\" failures=\"1\"><testsuite name=\"a\" tests=\"1\" failures=\"1\">\
                <testcase name=\"b\" classname=\"a\"><failure message=\"m\">t</failure></testcase></testsuite></testsuites>";
    assert_eq!(problems(good), Vec::<String>::new());
    for (from, to) in [
        ("</testsuites>", ""),
        ("testsuites", "suites"),
        ("tests=\"1\"", "tests=\"2\""),
        ("failures=\"1\"", "failures=\"0\""),
        ("name=\"b\"", "name=\"\""),
        ("name=\"b\" ", ""),
        ("classname", "class"),
        ("<failure message=\"m\">t</failure>", "<failed/>"),
        ("<testcase", "<failure/><testcase"),
    ] {
        assert!(good.contains(from) && !problems(&good.replace(from, to)).is_empty(), "{from} -> {to}");
    }
}

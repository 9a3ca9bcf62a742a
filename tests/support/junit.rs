//! A reader of JUnit reports that takes nothing but what the common schema has, as far as cordon uses it.
//!
//! The schema is that of Jenkins, <https://github.com/jenkinsci/xunit-plugin>, junit-10.xsd; `file` and `line` of a case are
//! what GitLab reads beyond it (<https://docs.gitlab.com/ci/testing/unit_test_reports/#junit-xml-format>). That numbers
//! agree with what is counted is asked for too, which no schema can say.

use roxmltree::{Document, Node};

/// For each case of a report: its suite, its name, and whether it failed.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read(report: &str) -> Result<Vec<(String, String, bool)>, String> {
    let document = Document::parse(report).map_err(|error| error.to_string())?;
    let root = document.root_element();
    element(root, "testsuites", &["name", "tests", "failures", "errors"])?;
    let mut cases = Vec::new();
    for suite in elements(root) {
        element(suite, "testsuite", &["name", "tests", "failures", "errors", "skipped"])?;
        let before = cases.len();
        for case in elements(suite) {
            cases.push((attribute(suite, "name")?, attribute(case, "name")?, read_case(case)?));
        }
        counts(suite, &cases[before..])?;
        is_number(suite, "skipped", 0)?;
    }
    counts(root, &cases)?;
    if cases.is_empty() { Err("no case".to_owned()) } else { Ok(cases) }
}

/// True if it failed.
fn read_case(case: Node<'_, '_>) -> Result<bool, String> {
    element(case, "testcase", &["name", "classname", "file", "line"])?;
    attribute(case, "classname")?;
    let parts: Vec<_> = elements(case).collect();
    match &parts[..] {
        [] => Ok(false),
        [part] if part.tag_name().name() == "failure" => {
            element(*part, "failure", &["message", "type"])?;
            attribute(*part, "message")?;
            part.text().map(|_| true).ok_or_else(|| "a failure that says nothing".to_owned())
        }
        [part] if part.tag_name().name() == "system-out" => element(*part, "system-out", &[]).map(|()| false),
        other => Err(format!("a case with {} parts", other.len())),
    }
}

fn elements<'a, 'i>(node: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(Node::is_element)
}

fn element(node: Node<'_, '_>, name: &str, attributes: &[&str]) -> Result<(), String> {
    let strange = node.attributes().map(|attribute| attribute.name()).find(|name| !attributes.contains(name));
    match (node.tag_name().name() == name, strange) {
        (true, None) => Ok(()),
        (true, Some(strange)) => Err(format!("`{name}` has no attribute `{strange}`")),
        (false, _) => Err(format!("`{}` in the place of `{name}`", node.tag_name().name())),
    }
}

fn attribute(node: Node<'_, '_>, name: &str) -> Result<String, String> {
    let value = node.attribute(name).filter(|value| !value.is_empty());
    value.map(str::to_owned).ok_or_else(|| format!("no `{name}`"))
}

fn counts(node: Node<'_, '_>, cases: &[(String, String, bool)]) -> Result<(), String> {
    let failed = cases.iter().filter(|(.., failed)| *failed).count();
    let numbers = [("tests", cases.len()), ("failures", failed), ("errors", 0)];
    numbers.into_iter().try_for_each(|(name, number)| is_number(node, name, number))
}

fn is_number(node: Node<'_, '_>, name: &str, number: usize) -> Result<(), String> {
    if attribute(node, name)? == number.to_string() {
        Ok(())
    } else {
        Err(format!("`{name}` is not {number}"))
    }
}

#[test]
fn a_document_of_another_form_is_refused() {
    let good = "<testsuites tests=\"1\" failures=\"1\" errors=\"0\">\
                <testsuite name=\"a\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\">\
                <testcase name=\"b\" classname=\"a\"><failure message=\"m\">t</failure></testcase></testsuite></testsuites>";
    read(good).unwrap();
    for (from, to) in [
        ("</testsuites>", ""),
        ("testsuites", "suites"),
        ("<testsuites ", "<testsuites skipped=\"0\" "),
        ("tests=\"1\"", "tests=\"2\""),
        ("failures=\"1\"", "failures=\"0\""),
        ("name=\"b\"", "name=\"\""),
        ("name=\"b\" ", ""),
        ("classname", "class"),
        ("<failure message=\"m\">t</failure>", "<failed/>"),
        ("<testcase", "<failure/><testcase"),
    ] {
        assert!(good.contains(from) && read(&good.replace(from, to)).is_err(), "{from} -> {to}");
    }
}

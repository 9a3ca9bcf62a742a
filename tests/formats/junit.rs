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
pub(super) fn read(report: &str) -> Result<Vec<(String, String, bool)>, String> {
    let document = Document::parse(report).map_err(|error| error.to_string())?;
    let root = document.root_element();
    element(root, "testsuites", &["name", "tests", "failures", "errors", "skipped"])?;
    let mut cases = Vec::new();
    for suite in elements(root) {
        element(suite, "testsuite", &["name", "tests", "failures", "errors", "skipped"])?;
        let before = cases.len();
        for case in elements(suite) {
            cases.push((attribute(suite, "name")?, attribute(case, "name")?, read_case(case)?));
        }
        counts(suite, &cases[before..])?;
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
            let is_said = !attribute(*part, "message")?.is_empty() && part.text().is_some();
            if is_said { Ok(true) } else { Err("a failure that says nothing".to_owned()) }
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
    node.attribute(name).map(str::to_owned).ok_or_else(|| format!("no `{name}`"))
}

fn counts(node: Node<'_, '_>, cases: &[(String, String, bool)]) -> Result<(), String> {
    let failed = cases.iter().filter(|(.., failed)| *failed).count();
    for (name, number) in [("tests", cases.len()), ("failures", failed), ("errors", 0), ("skipped", 0)] {
        if attribute(node, name)? != number.to_string() {
            return Err(format!("`{name}` is not {number}"));
        }
    }
    Ok(())
}

#[test]
fn what_the_schema_does_not_have_is_refused() {
    let policy = super::directory(&[("a.cordon", "zone x {")]);
    let (_, good, _) = super::run(policy.path(), &["check", ".", "--format", "junit"]);
    read(&good).unwrap();
    for (what, by) in [
        ("failures=\"1\"", "failures=\"0\""),
        ("<testcase name", "<testcase title"),
        ("type=\"error\"", "kind=\"error\""),
        ("</testsuites>", "<extra/></testsuites>"),
        ("</testsuites>", ""),
    ] {
        let bad = good.replacen(what, by, 1);
        assert!(bad != good && read(&bad).is_err(), "`{by}` is taken:\n{bad}");
    }
}

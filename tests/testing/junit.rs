//! Results as JUnit XML.

use roxmltree::Document;

use super::{policy_with, test};
use crate::support::junit;

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
    assert_eq!(junit::read(&xml).unwrap().len(), 3, "{xml}");
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

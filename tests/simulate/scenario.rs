//! The 1,961 packets of the scenario as flows.

use std::fmt::Write;

use serde_json::Value;

use crate::support::{AS_OF, hospital, scenario, succeed};

/// The rows of the table with a verdict, as CSV and as a log of Zeek.
fn flows(verdict: &str) -> (u64, String, String) {
    let mut csv = "proto,src,dst,sport,dport\n".to_owned();
    let mut zeek = "#separator \\x09\n#unset_field\t-\n#path\tconn\n\
        #fields\tid.resp_p\tid.resp_h\tid.orig_p\tid.orig_h\tproto\n"
        .to_owned();
    let mut reader = csv::Reader::from_path(scenario("expected.csv")).unwrap();
    let mut number = 0;
    for row in reader.records().map(Result::unwrap).filter(|row| &row[6] == verdict) {
        let [proto, src, dst, sport, dport] = [1, 2, 3, 4, 5].map(|column| &row[column]);
        writeln!(csv, "{proto},{src},{dst},{sport},{dport}").unwrap();
        let is_message = proto.contains("icmp");
        let is_v6 = src.contains(':');
        let (from, to, proto) = match (is_message, is_v6, dport) {
            (false, ..) => (sport, dport, proto),
            (true, false, "" | "0") => ("8", "0", "icmp"),
            (true, true, "" | "0") => ("128", "129", "icmp"),
            (true, _, message_type) => (message_type, "0", "icmp"),
        };
        writeln!(zeek, "{to}\t{dst}\t{from}\t{src}\t{proto}").unwrap();
        number += 1;
    }
    (number, csv, zeek)
}

fn answer(flows: &str) -> Value {
    let directory = hospital().to_string_lossy().into_owned();
    let out = succeed(&["simulate", &directory, "--as-of", AS_OF, "--flows", "-", "--format", "json"], flows);
    serde_json::from_str::<Value>(&out).unwrap()["result"].clone()
}

#[test]
fn each_line_of_the_table_gets_its_verdict() {
    let mut all = 0;
    for (verdict, count) in [("allow", "allowed"), ("deny", "blocked")] {
        let (number, csv, zeek) = flows(verdict);
        for text in [csv, zeek] {
            let result = answer(&text);
            assert_eq!(result["captures"][0]["rows"], number, "{}", result["captures"]);
            assert_eq!(
                (&result["flows"], &result[count]["flows"]),
                (&number.into(), &number.into()),
                "{verdict}"
            );
        }
        all += number;
    }
    assert_eq!(all, 1_961);
}

#[test]
fn a_posture_shows_what_it_would_cut_off_and_which_rules_that_were() {
    let (number, csv, _) = flows("allow");
    let directory = hospital().to_string_lossy().into_owned();
    let run = |posture: &str| {
        let arguments = [
            "simulate",
            &directory,
            "--as-of",
            AS_OF,
            "--flows",
            "-",
            "--posture",
            posture,
            "--format",
            "json",
        ];
        serde_json::from_str::<Value>(&succeed(&arguments, &csv)).unwrap()["result"].clone()
    };
    let result = run("isolate-imaging");
    let (allowed, blocked) =
        (result["allowed"]["flows"].as_u64().unwrap(), result["blocked"]["flows"].as_u64().unwrap());
    assert_eq!(allowed + blocked, number);
    assert!(allowed > 0 && blocked > 0, "{allowed} {blocked}");
    let rows = result["rows"].as_array().unwrap();
    for row in rows.iter().filter(|row| row["verdict"] == "deny") {
        let because = row["because"].as_str().unwrap();
        assert!(
            because.starts_with("the posture cuts it off; else `") && row["rule"].is_string(),
            "{because}"
        );
        let zones = [&row["from_zone"], &row["to_zone"]].map(|zone| zone.as_str().unwrap());
        assert!(zones.iter().any(|zone| zone.starts_with("img") || *zone == "us_wifi"), "{row}");
    }
}

//! Each form of capture, in the variants that its tools write, and what is none.

use cordon::flows::{Flow, Form, Opener};

use super::captured;

const ZEEK: &str = "#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\tconn
#open\t2026-10-05-10-00-00
#fields\tuid\tts\tid.resp_h\tid.resp_p\tid.orig_h\tid.orig_p\tproto\tduration\torig_bytes\tresp_bytes\tconn_state\thistory
#types\tstring\ttime\taddr\tport\taddr\tport\tenum\tinterval\tcount\tcount\tstring\tstring
C1\t1791194400.250000\t10.2.0.10\t3613\t10.1.0.17\t50000\ttcp\t12.5\t100\t23\tSF\tShADadFf
C2\t1791194401.000000\t2001:db8:2::10\t129\t2001:db8:1::5\t128\ticmp\t-\t-\t-\tOTH\t-
C3\t1791194402.000000\t10.1.0.17\t53\t10.2.0.10\t40000\tudp\t-\t-\t-\tSF\t^dD
C4\t1791194403.000000\t10.1.0.17\t1\t10.2.0.10\t3\ticmp\t-\t-\t-\tOTH\t-
#close\t2026-10-05-11-00-00
";

const NFDUMP: &str = "ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out
2026-10-05 10:00:00,2026-10-05 10:00:03,3.000,10.1.0.17,10.2.0.10,50000,3613,TCP,...AP.SF,0,0,10,1200,0,0,1,2
2026-10-05 10:00:00,2026-10-05 10:00:03,3.000,10.1.0.17,10.2.0.10,0,8.0,ICMP,........,0,0,1,84,0,0,1,2
2026-10-05 10:00:00,2026-10-05 10:00:03,3.000,2001:db8:1::5,2001:db8:2::10,0,128.0,ICMP6,........,0,0,1,84,0,0,1,2
Summary
flows,bytes,packets,avg_bps,avg_pps,avg_bpp
3,1368,12,3648,4,114
";

const NEW_NFDUMP: &str = "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows
2026-10-05 10:00:00.123,3.000,TCP,10.1.0.17,50000,10.2.0.10,3613,10,1200,7
2026-10-05 10:00:00.123,0.000,ICMP,10.1.0.17,0,10.2.0.10,2048,1,84,1
Summary: total flows: 2, total bytes: 1284, total packets: 11, avg bps: 1, avg pps: 1, avg bpp: 1
Time window: 2026-10-05 10:00:00 - 2026-10-05 10:05:00
";

fn words(flows: &[Flow]) -> Vec<String> {
    flows.iter().map(|flow| flow.packet.to_string()).collect()
}

#[test]
fn zeek_with_tabs_in_any_order_of_fields() {
    for text in
        [ZEEK.to_owned(), ZEEK.replace('\n', "\r\n"), ZEEK.trim_end().to_owned(), format!("\u{feff}{ZEEK}")]
    {
        let (capture, flows) = captured(text.as_bytes(), None).unwrap();
        assert_eq!((capture.form, capture.rows, capture.bad), (Form::Zeek, 4, 0));
        let expected = [
            "tcp 10.1.0.17:50000 -> 10.2.0.10:3613",
            "icmpv6 2001:db8:1::5 -> 2001:db8:2::10 echo-request",
            "udp 10.2.0.10:40000 -> 10.1.0.17:53",
            "icmp 10.2.0.10 -> 10.1.0.17 destination-unreachable code 1",
        ];
        assert_eq!(words(&flows), expected);
        let openers: Vec<Opener> = flows.iter().map(|flow| flow.opener).collect();
        assert_eq!(openers, [Opener::Source, Opener::Unknown, Opener::Unknown, Opener::Unknown]);
        let first = &flows[0];
        assert_eq!((first.bytes, first.flows), (123, 1));
        assert_eq!(first.first.unwrap().to_string(), "2026-10-05T10:00:00Z");
        assert_eq!(first.last.unwrap().to_string(), "2026-10-05T10:00:12Z");
        assert_eq!(flows[1].bytes, 0);
    }
}

#[test]
fn zeek_logs_behind_one_another_and_with_another_separator() {
    let other = ZEEK.replace("\\x09", "\\x7c").replace('\t', "|").replace("#separator|", "#separator ");
    let (capture, flows) = captured(other.as_bytes(), None).unwrap();
    assert_eq!((capture.rows, capture.bad), (4, 0), "{capture:?}");
    let both = ZEEK.to_owned()
        + &ZEEK.replace("id.orig_h", "x").replace("id.resp_h", "id.orig_h").replace("\tx\t", "\tid.resp_h\t");
    let (capture, turned) = captured(both.as_bytes(), None).unwrap();
    assert_eq!((capture.rows, capture.bad), (8, 0), "{capture:?}");
    assert_eq!(turned[..4], flows[..]);
    assert_eq!(turned[4].packet.source, flows[0].packet.destination);
}

#[test]
fn zeek_as_json_lines() {
    let text = "{\"ts\":1791194400.25,\"uid\":\"C1\",\"id.orig_h\":\"10.1.0.17\",\"id.orig_p\":50000,\"id.resp_h\":\
        \"10.2.0.10\",\"id.resp_p\":3613,\"proto\":\"tcp\",\"duration\":12.5,\"orig_bytes\":100,\"resp_bytes\":23,\
        \"conn_state\":\"SF\",\"history\":\"ShADadFf\"}\n\n\
        {\"ts\":\"2026-10-05T10:00:01.000000Z\",\"id.orig_h\":\"10.1.0.17\",\"id.orig_p\":8,\"id.resp_h\":\"10.2.0.10\",\
        \"id.resp_p\":0,\"proto\":\"icmp\"}\n\
        {\"id.orig_h\":\"10.1.0.17\",\"id.orig_p\":0,\"id.resp_h\":\"10.2.0.10\",\"id.resp_p\":0,\
        \"proto\":\"unknown_transport\",\"ip_proto\":47}\n\
        {\"id.orig_h\":\"10.1.0.17\"}\nnonsense";
    let (capture, flows) = captured(text.as_bytes(), None).unwrap();
    assert_eq!((capture.form, capture.rows, capture.bad), (Form::ZeekJson, 3, 2));
    let expected = [
        "tcp 10.1.0.17:50000 -> 10.2.0.10:3613",
        "icmp 10.1.0.17 -> 10.2.0.10 echo-request",
        "gre 10.1.0.17 -> 10.2.0.10",
    ];
    assert_eq!(words(&flows), expected);
    assert_eq!((flows[0].bytes, flows[1].opener), (123, Opener::Source));
    assert_eq!(flows[0].last.unwrap().to_string(), "2026-10-05T10:00:12Z");
    assert_eq!(flows[1].first.unwrap().to_string(), "2026-10-05T10:00:01Z");
    let lines: Vec<u64> = capture.first_bad.iter().map(|bad| bad.line).collect();
    assert_eq!(lines, [5, 6]);
    assert!(capture.first_bad[0].problem.contains("id.orig_p"), "{capture:?}");
}

#[test]
fn nfdump_of_old_and_new_versions() {
    let (capture, flows) = captured((NFDUMP.to_owned() + NFDUMP).as_bytes(), None).unwrap();
    assert_eq!((capture.form, capture.rows, capture.bad), (Form::Nfdump, 6, 0), "{capture:?}");
    let expected = [
        "tcp 10.1.0.17:50000 -> 10.2.0.10:3613",
        "icmp 10.1.0.17 -> 10.2.0.10 echo-request",
        "icmpv6 2001:db8:1::5 -> 2001:db8:2::10 echo-request",
    ];
    assert_eq!(words(&flows[..3]), expected);
    assert_eq!((flows[0].bytes, flows[0].flows, flows[0].opener), (1200, 1, Opener::Unknown));
    assert_eq!(flows[0].last.unwrap().to_string(), "2026-10-05T10:00:03");
    let (capture, flows) = captured(NEW_NFDUMP.as_bytes(), None).unwrap();
    assert_eq!((capture.form, capture.rows, capture.bad), (Form::Nfdump, 2, 0), "{capture:?}");
    assert_eq!(words(&flows), expected[..2]);
    assert_eq!((flows[0].bytes, flows[0].flows), (1200, 7));
}

#[test]
fn csv_with_other_names_and_separators() {
    let text = "\n\"Source\";Protocol;note;destination;dst_port;count;bytes;first_seen;last_seen\r\n\
        10.1.0.17;tcp;\"a; b\";10.2.0.10;3613;12;99;2026-10-05;2026-10-06 01:02:03\r\n\
        10.1.0.17;ICMP;;10.2.0.10;;;;;\r\n";
    let (capture, flows) = captured(text.as_bytes(), None).unwrap();
    assert_eq!((capture.form, capture.rows, capture.bad), (Form::Csv, 2, 0), "{capture:?}");
    assert_eq!(words(&flows)[0], "tcp 10.1.0.17:49152 -> 10.2.0.10:3613");
    assert_eq!((flows[0].flows, flows[0].bytes, flows[0].opener), (12, 99, Opener::Source));
    assert_eq!(flows[0].first.unwrap().to_string(), "2026-10-05T00:00:00");
    assert_eq!(flows[0].last.unwrap().to_string(), "2026-10-06T01:02:03");
    assert_eq!((flows[1].flows, flows[1].first), (1, None));
}

#[test]
fn rows_that_cannot_be_read_are_counted_with_their_lines() {
    let text = b"proto,src,dst,sport,dport,count,first
tcp,10.1.0.1,10.2.0.1,1,2,1,
tcp,10.1.0.1,10.2.0.1,1
tcp,10.1.0.300,10.2.0.1,1,2,1,
tcp,10.1.0.1,2001:db8::1,1,2,1,
tcp,10.1.0.1,10.2.0.1,1,65536,1,
tcp,10.1.0.1,10.2.0.1,1,2,0,
tcp,10.1.0.1,10.2.0.1,1,2,1,yesterday
xyz,10.1.0.1,10.2.0.1,1,2,1,
tcp,10.1.0.1,10.2.0.1,1,2,1,\xff
tcp,10.1.0.1,10.2.0.1,1,2,1,2026-13-01 00:00:00
";
    let (capture, flows) = captured(text, None).unwrap();
    assert_eq!((capture.rows, flows.len(), capture.bad), (1, 1, 9));
    let lines: Vec<u64> = capture.first_bad.iter().map(|bad| bad.line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7]);
    let problems: Vec<&str> = capture.first_bad.iter().map(|bad| bad.problem.as_str()).collect();
    assert_eq!(problems[0], "it has 4 fields, and the header names 7");
    assert_eq!(problems[4], "`0` in `count` is not a number from 1 on");
    let long = "proto,src,dst,dport\ntcp,10.1.0.1,10.2.0.1,1,\ntcp,10.1.0.1,10.2.0.1,1,2\n";
    let (capture, _) = captured(long.as_bytes(), None).unwrap();
    assert_eq!((capture.rows, capture.bad, capture.first_bad[0].line), (1, 1, 3));
    let bad = ZEEK.replace("\tSF\t^dD", "\tSF").replace("12.5", "long");
    let (capture, _) = captured(bad.as_bytes(), None).unwrap();
    assert_eq!((capture.rows, capture.bad), (2, 2));
}

#[test]
fn what_is_no_capture_says_so_and_how_it_becomes_one() {
    let wrong: [(&[u8], &str); 13] = [
        (b"", "it is empty"),
        (b" \n\n", "it is empty"),
        (b"\x1f\x8b\x08\x00", "zcat FILE"),
        (b"\x28\xb5\x2f\xfd\x00", "zstdcat FILE"),
        (b"\x0c\xa5\x01\x00", "nfdump -r FILE -o csv"),
        (b"a,b,c\n1,2,3\n", "it begins with `a,b,c`"),
        (b"\xff\xfea\x00", "it begins with"),
        (b"ts,te,td,sa,da,pr\n", "no column `sp`"),
        (b"proto,src,dst\n", "no column `dport`"),
        (b"proto,src,dst,dport,src_ip\n", "the column `src` twice"),
        (b"#separator \\x09\n#path\tdns\n#fields\tts\n", "Zeek's log `dns`"),
        (b"#separator \\x09\nC1\t1\n", "no line `#fields`"),
        (b"#fields\tts\tid.orig_h\n", "no column `id.orig_p`"),
    ];
    for (bytes, expected) in wrong {
        let problem = captured(bytes, None).unwrap_err().to_string();
        assert!(problem.contains(expected), "{expected}: {problem}");
    }
    // What is said of the form goes before what is seen of it.
    assert!(captured(NFDUMP.as_bytes(), Some(Form::Zeek)).is_err());
    let rows = captured(ZEEK.as_bytes(), Some(Form::ZeekJson)).unwrap().0;
    assert_eq!((rows.rows, rows.bad), (0, 13));
}

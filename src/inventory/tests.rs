//! Tables read as a policy's files name them.

use super::*;
use crate::source::Sources;
use crate::syntax::ast::Statement;
use crate::syntax::parse;

/// The assets of a table, one line each, and all that was found.
fn check(statement: &str, table: &str) -> (Vec<String>, Vec<String>) {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let policy = sources.add("p.cordon".to_owned(), statement.to_owned()).unwrap().clone();
    let table = sources.add("table".to_owned(), table.to_owned()).unwrap().clone();
    let tree = parse(&policy, &mut diagnostics);
    let exports = tree.statements.into_iter().filter_map(|statement| {
        let Statement::Inventory(statement) = statement else { return None };
        Some(Export { statement, table: table.clone(), mapping: None })
    });
    let read = Inventories::read(&exports.collect::<Vec<_>>(), &mut diagnostics);
    let assets = read.assets.iter().map(|asset| {
        let addresses: Vec<String> = asset.addresses.iter().map(ToString::to_string).collect();
        let texts = [&asset.kind, &asset.vendor, &asset.model, &asset.os, &asset.owner];
        let texts = texts.map(|text| text.to_string()).join("|");
        format!("{} [{}] {texts} {:?} {:?}", asset.name, addresses.join(" "), asset.risk, asset.phi)
    });
    let found = diagnostics.sorted().iter().map(|finding| finding.to_string()).collect();
    (assets.collect(), found)
}

#[test]
fn columns_are_found_by_their_letters_whatever_the_export_calls_them() {
    for header in [
        "Name,IP Address,Role,Manufacturer",
        "name,ip_address,role,manufacturer",
        "NAME;IP-Address;Role;Manufacturer",
    ] {
        let row = if header.contains(';') { "ct-1;10.1.0.7/24;CT;GE" } else { "ct-1,10.1.0.7/24,CT,GE" };
        let (assets, found) =
            check("inventory a { file \"t\" format netbox }", &format!("{header}\n{row}\n"));
        assert_eq!(assets, ["ct-1 [10.1.0.7] CT|GE||| None None"], "{header}");
        assert!(found.is_empty(), "{found:?}");
    }
}

#[test]
fn an_export_of_xdome_gives_what_is_known_of_each_device() {
    let table = "device_name,device_ip_list,device_type,device_manufacturer,device_model,device_combined_os,\
                 device_risk_score,device_phi,device_handles_pii,device_cmms_department,device_retired\n\
                 mr-1,\"10.1.0.8, 10.1.0.9 / (Last Known IP)\",MRI,Siemens,MAGNETOM,Windows 7,Critical,,Yes,Radiology,false\n\
                 mr-0,10.1.0.7,MRI,Siemens,MAGNETOM,Windows 7,Very Low,None,,Radiology,true\n";
    let (assets, found) = check("inventory a { file \"t\" format xdome }", table);
    assert_eq!(
        assets,
        ["mr-1 [10.1.0.8] MRI|Siemens|MAGNETOM|Windows 7|Radiology Some(Critical) Some(Store)"]
    );
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_scan_of_nmap_is_a_table_of_the_hosts_that_are_up() {
    let scan = r#"<?xml version="1.0"?><!DOCTYPE nmaprun>
<nmaprun scanner="nmap">
<host><status state="up"/><address addr="10.1.0.7" addrtype="ipv4"/><address addr="00:07:4D:C1:06:20" addrtype="mac" vendor="Zebra"/>
<hostnames><hostname name="printer-1"/></hostnames>
<ports><port protocol="tcp" portid="9100"><state state="open"/></port><port protocol="tcp" portid="23"><state state="closed"/></port></ports>
<os><osmatch name="Zebra print server"><osclass type="printer" vendor="Zebra"/></osmatch></os></host>
<host><status state="down"/><address addr="10.1.0.8" addrtype="ipv4"/></host>
</nmaprun>"#;
    let (assets, found) = check("inventory a { file \"t\" format nmap }", scan);
    assert_eq!(assets, ["printer-1 [10.1.0.7] printer|Zebra||Zebra print server| None None"]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn what_cannot_be_read_is_counted_and_named_and_leaves_a_gap() {
    let table = "name,address,risk,supported until\na,DHCP,high,2029-06-30\nb,10.1.0.8,54.1,30.06.2029\n";
    let (assets, found) = check("inventory a { file \"t\" }", table);
    assert_eq!(assets, ["a [] |||| Some(High) None", "b [10.1.0.8] |||| None None"]);
    assert_eq!(
        found,
        [
            "not understood in `table`: 3 cells: `DHCP` is no address; `30.06.2029` is no date in the form YYYY-MM-DD; \
         `54.1` is no risk that the mapping knows"
        ]
    );
}

#[test]
fn tables_that_cannot_be_trusted_are_refused() {
    let refused = |statement: &str, table: &str| {
        let (assets, found) = check(statement, table);
        (assets.len(), found.join("\n"))
    };
    let plain = "inventory a { file \"t\" }";
    assert_eq!(
        refused(plain, ""),
        (0, "the table `table` cannot be read: it has no row that names the columns".into())
    );
    assert_eq!(
        refused(plain, "name,type\nx,CT\n"),
        (0, "the table `table` has no column with addresses".into())
    );
    assert_eq!(refused(plain, "ip,name,IP\n10.1.0.7,a,10.1.0.8\n").1, "two columns are called `ip`");
    assert_eq!(refused("inventory a { file \"t\" format nmap }", "<html/>").1.lines().count(), 1);
    let bomb = "<!DOCTYPE nmaprun [<!ENTITY a \"xxxxxxxxxx\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">\
                <!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;\"><!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;\">\
                <!ENTITY g \"&f;&f;&f;&f;&f;&f;&f;&f;\"><!ENTITY h \"&g;&g;&g;&g;&g;&g;&g;&g;\">]><nmaprun><host a=\"&h;\"/></nmaprun>";
    assert!(refused("inventory a { file \"t\" format nmap }", bomb).1.contains("it is no XML"));
    let format = refused("inventory a { file \"t\" format xdom }", "ip\n10.1.0.7\n").1;
    assert_eq!(format, "cordon does not know the form `xdom` of a table");
}

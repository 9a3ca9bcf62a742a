//! Makes inventories: that of the example, or one of any size with a policy for it.
//!
//!     cargo run --release --example inventory -- --out examples/general-hospital/inventory
//!     cargo run --release --example inventory -- --devices 500000 --out target/big
//!
//! Without `--devices`: the devices of the general hospital, at its addresses. With it: as many devices in the same
//! proportions, in an address plan of their own, and a policy with their zones and classes. The same arguments give the
//! same bytes. Medical devices are written as Claroty xDome exports them, all others as NetBox does.

use std::error::Error;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use clap::Parser;

/// Make an inventory of devices, for the example or of any size
#[derive(Parser)]
struct Arguments {
    /// How many devices, in an address plan of their own [default: those of the general hospital]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2_000..=2_000_000))]
    devices: Option<u32>,
    /// How many of them have something wrong with them
    #[arg(long, value_name = "N", default_value_t = 0)]
    flaws: u32,
    /// The folder to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// A class of devices, as the hospital has it.
struct Kind {
    /// Its name in the policy.
    class: &'static str,
    /// How many there are.
    count: u32,
    zone: &'static str,
    vlan: u16,
    /// The address of the first, in the hospital's plan.
    first: [u8; 4],
    /// The same for IPv6: the last 64 bits.
    first_v6: u64,
    device_type: &'static str,
    vendor: &'static str,
    model: &'static str,
    os: &'static str,
    phi: &'static str,
    fda: &'static str,
    risk: &'static str,
    supported_until: &'static str,
    owner: &'static str,
    /// True if xDome knows it, false if NetBox does.
    medical: bool,
}

/// The upper half of the addresses of a zone that two classes share.
const UPPER: u64 = 0x8000_0000_0000_0000;

macro_rules! kinds {
    ($($class:literal $count:literal $zone:literal $vlan:literal $first:expr, $first_v6:expr, $type:literal, $vendor:literal, $model:literal,
       $os:literal, $phi:literal $fda:literal $risk:literal $until:literal $owner:literal $medical:literal;)*) => {
        &[$(Kind {
            class: $class, count: $count, zone: $zone, vlan: $vlan, first: $first, first_v6: $first_v6, device_type: $type,
            vendor: $vendor, model: $model, os: $os, phi: $phi, fda: $fda, risk: $risk, supported_until: $until,
            owner: $owner, medical: $medical,
        }),*]
    };
}

/// The classes of the hospital, each with what is known of its devices.
const KINDS: &[Kind] = kinds! {
    "infusion_pump_lvp" 1500 "pump_wifi" 210 [10, 40, 16, 10], 0x1000, "Infusion Pump", "BD", "Alaris 8015 PCU",
        "VxWorks", "transit" "II" "high" "" "biomed" true;
    "infusion_pump_syringe" 300 "pump_wifi" 210 [10, 40, 28, 10], UPPER + 0x1000, "Syringe Pump", "Smiths Medical", "Medfusion 4000",
        "RTOS", "transit" "II" "high" "2026-12-31" "biomed" true;
    "monitor_icu" 180 "mon_icu" 220 [10, 40, 32, 10], 0x1000, "Patient Monitor", "GE Healthcare", "CARESCAPE B650",
        "embedded", "transit" "II" "medium" "" "biomed" true;
    "monitor_ward" 270 "mon_ward" 221 [10, 40, 34, 10], 0x1000, "Patient Monitor", "Philips", "IntelliVue MX450",
        "embedded", "transit" "II" "medium" "" "biomed" true;
    "telemetry" 200 "mon_ward" 221 [10, 40, 35, 40], UPPER + 0x1000, "Telemetry Transmitter", "Philips", "IntelliVue MX40",
        "embedded", "transit" "II" "medium" "" "biomed" true;
    "ventilator" 90 "vent_anaes" 225 [10, 40, 36, 10], 0x1000, "Ventilator", "Draeger", "Evita and Babylog VN800",
        "embedded", "transit" "II" "high" "" "biomed" true;
    "anaesthesia" 30 "vent_anaes" 225 [10, 40, 36, 138], UPPER + 0x1000, "Anaesthesia Workstation", "Draeger", "Perseus A500",
        "embedded", "transit" "II" "medium" "" "biomed" true;
    "or_sdc_set" 24 "or_sdc" 226 [10, 40, 37, 10], 0x1000, "OR Integration", "several", "IEEE 11073 SDC",
        "mixed", "transit" "II" "medium" "" "biomed" true;
    "ct" 6 "img_a" 230 [10, 40, 40, 10], 0x1000, "CT", "GE Healthcare", "Revolution CT",
        "Windows and Linux", "store" "II" "high" "" "radiology" true;
    "mri" 4 "img_b" 231 [10, 40, 40, 138], 0x1000, "MRI", "Siemens", "MAGNETOM",
        "Windows 7", "store" "II" "critical" "2020-12-31" "radiology" true;
    "xray" 18 "img_a" 230 [10, 40, 40, 74], UPPER + 0x1000, "X-Ray", "Philips", "DigitalDiagnost C90",
        "Windows 10", "store" "II" "medium" "2025-12-31" "radiology" true;
    "ultrasound" 60 "us_wifi" 232 [10, 40, 41, 10], 0x1000, "Ultrasound", "GE Healthcare", "Vscan Extend",
        "Android", "store" "II" "medium" "" "radiology" true;
    "video_recorder" 12 "us_wifi" 232 [10, 40, 41, 138], UPPER + 0x1000, "Video Recorder", "MediCapture", "MVR435",
        "Android", "store" "I" "medium" "" "radiology" true;
    "analyser" 40 "lab" 240 [10, 40, 42, 10], 0x1000, "Laboratory Analyser", "Roche", "cobas c311",
        "Windows XP", "transit" "I" "critical" "2014-12-31" "lab" true;
    "slide_scanner" 2 "lab" 240 [10, 40, 42, 138], UPPER + 0x1000, "Slide Scanner", "Leica", "Aperio GT450",
        "Windows", "store" "II" "medium" "" "lab" true;
    "poct_meter" 220 "poct" 241 [10, 40, 43, 10], 0x1000, "Point-of-Care Meter", "Quidel", "Sofia",
        "embedded", "transit" "I" "medium" "" "lab" true;
    "med_cabinet" 90 "adc" 250 [10, 40, 44, 10], 0x1000, "Medication Cabinet", "Omnicell", "XT",
        "Windows 10 IoT", "transit" "I" "high" "2025-12-31" "pharmacy" true;
    "nurse_call" 900 "nursecall" 260 [10, 40, 48, 10], 0x1000, "Nurse Call", "Rauland", "Responder",
        "embedded", "none" "II" "low" "" "facilities" true;
    "clin_workstation" 2200 "clin_ws" 500 [10, 40, 96, 10], 0x1000, "Clinical Workstation", "Dell", "OptiPlex",
        "Windows 11", "transit" "-" "medium" "" "it-desk" false;
    "printer" 240 "clin_ws" 500 [10, 40, 111, 10], UPPER + 0x1000, "Printer", "Brother", "HL-L6400",
        "embedded", "transit" "-" "medium" "" "it-desk" false;
    "hvac" 110 "bms" 600 [10, 40, 120, 10], 0x1000, "HVAC Controller", "Siemens", "Desigo PXC",
        "embedded", "none" "-" "high" "2018-12-31" "facilities" false;
};

/// What was found in the hospital's quarantine: nobody knows it, or knows it yet.
const STRANGERS: [(&str, &str, &str); 8] = [
    ("Smart TV", "Samsung", "UE55"),
    ("Single-board Computer", "Raspberry Pi", "4"),
    ("Camera", "Hikvision", "DS-2CD"),
    ("Game Console", "Nintendo", "Switch"),
    ("", "", ""),
    ("Bladder Scanner", "Verathon", "Prime Plus"),
    ("Mobile Phone", "Apple", "iPhone"),
    ("", "Espressif", ""),
];

/// A row of an export.
struct Device {
    name: String,
    v4: String,
    v6: String,
    mac: String,
    kind: &'static Kind,
    owner: &'static str,
    zone: &'static str,
    device_type: &'static str,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let plan = match arguments.devices {
        None => KINDS.iter().map(Block::of_hospital).collect(),
        Some(devices) => layout(devices),
    };
    let mut devices: Vec<Device> = plan.iter().flat_map(Block::devices).collect();
    spoil(&mut devices, arguments.flaws);
    fs::create_dir_all(&arguments.out)?;
    let strangers = arguments.devices.is_none();
    fs::write(arguments.out.join("medical.csv"), medical(&devices, strangers)?)?;
    fs::write(arguments.out.join("it.csv"), it(&devices)?)?;
    if arguments.devices.is_some() {
        fs::write(arguments.out.join("policy.cordon"), policy(&plan))?;
    }
    Ok(())
}

/// Where the devices of a class stand.
struct Block {
    kind: &'static Kind,
    count: u32,
    first: u32,
    /// The first address of the zone, and the length of its prefix.
    zone: (u32, u32),
}

impl Block {
    fn of_hospital(kind: &'static Kind) -> Self {
        Block { kind, count: kind.count, first: u32::from_be_bytes(kind.first), zone: (0, 0) }
    }

    fn devices(&self) -> impl Iterator<Item = Device> + '_ {
        let kind = self.kind;
        let network = (0x2001_0db8_0600_u64 << 16) | u64::from(hexadecimal(kind.vlan));
        (0..self.count).map(move |number| {
            let v6 = (u128::from(network) << 64) | u128::from(kind.first_v6 + u64::from(number));
            // Locally administered, so that no vendor's number is used up (IEEE 802, 8.4).
            let [_, a, b, c] = number.to_be_bytes();
            let [high, low] = kind.vlan.to_be_bytes();
            let half = if kind.first_v6 > UPPER { 2 } else { 0 };
            Device {
                name: format!("{}-{:0width$}", kind.class.replace('_', "-"), number + 1, width = 4),
                v4: Ipv4Addr::from(self.first + number).to_string(),
                v6: Ipv6Addr::from(v6).to_string(),
                mac: format!("{:02x}:{low:02x}:{half:02x}:{a:02x}:{b:02x}:{c:02x}", 2 | (high << 2)),
                kind,
                owner: kind.owner,
                zone: kind.zone,
                device_type: kind.device_type,
            }
        })
    }
}

/// A number whose hexadecimal digits are the decimal ones of another: networks are named after their VLAN.
fn hexadecimal(vlan: u16) -> u16 {
    u16::from_str_radix(&vlan.to_string(), 16).unwrap_or(vlan)
}

/// As many devices in the proportions of the hospital, each class in a block of addresses, each zone in one prefix.
fn layout(devices: u32) -> Vec<Block> {
    let all: u32 = KINDS.iter().map(|kind| kind.count).sum();
    let scaled = |count: u32| {
        u32::try_from(u64::from(count) * u64::from(devices) / u64::from(all)).unwrap_or(u32::MAX)
    };
    let mut counts: Vec<u32> = KINDS.iter().map(|kind| scaled(kind.count).max(1)).collect();
    let missing = devices.saturating_sub(counts.iter().sum());
    if let Some(first) = counts.first_mut() {
        *first += missing;
    }
    let mut blocks: Vec<Block> = Vec::new();
    let mut next = u32::from_be_bytes([10, 0, 0, 0]);
    let mut zones: Vec<&str> = KINDS.iter().map(|kind| kind.zone).collect();
    zones.sort_unstable();
    zones.dedup();
    for zone in zones {
        let members: Vec<(&Kind, u32)> = KINDS
            .iter()
            .zip(&counts)
            .filter(|(kind, _)| kind.zone == zone)
            .map(|(kind, count)| (kind, *count))
            .collect();
        let size: u32 =
            (members.iter().map(|(_, count)| count + 16).sum::<u32>() + 16).next_power_of_two().max(256);
        let start = next.next_multiple_of(size);
        let mut first = start + 16;
        for (kind, count) in members {
            blocks.push(Block { kind, count, first, zone: (start, 32 - size.ilog2()) });
            first += count + 16;
        }
        next = start + size;
    }
    blocks
}

/// Gives some devices, spread over all, something wrong: each kind of mistake that `cordon` looks for, in turn.
fn spoil(devices: &mut [Device], flaws: u32) {
    let step = devices.len() / usize::try_from(flaws).unwrap_or(1).max(1);
    let Some(first) = devices.first().map(|device| (device.v4.clone(), device.zone)) else { return };
    for flaw in 0..usize::try_from(flaws).unwrap_or(0) {
        let Some(device) = devices.get_mut((flaw + 1) * step.max(1) - 1) else { return };
        let alone = |address: &str| (address.to_owned(), String::new());
        match flaw % 6 {
            0 => device.device_type = "Unknown",
            1 => (device.v4, device.v6) = alone("DHCP"),
            2 => device.v4.clone_from(&first.0),
            3 => device.zone = first.1,
            4 => (device.v4, device.v6) = alone("192.0.2.7"),
            _ => (device.v4, device.v6) = alone(&format!("{} / (Last Known IP)", device.v4)),
        }
    }
}

fn title(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

/// What xDome exports.
fn medical(devices: &[Device], strangers: bool) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "device_name",
        "device_ip_list",
        "device_mac_list",
        "device_category",
        "device_type",
        "device_manufacturer",
        "device_model",
        "device_combined_os",
        "device_os_eol_date",
        "device_risk_score",
        "device_phi",
        "device_fda_class",
        "device_cmms_department",
        "device_recommended_zone_name",
        "device_retired",
    ])?;
    for device in devices.iter().filter(|device| device.kind.medical) {
        let kind = device.kind;
        let phi = match kind.phi {
            "store" => "Transmits, Stores",
            "transit" => "Transmits",
            _ => "No",
        };
        csv.write_record([
            &device.name,
            &format!("{}, {}", device.v4, device.v6),
            &device.mac,
            "Medical",
            device.device_type,
            kind.vendor,
            kind.model,
            kind.os,
            kind.supported_until,
            &title(kind.risk),
            phi,
            kind.fda,
            device.owner,
            device.zone,
            "false",
        ])?;
    }
    for (number, (device_type, vendor, model)) in STRANGERS.iter().enumerate().filter(|_| strangers) {
        let (address, mac) = (format!("10.40.254.{}", 20 + number), format!("02:99:00:00:00:{number:02x}"));
        csv.write_record([
            "",
            &address,
            &mac,
            "IoT",
            device_type,
            vendor,
            model,
            "",
            "",
            "High",
            "",
            "",
            "security",
            "quarantine",
            "false",
        ])?;
    }
    Ok(csv.into_inner()?)
}

/// What NetBox exports.
fn it(devices: &[Device]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "Name",
        "Status",
        "Tenant",
        "Role",
        "Manufacturer",
        "Type",
        "Platform",
        "IPv4 Address",
        "IPv6 Address",
        "MAC Address",
        "cf_risk",
        "cf_phi",
        "cf_zone",
        "cf_supported_until",
    ])?;
    for device in devices.iter().filter(|device| !device.kind.medical) {
        let kind = device.kind;
        let length = if kind.zone == "bms" { 23 } else { 20 };
        csv.write_record([
            &device.name,
            "Active",
            device.owner,
            device.device_type,
            kind.vendor,
            kind.model,
            kind.os,
            &format!("{}/{length}", device.v4),
            &format!("{}/64", device.v6),
            &device.mac,
            kind.risk,
            kind.phi,
            device.zone,
            kind.supported_until,
        ])?;
    }
    Ok(csv.into_inner()?)
}

/// A policy with the zones and classes of a plan, behind one firewall.
fn policy(plan: &[Block]) -> String {
    let mut text = String::from("# Made by `cargo run --example inventory`.\n\n");
    let mut interfaces = String::new();
    let mut known = "";
    for block in plan {
        let kind = block.kind;
        if kind.zone != known {
            let (start, length) = (Ipv4Addr::from(block.zone.0), block.zone.1);
            let (vlan, zone) = (kind.vlan, kind.zone);
            text.push_str(&format!(
                "zone {zone} {{ net {start}/{length}, 2001:db8:600:{vlan}::/64   phi transit   owner {} }}\n",
                kind.owner
            ));
            interfaces.push_str(&format!("  interface vlan{vlan} zone {zone}\n"));
            known = zone;
        }
    }
    text.push_str("zone servers { net 172.16.0.0/24   owner it-apps }\nzone internet { rest }\n\n");
    text.push_str("inventory medical { file \"medical.csv\" format xdome }\ninventory it { file \"it.csv\" format netbox }\n\n");
    for block in plan {
        let Kind { class, zone, device_type, model, owner, .. } = block.kind;
        text.push_str(&format!(
            "class {class} in {zone} {{\n  members from inventory where type == \"{device_type}\" and model == \"{model}\" at least {}\n  owner {owner}\n}}\n\
             allow {class} {{ from {class}  to servers  via tcp 443 }}\n",
            block.count / 2
        ));
    }
    text.push_str(&format!(
        "\nfirewall core {{\n  target nftables\n{interfaces}  interface vlan1 zone servers\n  interface wan0 zone internet\n}}\n\
         manage {{ from servers  to core  via tcp 22 }}\n"
    ));
    text
}

//! A steady stream of allowed packets through a router whose rules are replaced.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::site::{Site, policy};
use crate::kernel::require::ready_as_root;

/// How often the rules are replaced, for each target.
const APPLIES: usize = 50;

#[test]
fn no_allowed_packet_is_lost_while_rules_are_replaced_a_hundred_times() {
    let test = "no_allowed_packet_is_lost_while_rules_are_replaced_a_hundred_times";
    if !ready_as_root(test, &["nft", "iptables-restore", "ipset", "flock", "nsenter"]) {
        return;
    }
    std::thread::scope(|scope| {
        for target in ["nftables", "iptables"] {
            scope.spawn(move || stream_through(target));
        }
    });
}

fn stream_through(target: &'static str) {
    let site = Site::new(target);
    site.put("first", &policy(target, 3613, true));
    let receiver = site.udp("servers", "10.2.0.10:7000");
    // What the test is too slow to take is not lost by the router.
    nix::sys::socket::setsockopt(&receiver, nix::sys::socket::sockopt::RcvBufForce, &(64 << 20)).unwrap();
    receiver.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut sent = 0u32;
            while !is_over.load(Ordering::Relaxed) {
                // Known connections pass whatever the rules are, so there is a new one every few packets.
                let socket = site.udp("ward", "10.1.0.2:0");
                for _ in 0..5 {
                    socket.send_to(&sent.to_be_bytes(), "10.2.0.10:7000").unwrap();
                    sent += 1;
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            sent
        });
        let taker = scope.spawn(|| {
            let mut buffer = [0; 4];
            let mut got = 0u32;
            loop {
                match receiver.recv(&mut buffer) {
                    Ok(_) => got += 1,
                    Err(_) if is_over.load(Ordering::Relaxed) => return got,
                    Err(_) => {}
                }
            }
        });
        let applied = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            (0..APPLIES).for_each(|number| site.put("next", &policy(target, 3614 - number as u16 % 2, true)));
        }));
        is_over.store(true, Ordering::Relaxed);
        let (sent, got) = (sender.join().unwrap(), taker.join().unwrap());
        applied.unwrap();
        assert!(sent > 100 * APPLIES as u32 / 2, "{sent} packets are no steady stream");
        assert_eq!(got, sent, "{target}: all packets arrive");
    });
}

#!/bin/sh
# wifi: ends the connections of vpn_gw, for the posture end-vendor-sessions.
# Run it behind the load of the files beside it. Connections that stay allowed come back by themselves.
conntrack -D -f ipv4 -s 10.40.84.5/32 >/dev/null 2>&1 || :
conntrack -D -f ipv4 -d 10.40.84.5/32 >/dev/null 2>&1 || :
conntrack -D -f ipv6 -s 2001:db8:600:440::5/128 >/dev/null 2>&1 || :
conntrack -D -f ipv6 -d 2001:db8:600:440::5/128 >/dev/null 2>&1 || :

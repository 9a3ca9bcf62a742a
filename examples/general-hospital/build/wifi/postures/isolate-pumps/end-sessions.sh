#!/bin/sh
# wifi: ends the connections of pump_wifi, for the posture isolate-pumps.
# Run it behind the load of the files beside it. Connections that stay allowed come back by themselves.
conntrack -D -f ipv4 -s 10.40.16.0/20 >/dev/null 2>&1 || :
conntrack -D -f ipv4 -d 10.40.16.0/20 >/dev/null 2>&1 || :
conntrack -D -f ipv6 -s 2001:db8:600:210::/64 >/dev/null 2>&1 || :
conntrack -D -f ipv6 -d 2001:db8:600:210::/64 >/dev/null 2>&1 || :

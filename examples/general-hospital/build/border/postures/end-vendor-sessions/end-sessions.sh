#!/bin/sh
# border: ends the connections of vpn_gw, for the posture end-vendor-sessions.
# Run it behind the load of the files beside it. Connections that stay allowed come back by themselves.
pfctl -k 10.40.84.5/32
pfctl -k 0.0.0.0/0 -k 10.40.84.5/32
pfctl -k 2001:db8:600:440::5/128
pfctl -k ::/0 -k 2001:db8:600:440::5/128

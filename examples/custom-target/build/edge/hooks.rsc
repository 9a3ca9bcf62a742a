# edge: what leads packets into the chains of firewall.rsc. Import it once, after firewall.rsc.
#
# A rule that is there already is not added again. Rules of others that accept packets have to stand behind these.

/ip firewall filter
:if ([:len [find where comment="cordon hook"]] = 0) do={
    add chain=forward action=accept connection-state=established comment="cordon hook"
    add chain=forward action=accept connection-state=related protocol=icmp comment="cordon hook"
    add chain=forward action=jump jump-target=cordon-forward comment="cordon hook"
    add chain=forward action=drop comment="cordon hook"
    add chain=input action=accept connection-state=established comment="cordon hook"
    add chain=input action=accept connection-state=related protocol=icmp comment="cordon hook"
    add chain=input action=jump jump-target=cordon-input comment="cordon hook"
    add chain=input action=drop comment="cordon hook"
}

/ipv6 firewall filter
:if ([:len [find where comment="cordon hook"]] = 0) do={
    add chain=forward action=accept connection-state=established comment="cordon hook"
    add chain=forward action=accept connection-state=related protocol=icmpv6 comment="cordon hook"
    add chain=forward action=jump jump-target=cordon-forward comment="cordon hook"
    add chain=forward action=drop comment="cordon hook"
    add chain=input action=accept connection-state=established comment="cordon hook"
    add chain=input action=accept connection-state=related protocol=icmpv6 comment="cordon hook"
    add chain=input action=jump jump-target=cordon-input comment="cordon hook"
    add chain=input action=drop comment="cordon hook"
}

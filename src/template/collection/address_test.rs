//! Tests of `ansible.utils`: what an address is and where it is.

use std::net::ToSocketAddrs as _;

use super::network::Network;
use super::test;
use crate::template::{Evaluator, Param, Result, Test, Val};

use Param::Required;

pub(super) const TESTS: &[Test] = &[
    test("ansible.utils.in_any_network", NETWORKS, |evaluator, value, arguments| {
        Ok(containing(evaluator, value, arguments.required(0))? > 0)
    }),
    test("ansible.utils.in_network", &[Required("network")], |evaluator, value, arguments| within(evaluator, value, arguments.required(0))),
    test("ansible.utils.in_one_network", NETWORKS, |evaluator, value, arguments| {
        Ok(containing(evaluator, value, arguments.required(0))? == 1)
    }),
    test("ansible.utils.ip", &[], |_, value, _| Ok(network(value).is_some())),
    test("ansible.utils.ip_address", &[], |_, value, _| Ok(address(value).is_some())),
    test("ansible.utils.ipv4", &[], |_, value, _| Ok(network(value).is_some_and(|network| !network.v6))),
    test("ansible.utils.ipv4_address", &[], |_, value, _| Ok(address(value).is_some_and(|address| !address.v6))),
    test("ansible.utils.ipv4_hostmask", &[], |_, value, _| Ok(address(value).is_some_and(|mask| !mask.v6 && is_hostmask(mask.ip)))),
    test("ansible.utils.ipv4_netmask", &[], |_, value, _| {
        Ok(address(value).is_some_and(|mask| !mask.v6 && is_hostmask(mask.ip ^ u128::from(u32::MAX))))
    }),
    test("ansible.utils.ipv6", &[], |_, value, _| Ok(network(value).is_some_and(|network| network.v6))),
    test("ansible.utils.ipv6_address", &[], |_, value, _| Ok(address(value).is_some_and(|address| address.v6))),
    test("ansible.utils.ipv6_ipv4_mapped", &[], |_, value, _| Ok(is_in(value, &["::ffff:0:0/96"]))),
    test("ansible.utils.ipv6_sixtofour", &[], |_, value, _| Ok(is_in(value, &["2002::/16"]))),
    test("ansible.utils.ipv6_teredo", &[], |_, value, _| Ok(is_in(value, &["2001::/32"]))),
    test("ansible.utils.loopback", &[], |_, value, _| Ok(address(value).is_some_and(Network::is_loopback))),
    test("ansible.utils.mac", &[], |_, value, _| Ok(value.as_str().is_some_and(|text| super::hwaddr::parse(text).is_some()))),
    test("ansible.utils.multicast", &[], |_, value, _| Ok(address(value).is_some_and(Network::is_multicast))),
    test("ansible.utils.private", &[], |_, value, _| Ok(address(value).is_some_and(|address| !address.is_global()))),
    test("ansible.utils.public", &[], |_, value, _| Ok(address(value).is_some_and(Network::is_global))),
    test("ansible.utils.reserved", &[], |_, value, _| Ok(is_in(value, RESERVED))),
    test("ansible.utils.resolvable", &[], |evaluator, value, _| {
        let name = evaluator.text(value)?;
        Ok((name.as_str(), 0).to_socket_addrs().is_ok_and(|mut found| found.next().is_some()))
    }),
    test("ansible.utils.subnet_of", &[Required("network")], |evaluator, value, arguments| within(evaluator, value, arguments.required(0))),
    test("ansible.utils.supernet_of", &[Required("network")], |evaluator, value, arguments| {
        within(evaluator, arguments.required(0), value)
    }),
    test("ansible.utils.unspecified", &[], |_, value, _| Ok(is_in(value, &["0.0.0.0/32", "::/128"]))),
];

const NETWORKS: &[Param] = &[Required("networks")];
/// What is kept for later.
const RESERVED: &[&str] = &[
    "240.0.0.0/4",
    "::/8",
    "100::/8",
    "200::/7",
    "400::/6",
    "800::/5",
    "1000::/4",
    "4000::/3",
    "6000::/3",
    "8000::/3",
    "a000::/3",
    "c000::/3",
    "e000::/4",
    "f000::/5",
    "f800::/6",
    "fe00::/9",
];

/// A network without a host, or a single address.
fn network(val: &Val) -> Option<Network> {
    Network::parse(val.as_str()?).filter(|network| network.ip == network.first())
}

fn address(val: &Val) -> Option<Network> {
    val.as_str().filter(|text| !text.contains('/')).and_then(Network::parse)
}

fn is_in(val: &Val, networks: &[&str]) -> bool {
    address(val).is_some_and(|address| networks.iter().any(|network| address.is_in(network)))
}

fn is_hostmask(mask: u128) -> bool {
    mask & (mask + 1) == 0
}

fn within(evaluator: &Evaluator, inner: &Val, outer: &Val) -> Result<bool> {
    let (inner, outer) = (evaluator.text(inner)?, evaluator.text(outer)?);
    Ok(matches!((Network::parse(inner.as_str()), Network::parse(outer.as_str())), (Some(inner), Some(outer)) if outer.contains(inner)))
}

fn containing(evaluator: &Evaluator, inner: &Val, networks: &Val) -> Result<usize> {
    let mut count = 0;
    for outer in evaluator.items(networks)? {
        count += usize::from(within(evaluator, inner, &outer)?);
    }
    Ok(count)
}

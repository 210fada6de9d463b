//! Which addresses may be reached on behalf of a repository's file.
//!
//! A file is written by whoever may push, so a host it names must not become a door into the operator's network: it
//! has to be public, and is judged after resolution, on the very addresses the connection is made to.

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Resolves names, and refuses those with an address that is not public.
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // One private address among public ones is refused too: which one is dialled is not ours to choose.
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            match addresses.iter().find_map(|address| why_not_public(address.ip())) {
                Some(kind) => Err(NotPublic { host: name.as_str().to_owned(), kind }.into()),
                None => Ok(Box::new(addresses.into_iter()) as Addrs),
            }
        })
    }
}

/// The host's address is not public. Carried through the HTTP client's errors.
#[derive(Debug)]
pub(super) struct NotPublic {
    pub(super) host: String,
    pub(super) kind: &'static str,
}

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.host, self.kind)
    }
}

impl std::error::Error for NotPublic {}

/// The address a URL's host is written as, if it is no name. The parser has already undone decimal, octal and
/// hexadecimal ways of writing it.
pub(super) fn literal_ip(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether a URL's host is, by its writing alone, this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let named = url.host_str().is_some_and(|host| host == "localhost" || host.ends_with(".localhost"));
    named || literal_ip(url).is_some_and(|ip| ip.is_loopback())
}

/// What an address is if it is not a public one.
///
/// Source: IANA's special-purpose address registries for IPv4 and IPv6.
pub(super) fn why_not_public(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => why_not_public_v4(ip),
        IpAddr::V6(ip) => why_not_public_v6(ip),
    }
}

fn why_not_public_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let octets = ip.octets();
    match octets {
        [0, ..] => Some("an address of no host"),
        [127, ..] => Some("a loopback address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("a private address"),
        [100, 64..=127, ..] => Some("an address of a carrier's network"),
        [169, 254, ..] => Some("a link-local address"),
        [192, 0, 0, _]
        | [192, 0, 2, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Some("a reserved address"),
        [224..=239, ..] => Some("a multicast address"),
        [240..=255, ..] => Some("a reserved address"),
        _ => None,
    }
}

fn why_not_public_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let segments = ip.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        why_not_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("an address of no host"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("a loopback address"),
        // Addresses that carry an IPv4 address are what that one is.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            embedded(high, low)
        }
        [0xfe80..=0xfebf, ..] => Some("a link-local address"),
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => Some("a private address"),
        [0xff00..=0xffff, ..] => Some("a multicast address"),
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some("a reserved address"),
        [0x2000..=0x3fff, ..] => None,
        _ => Some("a reserved address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(ip: &str) -> Option<&'static str> {
        why_not_public(ip.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_public() {
        for ip in [
            "1.1.1.1",
            "100.63.0.1",
            "172.32.0.1",
            "192.1.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            assert_eq!(why(ip), None, "{ip}");
        }
    }

    #[test]
    fn every_other_address_is_refused() {
        let private = [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ];
        for ip in private {
            assert!(why(ip).is_some(), "{ip}");
        }
    }

    #[test]
    fn no_way_of_writing_an_address_hides_it() {
        for host in
            ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127。0。0。1", "[::1]", "[::ffff:7f00:1]"]
        {
            let url = Url::parse(&format!("https://{host}/")).unwrap();
            assert!(literal_ip(&url).is_some_and(|ip| why_not_public(ip).is_some()), "{host}");
        }
    }
}

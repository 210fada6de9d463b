//! The subscription file: what it may say, and what its problems look like.

use mass_driver::subscription::{Delay, parse};

#[test]
fn short_and_long_forms_mean_the_same() {
    let short = parse(b"subscriptions: [pypi]").unwrap();
    let long = parse(b"subscriptions:\n  - migration: pypi\n    delay: immediate\n").unwrap();
    assert_eq!(short.subscriptions[0].migration, long.subscriptions[0].migration);
    assert_eq!(long.subscriptions[0].delay, Delay::Immediate);
}

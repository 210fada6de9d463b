//! Sizes for people.

/// A size with a comma between its thousands: `262,144 bytes`.
pub fn in_bytes(size: usize) -> String {
    let digits = size.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + " bytes"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_parted() {
        let sizes = [0, 999, 1_000, 262_144, 1_000_000].map(in_bytes);
        assert_eq!(sizes, ["0 bytes", "999 bytes", "1,000 bytes", "262,144 bytes", "1,000,000 bytes"]);
    }
}

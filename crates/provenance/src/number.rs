//! Numbers as text.

/// The shortest decimal form that reads back as the same number: `0.123`, `10`, `1e-7`.
///
/// Numbers from 1e-5 up to 1e16 are written plainly, others with an exponent, as people and most languages do.
pub(crate) fn shortest(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-5..1e16).contains(&size) || !size.is_finite() {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

#[cfg(test)]
mod tests {
    use super::shortest;
    use proptest::prelude::*;

    #[test]
    fn plain_where_people_write_it_plainly() {
        let cases = [
            (0.123, "0.123"),
            (4.56, "4.56"),
            (10.0, "10"),
            (-0.5, "-0.5"),
            (0.0, "0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (0.00001, "0.00001"),
            (1e-7, "1e-7"),
            (1e15, "1000000000000000"),
            (1e16, "1e16"),
            (f64::MAX, "1.7976931348623157e308"),
            (f64::from_bits(1), "5e-324"),
        ];
        for (value, text) in cases {
            assert_eq!(shortest(value), text);
        }
    }

    proptest! {
        #[test]
        fn reads_back_as_the_same_number(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let back: f64 = shortest(value).parse().unwrap();
            prop_assert_eq!(back.to_bits(), bits);
            prop_assert!(shortest(value).len() <= 24);
        }
    }
}

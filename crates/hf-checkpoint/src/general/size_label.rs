//! A model's size in a few characters: `135M`, `8.0B`.

/// The number of weights with at least two digits, as gguf-py's `model_weight_count_rounded_notation` writes it.
pub(super) fn rounded(weights: u64) -> String {
    let weights = weights as f64;
    let (scaled, suffix) = match weights {
        n if n > 1e12 => (n * 1e-12, "T"),
        n if n > 1e9 => (n * 1e-9, "B"),
        n if n > 1e6 => (n * 1e-6, "M"),
        n => (n * 1e-3, "K"),
    };
    let whole = format!("{scaled:.0}");
    let digits = whole.trim_start_matches('0').len();
    let decimals = 2usize.saturating_sub(digits);
    format!("{scaled:.decimals$}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::rounded;

    /// Checked against gguf-py 0.19's `size_label`.
    #[test]
    fn labels_are_those_of_gguf_py() {
        for (weights, label) in [
            (1, "0.00K"),
            (999, "1.0K"),
            (10_500, "10K"),
            (11_500, "12K"),
            (1_000_000, "1000K"),
            (1_000_001, "1.0M"),
            (134_515_008, "135M"),
            (9_450_000, "9.4M"),
            (9_960_000, "10M"),
            (22_713_216, "23M"),
            (8_030_261_312, "8.0B"),
            (70_553_706_560, "71B"),
            (1_026_000_000_000, "1.0T"),
        ] {
            assert_eq!(rounded(weights), label);
        }
    }
}

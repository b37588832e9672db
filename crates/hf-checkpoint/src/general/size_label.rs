//! A model's size in a few characters: `135M`, `8.0B`.

use crate::tensor::Tensor;

/// How many weights a model has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub total: u64,
    /// Those that a token meets: one expert of each mixture, and all that is no expert.
    active: u64,
    /// Experts of a mixture; 0 if there is none.
    experts: u64,
    /// They are those that an adapter's products change.
    adapter: bool,
}

impl Count {
    /// As gguf-py's `get_total_parameter_count` counts.
    pub(crate) fn of(tensors: &[Tensor]) -> Self {
        let mut count = Self::default();
        let (mut mixtures, mut all_experts) = (0u64, 0u64);
        for tensor in tensors {
            let elements = tensor.elements();
            count.total = count.total.saturating_add(elements);
            let bias = tensor.name.contains(".bias");
            let experts = tensor.dims.get(if bias { 1 } else { 2 }).copied();
            let mixture = tensor.name.contains("_exps.") && tensor.dims.len() >= 3;
            count.active = count.active.saturating_add(match experts {
                Some(experts) if mixture => {
                    mixtures += 1;
                    all_experts = all_experts.saturating_add(experts);
                    elements / experts.max(1)
                }
                _ => elements,
            });
        }
        count.experts = all_experts.checked_div(mixtures).unwrap_or(0);
        count
    }

    /// As [`of`](Self::of), of an adapter's tensors: each first factor with its second behind it.
    pub(crate) fn of_adapter(tensors: &[Tensor]) -> Self {
        let mut total = 0u64;
        for (a, b) in tensors.iter().zip(tensors.iter().skip(1)).step_by(2) {
            let rows: u64 = b.dims.iter().skip(1).product();
            total = total.saturating_add(a.dims.first().copied().unwrap_or(1).saturating_mul(rows));
        }
        Self { total, adapter: true, ..Self::default() }
    }

    /// The number of weights; negative for an adapter, as gguf-py has it.
    pub(super) fn signed(self) -> i64 {
        let total = i64::try_from(self.total).unwrap_or(i64::MAX);
        if self.adapter { -total } else { total }
    }

    /// `135M`, `8x7.0B`.
    pub(super) fn label(self) -> String {
        match self.experts {
            0 => rounded(self.total),
            experts => format!("{experts}x{}", rounded(self.active)),
        }
    }
}

/// The number of weights with at least two digits, as gguf-py's `model_weight_count_rounded_notation` writes it.
fn rounded(weights: u64) -> String {
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

//! The quantile function of the normal distribution.

/// The quotient of two polynomials, coefficients from the highest power down, at `r`.
fn quotient(numerator: [f64; 8], denominator: [f64; 8], r: f64) -> f64 {
    let at = |coefficients: [f64; 8]| coefficients.into_iter().fold(0.0, |sum, c| sum * r + c);
    at(numerator) / at(denominator)
}

/// The value that a standard normal variable is below with probability `p`, which is from 0 to 1.
///
/// By Wichura's algorithm AS 241 (PPND16, Applied Statistics 37, 1988), in the steps in which PyTorch rounds: its
/// `Normal.icdf` is the inverse of the error function, times the root of 2, in F32.
pub(super) fn quantile(p: f32) -> f32 {
    let twice = 2.0 * p - 1.0;
    let q = f64::from(twice) / 2.0;
    let value = if q.abs() <= 0.425 {
        q * quotient(
            [
                2.509_080_928_730_122_7e3,
                3.343_057_558_358_813e4,
                6.726_577_092_700_87e4,
                4.592_195_393_154_987e4,
                1.373_169_376_550_946e4,
                1.971_590_950_306_551_3e3,
                1.331_416_678_917_843_8e2,
                3.387_132_872_796_366_5,
            ],
            [
                5.226_495_278_852_855e3,
                2.872_908_573_572_194_3e4,
                3.930_789_580_009_271e4,
                2.121_379_430_158_659_7e4,
                5.394_196_021_424_751e3,
                6.871_870_074_920_579e2,
                4.231_333_070_160_091e1,
                1.0,
            ],
            0.180_625 - q * q,
        )
    } else {
        let root = (-(0.5 - q.abs()).ln()).sqrt();
        if root.is_infinite() {
            return if q < 0.0 { f32::NEG_INFINITY } else { f32::INFINITY };
        }
        let far = quotient(
            [
                7.745_450_142_783_414e-4,
                2.272_384_498_926_918_4e-2,
                2.417_807_251_774_506e-1,
                1.270_458_252_452_368_4,
                3.647_848_324_763_204_5,
                5.769_497_221_460_691,
                4.630_337_846_156_546,
                1.423_437_110_749_683_5,
            ],
            [
                1.050_750_071_644_416_9e-9,
                5.475_938_084_995_345e-4,
                1.519_866_656_361_645_7e-2,
                1.481_039_764_274_800_8e-1,
                6.897_673_349_851e-1,
                1.676_384_830_183_803_8,
                2.053_191_626_637_759,
                1.0,
            ],
            root - 1.6,
        );
        // F32 has no probabilities so near to 0 or 1 that the third range of the algorithm begins, but below 2^-36.
        far.copysign(q)
    };
    (value / std::f64::consts::SQRT_2) as f32 * std::f32::consts::SQRT_2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_pytorch() {
        // torch 2.15: Normal(0, 1).icdf(torch.tensor(p))
        for (p, bits) in [
            (0.95, 0x3fd2_8a90),
            (0.0, 0xff80_0000_u32),
            (0.5, 0),
            (0.9, 0x3fa4_09e1),
            (0.99, 0x4014_e2e4),
            (0.05, 0xbfd2_8a90),
            (0.8, 0x3f57_747e),
            (0.975, 0x3ffa_e01c),
            (0.001, 0xc045_c66e),
            (0.3, 0xbf06_3f1c),
        ] {
            assert_eq!(quantile(p).to_bits(), bits, "{p}: {}", quantile(p));
        }
    }
}

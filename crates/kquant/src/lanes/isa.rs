//! The instruction sets, and the choice among them.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use super::{Kernel, portable};
#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};

/// An instruction set that kernels run on. All give the same bytes.
///
/// Without a choice, [`Isa::best`] is used; the environment variable `KQUANT_ISA` (`scalar`, `portable`, `avx2`, `avx512`)
/// overrides that, for support cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Isa {
    /// One block after the other, without vectors: the plain version that the others are held to.
    Scalar,
    /// Lanes in small arrays, which a compiler turns into the vectors of any target.
    Portable,
    /// x86-64 with AVX2 and F16C.
    Avx2,
    /// x86-64 with AVX-512 F, BW, VL and DQ.
    Avx512,
}

impl Isa {
    /// All, from the slowest to the fastest.
    pub const ALL: [Self; 4] = [Self::Scalar, Self::Portable, Self::Avx2, Self::Avx512];

    /// Whether this machine has it.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Scalar | Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => Avx2::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Avx512::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }

    /// The one that is used without a choice: what `KQUANT_ISA` names, if the machine has it, else the fastest that the
    /// machine has. Looked up once.
    #[must_use]
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let wanted = std::env::var("KQUANT_ISA").ok().and_then(|name| name.parse().ok());
            let fastest = || Self::ALL.into_iter().rev().find(|isa| isa.is_available());
            wanted.filter(|isa: &Self| isa.is_available()).or_else(fastest).unwrap_or(Self::Scalar)
        })
    }

    /// Runs a kernel on the vectors of this instruction set; on portable ones if the machine does not have it.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => match Avx2::detect() {
                Some(isa) => isa.run(kernel),
                None => Self::Portable.run(kernel),
            },
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => match Avx512::detect() {
                Some(isa) => isa.run(kernel),
                None => Self::Portable.run(kernel),
            },
            _ => kernel.run::<portable::F32x8>(portable::Portable),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Scalar => "scalar",
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        })
    }
}

/// A name that is no instruction set's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no instruction set {0:?}: there are scalar, portable, avx2, avx512")]
pub struct UnknownIsa(String);

impl FromStr for Isa {
    type Err = UnknownIsa;

    fn from_str(name: &str) -> Result<Self, UnknownIsa> {
        let found = Self::ALL.into_iter().find(|isa| isa.to_string() == name);
        found.ok_or_else(|| UnknownIsa(name.to_owned()))
    }
}

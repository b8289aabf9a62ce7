//! Which instructions there are, and which this machine has.

use super::{MOST_ROWS, MOST_TILED, WIDTH};

/// The instructions that a product is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// `tdpbusd` on tiles of 16 rows of 64 bytes; a row alone goes by `vpdpbusd`.
    Amx,
    /// `vpdpbusd` on 512 bits.
    Avx512Vnni,
    /// `vpdpbusd` on 256 bits.
    AvxVnni,
    /// `vpmaddwd` on 256 bits.
    Avx2,
    /// `sdot` on 128 bits.
    Neon,
    /// Plain loops, for any machine.
    Portable,
}

impl Isa {
    /// All of them, the fastest first.
    pub const ALL: [Self; 6] = [
        Self::Amx,
        Self::Avx512Vnni,
        Self::AvxVnni,
        Self::Avx2,
        Self::Neon,
        Self::Portable,
    ];

    /// Whether this machine has the instructions.
    #[must_use]
    pub fn available(self) -> bool {
        match self {
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            Self::Amx => Self::Avx512Vnni.available() && super::amx::available(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => {
                std::is_x86_feature_detected!("avx512f")
                    && std::is_x86_feature_detected!("avx512bw")
                    && std::is_x86_feature_detected!("avx512vnni")
            }
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni => {
                std::is_x86_feature_detected!("avxvnni")
                    && std::is_x86_feature_detected!("avx2")
                    && std::is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "aarch64")]
            Self::Neon => std::arch::is_aarch64_feature_detected!("dotprod"),
            Self::Portable => true,
            _ => false,
        }
    }

    /// The fastest that this machine has.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL
            .into_iter()
            .find(|isa| isa.available())
            .unwrap_or(Self::Portable)
    }

    /// "amx", "avx512vnni", "avxvnni", "avx2", "neon" or "portable".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Amx => "amx",
            Self::Avx512Vnni => "avx512vnni",
            Self::AvxVnni => "avxvnni",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    /// Outputs that one pass through the inputs makes, a divisor of 32.
    pub(super) fn outputs(self) -> usize {
        match self {
            Self::Amx | Self::Avx512Vnni | Self::Portable => WIDTH,
            Self::AvxVnni | Self::Neon => WIDTH / 2,
            Self::Avx2 => WIDTH / 4,
        }
    }

    /// Rows whose sums fit the registers.
    pub(super) fn rows(self) -> usize {
        match self {
            Self::Amx => MOST_TILED,
            Self::Avx512Vnni => MOST_ROWS,
            Self::AvxVnni | Self::Avx2 | Self::Neon | Self::Portable => 6,
        }
    }
}

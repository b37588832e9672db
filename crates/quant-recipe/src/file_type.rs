//! File types: what a user asks for, and what `general.file_type` says.

use std::fmt;

use gguf_format::GgmlType;

macro_rules! file_types {
    ($($variant:ident = $id:literal, $base:ident, [$($alias:literal),*];)*) => {
        /// What a whole file is quantized to: a mix of tensor types around a base type.
        ///
        /// Names and numbers are those of `enum llama_ftype` in llama.cpp's `llama.h`, as pinned by
        /// `llama-cpp-sys-2` 0.1.161.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(non_camel_case_types, reason = "the field writes Q4_K_M, and so do we")]
        #[non_exhaustive]
        pub enum FileType {
            $(#[doc = concat!("`", stringify!($variant), "`, around `", stringify!($base), "`; file type ", $id, ".")]
            $variant,)*
        }

        impl FileType {
            /// Every file type, by number.
            pub const ALL: &'static [FileType] = &[$(FileType::$variant,)*];

            /// The number in `general.file_type`.
            #[must_use]
            pub const fn id(self) -> u32 {
                match self { $(Self::$variant => $id,)* }
            }

            /// The name, as llama.cpp's `llama-quantize` spells it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* }
            }

            /// The type that a tensor gets where no rule says otherwise.
            #[must_use]
            pub const fn base(self) -> GgmlType {
                match self { $(Self::$variant => GgmlType::$base,)* }
            }

            /// Other names people use.
            const fn aliases(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($alias),*],)* }
            }
        }
    };
}

file_types! {
    F32    = 0,  F32,  ["fp32", "float32"];
    F16    = 1,  F16,  ["fp16", "float16"];
    Q8_0   = 7,  Q8_0, [];
    Q2_K   = 10, Q2_K, [];
    Q3_K_M = 12, Q3_K, ["q3k"];
    Q4_K_M = 15, Q4_K, ["q4k"];
    Q5_K_M = 17, Q5_K, ["q5k"];
    Q6_K   = 18, Q6_K, [];
}

impl FileType {
    /// The file type with this number; `None` if it has no recipe here.
    #[must_use]
    pub fn from_id(id: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|file_type| file_type.id() == id)
    }

    /// The file type of this name: in any case, with or without `_` and `-` (`Q4_K_M`, `q4km`), or under
    /// another usual name (`fp16`; `Q4_K` for `Q4_K_M`, as `llama-quantize` has it).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let plain = |name: &str| -> String {
            name.trim().chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
        };
        let wanted = plain(name);
        Self::ALL.iter().copied().find(|file_type| {
            plain(file_type.name()) == wanted || file_type.aliases().contains(&wanted.as_str())
        })
    }
}

impl fmt::Display for FileType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_found_and_means_one_type() {
        let mut seen = BTreeSet::new();
        for &file_type in FileType::ALL {
            assert_eq!(FileType::from_id(file_type.id()), Some(file_type));
            let name = file_type.name();
            for text in [name.to_string(), name.to_lowercase(), name.replace('_', ""), name.replace('_', "-")]
            {
                assert_eq!(FileType::from_name(&text), Some(file_type), "{text}");
            }
            assert!(seen.insert(name.replace('_', "").to_lowercase()));
            for alias in file_type.aliases() {
                assert_eq!(FileType::from_name(alias), Some(file_type), "{alias}");
                assert!(seen.insert((*alias).to_string()), "{alias} means two types");
            }
        }
        assert!(FileType::ALL.is_sorted_by_key(|file_type| file_type.id()));
    }

    #[test]
    fn other_names_are_not_known() {
        for name in ["", "_", "Q4", "Q4_K_X", "Q7_K", "F64", "4"] {
            assert_eq!(FileType::from_name(name), None, "{name:?}");
        }
        assert_eq!(FileType::from_id(1024), None);
    }
}

//! File types: what a user asks for, and what `general.file_type` says.

use std::collections::BTreeMap;
use std::fmt;

use gguf_format::GgmlType;

macro_rules! file_types {
    ($($variant:ident = $id:literal, $base:ident, [$($alias:literal),*];)*) => {
        /// What a whole file is quantized to: a mix of tensor types around a base type.
        ///
        /// Names and numbers are those that `llama-quantize` takes (`QUANT_OPTIONS` in `quantize.cpp` and
        /// `enum llama_ftype` in `llama.h`), base types those of `llama_ftype_get_default_type` in
        /// `llama-quant.cpp`, llama.cpp as pinned by `llama-cpp-sys-2` 0.1.161. Numbers that `llama_ftype` has and
        /// `llama-quantize` does not take (39, NVFP4, and those withdrawn) have no variant. `COPY`, which makes no
        /// file type but keeps the one that is there, is [`Recipe::copy`](crate::Recipe::copy).
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
    F32       = 0,  F32,     ["fp32", "float32"];
    F16       = 1,  F16,     ["fp16", "float16"];
    Q4_0      = 2,  Q4_0,    [];
    Q4_1      = 3,  Q4_1,    [];
    Q8_0      = 7,  Q8_0,    [];
    Q5_0      = 8,  Q5_0,    [];
    Q5_1      = 9,  Q5_1,    [];
    Q2_K      = 10, Q2_K,    [];
    Q3_K_S    = 11, Q3_K,    [];
    Q3_K_M    = 12, Q3_K,    ["q3k"];
    Q3_K_L    = 13, Q3_K,    [];
    Q4_K_S    = 14, Q4_K,    [];
    Q4_K_M    = 15, Q4_K,    ["q4k"];
    Q5_K_S    = 16, Q5_K,    [];
    Q5_K_M    = 17, Q5_K,    ["q5k"];
    Q6_K      = 18, Q6_K,    [];
    IQ2_XXS   = 19, IQ2_XXS, [];
    IQ2_XS    = 20, IQ2_XS,  [];
    Q2_K_S    = 21, Q2_K,    [];
    IQ3_XS    = 22, IQ3_S,   [];
    IQ3_XXS   = 23, IQ3_XXS, [];
    IQ1_S     = 24, IQ1_S,   [];
    IQ4_NL    = 25, IQ4_NL,  [];
    IQ3_S     = 26, IQ3_S,   [];
    IQ3_M     = 27, IQ3_S,   [];
    IQ2_S     = 28, IQ2_XS,  [];
    IQ2_M     = 29, IQ2_S,   [];
    IQ4_XS    = 30, IQ4_XS,  [];
    IQ1_M     = 31, IQ1_M,   [];
    BF16      = 32, BF16,    ["bfloat16"];
    TQ1_0     = 36, TQ1_0,   [];
    TQ2_0     = 37, TQ2_0,   [];
    MXFP4_MOE = 38, MXFP4,   [];
    Q1_0      = 40, Q1_0,    [];
    Q2_0      = 41, Q2_0,    [];
}

impl FileType {
    /// The file type with this number; `None` if it has no recipe here.
    #[must_use]
    pub fn from_id(id: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|file_type| file_type.id() == id)
    }

    /// The file type of this name: in any case, with or without `_` and `-` (`Q4_K_M`, `q4km`), under another
    /// usual name (`fp16`; `Q4_K` for `Q4_K_M`, as `llama-quantize` has it), or its number as text (`15`).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.trim();
        if !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()) {
            return name.parse().ok().and_then(Self::from_id);
        }
        let plain = |name: &str| -> String {
            name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
        };
        let wanted = plain(name);
        Self::ALL.iter().copied().find(|file_type| {
            plain(file_type.name()) == wanted || file_type.aliases().contains(&wanted.as_str())
        })
    }
}

/// File types by the tensor type that most tensors have, where it is not that of the same name.
const GUESSES: &[(GgmlType, u32)] = &[
    (GgmlType::Q3_K, FileType::Q3_K_M.id()),
    (GgmlType::Q4_K, FileType::Q4_K_M.id()),
    (GgmlType::Q5_K, FileType::Q5_K_M.id()),
    // In `llama_ftype`, but nothing that `llama-quantize` makes.
    (GgmlType::NVFP4, 39),
    // Not known to llama.cpp's guess, which then says F32.
    (GgmlType::MXFP4, 0),
];

/// What `general.file_type` says of a file that lacked it, when llama.cpp copies it: the file type of the tensor type
/// that most tensors have, and 1024 as a mark that it is a guess (`LLAMA_FTYPE_GUESSED` in `llama.h`, the constructor
/// in `llama-model-loader.cpp`, llama.cpp as pinned by `llama-cpp-sys-2` 0.1.161).
///
/// `types` are those of the tensors in canonical order ([`gguf_format::compare_tensor_names`]): of two types with as
/// many tensors, the one that has them first counts.
#[must_use]
pub fn guessed_file_type(types: impl IntoIterator<Item = GgmlType>) -> u32 {
    const GUESSED: u32 = 1024;
    let mut counts = BTreeMap::new();
    let mut most = (0, GgmlType::F32);
    for ty in types {
        let count = counts.entry(ty).or_insert(0_usize);
        *count += 1;
        if *count > most.0 {
            most = (*count, ty);
        }
    }
    let (_, most) = most;
    let known = GUESSES.iter().find(|(ty, _)| *ty == most).map(|&(_, id)| id);
    let of_its_name = || FileType::from_name(most.name()).map_or(0, FileType::id);
    known.unwrap_or_else(of_its_name) | GUESSED
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
            assert_eq!(FileType::from_name(&file_type.id().to_string()), Some(file_type));
            for alias in file_type.aliases() {
                assert_eq!(FileType::from_name(alias), Some(file_type), "{alias}");
                assert!(seen.insert((*alias).to_string()), "{alias} means two types");
            }
        }
        assert!(FileType::ALL.is_sorted_by_key(|file_type| file_type.id()));
    }

    #[test]
    fn every_name_of_llama_quantize_is_known() {
        // The left column of `llama-quantize --help`, COPY excepted.
        let table = "40 Q1_0 41 Q2_0 2 Q4_0 3 Q4_1 38 MXFP4_MOE 8 Q5_0 9 Q5_1 19 IQ2_XXS 20 IQ2_XS 28 IQ2_S 29 IQ2_M \
            24 IQ1_S 31 IQ1_M 36 TQ1_0 37 TQ2_0 10 Q2_K 21 Q2_K_S 23 IQ3_XXS 26 IQ3_S 27 IQ3_M 12 Q3_K 22 IQ3_XS \
            11 Q3_K_S 12 Q3_K_M 13 Q3_K_L 25 IQ4_NL 30 IQ4_XS 15 Q4_K 14 Q4_K_S 15 Q4_K_M 17 Q5_K 16 Q5_K_S \
            17 Q5_K_M 18 Q6_K 7 Q8_0 1 F16 32 BF16 0 F32";
        let words: Vec<&str> = table.split_whitespace().collect();
        let (pairs, rest) = words.as_chunks::<2>();
        assert_eq!((pairs.len(), rest), (38, &[][..]));
        let mut seen = BTreeSet::new();
        for [id, name] in pairs {
            let file_type = FileType::from_name(name).unwrap();
            assert_eq!(file_type.id().to_string(), *id, "{name}");
            seen.insert(file_type);
        }
        assert!(seen.iter().eq(FileType::ALL));
    }

    #[test]
    fn guesses_are_those_of_llama_cpp() {
        use GgmlType as T;
        assert_eq!(guessed_file_type([]), 1024);
        assert_eq!(guessed_file_type([T::F32, T::Q4_K, T::Q6_K, T::Q4_K]), 1024 + 15);
        assert_eq!(guessed_file_type([T::Q8_0, T::F16, T::F16, T::Q8_0]), 1024 + 1, "F16 was twice first");
        // Type by type, `switch (type_max)` there.
        let told = "F32 0 F16 1 BF16 32 Q4_0 2 Q4_1 3 Q5_0 8 Q5_1 9 Q8_0 7 Q2_K 10 Q3_K 12 Q4_K 15 Q5_K 17 Q6_K 18 TQ1_0 36 \
            TQ2_0 37 IQ2_XXS 19 IQ2_XS 20 IQ2_S 28 IQ3_XXS 23 IQ1_S 24 IQ1_M 31 IQ4_NL 25 IQ4_XS 30 IQ3_S 26 NVFP4 39 \
            Q1_0 40 Q2_0 41 MXFP4 0 I32 0 Q8_K 0";
        let words: Vec<&str> = told.split_whitespace().collect();
        let (pairs, _) = words.as_chunks::<2>();
        assert_eq!(pairs.len(), 30);
        for [name, id] in pairs {
            let ty = T::from_name(name).unwrap();
            assert_eq!(
                guessed_file_type([ty]).to_string(),
                (1024 | id.parse::<u32>().unwrap()).to_string(),
                "{name}"
            );
        }
    }

    #[test]
    fn other_names_are_not_known() {
        for name in
            ["", "_", "Q4", "Q4_K_X", "Q7_K", "F64", "4", "-15", "1_5", "4294967311", "39", "NVFP4", "COPY"]
        {
            assert_eq!(FileType::from_name(name), None, "{name:?}");
        }
        assert_eq!(FileType::from_id(1024), None);
    }
}

//! Importance matrices: what llama.cpp reads from golden files, what a naive writer wrote, and files that are broken.
//!
//! `golden/imatrix.json` holds small files, and what llama.cpp's own loader finds in them;
//! `conformance/scripts/imatrix_golden.py` makes it.

use std::collections::BTreeMap;

use gguf_format::{Dims, GgmlType, Gguf, Layout, Limits, Metadata, TensorSpec, Value};
use proptest::prelude::*;
use quant_recipe::{
    FileType, ImportanceError, ImportanceMatrix, ModelFacts, PrunedLayers, Recipe, TensorDesc,
    requires_importance,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    peer: String,
    files: Vec<File>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    /// In hexadecimal.
    bytes: String,
    /// `None` if llama.cpp refuses the file.
    holds: Option<Holds>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Holds {
    chunks: u32,
    datasets: Vec<String>,
    /// The bits of the weights.
    entries: BTreeMap<String, Vec<u32>>,
}

#[expect(clippy::unwrap_used, reason = "the golden file is ours")]
fn golden() -> Vec<(String, Vec<u8>, Option<Holds>)> {
    let golden: Golden = serde_json::from_str(include_str!("golden/imatrix.json")).unwrap();
    assert!(golden.peer.contains("llama-cpp-sys-2 0.1.161"), "{}", golden.peer);
    let byte = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
    golden
        .files
        .into_iter()
        .map(|f| (f.name, f.bytes.as_bytes().chunks(2).map(byte).collect(), f.holds))
        .collect()
}

#[expect(clippy::unwrap_used, reason = "a test's matrix has the tensor")]
fn weights<'a>(matrix: &'a ImportanceMatrix, name: &str, len: usize) -> &'a [f32] {
    matrix.for_tensor(name, &[len as u64]).unwrap().unwrap()
}

#[test]
fn golden_files_hold_what_llama_cpp_finds() {
    let folder = std::env::temp_dir().join(format!("quant-recipe-imatrix-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut compared = 0;
    for (name, bytes, holds) in golden() {
        let path = folder.join(&name);
        std::fs::write(&path, &bytes).unwrap();
        let (parsed, opened) = (ImportanceMatrix::parse(&bytes), ImportanceMatrix::open(&path));
        let Some(holds) = holds else {
            let message = opened.unwrap_err().to_string();
            let expected = format!("importance matrix {}: {}", path.display(), parsed.unwrap_err());
            assert_eq!(message, expected);
            continue;
        };
        let matrix = parsed.unwrap();
        assert_eq!(opened.unwrap(), matrix, "{name}");
        assert_eq!(matrix.datasets(), holds.datasets, "{name}");
        assert_eq!(matrix.chunk_count().unwrap_or(0), holds.chunks, "{name}");
        assert!(matrix.names().eq(holds.entries.keys()), "{name}");
        for (tensor, bits) in holds.entries {
            let weights = weights(&matrix, &tensor, bits.len());
            assert!(weights.iter().map(|weight| weight.to_bits()).eq(bits), "{name} {tensor}: {weights:?}");
            compared += weights.len();
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
    assert!(compared > 200, "{compared}");
}

#[test]
fn golden_files_that_are_cut_off_are_refused() {
    for (name, bytes, holds) in golden() {
        if holds.is_none() {
            continue;
        }
        // The older format may end after its entries, after the number of chunks, or anywhere behind the dataset.
        let whole: &[usize] = match name.as_str() {
            "legacy" => &[141, 145],
            "legacy-chunks-only" => &[67],
            "legacy-no-dataset" => &[67, 71],
            "legacy-more-behind" => &[67, 71, 77, 78, 79, 80],
            _ => &[],
        };
        // Of today's, zeros behind the last tensor may be missing.
        let header = Gguf::parse(&bytes, &Limits::default());
        let end =
            header.map_or(bytes.len() as u64, |h| h.tensors().iter().map(|t| t.range().end).max().unwrap());
        for len in 0..bytes.len() {
            let result = ImportanceMatrix::parse(&bytes[..len]);
            let ok = whole.contains(&len) || len as u64 >= end;
            assert_eq!(result.is_ok(), ok, "{name} cut to {len}: {result:?}");
        }
    }
}

/// The older format, as plainly as can be: name, calls, values; and what comes behind.
fn legacy(entries: &[(&[u8], i32, &[f32])], behind: &[u8]) -> Vec<u8> {
    let mut bytes = (entries.len() as i32).to_le_bytes().to_vec();
    for (name, calls, values) in entries {
        bytes.extend((name.len() as i32).to_le_bytes());
        bytes.extend(*name);
        bytes.extend(calls.to_le_bytes());
        bytes.extend((values.len() as i32).to_le_bytes());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
    bytes.extend(behind);
    bytes
}

/// Today's format: metadata, and tensors of `f32` with their dimensions.
#[expect(clippy::unwrap_used, reason = "a test's tensors have sound dimensions")]
fn gguf(metadata: Metadata, tensors: &[(&str, [u64; 2], &[f32])]) -> Vec<u8> {
    let spec = |(name, dims, _): &(&str, [u64; 2], &[f32])| {
        TensorSpec::new(*name, Dims::new(dims).unwrap(), GgmlType::F32)
    };
    let layout = Layout::new(metadata, tensors.iter().map(spec).collect()).unwrap();
    let mut bytes = layout.header();
    for (placed, (_, _, values)) in layout.tensors().iter().zip(tensors) {
        bytes.resize(placed.offset() as usize, 0);
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
    bytes.resize(layout.file_len() as usize, 0);
    bytes
}

fn keys() -> Metadata {
    let mut metadata = Metadata::new();
    metadata.insert("general.type", "imatrix");
    metadata.insert("imatrix.datasets", vec!["wiki".to_owned()]);
    metadata.insert("imatrix.chunk_count", 5_u32);
    metadata.insert("imatrix.chunk_size", 512_u32);
    metadata
}

#[test]
fn both_formats_give_means() {
    let matrix = ImportanceMatrix::parse(&legacy(&[(b"a", 4, &[1.0, 2.0]), (b"b", 0, &[3.0])], &[])).unwrap();
    assert_eq!((weights(&matrix, "a", 2), weights(&matrix, "b", 1)), (&[0.25, 0.5][..], &[3.0][..]));
    let tensors: &[(&str, [u64; 2], &[f32])] = &[
        ("up_exps.in_sum2", [2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        ("up_exps.counts", [1, 3], &[2.0, 0.0, 4.0]),
        ("ignored", [1, 1], &[0.0]),
    ];
    let matrix = ImportanceMatrix::parse(&gguf(keys(), tensors)).unwrap();
    assert_eq!(
        (matrix.len(), matrix.chunk_count(), matrix.datasets()),
        (1, Some(5), &["wiki".to_owned()][..])
    );
    assert_eq!(weights(&matrix, "up_exps", 6), [0.5, 1.0, 1.0, 1.0, 1.25, 1.5]);
    assert_eq!(matrix.for_tensor("up_exps", &[2, 7, 3]).unwrap().map(|weights| weights.len()), Some(6));
}

#[test]
fn broken_files_of_the_older_format_are_told() {
    let number = |n: i32| n.to_le_bytes().to_vec();
    let one = |name: &[u8]| legacy(&[(name, 1, &[1.0])], &[]);
    let huge = i32::MAX;
    let cases: &[(&str, Vec<u8>, &str)] = &[
        ("empty", Vec::new(), "number of entries: 4 more bytes expected, 0 remain"),
        ("no entries", number(0), "number of entries: found 0, expected 1 or more"),
        ("negative number of entries", number(-1), "number of entries: found -1"),
        ("negative name_len", [number(1), number(-1), vec![0; 64]].concat(), "entry 1 of 1: name: found -1"),
        (
            "huge name_len",
            [number(1), number(huge), vec![0; 64]].concat(),
            "name: 2147483647 more bytes expected, 64",
        ),
        (
            "huge number of entries",
            [number(huge), vec![0; 64]].concat(),
            "entry 1 of 2147483647: name: found 0",
        ),
        (
            "huge number of values",
            [number(1), number(1), b"a".to_vec(), number(1), number(huge), vec![0; 8]].concat(),
            "entry 1 of 1: values: 8589934588 more bytes expected, 8 remain",
        ),
        (
            "no values",
            [number(1), number(1), b"a".to_vec(), number(1), number(0)].concat(),
            "entry 1 of 1: values: found 0",
        ),
        ("NUL in a name", one(b"a\0b"), "found bytes that are no text"),
        ("a name that is not UTF-8", one(b"\xff"), "found bytes that are no text"),
        (
            "a name twice",
            legacy(&[(b"a", 1, &[1.0]), (b"a", 1, &[2.0])], &[]),
            "tensor \"a\" has two entries",
        ),
        ("cut off behind", legacy(&[(b"a", 1, &[1.0])], &[1]), "number of chunks: 4 more bytes expected, 1"),
        (
            "huge dataset",
            legacy(&[(b"a", 1, &[1.0])], &[number(1), number(huge), vec![65]].concat()),
            "name of the dataset: 2147483647 more bytes expected, 1 remain",
        ),
    ];
    for (name, bytes, message) in cases {
        let error = ImportanceMatrix::parse(bytes).unwrap_err().to_string();
        assert!(error.contains(message) && !error.contains('\n'), "{name}: {error}");
    }
}

#[test]
fn broken_files_of_todays_format_are_told() {
    const SUMS: (&str, [u64; 2], &[f32]) = ("a.in_sum2", [2, 2], &[1.0; 4]);
    let counts = |n: u64, values: &'static [f32]| ("a.counts", [1, n], values);
    let with = |key: &str, value: Option<Value>| {
        let mut keys = keys();
        match value {
            Some(value) => drop(keys.insert(key, value)),
            None => drop(keys.remove(key)),
        }
        gguf(keys, &[SUMS, counts(2, &[1.0; 2])])
    };
    let three = &[1.0; 3];
    let cases: &[(&str, Vec<u8>, &str)] = &[
        (
            "chunk_count as a string",
            with("imatrix.chunk_count", Some("3".into())),
            "\"imatrix.chunk_count\" is of type str",
        ),
        (
            "chunk_size as u64",
            with("imatrix.chunk_size", Some(Value::U64(1))),
            "is of type u64, expected u32",
        ),
        ("no chunk_count", with("imatrix.chunk_count", None), "\"imatrix.chunk_count\" is missing"),
        (
            "datasets as a string",
            with("imatrix.datasets", Some("a".into())),
            "is of type str, expected arr[str]",
        ),
        ("no datasets", with("imatrix.datasets", None), "\"imatrix.datasets\" is missing"),
        ("a model", with("imatrix.datasets", None), "is missing"),
        ("nothing", gguf(keys(), &[]), "no tensor has importance"),
        ("no entries", gguf(keys(), &[("a", [1, 1], &[1.0])]), "no tensor has importance"),
        ("no counts", gguf(keys(), &[SUMS]), "entry \"a\": \"a.counts\" is missing"),
        ("no sums", gguf(keys(), &[counts(2, &[1.0; 2])]), "entry \"a\": \"a.in_sum2\" is missing"),
        ("counts that do not divide", gguf(keys(), &[SUMS, counts(3, three)]), "found 4 sums for 3 counts"),
        (
            "other plain sums",
            gguf(keys(), &[SUMS, counts(2, &[1.0; 2]), ("a.in_sum", [3, 1], three)]),
            "for 3 plain sums",
        ),
        ("NaN counts", gguf(keys(), &[SUMS, counts(2, &[1.0, f32::NAN])]), "found NaN as count 1"),
        ("huge counts", gguf(keys(), &[SUMS, counts(2, &[1e30, 1.0])]), "as count 0, expected a number"),
        ("cut off header", with("x", Some(1_u32.into()))[..40].to_vec(), "metadata"),
    ];
    for (name, bytes, message) in cases {
        let error = ImportanceMatrix::parse(bytes).unwrap_err().to_string();
        assert!(error.contains(message) && !error.contains('\n'), "{name}: {error}");
    }
    // The writer here makes no tensor without elements: their dimension is patched to 0.
    let mut bytes = gguf(keys(), &[SUMS, counts(2, &[1.0; 2])]);
    let at = bytes.windows(8).position(|window| window == b"a.counts").unwrap() + 8;
    for dim in [4, 12] {
        let mut bytes = bytes.clone();
        bytes[at + dim..at + dim + 8].fill(0);
        assert!(ImportanceMatrix::parse(&bytes).is_err(), "counts of 0");
    }
    let halves = bytes.windows(9).position(|window| window == b"a.in_sum2").unwrap() + 9;
    bytes[halves + 20] = GgmlType::F16.id() as u8;
    let error = ImportanceMatrix::parse(&bytes).unwrap_err().to_string();
    assert_eq!(error, "tensor \"a.in_sum2\": found F16, expected F32; make the matrix again");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let error = ImportanceMatrix::open("no/such/file.dat").unwrap_err();
    assert!(error.to_string().starts_with("importance matrix no/such/file.dat: "), "{error}");
    assert!(matches!(error.source, ImportanceError::Io(_)));
    assert!(ImportanceMatrix::open(std::env::temp_dir()).is_err());
}

#[test]
fn limits_hold_for_both_formats() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("matrix");
    let entries: [(&[u8], i32, &[f32]); 2] = [(b"a", 1, &[1.0]), (b"b", 1, &[1.0])];
    let tensors: [(&str, [u64; 2], &[f32]); 2] =
        [("a.in_sum2", [1, 1], &[1.0]), ("a.counts", [1, 1], &[1.0])];
    let both = [
        (legacy(&entries, &[]), "2 entries, the limit is 1: raise Limits::tensors"),
        (gguf(keys(), &tensors), "2 tensors, the limit is 1: raise Limits::tensors"),
    ];
    for (bytes, said) in both {
        std::fs::write(&path, bytes).unwrap();
        let open = |tensors| {
            ImportanceMatrix::open_with_limits(&path, &Limits::new().with_tensors(tensors))
                .map_err(|e| e.to_string())
        };
        assert!(open(2).is_ok());
        assert_eq!(open(1), Err(format!("importance matrix {}: {said}", path.display())));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn changed_bytes_give_an_error_or_a_matrix(
        file in 0..18_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let files = golden();
        prop_assert_eq!(files.len(), 18);
        let mut bytes = files[file].1.clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        match ImportanceMatrix::parse(&bytes) {
            Ok(matrix) => prop_assert!(!matrix.is_empty()),
            Err(error) => prop_assert!(!error.to_string().contains('\n'), "{error}"),
        }
    }
}

fn three() -> ImportanceMatrix {
    let ok: &[f32] = &[1.0; 256];
    let mut infinite = [1.0; 256];
    infinite[9] = f32::INFINITY;
    let entries: &[(&[u8], i32, &[f32])] = &[
        (b"blk.0.attn_q.weight", 1, ok),
        (b"blk.1.attn_q.weight", 1, &[2.0; 256]),
        (b"blk.1.ffn_up.weight", 1, &infinite),
        (b"token_embd.weight", 1, &[1.0; 3]),
    ];
    #[expect(clippy::unwrap_used, reason = "written here")]
    ImportanceMatrix::parse(&legacy(entries, &[])).unwrap()
}

#[test]
fn tensors_get_weights_that_fit() {
    let matrix = three();
    assert_eq!(
        matrix.for_tensor("blk.0.attn_q.weight", &[256, 4]).unwrap().map(|weights| weights.len()),
        Some(256)
    );
    assert_eq!(matrix.for_tensor("blk.9.attn_q.weight", &[256, 4]).unwrap(), None);
    assert_eq!(
        matrix.for_tensor("token_embd.weight", &[256, 4]).unwrap(),
        None,
        "never fits, and is let pass"
    );
    for (dims, expected) in
        [(&[512, 4][..], 512), (&[256, 4, 2], 512), (&[], 1), (&[u64::MAX, 1, 2], u64::MAX)]
    {
        let error = matrix.for_tensor("blk.0.attn_q.weight", dims).unwrap_err().to_string();
        let message = format!(
            "tensor \"blk.0.attn_q.weight\": found importance of 256 columns, expected {expected}; use this model's matrix"
        );
        assert_eq!(error, message);
    }
    let error = matrix.for_tensor("blk.1.ffn_up.weight", &[256, 4]).unwrap_err().to_string();
    assert!(error.contains("found importance inf for column 9, expected 0 or more"), "{error}");
}

#[test]
fn names_are_included_and_excluded_by_their_parts() {
    let names = |matrix: Result<ImportanceMatrix, ImportanceError>| -> Vec<String> {
        matrix.unwrap().names().map(str::to_owned).collect()
    };
    assert_eq!(names(three().including(&["blk.0", "token"])), ["blk.0.attn_q.weight", "token_embd.weight"]);
    assert_eq!(names(three().excluding(&["attn_q", "token"])), ["blk.1.ffn_up.weight"]);
    let error = three().including(&["attn_q", "attn_x"]).unwrap_err().to_string();
    assert_eq!(
        error,
        "\"attn_x\" is in the name of no tensor of the importance matrix; correct it or leave it out"
    );
    assert!(matches!(three().excluding(&["weight"]), Err(ImportanceError::Empty)));
}

#[test]
fn metadata_tell_no_path() {
    let number = |n: i32| n.to_le_bytes().to_vec();
    let with = |dataset: &str| {
        let behind = [number(7), number(dataset.len() as i32), dataset.as_bytes().to_vec()].concat();
        ImportanceMatrix::parse(&legacy(&[(b"blk.0.a", 1, &[1.0]), (b"b", 1, &[1.0])], &behind)).unwrap()
    };
    assert_eq!(
        with("wiki/wiki.train.raw").metadata("/home/someone/model.imatrix.gguf"),
        [
            ("quantize.imatrix.file", Value::from("model.imatrix.gguf")),
            ("quantize.imatrix.dataset", Value::from("wiki/wiki.train.raw")),
            ("quantize.imatrix.entries_count", Value::U32(2)),
            ("quantize.imatrix.chunks_count", Value::U32(7)),
        ]
    );
    for (dataset, told) in [
        ("/home/someone/a.txt", "a.txt"),
        (r"C:\Users\someone\a.txt", "a.txt"),
        (r"\\host\share\a.txt", "a.txt"),
        ("~/a/b/", "b"),
        ("a", "a"),
    ] {
        assert_eq!(with(dataset).metadata("x").get(1), Some(&("quantize.imatrix.dataset", told.into())));
    }
    // 126 bytes and an é, which llama-quantize would cut in the middle.
    let long = format!("{}é", "x".repeat(126));
    let pairs = with(&long).metadata(format!("{long}.dat"));
    assert_eq!(pairs.first(), Some(&("quantize.imatrix.file", "x".repeat(126).into())));
    let plain = ImportanceMatrix::parse(&legacy(&[(b"a", 1, &[1.0])], &[])).unwrap();
    assert_eq!(
        plain.metadata("a.dat"),
        [("quantize.imatrix.file", "a.dat".into()), ("quantize.imatrix.entries_count", Value::U32(1))]
    );
    // Those of the filtered matrix; taking layers out does not count.
    let renumbering = PrunedLayers::new([0]).renumber(["blk.0.a", "blk.1.a"]).unwrap();
    let (pruned, filtered) = (with("d").renumbered(&renumbering), with("d").including(&["b"]).unwrap());
    assert_eq!((pruned.len(), filtered.len()), (1, 2));
    assert!(pruned.metadata("x").contains(&("quantize.imatrix.entries_count", Value::U32(2))));
    assert_eq!(three().renumbered(&renumbering).names().collect::<Vec<_>>().len(), 3);
    assert_eq!(weights(&three().renumbered(&renumbering), "blk.0.attn_q.weight", 256), [2.0; 256]);
}

#[test]
fn types_that_need_importance_are_refused_without() {
    let of = |name| TensorDesc { name, dims: &[256, 2], element: GgmlType::F32 };
    let mut tensors = vec![of("blk.0.attn_q.weight"), of("blk.1.attn_q.weight"), of("output.weight")];
    let check = |file_type, matrix: Option<&ImportanceMatrix>, tensors: &[TensorDesc<'_>]| {
        let recipe = Recipe::new(file_type).with_importance_matrix(matrix.is_some());
        let given = recipe.assign(&ModelFacts::default(), tensors).unwrap();
        recipe.check_importance(matrix, tensors, &given).map_err(|error| error.to_string())
    };
    let matrix = three();
    assert_eq!(check(FileType::IQ2_XXS, Some(&matrix), &tensors), Ok(vec!["output.weight".to_owned()]));
    assert_eq!(check(FileType::Q8_0, Some(&matrix), &tensors), Ok(Vec::new()), "Q8_0 has no use for it");
    assert_eq!(check(FileType::Q4_K_M, None, &tensors), Ok(Vec::new()));
    assert_eq!(check(FileType::Q2_K, None, &tensors), Ok(Vec::new()));
    let message = |ty, lacks| {
        Err(format!(
            "tensor \"blk.0.attn_q.weight\": {ty} needs importance, and {lacks}; make one with llama-imatrix or choose \
             another type"
        ))
    };
    let none = "there is no importance matrix";
    assert_eq!(check(FileType::IQ2_XXS, None, &tensors), message("IQ2_XXS", none));
    assert_eq!(check(FileType::Q2_K_S, None, &tensors), message("Q2_K", none));
    let others = matrix.clone().excluding(&["blk.0"]).unwrap();
    assert_eq!(
        check(FileType::IQ1_S, Some(&others), &tensors),
        message("IQ1_S", "the matrix has none for it")
    );
    assert_eq!(
        check(FileType::Q4_K_S, Some(&others), &tensors).unwrap(),
        ["blk.0.attn_q.weight", "output.weight"]
    );
    tensors[0].dims = &[512, 2];
    assert!(
        check(FileType::Q8_0, Some(&matrix), &tensors)
            .unwrap_err()
            .contains("found importance of 256 columns")
    );
    // What keeps its type needs nothing.
    let kept = [TensorDesc { element: GgmlType::IQ2_XXS, ..of("blk.0.attn_q.weight") }];
    assert_eq!(check(FileType::IQ2_XXS, None, &kept), Ok(Vec::new()));
    // ggml cannot make these at all without importance, and llama-quantize does not look.
    let embedding = Recipe::new(FileType::Q8_0).with_token_embedding_type(GgmlType::IQ2_XS);
    let tensors = [of("token_embd.weight")];
    let given = embedding.assign(&ModelFacts::default(), &tensors).unwrap();
    assert!(embedding.check_importance(None, &tensors, &given).is_err());
}

#[test]
fn the_table_of_needs_is_llama_quantizes() {
    let needs = |file_type, name| -> Vec<&str> {
        let all = GgmlType::ALL.iter().filter(|&&ty| requires_importance(ty, file_type, name));
        all.map(|ty| ty.name()).collect()
    };
    let always = ["IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ2_S", "IQ1_M"];
    assert_eq!(needs(FileType::Q2_K, "blk.0.attn_q.weight"), always);
    assert_eq!(needs(FileType::Q2_K_S, "x")[0], "Q2_K");
    assert_eq!(needs(FileType::Q2_K_S, "x")[1..], always);
    for name in ["token_embd.weight", "per_layer_token_embd.weight", "output.weight"] {
        assert!(needs(FileType::Q2_K_S, name).is_empty());
    }
}

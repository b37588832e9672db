//! Every fixture model, every type: the file must hold what llama.cpp's two steps made of the same folder.

use entrenar_ecosystem::{GgufExporter, QuantizationType};
use fixture_models::Summary;

#[test]
fn every_fixture_model_in_every_type_is_what_the_peers_made() {
    let work = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for model in fixture_models::all() {
        let folder = fixture_models::write(model.name, work.path()).unwrap();
        for quantization in fixture_models::FILE_TYPES {
            let quantization = QuantizationType::parse(quantization).unwrap();
            let what = format!("{} as {quantization}", model.name);
            let output = work.path().join("out.gguf");
            let result = GgufExporter::new(quantization).export(&folder, &output);
            let result = result.unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(result.estimated_size_bytes, std::fs::metadata(&output).unwrap().len(), "{what}");

            let golden = fixture_models::golden(model.name, quantization.as_str()).unwrap();
            let differences = golden.differences(&Summary::read(&output).unwrap());
            assert!(differences.is_empty(), "{what}:\n{}", differences.join("\n"));
            compared += 1;
        }
    }
    assert_eq!(compared, fixture_models::all().len() * 8);
}

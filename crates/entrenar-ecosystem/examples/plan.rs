//! How large a model would be in each type, without writing anything: `cargo run --example plan -- ./my-model`.

use entrenar_ecosystem::{GgufExporter, QuantizationType};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let input = std::env::args().nth(1).ok_or("give the folder of a model")?;
    println!("{:<8} {:>15} {:>16}", "type", "bytes", "bits per weight");
    for &quantization in QuantizationType::ALL {
        let plan = GgufExporter::new(quantization).plan(&input)?;
        let name = quantization.as_str();
        println!("{name:<8} {:>15} {:>16.2}", plan.file_len(), plan.bits_per_weight());
    }
    Ok(())
}

//! Writes every fixture model into a folder: `cargo run -p fixture-models --example write_all -- DIR`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).ok_or("usage: write_all DIR")?;
    for model in fixture_models::all() {
        let folder = fixture_models::write(model.name, &dir)?;
        println!("{:16} {:8} weights  {}", model.name, model.parameters(), folder.display());
    }
    Ok(())
}

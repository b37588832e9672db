//! Writes the seeds and dictionaries of all fuzz targets: `cargo xtask fixtures fuzz`.

fn main() -> std::io::Result<()> {
    for line in entrenar_fuzz::seeds::write()? {
        println!("{line}");
    }
    Ok(())
}

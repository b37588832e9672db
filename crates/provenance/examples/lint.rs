//! Shows what is found in chat templates: `cargo run -p provenance --example lint -- chat_template.jinja …`

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args().skip(1) {
        let source = std::fs::read_to_string(&path)?;
        for finding in provenance::lint_template(&path, &source) {
            println!("{}", finding.to_string().escape_debug());
        }
    }
    Ok(())
}

//! Builds again when the web app was built anew: its files are part of the program.

fn main() {
    // Without the app (a checkout where only Rust is built) there is nothing to watch but its coming.
    let watched = if std::path::Path::new("web/dist").exists() { "web/dist" } else { "web/package.json" };
    println!("cargo:rerun-if-changed={watched}");
}

//! Rust from the protocol files, without a protoc: the output is committed, so that a normal build generates nothing.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// A protocol: the module's name, its files, and the fields that borrow from the request instead of copying.
struct Protocol {
    module: &'static str,
    files: &'static [&'static str],
}

const PROTOCOLS: &[Protocol] = &[
    Protocol { module: "prometheus", files: &["prometheus/remote.proto"] },
    Protocol { module: "loki", files: &["loki/logproto.proto"] },
];

/// Writes the generated files.
pub fn generate() -> anyhow::Result<()> {
    for (path, contents) in render()? {
        fs::write(&path, contents).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

/// Fails when the committed files are not what would be generated.
pub fn check() -> anyhow::Result<()> {
    for (path, contents) in render()? {
        if fs::read(&path).unwrap_or_default() != contents {
            bail!("`{}` is not what proto/ says: run `cargo run -p xtask -- codegen`", path.display());
        }
    }
    Ok(())
}

fn render() -> anyhow::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = root.join("crates/platform/wire/src/generated");
    let proto = root.join("proto");
    let mut files = BTreeMap::new();
    for Protocol { module, files: sources } in PROTOCOLS {
        let descriptors =
            protox::compile(*sources, [&proto]).with_context(|| format!("cannot compile {module}"))?;
        let scratch = std::env::temp_dir().join(format!("codegen-{module}-{}", std::process::id()));
        fs::create_dir_all(&scratch)?;
        let descriptor_path = scratch.join(format!("{module}.bin"));
        tonic_prost_build::configure()
            .out_dir(&scratch)
            .file_descriptor_set_path(&descriptor_path)
            .skip_protoc_run()
            .compile_fds(descriptors.clone())
            .with_context(|| format!("cannot generate {module}"))?;
        for entry in fs::read_dir(&scratch)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                files.insert(out.join(format!("{module}.rs")), fs::read(&path)?);
            }
        }
        files.insert(out.join(format!("{module}.bin")), prost::Message::encode_to_vec(&descriptors));
        fs::remove_dir_all(&scratch)?;
    }
    Ok(files)
}

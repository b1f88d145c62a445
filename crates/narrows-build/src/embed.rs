use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use sha2::{Digest, Sha256};

use crate::compress::{brotli, can_be_smaller, gzip, is_smaller};
use crate::versions::short;
use crate::{CollectError, Collection, write};

/// The file that `narrows_web::assets!()` includes.
pub(crate) const CODE: &str = "narrows_assets.rs";

impl Collection {
    /// Writes `narrows_assets.rs` into this folder, which embeds all of it, and beside it what it embeds: the contents, and the compressed
    /// forms of those files of text that become a tenth smaller.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn embed(&self, out: &Path) -> Result<(), CollectError> {
        self.write(out).map_err(|error| CollectError::write(out, error))
    }

    fn write(&self, out: &Path) -> io::Result<()> {
        let mut blobs = Blobs { folder: out.join("narrows_assets"), used: BTreeSet::new() };
        fs::create_dir_all(&blobs.folder)?;
        let mut code =
            String::from("::narrows_web::Assets::embedded(\n    env!(\"CARGO_MANIFEST_DIR\"),\n    &[\n");
        for (name, text) in &self.templates {
            let path = blobs.keep(text.as_bytes())?;
            line(&mut code, format_args!("        ({name:?}, include_str!({path:?})),"));
        }
        code.push_str("    ],\n    &[\n");
        for (name, file) in &self.files {
            let etag = short(&Sha256::digest(&file.content));
            let version = &file.version;
            let content = blobs.keep(&file.content)?;
            let [gzip, brotli] = if can_be_smaller(name) {
                [blobs.compressed(&file.content, "gz", gzip)?, blobs.compressed(&file.content, "br", brotli)?]
            } else {
                [None, None]
            };
            let form = |path: Option<PathBuf>| match path {
                Some(path) => format!("::core::option::Option::Some(include_bytes!({path:?}))"),
                None => "::core::option::Option::None".to_owned(),
            };
            line(
                &mut code,
                format_args!(
                    "        ::narrows_web::embedded::File {{ name: {name:?}, version: {version:?}, etag: {etag:?}, \
                     content: include_bytes!({content:?}), gzip: {}, brotli: {} }},",
                    form(gzip),
                    form(brotli),
                ),
            );
        }
        code.push_str("    ],\n)\n");
        write(&out.join(CODE), code.as_bytes())?;
        blobs.sweep()
    }
}

fn line(code: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(code, "{text}").expect("writing to a String does not fail");
}

/// The contents by their digests: what is there from the last build is not compressed again.
struct Blobs {
    folder: PathBuf,
    used: BTreeSet<PathBuf>,
}

impl Blobs {
    /// A copy, so that what the compiler reads is what the versions were made of.
    fn keep(&mut self, content: &[u8]) -> io::Result<PathBuf> {
        let path = self.path(content, "bin");
        if !path.exists() {
            put(&path, content)?;
        }
        self.used.insert(path.clone());
        Ok(path)
    }

    /// The compressed form, where it is worth having. One that is not is kept, too, as an empty file.
    fn compressed(
        &mut self,
        content: &[u8],
        extension: &str,
        compress: fn(&[u8]) -> io::Result<Vec<u8>>,
    ) -> io::Result<Option<PathBuf>> {
        let path = self.path(content, extension);
        if !path.exists() {
            let mut compressed = compress(content)?;
            if !is_smaller(&compressed, content) {
                compressed.clear();
            }
            put(&path, &compressed)?;
        }
        self.used.insert(path.clone());
        Ok((path.metadata()?.len() > 0).then_some(path))
    }

    fn path(&self, content: &[u8], extension: &str) -> PathBuf {
        let digest: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{digest}.{extension}"))
    }

    /// Deletes what is of earlier builds.
    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if !self.used.contains(&path) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// Writes a file as a whole or not at all: a build that is broken off leaves no half of one.
fn put(path: &Path, content: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    fs::write(&part, content)?;
    fs::rename(part, path)
}
